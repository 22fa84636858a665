//! What has rows, values or bytes.

use super::*;
use crate::postgres::quote::ident;

impl Writer<'_> {
    /// The data items: rows first, then sequences, then large objects.
    pub(super) fn data(&mut self, steps: &[Step], batches: Vec<(u32, LargeObjectData)>) {
        let wholes: Vec<usize> = steps
            .iter()
            .filter(|step| step.part == Part::Whole)
            .map(|step| step.object)
            .collect();
        let through = self.loaded_through();
        for &position in &wholes {
            self.rows(position, &through);
        }
        for &position in &wholes {
            self.value(position);
        }
        for (made, mut data) in batches {
            let span = large_objects::span(&data.oids);
            data.item = self.push(None, draft(LARGE_OBJECTS, span, Some(&made)));
            self.script.large_objects.push(data);
        }
    }

    /// Takes foreign keys between an extension's tables off before their rows, and puts them on again afterwards.
    pub(super) fn extension_keys(&mut self, steps: &[Step], stage: Stage) {
        for step in steps {
            let object = &self.catalog.objects[step.object];
            let Definition::ExtensionData(data) = &object.definition else {
                continue;
            };
            let table = names::qualified(object);
            for key in &data.foreign_keys {
                let name = ident(&key.name);
                let sql = match stage {
                    Stage::PreData => format!("ALTER TABLE {table} DROP CONSTRAINT {name};"),
                    _ => format!("ALTER TABLE {table} ADD CONSTRAINT {name} {};", key.text),
                };
                let made = self.made.get(&step.object).copied();
                let draft = Draft {
                    stage,
                    aspect: Aspect::Definition,
                    kind: "foreign key",
                    name: format!("{}.{}", object.name, key.name),
                    depends: made.into_iter().collect(),
                    text: Some(sql),
                };
                self.push(Some(step.object), draft);
            }
        }
    }

    fn rows(&mut self, position: usize, through: &HashSet<Address>) {
        let object = &self.catalog.objects[position];
        let mut data = TableData {
            item: 0,
            oid: object.address.1,
            name: names::qualified(object),
            root: names::qualified(self.root(object)),
            columns: Vec::new(),
            bytea: Vec::new(),
            condition: None,
            through_root: false,
            empty: false,
            pages: 0,
            toast_pages: 0,
            heap: false,
            readable: false,
            unlogged: false,
        };
        match &object.definition {
            Definition::Relation(relation) if relation.without_rows => return,
            Definition::Relation(relation) if through.contains(&self.root(object).address) => {
                if relation.is_partition {
                    return;
                }
                data.columns = table::data_columns(relation);
                data.through_root = true;
                data.readable = relation.readable;
            }
            Definition::Relation(relation) if relation.kind == RelationKind::Table => {
                data.columns = table::data_columns(relation);
                data.bytea = table::bytea_columns(relation);
                data.pages = u64::try_from(relation.pages).unwrap_or(0);
                data.toast_pages = u64::try_from(relation.toast_pages).unwrap_or(0);
                data.heap = relation.access_method.as_deref() == Some("heap");
                data.empty = relation.empty && data.heap;
                data.readable = relation.readable;
                data.unlogged = relation.unlogged;
            }
            Definition::Relation(relation) if relation.foreign_rows => {
                data.columns = table::data_columns(relation);
                // COPY reads such a table by a query alone.
                data.condition = Some("WHERE true".into());
                data.readable = relation.readable;
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

    /// Tables below which rows may belong into another partition where they are loaded: a hash of an enum is one of its
    /// oid, and so another one in every database.
    fn loaded_through(&self) -> HashSet<Address> {
        let hashes_enums = |object: &&Object| matches!(&object.definition, Definition::Relation(r) if r.hashes_enums);
        self.catalog
            .objects
            .iter()
            .filter(hashes_enums)
            .map(|object| self.root(object).address)
            .collect()
    }

    /// The table at the top of a partition's tree; any other one itself.
    fn root<'o>(&'o self, object: &'o Object) -> &'o Object {
        let mut top = object;
        while let Definition::Relation(relation) = &top.definition
            && relation.is_partition
            && let Some(parent) = relation.parents.first()
            && let Some(&position) = self.positions.get(&Address(Class::Relation, *parent))
        {
            top = &self.catalog.objects[position];
        }
        top
    }

    fn value(&mut self, position: usize) {
        let object = &self.catalog.objects[position];
        let readable = match &object.definition {
            Definition::Sequence(sequence) if sequence.without_value => return,
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
