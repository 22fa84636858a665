//! Native dumpers and their restorers: PostgreSQL, MySQL and MariaDB, Elasticsearch and OpenSearch. No stock dump program runs; they are what the tests compare with.
//!
//! [`source`] and [`target`] turn a URL into something that `ksnapshot-core` can dump or restore into. This crate knows no
//! bucket.

pub mod elastic;
pub mod mysql;
pub mod postgres;
mod scope;

use std::sync::Arc;

use ksnapshot_core::{Dumper, Error, ErrorKind, Restorer, Result};
use secrecy::SecretString;

use elastic::Elastic;
use mysql::MySql;
use postgres::Postgres;
pub use scope::{IndexScope, RestoreScope, Scope};

/// What a URL does not say.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The password, when the environment gave one for this very server.
    pub password: Option<SecretString>,
    /// The API key, likewise.
    pub api_key: Option<SecretString>,
}

/// The dumper behind a URL. `scope` is for databases, `indices` for clusters.
///
/// Errors: [`ErrorKind::Usage`] for a scheme or a parameter that is not known, and for a scope that means nothing there.
pub fn source(
    url: &str,
    access: &Access,
    scope: Scope,
    indices: IndexScope,
) -> Result<Arc<dyn Dumper>> {
    let family = family(url)?;
    if family != Family::Elastic && indices != IndexScope::default() {
        return Err(Error::new(
            ErrorKind::Usage,
            "a database has no indices to choose",
        )
        .hint("--index, --hidden, --closed, --page-size and --slices are for Elasticsearch and OpenSearch."));
    }
    match family {
        Family::Postgres if scope.is_default() => Ok(Arc::new(Postgres::parse(url, access)?)),
        Family::Postgres => Err(Error::new(
            ErrorKind::Usage,
            "a dump of PostgreSQL is always of one whole database",
        )
        .hint("Leave the options away that choose databases, tables or rows; `restore --table` chooses tables.")),
        Family::MySql => Ok(Arc::new(MySql::parse(url, access)?.within(scope))),
        Family::Elastic if scope.is_default() => Ok(Arc::new(Elastic::parse(url, access)?.within(indices))),
        Family::Elastic => Err(Error::new(
            ErrorKind::Usage,
            "a cluster has no databases, tables or rows to choose",
        )
        .hint("Choose indices with --index PATTERN.")),
    }
}

/// The restorer behind a URL. `placing` is for clusters.
///
/// Errors: as [`source`].
pub fn target(url: &str, access: &Access, placing: RestoreScope) -> Result<Arc<dyn Restorer>> {
    let family = family(url)?;
    if family != Family::Elastic && placing != RestoreScope::default() {
        return Err(Error::new(
            ErrorKind::Usage,
            "--rename and --rejected are for Elasticsearch and OpenSearch",
        )
        .hint("Leave them away."));
    }
    match family {
        Family::Postgres => Ok(Arc::new(Postgres::parse(url, access)?)),
        Family::MySql => Ok(Arc::new(MySql::parse(url, access)?)),
        Family::Elastic => Ok(Arc::new(Elastic::parse(url, access)?.placing(placing))),
    }
}

/// Whether a URL carries a password, which everybody who can list processes can read.
pub fn carries_password(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| {
        url.password().is_some_and(|p| !p.is_empty())
            || url.query_pairs().any(|(key, _)| key == "password")
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Postgres,
    MySql,
    Elastic,
}

fn family(url: &str) -> Result<Family> {
    const FORMS: &str = "Use postgres://USER@HOST:PORT/DATABASE, mysql://…, mariadb://…, elasticsearch://HOST:PORT or opensearch://….";
    match url.split_once("://").map(|(scheme, _)| scheme) {
        Some("postgres" | "postgresql") => Ok(Family::Postgres),
        Some("mysql" | "mariadb") => Ok(Family::MySql),
        Some(
            "elasticsearch"
            | "elasticsearch+http"
            | "elasticsearch+https"
            | "opensearch"
            | "opensearch+http"
            | "opensearch+https",
        ) => Ok(Family::Elastic),
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
