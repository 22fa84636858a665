//! URLs and connections.

use std::fmt;
use std::time::Duration;

use ksnapshot_core::{Error, ErrorKind, Result};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder};
use percent_encoding::percent_decode_str;
use secrecy::ExposeSecret;
use tokio::time::timeout;
use url::Url;

use super::error::{classify, connecting};
use super::version::Server;
use crate::Access;

/// How long a server may take to let us in.
const CONNECT: Duration = Duration::from_secs(15);

/// A server of MySQL or MariaDB, and which databases of it. Does not connect before it is used, and never prints its
/// password.
#[derive(Clone)]
pub struct MySql {
    options: OptsBuilder,
    host: String,
    port: u16,
    user: String,
    /// Named in the URL or by options. None: all but the server's own.
    databases: Vec<String>,
}

impl MySql {
    /// Reads a URL: `mysql://USER@HOST:PORT/DATABASE` or `mariadb://…`.
    ///
    /// Errors: [`ErrorKind::Usage`] for an unknown parameter or a value that makes no sense.
    pub fn parse(url: &str, access: &Access) -> Result<Self> {
        // The text may hold a password, so no error repeats it.
        let bad = |what: &str| {
            Error::new(ErrorKind::Usage, format!("database URL: {what}")).hint(
                "Write it as mysql://USER@HOST:PORT/DATABASE, with special characters percent-encoded.",
            )
        };
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let parsed = Url::parse(url).map_err(|cause| bad(&cause.to_string()))?;
        if let Some((key, _)) = parsed.query_pairs().next() {
            return Err(bad(&format!("parameter {key:?} is not known")));
        }
        let host = parsed.host_str().unwrap_or("localhost").to_owned();
        let port = parsed.port().unwrap_or(3306);
        let user = match parsed.username() {
            "" => std::env::var("USER").unwrap_or_else(|_| "root".to_owned()),
            user => decoded(user),
        };
        let password = (access.password.as_ref().map(|p| p.expose_secret().to_owned()))
            .or_else(|| parsed.password().map(decoded))
            .or_else(|| std::env::var("MYSQL_PWD").ok());
        let databases = match parsed.path().trim_start_matches('/') {
            "" => Vec::new(),
            database => vec![decoded(database)],
        };
        let options = OptsBuilder::from_opts(Opts::default())
            .ip_or_hostname(host.clone())
            .tcp_port(port)
            .user(Some(user.clone()))
            .pass(password)
            // The driver would ask the server for these, and come back over a socket if there is one.
            .prefer_socket(false)
            .stmt_cache_size(0);
        Ok(Self {
            options,
            host,
            port,
            user,
            databases,
        })
    }

    pub(super) fn host_name(&self) -> String {
        self.host.clone()
    }

    /// Where it connects, for errors.
    pub(super) fn address(&self) -> String {
        format!("server {}:{}", self.host, self.port)
    }

    pub(super) fn user_name(&self) -> &str {
        &self.user
    }

    /// The databases asked for, for errors and names; `all` when none was named.
    pub(super) fn database_names(&self) -> String {
        if self.databases.is_empty() {
            "all".to_owned()
        } else {
            self.databases.join("+")
        }
    }

    /// Named in the URL or by options. None: all but the server's own.
    pub(super) fn databases(&self) -> &[String] {
        &self.databases
    }

    /// Another database of the same server.
    pub(super) fn with_database(&self, name: &str) -> Self {
        Self {
            databases: vec![name.to_owned()],
            ..self.clone()
        }
    }

    /// A new session without a default database, as the server makes it.
    pub(super) async fn connect(&self) -> Result<Conn> {
        let options = Opts::from(self.options.clone());
        match timeout(CONNECT, Conn::new(options)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(cause)) => Err(connecting(cause, self)),
            Err(_) => Err(Error::new(
                ErrorKind::Server,
                format!("{}: no answer within {} s", self.address(), CONNECT.as_secs()),
            )
            .hint("Check host, port and firewalls; the server may also be out of connections.")),
        }
    }
}

impl fmt::Debug for MySql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySql")
            .field("server", &self.address())
            .field("databases", &self.databases)
            .finish_non_exhaustive()
    }
}

/// Runs a statement, or several, that this crate wrote itself with everything quoted.
pub(super) async fn run(connection: &mut Conn, sql: &str) -> Result<()> {
    connection.query_drop(sql).await.map_err(classify)
}

/// The server, and its version in its own words.
pub(super) async fn version(connection: &mut Conn) -> Result<(Server, String)> {
    let text: Option<String> = (connection.query_first("SELECT VERSION()").await).map_err(classify)?;
    let text = text.unwrap_or_default();
    match Server::parse(&text) {
        Some(server) => Ok((server, text)),
        None => Err(Error::new(
            ErrorKind::Failed,
            format!("server version {text:?} is not known"),
        )),
    }
}
