//! Opening: sessions, the moment, and the catalog that belongs to it.

use std::num::NonZeroUsize;

use ksnapshot_core::{Consistency, Error, ErrorKind, Result};
use mysql_async::Conn;

use super::connect::{MySql, version};
use super::model::{Catalog, Database, Table};
use super::moment::powers;
use super::moment::{
    Guard, Position, Rung, claim, hold, instance_lock, rungs, standing, take, touch,
};
use super::script::{Script, TableData};
use super::session::leave;
use super::settle::{patient, settle, settle_reader};
use super::version::Server;
use super::wire::Wire;
use super::{catalog, ddl};

/// How often the moment is taken again when definitions changed around it.
const TRIES: usize = 3;

/// Above that many tables times readers, no locks are taken on them one by one.
const TOUCHES: usize = 20_000;

/// Everything that a dump reads from.
pub(super) struct View {
    pub(super) server: Server,
    pub(super) version: String,
    pub(super) catalog: Catalog,
    pub(super) script: Script,
    pub(super) consistency: Consistency,
    /// In transactions of one moment.
    pub(super) readers: Vec<Wire>,
    /// Keeps definitions as they are while it lives.
    pub(super) guard: Option<Conn>,
    /// Definitions have to be compared at the end.
    pub(super) unguarded: bool,
    /// Items of tables that the server refused to let us read.
    refused: Vec<u32>,
}

impl View {
    pub(super) async fn open(source: &MySql, workers: NonZeroUsize) -> Result<Self> {
        let mut helper = source.connect().await?;
        let (server, version) = version(&mut helper).await?;
        settle(&mut helper, server).await?;
        let powers = powers::read(&mut helper, server).await?;
        let mut readers = Vec::new();
        for _ in 0..workers.get() {
            let mut reader = source.connect_reader().await?;
            settle_reader(&mut reader, server).await?;
            readers.push(reader);
        }
        let guard = if instance_lock(server, &powers) {
            hold(source, server).await?
        } else {
            None
        };
        let mut climb = Climb {
            source,
            server,
            rungs: rungs(server, &powers),
            readers,
            helper,
            guarded: guard.is_some(),
        };
        let mut taken = climb.moment().await;
        for reader in &mut climb.readers {
            if let Err(error) = patient(reader).await {
                taken = taken.and(Err(error));
            }
        }
        if let Ok(taken) = &mut taken {
            let facts = standing(&mut climb.helper, server).await;
            taken.consistency.position.extend(facts);
        }
        let Climb {
            readers, helper, ..
        } = climb;
        leave([helper]).await;
        match taken {
            Ok(taken) => Ok(Self {
                server,
                version,
                catalog: taken.catalog,
                script: taken.script,
                consistency: taken.consistency,
                readers,
                guard,
                unguarded: taken.guard == Guard::None,
                refused: taken.refused,
            }),
            Err(error) => {
                leave(readers).await;
                leave(guard).await;
                Err(error)
            }
        }
    }

    /// Its rows may be read.
    pub(super) fn readable(&self, table: &TableData) -> bool {
        table.readable && !self.refused.contains(&table.item)
    }
}

/// On the way up.
struct Climb<'s> {
    source: &'s MySql,
    server: Server,
    rungs: Vec<Rung>,
    readers: Vec<Wire>,
    helper: Conn,
    guarded: bool,
}

/// Where it ended.
struct Reached {
    catalog: Catalog,
    script: Script,
    consistency: Consistency,
    guard: Guard,
    refused: Vec<u32>,
}

impl Climb<'_> {
    async fn moment(&mut self) -> Result<Reached> {
        let mut catalog = self.catalog().await?;
        for attempt in 1.. {
            let script = ddl::script(&catalog);
            let tables: Vec<TableData> = script
                .objects
                .iter()
                .flat_map(|o| o.tables.clone())
                .collect();
            let (rung, position) = self.climb(&tables).await?;
            if self.guarded {
                return Ok(reached(catalog, rung, Guard::Held, position, &[]));
            }
            if tables.len() * self.readers.len() > TOUCHES {
                return Ok(reached(catalog, rung, Guard::None, position, &[]));
            }
            let touched = match touch(&mut self.readers, &tables).await {
                Err(error) if error.kind() == ErrorKind::Conflict => Err(error),
                other => Ok(other?),
            };
            // Before the moment and after it the same: so it was then, and from now on our locks keep it.
            let after = self.catalog().await?;
            let changed = changed(&catalog, &after);
            catalog = after;
            let (guard, refused) = match touched {
                Ok(refused) if changed.is_none() => (Guard::Held, refused),
                _ if attempt < TRIES => continue,
                Ok(refused) => (Guard::None, refused),
                Err(error) => return Err(error),
            };
            let refused: Vec<u32> = refused.iter().map(|&i| tables[i].item).collect();
            return Ok(reached(catalog, rung, guard, position, &refused));
        }
        Err(Error::new(ErrorKind::Failed, "no moment was taken"))
    }

    async fn catalog(&mut self) -> Result<Catalog> {
        catalog::read(&mut self.helper, self.server, &self.source.scope()).await
    }

    /// The highest rung that bears; those that don't are not tried again.
    async fn climb(&mut self, tables: &[TableData]) -> Result<(Rung, Position)> {
        while let Some(&rung) = self.rungs.first() {
            if rung == Rung::One {
                leave(self.readers.drain(1..)).await;
            }
            match take(rung, self.source, self.server, &mut self.readers, tables).await {
                Ok(position) => return Ok((rung, position)),
                Err(error) if error.kind() == ErrorKind::Server || self.rungs.len() == 1 => {
                    return Err(error);
                }
                Err(error) => {
                    tracing::info!(rung = rung.name(), reason = %error, "another way to one moment is tried");
                    self.rungs.remove(0);
                }
            }
        }
        Err(Error::new(
            ErrorKind::Failed,
            "no way to one moment is left",
        ))
    }
}

fn reached(
    catalog: Catalog,
    rung: Rung,
    guard: Guard,
    mut position: Position,
    refused: &[u32],
) -> Reached {
    let script = ddl::script(&catalog);
    let tables = script.objects.iter().flat_map(|object| &object.tables);
    let claim = claim(rung, guard, tables);
    position.insert("rung".into(), rung.name().into());
    Reached {
        consistency: Consistency {
            claim: claim.into(),
            position,
        },
        script,
        catalog,
        guard,
        refused: refused.to_vec(),
    }
}

/// Something of `before` that is not the same in `after`, as a person would name it. What rows change, counters and sizes,
/// does not count, and neither does what is new.
pub(super) fn changed(before: &Catalog, after: &Catalog) -> Option<String> {
    before.databases.iter().find_map(|database| {
        let name = &database.name;
        match after.databases.iter().find(|other| other.name == *name) {
            Some(other) => within(database, other),
            None => Some(format!("database {name}")),
        }
    })
}

fn within(before: &Database, after: &Database) -> Option<String> {
    let database = &before.name;
    let table = before.tables.iter().find(|table| {
        let name = &table.name;
        let still = after.tables.iter().find(|other| other.name == *name);
        !still.is_some_and(|other| definition(table) == definition(other))
    });
    if let Some(table) = table {
        return Some(format!("table {database}.{}", table.name));
    }
    let same = before.sequences.iter().all(|x| after.sequences.contains(x))
        && before.views.iter().all(|x| after.views.contains(x))
        && before.routines.iter().all(|x| after.routines.contains(x))
        && before.triggers.iter().all(|x| after.triggers.contains(x))
        && before.events.iter().all(|x| after.events.contains(x));
    (!same).then(|| format!("database {database}"))
}

/// A table's text without its counter.
fn definition(table: &Table) -> (String, &[super::model::Column]) {
    const COUNTER: &str = " AUTO_INCREMENT=";
    let create = &table.create;
    // The options come after the last column; what looks like one before is a comment.
    let options = create.find("\n) ").unwrap_or(create.len());
    let text = match create[options..].find(COUNTER) {
        Some(at) => {
            let at = options + at;
            let rest =
                create[at + COUNTER.len()..].trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{}{rest}", &create[..at])
        }
        None => create.clone(),
    };
    (text, &table.columns)
}
