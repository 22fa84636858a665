//! Turns cluster state into jobs and back into status; never moves data itself.
//!
//! Everything that decides is pure and works on values; what talks to the cluster is thin.

pub mod names;
pub mod report;
pub mod schedule;
pub mod settings;
mod workload;

pub use workload::Workload;
