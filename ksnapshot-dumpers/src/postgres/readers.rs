//! The connections of a dump. The first one, the leader, holds a lock on every table until the dump ends.

use std::sync::{Mutex, PoisonError};

use ksnapshot_core::{Error, ErrorKind, Result};
use sqlx::postgres::PgConnection;
use tokio::sync::Notify;

use super::ddl::TableData;
use super::query::run;

/// One connection, whose transaction sees the dump's snapshot.
pub(super) struct Reader {
    pub(super) connection: PgConnection,
    leads: bool,
    /// It has a savepoint to go back to: the locks of what it read last are given up there.
    marked: bool,
}

/// Those that are not at work.
pub(super) struct Readers {
    /// The leader, if it is here, comes first, and is taken last.
    idle: Mutex<Vec<Reader>>,
    back: Notify,
}

impl Readers {
    pub(super) fn new(leader: PgConnection, followers: Vec<PgConnection>) -> Self {
        let reader = |leads| {
            move |connection| Reader {
                connection,
                leads,
                marked: false,
            }
        };
        let leader = std::iter::once(leader).map(reader(true));
        Self {
            idle: Mutex::new(
                leader
                    .chain(followers.into_iter().map(reader(false)))
                    .collect(),
            ),
            back: Notify::new(),
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Reader>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take(&self) -> Result<Reader> {
        let reader = self.idle().pop();
        reader.ok_or_else(|| Error::new(ErrorKind::Failed, "more readers than connections"))
    }

    pub(super) fn give_back(&self, reader: Reader) {
        let mut idle = self.idle();
        let place = if reader.leads { 0 } else { idle.len() };
        idle.insert(place, reader);
        drop(idle);
        self.back.notify_waiters();
    }

    /// A reader that has a lock on each of these tables.
    ///
    /// Somebody who wants to alter a table waits for the leader's lock, and whoever asks for one after that waits for
    /// them: a follower would wait for the leader's end, which waits for the follower, and no server sees through that. So
    /// followers don't wait, and leave such tables to the leader.
    ///
    /// The leader's locks are enough to keep the tables as they are, so a follower gives up those of what it read before:
    /// the server has room for so many in all.
    pub(super) async fn take_for(&self, tables: &[&TableData]) -> Result<Reader> {
        let mut reader = self.take()?;
        if reader.leads {
            return Ok(reader);
        }
        let mark = match std::mem::replace(&mut reader.marked, true) {
            true => "ROLLBACK TO SAVEPOINT reader",
            false => "SAVEPOINT reader",
        };
        let lock = format!(
            "{mark}; LOCK TABLE {} IN ACCESS SHARE MODE NOWAIT",
            list(tables)
        );
        match run(&mut reader.connection, &lock).await {
            Ok(()) => Ok(reader),
            Err(error) if error.kind() == ErrorKind::Server => Err(error),
            // Somebody waits, or there is no room for another lock.
            Err(_) => {
                run(&mut reader.connection, "ROLLBACK TO SAVEPOINT reader").await?;
                self.give_back(reader);
                Ok(self.leader().await)
            }
        }
    }

    async fn leader(&self) -> Reader {
        loop {
            let back = self.back.notified();
            tokio::pin!(back);
            // Heard from now on: it may come back between the look and the wait.
            back.as_mut().enable();
            {
                let mut idle = self.idle();
                if idle.first().is_some_and(|reader| reader.leads) {
                    return idle.remove(0);
                }
            }
            back.await;
        }
    }

    /// All that are here, at the end.
    pub(super) fn leave(&self) -> Vec<Reader> {
        std::mem::take(&mut *self.idle())
    }

    /// Back again, as they left.
    pub(super) fn stay(&self, readers: Vec<Reader>) {
        *self.idle() = readers;
    }
}

/// Names for a LOCK. Rows that go through the root of a tree are read with those of all its partitions.
fn list(tables: &[&TableData]) -> String {
    let name = |table: &&TableData| match table.through_root {
        true => table.name.clone(),
        false => format!("ONLY {}", table.name),
    };
    tables.iter().map(name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_on_the_tables_that_are_read() {
        let own = TableData::plain("s.own", &[]);
        let root = TableData {
            through_root: true,
            ..TableData::plain("s.root", &[])
        };
        assert_eq!(list(&[&own, &root]), "ONLY s.own, s.root");
    }
}
