//! How to start a server of MySQL or MariaDB.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use super::{MySql, Version};
use crate::testbed::{self, Server};
use crate::{PASSWORD, Tls, tools};

/// How to start a server.
#[derive(Debug, Clone)]
pub struct Options {
    version: Version,
    tls: Tls,
    settings: Vec<String>,
    data: Data,
}

#[derive(Debug, Clone)]
enum Data {
    Fresh,
    Copy(PathBuf),
    InPlace(PathBuf),
}

impl Options {
    /// An empty server without TLS, with a binary log, and with the settings that it's shipped with but for how it
    /// flushes.
    pub fn new(version: Version) -> Self {
        Self {
            version,
            tls: Tls::Off,
            settings: Vec::new(),
            data: Data::Fresh,
        }
    }

    /// With TLS; the authority is [`MySql::ca`].
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// With a setting, as on the server's command line: `set("max-allowed-packet", "64K")`.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push(format!("--{name}={value}"));
        self
    }

    /// Without a binary log.
    pub fn without_binlog(mut self) -> Self {
        self.settings.push("--skip-log-bin".to_owned());
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

    /// Starts it.
    pub fn start(self) -> Result<MySql> {
        // A port can be taken between being found and being used.
        let mut tries = 0;
        loop {
            tries += 1;
            match self.start_once() {
                Err(e) if tries < 5 && format!("{e:?}").contains("Bind on TCP/IP port") => {}
                result => return result,
            }
        }
    }

    fn start_once(&self) -> Result<MySql> {
        let version = self.version;
        let root = version.root()?;
        let run = testbed::run_dir(&root.join("my"))?;
        fs::create_dir(&run)?;
        let port = testbed::free_port()?;
        // The keeper removes `run`; before there is one, a failure has to.
        let prepared = self.prepare(&root, &run, port);
        if prepared.is_err() {
            let _ = fs::remove_dir_all(&run);
        }
        let data = prepared?;

        let inside = |path: &Path| -> Result<String> {
            let path = path.strip_prefix(&root)?;
            Ok(Path::new("/").join(path).to_string_lossy().into_owned())
        };
        let mut command = Command::new("chroot");
        command.arg(&root);
        // Rights are dropped first: dropping them clears the wish to end with the parent.
        command.args(["/usr/bin/setpriv", "--reuid=65533", "--regid=65533"]);
        command.args(["--clear-groups", "--pdeathsig", "QUIT"]);
        command
            .arg(version.program())
            .arg("--no-defaults")
            .args(version.own());
        let run_inside = inside(&run)?;
        for (name, value) in [
            ("datadir", inside(&data)?),
            ("port", port.to_string()),
            ("bind-address", "127.0.0.1".to_owned()),
            ("socket", format!("{run_inside}/s")),
            ("pid-file", format!("{}/pid", inside(&data)?)),
            ("tmpdir", run_inside),
            ("server-id", "1".to_owned()),
            ("log-bin", "bin".to_owned()),
            // Else only who may do everything may define functions while there is a binary log.
            ("log-bin-trust-function-creators", "1".to_owned()),
            ("max-connections", "200".to_owned()),
            // A crash of the machine may lose what a test wrote.
            ("innodb-flush-method", "nosync".to_owned()),
            ("innodb-flush-log-at-trx-commit", "0".to_owned()),
            ("sync-binlog", "0".to_owned()),
            // The kernel has a number of these for the whole machine, soon used up by many servers.
            ("innodb-use-native-aio", "0".to_owned()),
        ] {
            command.arg(format!("--{name}={value}"));
        }
        // Without names of hosts, 127.0.0.1 isn't `localhost`, which is let in without a password.
        command.arg("--skip-name-resolve");
        command.args(self.tls_settings()).args(&self.settings);

        // What is thrown away needn't be written first.
        let signal = match self.data {
            Data::InPlace(_) => "TERM",
            Data::Fresh | Data::Copy(_) => "KILL",
        };
        let server = Server::start(&command, signal, &run)?;
        server.await_ready(version.name(), || {
            server.log().contains("ready for connections")
        })?;
        Ok(MySql {
            version,
            port,
            dir: run,
            server,
        })
    }

    fn tls_settings(&self) -> Vec<&'static str> {
        let offered = [
            "--ssl-ca=/my/tls/ca.crt",
            "--ssl-cert=/my/tls/server.crt",
            "--ssl-key=/my/tls/server.key",
        ];
        match self.tls {
            Tls::Off if self.version == Version::MySql97 => vec!["--tls-version="],
            Tls::Off => vec!["--skip-ssl"],
            Tls::Offered => offered.to_vec(),
            Tls::Required => [&offered[..], &["--require-secure-transport=ON"]].concat(),
        }
    }

    /// Makes the folder of data, whose path it gives, and the option file for clients.
    fn prepare(&self, root: &Path, run: &Path, port: u16) -> Result<PathBuf> {
        std::os::unix::fs::chown(run, Some(65533), Some(65533))?;
        fs::write(run.join("client.cnf"), self.option_file(root, port))?;
        let from = match &self.data {
            Data::Fresh => root.join("my/template"),
            Data::Copy(path) => path.clone(),
            Data::InPlace(path) => {
                let pid = fs::read_to_string(path.join("pid")).ok();
                let pid = pid.and_then(|pid| pid.trim().parse().ok());
                ensure!(
                    !pid.is_some_and(testbed::alive),
                    "{} is in use",
                    path.display()
                );
                return Ok(path.clone());
            }
        };
        let data = run.join("data");
        let mut copy = Command::new("cp");
        copy.args(["-a", "--reflink=auto"]).arg(&from).arg(&data);
        tools::run(&mut copy)?.success()?;
        Ok(data)
    }

    fn option_file(&self, root: &Path, port: u16) -> String {
        let tls = match self.tls {
            Tls::Off if matches!(self.version, Version::MySql80 | Version::MySql97) => {
                // Without TLS they send a password only when encrypted by a key, which has to be asked for.
                "ssl-mode=DISABLED\nget-server-public-key\n".to_owned()
            }
            // MariaDB's clients insist on TLS unless told otherwise.
            Tls::Off => "skip-ssl\n".to_owned(),
            Tls::Offered | Tls::Required => {
                format!("ssl-ca=\"{}\"\n", root.join("my/tls/ca.crt").display())
            }
        };
        format!(
            "[client]\nhost=127.0.0.1\nport={port}\nprotocol=tcp\nuser=root\npassword=\"{PASSWORD}\"\n{tls}"
        )
    }
}

fn tpch_data(version: Version, scale: &str) -> Result<PathBuf> {
    let mut make = Command::new(testbed::script("mysql-tpch"));
    let path = tools::run(make.args([version.name(), scale]))?.success()?;
    Ok(PathBuf::from(path.text().trim_end()))
}
