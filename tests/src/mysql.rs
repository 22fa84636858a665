//! Throw-away servers of MySQL and MariaDB.

pub mod bank;
pub mod broken;
pub mod compare;
pub mod copies;
mod options;
mod version;

use std::ffi::OsStr;
use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::PASSWORD;
use crate::testbed::{self, Server};
use crate::tools::{self, Run};

pub use options::Options;
pub use version::{Flavour, Version};

/// No statement or file of a test runs longer.
const LIMIT: Duration = Duration::from_secs(600);

/// A server on loopback. It ends with this value, or with this process.
///
/// `root` is asked for [`PASSWORD`] over TCP, and let in by the socket without.
#[derive(Debug)]
pub struct MySql {
    version: Version,
    port: u16,
    dir: PathBuf,
    server: Server,
}

impl MySql {
    /// An empty server of its own, for tests that break it or count its sessions. Takes about a second.
    pub fn start(version: Version) -> Result<Self> {
        Options::new(version).start()
    }

    /// … with settings of its own.
    pub fn start_with(options: Options) -> Result<Self> {
        options.start()
    }

    /// The one empty server of this version that the tests of this process share.
    pub fn shared(version: Version) -> Result<&'static Self> {
        static SERVERS: [OnceLock<MySql>; 6] = [const { OnceLock::new() }; 6];
        testbed::share(&SERVERS[version as usize], || Self::start(version))
    }

    /// The one server of this version with TPC-H at scale 0.05, as the database `tpch`, to be read only.
    pub fn shared_tpch(version: Version) -> Result<&'static Self> {
        static SERVERS: [OnceLock<MySql>; 6] = [const { OnceLock::new() }; 6];
        testbed::share(&SERVERS[version as usize], || {
            Options::new(version).tpch("0.05")?.start()
        })
    }

    /// Which server it is.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process of the server.
    pub fn pid(&self) -> u32 {
        self.server.pid
    }

    /// Its Unix socket, by which `root` is let in without a password. Too long a path for the socket's address if the
    /// cache is far down: prefer TCP.
    pub fn socket(&self) -> PathBuf {
        self.dir.join("s")
    }

    /// The certificate of the authority that signed the server's (for `localhost` and 127.0.0.1).
    pub fn ca(&self) -> Result<PathBuf> {
        Ok(self.version.root()?.join("my/tls/ca.crt"))
    }

    /// An option file with how `root` gets in, for any stock program: `mysql --defaults-file=…`.
    pub fn option_file(&self) -> PathBuf {
        self.dir.join("client.cnf")
    }

    /// The URL of a database, without a password; of the whole server when the name is empty.
    pub fn url(&self, db: &str) -> String {
        self.url_as("root", db)
    }

    /// … for another user.
    pub fn url_as(&self, user: &str, db: &str) -> String {
        let scheme = self.version.flavour().scheme();
        let url = format!("{scheme}://{user}@127.0.0.1:{}/{db}", self.port);
        url.trim_end_matches('/').to_owned()
    }

    /// A database that exists.
    pub fn db(&self, name: &str) -> Db<'_> {
        Db {
            server: self,
            name: name.to_owned(),
        }
    }

    /// A new empty database, named `<stem>_<number>`.
    pub fn fresh_db(&self, stem: &str) -> Result<Db<'_>> {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        self.create_db(&format!("{stem}_{}", COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    /// A new empty database of this name.
    pub fn create_db(&self, name: &str) -> Result<Db<'_>> {
        self.run(&format!("create database `{name}`"))?;
        Ok(self.db(name))
    }

    /// Makes a user that may log in from anywhere, with [`PASSWORD`] and these rights (`select on *.*`); fine if it's
    /// there, but rights are only added.
    pub fn create_user(&self, name: &str, grants: &[&str]) -> Result<()> {
        let mut sql = format!("create user if not exists '{name}'@'%' identified by '{PASSWORD}';");
        for grant in grants {
            sql.push_str(&format!("grant {grant} to '{name}'@'%';"));
        }
        self.run(&sql)
    }

    /// A stock program that can log in to this server, `mysql` or `mysqldump` (MariaDB's, under these names, for
    /// MariaDB and MySQL 5.7), connected as `root`. Options come first, the database after them.
    pub fn program(&self, name: &str) -> Result<Command> {
        self.connected(&self.version.client(name)?)
    }

    /// Any program that reads a MySQL option file, connected as `root`: `mydumper`.
    pub fn connected(&self, program: &Path) -> Result<Command> {
        let mut command = Command::new(program);
        tools::clean(&mut command);
        let mut option = std::ffi::OsString::from("--defaults-file=");
        option.push(self.option_file());
        command.arg(option);
        Ok(command)
    }

    /// The stock client with these arguments; `input` is its standard input.
    pub fn client(&self, args: &[&str], input: impl AsRef<[u8]>) -> Result<Run> {
        let mut command = self.program("mysql")?;
        command.args(args);
        feed(command, input.as_ref())
    }

    /// The stock client on a file, as a user would restore; stops at the first error.
    pub fn load(&self, db: &str, file: &Path) -> Result<()> {
        let mut command = self.program("mysql")?;
        command.arg("--binary-mode");
        // The name may be none: the file chooses its databases itself.
        command.args(Some(db).filter(|db| !db.is_empty()));
        let input = fs::File::open(file).with_context(|| file.display().to_string())?;
        read(command, input)?.success()?;
        Ok(())
    }

    /// Runs statements as `root`; without a result.
    pub fn run(&self, sql: &str) -> Result<()> {
        self.client(&[], sql)?.success()?;
        Ok(())
    }

    /// Runs statements as `root`; gives all rows of all results. SQL's NULL is the text `NULL`.
    pub fn query(&self, sql: &str) -> Result<Vec<Vec<String>>> {
        self.query_with(&[], sql)
    }

    /// … with more arguments of the client: another user, a database.
    pub fn query_with(&self, args: &[&str], sql: &str) -> Result<Vec<Vec<String>>> {
        let args = [&["--batch", "--skip-column-names"], args].concat();
        let text = self.client(&args, sql)?.success()?.text();
        // Lines and fields end at bytes that the client escapes where they are content.
        Ok((text.lines())
            .map(|line| line.split('\t').map(unescaped).collect())
            .collect())
    }

    /// The first field of the first row.
    pub fn value(&self, sql: &str) -> Result<String> {
        let rows = self.query(sql)?;
        let first = rows
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next());
        first.with_context(|| format!("{sql}: no row"))
    }

    /// The stock program's dump with these arguments.
    pub fn dump(&self, args: &[&str]) -> Result<Vec<u8>> {
        let mut command = self.program("mysqldump")?;
        command.args(args);
        Ok(tools::run(&mut command)?.success()?.stdout)
    }

    /// Sessions of clients, other than the one that asks.
    pub fn sessions(&self) -> Result<usize> {
        let sql = "select count(*) from information_schema.processlist where id <> connection_id() \
                   and user not in ('event_scheduler', 'system user') and command <> 'Daemon'";
        Ok(self.value(sql)?.parse()?)
    }

    /// How stock programs and ksnapshot find their password.
    pub fn env(&self) -> [(&'static str, &'static str); 1] {
        [("MYSQL_PWD", PASSWORD)]
    }

    /// Kills the server at once, as a crash would.
    pub fn kill(&self) -> Result<()> {
        testbed::kill(self.server.pid)
    }

    /// Asks the server to stop, and waits until it has.
    pub fn stop(self) -> Result<()> {
        testbed::signal(self.server.pid, rustix::process::Signal::TERM)?;
        testbed::until(Duration::from_secs(60), "a clean stop", || {
            Ok((!testbed::alive(self.server.pid)).then_some(()))
        })
    }

    /// What it logged.
    pub fn log(&self) -> String {
        self.server.log()
    }
}

/// Runs a program with this input.
fn feed(command: Command, input: &[u8]) -> Result<Run> {
    let mut file = tempfile::tempfile()?;
    file.write_all(input)?;
    file.seek(SeekFrom::Start(0))?;
    read(command, file)
}

/// Runs a program that reads a file.
fn read(mut command: Command, input: fs::File) -> Result<Run> {
    let shown = tools::shown(&command);
    command
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command.spawn().with_context(|| shown.clone())?;
    tools::finish(child, shown, LIMIT)
}

/// Undoes what the client does to a field in `--batch`.
fn unescaped(field: &str) -> String {
    let mut text = String::with_capacity(field.len());
    let mut rest = field.chars();
    while let Some(c) = rest.next() {
        text.push(match c {
            '\\' => match rest.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('0') => '\0',
                Some(other) => other,
                None => '\\',
            },
            plain => plain,
        });
    }
    text
}

/// A database of a server.
#[derive(Debug, Clone)]
pub struct Db<'a> {
    /// Its server.
    pub server: &'a MySql,
    /// Its name.
    pub name: String,
}

impl Db<'_> {
    /// Its URL, without a password.
    pub fn url(&self) -> String {
        self.server.url(&self.name)
    }

    /// Runs statements in it; see [`MySql::run`].
    pub fn run(&self, sql: &str) -> Result<()> {
        self.server.client(&[&self.name], sql)?.success()?;
        Ok(())
    }

    /// Runs statements in it; see [`MySql::query`].
    pub fn query(&self, sql: &str) -> Result<Vec<Vec<String>>> {
        self.server.query_with(&[&self.name], sql)
    }

    /// Runs a file of SQL in it; see [`MySql::load`].
    pub fn load(&self, file: &Path) -> Result<()> {
        self.server.load(&self.name, file)
    }

    /// Runs `script`, a bash pipeline, with the stock programs of its server first in `PATH`, `$CNF` their option file
    /// and `$DB` the database; `args` are `$1` and on.
    ///
    /// `mysql --defaults-file="$CNF" "$DB"` is how it connects.
    pub fn shell(&self, script: &str, args: &[&OsStr]) -> Result<Run> {
        let clients = self.server.version.root()?.join("clients");
        let path = std::env::join_paths(std::iter::once(clients).chain(std::env::split_paths(
            &std::env::var_os("PATH").unwrap_or_default(),
        )))?;
        let mut bash = tools::bash(script, args);
        bash.env("PATH", path)
            .env("CNF", self.server.option_file())
            .env("DB", &self.name);
        tools::run(&mut bash)
    }

    /// Removes it.
    pub fn drop(self) -> Result<()> {
        self.server.run(&format!("drop database `{}`", self.name))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn fields_are_what_they_were() {
        assert_eq!(super::unescaped(r"a\tb\nc\\n\0"), "a\tb\nc\\n\0");
    }
}
