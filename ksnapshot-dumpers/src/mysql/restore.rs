//! Writing a snapshot back.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ksnapshot_core::{
    Bytes, Cx, DataStats, Error, ErrorKind, Event, Frame, Index, Item, Loaded, RestoreOptions,
    RestoreSession, Result, async_trait,
};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use tokio::sync::RwLock;

use super::connect::{MySql, run, version};
use super::ddl::{self, last, program};
use super::error::classify;
use super::load::{RETRIES, load};
use super::model::Catalog;
use super::quote::name;
use super::script::TableData;
use super::statements::statements;
use super::target::{self, Names};
use super::version::{Flavour, Server};
use super::{client_charset, load_settings, rows};

/// How long ending what is left on the server may take.
const CLOSE: Duration = Duration::from_secs(5);

/// A target that is being written to.
pub(super) struct Session {
    server: MySql,
    target: Server,
    catalog: Catalog,
    names: Names,
    tables: BTreeMap<u32, TableData>,
    idle: Mutex<Vec<Worker>>,
    /// All our connections, to end those that are still busy when we leave.
    connections: Vec<u32>,
    /// The largest statement that the target takes.
    packet: usize,
    /// Whoever changes a database's collation for a moment has it alone.
    turns: RwLock<()>,
    /// What is done when everything else is: database, object, statements.
    last: Mutex<Vec<(String, String, String)>>,
    cx: Cx,
}

/// A connection and the database that it is in.
struct Worker {
    connection: Conn,
    database: Option<String>,
}

impl Worker {
    async fn go_to(&mut self, database: Option<&str>) -> Result<()> {
        if let Some(database) = database
            && self.database.as_deref() != Some(database)
        {
            run(&mut self.connection, &format!("USE {}", name(database))).await?;
            self.database = Some(database.to_owned());
        }
        Ok(())
    }
}

impl Session {
    pub(super) async fn open(
        server: &MySql,
        index: &Index,
        items: &[u32],
        options: RestoreOptions,
        workers: NonZeroUsize,
        cx: &Cx,
    ) -> Result<Self> {
        let catalog = Catalog::of(index)?;
        let script = ddl::script(&catalog);
        if script.items.len() != index.items.len() {
            return Err(Error::corrupt(
                "index: its items are not those of its catalog model",
            ));
        }
        let names = Names::new(server, &catalog)?;
        let mut first = server.connect().await?;
        let (target, _) = version(&mut first).await?;
        load_settings::settle(&mut first, target).await?;
        if target.flavour != catalog.server.flavour {
            cx.emit(&Event::Warning(&other_family(&catalog, target)));
        }
        if options.create {
            for database in &catalog.databases {
                target::create_database(&mut first, database, names.of(&database.name)).await?;
            }
        }
        let existing = target::existing(&mut first, &names).await?;
        let chosen: Vec<&Item> = (items.iter())
            .filter_map(|&id| index.items.get(id as usize))
            .collect();
        if catalog.single()
            && let Some(missing) = names
                .all()
                .find(|name| !existing.iter().any(|e| e.eq_ignore_ascii_case(name)))
        {
            return Err(Error::new(
                ErrorKind::Server,
                format!("{}: database {missing} does not exist", server.address()),
            )
            .hint("Check the name; a restore creates it with --create."));
        }
        if options.clean {
            target::clean(&mut first, &names, &chosen).await?;
        } else if options.partial {
            target::check_absent(&mut first, &names, &chosen).await?;
        } else {
            target::check_empty(&mut first, &names).await?;
        }
        let packet: Option<usize> =
            (first.query_first("SELECT @@max_allowed_packet").await).map_err(classify)?;
        let mut idle = vec![first];
        for _ in 1..workers.get() {
            let mut more = server.connect().await?;
            load_settings::settle(&mut more, target).await?;
            idle.push(more);
        }
        let tables = (script.objects.into_iter())
            .flat_map(|object| object.tables)
            .map(|mut table| {
                table.database = names.of(&table.database).to_owned();
                (table.item, table)
            })
            .collect();
        Ok(Self {
            server: server.clone(),
            target,
            catalog,
            names,
            tables,
            connections: idle.iter().map(Conn::id).collect(),
            idle: Mutex::new(
                idle.into_iter()
                    .map(|connection| Worker {
                        connection,
                        database: None,
                    })
                    .collect(),
            ),
            packet: packet.unwrap_or(1 << 20),
            turns: RwLock::new(()),
            last: Mutex::default(),
            cx: cx.clone(),
        })
    }

    fn take(&self) -> Result<Worker> {
        (self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop())
        .ok_or_else(|| Error::new(ErrorKind::Failed, "more writers than connections"))
    }

    fn give_back(&self, worker: Worker) {
        (self.idle.lock().unwrap_or_else(PoisonError::into_inner)).push(worker);
    }

    /// A drill touches nothing outside of its databases, and in them nothing happens by itself.
    fn left_alone(&self, item: &Item) -> bool {
        self.server.scratch().is_some()
            && matches!(
                item.kind.as_str(),
                "user" | "role" | last::EVENT_STATUS | last::READ_ONLY
            )
    }

    /// The statements of an item, as the target has to hear them.
    fn statements(&self, item: &Item, text: &str) -> Vec<String> {
        if item.kind == "database" && !self.catalog.single() {
            let database = self.catalog.databases.iter().find(|d| d.name == item.name);
            return database
                .map(|d| ddl::database::create_if_missing(d, self.names.of(&d.name)))
                .into_iter()
                .collect();
        }
        statements(text)
            .into_iter()
            // The session is in the item's database, which may be called otherwise here.
            .filter(|statement| {
                !statement
                    .get(..4)
                    .is_some_and(|word| word.eq_ignore_ascii_case("USE "))
            })
            .map(|statement| load_settings::for_target(statement, self.target))
            .map(|statement| {
                let new_name = |old: &str| self.names.new_name(old);
                match item.kind.as_str() {
                    _ if !self.names.change() => statement,
                    "view" => program::renamed(&statement, new_name),
                    "table" | "foreign key" => program::renamed_all(&statement, new_name),
                    "trigger" => {
                        program::trigger_anywhere(&item.name, self.table_of(item), &statement)
                    }
                    _ => statement,
                }
            })
            .collect()
    }

    /// The columns of a table that the server makes from others.
    fn generated(&self, table: &Item) -> Vec<&str> {
        let schema = table.schema.as_deref().unwrap_or_default();
        (self.catalog.databases.iter())
            .filter(|d| d.name == schema || (table.schema.is_none() && self.catalog.single()))
            .flat_map(|d| &d.tables)
            .filter(|t| t.name == table.name)
            .flat_map(|t| &t.columns)
            .filter(|c| c.generated)
            .map(|c| c.name.as_str())
            .collect()
    }

    /// The table that a trigger is of.
    fn table_of(&self, trigger: &Item) -> &str {
        let schema = trigger.schema.as_deref().unwrap_or_default();
        (self.catalog.databases.iter().find(|d| d.name == schema))
            .and_then(|d| d.triggers.iter().find(|t| t.name == trigger.name))
            .map_or("", |t| &t.table)
    }

    /// Runs all statements of an item: those after a refused one put the session back. The first refusal is the result.
    async fn run_all(&self, worker: &mut Worker, item: &Item, all: &[Vec<u8>]) -> Result<()> {
        let mut done = Ok(());
        for statement in all {
            let mut ran = run_bytes(&mut worker.connection, statement).await;
            // Two definitions at work on the same tables may lock each other out; the server ends one of them, whole.
            for _ in 0..RETRIES {
                match &ran {
                    Err(error) if error.kind() == ErrorKind::Conflict => {
                        ran = run_bytes(&mut worker.connection, statement).await;
                    }
                    _ => break,
                }
            }
            let ran = ran.map_err(|error| match error.kind() {
                ErrorKind::Conflict => error.with_kind(ErrorKind::Refused),
                _ => error,
            });
            match ran {
                Err(error) if !went_on(&error) => return Err(error),
                Err(error) if done.is_ok() => done = Err(error),
                Ok(()) if worker.connection.get_warnings() > 0 => {
                    let told = self.warnings(worker, item).await;
                    done = done.and(told);
                }
                _ => {}
            }
        }
        done
    }

    /// What the server did otherwise than it was told.
    async fn warnings(&self, worker: &mut Worker, item: &Item) -> Result<()> {
        let warnings: Vec<(String, u16, String)> =
            (worker.connection.query("SHOW WARNINGS").await).map_err(classify)?;
        for (_, code, message) in warnings {
            match code {
                // An event of the past that is not kept: it is gone at once.
                1588 => {
                    return Err(Error::new(ErrorKind::Refused, message)
                        .hint("Its time has passed; create it by hand with another one if it is still wanted."));
                }
                // Another engine than the one named, or an option that was ignored.
                1266 | 1286 | 1478 => {
                    let text = format!("{}: {message}", item.title());
                    self.cx.emit(&Event::Warning(&text));
                }
                _ => tracing::debug!(item = item.title(), code, message, "warning"),
            }
        }
        Ok(())
    }

    async fn finish(&self) -> Result<()> {
        let todo = std::mem::take(&mut *self.last.lock().unwrap_or_else(PoisonError::into_inner));
        if todo.is_empty() {
            return Ok(());
        }
        let mut worker = self.take()?;
        for (database, object, text) in todo {
            worker.go_to(Some(&database)).await?;
            for statement in statements(&text) {
                let statement = load_settings::for_target(statement, self.target);
                run(&mut worker.connection, &statement)
                    .await
                    .map_err(|error| match error.kind() {
                        ErrorKind::Refused => {
                            error.with_kind(ErrorKind::Failed).context(object.clone())
                        }
                        _ => error.context(object.clone()),
                    })?;
            }
        }
        self.give_back(worker);
        Ok(())
    }
}

#[async_trait]
impl RestoreSession for Session {
    async fn define(&self, item: &Item, text: &str) -> Result<()> {
        if self.left_alone(item) {
            return Ok(());
        }
        if item.kind == ddl::SOURCE {
            return if self.target.flavour == self.catalog.server.flavour {
                Ok(())
            } else {
                Err(
                    Error::new(ErrorKind::Refused, other_family(&self.catalog, self.target))
                        .hint("Look at what was refused, and compare what the application needs."),
                )
            };
        }
        let database = item
            .schema
            .as_deref()
            .map(|database| self.names.of(database).to_owned());
        if let (last::EVENT_STATUS | last::READ_ONLY, Some(database)) =
            (item.kind.as_str(), &database)
        {
            let todo = (database.clone(), item.title(), text.to_owned());
            (self.last.lock().unwrap_or_else(PoisonError::into_inner)).push(todo);
            return Ok(());
        }
        let all = self.statements(item, text);
        let alone = all.iter().any(|s| s.starts_with("ALTER DATABASE"));
        // Held to the end.
        let (_mine, _ours) = if alone {
            (Some(self.turns.write().await), None)
        } else {
            (None, Some(self.turns.read().await))
        };
        let mut worker = self.take()?;
        // A single database is made by no item, and its own settings are an item without a database.
        let database = match (item.kind.as_str(), self.catalog.single()) {
            ("database", true) => Some(self.names.of(&item.name).to_owned()),
            _ => database,
        };
        worker.go_to(database.as_deref()).await?;
        if item.kind == "event" {
            // That an event is of the past is only a note.
            run(&mut worker.connection, "SET SESSION sql_notes = 1").await?;
        }
        let all =
            client_charset::statements(&mut worker.connection, &self.catalog, item, all).await?;
        let mut done = self.run_all(&mut worker, item, &all).await;
        if item.kind == "event" {
            let quiet = run(&mut worker.connection, "SET SESSION sql_notes = 0").await;
            done = done.and(quiet);
        }
        // After a refusal the session goes on; after a lost connection there is none.
        if done.as_ref().err().is_none_or(went_on) {
            self.give_back(worker);
        }
        done
    }

    async fn load(&self, item: &Item, _: &[Frame], blocks: Vec<Bytes>) -> Result<Loaded> {
        let table = self.table(item)?;
        let mut worker = self.take()?;
        worker.go_to(Some(&table.database)).await?;
        let generated = self.generated(item);
        let took = load(
            &mut worker.connection,
            table,
            &generated,
            &blocks,
            self.packet,
        )
        .await
        .map_err(|e| match e.kind() {
            ErrorKind::Refused | ErrorKind::AlreadyExists => e.with_kind(ErrorKind::Failed),
            _ => e,
        })?;
        self.give_back(worker);
        Ok(took.into())
    }

    async fn measure(&self, item: &Item) -> Result<DataStats> {
        let table = self.table(item)?;
        let mut worker = self.take()?;
        worker.go_to(Some(&table.database)).await?;
        let stats = rows::measure(&mut worker.connection, table).await?;
        self.give_back(worker);
        Ok(stats)
    }

    async fn close(&self, succeeded: bool) -> Result<()> {
        let done = if succeeded {
            self.finish().await
        } else {
            Ok(())
        };
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        let busy: Vec<u32> = (self.connections.iter().copied())
            .filter(|id| !idle.iter().any(|worker| worker.connection.id() == *id))
            .collect();
        let end = async {
            for worker in idle {
                let _ = worker.connection.disconnect().await;
            }
            if !busy.is_empty() {
                let mut helper = self.server.connect().await?;
                for id in busy {
                    // One that has ended by itself is not there any more.
                    let _ = helper.query_drop(format!("KILL {id}")).await;
                }
                let _ = helper.disconnect().await;
            }
            Ok::<_, Error>(())
        };
        // A server that does not answer ends our sessions by itself when it sees the closed sockets.
        let _ = tokio::time::timeout(CLOSE, end).await;
        done
    }
}

impl Session {
    fn table(&self, item: &Item) -> Result<&TableData> {
        (self.tables.get(&item.id)).ok_or_else(|| {
            Error::corrupt("index: rows of something that the catalog model does not hold")
        })
    }
}

async fn run_bytes(connection: &mut Conn, statement: &[u8]) -> Result<()> {
    connection.query_drop(statement).await.map_err(classify)
}

/// Whether the session goes on after this error.
fn went_on(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Refused | ErrorKind::AlreadyExists)
}

fn other_family(catalog: &Catalog, target: Server) -> String {
    let differ = match target.flavour {
        Flavour::MariaDb => {
            "JSON becomes text with a check, and collations of MySQL 8 may be unknown"
        }
        Flavour::MySql => {
            "sequences, packages and histories are unknown, and so may be types and collations"
        }
    };
    format!(
        "dumped from {}, restored into {target}, which is of another family: {differ}",
        catalog.server
    )
}
