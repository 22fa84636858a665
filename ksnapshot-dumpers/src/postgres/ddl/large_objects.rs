//! Large objects: made, given and granted in batches. One statement each would make an index of millions of items.

use super::*;
use crate::postgres::quote::{ident, literal};

/// Large objects per item.
const BATCH: usize = 1000;

impl Writer<'_> {
    /// Makes them, empty. Answers with each batch's item, and the batch; its data has no
    /// item yet.
    pub(super) fn create_large_objects(&mut self) -> Vec<(u32, LargeObjectData)> {
        let catalog = self.catalog;
        let mut batches = Vec::new();
        for batch in catalog
            .large_objects
            .chunk_by(|a, b| a.owner == b.owner && a.readable == b.readable)
            .flat_map(|same| same.chunks(BATCH))
        {
            let oids: Vec<u32> = batch.iter().map(|object| object.oid).collect();
            let span = span(&oids);
            let item = |writer: &mut Self, aspect, depends: &[u32], lines: Vec<String>| {
                (!lines.is_empty()).then(|| {
                    writer.push(
                        None,
                        Draft {
                            stage: Stage::PreData,
                            aspect,
                            kind: "large objects",
                            name: span.clone(),
                            depends: depends.to_vec(),
                            text: Some(lines.join("\n")),
                        },
                    )
                })
            };
            let lines = oids
                .iter()
                .map(|oid| format!("SELECT pg_catalog.lo_create('{oid}');"))
                .collect();
            let Some(made) = item(self, Aspect::Definition, &[], lines) else {
                continue;
            };
            let owner = |object: &crate::postgres::model::LargeObject| {
                format!(
                    "ALTER LARGE OBJECT {} OWNER TO {};",
                    object.oid,
                    ident(&object.owner)
                )
            };
            item(
                self,
                Aspect::Owner,
                &[made],
                batch.iter().map(owner).collect(),
            );
            let comments = batch.iter().filter_map(|object| {
                let comment = literal(object.comment.as_deref()?);
                Some(format!(
                    "COMMENT ON LARGE OBJECT {} IS {comment};",
                    object.oid
                ))
            });
            item(self, Aspect::Comment, &[made], comments.collect());
            let labels = batch.iter().flat_map(|object| {
                let target = format!("LARGE OBJECT {}", object.oid);
                (object.labels.iter()).map(move |label| names::security_label(&target, label))
            });
            item(self, Aspect::SecurityLabel, &[made], labels.collect());
            let readable = batch.iter().all(|object| object.readable);
            let data = LargeObjectData {
                item: 0,
                oids,
                readable,
            };
            batches.push((made, data));
        }
        batches
    }

    /// Their privileges, in batches too.
    pub(super) fn large_object_privileges(&mut self) {
        let catalog = self.catalog;
        let granted: Vec<_> = catalog
            .large_objects
            .iter()
            .filter(|object| object.access.is_some())
            .collect();
        for batch in granted.chunks(BATCH) {
            let oids: Vec<u32> = batch.iter().map(|object| object.oid).collect();
            let lines = batch.iter().filter_map(|object| {
                let target = format!("LARGE OBJECT {}", object.oid);
                let sql = acl::statements(
                    object.access.as_ref()?,
                    &object.owner,
                    &acl::Target::object(&target),
                );
                (!sql.is_empty()).then_some(sql)
            });
            let sql = lines.collect::<Vec<_>>().join("\n");
            if sql.is_empty() {
                continue;
            }
            self.push(
                None,
                Draft {
                    stage: Stage::PostData,
                    aspect: Aspect::Acl,
                    kind: "large objects",
                    name: span(&oids),
                    depends: Vec::new(),
                    text: Some(sql),
                },
            );
        }
    }
}

/// A batch by its first and last oid.
pub(super) fn span(oids: &[u32]) -> String {
    match (oids.first(), oids.last()) {
        (Some(first), Some(last)) if first != last => format!("{first}..{last}"),
        (Some(first), _) => first.to_string(),
        _ => String::new(),
    }
}
