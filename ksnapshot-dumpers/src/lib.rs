//! Native dumpers and their restorers: PostgreSQL, MySQL and MariaDB, Elasticsearch and OpenSearch. No stock dump program
//! runs; they are what the tests compare with. For everything else there is the output of any [`command`].
//!
//! [`register`] makes their URLs known to a [`Registry`](ksnapshot_core::Registry); a program that knows what it dumps takes [`postgres::Postgres`],
//! [`mysql::MySql`] or [`elastic::Elastic`] itself. This crate knows no bucket.

pub mod command;
pub mod elastic;
mod engines;
pub mod mysql;
pub mod postgres;
mod scope;

pub use engines::register;
pub use ksnapshot_core::registry::Access;
pub use scope::{IndexScope, PostgresScope, RestoreScope, Scope};

/// Whether a URL carries a password, which everybody who can list processes can read.
pub fn carries_password(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| {
        url.password().is_some_and(|p| !p.is_empty())
            || url.query_pairs().any(|(key, _)| key == "password")
    })
}
