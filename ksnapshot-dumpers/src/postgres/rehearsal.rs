//! Definitions tried on the target in a transaction that is rolled back: an older server tells itself what it does not have.

use std::sync::atomic::{AtomicBool, Ordering};

use ksnapshot_core::{Error, ErrorKind, Result};
use sqlx::postgres::PgConnection;

use super::drop;
use super::error::{classify, sqlstate};
use super::query::{execute, run};
use super::version::ServerVersion;

/// How far it is.
#[derive(Debug)]
pub(super) struct Rehearsal {
    source: ServerVersion,
    target: ServerVersion,
    /// What has to be dropped, here and afterwards in earnest.
    drops: Vec<String>,
    begun: AtomicBool,
    /// The server has no memory left for locks, all of which a transaction keeps: nothing after that is tried.
    given_up: AtomicBool,
}

impl Rehearsal {
    /// Needed where the target is older.
    pub(super) fn needed(
        source: ServerVersion,
        target: ServerVersion,
        drops: &[String],
    ) -> Option<Self> {
        (target.major() < source.major()).then(|| Self {
            source,
            target,
            drops: drops.to_vec(),
            begun: AtomicBool::new(false),
            given_up: AtomicBool::new(false),
        })
    }

    /// Runs a definition, always on the same connection, after those that it needs.
    pub(super) async fn run(&self, connection: &mut PgConnection, text: &str) -> Result<()> {
        if self.given_up.load(Ordering::Relaxed) {
            return Ok(());
        }
        if !self.begun.swap(true, Ordering::Relaxed) {
            run(connection, "BEGIN").await?;
            drop::within(connection, &self.drops).await?;
        }
        run(connection, "SAVEPOINT rehearsal").await?;
        let Err(cause) = execute(connection, text).await else {
            return run(connection, "RELEASE SAVEPOINT rehearsal").await;
        };
        let state = sqlstate(&cause).map(ToOwned::to_owned);
        let error = classify(cause);
        if error.kind() == ErrorKind::Server {
            return Err(error);
        }
        run(
            connection,
            "ROLLBACK TO SAVEPOINT rehearsal; RELEASE SAVEPOINT rehearsal",
        )
        .await?;
        match state.as_deref() {
            Some("53200") => {
                self.given_up.store(true, Ordering::Relaxed);
                Ok(())
            }
            // What can't be done in a transaction, such as making a tablespace, will be seen.
            Some("25001") => Ok(()),
            _ => Err(self.refused(error)),
        }
    }

    /// Takes everything back, and drops what has to be dropped.
    pub(super) async fn end(&self, connection: &mut PgConnection) -> Result<()> {
        run(connection, "ROLLBACK").await?;
        drop::all(connection, &self.drops).await
    }

    fn refused(&self, error: Error) -> Error {
        match error.kind() {
            ErrorKind::AlreadyExists => error,
            _ => error.with_kind(ErrorKind::Refused).hint(format!(
                "The target is PostgreSQL {}, the source was {}: it may not have this.",
                self.target.major(),
                self.source.major()
            )),
        }
    }
}
