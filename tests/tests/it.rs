//! Every end-to-end test, in one binary: what is shared, as servers are, is started once.

// A test may say which of its cases failed.
#![allow(clippy::print_stderr, clippy::unwrap_used)]

#[path = "it/architecture.rs"]
mod architecture;
#[path = "it/cat.rs"]
mod cat;
#[path = "it/elastic.rs"]
mod elastic;
#[path = "it/elastic_harness.rs"]
mod elastic_harness;
#[path = "it/faults.rs"]
mod faults;
#[path = "it/fuzz.rs"]
mod fuzz;
#[path = "it/harness.rs"]
mod harness;
#[path = "it/memory.rs"]
mod memory;
#[path = "it/mysql.rs"]
mod mysql;
#[path = "it/mysql_harness.rs"]
mod mysql_harness;
#[path = "it/readme.rs"]
mod readme;
#[path = "it/roundtrip.rs"]
mod roundtrip;
#[path = "it/storage.rs"]
mod storage;
