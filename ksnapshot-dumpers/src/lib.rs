//! Native dumpers and their restorers: PostgreSQL today. No stock dump program runs; they are what the tests compare with.
//!
//! [`source`] and [`target`] turn a URL into something that `ksnapshot-core` can dump or restore into. This crate knows no
//! bucket.

mod mysql;
pub mod postgres;

use std::sync::Arc;

use ksnapshot_core::{Dumper, Error, ErrorKind, Restorer, Result};
use secrecy::SecretString;

use postgres::Postgres;

/// What a URL does not say.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The password, when the environment gave one for this very server.
    pub password: Option<SecretString>,
}

/// The dumper behind a URL.
///
/// Errors: [`ErrorKind::Usage`] for a scheme or a parameter that is not known.
pub fn source(url: &str, access: &Access) -> Result<Arc<dyn Dumper>> {
    Ok(Arc::new(open(url, access)?))
}

/// The restorer behind a URL.
///
/// Errors: as [`source`].
pub fn target(url: &str, access: &Access) -> Result<Arc<dyn Restorer>> {
    Ok(Arc::new(open(url, access)?))
}

/// Whether a URL carries a password, which everybody who can list processes can read.
pub fn carries_password(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| {
        url.password().is_some_and(|p| !p.is_empty())
            || url.query_pairs().any(|(key, _)| key == "password")
    })
}

fn open(url: &str, access: &Access) -> Result<Postgres> {
    match url.split_once("://").map(|(scheme, _)| scheme) {
        Some("postgres" | "postgresql") => Postgres::parse(url, access),
        Some(other) => Err(Error::new(
            ErrorKind::Usage,
            format!("{other}://: not a database that this build knows"),
        )
        .hint("Use postgres://USER@HOST:PORT/DATABASE.")),
        None => Err(
            Error::new(ErrorKind::Usage, "not a database URL: it has no scheme")
                .hint("Write it as postgres://USER@HOST:PORT/DATABASE."),
        ),
    }
}
