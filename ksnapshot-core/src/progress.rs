//! What the engine says while it works. One method, one open enum: observers stay small, events can be added.

use crate::Problem;

/// Something that happened.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The plan is known: so many parts, about so many bytes of plain text.
    Planned {
        /// Number of parts.
        parts: usize,
        /// Estimated bytes of plain text; for a restore or verification the exact number.
        bytes: u64,
    },
    /// Work on a part began.
    PartStarted {
        /// What the part holds, as a person would name it.
        name: &'a str,
    },
    /// A part is done.
    PartFinished {
        /// As in [`Event::PartStarted`].
        name: &'a str,
    },
    /// Plain text went through: read from the source, or replayed into the target.
    Moved {
        /// Bytes of plain text.
        bytes: u64,
        /// Rows in it.
        rows: u64,
    },
    /// Bytes went to or came from the storage.
    Stored {
        /// Stored bytes: compressed and encrypted.
        bytes: u64,
    },
    /// Something is not as it should be, and the work goes on.
    Problem(&'a Problem),
    /// Something the reader should know.
    Warning(&'a str),
    /// A line that a program wrote for people to read.
    Told(&'a str),
}

/// Receives events. Called from many tasks at once and must not block.
pub trait Observer: Send + Sync {
    /// Takes note of one event.
    fn on(&self, event: &Event<'_>);
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn on(&self, _event: &Event<'_>) {}
}
