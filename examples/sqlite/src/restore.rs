//! Restoring: everything in one transaction, so that a failed restore leaves the file as it was.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ksnapshot_core::{
    Aspect, Bytes, DataStats, Error, ErrorKind, Frame, Index, Item, Loaded, RestoreOptions,
    RestoreSession, Result, Stage, async_trait,
};
use rusqlite::{Connection, OpenFlags};

use super::Sqlite;
use super::rows::{Table, quote};

#[derive(Debug)]
pub(crate) struct Session {
    file: Sqlite,
    connection: Mutex<Connection>,
}

impl Session {
    pub(crate) fn open(
        file: &Sqlite,
        index: &Index,
        items: &[u32],
        options: RestoreOptions,
    ) -> Result<Self> {
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        if options.create {
            flags |= OpenFlags::SQLITE_OPEN_CREATE;
        }
        let connection = file.connect(flags)?;
        let failed = |cause| file.error(cause);
        connection
            .execute_batch("PRAGMA foreign_keys=OFF; BEGIN IMMEDIATE;")
            .map_err(failed)?;
        let definitions = items.iter().filter_map(|&id| index.items.get(id as usize));
        let definitions: Vec<&Item> = definitions
            .filter(|item| item.aspect == Aspect::Definition)
            .collect();
        if options.clean {
            // What belongs to a table goes with it.
            for item in definitions
                .iter()
                .filter(|i| ["table", "view"].contains(&i.kind.as_str()))
            {
                let sql = format!("DROP {} IF EXISTS {}", item.kind, quote(&item.name));
                connection.execute_batch(&sql).map_err(failed)?;
            }
        }
        let there = names(&connection).map_err(failed)?;
        let in_the_way = match options.partial {
            true => there
                .into_iter()
                .find(|name| definitions.iter().any(|i| i.name == *name)),
            false => there.into_iter().next(),
        };
        if let Some(name) = in_the_way {
            return Err(Error::new(
                ErrorKind::TargetNotEmpty,
                format!("{}: holds {name} already", file.path.display()),
            )
            .hint("Restore into another file, or pass --clean."));
        }
        Ok(Self {
            file: file.clone(),
            connection: Mutex::new(connection),
        })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let mut statement = connection.prepare(sql)?;
    let names = statement.query_map([], |row| row.get(0))?;
    names.collect()
}

#[async_trait]
impl RestoreSession for Session {
    async fn define(&self, item: &Item, text: &str) -> Result<()> {
        if item.aspect == Aspect::Setting {
            // The transaction is ours.
            return Ok(());
        }
        let done = tokio::task::block_in_place(|| self.connection().execute_batch(text));
        done.map_err(|cause| Error::new(ErrorKind::Refused, "refused").source(cause))
    }

    async fn load(&self, _: &Item, _: &[Frame], blocks: Vec<Bytes>) -> Result<Loaded> {
        let script = String::from_utf8(blocks.concat())
            .map_err(|cause| Error::corrupt("a block is no text").source(cause))?;
        tokio::task::block_in_place(|| {
            let connection = self.connection();
            let before = connection.total_changes();
            connection
                .execute_batch(&script)
                .map_err(|cause| self.file.error(cause))?;
            Ok(Loaded::from(connection.total_changes() - before))
        })
    }

    async fn measure(&self, item: &Item) -> Result<DataStats> {
        debug_assert_eq!(item.stage, Stage::Data);
        tokio::task::block_in_place(|| {
            let connection = self.connection();
            let failed = |cause| self.file.error(cause);
            let table = Table::read(&connection, &item.name).map_err(failed)?;
            table.measure(&connection)?.map_err(failed)
        })
    }

    async fn close(&self, succeeded: bool) -> Result<()> {
        let end = if succeeded { "COMMIT" } else { "ROLLBACK" };
        let done = self.connection().execute_batch(end);
        done.map_err(|cause| self.file.error(cause))
    }
}
