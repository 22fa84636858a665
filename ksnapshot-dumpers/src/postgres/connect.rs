//! URLs and connections.

use std::fmt;
use std::time::Duration;

use ksnapshot_core::{Error, ErrorKind, Result};
use secrecy::ExposeSecret;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, Row};
use tokio::time::timeout;
use url::Url;

use super::error::{classify, connecting};
use super::query::one;
use super::rename::Rename;
use super::version::ServerVersion;
use crate::{Access, RestoreScope, Scope};

/// How long a server may take to let us in.
const CONNECT: Duration = Duration::from_secs(15);

/// Since 14: a server that waits for a lock or works on a long statement looks every second whether we are still there.
/// Servers that can't look refuse the setting; those of Linux can.
pub(super) const NOTICE_OUR_END: &str =
    "SELECT pg_catalog.set_config(name, '1000', false) FROM pg_catalog.pg_settings
     WHERE name = 'client_connection_check_interval' AND pg_catalog.version() LIKE '%linux%'";

/// Parameters of a URL, as libpq knows them.
const KNOWN: [&str; 11] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
];

/// A database of a PostgreSQL server. Does not connect before it is used, and never prints its password.
#[derive(Clone)]
pub struct Postgres {
    options: PgConnectOptions,
    scope: Scope,
    renames: Vec<Rename>,
    /// A drill's: nothing outside of its database is touched.
    is_scratch: bool,
}

impl Postgres {
    /// Reads a URL as libpq does: `postgres://USER@HOST:PORT/DATABASE?sslmode=verify-full`. What it leaves open comes
    /// from `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD`, `PGSSLMODE`, … and `.pgpass`.
    ///
    /// Errors: [`ErrorKind::Usage`] for an unknown parameter or a value that makes no sense.
    pub fn parse(url: &str, access: &Access) -> Result<Self> {
        // The text may hold a password, so no error repeats it.
        let bad_with = |what: &str, hint: &str| {
            Error::new(ErrorKind::Usage, format!("database URL: {what}")).hint(hint)
        };
        let bad = |what: &str| {
            bad_with(
                what,
                "Write it as postgres://USER@HOST:PORT/DATABASE, with special characters percent-encoded.",
            )
        };
        let parsed = Url::parse(url).map_err(|cause| bad(&cause.to_string()))?;
        for (key, _) in parsed.query_pairs() {
            if key != "user" && !KNOWN.contains(&key.as_ref()) {
                return Err(bad_with(
                    &format!("parameter {key:?} is not known"),
                    &format!("Known parameters are {} and user.", KNOWN.join(", ")),
                ));
            }
        }
        let mut options: PgConnectOptions = url.parse().map_err(|cause: sqlx::Error| {
            bad("a parameter has a bad value").source(cause.to_string())
        })?;
        if let Some(password) = &access.password {
            options = options.password(password.expose_secret());
        }
        Ok(Self {
            options: options
                .application_name("ksnapshot")
                .statement_cache_capacity(0)
                // What is restored may hold secrets, such as the options of a user mapping.
                .disable_statement_logging(),
            scope: Scope::default(),
            renames: Vec::new(),
            is_scratch: false,
        })
    }

    /// The same database, of which only what `scope` says is dumped.
    #[must_use]
    pub fn within(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    /// The same database, in which what is restored is placed as `scope` says.
    ///
    /// Errors: [`ErrorKind::Usage`] when names make no sense.
    pub fn placing(self, scope: &RestoreScope) -> Result<Self> {
        let renames = scope.renames.iter();
        let renames = renames
            .map(|(from, to)| Rename::parse(from, to))
            .collect::<Result<_>>()?;
        Ok(Self { renames, ..self })
    }

    /// The same, for a drill.
    pub(super) fn into_scratch(self) -> Self {
        Self {
            is_scratch: true,
            ..self
        }
    }

    pub(super) fn is_scratch(&self) -> bool {
        self.is_scratch
    }

    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }

    pub(super) fn renames(&self) -> &[Rename] {
        &self.renames
    }

    pub(super) fn host_name(&self) -> String {
        match self.options.get_socket() {
            Some(_) => "local".to_owned(),
            None if self.options.get_host().starts_with('/') => "local".to_owned(),
            None => self.options.get_host().to_owned(),
        }
    }

    pub(super) fn database_name(&self) -> &str {
        self.options
            .get_database()
            .unwrap_or_else(|| self.options.get_username())
    }

    /// Another database of the same server.
    pub(super) fn with_database(&self, name: &str) -> Self {
        Self {
            options: self.options.clone().database(name),
            scope: self.scope.clone(),
            renames: self.renames.clone(),
            is_scratch: self.is_scratch,
        }
    }

    /// Where it connects, for errors.
    pub(super) fn address(&self) -> String {
        match self.options.get_socket() {
            Some(socket) => format!("server at {}", socket.display()),
            None => format!(
                "server {}:{}",
                self.options.get_host(),
                self.options.get_port()
            ),
        }
    }

    /// A new session, as the server makes it.
    pub(super) async fn connect(&self) -> Result<PgConnection> {
        match timeout(CONNECT, PgConnection::connect_with(&self.options)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(cause)) => Err(connecting(cause, self)),
            Err(_) => Err(Error::new(
                ErrorKind::Server,
                format!(
                    "{}: no answer within {} s",
                    self.address(),
                    CONNECT.as_secs()
                ),
            )
            .hint("Check host, port and firewalls; the server may also be out of connections.")),
        }
    }

    pub(super) fn user_name(&self) -> &str {
        self.options.get_username()
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres")
            .field("server", &self.address())
            .field("database", &self.database_name())
            .finish()
    }
}

/// The version of the server.
pub(super) async fn version(connection: &mut PgConnection) -> Result<(ServerVersion, String)> {
    let row = one(
        connection,
        "SELECT pg_catalog.current_setting('server_version_num')::int, pg_catalog.current_setting('server_version')",
    )
    .await?;
    let number: i32 = row.try_get(0).map_err(classify)?;
    let text: String = row.try_get(1).map_err(classify)?;
    Ok((ServerVersion(number.unsigned_abs()), text))
}
