//! Throw-away servers of Elasticsearch and OpenSearch.

pub mod compare;
mod documents;
pub mod fault;
mod http;
pub mod kinds;
mod version;

use std::fmt::Display;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::testbed::{self, Server};
use crate::tools;

pub use documents::{Documents, compact};
pub use version::Version;

/// A bulk request is sent at this size; the server takes 100 MB.
const BULK: usize = 8 << 20;

/// A server on loopback, without TLS and logins. It ends with this value, or with this process.
#[derive(Debug)]
pub struct Elastic {
    version: Version,
    addr: SocketAddr,
    client: http::Client,
    server: Server,
}

/// How to start a server.
#[derive(Debug, Clone)]
pub struct Options {
    version: Version,
    settings: Vec<String>,
    java: String,
}

impl Options {
    /// As it's shipped; quick to start rather than fast.
    pub fn new(version: Version) -> Self {
        Self {
            version,
            settings: Vec::new(),
            java: "-Xms256m -Xmx512m -XX:TieredStopAtLevel=1".to_owned(),
        }
    }

    /// With a setting of the node: `set("http.max_content_length", "1mb")`.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push(format!("{name}={value}"));
        self
    }

    /// With what races need: a heap of this size (`2g`) and both compilers of Java.
    #[must_use]
    pub fn fast(mut self, heap: &str) -> Self {
        self.java = format!("-Xms{heap} -Xmx{heap}");
        self
    }

    /// Starts it.
    pub fn start(&self) -> Result<Elastic> {
        let root = self.version.root()?;
        let dir = testbed::run_dir(&testbed::home()?.join("run"))?;
        fs::create_dir(&dir)?;
        let mut command = Command::new(root.join("start"));
        for (setting, folder) in [("data", "data"), ("logs", "logs"), ("repo", "repo")] {
            let folder = dir.join(folder);
            command.arg(format!("path.{setting}={}", folder.display()));
        }
        command.args(&self.settings).env("JAVA_OPTIONS", &self.java);
        // What is thrown away needn't be written first.
        let server = Server::start(&command, "KILL", &dir)?;
        let mut port = None;
        server.await_ready(self.version.name(), || {
            let log = server.log();
            let told = log
                .lines()
                .find_map(|line| line.strip_prefix("listens on port "));
            port = told.and_then(|told| told.parse().ok());
            port.is_some()
        })?;
        let port = port.context("a server that is ready has told its port")?;
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let elastic = Elastic {
            version: self.version,
            addr,
            client: http::Client::new(addr),
            server,
        };
        // Until its state is recovered, which it needn't be yet, the server takes no index.
        let health = elastic.get("/_cluster/health?wait_for_status=yellow&timeout=60s")?;
        ensure!(health["timed_out"] == false, "{health}");
        Ok(elastic)
    }
}

impl Elastic {
    /// An empty server of its own, for tests that break it or count what is open in it. Takes 1 to 2.5 seconds.
    pub fn start(version: Version) -> Result<Self> {
        Options::new(version).start()
    }

    /// The one server of this version that the tests of this process share; each keeps to names of its own, see
    /// [`Elastic::fresh`].
    pub fn shared(version: Version) -> Result<&'static Self> {
        static SERVERS: [OnceLock<Elastic>; 5] = [const { OnceLock::new() }; 5];
        testbed::share(&SERVERS[version as usize], || Self::start(version))
    }

    /// Which server it is.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The process of the server.
    pub fn pid(&self) -> u32 {
        self.server.pid
    }

    /// Its URL, as ksnapshot takes it.
    pub fn url(&self) -> String {
        format!("{}://{}", self.version.scheme(), self.addr)
    }

    /// Its URL, as others take it.
    pub fn http(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// A name for an index, a template, …, that no other test of this process is given: `<prefix>-<number>`.
    pub fn fresh(&self, prefix: &str) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        format!("{prefix}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
    }

    /// Reads something; fails with the server's answer where that isn't good, as all of these do. What isn't JSON is
    /// given as text, and nothing as null.
    pub fn get(&self, path: &str) -> Result<Value> {
        self.request("GET", path, "")
    }

    /// Puts something; an empty `body` is none.
    pub fn put(&self, path: &str, body: impl Display) -> Result<Value> {
        self.request("PUT", path, body)
    }

    /// Posts something; an empty `body` is none.
    pub fn post(&self, path: &str, body: impl Display) -> Result<Value> {
        self.request("POST", path, body)
    }

    /// Deletes something.
    pub fn delete(&self, path: &str) -> Result<Value> {
        self.request("DELETE", path, "")
    }

    fn request(&self, method: &str, path: &str, body: impl Display) -> Result<Value> {
        let (status, answer) = self.try_request(method, path, body)?;
        ensure!(status < 400, "{method} {path}: {status} {answer}");
        Ok(match serde_json::from_str(&answer) {
            Ok(value) => value,
            Err(_) if answer.is_empty() => Value::Null,
            Err(_) => Value::String(answer),
        })
    }

    /// Sends a request and gives status and body of the answer, whatever they are; fails without an answer.
    pub fn try_request(
        &self,
        method: &str,
        path: &str,
        body: impl Display,
    ) -> Result<(u16, String)> {
        let (status, answer) = self
            .client
            .request(method, path, body.to_string().as_bytes())?;
        Ok((status, String::from_utf8(answer)?))
    }

    /// Indexes documents, each an id, a routing and the text of a source; they can be searched when this returns. Fails
    /// with the first that the server refuses.
    ///
    /// A source of several lines is sent by itself, as it is. Data streams take no such documents.
    pub fn bulk<T: AsRef<str>>(
        &self,
        index: &str,
        documents: impl IntoIterator<Item = (T, Option<T>, T)>,
    ) -> Result<()> {
        let mut lines = String::new();
        for (id, routing, source) in documents {
            let (id, source) = (id.as_ref(), source.as_ref());
            let routing = routing.as_ref().map(AsRef::as_ref);
            if source.contains('\n') {
                let query = routing.map_or(String::new(), |routing| {
                    format!("?routing={}", segment(routing))
                });
                self.put(&format!("/{index}/_doc/{}{query}", segment(id)), source)?;
                continue;
            }
            let mut action = json!({"_id": id});
            if let Some(routing) = routing {
                action["routing"] = routing.into();
            }
            lines.push_str(&format!("{}\n{source}\n", json!({"index": action})));
            if lines.len() > BULK {
                self.send_bulk(index, &lines)?;
                lines.clear();
            }
        }
        if !lines.is_empty() {
            self.send_bulk(index, &lines)?;
        }
        self.post(&format!("/{index}/_refresh"), "")?;
        Ok(())
    }

    fn send_bulk(&self, index: &str, lines: &str) -> Result<()> {
        let answer = self.post(&format!("/{index}/_bulk"), lines)?;
        let items = answer["items"].as_array().context("no items")?;
        let bad = items.iter().find(|item| item["index"]["error"].is_object());
        ensure!(bad.is_none(), "{index}: {}", bad.unwrap_or(&Value::Null));
        Ok(())
    }

    /// How many documents a search finds; those that are nested in others don't count. As with all that takes an index, a
    /// name with hostile characters goes through [`segment`].
    pub fn count(&self, index: &str) -> Result<u64> {
        self.post(&format!("/{index}/_refresh"), "")?;
        let answer = self.get(&format!("/{index}/_count"))?;
        answer["count"].as_u64().context("no count")
    }

    /// All documents of one index, or of a stream whose ids are unique, read in another way than ksnapshot does.
    pub fn documents(&self, index: &str) -> Result<Documents> {
        documents::read(self, index)
    }

    /// Scrolls and points in time that are open on the server, by anybody, each counted once a shard.
    pub fn open_contexts(&self) -> Result<u64> {
        let stats = self.get("/_nodes/stats/indices/search")?;
        let nodes = stats["nodes"].as_object().context("no nodes")?;
        // OpenSearch also counts its points in time apart, as a part of this.
        let open = nodes
            .values()
            .map(|node| node["indices"]["search"]["open_contexts"].as_u64());
        open.sum::<Option<u64>>().context("no number of contexts")
    }

    /// Kills the server at once, as a crash would.
    pub fn kill(&self) -> Result<()> {
        testbed::kill(self.server.pid)
    }

    /// What it logged.
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// The peer, `elasticdump`, to be run with these arguments: `--input=…`, `--output=…`, `--type=…`.
    pub fn elasticdump<T: AsRef<std::ffi::OsStr>>(
        args: impl IntoIterator<Item = T>,
    ) -> Result<Command> {
        let mut command = Command::new(elasticdump()?);
        tools::clean(&mut command);
        command.args(args);
        Ok(command)
    }
}

fn elasticdump() -> Result<PathBuf> {
    let program = testbed::home()?.join("roots/elasticdump/clients/elasticdump");
    testbed::require(&program)?;
    Ok(program)
}

/// A name or an id as a piece of a path.
pub fn segment(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}
