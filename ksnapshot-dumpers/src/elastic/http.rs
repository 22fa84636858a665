//! Requests to a cluster: what may be sent again is, with patience; everything else is an error that names the cause.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use ksnapshot_core::{Error, ErrorKind, Result};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a server may be silent while it owes an answer.
const SILENCE: Duration = Duration::from_secs(180);

/// How often a request is sent that changes nothing.
const TRIES: u32 = 6;

/// Everything but what every server and proxy takes as it is in a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'*')
    .remove(b',');

/// Who asks.
#[derive(Clone)]
pub(super) enum Login {
    /// User and password.
    Basic(String, SecretString),
    /// The encoded form of a key, as Elasticsearch prints it.
    ApiKey(SecretString),
}

/// A cluster to talk to. Cheap to clone.
#[derive(Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    login: Option<Login>,
}

/// An answer of any status.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    /// When the server would like to be asked again.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

/// The name of an index, a template, … as a piece of a path.
pub(super) fn segment(name: &str) -> String {
    utf8_percent_encode(name, SEGMENT).to_string()
}

impl Client {
    /// `authorities` is a file of certificates in PEM; else those count that the machine trusts.
    pub(super) fn new(
        base: String,
        login: Option<Login>,
        authorities: Option<&Path>,
    ) -> Result<Self> {
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .tcp_nodelay(true)
            // A cluster answers itself; following it elsewhere would carry the password there.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(ksnapshot_core::TOOL.replace(' ', "/"));
        if let Some(file) = authorities {
            let bad = |cause: Box<dyn std::error::Error + Send + Sync>| {
                Error::new(
                    ErrorKind::Usage,
                    format!("cluster URL: ca {}: no certificates", file.display()),
                )
                .hint("Name a file of certificates in PEM that this user may read.")
                .source(cause)
            };
            let pem = std::fs::read(file).map_err(|e| bad(e.into()))?;
            let certificates =
                reqwest::Certificate::from_pem_bundle(&pem).map_err(|e| bad(e.into()))?;
            if certificates.is_empty() {
                return Err(bad("the file holds none".into()));
            }
            builder = builder.tls_certs_only(certificates);
        }
        Ok(Self {
            http: builder.build().map_err(|cause| {
                Error::new(ErrorKind::Failed, "no client for HTTP").source(cause)
            })?,
            base,
            login,
        })
    }

    /// The first request: one try, so that a wrong address is told at once.
    pub(super) async fn hello(&self) -> Result<Vec<u8>> {
        let reply = self.send(Method::GET, "/", None, usize::MAX).await?;
        reply.good("/")
    }

    /// Reads something. Sent again when the server is busy or the connection is lost.
    pub(super) async fn get(&self, path: &str) -> Result<Vec<u8>> {
        self.act(Method::GET, path).await
    }

    /// As [`Client::get`]; none where there is nothing under `path`, or where this build of the server does not know it.
    pub(super) async fn find(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let reply = self.patiently(Method::GET, path, None).await?;
        if reply.is_unknown() {
            return Ok(None);
        }
        reply.good(path).map(Some)
    }

    /// Sends what has no body and may be sent twice.
    pub(super) async fn act(&self, method: Method, path: &str) -> Result<Vec<u8>> {
        self.patiently(method, path, None).await?.good(path)
    }

    /// Sends JSON that may be sent twice.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<Vec<u8>> {
        let body = Bytes::from(body.to_string());
        (self.patiently(method, path, Some(body)).await?).good(path)
    }

    /// Sends what may be sent twice, again and again while the server is busy or unreachable. Any status comes back.
    pub(super) async fn patiently(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<Reply> {
        let mut tries = 0;
        loop {
            let sent = self
                .send(method.clone(), path, body.clone(), usize::MAX)
                .await;
            tries += 1;
            let wait = match &sent {
                Ok(reply) if reply.is_busy() => reply.retry_after,
                Err(error) if error.kind() == ErrorKind::Server => None,
                _ => return sent,
            };
            if tries >= TRIES {
                return sent;
            }
            pause(tries, wait).await;
        }
    }

    /// Sends once. Any status comes back; an answer of more than `limit` bytes is [`ErrorKind::Conflict`], and what of it
    /// is not read yet never is.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
        limit: usize,
    ) -> Result<Reply> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        match &self.login {
            Some(Login::Basic(user, password)) => {
                request = request.basic_auth(user, Some(password.expose_secret()));
            }
            Some(Login::ApiKey(key)) => {
                let value =
                    header::HeaderValue::from_str(&format!("ApiKey {}", key.expose_secret()));
                let mut value =
                    value.map_err(|_| Error::new(ErrorKind::Usage, "the API key is no API key"))?;
                value.set_sensitive(true);
                request = request.header(header::AUTHORIZATION, value);
            }
            None => {}
        }
        if let Some(body) = body {
            let lines = path.contains("_bulk");
            let kind = if lines {
                "application/x-ndjson"
            } else {
                "application/json"
            };
            request = request.header(header::CONTENT_TYPE, kind).body(body);
        }
        let mut response = request.send().await.map_err(lost)?;
        let status = response.status();
        let retry_after = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|v| v.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let mut body = Vec::with_capacity(
            usize::try_from(response.content_length().unwrap_or(0))
                .unwrap_or(0)
                .min(64 << 20),
        );
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if body.len() + chunk.len() > limit {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    format!("an answer of more than {limit} bytes"),
                ));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply {
            status,
            retry_after,
            body,
        })
    }
}

/// Waits before the next try, at random up to a bound that grows, and at least as long as the server asks.
pub(super) async fn pause(tries: u32, at_least: Option<Duration>) {
    let bound = Duration::from_millis(100 << tries.min(7));
    let random = bound.mul_f64(0.5 + 0.5 * rand::random::<f64>());
    tokio::time::sleep(random.max(at_least.unwrap_or_default()).min(SILENCE)).await;
}

impl Reply {
    /// The body of a success.
    pub(super) fn good(self, path: &str) -> Result<Vec<u8>> {
        if self.status.is_success() {
            return Ok(self.body);
        }
        Err(self.error(path))
    }

    /// Whether to ask later.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.status.as_u16(), 429 | 502 | 503 | 504)
    }

    /// Whether there is nothing here, or nobody who knows this path: builds differ in their modules.
    pub(super) fn is_unknown(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
            || self.status == StatusCode::METHOD_NOT_ALLOWED
            || (self.status == StatusCode::BAD_REQUEST
                && [
                    "no handler found",
                    "Unrecognized request",
                    "Invalid index name [_",
                ]
                .iter()
                .any(|text| self.says(text)))
    }

    pub(super) fn says(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.body).contains(text)
    }

    /// What the server said, as an error.
    pub(super) fn error(&self, path: &str) -> Error {
        let path = path.split('?').next().unwrap_or(path);
        let message = format!("{path}: HTTP {}: {}", self.status.as_u16(), self.reason());
        match self.status.as_u16() {
            401 => Error::new(ErrorKind::Server, "login refused").hint(
                "Name the user in the URL, and give its password in KSNAPSHOT_SOURCE_PASSWORD or ELASTIC_PASSWORD, or a key \
                 in ELASTIC_API_KEY.",
            ),
            403 => Error::new(ErrorKind::Server, format!("not allowed: {message}")).hint(
                "Dumping needs the cluster privilege `monitor` and the index privileges `read` and `view_index_metadata`; \
                 restoring needs `manage` and `write`, too.",
            ),
            429 | 502..=504 => Error::new(ErrorKind::Server, message)
                .hint("The cluster is overloaded or not whole; look at its health and run it again."),
            _ => Error::new(ErrorKind::Refused, message),
        }
    }

    /// The server's own words.
    pub(super) fn reason(&self) -> String {
        #[derive(Deserialize)]
        struct Answer {
            error: Cause,
        }
        match serde_json::from_slice(&self.body) {
            Ok(Answer { error }) => error.to_string(),
            Err(_) => {
                let text = String::from_utf8_lossy(&self.body);
                text.trim().chars().take(300).collect()
            }
        }
    }
}

/// The cause of a refusal, as both servers tell it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Cause {
    Told {
        #[serde(rename = "type")]
        kind: String,
        #[serde(default)]
        reason: Option<String>,
        #[serde(default)]
        caused_by: Option<Box<Self>>,
        #[serde(default)]
        root_cause: Vec<Self>,
    },
    Text(String),
}

impl Cause {
    /// Its type: `mapper_parsing_exception`.
    pub(super) fn kind(&self) -> &str {
        match self {
            Self::Told { kind, .. } => kind,
            Self::Text(text) => text,
        }
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Told {
                kind,
                reason,
                caused_by,
                root_cause,
            } => {
                match (reason.as_deref(), root_cause.first()) {
                    // "all shards failed" says nothing; its root does.
                    (None | Some("" | "all shards failed"), Some(root)) => return root.fmt(f),
                    (Some(reason), _) => write!(f, "{kind}: {reason}")?,
                    (None, None) => f.write_str(kind)?,
                }
                match caused_by {
                    Some(cause) => write!(f, ": {cause}"),
                    None => Ok(()),
                }
            }
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// A request without an answer, or with half of one.
fn lost(cause: reqwest::Error) -> Error {
    let (what, hint) = if cause.is_connect() {
        (
            "can't be reached",
            "See that the server runs, that host, port and https are right, and that nothing stands between.",
        )
    } else if cause.is_timeout() {
        (
            "does not answer",
            "Look at the server's load, and run it again.",
        )
    } else {
        (
            "the connection was lost",
            "Look into the server's log, and run it again.",
        )
    };
    Error::new(ErrorKind::Server, what)
        .hint(hint)
        // The URL is without login, but says nothing that the address doesn't.
        .source(cause.without_url())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &str) -> Reply {
        Reply {
            status: StatusCode::from_u16(status).expect("a status"),
            retry_after: None,
            body: body.into(),
        }
    }

    #[test]
    fn a_refusal_is_told_by_its_root() {
        let told = reply(
            503,
            r#"{"error":{"root_cause":[{"type":"no_shard_available","reason":"[x][0]"}],"type":"search_phase_execution_exception","reason":"all shards failed"},"status":503}"#,
        );
        assert_eq!(told.reason(), "no_shard_available: [x][0]");
        assert!(told.is_busy());
        let nested = reply(
            400,
            r#"{"error":{"type":"a","reason":"b","caused_by":{"type":"c","reason":"d"}}}"#,
        );
        assert_eq!(nested.error("/x?y").to_string(), "/x: HTTP 400: a: b: c: d");
        assert_eq!(reply(400, "plain").reason(), "plain");
        assert_eq!(
            reply(401, "").good("/").expect_err("refused").kind(),
            ErrorKind::Server
        );
    }

    #[test]
    fn names_are_one_segment() {
        assert_eq!(segment("a/b?c#d%<x>"), "a%2Fb%3Fc%23d%25%3Cx%3E");
        assert_eq!(segment("logs-*,x.y_z"), "logs-*,x.y_z");
    }
}
