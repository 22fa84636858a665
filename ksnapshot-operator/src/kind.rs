//! The kinds of databases that an annotation names, and what a pod of each looks like.

pub use crate::job::Kind;

impl Kind {
    /// The port that its servers listen on unless told otherwise.
    pub fn port(self) -> u16 {
        match self {
            Self::MySql | Self::MariaDb => 3306,
            Self::PostgreSql => 5432,
            Self::Elasticsearch | Self::OpenSearch => 9200,
        }
    }

    /// Whether it is a search engine: no databases, no tables, no login needed.
    pub fn is_search(self) -> bool {
        matches!(self, Self::Elasticsearch | Self::OpenSearch)
    }

    /// What a container runs, by the last word of its image's name: a guess, for workloads that carry no annotation.
    pub fn of_image(image: &str) -> Option<Self> {
        // registry:5000/team/postgres:16@sha256:… → postgres
        let path = image.split('@').next().unwrap_or(image);
        let name = path.rsplit('/').next().unwrap_or(path);
        let name = name.split(':').next().unwrap_or(name).to_lowercase();
        // Programs beside a database are named after it, too.
        const OTHERS: [&str; 13] = [
            "admin",
            "backup",
            "client",
            "curator",
            "dashboard",
            "exporter",
            "migrat",
            "operator",
            "pgbouncer",
            "postgrest",
            "proxy",
            "router",
            "toolkit",
        ];
        if OTHERS.iter().any(|other| name.contains(other)) {
            return None;
        }
        let kinds = [
            ("mariadb", Self::MariaDb),
            ("mysql", Self::MySql),
            ("percona", Self::MySql),
            ("postgres", Self::PostgreSql),
            ("postgis", Self::PostgreSql),
            ("timescaledb", Self::PostgreSql),
            ("pgvector", Self::PostgreSql),
            ("spilo", Self::PostgreSql),
            ("elasticsearch", Self::Elasticsearch),
            ("opensearch", Self::OpenSearch),
        ];
        kinds
            .into_iter()
            .find(|(word, _)| name.contains(word))
            .map(|(_, kind)| kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_tell_what_they_run() {
        for (image, kind) in [
            ("postgres:16", Some(Kind::PostgreSql)),
            (
                "registry:5000/team/postgres@sha256:00",
                Some(Kind::PostgreSql),
            ),
            ("bitnami/postgresql-repmgr:16", Some(Kind::PostgreSql)),
            ("docker.io/library/mariadb:11.8", Some(Kind::MariaDb)),
            ("percona/percona-server:8.0", Some(Kind::MySql)),
            ("opensearchproject/opensearch:3", Some(Kind::OpenSearch)),
            ("opensearchproject/opensearch-dashboards:3", None),
            ("prom/mysqld-exporter", None),
            ("bitnami/pgbouncer", None),
            ("postgrest/postgrest", None),
            ("mysql/mysql-router:8", None),
            ("pgvector/pgvector:pg17", Some(Kind::PostgreSql)),
            ("nginx", None),
            ("", None),
        ] {
            assert_eq!(Kind::of_image(image), kind, "{image}");
        }
    }
}
