//! Every end-to-end test, in one binary: what is shared, as servers are, is started once.

// A test may say which of its cases failed.
#![allow(clippy::print_stderr, clippy::unwrap_used)]

#[path = "it/architecture.rs"]
mod architecture;
#[path = "it/broken.rs"]
mod broken;
#[path = "it/cat.rs"]
mod cat;
#[path = "it/cluster.rs"]
mod cluster;
#[path = "it/command.rs"]
mod command;
#[path = "it/conformance.rs"]
mod conformance;
#[path = "it/crowd.rs"]
mod crowd;
#[path = "it/data_only.rs"]
mod data_only;
#[path = "it/deploy.rs"]
mod deploy;
#[path = "it/elastic.rs"]
mod elastic;
#[path = "it/elastic_harness.rs"]
mod elastic_harness;
#[path = "it/embedding.rs"]
mod embedding;
#[path = "it/faults.rs"]
mod faults;
#[path = "it/filters.rs"]
mod filters;
#[path = "it/fuzz.rs"]
mod fuzz;
#[path = "it/giant.rs"]
mod giant;
#[path = "it/globals.rs"]
mod globals;
#[path = "it/harness.rs"]
mod harness;
#[path = "it/history.rs"]
mod history;
#[path = "it/installed.rs"]
mod installed;
#[path = "it/job.rs"]
mod job;
#[path = "it/json.rs"]
mod json;
#[path = "it/manifests.rs"]
mod manifests;
#[path = "it/manners.rs"]
mod manners;
#[path = "it/many.rs"]
mod many;
#[path = "it/memory.rs"]
mod memory;
#[path = "it/mysql.rs"]
mod mysql;
#[path = "it/mysql_harness.rs"]
mod mysql_harness;
#[path = "it/operator.rs"]
mod operator;
#[path = "it/oracle.rs"]
mod oracle;
#[path = "it/part.rs"]
mod part;
#[path = "it/plugins.rs"]
mod plugins;
#[path = "it/privileges.rs"]
mod privileges;
#[path = "it/prune.rs"]
mod prune;
#[path = "it/readme.rs"]
mod readme;
#[path = "it/rename.rs"]
mod rename;
#[path = "it/roundtrip.rs"]
mod roundtrip;
#[path = "it/standby.rs"]
mod standby;
#[path = "it/statistics.rs"]
mod statistics;
#[path = "it/storage.rs"]
mod storage;
#[path = "it/storm.rs"]
mod storm;
#[path = "it/transcripts.rs"]
mod transcripts;
