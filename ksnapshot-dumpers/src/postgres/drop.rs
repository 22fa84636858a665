//! `--clean`: dropping what the snapshot holds, and nothing else.

use std::collections::HashSet;

use ksnapshot_core::{ErrorKind, Item, Result};
use sqlx::postgres::PgConnection;

use super::ddl::{LargeObjectData, Script};
use super::query::run;

/// Runs `statements` of [`statements`]. Never cascades: what something outside the snapshot needs stays, the error says so, and
/// the target is as it was.
pub(super) async fn all(connection: &mut PgConnection, statements: &[String]) -> Result<()> {
    run(connection, "BEGIN").await?;
    match within(connection, statements).await {
        Ok(()) => run(connection, "COMMIT").await,
        Err(error) if error.kind() == ErrorKind::TargetNotEmpty => {
            run(connection, "ROLLBACK").await?;
            Err(error)
        }
        Err(error) => Err(error),
    }
}

/// The same within a transaction of the caller's.
pub(super) async fn within(connection: &mut PgConnection, statements: &[String]) -> Result<()> {
    for statement in statements {
        run(connection, statement)
            .await
            .map_err(|error| match error.kind() {
                ErrorKind::Refused => error.with_kind(ErrorKind::TargetNotEmpty).context("--clean").hint(
                    "Something outside the snapshot depends on it: drop that by hand, or restore into another database.",
                ),
                _ => error,
            })?;
    }
    Ok(())
}

/// What drops items where they exist: what undoes them, the last one first. Pure.
pub(super) fn statements(script: &Script, items: &[&Item]) -> Vec<String> {
    let chosen: HashSet<u32> = items.iter().map(|item| item.id).collect();
    let drops = script.drops.iter().rev();
    let drops = drops
        .filter(|(id, _)| chosen.contains(id))
        .map(|(_, sql)| sql.clone());
    let large = (script.large_objects.iter()).filter(|batch| chosen.contains(&batch.item));
    drops.chain(large.map(LargeObjectData::unlink)).collect()
}
