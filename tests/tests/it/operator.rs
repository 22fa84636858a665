//! What the operator decides, without a cluster: workloads as people write them, and what becomes of them.
//!
//! Each case is a file of manifests in `tests/operator`, with the text of what is to come out beside it. A change of a text
//! is a change of what people get: `KSNAPSHOT_BLESS=1` writes the texts anew, and the diff is to be read.

#[path = "operator/decisions.rs"]
mod decisions;
#[path = "operator/golden.rs"]
mod golden;
#[path = "operator/made.rs"]
mod made;
#[path = "operator/seen.rs"]
mod seen;
#[path = "operator/stored.rs"]
mod stored;
#[path = "operator/worlds.rs"]
mod worlds;
