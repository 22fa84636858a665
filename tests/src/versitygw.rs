//! A second S3 server, of other makers and other habits.

use std::fs;
use std::net::TcpStream;
use std::ops::Deref;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::Result;

use crate::s3::{KEY, S3, SECRET};
use crate::testbed::{self, Server};

/// A versitygw on loopback over a folder. It ends with this value, or with this process.
#[derive(Debug)]
pub struct Versitygw {
    s3: S3,
    _server: Server,
}

impl Versitygw {
    /// An empty one of its own.
    pub fn start() -> Result<Self> {
        let home = testbed::home()?;
        let program = home.join("bin/versitygw");
        testbed::require(&program)?;
        let dir = testbed::run_dir(&home.join("run"))?;
        let (data, versions) = (dir.join("data"), dir.join("versions"));
        fs::create_dir_all(&data)?;
        fs::create_dir(&versions)?;
        let port = testbed::free_port()?;
        let mut command = Command::new(program);
        command.args(["--port", &format!("127.0.0.1:{port}")]);
        command.args([
            "--region",
            "us-east-1",
            "--quiet",
            "posix",
            "--versioning-dir",
        ]);
        command.arg(versions).arg(data);
        command
            .env("ROOT_ACCESS_KEY", KEY)
            .env("ROOT_SECRET_KEY", SECRET);
        let server = Server::start(&command, "TERM", &dir)?;
        server.await_ready("versitygw", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        })?;
        Ok(Self {
            s3: S3::new(port),
            _server: server,
        })
    }

    /// The one that the tests of this process share.
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<Versitygw> = OnceLock::new();
        testbed::share(&SHARED, Self::start)
    }
}

impl Deref for Versitygw {
    type Target = S3;

    fn deref(&self) -> &S3 {
        &self.s3
    }
}
