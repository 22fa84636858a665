//! Native dumpers and their restorers: PostgreSQL, MySQL and MariaDB. No stock dump program runs; they are what the tests compare with.
//!
//! [`source`] and [`target`] turn a URL into something that `ksnapshot-core` can dump or restore into. This crate knows no
//! bucket.

pub mod mysql;
pub mod postgres;
mod scope;

use std::sync::Arc;

use ksnapshot_core::{Dumper, Error, ErrorKind, Restorer, Result};
use secrecy::SecretString;

use mysql::MySql;
use postgres::Postgres;
pub use scope::Scope;

/// What a URL does not say.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The password, when the environment gave one for this very server.
    pub password: Option<SecretString>,
}

/// The dumper behind a URL.
///
/// Errors: [`ErrorKind::Usage`] for a scheme or a parameter that is not known.
pub fn source(url: &str, access: &Access, scope: Scope) -> Result<Arc<dyn Dumper>> {
    match family(url)? {
        Family::Postgres if scope.is_default() => Ok(Arc::new(Postgres::parse(url, access)?)),
        Family::Postgres => Err(Error::new(
            ErrorKind::Usage,
            "a dump of PostgreSQL is always of one whole database",
        )
        .hint("Leave the options away that choose databases, tables or rows; `restore --table` chooses tables.")),
        Family::MySql => Ok(Arc::new(MySql::parse(url, access)?.within(scope))),
    }
}

/// The restorer behind a URL.
///
/// Errors: as [`source`].
pub fn target(url: &str, access: &Access) -> Result<Arc<dyn Restorer>> {
    match family(url)? {
        Family::Postgres => Ok(Arc::new(Postgres::parse(url, access)?)),
        Family::MySql => Ok(Arc::new(MySql::parse(url, access)?)),
    }
}

/// Whether a URL carries a password, which everybody who can list processes can read.
pub fn carries_password(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| {
        url.password().is_some_and(|p| !p.is_empty())
            || url.query_pairs().any(|(key, _)| key == "password")
    })
}

enum Family {
    Postgres,
    MySql,
}

fn family(url: &str) -> Result<Family> {
    const FORMS: &str =
        "Use postgres://USER@HOST:PORT/DATABASE, mysql://USER@HOST:PORT/DATABASE or mariadb://….";
    match url.split_once("://").map(|(scheme, _)| scheme) {
        Some("postgres" | "postgresql") => Ok(Family::Postgres),
        Some("mysql" | "mariadb") => Ok(Family::MySql),
        Some(other) => Err(Error::new(
            ErrorKind::Usage,
            format!("{other}://: not a database that this build knows"),
        )
        .hint(FORMS)),
        None => {
            Err(Error::new(ErrorKind::Usage, "not a database URL: it has no scheme").hint(FORMS))
        }
    }
}
