//! What has rows, values or bytes.

use super::*;
use crate::postgres::quote::ident;

impl Writer<'_> {
    /// The data items: rows first, then sequences, then large objects.
    pub(super) fn data(&mut self, steps: &[Step], batches: &[(u32, Vec<u32>)]) {
        let wholes: Vec<usize> = steps
            .iter()
            .filter(|step| step.part == Part::Whole)
            .map(|step| step.object)
            .collect();
        for &position in &wholes {
            self.rows(position);
        }
        for &position in &wholes {
            self.value(position);
        }
        for (made, oids) in batches {
            let item = self.push(
                None,
                draft("large objects", large_objects::span(oids), Some(made)),
            );
            self.script.large_objects.push(LargeObjectData {
                item,
                oids: oids.clone(),
            });
        }
    }

    fn rows(&mut self, position: usize) {
        let object = &self.catalog.objects[position];
        let mut data = TableData {
            item: 0,
            oid: object.address.1,
            name: names::qualified(object),
            columns: Vec::new(),
            condition: None,
            pages: 0,
            toast_pages: 0,
            heap: false,
            readable: false,
            unlogged: false,
        };
        match &object.definition {
            Definition::Relation(relation) if relation.kind == RelationKind::Table => {
                data.columns = table::data_columns(relation);
                data.pages = u64::try_from(relation.pages).unwrap_or(0);
                data.toast_pages = u64::try_from(relation.toast_pages).unwrap_or(0);
                data.heap = relation.access_method.as_deref() == Some("heap");
                data.readable = relation.readable;
                data.unlogged = relation.unlogged;
            }
            Definition::ExtensionData(table) if !table.sequence => {
                data.columns = table.columns.iter().map(|column| ident(column)).collect();
                data.condition.clone_from(&table.condition);
                data.pages = u64::try_from(table.pages).unwrap_or(0);
                data.toast_pages = u64::try_from(table.toast_pages).unwrap_or(0);
                data.heap = table.heap;
                data.readable = table.readable;
                data.unlogged = table.unlogged;
            }
            _ => return,
        }
        let made = self.made.get(&position).copied();
        data.item = self.push(
            Some(position),
            draft(object.kind(), object.name.clone(), made.as_ref()),
        );
        self.script.tables.push(data);
    }

    fn value(&mut self, position: usize) {
        let object = &self.catalog.objects[position];
        let readable = match &object.definition {
            Definition::Sequence(sequence) => sequence.readable,
            Definition::ExtensionData(data) if data.sequence => data.readable,
            _ => return,
        };
        let made = self.made.get(&position).copied();
        let item = self.push(
            Some(position),
            draft(object.kind(), object.name.clone(), made.as_ref()),
        );
        let name = names::qualified(object);
        self.script.sequences.push(SequenceData {
            item,
            oid: object.address.1,
            name,
            readable,
        });
    }
}

fn draft<'t>(kind: &'t str, name: String, made: Option<&u32>) -> Draft<'t> {
    Draft {
        stage: Stage::Data,
        aspect: Aspect::Data,
        kind,
        name,
        depends: made.copied().into_iter().collect(),
        text: None,
    }
}
