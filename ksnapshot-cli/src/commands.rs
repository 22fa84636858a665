//! One file a command.

pub(crate) mod cat;
pub(crate) mod completions;
pub(crate) mod dump;
pub(crate) mod explain;
pub(crate) mod inspect;
pub(crate) mod job;
pub(crate) mod keygen;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod operator;
pub(crate) mod prune;
pub(crate) mod restore;
pub(crate) mod verify;
