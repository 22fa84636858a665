//! Publications and subscriptions.

use ksnapshot_core::{Problem, ProblemKind, Result};
use serde::Deserialize;

use super::{Reader, not_of_extension, settings};
use crate::postgres::model::{Class, Definition, Object, Publication, Subscription};

/// Both. Subscriptions that may not be read are a problem.
pub(super) async fn read(
    reader: &mut Reader<'_>,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Object>> {
    let mut objects = publications(reader).await?;
    objects.extend(subscriptions(reader, problems).await?);
    Ok(objects)
}

/// How to connect is for superusers only, and so is a statement to make one.
async fn subscriptions(
    reader: &mut Reader<'_>,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Object>> {
    #[derive(Deserialize)]
    struct Seen {
        name: String,
        /// Of all or of none: where none may be read, the others of this function must not even be asked for.
        readable: bool,
    }
    let here = "s.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())";
    let seen: Vec<Seen> = reader
        .rows(
            "subscriptions",
            &format!(
                "SELECT s.subname AS name,
                        has_column_privilege('pg_catalog.pg_subscription', 'subconninfo', 'SELECT') AS readable
                 FROM pg_subscription s
                 WHERE {here}
                 ORDER BY 1"
            ),
        )
        .await?;
    if !seen.iter().any(|each| each.readable) {
        problems.extend(seen.into_iter().map(|Seen { name, .. }| Problem {
            kind: ProblemKind::Unreadable,
            object: format!("subscription {name}"),
            message: "its connection may not be read; it is left out".to_owned(),
            hint: Some("Dump as a superuser to have it.".to_owned()),
        }));
        return Ok(Vec::new());
    }
    let version = reader.version;
    let flag = |column: &str, major: u32| match version.at_least(major) {
        true => format!("CASE WHEN s.{column} THEN 'true' END"),
        false => "NULL".to_owned(),
    };
    let streaming = if version.at_least(16) {
        "CASE s.substream WHEN 't' THEN 'on' WHEN 'p' THEN 'parallel' ELSE 'off' END"
    } else if version.at_least(14) {
        "CASE WHEN s.substream THEN 'on' END"
    } else {
        "NULL"
    };
    let list = settings(&[
        ("connect", "'false'"),
        (
            "slot_name",
            "coalesce(quote_literal(s.subslotname), 'NONE')",
        ),
        ("binary", &flag("subbinary", 14)),
        ("streaming", streaming),
        (
            "two_phase",
            version.since(
                15,
                "CASE WHEN s.subtwophasestate <> 'd' THEN 'on' END",
                "NULL",
            ),
        ),
        ("disable_on_error", &flag("subdisableonerr", 15)),
        (
            "password_required",
            version.since(
                16,
                "CASE WHEN NOT s.subpasswordrequired THEN 'false' END",
                "NULL",
            ),
        ),
        ("run_as_owner", &flag("subrunasowner", 16)),
        (
            "origin",
            version.since(
                16,
                "CASE WHEN s.suborigin <> 'any' THEN quote_literal(s.suborigin) END",
                "NULL",
            ),
        ),
        ("failover", &flag("subfailover", 17)),
        (
            "synchronous_commit",
            "CASE WHEN s.subsynccommit <> 'off' THEN quote_literal(s.subsynccommit) END",
        ),
    ]);
    let sql = format!(
        "SELECT s.oid::int8 AS oid, NULL AS schema, s.subname AS name, pg_get_userbyid(s.subowner) AS owner,
                s.subconninfo AS connection, s.subpublications AS publications, {list} AS settings
         FROM pg_subscription s
         WHERE {here}"
    );
    reader
        .objects(
            Class::Subscription,
            "subscriptions",
            &sql,
            |definition: Subscription| Definition::Subscription(definition),
        )
        .await
}

async fn publications(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let version = reader.version;
    let own = not_of_extension(Class::Publication, "p.oid");
    let (columns, condition, schemas) = if version.at_least(15) {
        (
            "CASE WHEN r.prattrs IS NOT NULL THEN
                (SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
                 WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs)) END",
            "pg_get_expr(r.prqual, r.prrelid)",
            "ARRAY(SELECT n.nspname FROM pg_publication_namespace s JOIN pg_namespace n ON n.oid = s.pnnspid
                   WHERE s.pnpubid = p.oid ORDER BY 1)",
        )
    } else {
        ("NULL", "NULL", "'{}'::text[]")
    };
    let sql = format!(
        "SELECT p.oid::int8 AS oid, NULL AS schema, p.pubname AS name, pg_get_userbyid(p.pubowner) AS owner,
                p.puballtables AS all_tables,
                array_remove(ARRAY[CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
                                   CASE WHEN p.pubdelete THEN 'delete' END,
                                   CASE WHEN p.pubtruncate THEN 'truncate' END], NULL) AS operations,
                {via_root} AS via_root,
                {generated} AS generated,
                (SELECT coalesce(json_agg(json_build_object(
                        'table', c.oid::int8, 'name', format('%I.%I', n.nspname, c.relname),
                        'columns', {columns}, 'condition', {condition}) ORDER BY n.nspname, c.relname), '[]')
                 FROM pg_publication_rel r
                 JOIN pg_class c ON c.oid = r.prrelid
                 JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE r.prpubid = p.oid) AS tables,
                {schemas} AS schemas
         FROM pg_publication p
         WHERE {own}",
        via_root = version.since(13, "p.pubviaroot", "false"),
        generated = version.since(18, "p.pubgencols", "'n'"),
    );
    reader
        .objects(
            Class::Publication,
            "publications",
            &sql,
            |definition: Publication| Definition::Publication(definition),
        )
        .await
}
