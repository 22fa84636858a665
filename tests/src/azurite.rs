//! An emulator of Azure's blobs.

use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::Result;

use crate::s3::elements;
use crate::testbed::{self, Server};
use crate::tools;

const ACCOUNT: &str = "testaccount";
/// 64 bytes of no meaning.
const KEY: &str =
    "a3NuYXBzaG90LWtzbmFwc2hvdC1rc25hcHNob3Qta3NuYXBzaG90LWtzbmFwc2hvdC1rc25hcHNob3Qta3NuYXA=";

/// An Azurite on loopback. It ends with this value, or with this process.
#[derive(Debug)]
pub struct Azurite {
    port: u16,
    _server: Server,
}

impl Azurite {
    /// An empty one of its own.
    pub fn start() -> Result<Self> {
        let home = testbed::home()?;
        let program = home.join("roots/azurite/bin/azurite-blob");
        testbed::require(&program)?;
        let dir = testbed::run_dir(&home.join("run"))?;
        std::fs::create_dir(&dir)?;
        let port = testbed::free_port()?;
        let mut command = Command::new(program);
        command.args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string()]);
        // It lags behind the versions of the interface that clients name.
        command.args([
            "--silent",
            "--disableTelemetry",
            "--skipApiVersionCheck",
            "--location",
        ]);
        command.arg(&dir);
        command.env("AZURITE_ACCOUNTS", format!("{ACCOUNT}:{KEY}"));
        let server = Server::start(&command, "TERM", &dir)?;
        server.await_ready("Azurite", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        })?;
        Ok(Self {
            port,
            _server: server,
        })
    }

    /// The one that the tests of this process share.
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<Azurite> = OnceLock::new();
        testbed::share(&SHARED, Self::start)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// The credentials, as variables of the environment.
    pub fn credentials(&self) -> [(&'static str, &'static str); 1] {
        [("AZURE_STORAGE_KEY", KEY)]
    }

    /// The URL of a place in a container, as ksnapshot takes it, by this address: the emulator's or a proxy's.
    pub fn url_at(addr: SocketAddr, container: &str, prefix: &str) -> String {
        format!("az://{container}/{prefix}?account={ACCOUNT}&endpoint=http://{addr}/{ACCOUNT}")
    }

    /// Makes a container.
    pub fn container(&self, name: &str) -> Result<()> {
        self.request("PUT", name, &["restype=container"])?;
        Ok(())
    }

    /// The names of all blobs of a container, sorted.
    pub fn list(&self, container: &str) -> Result<Vec<String>> {
        let xml = self.request("GET", container, &["comp=list", "restype=container"])?;
        let mut names: Vec<_> = elements(&xml, "Name").map(ToOwned::to_owned).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// A request to a container, signed by the account's key as the documentation of "Shared Key" says. The query's
    /// pairs must be sorted.
    fn request(&self, method: &str, container: &str, query: &[&str]) -> Result<String> {
        let script = r#"
            date=$(date -u '+%a, %d %b %Y %H:%M:%S GMT') version=2021-12-02
            hex=$(printf %s "$5" | base64 -d | od -An -v -tx1 | tr -d ' \n')
            resource=$(printf '/%s/%s/%s\n' "$4" "$4" "$2"; printf %s "$6" | tr '&' '\n' | tr '=' ':')
            text=$(printf '%s\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:%s\nx-ms-version:%s\n%s' \
                "$1" "$date" "$version" "$resource")
            signature=$(printf %s "$text" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$hex" -binary | base64 -w 0)
            curl -sS --fail-with-body --max-time 60 --noproxy '*' -X "$1" -H "x-ms-date: $date" \
                -H "x-ms-version: $version" -H "Authorization: SharedKey $4:$signature" -H 'Content-Length: 0' \
                "http://$3/$4/$2?$6"
        "#;
        let (addr, query) = (self.addr().to_string(), query.join("&"));
        let args = [method, container, &addr, ACCOUNT, KEY, &query].map(AsRef::as_ref);
        Ok(tools::run(&mut tools::bash(script, &args))?
            .success()?
            .text())
    }
}
