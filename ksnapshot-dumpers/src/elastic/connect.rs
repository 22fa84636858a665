//! URLs of clusters.

use std::path::PathBuf;

use ksnapshot_core::{Error, ErrorKind, Result};
use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::Url;

use super::http::{Client, Login};
use super::version::Server;
use crate::{Access, IndexScope, RestoreScope};

/// Parameters of a URL.
const KNOWN: [&str; 1] = ["ca"];

/// A cluster of Elasticsearch or OpenSearch, and which indices of it. Does not connect before it is used, and never prints
/// its password or key.
#[derive(Clone)]
pub struct Elastic {
    pub(super) host: String,
    port: u16,
    client: Client,
    /// Named in the URL: a pattern of a source, the new name of a snapshot's one index in a target.
    pub(super) path: Option<String>,
    pub(super) scope: IndexScope,
    pub(super) restore: RestoreScope,
    /// A drill: everything of a snapshot goes under names that begin with this.
    pub(super) scratch: Option<String>,
}

impl std::fmt::Debug for Elastic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Elastic")
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

impl Elastic {
    /// Reads a URL: `elasticsearch://USER@HOST:PORT/INDEX`, `elasticsearch+https://HOST?ca=FILE`, `opensearch://…`. What it
    /// leaves open comes from `ELASTIC_API_KEY` or `ELASTIC_PASSWORD`.
    ///
    /// Errors: [`ErrorKind::Usage`] for an unknown parameter or a value that makes no sense.
    pub fn parse(url: &str, access: &Access) -> Result<Self> {
        // The text may hold a password, so no error repeats it.
        let bad = |what: &str| {
            Error::new(ErrorKind::Usage, format!("cluster URL: {what}")).hint(
                "Write it as elasticsearch://USER@HOST:PORT or elasticsearch+https://USER@HOST:PORT?ca=FILE, with special \
                 characters percent-encoded.",
            )
        };
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let parsed = Url::parse(url).map_err(|cause| bad(&cause.to_string()))?;
        let tls = match parsed.scheme() {
            "elasticsearch" | "opensearch" | "elasticsearch+http" | "opensearch+http" => false,
            "elasticsearch+https" | "opensearch+https" => true,
            _ => return Err(bad("its scheme is not known")),
        };
        if let Some((key, _)) = parsed
            .query_pairs()
            .find(|(key, _)| !KNOWN.contains(&key.as_ref()))
        {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("cluster URL: parameter {key:?} is not known"),
            )
            .hint(format!("Known parameters are {}.", KNOWN.join(", "))));
        }
        let authorities = parsed
            .query_pairs()
            .find(|(key, _)| key == "ca")
            .map(|(_, file)| PathBuf::from(file.as_ref()));
        if authorities.is_some() && !tls {
            return Err(bad("ca needs https"));
        }
        let host = match parsed.host_str() {
            None | Some("") => "localhost".to_owned(),
            Some(host) => decoded(host),
        };
        let path = decoded(parsed.path().trim_matches('/'));
        if path.contains('/') {
            return Err(bad("its path is more than the name of an index"));
        }
        let variable = |name: &str| std::env::var(name).ok().map(SecretString::from);
        let password = (access.password.clone())
            .or_else(|| parsed.password().map(|p| SecretString::from(decoded(p))))
            .or_else(|| variable("ELASTIC_PASSWORD"));
        let login = match (parsed.username(), password) {
            ("", None) => None,
            ("", Some(_)) if access.api_key.is_some() => None,
            // The built-in user, as every client of Elasticsearch takes it.
            ("", Some(password)) => Some(("elastic".to_owned(), password)),
            (user, password) => Some((decoded(user), password.unwrap_or_else(|| "".into()))),
        };
        let key = access
            .api_key
            .clone()
            .or_else(|| variable("ELASTIC_API_KEY"));
        let login = match (key, login) {
            (Some(key), _) => Some(Login::ApiKey(key)),
            (None, Some((user, password))) => Some(Login::Basic(user, password)),
            (None, None) => None,
        };
        let port = parsed.port().unwrap_or(9200);
        let scheme = if tls { "https" } else { "http" };
        Ok(Self {
            client: Client::new(
                format!("{scheme}://{host}:{port}"),
                login,
                authorities.as_deref(),
            )?,
            host,
            port,
            path: (!path.is_empty()).then_some(path),
            scope: IndexScope::default(),
            restore: RestoreScope::default(),
            scratch: None,
        })
    }

    /// Only what `scope` means.
    pub fn within(mut self, scope: IndexScope) -> Self {
        self.scope = scope;
        self
    }

    /// Restored as `restore` says.
    pub fn placing(mut self, restore: RestoreScope) -> Self {
        self.restore = restore;
        self
    }

    pub(super) fn with_scratch(&self, name: &str) -> Self {
        Self {
            path: None,
            restore: RestoreScope::default(),
            scratch: Some(name.to_owned()),
            ..self.clone()
        }
    }

    /// Where it connects, for errors.
    pub(super) fn address(&self) -> String {
        format!("cluster {}:{}", self.host, self.port)
    }

    /// What is dumped, in the words of the command line: it stands for the database in the name of the series.
    pub(super) fn patterns(&self) -> Vec<String> {
        let mut patterns: Vec<String> = self.path.iter().cloned().collect();
        patterns.extend(self.scope.indices.iter().cloned());
        let mut patterns: Vec<String> = (patterns.iter())
            .flat_map(|p| p.split(',').map(str::trim))
            .filter(|p| !p.is_empty())
            .map(ToOwned::to_owned)
            .collect();
        if patterns.iter().all(|p| p.starts_with('-')) {
            patterns.insert(0, "*".to_owned());
        }
        patterns
    }

    /// Asks the server who it is.
    pub(super) async fn connect(&self) -> Result<(Client, Server)> {
        let reached = async {
            let answer = self.client.hello().await?;
            Server::parse(&answer)
        };
        let server = reached.await.map_err(|e| e.context(self.address()))?;
        Ok((self.client.clone(), server))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Elastic> {
        Elastic::parse(url, &Access::default())
    }

    #[test]
    fn urls() {
        let plain = parse("elasticsearch://search.example.org").expect("a URL");
        assert_eq!(plain.address(), "cluster search.example.org:9200");
        assert_eq!(
            (plain.path.as_deref(), plain.patterns()),
            (None, vec!["*".to_owned()])
        );
        let one = parse("opensearch+https://u@h:1/logs-%2A").expect("a URL");
        assert_eq!(one.patterns(), ["logs-*"]);
        let scope = IndexScope {
            indices: vec!["-old*, -tmp".into()],
            ..IndexScope::default()
        };
        assert_eq!(plain.within(scope).patterns(), ["*", "-old*", "-tmp"]);
        for bad in [
            "elasticsearch://h/a/b",
            "elasticsearch://h?ca=x",
            "elasticsearch://h?x=y",
            "elasticsearch+ftp://h",
        ] {
            assert_eq!(parse(bad).expect_err(bad).kind(), ErrorKind::Usage);
        }
    }
}
