//! What a dump by this role would reach, and what would let it reach the rest.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use ksnapshot_core::{Consistency, Cx, DumpSession, MissingRight, Preflight, Result};
use sqlx::Row;
use sqlx::postgres::PgConnection;

use super::connect::{Postgres, version};
use super::ddl::Script;
use super::error::classify;
use super::query::all;
use super::quote::ident;
use super::session::Session;
use super::version::ServerVersion;

/// Large objects that one GRANT names.
const LARGE_OBJECTS: usize = 1000;

/// Opens a session as a dump does, with one reader, and leaves again: its locks are those of a SELECT.
pub(super) async fn preflight(server: &Postgres, cx: &Cx) -> Result<Preflight> {
    let session = Session::open(server, NonZeroUsize::MIN, cx).await?;
    let closed = session.close().await;
    let outline = session.outline();
    let missing = match outline.problems.is_empty() {
        true => Vec::new(),
        false => {
            let mut connection = server.connect().await?;
            missing(&mut connection, session.script(), server.user_name()).await?
        }
    };
    closed?;
    Ok(Preflight {
        source: outline.source.clone(),
        consistency: Consistency {
            claim: outline.consistency.claim.clone(),
            position: BTreeMap::new(),
        },
        problems: outline.problems.clone(),
        missing,
    })
}

/// What a schema holds that the role can't read.
struct Schema {
    name: String,
    usage: bool,
    relations: u64,
    /// Tables whose rows a policy would hide.
    hidden: u64,
}

async fn missing(
    connection: &mut PgConnection,
    script: &Script,
    role: &str,
) -> Result<Vec<MissingRight>> {
    let (version, _) = version(connection).await?;
    let schemas = schemas(connection).await?;
    let role = ident(role);
    let mut rights = reading(&schemas, version, &role);
    let hidden: u64 = schemas.iter().map(|schema| schema.hidden).sum();
    if hidden > 0 {
        rights.push(MissingRight {
            right: "BYPASSRLS".into(),
            adds: format!("the rows of {hidden} tables that row security would hide in part"),
            grant: format!("ALTER ROLE {role} BYPASSRLS"),
        });
    }
    let oids: Vec<String> = (script.large_objects.iter())
        .filter(|batch| !batch.readable)
        .flat_map(|batch| batch.oids.iter().map(ToString::to_string))
        .collect();
    for batch in oids.chunks(LARGE_OBJECTS) {
        rights.push(MissingRight {
            right: "SELECT on large objects".into(),
            adds: format!("the bytes of {}", batch.len()),
            grant: format!(
                "GRANT SELECT ON LARGE OBJECT {} TO {role}",
                batch.join(", ")
            ),
        });
    }
    Ok(rights)
}

/// The rights to read relations: one role for all of them, where the server has it.
fn reading(schemas: &[Schema], version: ServerVersion, role: &str) -> Vec<MissingRight> {
    let lacking = || (schemas.iter()).filter(|schema| schema.usage || schema.relations > 0);
    if lacking().next().is_none() {
        return Vec::new();
    }
    if version.at_least(14) {
        let relations: u64 = lacking().map(|schema| schema.relations).sum();
        return vec![MissingRight {
            right: "pg_read_all_data".into(),
            adds: format!(
                "{relations} tables and sequences that this role can't read, and those to come"
            ),
            grant: format!("GRANT pg_read_all_data TO {role}"),
        }];
    }
    lacking()
        .map(|schema| {
            let name = ident(&schema.name);
            let usage = match schema.usage {
                true => format!("GRANT USAGE ON SCHEMA {name} TO {role}; "),
                false => String::new(),
            };
            MissingRight {
                right: format!("SELECT in schema {}", schema.name),
                adds: format!("{} of its tables and sequences", schema.relations),
                grant: format!(
                    "{usage}GRANT SELECT ON ALL TABLES IN SCHEMA {name} TO {role}; \
                     GRANT SELECT ON ALL SEQUENCES IN SCHEMA {name} TO {role}"
                ),
            }
        })
        .collect()
}

async fn schemas(connection: &mut PgConnection) -> Result<Vec<Schema>> {
    let rows = all(
        connection,
        "SELECT n.nspname::text,
                NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
                count(*) FILTER (WHERE NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                    OR NOT CASE c.relkind WHEN 'S' THEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT')
                                          ELSE pg_catalog.has_table_privilege(c.oid, 'SELECT') END),
                count(*) FILTER (WHERE pg_catalog.row_security_active(c.oid))
         FROM pg_catalog.pg_class c
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p', 'S') AND c.relpersistence <> 't'
           AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
         GROUP BY n.oid, n.nspname ORDER BY 1",
    )
    .await?;
    rows.iter()
        .map(|row| {
            let count = |column| {
                let count: i64 = row.try_get(column).map_err(classify)?;
                Ok(count.unsigned_abs())
            };
            Ok(Schema {
                name: row.try_get(0).map_err(classify)?,
                usage: row.try_get(1).map_err(classify)?,
                relations: count(2)?,
                hidden: count(3)?,
            })
        })
        .collect()
}
