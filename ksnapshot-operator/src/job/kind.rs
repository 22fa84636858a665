//! The types of databases that a Job dumps.

use std::fmt;

/// What a Job dumps, as the annotation `type` and `KSNAPSHOT_TYPE` say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `mysql`
    MySql,
    /// `mariadb`
    MariaDb,
    /// `postgresql`
    PostgreSql,
    /// `elasticsearch`
    Elasticsearch,
    /// `opensearch`
    OpenSearch,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::MySql,
        Self::MariaDb,
        Self::PostgreSql,
        Self::Elasticsearch,
        Self::OpenSearch,
    ];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MySql => "mysql",
            Self::MariaDb => "mariadb",
            Self::PostgreSql => "postgresql",
            Self::Elasticsearch => "elasticsearch",
            Self::OpenSearch => "opensearch",
        }
    }

    /// The kind that is written so, letter by letter.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// What its server is called, for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::MySql => "MySQL",
            Self::MariaDb => "MariaDB",
            Self::PostgreSql => "PostgreSQL",
            Self::Elasticsearch => "Elasticsearch",
            Self::OpenSearch => "OpenSearch",
        }
    }

    /// All types, for hints: `mysql, mariadb, …`.
    pub fn list() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_read_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(&kind.to_string()), Some(kind));
        }
        for other in ["", "MySQL", "postgres", "es", "mysql "] {
            assert_eq!(Kind::parse(other), None, "{other:?}");
        }
    }
}
