//! `--clean`: dropping what the snapshot holds, and nothing else.

use std::collections::{HashMap, HashSet};

use ksnapshot_core::{Aspect, ErrorKind, Item, Result};
use sqlx::postgres::PgConnection;

use super::connect::run;
use super::ddl::Script;
use super::model::{Catalog, Definition, Object};
use super::quote::{ident, qualified};

/// The schema-qualified, quoted name of an item that has a schema.
pub(super) fn qualified_name(item: &Item) -> String {
    match &item.schema {
        Some(schema) => qualified(schema, &item.name),
        None => ident(&item.name),
    }
}

/// Drops `items` where they exist. Never cascades: what something outside the snapshot needs stays, the error says so,
/// and the target is as it was.
pub(super) async fn items(
    connection: &mut PgConnection,
    catalog: &Catalog,
    script: &Script,
    items: &[&Item],
) -> Result<()> {
    let statements = statements(catalog, script, items);
    let all = async |connection: &mut PgConnection| {
        run(connection, "BEGIN").await?;
        for statement in &statements {
            run(connection, statement).await?;
        }
        run(connection, "COMMIT").await
    };
    match all(connection).await {
        Err(error) if error.kind() == ErrorKind::Refused => {
            run(connection, "ROLLBACK").await?;
            Err(error.with_kind(ErrorKind::TargetNotEmpty).context("--clean").hint(
                "Something outside the snapshot depends on it: drop that by hand, or restore into another database.",
            ))
        }
        other => other,
    }
}

/// What to run, in order. Pure.
fn statements(catalog: &Catalog, script: &Script, items: &[&Item]) -> Vec<String> {
    let objects: HashMap<(&str, Option<&str>, String), &Object> = catalog
        .objects
        .iter()
        .map(|o| ((o.kind(), o.schema.as_deref(), o.full_name()), o))
        .collect();
    let definitions = || {
        items
            .iter()
            .rev()
            .filter(|i| i.aspect == Aspect::Definition)
    };
    // Foreign keys tie tables to each other in any direction, so they go first.
    let keys = definitions()
        .filter(|i| i.kind == "foreign key")
        .filter_map(|item| {
            let table = items.iter().find(|t| Some(t.id) == item.table)?;
            let object = objects.get(&(
                item.kind.as_str(),
                item.schema.as_deref(),
                item.name.clone(),
            ))?;
            Some(format!(
                "ALTER TABLE IF EXISTS {} DROP CONSTRAINT IF EXISTS {}",
                qualified_name(table),
                ident(&object.name)
            ))
        });
    // A view in a loop is made twice; it goes where it was made first, when nothing else needed it yet.
    let mut seen = HashSet::new();
    let first: HashSet<u32> = items
        .iter()
        .filter(|i| i.aspect == Aspect::Definition && seen.insert((&i.kind, &i.schema, &i.name)))
        .map(|i| i.id)
        .collect();
    let made = definitions().filter(|i| first.contains(&i.id));
    let rest = made.filter_map(|item| {
        let object = objects.get(&(
            item.kind.as_str(),
            item.schema.as_deref(),
            item.name.clone(),
        ))?;
        drop_object(item, object)
    });
    let large = script.large_objects.iter().filter(|batch| items.iter().any(|i| i.id == batch.item)).map(|batch| {
        let list: Vec<String> = batch.oids.iter().map(ToString::to_string).collect();
        format!(
            "SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid IN ({})",
            list.join(", ")
        )
    });
    keys.chain(rest).chain(large).collect()
}

fn drop_object(item: &Item, object: &Object) -> Option<String> {
    let schema = object.schema.as_deref();
    let name = schema.map_or_else(
        || ident(&object.name),
        |schema| qualified(schema, &object.name),
    );
    let what = match &object.definition {
        Definition::Schema(_) if object.name == "public" => return None,
        Definition::Relation(_) => name,
        // A sequence of a column goes with its table.
        Definition::Sequence(_) if item.table.is_some() => return None,
        Definition::Schema(_)
        | Definition::Extension(_)
        | Definition::Sequence(_)
        | Definition::Collation(_)
        | Definition::Domain(_)
        | Definition::Enum(_)
        | Definition::Composite(_)
        | Definition::Range(_)
        | Definition::EventTrigger(_)
        | Definition::Publication(_) => name,
        Definition::Routine(routine) => format!("{name}({})", routine.arguments),
        Definition::Aggregate(aggregate) => format!("{name}({})", aggregate.arguments),
        // What belongs to a table goes with it; the rest is left, and creating it again is then a listed problem.
        _ => return None,
    };
    Some(format!("DROP {} IF EXISTS {what}", object.kind()))
}
