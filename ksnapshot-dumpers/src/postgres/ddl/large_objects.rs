//! Large objects: made, given and granted in batches. One statement each would make an index of millions of items.

use super::*;
use crate::postgres::quote::{ident, literal};

/// The kind of their items.
pub(crate) const LARGE_OBJECTS: &str = "large objects";

/// Large objects per item.
const BATCH: usize = 1000;

impl Writer<'_> {
    /// Makes them, empty. Answers with each batch's item, and the batch; its data has no
    /// item yet.
    pub(super) fn create_large_objects(&mut self) -> Vec<(u32, LargeObjectData)> {
        let catalog = self.catalog;
        let mut batches = Vec::new();
        let all = catalog.large_objects.iter();
        for (group, oids) in
            all.flat_map(|group| group.oids.chunks(BATCH).map(move |oids| (group, oids)))
        {
            let span = span(oids);
            let item = |writer: &mut Self, aspect, depends: &[u32], text: String| {
                writer.push(
                    None,
                    Draft {
                        stage: Stage::PreData,
                        aspect,
                        kind: LARGE_OBJECTS,
                        name: span.clone(),
                        depends: depends.to_vec(),
                        text: Some(text),
                    },
                )
            };
            let made = item(self, Aspect::Definition, &[], create(oids));
            let owner = ident(&group.owner);
            let owners = oids
                .iter()
                .map(|oid| format!("ALTER LARGE OBJECT {oid} OWNER TO {owner};"));
            item(self, Aspect::Owner, &[made], lines(owners));
            let comments: Vec<String> = of_batch(&group.comments, oids)
                .iter()
                .map(|(oid, text)| format!("COMMENT ON LARGE OBJECT {oid} IS {};", literal(text)))
                .collect();
            if !comments.is_empty() {
                item(self, Aspect::Comment, &[made], lines(comments.into_iter()));
            }
            let labels: Vec<String> = of_batch(&group.labels, oids)
                .iter()
                .map(|(oid, label)| names::security_label(&format!("LARGE OBJECT {oid}"), label))
                .collect();
            if !labels.is_empty() {
                item(
                    self,
                    Aspect::SecurityLabel,
                    &[made],
                    lines(labels.into_iter()),
                );
            }
            let data = LargeObjectData {
                item: 0,
                oids: oids.to_vec(),
                readable: group.readable,
            };
            batches.push((made, data));
        }
        batches
    }

    /// Their privileges, in batches too.
    pub(super) fn large_object_privileges(&mut self) {
        let catalog = self.catalog;
        for group in &catalog.large_objects {
            let Some(access) = &group.access else {
                continue;
            };
            for oids in group.oids.chunks(BATCH) {
                let target = format!("LARGE OBJECT {}", list(oids));
                let sql = acl::statements(access, &group.owner, &acl::Target::object(&target));
                if sql.is_empty() {
                    continue;
                }
                self.push(
                    None,
                    Draft {
                        stage: Stage::PostData,
                        aspect: Aspect::Acl,
                        kind: LARGE_OBJECTS,
                        name: span(oids),
                        depends: Vec::new(),
                        text: Some(sql),
                    },
                );
            }
        }
    }
}

/// Makes them by one statement: the server reads and plans it once.
pub(super) fn create(oids: &[u32]) -> String {
    format!(
        "SELECT pg_catalog.count(pg_catalog.lo_create(o)) FROM pg_catalog.unnest('{{{}}}'::pg_catalog.oid[]) AS o;",
        list(oids)
    )
}

/// What is said of those of a batch, of all that is said of their group.
fn of_batch<'o, T>(said: &'o [(u32, T)], oids: &[u32]) -> &'o [(u32, T)] {
    let (Some(first), Some(last)) = (oids.first(), oids.last()) else {
        return &[];
    };
    let from = said.partition_point(|(oid, _)| oid < first);
    let to = said.partition_point(|(oid, _)| oid <= last);
    &said[from..to]
}

pub(super) fn list(oids: &[u32]) -> String {
    let list: Vec<String> = oids.iter().map(ToString::to_string).collect();
    list.join(", ")
}

fn lines(statements: impl Iterator<Item = String>) -> String {
    statements.collect::<Vec<_>>().join("\n")
}

/// A batch by its first and last oid.
pub(super) fn span(oids: &[u32]) -> String {
    match (oids.first(), oids.last()) {
        (Some(first), Some(last)) if first != last => format!("{first}..{last}"),
        (Some(first), _) => first.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_made_by_one_statement_and_has_its_own_comments() {
        assert_eq!(
            create(&[7, 9]),
            "SELECT pg_catalog.count(pg_catalog.lo_create(o)) FROM pg_catalog.unnest('{7, 9}'::pg_catalog.oid[]) AS o;"
        );
        let said: Vec<(u32, ())> = [1, 2, 4].map(|oid| (oid, ())).into();
        let found = |oids: &[u32]| -> Vec<u32> {
            of_batch(&said, oids).iter().map(|(oid, _)| *oid).collect()
        };
        assert_eq!(found(&[1, 2]), [1, 2]);
        assert_eq!(found(&[3, 4]), [4]);
        assert_eq!(found(&[3]), [0; 0]);
        assert_eq!(found(&[]), [0; 0]);
    }
}
