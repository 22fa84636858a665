//! The harness of the end-to-end tests: real servers, the built binary, and outsiders as judges.
//!
//! - [`Postgres`], [`mysql::MySql`], [`elastic::Elastic`], [`Minio`], [`Versitygw`] and [`Azurite`] are throw-away servers
//!   on loopback. They end with the process that started them, however it ends. [`Gcs`] is a gate before a MinIO.
//! - [`Cluster`] is a Kubernetes of one node, real but for its images: it runs pods of ksnapshot and of databases.
//! - [`Ksnapshot`] runs the built binary in a clean environment.
//! - [`proxy`] stands between us and a server when things go wrong; [`hold`] stops a line at a known moment.
//!   [`elastic::fault`] is that for Elasticsearch, with TLS and logins.
//! - [`tools`] runs what others wrote: `age`, `zstd`, `psql`, `pg_dump`.
//! - [`compare`] judges by those whether two databases are equal; [`copies`] makes the copy to compare with.
//!   [`oracle`] does both for any script of SQL.
//!
//! A missing server or tool is a failure, never a skipped test: `make servers` fetches all of them.
//!
//! ```no_run
//! use ksnapshot_tests::{Ksnapshot, Postgres, Version, tools::Key};
//!
//! # fn main() -> anyhow::Result<()> {
//! let source = Postgres::shared(Version::V15)?.fresh_db("source")?;
//! source.psql("create table t as select generate_series(1, 10) as n")?;
//! let (key, folder) = (Key::generate()?, tempfile::tempdir()?);
//! Ksnapshot::new(["dump", &source.url(), "--recipient", key.recipient(), "--to"])
//!     .arg(folder.path())
//!     .password()
//!     .run()?
//!     .success()?;
//! # Ok(())
//! # }
//! ```

mod azurite;
pub mod cluster;
pub mod compare;
pub mod copies;
pub mod elastic;
mod gcs;
pub mod hold;
mod ksnapshot;
mod minio;
pub mod mysql;
pub mod oracle;
mod postgres;
pub mod proxy;
mod s3;
pub mod testbed;
pub mod tools;
mod versitygw;

pub use azurite::Azurite;
pub use cluster::Cluster;
pub use gcs::Gcs;
pub use ksnapshot::{Ksnapshot, Running, binary};
pub use minio::Minio;
pub use postgres::{Db, Options, PASSWORD, Postgres, Tls, Version};
pub use s3::{ObjectVersion, S3};
pub use versitygw::Versitygw;
