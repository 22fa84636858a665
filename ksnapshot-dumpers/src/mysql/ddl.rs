//! Writes a catalog as SQL: items in the order of restoring, each with what it needs. A pure function, so that dump and
//! restore agree on every number.

use std::collections::{BTreeMap, HashMap};

use ksnapshot_core::{Aspect, Item, Stage};

use super::model::{Catalog, Database, Table};
use super::quote::in_comment;
use super::script::{ColumnData, KeyData, ObjectScript, Script, SequenceData, TableData};

mod account;
mod create;
pub(super) mod database;
pub(super) mod header;
pub(super) mod program;
mod tail;
mod view;

/// The kind of the item that says where the rest comes from.
pub(super) const SOURCE: &str = "source server";

/// What a restore does itself when everything else is done; items of these kinds are not run in their turn.
pub(super) mod last {
    /// Lets an event happen.
    pub(in crate::mysql) const EVENT_STATUS: &str = "event status";
    /// Nothing in a database may be changed any more.
    pub(in crate::mysql) const READ_ONLY: &str = "read only";
}

/// Writes everything.
pub(super) fn script(catalog: &Catalog) -> Script {
    let mut writer = Writer::new(catalog);
    writer.accounts();
    writer.databases();
    writer.tables();
    writer.routines();
    writer.data();
    writer.indexes();
    writer.foreign_keys();
    writer.triggers();
    writer.views();
    writer.grants();
    writer.events_and_last();
    writer.finish()
}

/// Which data object a text goes into, in the order in which objects are loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// What a database holds, but for the rest.
    Database(usize),
    /// A table of it, with `--split-tables`.
    Table(usize, usize),
    /// What needs several of those.
    Post,
    /// Users and grants.
    Globals,
}

/// An item before it has a number.
struct Draft<'t> {
    stage: Stage,
    aspect: Aspect,
    kind: &'t str,
    database: Option<&'t str>,
    name: &'t str,
    table: Option<u32>,
    depends: Vec<u32>,
    text: Option<String>,
}

/// The items of a table.
#[derive(Debug, Default)]
struct TableItems {
    definition: u32,
    indexes: Vec<u32>,
}

/// Items under construction.
struct Writer<'a> {
    catalog: &'a Catalog,
    script: Script,
    objects: BTreeMap<(u8, usize, usize), ObjectScript>,
    /// By database: what makes it, if the script does.
    made: Vec<Option<u32>>,
    /// Sequences by database and name.
    sequences: HashMap<(usize, &'a str), u32>,
    tables: HashMap<(usize, usize), TableItems>,
    routines: HashMap<(usize, usize), u32>,
    accounts: Vec<u32>,
}

impl<'a> Writer<'a> {
    fn new(catalog: &'a Catalog) -> Self {
        Self {
            catalog,
            script: Script {
                problems: catalog.problems.clone(),
                ..Script::default()
            },
            objects: BTreeMap::new(),
            made: Vec::new(),
            sequences: HashMap::new(),
            tables: HashMap::new(),
            routines: HashMap::new(),
            accounts: Vec::new(),
        }
    }

    fn databases_numbered(&self) -> impl Iterator<Item = (usize, &'a Database)> + use<'a> {
        self.catalog.databases.iter().enumerate()
    }

    fn tables_numbered(
        &self,
    ) -> impl Iterator<Item = (usize, usize, &'a Database, &'a Table)> + use<'a> {
        self.databases_numbered().flat_map(|(d, database)| {
            database
                .tables
                .iter()
                .enumerate()
                .map(move |(t, table)| (d, t, database, table))
        })
    }

    /// Where what belongs to one table goes.
    fn place_of(&self, database: usize, table: usize) -> Place {
        if self.catalog.scope.split_tables {
            Place::Table(database, table)
        } else {
            Place::Database(database)
        }
    }

    /// Where what needs more than one table goes: after all of them.
    fn place_after(&self, database: usize) -> Place {
        if self.catalog.scope.split_tables {
            Place::Post
        } else {
            Place::Database(database)
        }
    }

    fn databases(&mut self) {
        if !self.catalog.databases.is_empty() {
            // So that a restore has where to say that the target is another kind of server.
            self.push(
                Place::Database(0),
                Draft {
                    stage: Stage::PreData,
                    aspect: Aspect::Definition,
                    kind: SOURCE,
                    database: None,
                    name: &self.catalog.server.to_string(),
                    table: None,
                    depends: Vec::new(),
                    text: Some(String::new()),
                },
            );
        }
        for (d, database) in self.databases_numbered() {
            let text = if self.catalog.single() {
                database::as_it_was(database)
            } else {
                database::create_and_use(database)
            };
            let item = self.push(
                Place::Database(d),
                Draft {
                    stage: Stage::PreData,
                    aspect: Aspect::Definition,
                    kind: "database",
                    database: None,
                    name: &database.name,
                    table: None,
                    depends: Vec::new(),
                    text: Some(text),
                },
            );
            // A single database is there before its text is loaded.
            self.made.push((!self.catalog.single()).then_some(item));
        }
        for (d, database) in self.databases_numbered() {
            for sequence in &database.sequences {
                let item = self.push(
                    Place::Database(d),
                    Draft {
                        stage: Stage::PreData,
                        aspect: Aspect::Definition,
                        kind: "sequence",
                        database: Some(&database.name),
                        name: &sequence.name,
                        table: None,
                        depends: self.made[d].into_iter().collect(),
                        text: Some(format!("{};", sequence.create)),
                    },
                );
                self.sequences.insert((d, &sequence.name), item);
            }
        }
    }

    fn tables(&mut self) {
        for (d, t, database, table) in self.tables_numbered() {
            let cut = create::cut(table);
            let mut depends: Vec<u32> = self.made[d].into_iter().collect();
            depends.extend(self.sequences_in(d, &cut.table));
            let item = self.push(
                self.place_of(d, t),
                Draft {
                    stage: Stage::PreData,
                    aspect: Aspect::Definition,
                    kind: "table",
                    database: Some(&database.name),
                    name: &table.name,
                    table: None,
                    depends,
                    text: Some(format!("{};", cut.table)),
                },
            );
            self.script.items[item as usize].table = Some(item);
            self.tables.insert(
                (d, t),
                TableItems {
                    definition: item,
                    indexes: Vec::new(),
                },
            );
        }
    }

    /// Sequences from which a table takes defaults.
    fn sequences_in(&self, database: usize, create: &str) -> Vec<u32> {
        if self.sequences.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<u32> = (super::tokens::meaning(create).iter())
            .filter_map(super::tokens::Token::name)
            .filter_map(|name| self.sequences.get(&(database, name.as_str())).copied())
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    fn data(&mut self) {
        if self.catalog.scope.no_data {
            return;
        }
        for (d, t, database, table) in self.tables_numbered() {
            if !super::catalog::has_rows(&table.engine) {
                continue;
            }
            let definition = self.tables[&(d, t)].definition;
            let place = self.place_of(d, t);
            let item = self.push(
                place,
                Draft {
                    stage: Stage::Data,
                    aspect: Aspect::Data,
                    kind: "table",
                    database: Some(&database.name),
                    name: &table.name,
                    table: Some(definition),
                    depends: vec![definition],
                    text: None,
                },
            );
            let data = table_data(
                item,
                database,
                table,
                self.catalog.scope.condition.as_deref(),
            );
            self.object(place).tables.push(data);
        }
        for (d, database) in self.databases_numbered() {
            for sequence in database.sequences.iter().filter(|s| s.readable) {
                let definition = self.sequences[&(d, sequence.name.as_str())];
                let place = Place::Database(d);
                let item = self.push(
                    place,
                    Draft {
                        stage: Stage::Data,
                        aspect: Aspect::Data,
                        kind: "sequence",
                        database: Some(&database.name),
                        name: &sequence.name,
                        table: None,
                        depends: vec![definition],
                        text: None,
                    },
                );
                self.object(place).sequences.push(SequenceData {
                    item,
                    database: database.name.clone(),
                    name: sequence.name.clone(),
                });
            }
        }
    }

    fn indexes(&mut self) {
        for (d, t, database, table) in self.tables_numbered() {
            let definition = self.tables[&(d, t)].definition;
            let mut before = definition;
            for index in create::cut(table).indexes {
                // Those of one table wait for each other: their order is the order in which the server lists them.
                before = self.push(
                    self.place_of(d, t),
                    Draft {
                        stage: Stage::PostData,
                        aspect: Aspect::Definition,
                        kind: "index",
                        database: Some(&database.name),
                        name: &format!("{} of {}", index.names, table.name),
                        table: Some(definition),
                        depends: vec![before],
                        text: Some(format!("{};", index.alter)),
                    },
                );
                self.tables.entry((d, t)).or_default().indexes.push(before);
            }
        }
    }

    fn foreign_keys(&mut self) {
        let positions: HashMap<(String, String), (usize, usize)> = self
            .tables_numbered()
            .map(|(d, t, database, table)| ((database.name.clone(), table.name.clone()), (d, t)))
            .collect();
        for (d, t, database, table) in self.tables_numbered() {
            for key in create::cut(table).foreign_keys {
                let own = &self.tables[&(d, t)];
                let definition = own.definition;
                let mut depends = vec![definition];
                depends.extend(&own.indexes);
                let (parent_database, parent) = key.parent;
                let abroad = parent_database.is_some();
                let parent_database = parent_database.unwrap_or_else(|| database.name.clone());
                if let Some(at) = positions.get(&(parent_database, parent)) {
                    let parent = &self.tables[at];
                    depends.push(parent.definition);
                    depends.extend(&parent.indexes);
                }
                depends.sort_unstable();
                depends.dedup();
                let place = if abroad && !self.catalog.single() {
                    Place::Post
                } else {
                    self.place_after(d)
                };
                self.push(
                    place,
                    Draft {
                        stage: Stage::PostData,
                        aspect: Aspect::Definition,
                        kind: "foreign key",
                        database: Some(&database.name),
                        name: &format!("{} of {}", key.name, table.name),
                        table: Some(definition),
                        depends,
                        text: Some(format!("{};", key.alter)),
                    },
                );
            }
        }
    }

    /// The object at `place`, which begins with its header.
    fn object(&mut self, place: Place) -> &mut ObjectScript {
        let key = match place {
            Place::Database(d) => (0, d, 0),
            Place::Table(d, t) => (0, d, t + 1),
            Place::Post => (1, 0, 0),
            Place::Globals => (2, 0, 0),
        };
        if !self.objects.contains_key(&key) {
            let id = self.number(Draft {
                stage: Stage::PreData,
                aspect: Aspect::Setting,
                kind: "settings",
                database: None,
                name: "header",
                table: None,
                depends: Vec::new(),
                text: None,
            });
            let mut text = header::header(self.catalog);
            if let Place::Table(d, _) = place
                && !self.catalog.single()
            {
                text.push_str(&database::create_and_use(&self.catalog.databases[d]));
                text.push_str("\n\n");
            }
            let object = ObjectScript {
                definitions: vec![(id, text.into())],
                ..ObjectScript::default()
            };
            self.objects.insert(key, object);
        }
        self.objects.entry(key).or_default()
    }

    /// Gives an item its number.
    fn number(&mut self, draft: Draft<'_>) -> u32 {
        let id = u32::try_from(self.script.items.len()).unwrap_or(u32::MAX);
        self.script.items.push(Item {
            id,
            stage: draft.stage,
            aspect: draft.aspect,
            kind: draft.kind.to_owned(),
            schema: draft.database.map(str::to_owned),
            name: draft.name.to_owned(),
            table: draft.table,
            owner: None,
            depends: draft.depends,
            place: None,
            data: None,
        });
        id
    }

    /// Adds an item and its text.
    fn push(&mut self, place: Place, mut draft: Draft<'_>) -> u32 {
        self.object(place);
        let text = draft.text.take();
        // An object of several databases has to say which one it means.
        let go = match draft.database {
            Some(database) if place == Place::Post && !self.catalog.single() => {
                format!("USE {};\n", super::quote::name(database))
            }
            _ => String::new(),
        };
        let id = self.number(draft);
        if let Some(text) = text {
            let title = in_comment(&self.script.items[id as usize].title());
            let text = format!("-- {title}\n{go}{text}\n\n");
            self.object(place).definitions.push((id, text.into()));
        }
        id
    }

    /// Gives the objects their names and their ends.
    fn finish(mut self) -> Script {
        let keys: Vec<_> = self.objects.keys().copied().collect();
        for key in keys {
            let id = self.number(Draft {
                stage: Stage::PostData,
                aspect: Aspect::Setting,
                kind: "settings",
                database: None,
                name: "footer",
                table: None,
                depends: Vec::new(),
                text: None,
            });
            let Some(mut object) = self.objects.remove(&key) else {
                continue;
            };
            let footer = header::footer(self.catalog);
            object.definitions.push((id, footer.into()));
            object.name = match key {
                (0, d, 0) => self.catalog.databases[d].name.clone(),
                (0, d, t) => {
                    let database = &self.catalog.databases[d];
                    format!("{}.{}", database.name, database.tables[t - 1].name)
                }
                (1, ..) => format!("{}-post", self.series()),
                _ => format!("{}-globals", self.series()),
            };
            // Two names may be made of different parts and still be one.
            while self.script.objects.iter().any(|o| o.name == object.name) {
                object.name.push('+');
            }
            self.script.objects.push(object);
        }
        self.script
    }

    /// What stands for all the databases.
    fn series(&self) -> String {
        match self.catalog.scope.databases.as_slice() {
            [] => "all".to_owned(),
            some => some.join("+"),
        }
    }
}

fn table_data(item: u32, database: &Database, table: &Table, condition: Option<&str>) -> TableData {
    let columns: Vec<ColumnData> = (table.columns.iter())
        .filter(|c| !c.generated)
        .map(|c| ColumnData {
            name: c.name.clone(),
            data_type: c.data_type.clone(),
            column_type: c.column_type.clone(),
            charset: c.charset.clone(),
        })
        .collect();
    let keys = (table.keys.iter())
        .filter_map(|key| {
            let positions = key
                .columns
                .iter()
                .map(|name| columns.iter().position(|c| c.name == *name));
            Some(KeyData {
                columns: positions.collect::<Option<_>>()?,
                nullable: key.nullable,
            })
        })
        .collect();
    TableData {
        item,
        database: database.name.clone(),
        name: table.name.clone(),
        columns,
        keys,
        partitions: table.partitions.clone(),
        engine: table.engine.clone(),
        versioned: table.history,
        condition: condition.map(str::to_owned),
        bytes: table.bytes,
        rows: table.rows,
        readable: table.readable,
    }
}
