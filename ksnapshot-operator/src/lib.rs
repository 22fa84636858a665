//! Turns cluster state into jobs and back into status; never moves data itself.
//!
//! Everything that decides is pure and works on values; what talks to the cluster is thin:
//!
//! - [`annotations`] and [`settings`] read what people ask for, [`world`] is what was seen of the cluster.
//! - [`discover()`] finds out how each workload is to be backed up, or why it can't be; [`decide()`] compares that with what is
//!   there; [`judge()`] says of each workload whether it is protected, step by step, with the fix. These three are all opinion
//!   that there is: the operator acts by them, [`explain()`] shows them.
//! - `controller` is the loop around them, `watches`, `cluster` and `lookups` its eyes and hands.
//! - [`objects`] are the CronJobs, Jobs and Secrets that come out; [`runs`] is what came of them.
//! - [`job`] is what a Job does with its environment, [`report`] what it says at its end.

pub mod annotations;
mod cluster;
mod controller;
pub mod decide;
pub mod discover;
pub mod events;
pub mod explain;
#[cfg(test)]
mod fake;
pub mod job;
pub mod judge;
mod kind;
pub mod lease;
pub mod log;
mod lookups;
pub mod metrics;
pub mod names;
pub mod objects;
mod operator;
pub mod options;
pub mod report;
pub mod runs;
pub mod schedule;
pub mod server;
pub mod settings;
pub mod verdict;
mod watches;
mod workload;
pub mod world;

pub use decide::decide;
pub use discover::discover;
pub use explain::explain;
pub use judge::judge;
pub use kind::Kind;
pub use operator::run;
pub use workload::Workload;
