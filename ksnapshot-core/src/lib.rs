//! The language of snapshots: what a dumper, a compressor, an encryptor and a storage are, how a finished
//! snapshot describes itself, and the one pipeline that joins them.
//!
//! - [`Dumper`] and [`Restorer`] talk to a database; [`Storage`] keeps objects; [`Compressor`], [`Encryptor`]
//!   and [`Decryptor`] turn bytes into other bytes. All are traits that anyone may implement.
//! - [`pipeline`] is the only place with tasks: parallel readers → frames compressed on all cores →
//!   one encrypted stream → upload, every step bounded.
//! - [`Manifest`] is the commit: a snapshot exists when, and only when, its manifest does. [`Index`] says what is
//!   where inside, so that one table can be read without the rest.
//!
//! This crate knows no database, no cloud and no cluster.

pub mod age;
pub mod catalog;
pub mod compress;
pub mod conformance;
mod context;
mod dump;
mod encrypt;
mod error;
mod formats;
mod index;
pub mod layout;
mod manifest;
pub mod memory;
mod near;
pub mod pattern;
pub mod pipeline;
mod progress;
pub mod registry;
mod restore;
pub mod retention;
mod rowhash;
mod series;
mod storage;
mod text;

pub use async_trait::async_trait;
pub use bytes::Bytes;
pub use compress::Compressor;
pub use context::Cx;
pub use dump::{DataPart, DumpSession, Dumper, MissingRight, ObjectPlan, Outline, Preflight};
pub use encrypt::{Decryptor, Encryptor, Seal};
pub use error::{Error, ErrorKind, Result};
pub use formats::{Codec, Formats, Scheme};
pub use index::{
    Aspect, DataStats, Frame, INDEX_VERSION, Index, Item, Place, Problem, ProblemKind, Stage,
};
pub use manifest::{
    Consistency, Counts, Encryption, MANIFEST_VERSION, Manifest, ObjectEntry, ObjectRole, Outcome,
    SourceInfo,
};
pub use near::near;
pub use pipeline::sink::{PartSink, RowBlock};
pub use progress::{Event, Observer, Silent};
pub use registry::Registry;
pub use restore::{
    ForeignSession, Loaded, Progress, RestoreOptions, RestoreSession, Restorer, StreamSession,
    StreamTarget, Target,
};
pub use rowhash::RowHash;
pub use series::{Choice, Series, choose};
pub use storage::{Key, ORPHANED_AFTER, ObjectInfo, ObjectWriter, PutMode, Storage, Unfinished};
pub use text::Text;
pub use tokio_util::sync::CancellationToken;

/// The domain of our annotations, labels and resources in Kubernetes: the only place that names it.
pub const DOMAIN: &str = "ksnapshot.clickandmortar.fr";

/// The version of this build, as recorded in manifests.
pub const TOOL: &str = concat!("ksnapshot ", env!("CARGO_PKG_VERSION"));
