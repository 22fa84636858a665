//! What a snapshot can be restored into.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{Cx, DataStats, Error, ErrorKind, Frame, Index, Item, Result};

/// How to treat the target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RestoreOptions {
    /// Create the target database first.
    pub create: bool,
    /// Drop first what the snapshot holds, and nothing else. With [`data_only`](Self::data_only): empty the tables first.
    pub clean: bool,
    /// Only rows, values and large objects: what they go into is there.
    pub data_only: bool,
    /// The target may hold other things: set when only some tables are restored.
    pub partial: bool,
}

/// What a snapshot goes into.
#[derive(Debug, Clone)]
pub enum Target {
    /// A server, item by item.
    Database(Arc<dyn Restorer>),
    /// Something that takes the text from start to end.
    Stream(Arc<dyn StreamTarget>),
}

/// Something that takes text as one stream.
#[async_trait]
pub trait StreamTarget: Send + Sync + Debug {
    /// What the target is, without a secret.
    fn target(&self) -> String;

    /// Gets ready to take the text.
    async fn begin(&self, cx: &Cx) -> Result<Arc<dyn StreamSession>>;
}

/// A stream on its way. One call at a time.
#[async_trait]
pub trait StreamSession: Send + Sync {
    /// Takes the next piece.
    async fn write(&self, text: &[u8]) -> Result<()>;

    /// The text is complete. An error means that the target did not take it.
    async fn finish(&self) -> Result<()>;

    /// The text ends too early: the target must not take it for whole. Called in place of [`StreamSession::finish`], or after
    /// it failed or was dropped.
    async fn abort(&self);
}

/// Something a snapshot can be restored into item by item.
#[async_trait]
pub trait Restorer: Send + Sync + Debug {
    /// The types of snapshots it takes: `postgresql`, …
    fn kinds(&self) -> &'static [&'static str];

    /// What the target is, without a secret.
    fn target(&self) -> String;

    /// Whether it can put rows into tables that are there: [`RestoreOptions::data_only`].
    fn takes_data_only(&self) -> bool {
        false
    }

    /// Connects, and checks that the target may be written to. Changes nothing but what `options` ask for.
    ///
    /// `items` are those that were asked for, in the order of restoring; what they need may exist already and is not among
    /// them.
    async fn open(
        &self,
        index: &Index,
        items: &[u32],
        options: RestoreOptions,
        workers: NonZeroUsize,
        cx: &Cx,
    ) -> Result<Arc<dyn RestoreSession>>;

    /// Makes a scratch database with this name beside the target, fit for what `index` holds, and the restorer into it.
    async fn scratch(&self, name: &str, index: &Index) -> Result<Arc<dyn Restorer>>;

    /// Drops the database that [`Restorer::scratch`] made. A missing one is success.
    async fn drop_scratch(&self, name: &str) -> Result<()>;

    /// Opens the target for lines that another program has dumped. Most targets take none.
    async fn foreign(&self, _clean: bool, _cx: &Cx) -> Result<Arc<dyn ForeignSession>> {
        Err(Error::new(
            ErrorKind::Usage,
            format!("{} takes snapshots, and this is a single object", self.target()),
        )
        .hint("Print the object with `ksnapshot cat OBJECT`, and give its text to the client of the database."))
    }
}

/// What became of some rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Rows that the target took.
    pub rows: u64,
    /// Rows that it refused one by one while it took others. The restore goes on and fails at its end.
    pub refused: u64,
}

impl std::ops::AddAssign for Loaded {
    fn add_assign(&mut self, other: Self) {
        self.rows += other.rows;
        self.refused += other.refused;
    }
}

impl From<u64> for Loaded {
    /// All rows were taken.
    fn from(rows: u64) -> Self {
        Self { rows, refused: 0 }
    }
}

/// A target for lines that another program has dumped. Calls come from several tasks at once.
#[async_trait]
pub trait ForeignSession: Send + Sync {
    /// Takes some whole lines.
    async fn take(&self, lines: Bytes) -> Result<Loaded>;

    /// Ends the session. Always called once.
    async fn close(&self, succeeded: bool) -> Result<()>;
}

/// What an interrupted restore has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Definitions, by the ids of their items.
    pub items: BTreeSet<u32>,
    /// Rows, by the object and the offset of their frames.
    pub frames: BTreeSet<(u32, u64)>,
}

/// A target that is being written to. Calls come from up to `workers` tasks at once.
#[async_trait]
pub trait RestoreSession: Send + Sync {
    /// Whether the target takes everything or nothing: calls come one at a time then, and a failure leaves the target as it was.
    fn is_atomic(&self) -> bool {
        false
    }

    /// What an interrupted restore of the same items has left, with which this one goes on. None where it can't be gone on with
    /// after a failure either.
    fn progress(&self) -> Option<&Progress> {
        None
    }

    /// Whether all definitions are tried by [`RestoreSession::rehearse`] before anything is written, because the target may know
    /// less than the source did.
    fn rehearses(&self) -> bool {
        false
    }

    /// Runs the definition of `item` so that nothing of it stays after [`RestoreSession::end_rehearsal`]. One call at a time, in
    /// the order of the snapshot, with errors as of [`RestoreSession::define`].
    async fn rehearse(&self, _item: &Item, _text: &str) -> Result<()> {
        Ok(())
    }

    /// Takes everything back that was rehearsed, and gets the target ready. Not called when the restore ends here: closing takes
    /// everything back, too.
    async fn end_rehearsal(&self) -> Result<()> {
        Ok(())
    }

    /// Runs the definition of `item`. [`crate::ErrorKind::Refused`] means that the server refused it and that the
    /// session goes on; any other kind ends the restore.
    async fn define(&self, item: &Item, text: &str) -> Result<()>;

    /// How many small definitions are worth running together. One where [`RestoreSession::define_together`] never does.
    fn together(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    /// Runs some definitions in this order: all of them, or with the answer `false` none at all. Then each is to be run by
    /// itself, which tells what is wrong and with which. An error ends the restore.
    async fn define_together(&self, _definitions: &[(&Item, &str)]) -> Result<bool> {
        Ok(false)
    }

    /// Replays some blocks of `item`'s data, which `frames` held. An error means that none of them is in, or that the target is
    /// partial.
    async fn load(&self, item: &Item, frames: &[Frame], blocks: Vec<Bytes>) -> Result<Loaded>;

    /// Reads `item`'s data back and counts and hashes it as the dump did.
    async fn measure(&self, item: &Item) -> Result<DataStats>;

    /// Ends the session: finishing touches after success, nothing but leaving after a failure. Always called once.
    async fn close(&self, succeeded: bool) -> Result<()>;
}
