//! What can be dumped.

use std::fmt::Debug;
use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;

use crate::catalog::CatalogModel;
use crate::layout::Form;
use crate::{Consistency, Cx, Item, PartSink, Problem, Result, SourceInfo, Text};

/// Something that can be dumped.
#[async_trait]
pub trait Dumper: Send + Sync + Debug {
    /// Where it connects, without a secret: the default name of the series is its host.
    fn host(&self) -> String;

    /// The database, as it stands in the name of the series.
    fn database(&self) -> String;

    /// Fixes one consistent view for `workers` concurrent readers and plans the parts. Moves no data.
    async fn open(&self, workers: NonZeroUsize, cx: &Cx) -> Result<Arc<dyn DumpSession>>;

    /// What a dump by this user would reach, found out without keeping anybody waiting.
    async fn preflight(&self, workers: NonZeroUsize, cx: &Cx) -> Result<Preflight>;
}

/// What a dump would reach, and what is missing for more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preflight {
    /// The server.
    pub source: SourceInfo,
    /// The claim that would be reached. Positions are known only to a dump.
    pub consistency: Consistency,
    /// What could not be dumped, or not whole.
    pub problems: Vec<Problem>,
    /// What more rights would add.
    pub missing: Vec<MissingRight>,
}

/// A right that this user lacks.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct MissingRight {
    /// The right, in the words of the server: `RELOAD`.
    pub right: String,
    /// What it would add.
    pub adds: String,
    /// The statement that gives it.
    pub grant: String,
}

/// One consistent view of the source.
#[async_trait]
pub trait DumpSession: Send + Sync {
    /// What will be dumped: known before any data moves.
    fn outline(&self) -> &Outline;

    /// Writes one part of the data stage, start to end. Called for up to `workers` parts at once, in any order.
    ///
    /// An error fails the whole dump. What can't be read for lack of a right is no error: it is reported by
    /// [`PartSink::unreadable`], and the part ends.
    async fn dump(&self, part: &DataPart, out: &mut PartSink) -> Result<()>;

    /// Looks after the source while the parts are dumped, and tells who suffers from it by events. Ends when there is nothing
    /// to look after; dropped in the middle when the last part is done.
    async fn watch(&self, _cx: &Cx) {}

    /// Proves, after the last part and before the commit, that the view held to the end.
    async fn confirm(&self) -> Result<()>;

    /// Releases the view and stops what still runs on the server. Always called once, also after a failure or
    /// a cancellation.
    async fn close(&self) -> Result<()>;
}

/// What a session will dump.
#[derive(Debug)]
pub struct Outline {
    /// The server, as the manifest tells it; its type is that of the series.
    pub source: SourceInfo,
    /// Which claim of one moment was reached.
    pub consistency: Consistency,
    /// What the text is.
    pub form: Form,
    /// The typed model of the definitions, for the index.
    pub catalog: CatalogModel,
    /// Everything with a place of its own, in the order of restoring. `Item::id` is its position here.
    pub items: Vec<Item>,
    /// The data objects, in the order in which they are written, and in which they would be loaded one after the other.
    pub objects: Vec<ObjectPlan>,
    /// What is known already not to be dumped, or not whole.
    pub problems: Vec<Problem>,
}

/// One data object: text that can be loaded alone.
#[derive(Debug)]
pub struct ObjectPlan {
    /// What stands for the database, or for the type of content, in the object's name.
    pub name: String,
    /// The text of each definition of [`crate::Stage::PreData`] and [`crate::Stage::PostData`], by item id, in
    /// the order of writing. Of SQL, each ends with a line feed.
    pub definitions: Vec<(u32, Text)>,
    /// The parts of the data stage, those first that take longest.
    pub parts: Vec<DataPart>,
}

/// A piece of the data stage that one reader writes alone.
#[derive(Debug, Clone)]
pub struct DataPart {
    /// The dumper's own number for it.
    pub id: u32,
    /// What it holds, as a person would name it.
    pub name: String,
    /// About how many bytes of plain text.
    pub estimate: u64,
    /// The items whose data it holds (a part may hold a piece of one item's data).
    pub items: Vec<u32>,
}
