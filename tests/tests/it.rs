//! Every end-to-end test, in one binary: what is shared, as servers are, is started once.

#![allow(clippy::unwrap_used)]

#[path = "it/architecture.rs"]
mod architecture;
#[path = "it/harness.rs"]
mod harness;
#[path = "it/roundtrip.rs"]
mod roundtrip;
