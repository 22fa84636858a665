//! How far a restore is, kept in the target itself: each definition and each run of rows is noted in its own transaction, so that what
//! is noted is there, and what is there is noted. An interrupted restore of the same goes on with the rest.

use std::collections::BTreeSet;
use std::time::Duration;

use ksnapshot_core::{Error, ErrorKind, Frame, Index, Item, Progress, RestoreOptions, Result};
use sqlx::Row;
use sqlx::postgres::PgConnection;

use super::error::classify;
use super::query::{all, execute, first, one, run};
use super::quote::literal;
use super::rename::Rename;
use super::target::is_there;

/// Where it is kept, with nothing else: the snapshot has no such schema, and dropping it drops all of it.
const MAKE: &str = "\
CREATE SCHEMA ksnapshot_restore;
CREATE TABLE ksnapshot_restore.restore (snapshot text, choice text, created boolean, cleaned boolean);
CREATE TABLE ksnapshot_restore.done (item integer, object integer, place bigint)";

pub(super) const SCHEMA: &str = "ksnapshot_restore";

/// Takes it away, past event triggers that might forbid that: what is said of event triggers fires none.
pub(super) const DROP: &str = "\
DO $ksnapshot$
DECLARE
    each record;
    back text[] := '{}';
    statement text;
BEGIN
    FOR each IN
        SELECT evtname AS name,
               CASE evtenabled WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE' END AS enable
        FROM pg_catalog.pg_event_trigger WHERE evtenabled <> 'D' AND pg_catalog.pg_has_role(evtowner, 'USAGE')
    LOOP
        EXECUTE pg_catalog.format('ALTER EVENT TRIGGER %I DISABLE', each.name);
        back := back || pg_catalog.format('ALTER EVENT TRIGGER %I %s', each.name, each.enable);
    END LOOP;
    DROP SCHEMA ksnapshot_restore CASCADE;
    FOREACH statement IN ARRAY back LOOP
        EXECUTE statement;
    END LOOP;
END
$ksnapshot$";

/// The session lock of restores within a database: of two at once the second one would load what the first one loads.
const LOCK: i64 = 0x6b73_6e61_7072_6573;

/// How often, and how long apart, it is asked for.
const TRIES: usize = 100;
const PAUSE: Duration = Duration::from_millis(100);

/// Which restore it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Restore {
    snapshot: String,
    choice: String,
    /// The database was made for it.
    pub(super) created: bool,
    /// Room was made for it.
    cleaned: bool,
}

impl Restore {
    /// Of these items of a snapshot, with these names.
    pub(super) fn new(
        index: &Index,
        items: &[u32],
        renames: &[Rename],
        options: RestoreOptions,
    ) -> Self {
        Self {
            snapshot: index.snapshot.clone(),
            choice: format!("{}{renames:?}", ranges(items)),
            created: options.create,
            cleaned: options.clean,
        }
    }

    fn is(&self, other: &Self) -> bool {
        (&self.snapshot, &self.choice) == (&other.snapshot, &other.choice)
    }
}

/// Ascending numbers as text: `0-7 9`.
fn ranges(numbers: &[u32]) -> String {
    let mut text = String::new();
    for run in numbers.chunk_by(|a, b| a + 1 == *b) {
        if let (Some(first), Some(last)) = (run.first(), run.last()) {
            let range = match first == last {
                true => format!("{first} "),
                false => format!("{first}-{last} "),
            };
            text.push_str(&range);
        }
    }
    text
}

/// Looks for the same restore, interrupted, and holds all others off for as long as the connection lives. What else is there is
/// forgotten by a restore that makes room.
///
/// Errors: [`ErrorKind::TargetNotEmpty`] for one of something else, [`ErrorKind::Failed`] for one that is at work.
pub(super) async fn find(
    connection: &mut PgConnection,
    restore: &Restore,
) -> Result<Option<Restore>> {
    let Some(found) = read(connection).await? else {
        return Ok(None);
    };
    lock(connection).await?;
    match (restore.is(&found), restore.cleaned) {
        (true, cleaned) if found.cleaned >= cleaned => Ok(Some(found)),
        (_, true) => {
            run(connection, DROP).await?;
            Ok(None)
        }
        (_, false) => Err(Error::new(
            ErrorKind::TargetNotEmpty,
            format!(
                "the database holds a part of snapshot {}: its restore was interrupted",
                found.snapshot
            ),
        )
        .hint("Restore the same again to go on with it, with the same choice; restore into another database; or pass --clean.")),
    }
}

async fn read(connection: &mut PgConnection) -> Result<Option<Restore>> {
    if !is_there(connection, "to_regclass", "ksnapshot_restore.restore").await? {
        return Ok(None);
    }
    let sql = "SELECT snapshot, choice, created, cleaned FROM ksnapshot_restore.restore";
    let row = first(connection, sql).await?;
    row.map(|row| {
        Ok(Restore {
            snapshot: row.try_get(0).map_err(classify)?,
            choice: row.try_get(1).map_err(classify)?,
            created: row.try_get(2).map_err(classify)?,
            cleaned: row.try_get(3).map_err(classify)?,
        })
    })
    .transpose()
}

/// Takes the lock. Who was cut off a moment ago may have it still.
async fn lock(connection: &mut PgConnection) -> Result<()> {
    let take = format!("SELECT pg_catalog.pg_try_advisory_lock({LOCK})");
    for _ in 0..TRIES {
        let row = one(connection, take.as_str()).await?;
        if row.try_get(0).map_err(classify)? {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    let holder = format!(
        "SELECT coalesce(pg_catalog.min(pid), 0) FROM pg_catalog.pg_locks
         WHERE locktype = 'advisory' AND granted AND objsubid = 1
           AND (classid::int8 << 32) + objid::int8 = {LOCK}
           AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())"
    );
    let row = one(connection, &holder).await?;
    let pid: i32 = row.try_get(0).map_err(classify)?;
    Err(Error::new(
        ErrorKind::Failed,
        format!("another restore is at work in this database, as process {pid} of the server"),
    )
    .hint(format!(
        "Wait until it has ended. If its other side is gone, end it with `SELECT pg_terminate_backend({pid})`."
    )))
}

/// Begins to keep it; none where the target lets no schema be made: such a restore can't be gone on with.
pub(super) async fn begin(
    connection: &mut PgConnection,
    restore: &Restore,
) -> Result<Option<Progress>> {
    lock(connection).await?;
    let (snapshot, choice) = (literal(&restore.snapshot), literal(&restore.choice));
    let sql = format!(
        "{MAKE}; INSERT INTO ksnapshot_restore.restore VALUES ({snapshot}, {choice}, {}, {})",
        restore.created, restore.cleaned
    );
    match execute(connection, &sql).await {
        Ok(_) => Ok(Some(Progress::default())),
        Err(cause) => match classify(cause) {
            lost if lost.kind() == ErrorKind::Server => Err(lost),
            // No right to, or an event trigger that is against it.
            _ => Ok(None),
        },
    }
}

/// Goes on with what [`find`] found.
pub(super) async fn resume(connection: &mut PgConnection) -> Result<Progress> {
    let rows = all(
        connection,
        "SELECT item, object, place FROM ksnapshot_restore.done",
    )
    .await?;
    let mut before = Progress::default();
    for row in rows {
        let number = |at| -> Result<Option<u32>> {
            let number: Option<i32> = row.try_get(at).map_err(classify)?;
            Ok(number.and_then(|number| u32::try_from(number).ok()))
        };
        let place: Option<i64> = row.try_get(2).map_err(classify)?;
        before.items.extend(number(0)?);
        if let (Some(object), Some(place)) = (number(1)?, place) {
            before.frames.insert((object, place.unsigned_abs()));
        }
    }
    Ok(before)
}

/// Takes it away if there is nothing to go on with.
pub(super) async fn drop_if_unused(connection: &mut PgConnection) -> Result<()> {
    let used = one(
        connection,
        "SELECT EXISTS (SELECT FROM ksnapshot_restore.done)",
    )
    .await?;
    match used.try_get(0).map_err(classify)? {
        true => Ok(()),
        false => run(connection, DROP).await,
    }
}

/// What notes these definitions, within their transaction.
pub(super) fn items<'i>(items: impl Iterator<Item = &'i Item>) -> String {
    let values: Vec<String> = items.map(|item| format!("({})", item.id)).collect();
    note("item", &values)
}

/// The same of rows.
pub(super) fn frames(frames: &[Frame]) -> String {
    let values = frames
        .iter()
        .map(|frame| format!("({}, {})", frame.object, frame.offset));
    note("object, place", &values.collect::<Vec<_>>())
}

fn note(columns: &str, values: &[String]) -> String {
    match values.is_empty() {
        true => String::new(),
        false => format!(
            ";\nINSERT INTO ksnapshot_restore.done ({columns}) VALUES {}",
            values.join(", ")
        ),
    }
}

/// Items of which some rows are there already.
pub(super) fn filled(before: &Progress, index: &Index) -> BTreeSet<u32> {
    let frames = index.frames.iter();
    let done = frames.filter(|frame| before.frames.contains(&(frame.object, frame.offset)));
    done.filter_map(|frame| frame.item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_a_short_text() {
        assert_eq!(ranges(&[0, 1, 2, 4, 6, 7]), "0-2 4 6-7 ");
        assert_eq!(ranges(&[]), "");
    }
}
