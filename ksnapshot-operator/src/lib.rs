//! Turns cluster state into jobs and back into status; never moves data itself.
//!
//! Everything that decides is pure and works on values; what talks to the cluster is thin.

pub mod job;
pub mod names;
pub mod options;
pub mod report;
mod workload;

pub use workload::Workload;
