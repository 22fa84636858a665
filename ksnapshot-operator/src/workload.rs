//! The workload that a database runs as.

use std::fmt;
use std::str::FromStr;

/// The workload that owns an annotated pod, at the top of its chain of owners.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Workload {
    /// The namespace.
    pub namespace: String,
    /// The kind, as Kubernetes writes it: `StatefulSet`.
    pub kind: String,
    /// The name.
    pub name: String,
}

impl Workload {
    /// The name by which metrics and people know its backups within a namespace: `statefulset/pg`.
    pub fn plan(&self) -> String {
        format!("{}/{}", self.kind.to_lowercase(), self.name)
    }

    /// The name of its series: `<namespace>.<kind>.<owner>`, with the kind in lower case. Two workloads never share one,
    /// because none of the three may hold a dot that would shift the borders: namespaces are DNS labels, kinds are
    /// words, and the name comes last.
    pub fn series_name(&self) -> String {
        format!(
            "{}.{}.{}",
            self.namespace,
            self.kind.to_lowercase(),
            self.name
        )
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.namespace, self.kind, self.name)
    }
}

impl FromStr for Workload {
    type Err = ();

    /// Reads `<namespace>/<Kind>/<name>`, as [`fmt::Display`] writes it.
    fn from_str(text: &str) -> Result<Self, ()> {
        match text.split('/').collect::<Vec<_>>()[..] {
            [namespace, kind, name] if ![namespace, kind, name].contains(&"") => Ok(Self {
                namespace: namespace.to_owned(),
                kind: kind.to_owned(),
                name: name.to_owned(),
            }),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ksnapshot_core::{
        Series,
        layout::{Form, Names},
    };

    #[test]
    fn a_workload_names_its_snapshots() {
        let owner = Workload {
            namespace: "shop".into(),
            kind: "StatefulSet".into(),
            name: "db.main".into(),
        };
        let series = Series {
            name: owner.series_name(),
            kind: "postgresql".into(),
            database: "app".into(),
        };
        let names = Names::new(
            &series,
            Form::Sql,
            "2026-11-21T03:00:00Z".parse().expect("a time"),
            "ab12cd34",
        );
        let key = names
            .data(&series.database, 1, ".gz", ".age")
            .expect("a key");
        assert_eq!(
            key.file_name(),
            "dump-shop.statefulset.db.main-app-20261121030000-ab12cd34.sql.gz.age"
        );
    }
}
