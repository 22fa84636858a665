//! The one place with tasks and channels, for every combination of dumper, codec, encryption and storage.
//!
//! ```text
//! readers (jobs) ─ blocks ─▶ compress (cores) ─ frames in order ─▶ seal ─▶ upload
//! ```
//!
//! Memory: what is under way between the readers and the upload is bounded by 8 MiB of plain text (or one block, when a single
//! row is larger); each reader holds one more block, and the storage its upload parts.

mod backup;
mod definitions;
mod draft;
mod excerpt;
mod foreign;
mod orphans;
mod pour;
mod prune;
pub mod read;
mod replay;
mod schedule;
mod selection;
pub mod sink;
mod stream;
mod tally;
mod texts;
mod together;
mod upload;
mod verify;

use std::num::NonZeroUsize;

pub use backup::{DumpReport, DumpRequest, dump};
pub use excerpt::Excerpt;
pub use foreign::{SingleObject, restore_object};
pub use pour::{pour, pour_object};
pub use prune::{Judged, PrunePlan, PruneReport, PruneRequest, prune, prune_plan};
pub use read::{Snapshot, list};
pub use replay::{RestoreReport, RestoreRequest, restore};
pub use selection::{Selection, select};
pub(crate) use upload::hex;
pub use verify::{Level, VerifyReport, restore_drill, verify};

/// What an error of a reader from this module means: [`SingleObject`]'s readers speak `std::io`.
pub fn read_error(cause: std::io::Error) -> crate::Error {
    crate::age::from_io(cause, "is cut short or changed")
}

/// As many workers as there are cores.
pub fn cores() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// The size at which a dumper cuts a block, unless one row is larger. It fits a core's second-level cache together with the
/// tables of its compressor.
pub(crate) const BLOCK_SIZE: usize = 512 << 10;

/// Bytes of plain text that may be on their way from the readers to the upload.
pub(crate) const MEMORY_IN_FLIGHT: usize = 16 * BLOCK_SIZE;
