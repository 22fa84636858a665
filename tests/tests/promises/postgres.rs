//! What PostgreSQL is promised, as tests that say for which server: `make test` keeps it on the versions that all tests run on,
//! `make soak` for longer, and on more of them.

#[path = "postgres/storm.rs"]
pub(crate) mod storm;
