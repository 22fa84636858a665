//! A throw-away S3 server.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::testbed::{self, Server};
use crate::tools;

const KEY: &str = "testkey";
const SECRET: &str = "testsecret123";

/// A MinIO on loopback. It ends with this value, or with this process.
#[derive(Debug)]
pub struct Minio {
    port: u16,
    dir: PathBuf,
    _server: Server,
}

impl Minio {
    /// An empty one of its own, for tests that break it. Takes about 0.5 s.
    pub fn start() -> Result<Self> {
        let mut tries = 0;
        loop {
            tries += 1;
            match Self::start_once() {
                Err(e) if tries < 5 && format!("{e:?}").contains("in use") => {}
                result => return result,
            }
        }
    }

    /// The one that the tests of this process share.
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<Minio> = OnceLock::new();
        testbed::share(&SHARED, Self::start)
    }

    fn start_once() -> Result<Self> {
        let home = testbed::home()?;
        let program = home.join("bin/minio");
        testbed::require(&program)?;
        let dir = testbed::run_dir(&home.join("run"))?;
        fs::create_dir(&dir)?;
        let port = testbed::free_port()?;
        let mut command = Command::new(program);
        command
            .args(["server", "--quiet", "--address"])
            .arg(format!("127.0.0.1:{port}"));
        command
            .arg("--certs-dir")
            .arg(dir.join("certs"))
            .arg(dir.join("data"));
        command
            .env("MINIO_ROOT_USER", KEY)
            .env("MINIO_ROOT_PASSWORD", SECRET);
        // No second port, no look for updates; buckets as host names for those who ask for them.
        command
            .env("MINIO_BROWSER", "off")
            .env("MINIO_UPDATE", "off")
            .env("MINIO_DOMAIN", "localhost");
        let server = Server::start(&command, "TERM", &dir)?;
        server.await_ready("MinIO", || healthy(port).unwrap_or(false))?;
        let minio = Self {
            port,
            dir,
            _server: server,
        };
        // It says that it's ready before it serves objects.
        let made = testbed::until(Duration::from_secs(60), "MinIO's first bucket", || {
            Ok(minio.bucket("first").ok())
        });
        made.and_then(|()| minio.curl("/first", &["-X".as_ref(), "DELETE".as_ref()]))?;
        Ok(minio)
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address, as an S3 client wants it.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The credentials, as variables of the environment.
    pub fn credentials(&self) -> [(&'static str, &'static str); 2] {
        [
            ("AWS_ACCESS_KEY_ID", KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
        ]
    }

    /// The URL of a place in a bucket, as ksnapshot takes it.
    pub fn url(&self, bucket: &str, prefix: &str) -> String {
        Self::url_at(&self.endpoint(), bucket, prefix)
    }

    /// … by another address, that of a proxy.
    pub fn url_at(endpoint: &str, bucket: &str, prefix: &str) -> String {
        let path = if prefix.is_empty() {
            String::new()
        } else {
            format!("/{prefix}")
        };
        format!("s3://{bucket}{path}?endpoint={endpoint}&region=us-east-1")
    }

    /// Makes a bucket.
    pub fn bucket(&self, name: &str) -> Result<()> {
        self.curl(&format!("/{name}"), &["-X".as_ref(), "PUT".as_ref()])?;
        Ok(())
    }

    /// The names of all objects of a bucket, sorted.
    pub fn list(&self, bucket: &str) -> Result<Vec<String>> {
        let xml = String::from_utf8(self.curl(&format!("/{bucket}?list-type=2"), &[])?)?;
        let mut names: Vec<_> = xml
            .split("<Key>")
            .skip(1)
            .filter_map(|rest| rest.split("</Key>").next())
            .collect();
        names.sort_unstable();
        Ok(names
            .into_iter()
            .map(|name| name.replace("&amp;", "&"))
            .collect())
    }

    /// Downloads an object into a folder, under the last part of its name.
    pub fn get(&self, bucket: &str, key: &str, folder: &Path) -> Result<PathBuf> {
        let file = folder.join(key.rsplit('/').next().unwrap_or(key));
        self.curl(
            &format!("/{bucket}/{key}"),
            &["-o".as_ref(), file.as_os_str()],
        )?;
        Ok(file)
    }

    /// Replaces an object by a file, or makes it.
    pub fn put(&self, bucket: &str, key: &str, file: &Path) -> Result<()> {
        self.curl(
            &format!("/{bucket}/{key}"),
            &["-T".as_ref(), file.as_os_str()],
        )?;
        Ok(())
    }

    /// Deletes an object.
    pub fn delete(&self, bucket: &str, key: &str) -> Result<()> {
        self.curl(
            &format!("/{bucket}/{key}"),
            &["-X".as_ref(), "DELETE".as_ref()],
        )?;
        Ok(())
    }

    /// How many multipart uploads, of any bucket, were begun and neither completed nor aborted.
    ///
    /// Read from the server's own folder: its listing of uploads shows only those of a name that one asks for.
    pub fn uploads(&self) -> Result<usize> {
        let uploads = self.dir.join("data/.minio.sys/multipart");
        let mut count = 0;
        for object in folders(&uploads)? {
            count += folders(&object)?.len();
        }
        Ok(count)
    }

    /// A signed request by `curl`, which signs by itself.
    fn curl(&self, path: &str, args: &[&OsStr]) -> Result<Vec<u8>> {
        let mut curl = Command::new("curl");
        curl.args([
            "-sS",
            "--fail-with-body",
            "--max-time",
            "60",
            "--noproxy",
            "*",
        ]);
        curl.args([
            "--aws-sigv4",
            "aws:amz:us-east-1:s3",
            "--user",
            &format!("{KEY}:{SECRET}"),
        ]);
        curl.args(args).arg(format!("{}{path}", self.endpoint()));
        Ok(tools::run(&mut curl)?.success()?.stdout)
    }
}

/// The folders in a folder; none if it doesn't exist.
fn folders(path: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e).with_context(|| path.display().to_string()),
    };
    Ok(entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect())
}

fn healthy(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(b"GET /minio/health/ready HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut head = [0; 12];
    stream.read_exact(&mut head)?;
    Ok(head.ends_with(b" 200"))
}
