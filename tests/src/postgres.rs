//! Throw-away PostgreSQL servers.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Result, bail, ensure};

use crate::testbed::{self, Server};
use crate::tools::{self, Run};

/// The password of the role `postgres` on every server, asked for over TCP.
pub const PASSWORD: &str = "correct horse";

/// Which PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 12, of npm.
    V12,
    /// 13, of npm.
    V13,
    /// 14, of npm.
    V14,
    /// 15, of Debian bookworm.
    V15,
    /// 16, of npm.
    V16,
    /// 17, of Debian trixie.
    V17,
    /// 18, of Debian sid.
    V18,
}

impl Version {
    /// Every version that tests run on.
    pub const ALL: [Self; 2] = [Self::V15, Self::V18];

    /// Every version that long tests run on.
    pub const EVERY: [Self; 7] = [
        Self::V12,
        Self::V13,
        Self::V14,
        Self::V15,
        Self::V16,
        Self::V17,
        Self::V18,
    ];

    /// Its number.
    pub fn major(self) -> u32 {
        12 + self as u32
    }

    /// Its number, as text.
    pub fn name(self) -> &'static str {
        ["12", "13", "14", "15", "16", "17", "18"][self as usize]
    }

    /// This version's place among one for each.
    fn slot<T>(self, slots: &[OnceLock<T>; 7]) -> &OnceLock<T> {
        &slots[self as usize]
    }

    /// The folder it was unpacked to, which is the root of its servers.
    fn root(self) -> Result<PathBuf> {
        let root = testbed::home()?.join(format!("roots/pg{}", self.major()));
        testbed::require(&root.join("pg/template/PG_VERSION"))?;
        Ok(root)
    }

    /// One of its own clients: `psql`, `pg_dump`, `pg_restore`.
    pub fn client(self, name: &str) -> Result<PathBuf> {
        Ok(self.root()?.join("clients").join(name))
    }
}

/// Whether a server speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// It doesn't.
    Off,
    /// It does, for who asks.
    Offered,
    /// It refuses connections without.
    Required,
}

/// How to start a server.
#[derive(Debug, Clone)]
pub struct Options {
    version: Version,
    tls: Tls,
    settings: Vec<(String, String)>,
    data: Data,
}

#[derive(Debug, Clone)]
enum Data {
    Fresh,
    Copy(PathBuf),
    InPlace(PathBuf),
    /// A copy of the server at this port, which goes on following it.
    StandbyOf(u16),
}

impl Options {
    /// An empty server without TLS.
    pub fn new(version: Version) -> Self {
        Self {
            version,
            tls: Tls::Off,
            settings: Vec::new(),
            data: Data::Fresh,
        }
    }

    /// With TLS; the authority is [`Postgres::ca`].
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// With a line of `postgresql.conf`.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// On a copy of TPC-H at this scale, as the database `tpch`; loaded the first time, kept in the cache.
    pub fn tpch(mut self, scale: &str) -> Result<Self> {
        self.data = Data::Copy(tpch_data(self.version, scale)?);
        Ok(self)
    }

    /// On TPC-H at this scale itself, without copying: for large scales, to be read only, one server at a time.
    pub fn tpch_in_place(mut self, scale: &str) -> Result<Self> {
        self.data = Data::InPlace(tpch_data(self.version, scale)?);
        Ok(self)
    }

    /// A standby that follows this server, of the same version.
    pub fn standby_of(primary: &Postgres) -> Result<Self> {
        let rules = primary.dir.join("data/pg_hba.conf");
        let mut text = fs::read_to_string(&rules)?;
        text.push_str("host replication all 127.0.0.1/32 scram-sha-256\n");
        fs::write(&rules, text)?;
        primary.psql("postgres", "select pg_reload_conf()")?;
        Ok(Self {
            data: Data::StandbyOf(primary.port),
            ..Self::new(primary.version)
        })
    }

    /// Starts it.
    pub fn start(self) -> Result<Postgres> {
        // A port can be taken between being found and being used.
        let mut tries = 0;
        loop {
            tries += 1;
            match Postgres::start_once(&self) {
                Err(e) if tries < 5 && format!("{e:?}").contains("could not bind") => {}
                result => return result,
            }
        }
    }
}

fn tpch_data(version: Version, scale: &str) -> Result<PathBuf> {
    let major = version.major().to_string();
    let path = tools::run(Command::new(testbed::script("tpch")).args(["data", &major, scale]))?
        .success()?;
    Ok(PathBuf::from(path.text().trim_end()))
}

/// A server on loopback. It ends with this value, or with this process.
#[derive(Debug)]
pub struct Postgres {
    version: Version,
    port: u16,
    dir: PathBuf,
    server: Server,
}

impl Postgres {
    /// An empty server of its own, for tests that break it or count its sessions. Takes about 0.3 s.
    pub fn start(version: Version) -> Result<Self> {
        Options::new(version).start()
    }

    /// The one empty server of this version that the tests of this process share.
    pub fn shared(version: Version) -> Result<&'static Self> {
        static SHARED: [OnceLock<Postgres>; 7] = [const { OnceLock::new() }; 7];
        testbed::share(version.slot(&SHARED), || Self::start(version))
    }

    /// The one server of this version with TPC-H at scale 0.05, as the database `tpch`, to be read only.
    pub fn shared_tpch(version: Version) -> Result<&'static Self> {
        static SHARED: [OnceLock<Postgres>; 7] = [const { OnceLock::new() }; 7];
        testbed::share(version.slot(&SHARED), || {
            Options::new(version).tpch("0.05")?.start()
        })
    }

    fn start_once(options: &Options) -> Result<Self> {
        let Options {
            version,
            tls,
            settings,
            data,
        } = options;
        let root = version.root()?;
        let major = version.major();
        let run = testbed::run_dir(&root.join("pg"))?;
        fs::create_dir(&run)?;
        let dir = match data {
            Data::InPlace(path) => path.clone(),
            Data::Fresh | Data::Copy(_) | Data::StandbyOf(_) => run.join("data"),
        };
        // The keeper removes `run`; before there is one, a failure has to.
        let prepared = prepare(&root, data, &run, &dir, *tls).and_then(|()| match data {
            Data::StandbyOf(port) => follow(*version, *port, &dir),
            _ => Ok(()),
        });
        if prepared.is_err() {
            let _ = fs::remove_dir_all(&run);
        }
        prepared?;

        let inside =
            |path: &Path| -> Result<PathBuf> { Ok(Path::new("/").join(path.strip_prefix(&root)?)) };
        let port = testbed::free_port()?;
        let mut command = Command::new("chroot");
        // Rights are dropped first: dropping them clears the wish to end with the parent.
        command.arg(&root).args([
            "/usr/bin/setpriv",
            "--reuid=65533",
            "--regid=65533",
            "--clear-groups",
        ]);
        command.args(["--pdeathsig", "QUIT"]);
        command
            .arg(format!("/usr/lib/postgresql/{major}/bin/postgres"))
            .arg("-D")
            .arg(inside(&dir)?);
        let mut set = |name: &str, value: &OsStr| {
            let mut setting = std::ffi::OsString::from(format!("{name}="));
            setting.push(value);
            command.arg("-c").arg(setting);
        };
        set("port", port.to_string().as_ref());
        set("listen_addresses", "127.0.0.1".as_ref());
        set("unix_socket_directories", inside(&run)?.as_ref());
        set("fsync", "off".as_ref());
        set("max_connections", "200".as_ref());
        // Shared memory as files of the data folder: nothing is left elsewhere when the server is killed.
        set("dynamic_shared_memory_type", "mmap".as_ref());
        set("ssl", if *tls == Tls::Off { "off" } else { "on" }.as_ref());
        for (name, value) in settings {
            set(name, value.as_ref());
        }
        let server = Server::start(&command, "QUIT", &run)?;
        // The file names the process it was written by, and says when that process is ready.
        let pid_file = dir.join("postmaster.pid");
        let ready = || {
            let text = fs::read_to_string(&pid_file).unwrap_or_default();
            let mut lines = text.lines();
            lines.next() == Some(&server.pid.to_string())
                && lines.nth(6).is_some_and(|line| line.trim() == "ready")
        };
        server.await_ready(&format!("PostgreSQL {major}"), ready)?;
        Ok(Self {
            version: *version,
            port,
            dir: run,
            server,
        })
    }

    /// Which PostgreSQL it is.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Gives it a file of an extension, and all other servers of its version.
    pub fn add_extension(&self, file: &Path) -> Result<()> {
        let root = self.version.root()?;
        let share = root.join(format!("usr/share/postgresql/{}", self.version.major()));
        let name = file.file_name().unwrap_or_default();
        // Others may be at it: whole, or not at all.
        let new = tempfile::NamedTempFile::new_in(share.join("extension"))?;
        fs::copy(file, new.path())?;
        let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        fs::set_permissions(new.path(), readable)?;
        new.persist(share.join("extension").join(name))?;
        Ok(())
    }

    /// Has every new session load a library.
    pub fn preload(&self, library: &str) -> Result<()> {
        self.psql(
            "postgres",
            &format!("alter system set session_preload_libraries = '{library}'"),
        )?;
        self.psql("postgres", "select pg_reload_conf()")?;
        // The server reads its settings when it gets to it.
        let asked = "select setting from pg_settings where name = 'session_preload_libraries'";
        testbed::until(std::time::Duration::from_secs(5), library, || {
            Ok((self.psql("postgres", asked)?.trim() == library).then_some(()))
        })
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its Unix socket, where every role is let in. Too long a path for the socket's address if the
    /// cache is far down: prefer TCP.
    pub fn socket_dir(&self) -> &Path {
        &self.dir
    }

    /// The certificate of the authority that signed the server's (for `localhost` and 127.0.0.1).
    pub fn ca(&self) -> Result<PathBuf> {
        Ok(self.version.root()?.join("pg/template/ca.crt"))
    }

    /// The URL of a database, without a password.
    pub fn url(&self, db: &str) -> String {
        self.url_as("postgres", db)
    }

    /// … for another role.
    pub fn url_as(&self, role: &str, db: &str) -> String {
        format!("postgres://{role}@127.0.0.1:{}/{db}", self.port)
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
        self.psql(
            "postgres",
            &format!("create database \"{name}\" template template0"),
        )?;
        Ok(self.db(name))
    }

    /// Runs SQL as `postgres`; gives rows as lines, fields separated by `|`.
    pub fn psql(&self, db: &str, sql: &str) -> Result<String> {
        self.psql_as("postgres", db, sql)
    }

    /// … as another role made by [`Self::role`].
    pub fn psql_as(&self, role: &str, db: &str, sql: &str) -> Result<String> {
        let mut psql = self.client("psql")?;
        psql.args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-U", role, "-c", sql]);
        // As an argument, a name with `=` in it is a connection string.
        psql.env("PGDATABASE", db);
        Ok(tools::run(&mut psql)?
            .success()?
            .text()
            .trim_end()
            .to_owned())
    }

    /// Runs a file of SQL as `postgres`.
    pub fn psql_file(&self, db: &str, file: &Path) -> Result<()> {
        let mut psql = self.client("psql")?;
        psql.args(["-Xq", "-v", "ON_ERROR_STOP=1", "-f"])
            .arg(file)
            .env("PGDATABASE", db);
        tools::run(&mut psql)?.success()?;
        Ok(())
    }

    /// Makes a role that may log in, with [`PASSWORD`]; fine if it's there.
    pub fn role(&self, name: &str) -> Result<()> {
        let sql = format!(
            "do $$ begin create role \"{name}\" login password '{PASSWORD}'; \
             exception when duplicate_object then null; end $$"
        );
        self.psql("postgres", &sql)?;
        Ok(())
    }

    /// Sessions of clients, other than the one that asks.
    pub fn sessions(&self) -> Result<usize> {
        let sql = "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()";
        Ok(self.psql("postgres", sql)?.parse()?)
    }

    /// One of its own clients, connected by environment, as `postgres`.
    pub fn client(&self, name: &str) -> Result<Command> {
        let mut command = Command::new(self.version.client(name)?);
        tools::clean(&mut command);
        command.envs(self.env());
        Ok(command)
    }

    /// What `pg_dumpall --globals-only` says, without what is another in each run; in its root, since it starts `pg_dump`.
    pub fn globals(&self) -> Result<String> {
        let mut command = Command::new("chroot");
        tools::clean(&mut command);
        let major = self.version.major();
        command
            .arg(self.version.root()?)
            .arg(format!("/usr/lib/postgresql/{major}/bin/pg_dumpall"))
            .arg("--globals-only")
            .envs(self.env());
        let text = tools::run(&mut command)?.success()?.text();
        let key =
            |line: &&str| line.starts_with("\\restrict ") || line.starts_with("\\unrestrict ");
        Ok(text
            .lines()
            .filter(|line| !key(line))
            .map(|line| line.to_owned() + "\n")
            .collect())
    }

    /// How `psql` and others find it.
    pub fn env(&self) -> [(&'static str, String); 4] {
        [
            ("PGHOST", "127.0.0.1".to_owned()),
            ("PGPORT", self.port.to_string()),
            ("PGUSER", "postgres".to_owned()),
            ("PGPASSWORD", PASSWORD.to_owned()),
        ]
    }

    /// Kills the server and every process of it at once, as a crash would.
    pub fn kill(&self) -> Result<()> {
        let backends = testbed::children(self.server.pid);
        testbed::kill(self.server.pid)?;
        backends.into_iter().try_for_each(testbed::kill)
    }

    /// What it logged.
    pub fn log(&self) -> String {
        self.server.log()
    }
}

/// Makes the data folder and its rules of access.
fn prepare(root: &Path, data: &Data, run: &Path, dir: &Path, tls: Tls) -> Result<()> {
    let from = match data {
        Data::Fresh => Some(root.join("pg/template")),
        Data::Copy(path) => Some(path.clone()),
        Data::StandbyOf(_) => None,
        Data::InPlace(path) => {
            let pid_file = path.join("postmaster.pid");
            if let Ok(text) = fs::read_to_string(&pid_file) {
                let pid = text.lines().next().and_then(|pid| pid.parse().ok());
                ensure!(
                    !pid.is_some_and(testbed::alive),
                    "{} is in use",
                    path.display()
                );
            }
            None
        }
    };
    std::os::unix::fs::chown(run, Some(65533), Some(65533))?;
    if let Some(from) = from {
        let mut copy = Command::new("cp");
        copy.args(["-a", "--reflink=auto"]).arg(&from).arg(dir);
        tools::run(&mut copy)?.success()?;
        if tls == Tls::Required {
            let rules = dir.join("pg_hba.conf");
            let text = fs::read_to_string(&rules)?;
            fs::write(&rules, text.replace("host all", "hostssl all"))?;
        }
    } else if tls == Tls::Required && matches!(data, Data::InPlace(_)) {
        bail!("a data folder used in place keeps its rules of access");
    }
    Ok(())
}

/// Copies a running server, as one that follows it.
fn follow(version: Version, port: u16, dir: &Path) -> Result<()> {
    let root = version.root()?;
    let mut backup = Command::new("chroot");
    tools::clean(&mut backup);
    backup.args(["--userspec=65533:65533"]).arg(&root);
    backup.arg(format!(
        "/usr/lib/postgresql/{}/bin/pg_basebackup",
        version.major()
    ));
    backup.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync"]);
    backup.args(["-h", "127.0.0.1", "-U", "postgres", "-p", &port.to_string()]);
    backup
        .arg("-D")
        .arg(Path::new("/").join(dir.strip_prefix(&root)?));
    backup.env("PGPASSWORD", PASSWORD);
    tools::run(&mut backup)?.success()?;
    Ok(())
}

/// A database of a server.
#[derive(Debug, Clone)]
pub struct Db<'a> {
    /// Its server.
    pub server: &'a Postgres,
    /// Its name.
    pub name: String,
}

impl Db<'_> {
    /// Its URL, without a password.
    pub fn url(&self) -> String {
        self.server.url(&self.name)
    }

    /// Runs SQL in it; see [`Postgres::psql`].
    pub fn psql(&self, sql: &str) -> Result<String> {
        self.server.psql(&self.name, sql)
    }

    /// Runs a file of SQL in it.
    pub fn psql_file(&self, file: &Path) -> Result<()> {
        self.server.psql_file(&self.name, file)
    }

    /// Runs `script`, a bash pipeline, with the server's own clients first in `PATH` and connected to this
    /// database; `args` are `$1` and on.
    pub fn shell(&self, script: &str, args: &[&OsStr]) -> Result<Run> {
        let clients = self.server.version.root()?.join("clients");
        let path = std::env::join_paths(std::iter::once(clients).chain(std::env::split_paths(
            &std::env::var_os("PATH").unwrap_or_default(),
        )))?;
        let mut bash = tools::bash(script, args);
        bash.envs(self.server.env())
            .env("PGDATABASE", &self.name)
            .env("PATH", path);
        tools::run(&mut bash)
    }

    /// Removes it, with the sessions in it.
    pub fn drop(self) -> Result<()> {
        self.server.psql(
            "postgres",
            &format!("drop database \"{}\" with (force)", self.name),
        )?;
        Ok(())
    }
}
