//! A stand-in for Google Cloud Storage: a gate before a MinIO, whose language Google's XML interface shares.
//!
//! No emulator of it that can be had knows uploads in parts. The gate asks for a token, as Google does, and hands on
//! without it to buckets that are open to all; it translates Google's condition for "not there yet".

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::Result;

use crate::minio::Minio;
use crate::proxy::{Fault, Proxy};
use crate::{testbed, tools};

/// What the machine's own identity is given.
const TOKEN: &str = "ya29.token-of-the-machine";

/// The gate, and a metadata server beside it.
#[derive(Debug)]
pub struct Gcs {
    minio: Minio,
    /// What stands between, with its faults.
    pub proxy: Proxy,
    metadata: u16,
}

impl Gcs {
    /// One with a MinIO of its own.
    pub fn start() -> Result<Self> {
        Self::by(translate)
    }

    /// … that takes no notice of conditions.
    pub fn heedless() -> Result<Self> {
        Self::by(|head| {
            translate(head);
            let text = String::from_utf8_lossy(head).replace("if-none-match: *\r\n", "");
            *head = text.into_bytes();
        })
    }

    fn by(translation: fn(&mut Vec<u8>)) -> Result<Self> {
        let minio = Minio::start()?;
        let proxy = Proxy::translating(minio.addr(), Fault::none(), translation)?;
        let metadata = serve_tokens()?;
        Ok(Self {
            minio,
            proxy,
            metadata,
        })
    }

    /// The URL of a place in a bucket, as ksnapshot takes it.
    pub fn url(&self, bucket: &str, prefix: &str) -> String {
        format!("gs://{bucket}/{prefix}?endpoint={}", self.proxy.endpoint())
    }

    /// Makes a bucket. Its name has letters alone: the client spells all else in its own way (%2D), which the MinIO
    /// doesn't find in a policy.
    pub fn bucket(&self, name: &str) -> Result<()> {
        self.minio.bucket(name)?;
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":["*"]}},"Action":["s3:*"],"Resource":["arn:aws:s3:::{name}","arn:aws:s3:::{name}/*"]}}]}}"#
        );
        let path = format!("/{name}?policy=");
        self.minio
            .request("PUT", &path, &["--data-binary", &policy])?;
        // It says that the bucket is open before it is.
        let place = format!("{}/{name}", self.minio.endpoint());
        testbed::until(
            Duration::from_secs(60),
            "a bucket that is open to all",
            || {
                let mut curl = Command::new("curl");
                curl.args(["-sS", "--fail", "--noproxy", "*", &place]);
                Ok((tools::run(&mut curl)?.code() == Some(0)).then_some(()))
            },
        )
    }

    /// The names of all objects of a bucket, sorted.
    pub fn list(&self, bucket: &str) -> Result<Vec<String>> {
        self.minio.list(bucket)
    }

    /// Uploads that were begun and neither completed nor aborted.
    pub fn uploads(&self) -> Result<usize> {
        self.minio.uploads()
    }

    /// The variables by which a program finds the identity of this machine.
    pub fn machine(&self) -> [(&'static str, String); 2] {
        let host = format!("127.0.0.1:{}", self.metadata);
        [
            ("GCE_METADATA_HOST", host),
            ("HOME", "/nonexistent".to_owned()),
        ]
    }

    /// The key file of a service account, made in `folder`; for `GOOGLE_APPLICATION_CREDENTIALS`.
    pub fn key_file(&self, folder: &Path) -> Result<String> {
        let made = tools::run(Command::new("openssl").args(["genrsa", "2048"]))?.success()?;
        let key = serde_json::json!({
            "type": "service_account",
            "client_email": "ksnapshot@example.org",
            "private_key_id": "1",
            "private_key": made.text(),
        });
        let file = folder.join("key.json");
        std::fs::write(&file, key.to_string())?;
        Ok(file.display().to_string())
    }
}

/// From Google's language to that of the MinIO.
fn translate(head: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(head).into_owned();
    let mut let_in = false;
    let mut lines = Vec::new();
    for line in text.trim_end().split("\r\n") {
        let small = line.to_ascii_lowercase();
        if let Some(token) = small.strip_prefix("authorization: bearer ") {
            // The machine's own, or what a service account has signed itself.
            let_in = token == TOKEN || token.split('.').count() == 3;
        } else if small == "x-goog-if-generation-match: 0" {
            lines.push("if-none-match: *");
        } else {
            lines.push(line);
        }
    }
    if !let_in {
        lines.push("authorization: nobody");
    }
    *head = (lines.join("\r\n") + "\r\n\r\n").into_bytes();
}

/// A metadata server that ends with the process; gives its port.
fn serve_tokens() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = give_token(stream);
        }
    });
    Ok(port)
}

fn give_token(mut stream: TcpStream) -> std::io::Result<()> {
    let (mut asked, mut flavor) = (false, false);
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?.to_ascii_lowercase();
        asked |= line.contains("/service-accounts/default/token");
        flavor |= line == "metadata-flavor: google";
        if line.is_empty() {
            break;
        }
    }
    let body = format!(r#"{{"access_token":"{TOKEN}","expires_in":3600,"token_type":"Bearer"}}"#);
    let status = if asked && flavor {
        "200 OK"
    } else {
        "403 Forbidden"
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
