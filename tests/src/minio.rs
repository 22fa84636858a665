//! A throw-away S3 server.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::cluster::{self, Cluster};
use crate::proxy::TcpProxy;
use crate::s3::{KEY, S3, SECRET};
use crate::testbed::{self, Server};

/// A MinIO on loopback. It ends with this value, or with this process.
#[derive(Debug)]
pub struct Minio {
    s3: S3,
    dir: PathBuf,
    within: Option<Within>,
    _server: Server,
}

/// How one is reached that is in the network of a cluster.
#[derive(Debug)]
struct Within {
    endpoint: String,
    _forward: TcpProxy,
}

impl Minio {
    /// An empty one of its own, for tests that break it. Takes about 0.5 s.
    pub fn start() -> Result<Self> {
        let mut tries = 0;
        loop {
            tries += 1;
            match Self::start_once(None) {
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

    /// An empty one in the network of a cluster. Its pods reach it at [`Minio::endpoint_within`], the test by
    /// everything else.
    pub fn within(cluster: &Cluster) -> Result<Self> {
        Self::start_once(Some(cluster))
    }

    /// Its address in the network of its cluster, as an S3 client wants it.
    pub fn endpoint_within(&self) -> Result<&str> {
        let within = self.within.as_ref().context("it's in no cluster")?;
        Ok(&within.endpoint)
    }

    fn start_once(cluster: Option<&Cluster>) -> Result<Self> {
        let home = testbed::home()?;
        let program = home.join("bin/minio");
        testbed::require(&program)?;
        let dir = testbed::run_dir(&home.join("run"))?;
        fs::create_dir(&dir)?;
        // A port that is free here is free in a cluster, too, where nothing else takes one like it.
        let mut port = testbed::free_port()?;
        let (mut command, address, within) = match cluster {
            Some(cluster) => {
                let address = SocketAddr::new(cluster::NODE.parse()?, port);
                let forward = cluster.forward(address)?;
                port = forward.addr().port();
                let within = Within {
                    endpoint: format!("http://{address}"),
                    _forward: forward,
                };
                (cluster.in_net(program), address, Some(within))
            }
            None => {
                let address = SocketAddr::from(([127, 0, 0, 1], port));
                (Command::new(program), address, None)
            }
        };
        command
            .args(["server", "--quiet", "--address"])
            .arg(address.to_string());
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
            s3: S3::new(port),
            dir,
            within,
            _server: server,
        };
        // It says that it's ready before it serves objects.
        let made = testbed::until(Duration::from_secs(60), "MinIO's first bucket", || {
            Ok(minio.bucket("first").ok())
        });
        made.and_then(|()| minio.request("DELETE", "/first", &[]).map(drop))?;
        Ok(minio)
    }

    /// [`S3::url_at`].
    pub fn url_at(endpoint: &str, bucket: &str, prefix: &str) -> String {
        S3::url_at(endpoint, bucket, prefix)
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
}

impl Deref for Minio {
    type Target = S3;

    fn deref(&self) -> &S3 {
        &self.s3
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
