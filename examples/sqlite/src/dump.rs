//! Dumping: one connection, one transaction, every table a part.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ksnapshot_core::catalog::CatalogModel;
use ksnapshot_core::layout::Form;
use ksnapshot_core::{
    Aspect, DataPart, DumpSession, Error, ErrorKind, Item, ObjectPlan, Outline, PartSink, Problem,
    ProblemKind, Result, Stage, Text, async_trait,
};
use rusqlite::{Connection, OpenFlags};

use super::rows::Table;
use super::{KIND, Sqlite, consistency, source};

/// One view of the file.
#[derive(Debug)]
pub(crate) struct Session {
    connection: Mutex<Connection>,
    outline: Outline,
    /// By the number of the part.
    tables: Vec<Table>,
}

/// What `sqlite_schema` says of one object.
struct Entry {
    kind: String,
    name: String,
    table: String,
    sql: String,
}

impl Session {
    pub(crate) fn open(file: &Sqlite) -> Result<Self> {
        let connection = file.connect(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let failed = |cause| file.error(cause);
        let entries = fix(&connection).map_err(failed)?;
        let mut plan = Plan::default();
        plan.setting(Stage::PreData, "PRAGMA foreign_keys=OFF;\nBEGIN;\n");
        let (known, hidden): (Vec<Entry>, Vec<Entry>) =
            (entries.into_iter()).partition(|entry| !entry.sql.starts_with("CREATE VIRTUAL"));
        plan.problems.extend(hidden.iter().map(unsupported));
        for entry in known.iter().filter(|entry| entry.kind == "table") {
            plan.table(entry);
        }
        let names: Vec<(u32, String)> = plan.tables.clone();
        let mut tables = Vec::new();
        for (definition, name) in names {
            tables.push(Table::read(&connection, &name).map_err(failed)?);
            plan.data(definition, name);
        }
        for (name, value) in sequences(&connection).map_err(failed)? {
            plan.sequence(&name, value);
        }
        for kind in ["index", "view", "trigger"] {
            for entry in known.iter().filter(|entry| entry.kind == kind) {
                plan.after(entry);
            }
        }
        plan.setting(Stage::PostData, "COMMIT;\n");
        Ok(Self {
            connection: Mutex::new(connection),
            outline: plan.outline()?,
            tables,
        })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins the transaction whose view holds until the end, and reads the definitions in it.
fn fix(connection: &Connection) -> rusqlite::Result<Vec<Entry>> {
    connection.execute_batch("BEGIN")?;
    let mut statement = connection.prepare(
        "SELECT type, name, tbl_name, sql FROM sqlite_schema
         WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid",
    )?;
    let entries = statement.query_map([], |row| {
        Ok(Entry {
            kind: row.get(0)?,
            name: row.get(1)?,
            table: row.get(2)?,
            sql: row.get(3)?,
        })
    })?;
    entries.collect()
}

/// How far AUTOINCREMENT has counted. Rows that are gone count, too.
fn sequences(connection: &Connection) -> rusqlite::Result<Vec<(String, i64)>> {
    let there = "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_sequence'";
    if connection.query_row(there, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare("SELECT name, seq FROM sqlite_sequence")?;
    let sequences = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    sequences.collect()
}

fn unsupported(entry: &Entry) -> Problem {
    Problem {
        kind: ProblemKind::Unsupported,
        object: format!("virtual table {}", entry.name),
        message: "is made by a module, and not dumped".into(),
        hint: None,
    }
}

/// Items, texts and parts, as they come to light.
#[derive(Default)]
struct Plan {
    items: Vec<Item>,
    texts: Vec<(u32, Text)>,
    parts: Vec<DataPart>,
    problems: Vec<Problem>,
    /// Definitions and names.
    tables: Vec<(u32, String)>,
}

impl Plan {
    fn item(&mut self, stage: Stage, aspect: Aspect, kind: &str, name: &str) -> &mut Item {
        let id = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        self.items.push(Item {
            id,
            stage,
            aspect,
            kind: kind.into(),
            schema: None,
            name: name.into(),
            table: None,
            owner: None,
            depends: Vec::new(),
            place: None,
            data: None,
        });
        let last = self.items.len() - 1;
        &mut self.items[last]
    }

    fn setting(&mut self, stage: Stage, text: &str) {
        let id = self.item(stage, Aspect::Setting, "settings", "").id;
        self.texts.push((id, text.into()));
    }

    fn table(&mut self, entry: &Entry) {
        let item = self.item(Stage::PreData, Aspect::Definition, "table", &entry.name);
        let id = item.id;
        item.table = Some(id);
        self.texts.push((id, format!("{};\n", entry.sql).into()));
        self.tables.push((id, entry.name.clone()));
    }

    fn data(&mut self, definition: u32, name: String) {
        let item = self.item(Stage::Data, Aspect::Data, "table", &name);
        item.table = Some(definition);
        item.depends = vec![definition];
        let (items, id) = (vec![item.id], self.parts.len() as u32);
        self.parts.push(DataPart {
            id,
            name: format!("table {name}"),
            estimate: 0,
            items,
        });
    }

    fn sequence(&mut self, name: &str, value: i64) {
        let table = self.definition(name);
        let item = self.item(Stage::PostData, Aspect::Definition, "sequence", name);
        item.table = table;
        item.depends = table.into_iter().collect();
        let id = item.id;
        let name = name.replace('\'', "''");
        self.texts.push((
            id,
            format!("DELETE FROM sqlite_sequence WHERE name='{name}';\nINSERT INTO sqlite_sequence VALUES('{name}',{value});\n").into(),
        ));
    }

    fn definition(&self, table: &str) -> Option<u32> {
        let found = self.tables.iter().find(|(_, name)| name == table);
        found.map(|(id, _)| *id)
    }

    /// What belongs to a table, or reads one, comes when all rows are in.
    fn after(&mut self, entry: &Entry) {
        let table = self.definition(&entry.table);
        let item = self.item(
            Stage::PostData,
            Aspect::Definition,
            &entry.kind,
            &entry.name,
        );
        item.table = table;
        item.depends = table.into_iter().collect();
        let id = item.id;
        self.texts.push((id, format!("{};\n", entry.sql).into()));
    }

    fn outline(self) -> Result<Outline> {
        let model = serde_json::json!({ "tables": self.tables.len() });
        Ok(Outline {
            source: source(),
            consistency: consistency(),
            form: Form::Sql,
            catalog: CatalogModel::new(KIND, 1, &model)?,
            items: self.items,
            objects: vec![ObjectPlan {
                name: "main".into(),
                definitions: self.texts,
                parts: self.parts,
            }],
            problems: self.problems,
        })
    }
}

#[async_trait]
impl DumpSession for Session {
    fn outline(&self) -> &Outline {
        &self.outline
    }

    async fn dump(&self, part: &DataPart, out: &mut PartSink) -> Result<()> {
        // SQLite blocks, and its cursor can't be carried over an await: the reader waits here, in a thread of its own.
        let runtime = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| {
            let (table, item) = (&self.tables[part.id as usize], part.items[0]);
            let size = out.block_size();
            let read = table.blocks(&self.connection(), size, |block| {
                runtime.block_on(out.rows(item, block))
            })?;
            read.map_err(|cause| Error::new(ErrorKind::Server, "can't be read").source(cause))
        })
    }

    async fn confirm(&self) -> Result<()> {
        // The view is a transaction of a file: nobody can take it away.
        Ok(())
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}
