//! What a server with a module of security has: a certificate, and logins.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{Answer, header};
use crate::tools;

/// Who is let in.
#[derive(Debug, Clone)]
pub enum Login {
    /// A user with a password.
    Basic(&'static str, &'static str),
    /// Who has this key, in the form in which servers print it.
    ApiKey(&'static str),
}

impl Login {
    /// The header of who is let in.
    pub fn header(&self) -> String {
        match self {
            Self::Basic(user, password) => {
                format!("Basic {}", base64(format!("{user}:{password}").as_bytes()))
            }
            Self::ApiKey(key) => format!("ApiKey {key}"),
        }
    }

    pub(super) fn is_in(&self, head: &str) -> bool {
        header(head, "Authorization") == Some(&self.header())
    }
}

/// As Elasticsearch says it.
pub(super) fn refusal() -> Answer {
    let body = r#"{"error":{"root_cause":[{"type":"security_exception","reason":"missing or wrong credentials"}],"type":"security_exception","reason":"missing or wrong credentials"},"status":401}"#;
    let headers = "WWW-Authenticate: Basic realm=\"security\", charset=\"UTF-8\"\r\nWWW-Authenticate: ApiKey\r\n";
    Answer::made_up(401, headers, body)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group
            .iter()
            .fold(0, |bits: u32, &byte| bits << 8 | u32::from(byte))
            << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= group.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    text
}

/// A certificate for the loopback address, and the authority that signed it. Its files vanish with it.
#[derive(Debug)]
pub(super) struct Certificate {
    folder: tempfile::TempDir,
    ca: PathBuf,
}

impl Certificate {
    pub(super) fn make() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let script = r#"
            cd "$1"
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
                -subj /CN=ksnapshot-tests -keyout ca.key -out ca.crt
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost \
                -keyout server.key -out server.csr
            openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -out server.crt \
                -extfile <(printf 'subjectAltName=DNS:localhost,IP:127.0.0.1')
        "#;
        tools::run(&mut tools::bash(script, &[folder.path().as_os_str()]))?.success()?;
        let ca = folder.path().join("ca.crt");
        Ok(Self { folder, ca })
    }

    pub(super) fn ca(&self) -> &Path {
        &self.ca
    }

    pub(super) fn config(&self) -> Result<Arc<ServerConfig>> {
        let file = |name: &str| self.folder.path().join(name);
        let chain = vec![CertificateDer::from_pem_file(file("server.crt")).context("server.crt")?];
        let key = PrivateKeyDer::from_pem_file(file("server.key")).context("server.key")?;
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        Ok(Arc::new(config))
    }
}

/// A connection of a client.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Stream {
    pub(super) fn new(stream: TcpStream, config: Option<&Arc<ServerConfig>>) -> io::Result<Self> {
        let Some(config) = config else {
            return Ok(Self::Plain(stream));
        };
        let connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
        Ok(Self::Tls(Box::new(StreamOwned::new(connection, stream))))
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Stream::Plain",
            Self::Tls(_) => "Stream::Tls",
        })
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn logins_are_written_as_browsers_do() {
        for (plain, encoded) in [
            ("", ""),
            ("a", "YQ=="),
            ("ab", "YWI="),
            ("elastic:correct horse", "ZWxhc3RpYzpjb3JyZWN0IGhvcnNl"),
        ] {
            assert_eq!(super::base64(plain.as_bytes()), encoded);
        }
    }
}
