//! URLs and connections.

use std::fmt;
use std::io;
use std::time::Duration;

use ksnapshot_core::{Error, ErrorKind, Result};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, DriverError, IoError, Opts, OptsBuilder, Row, SslOpts};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;
use url::Url;

use super::error::{classify, connecting};
use super::option_file::OptionFile;
use super::tls::{SslMode, Tls};
use super::version::Server;
use super::wire::Wire;
use crate::{Access, Scope};

/// How long a server may take to let us in.
const CONNECT: Duration = Duration::from_secs(15);

/// The largest row that the protocol knows; the driver else takes what the server may be sent for what it sends.
pub(super) const LARGEST_PACKET: u32 = 1 << 30;

/// Parameters of a URL, as the stock clients name them.
const KNOWN: [&str; 5] = ["socket", "ssl-ca", "ssl-cert", "ssl-key", "ssl-mode"];

/// A server of MySQL or MariaDB, and which databases of it. Does not connect before it is used, and never prints its
/// password.
#[derive(Clone)]
pub struct MySql {
    pub(super) host: String,
    pub(super) port: u16,
    /// Used in place of host and port.
    pub(super) socket: Option<String>,
    pub(super) user: String,
    pub(super) password: Option<SecretString>,
    pub(super) tls: Tls,
    /// Named in the URL. None: all but the server's own.
    database: Option<String>,
    scope: Scope,
    /// A drill: databases of a snapshot go under this name, and nothing of it happens by itself.
    scratch: Option<String>,
}

impl MySql {
    /// Reads a URL: `mysql://USER@HOST:PORT/DATABASE?ssl-mode=verify-identity&ssl-ca=FILE` or `mariadb://…`. What it leaves
    /// open comes from `MYSQL_PWD` and option files.
    ///
    /// Errors: [`ErrorKind::Usage`] for an unknown parameter or a value that makes no sense.
    pub fn parse(url: &str, access: &Access) -> Result<Self> {
        Self::with_options(url, access, OptionFile::read())
    }

    fn with_options(url: &str, access: &Access, file: OptionFile) -> Result<Self> {
        // The text may hold a password, so no error repeats it.
        let bad = |what: &str| {
            Error::new(ErrorKind::Usage, format!("database URL: {what}")).hint(
                "Write it as mysql://USER@HOST:PORT/DATABASE, with special characters percent-encoded.",
            )
        };
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let parsed = Url::parse(url).map_err(|cause| bad(&cause.to_string()))?;
        let parameter = |name: &str| {
            let mut pairs = parsed.query_pairs();
            pairs
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        if let Some((key, _)) = parsed
            .query_pairs()
            .find(|(key, _)| !KNOWN.contains(&key.as_ref()))
        {
            let known = KNOWN.join(", ");
            return Err(Error::new(
                ErrorKind::Usage,
                format!("database URL: parameter {key:?} is not known"),
            )
            .hint(format!("Known parameters are {known}.")));
        }
        let mode = (parameter("ssl-mode").as_deref())
            .map(SslMode::parse)
            .transpose()?;
        let tls = Tls::new(
            mode,
            parameter("ssl-ca"),
            parameter("ssl-cert"),
            parameter("ssl-key"),
        )?;
        let host = match parsed.host_str() {
            None | Some("") => file.host.unwrap_or_else(|| "localhost".to_owned()),
            Some(host) => decoded(host.trim_start_matches('[').trim_end_matches(']')),
        };
        // A socket of the option file is that of the machine itself.
        let socket = parameter("socket").or_else(|| file.socket.filter(|_| host == "localhost"));
        let user = match parsed.username() {
            "" => (file.user)
                .or_else(|| std::env::var("USER").ok())
                .unwrap_or_else(|| "root".to_owned()),
            user => decoded(user),
        };
        let password = (access.password.clone())
            .or_else(|| parsed.password().map(|p| SecretString::from(decoded(p))))
            .or_else(|| std::env::var("MYSQL_PWD").ok().map(SecretString::from))
            .or(file.password);
        let database = match parsed.path().strip_prefix('/').unwrap_or_default() {
            "" => None,
            database => Some(decoded(database)),
        };
        Ok(Self {
            host,
            port: parsed.port().or(file.port).unwrap_or(3306),
            socket,
            user,
            password,
            tls,
            database,
            scope: Scope::default(),
            scratch: None,
        })
    }

    pub(super) fn host_name(&self) -> String {
        match self.socket {
            Some(_) => "local".to_owned(),
            None => self.host.clone(),
        }
    }

    /// Where it connects, for errors.
    pub(super) fn address(&self) -> String {
        match &self.socket {
            Some(socket) => format!("server at {socket}"),
            None => format!("server {}:{}", self.host, self.port),
        }
    }

    pub(super) fn user_name(&self) -> &str {
        &self.user
    }

    /// The same server, of which only what `scope` says is dumped.
    #[must_use]
    pub fn within(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    /// What is dumped, with the URL's database among the databases. None of them: all but the server's own.
    pub(super) fn scope(&self) -> Scope {
        let mut scope = self.scope.clone();
        if let Some(database) = &self.database
            && !scope.databases.contains(database)
        {
            scope.databases.insert(0, database.clone());
        }
        scope
    }

    /// The database of the URL.
    pub(super) fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// The databases asked for, for errors and names; `all` when none was named.
    pub(super) fn database_names(&self) -> String {
        match self.scope().databases {
            none if none.is_empty() => "all".to_owned(),
            some => some.join("+"),
        }
    }

    /// The same server as the place of a drill.
    pub(super) fn with_scratch(&self, name: &str) -> Self {
        Self {
            database: None,
            scope: Scope::default(),
            scratch: Some(name.to_owned()),
            ..self.clone()
        }
    }

    /// What databases of a drill are named by, in one.
    pub(super) fn scratch(&self) -> Option<&str> {
        self.scratch.as_deref()
    }

    /// A new session without a default database, as the server makes it.
    pub(super) async fn connect(&self) -> Result<Conn> {
        self.in_time(async {
            // Over a socket the driver would announce TLS, and then not begin it.
            let tls = (self.tls.options()).filter(|_| self.socket.is_none());
            match Conn::new(self.options(tls)).await {
                Err(cause) if self.tls.may_go_without() && no_tls(&cause) => {
                    Conn::new(self.options(None)).await
                }
                other => other,
            }
        })
        .await
    }

    /// The same, to read rows by.
    pub(super) async fn connect_reader(&self) -> Result<Wire> {
        self.in_time(async {
            match Wire::connect(self, self.tls.wanted()).await {
                Err(cause) if self.tls.may_go_without() && no_tls(&cause) => {
                    Wire::connect(self, false).await
                }
                other => other,
            }
        })
        .await
    }

    async fn in_time<C>(
        &self,
        connected: impl Future<Output = mysql_async::Result<C>>,
    ) -> Result<C> {
        match timeout(CONNECT, connected).await {
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

    fn options(&self, tls: Option<SslOpts>) -> Opts {
        let password = self.password.as_ref().map(|p| p.expose_secret().to_owned());
        OptsBuilder::from_opts(Opts::default())
            .ip_or_hostname(self.host.clone())
            .tcp_port(self.port)
            .socket(self.socket.clone())
            .user(Some(self.user.clone()))
            .pass(password)
            .ssl_opts(tls)
            .tcp_keepalive(Some(Duration::from_secs(30)))
            .max_allowed_packet(Some(LARGEST_PACKET as usize))
            .wait_timeout(Some(28_800))
            // The driver would ask the server for these, and come back over a socket if there is one.
            .prefer_socket(false)
            .stmt_cache_size(0)
            .into()
    }
}

/// Whether the server has no TLS, or none that we speak.
fn no_tls(cause: &mysql_async::Error) -> bool {
    match cause {
        mysql_async::Error::Driver(DriverError::NoClientSslFlagFromServer)
        | mysql_async::Error::Io(IoError::Tls(_)) => true,
        // What the handshake finds wrong comes as a fault of the connection.
        mysql_async::Error::Io(IoError::Io(io)) => {
            matches!(
                io.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
            )
        }
        _ => false,
    }
}

impl fmt::Debug for MySql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySql")
            .field("server", &self.address())
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

/// A session that takes statements, of the driver or of our own.
pub(super) trait Statements: Sized + Send {
    /// Runs a statement, whatever it answers. Only the driver takes several at once.
    fn run(&mut self, sql: &str) -> impl Future<Output = mysql_async::Result<()>> + Send;

    /// The first row of a query.
    fn first(&mut self, sql: &str)
    -> impl Future<Output = mysql_async::Result<Option<Row>>> + Send;

    /// Ends the session.
    fn leave(self) -> impl Future<Output = mysql_async::Result<()>> + Send;
}

impl Statements for Conn {
    async fn run(&mut self, sql: &str) -> mysql_async::Result<()> {
        self.query_drop(sql).await
    }

    async fn first(&mut self, sql: &str) -> mysql_async::Result<Option<Row>> {
        self.query_first(sql).await
    }

    async fn leave(self) -> mysql_async::Result<()> {
        self.disconnect().await
    }
}

impl Statements for Wire {
    async fn run(&mut self, sql: &str) -> mysql_async::Result<()> {
        self.query(sql).await.map(drop)
    }

    async fn first(&mut self, sql: &str) -> mysql_async::Result<Option<Row>> {
        Ok(self.query(sql).await?.into_iter().next())
    }

    async fn leave(self) -> mysql_async::Result<()> {
        self.quit().await
    }
}

/// Runs a statement, or several, that this crate wrote itself with everything quoted.
pub(super) async fn run(connection: &mut impl Statements, sql: &str) -> Result<()> {
    connection.run(sql).await.map_err(classify)
}

/// The server, and its version in its own words.
pub(super) async fn version(connection: &mut Conn) -> Result<(Server, String)> {
    let text: Option<String> =
        (connection.query_first("SELECT VERSION()").await).map_err(classify)?;
    let text = text.unwrap_or_default();
    match Server::parse(&text) {
        Some(server) => Ok((server, text)),
        None => Err(Error::new(
            ErrorKind::Failed,
            format!("server version {text:?} is not known"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str, file: OptionFile) -> Result<MySql> {
        MySql::with_options(url, &Access::default(), file)
    }

    #[test]
    fn urls_say_who_where_and_what() {
        let server = parsed(
            "mysql://a%40b:p%2Fw@db.example:3307/sh%2Fop",
            OptionFile::default(),
        )
        .expect("a URL");
        assert_eq!(server.user_name(), "a@b");
        assert_eq!(
            server.password.as_ref().map(ExposeSecret::expose_secret),
            Some("p/w")
        );
        assert_eq!(server.address(), "server db.example:3307");
        assert_eq!(server.host_name(), "db.example");
        assert_eq!(server.database(), Some("sh/op"));
        assert_eq!(server.database_names(), "sh/op");
        assert!(!format!("{server:?}").contains("p/w"));
        let whole = parsed("mariadb://u@[::1]/", OptionFile::default()).expect("a URL");
        assert_eq!(
            (whole.database(), whole.host_name().as_str()),
            (None, "::1")
        );
        assert_eq!(whole.database_names(), "all");
    }

    #[test]
    fn option_files_fill_what_is_open() {
        let file = || OptionFile {
            user: Some("u".into()),
            password: Some("p".to_owned().into()),
            host: Some("h".into()),
            port: Some(3310),
            socket: Some("/s".into()),
        };
        let open = parsed("mysql:///d", file()).expect("a URL");
        assert_eq!(
            (open.address().as_str(), open.user_name()),
            ("server h:3310", "u")
        );
        let local = parsed("mysql://me@localhost/d", file()).expect("a URL");
        assert_eq!(
            (local.address().as_str(), local.user_name()),
            ("server at /s", "me")
        );
        assert_eq!(local.host_name(), "local");
        let elsewhere = parsed("mysql://other:3306", file()).expect("a URL");
        assert_eq!(elsewhere.address(), "server other:3306");
        let named = parsed("mysql://other/?socket=/t", file()).expect("a URL");
        assert_eq!(named.address(), "server at /t");
    }

    #[test]
    fn bad_urls_are_the_callers_fault() {
        for url in [
            "mysql://h:port/",
            "mysql://h/?sslmode=x",
            "mysql://h/?ssl-mode=maybe",
            "mysql://h/?ssl-ca=/no/such",
            "mysql://h/?ssl-cert=/no/such",
        ] {
            let error = parsed(url, OptionFile::default()).expect_err(url);
            assert_eq!(error.kind(), ErrorKind::Usage, "{url}");
            assert!(error.advice().is_some(), "{url}");
        }
    }

    #[test]
    fn databases_of_options_stand_beside_that_of_the_url() {
        let scope = Scope {
            databases: vec!["b".into(), "a".into()],
            ..Scope::default()
        };
        let server = parsed("mysql://h/a", OptionFile::default())
            .expect("a URL")
            .within(scope.clone());
        assert_eq!(server.scope().databases, ["b", "a"]);
        let server = parsed("mysql://h/c", OptionFile::default())
            .expect("a URL")
            .within(scope);
        assert_eq!(server.database_names(), "c+b+a");
    }
}
