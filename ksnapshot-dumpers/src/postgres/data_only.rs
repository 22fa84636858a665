//! Rows into tables that are there: all of it in one transaction. Foreign keys that have to do with the tables, and triggers on
//! them, are taken off before and put on again after, as the target had them: rows may come in any order, a key is checked once
//! over all of them, and what fails leaves the target as it was. The text of a dump says the same, so that psql does it too.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use ksnapshot_core::{Aspect, Cx, Error, ErrorKind, Item, Result, Stage};
use sqlx::Row;
use sqlx::postgres::PgConnection;

use super::connect::{Postgres, version};
use super::database::Database;
use super::ddl::{self, Script};
use super::error::classify;
use super::query::{first, run};
use super::quote::literal;
use super::restore;

/// Names that one query asks for.
const NAMES: usize = 500;

/// Keeps in mind what has to be put back, and takes it off. Names come from a table: no name stands in this text.
const TAKE_OFF: &str = "\
CREATE TEMPORARY TABLE ksnapshot_put_back (number integer, statement text) ON COMMIT DROP;
INSERT INTO pg_temp.ksnapshot_loaded
    WITH RECURSIVE family (oid) AS (
        SELECT relation::pg_catalog.oid FROM pg_temp.ksnapshot_loaded
        UNION
        SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN family f ON f.oid = i.inhparent
        JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relispartition
    )
    SELECT oid FROM family WHERE oid NOT IN (SELECT relation FROM pg_temp.ksnapshot_loaded);
DO $ksnapshot$
DECLARE
    each record;
    counted integer := 0;
BEGIN
    FOR each IN
        WITH RECURSIVE key (oid, parent) AS (
            SELECT c.oid, c.conparentid FROM pg_catalog.pg_constraint c
            WHERE c.contype = 'f' AND EXISTS (
                SELECT FROM pg_temp.ksnapshot_loaded l WHERE l.relation IN (c.conrelid, c.confrelid)
            )
            UNION
            SELECT c.oid, c.conparentid FROM pg_catalog.pg_constraint c JOIN key k ON c.oid = k.parent
        )
        SELECT c.conrelid::pg_catalog.regclass AS relation, c.conname AS name,
               pg_catalog.pg_get_constraintdef(c.oid) AS definition,
               pg_catalog.obj_description(c.oid, 'pg_constraint') AS comment
        FROM key k JOIN pg_catalog.pg_constraint c ON c.oid = k.oid WHERE k.parent = 0 ORDER BY c.oid
    LOOP
        counted := counted + 2;
        INSERT INTO pg_temp.ksnapshot_put_back VALUES (counted,
            pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I %s', each.relation, each.name, each.definition));
        IF each.comment IS NOT NULL THEN
            INSERT INTO pg_temp.ksnapshot_put_back VALUES (counted + 1,
                pg_catalog.format('COMMENT ON CONSTRAINT %I ON %s IS %L', each.name, each.relation, each.comment));
        END IF;
        EXECUTE pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', each.relation, each.name);
    END LOOP;
    FOR each IN
        SELECT t.tgrelid::pg_catalog.regclass AS relation, t.tgname AS name,
               CASE t.tgenabled WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE' END AS enable
        FROM pg_catalog.pg_trigger t
        WHERE t.tgenabled <> 'D' AND (NOT t.tgisinternal OR t.tgconstraint = 0)
          AND t.tgrelid IN (SELECT relation FROM pg_temp.ksnapshot_loaded)
        ORDER BY t.oid
    LOOP
        counted := counted + 2;
        INSERT INTO pg_temp.ksnapshot_put_back VALUES (counted,
            pg_catalog.format('ALTER TABLE ONLY %s %s TRIGGER %I', each.relation, each.enable, each.name));
        EXECUTE pg_catalog.format('ALTER TABLE ONLY %s DISABLE TRIGGER %I', each.relation, each.name);
    END LOOP;
END
$ksnapshot$;
";

/// The opposite. What was left to be checked at the end of the transaction is checked first.
const PUT_BACK: &str = "\
SET CONSTRAINTS ALL IMMEDIATE;
DO $ksnapshot$
DECLARE
    each record;
BEGIN
    FOR each IN SELECT statement FROM pg_temp.ksnapshot_put_back ORDER BY number LOOP
        EXECUTE each.statement;
    END LOOP;
END
$ksnapshot$;
";

/// What stands before the rows of these tables. What of them is not there is not looked for here: loading it will tell.
fn take_off<'t>(tables: impl Iterator<Item = &'t str>) -> String {
    let names: Vec<String> = tables.map(literal).collect();
    let list = match names.is_empty() {
        true => String::new(),
        false => format!(
            "INSERT INTO pg_temp.ksnapshot_loaded
    SELECT DISTINCT pg_catalog.to_regclass(name) FROM pg_catalog.unnest(ARRAY[{}]) AS name
    WHERE pg_catalog.to_regclass(name) IS NOT NULL;\n",
            names.join(", ")
        ),
    };
    format!(
        "CREATE TEMPORARY TABLE ksnapshot_loaded (relation pg_catalog.regclass) ON COMMIT DROP;\n{list}{TAKE_OFF}"
    )
}

/// What stands before everything in the text of a dump of rows alone.
pub(super) fn header(script: &Script) -> String {
    let tables = script.tables.iter().map(|table| table.root.as_str());
    format!("BEGIN;\n{}\n", take_off(tables))
}

/// What stands after everything there.
pub(super) fn footer() -> String {
    format!("{PUT_BACK}COMMIT;\n\n")
}

/// The one transaction, on its way.
#[derive(Debug, Default)]
pub(super) struct DataOnly {
    /// Values of sequences, which nothing takes back: they are set when everything else is done.
    values: Mutex<String>,
}

impl DataOnly {
    /// Begins it: the tables and sequences of `items` must be there, and be empty or with `clean` are emptied.
    pub(super) async fn begin(
        connection: &mut PgConnection,
        script: &Script,
        items: &[u32],
        clean: bool,
    ) -> Result<Self> {
        let chosen: HashSet<u32> = items.iter().copied().collect();
        let tables = || (script.tables.iter()).filter(|table| chosen.contains(&table.item));
        let sequences = script
            .sequences
            .iter()
            .filter(|sequence| chosen.contains(&sequence.item))
            .map(|sequence| ("sequence", sequence.name.as_str()));
        let names: Vec<(&str, &str)> = tables()
            .map(|table| ("table", table.name.as_str()))
            .chain(sequences)
            .collect();
        check_there(connection, &names).await?;
        run(connection, "BEGIN").await?;
        let text = take_off(tables().map(|table| table.root.as_str()));
        run(connection, &text)
            .await
            .map_err(|error| match error.kind() {
                ErrorKind::Refused => error.with_kind(ErrorKind::Failed).hint(
                    "Restore as the owner of the tables: their foreign keys and triggers are taken off until their rows are in.",
                ),
                _ => error,
            })?;
        // Rows of a partitioned table that is loaded as a whole are asked for, and go, all together.
        let places: Vec<String> = tables()
            .map(|table| match table.through_root {
                true => table.name.clone(),
                false => format!("ONLY {}", table.name),
            })
            .collect();
        match clean {
            true => empty(connection, &places).await?,
            false => check_empty(connection, &places).await?,
        }
        let batches = (script.large_objects.iter()).filter(|batch| chosen.contains(&batch.item));
        for batch in batches {
            if clean {
                run(connection, &batch.unlink()).await?;
            }
            run(connection, &batch.create())
                .await
                .map_err(|error| match error.kind() {
                    ErrorKind::AlreadyExists => error
                        .with_kind(ErrorKind::TargetNotEmpty)
                        .context(batch.title())
                        .hint("Pass --clean to replace them."),
                    _ => error,
                })?;
        }
        Ok(Self::default())
    }

    /// Whether an item is none of rows: what they go into is there.
    pub(super) fn passes_over(item: &Item) -> bool {
        item.aspect != Aspect::Data
    }

    /// Runs what is no row, so that its refusal leaves the rest.
    pub(super) async fn define(
        &self,
        connection: &mut PgConnection,
        item: &Item,
        text: &str,
    ) -> Result<()> {
        if item.stage == Stage::Data {
            let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
            values.push_str(text);
            return Ok(());
        }
        run(connection, "SAVEPOINT one").await?;
        match run(connection, text).await {
            Err(error) if error.kind() != ErrorKind::Server => {
                run(connection, "ROLLBACK TO SAVEPOINT one").await?;
                Err(error)
            }
            Err(error) => Err(error),
            Ok(()) => run(connection, "RELEASE SAVEPOINT one").await,
        }
    }

    /// Puts everything back, and ends it: for good, when it returns. A cancellation on the way there undoes all.
    pub(super) async fn end(&self, connection: &mut PgConnection, cx: &Cx) -> Result<()> {
        let put_back = cx.guard(run(connection, PUT_BACK)).await;
        put_back.map_err(|error| match error.kind() {
            ErrorKind::Refused => error.with_kind(ErrorKind::Failed).hint(
                "Rows of the snapshot and rows that the target has besides do not go together: restore the tables of both \
                 sides of the foreign key.",
            ),
            _ => error,
        })?;
        let values =
            std::mem::take(&mut *self.values.lock().unwrap_or_else(PoisonError::into_inner));
        let last = "SET LOCAL synchronous_commit = on;\nCOMMIT";
        run(connection, &format!("{values}\n{last}")).await
    }
}

/// Makes what the rows of a snapshot go into, as the source had it, in a drill's database. Owners, grants and what comes after the
/// rows are left out.
pub(super) async fn make_tables(scratch: &Postgres, database: &Database) -> Result<()> {
    let mut connection = scratch.connect().await?;
    let (version, _) = version(&mut connection).await?;
    restore::settle(&mut connection, version, database).await?;
    let script = ddl::statements(&database.catalog);
    for (id, text) in &script.definitions[script.globals..] {
        let item = &script.items[*id as usize];
        if item.stage != Stage::PreData
            || item.aspect != Aspect::Definition
            || [ddl::DATABASE, ddl::LARGE_OBJECTS].contains(&item.kind.as_str())
        {
            continue;
        }
        run(&mut connection, &text.read())
            .await
            .map_err(|error| error.context(item.title()))?;
    }
    let _ = sqlx::Connection::close(connection).await;
    Ok(())
}

/// Refuses a target that lacks one of these: the kind of each, and its name, quoted and qualified.
async fn check_there(connection: &mut PgConnection, names: &[(&str, &str)]) -> Result<()> {
    for some in names.chunks(NAMES) {
        let list: Vec<String> = some.iter().map(|(_, name)| literal(name)).collect();
        let sql = format!(
            "SELECT number::int FROM pg_catalog.unnest(ARRAY[{}]) WITH ORDINALITY AS n (name, number)
             WHERE pg_catalog.to_regclass(name) IS NULL ORDER BY number LIMIT 1",
            list.join(", ")
        );
        if let Some(row) = first(connection, &sql).await? {
            let number: i32 = row.try_get(0).map_err(classify)?;
            let (kind, name) = some[usize::try_from(number - 1).unwrap_or_default()];
            return Err(Error::new(
                ErrorKind::Failed,
                format!("{kind} {name}: the target does not have it, and only rows are restored"),
            )
            .hint("Restore definitions and rows, or make it first: `dump --no-data` has definitions alone."));
        }
    }
    Ok(())
}

/// Refuses tables that hold rows.
async fn check_empty(connection: &mut PgConnection, places: &[String]) -> Result<()> {
    for some in places.chunks(NAMES) {
        let tests: Vec<String> = (some.iter().enumerate())
            .map(|(number, place)| format!("SELECT {number} WHERE EXISTS (SELECT FROM {place})"))
            .collect();
        if let Some(row) = first(connection, &tests.join(" UNION ALL ")).await? {
            let number: i32 = row.try_get(0).map_err(classify)?;
            let place = &some[usize::try_from(number).unwrap_or_default()];
            let name = place.strip_prefix("ONLY ").unwrap_or(place);
            return Err(Error::new(
                ErrorKind::TargetNotEmpty,
                format!("table {name} holds rows already"),
            )
            .hint("Pass --clean to replace the rows of all tables that are restored."));
        }
    }
    Ok(())
}

async fn empty(connection: &mut PgConnection, places: &[String]) -> Result<()> {
    if places.is_empty() {
        return Ok(());
    }
    run(connection, &format!("TRUNCATE {}", places.join(", ")))
        .await
        .map_err(|error| match error.kind() {
            ErrorKind::Refused => error.with_kind(ErrorKind::Failed).context("--clean"),
            _ => error,
        })
}
