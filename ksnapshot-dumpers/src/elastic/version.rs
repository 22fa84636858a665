//! Which server it is, and what that means for us. Pure.

use ksnapshot_core::{Error, ErrorKind, Result};
use serde::Deserialize;

/// The family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavour {
    Elasticsearch,
    OpenSearch,
}

impl Flavour {
    /// As in [`ksnapshot_core::SourceInfo::kind`].
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::Elasticsearch => "elasticsearch",
            Self::OpenSearch => "opensearch",
        }
    }
}

/// A server of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) flavour: Flavour,
    pub(super) version: (u32, u32, u32),
    /// In its own words.
    pub(super) text: String,
}

/// How all documents of an index are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// A point in time, paged by the place of a document in its shard.
    PointInTime,
    /// A scroll in the order of the index.
    Scroll,
}

impl Server {
    /// Reads the answer of `GET /`.
    ///
    /// Errors: [`ErrorKind::Server`] when it is none of ours, [`ErrorKind::Usage`] when it is too old.
    pub(super) fn parse(answer: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Hello {
            version: Version,
        }
        #[derive(Deserialize)]
        struct Version {
            number: String,
            #[serde(default)]
            distribution: Option<String>,
        }
        let unknown = || {
            Error::new(
                ErrorKind::Server,
                "no Elasticsearch and no OpenSearch answers here",
            )
            .hint("See that host and port are those of the cluster's HTTP interface.")
        };
        let Hello { version } = serde_json::from_slice(answer).map_err(|e| unknown().source(e))?;
        let flavour = match version.distribution.as_deref() {
            None => Flavour::Elasticsearch,
            Some("opensearch") => Flavour::OpenSearch,
            Some(_) => return Err(unknown()),
        };
        let plain = version.number.split('-').next().unwrap_or_default();
        let mut numbers = plain.split('.').map(|n| n.parse::<u32>().ok());
        let mut next = || numbers.next().flatten();
        let (Some(major), Some(minor)) = (next(), next()) else {
            return Err(unknown());
        };
        let server = Self {
            flavour,
            version: (major, minor, next().unwrap_or(0)),
            text: version.number,
        };
        if flavour == Flavour::Elasticsearch && server.version < (7, 0, 0) {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("Elasticsearch {} is older than 7", server.text),
            )
            .hint("Upgrade the cluster to Elasticsearch 7 or newer first."));
        }
        Ok(server)
    }

    fn is(&self, flavour: Flavour, since: (u32, u32)) -> bool {
        self.flavour == flavour && (self.version.0, self.version.1) >= since
    }

    /// How its indices are read. A point in time needs an order that no two documents share, `_shard_doc`: Elasticsearch has
    /// it since 7.12, OpenSearch since 3.3.
    pub(super) fn method(&self) -> Method {
        if self.is(Flavour::Elasticsearch, (7, 12)) || self.is(Flavour::OpenSearch, (3, 3)) {
            Method::PointInTime
        } else {
            Method::Scroll
        }
    }

    /// What every search for documents has to say: that nothing may be missing, and that no pipeline of the index may hide or
    /// change anything. OpenSearch has such pipelines since 2.9.
    pub(super) fn search_parameters(&self) -> &'static str {
        if self.is(Flavour::OpenSearch, (2, 9)) {
            "allow_partial_search_results=false&search_pipeline=_none"
        } else {
            "allow_partial_search_results=false"
        }
    }

    /// Where every data stream is listed, hidden ones included.
    pub(super) fn data_streams(&self) -> &'static str {
        if self.is(Flavour::Elasticsearch, (7, 16)) {
            "/_data_stream?expand_wildcards=all"
        } else {
            "/_data_stream"
        }
    }

    /// Whether vectors are left out of documents unless asked for.
    pub(super) fn hides_vectors(&self) -> bool {
        self.is(Flavour::Elasticsearch, (9, 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(number: &str, distribution: &str) -> Result<Server> {
        Server::parse(
            format!(r#"{{"name":"n","version":{{"number":"{number}"{distribution}}}}}"#).as_bytes(),
        )
    }

    #[test]
    fn servers_and_how_they_are_read() {
        const OPEN: &str = r#","distribution":"opensearch""#;
        for (number, distribution, method) in [
            ("7.0.0", "", Method::Scroll),
            ("7.11.2", "", Method::Scroll),
            ("7.12.0", "", Method::PointInTime),
            ("8.19.21", "", Method::PointInTime),
            ("9.5.3-SNAPSHOT", "", Method::PointInTime),
            ("1.3.20", OPEN, Method::Scroll),
            ("2.19.6", OPEN, Method::Scroll),
            ("3.3.0", OPEN, Method::PointInTime),
        ] {
            let server = server(number, distribution).expect(number);
            assert_eq!(server.method(), method, "{server:?}");
        }
        assert!(server("9.2.0", "").expect("known").hides_vectors());
        assert!(!server("9.2.0", OPEN).expect("known").hides_vectors());
        assert_eq!(
            server("6.8.23", "").expect_err("old").kind(),
            ErrorKind::Usage
        );
        assert!(server("7.0.0", r#","distribution":"x""#).is_err());
        assert!(Server::parse(b"<html>").is_err());
    }
}
