//! Climbing: the locks of a rung, held for as short as can be, and the readers' transactions opened under them.

use std::time::{Duration, Instant};

use ksnapshot_core::{Error, ErrorKind, Result};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use tokio::time::{sleep, timeout};

use super::{Position, Rung, position};
use crate::mysql::connect::{MySql, run};
use crate::mysql::error::{classify, number};
use crate::mysql::quote;
use crate::mysql::rows::title;
use crate::mysql::script::TableData;
use crate::mysql::settle::settle;
use crate::mysql::version::{Flavour, Server};
use crate::mysql::wire::Wire;

/// How long a lock is waited for. Whoever writes may wait as long, so it is short.
pub(in crate::mysql) const PATIENCE: Duration = Duration::from_secs(5);

/// How often is looked whether a lock would have to wait.
const LOOK: Duration = Duration::from_millis(200);

/// How much later than the server's own end of waiting ours comes.
const GRACE: Duration = Duration::from_secs(5);

/// How often transactions are opened again until all are at one place of the binary log.
const TRIES: usize = 200;

/// Opens a transaction whose view of the rows is that of this very moment.
const BEGIN: &str = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

/// Text of one LOCK TABLES; more tables are locked by another session.
const LOCK_TEXT: usize = 1 << 20;

/// Opens the transactions of `readers` at one moment by the means of `rung`, and says where that is.
///
/// Errors: what kept this rung from being reached; no lock is left behind. [`ErrorKind::Server`] when the server is gone.
pub(in crate::mysql) async fn take(
    rung: Rung,
    source: &MySql,
    server: Server,
    readers: &mut [Wire],
    tables: &[TableData],
) -> Result<Position> {
    match rung {
        Rung::BinaryLog => by_log(readers).await,
        Rung::One => {
            begin(readers).await?;
            let place = position::of_snapshot(&mut readers[0]).await?;
            Ok(match place {
                Some((file, place)) => position::named(&mut readers[0], &file, &place).await,
                None => Position::new(),
            })
        }
        Rung::BackupStage | Rung::GlobalLock | Rung::TableLocks => {
            let mut locks = Locks {
                source,
                server,
                sessions: Vec::new(),
            };
            let taken = locks.taken(rung, readers, tables).await;
            let left = locks.leave().await;
            let position = taken?;
            left?;
            Ok(position)
        }
    }
}

/// A session that keeps definitions as they are while it lives: `LOCK INSTANCE FOR BACKUP`. None if that can't be had.
pub(in crate::mysql) async fn hold(source: &MySql, server: Server) -> Result<Option<Conn>> {
    let mut session = source.connect().await?;
    settle(&mut session, server).await?;
    match patient(source, &mut session, "LOCK INSTANCE FOR BACKUP").await {
        Ok(()) => Ok(Some(session)),
        Err(error) if error.kind() == ErrorKind::Server => Err(error),
        Err(error) => {
            tracing::debug!(%error, "definitions can't be held still");
            let _ = session.disconnect().await;
            Ok(None)
        }
    }
}

/// Reads of every table, of every reader, by which its lock keeps the definition as it is till the end of the transaction.
/// Gives the numbers of tables that may not be read.
///
/// Errors: [`ErrorKind::Conflict`] when a table is not there any more, or somebody is changing it.
pub(in crate::mysql) async fn touch(
    readers: &mut [Wire],
    tables: &[TableData],
) -> Result<Vec<usize>> {
    let mut unreadable = Vec::new();
    for reader in readers {
        for (i, table) in tables.iter().enumerate().filter(|(_, t)| t.readable) {
            let name = quote::qualified(&table.database, &table.name);
            let read = reader.query(&format!("SELECT 1 FROM {name} LIMIT 0")).await;
            match read.map_err(|cause| (number(&cause), classify(cause))) {
                Ok(_) => {}
                Err((Some(1142 | 1143), _)) => unreadable.push(i),
                Err((Some(1146 | 1205 | 1412), cause)) => {
                    let message = format!("{}: being changed", title(table));
                    return Err(Error::new(ErrorKind::Conflict, message).source(cause));
                }
                Err((_, error)) if error.kind() == ErrorKind::Server => return Err(error),
                // A table that is broken says so again when its turn comes.
                Err(_) => {}
            }
        }
    }
    unreadable.sort_unstable();
    unreadable.dedup();
    Ok(unreadable)
}

/// The same place in the binary log: nothing was committed between one reader and the next.
async fn by_log(readers: &mut [Wire]) -> Result<Position> {
    for _ in 0..TRIES {
        begin(readers).await?;
        let mut places = Vec::new();
        for reader in readers.iter_mut() {
            places.push(position::of_snapshot(reader).await?);
        }
        let Some((file, place)) = &places[0] else {
            return Err(refused(
                "transactions do not know their place in the binary log",
            ));
        };
        if places.iter().all(|other| *other == places[0]) {
            return Ok(position::named(&mut readers[0], file, place).await);
        }
    }
    Err(refused(
        "the server writes too much for readers to meet at one place of its binary log",
    ))
}

async fn begin(readers: &mut [Wire]) -> Result<()> {
    for reader in readers {
        run(reader, BEGIN).await?;
    }
    Ok(())
}

/// Sessions that hold locks.
struct Locks<'s> {
    source: &'s MySql,
    server: Server,
    sessions: Vec<Conn>,
}

impl Locks<'_> {
    async fn taken(
        &mut self,
        rung: Rung,
        readers: &mut [Wire],
        tables: &[TableData],
    ) -> Result<Position> {
        match rung {
            Rung::BackupStage => {
                let stages = ["START", "FLUSH", "BLOCK_DDL", "BLOCK_COMMIT"];
                self.lock(&stages.map(|stage| format!("BACKUP STAGE {stage}")), false)
                    .await?;
            }
            Rung::GlobalLock => {
                // A FLUSH TABLES before it would seem to make it shorter. But one that waits in vain leaves the tables marked,
                // and whoever opens them then waits as long as the statement runs that was in the way.
                self.lock(&["FLUSH TABLES WITH READ LOCK".to_owned()], true)
                    .await?;
            }
            _ => {
                for statement in lock_tables(tables) {
                    self.lock(&[statement], false).await?;
                }
            }
        }
        begin(readers).await?;
        if self.server.flavour == Flavour::MySql {
            return Ok(match self.sessions.first_mut() {
                Some(session) => position::here(session, self.server).await,
                None => Position::new(),
            });
        }
        Ok(match position::of_snapshot(&mut readers[0]).await? {
            Some((file, place)) => position::named(&mut readers[0], &file, &place).await,
            None => Position::new(),
        })
    }

    /// Runs statements in a session of their own, which keeps what they lock. Those of the server as a whole have to wait for
    /// whoever only reads.
    async fn lock(&mut self, statements: &[String], global: bool) -> Result<()> {
        let mut session = self.source.connect().await?;
        settle(&mut session, self.server).await?;
        let waits = Instant::now() + PATIENCE;
        while global && let Some(seconds) = in_the_way(&mut session).await {
            if Instant::now() > waits {
                let _ = session.disconnect().await;
                return Err(refused(&format!(
                    "a statement has been running for {seconds} s"
                )));
            }
            sleep(LOOK).await;
        }
        for statement in statements {
            if let Err(error) = patient(self.source, &mut session, statement).await {
                // A lock that came with the error goes with the session.
                self.sessions.push(session);
                return Err(error);
            }
        }
        self.sessions.push(session);
        Ok(())
    }

    /// Gives back all locks: a session's end does, and is waited for by asking for it.
    async fn leave(&mut self) -> Result<()> {
        let mut left = Ok(());
        for mut session in self.sessions.drain(..) {
            // Of the two only that works of which there is something to give back.
            let unlock = async {
                let unlocked = run(&mut session, "UNLOCK TABLES").await;
                if self.server.flavour == Flavour::MariaDb {
                    let _ = session.query_drop("BACKUP STAGE END").await;
                }
                unlocked
            };
            left = match timeout(GRACE, unlock).await {
                Ok(unlocked) => left.and(unlocked),
                Err(_) => Err(refused("locks are not given back")),
            };
            let _ = timeout(GRACE, session.disconnect()).await;
        }
        left
    }
}

/// One statement for all tables: another one would give back what the first has locked. Very many need several sessions.
fn lock_tables(tables: &[TableData]) -> Vec<String> {
    let mut statements: Vec<String> = Vec::new();
    for table in tables.iter().filter(|t| t.readable) {
        let name = quote::qualified(&table.database, &table.name);
        match statements.last_mut() {
            Some(statement) if statement.len() < LOCK_TEXT => {
                statement.push_str(&format!(", {name} READ"));
            }
            _ => statements.push(format!("LOCK TABLES {name} READ")),
        }
    }
    statements
}

/// For how long somebody has kept a statement running that a lock would have to wait for: others would have to wait with
/// it. Without the right to see others, nobody is seen.
async fn in_the_way(session: &mut Conn) -> Option<u64> {
    let sql = "SELECT MAX(time) FROM information_schema.PROCESSLIST
         WHERE command IN ('Query', 'Execute') AND id <> CONNECTION_ID() AND time > 0";
    session.query_first::<Option<u64>, _>(sql).await.ok()??
}

/// Runs a statement that may have to wait for others. It is ended when it waits too long, if the server doesn't do so.
async fn patient(source: &MySql, session: &mut Conn, statement: &str) -> Result<()> {
    let id = session.id();
    match timeout(PATIENCE + GRACE, run(session, statement)).await {
        Ok(done) => done,
        Err(_) => {
            // The session is in the middle of an answer; the server ends it, and gives back what it has locked.
            let mut helper = source.connect().await?;
            let _ = helper.query_drop(format!("KILL {id}")).await;
            let _ = helper.disconnect().await;
            Err(refused("a lock was not to be had"))
        }
    }
}

fn refused(why: &str) -> Error {
    Error::new(ErrorKind::Refused, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_statement_locks_all_tables_that_it_can_name() {
        let table = |name: &str, readable| TableData {
            item: 0,
            database: "d".into(),
            name: name.into(),
            columns: Vec::new(),
            keys: Vec::new(),
            partitions: Vec::new(),
            engine: "INNODB".into(),
            versioned: false,
            condition: None,
            bytes: 0,
            rows: 0,
            readable,
        };
        assert_eq!(
            lock_tables(&[table("a", true), table("b", false), table("c`", true)]),
            ["LOCK TABLES `d`.`a` READ, `d`.`c``` READ"]
        );
        let many: Vec<TableData> = (0..40_000)
            .map(|i| table(&format!("{i:060}"), true))
            .collect();
        let statements = lock_tables(&many);
        assert!(statements.len() > 1 && statements.iter().all(|s| s.len() < LOCK_TEXT + 200));
        assert_eq!(statements.concat().matches(" READ").count(), many.len());
    }
}
