//! Tables, views and sequences.

use std::collections::{HashMap, HashSet};

use ksnapshot_core::Result;
use serde::Deserialize;

use super::access::access;
use super::{Reader, USER_SCHEMA, not_of_extension, parted, unexpected};
use crate::postgres::model::{Address, Class, Column, Definition, Object, Relation, Sequence};

/// How large a relation is now, if `may` say so; `relpages` is what the last VACUUM or ANALYZE counted, 0 for a table just
/// filled. Only asked of tables that are locked already, where nobody makes us wait.
fn pages(oid: &str, may: &str) -> String {
    format!(
        "CASE WHEN {may} THEN coalesce(pg_relation_size({oid}) / current_setting('block_size')::int8, 0) ELSE 0 END"
    )
}

/// Whether the file of a table is there and has nothing in it, so that no snapshot has a row of the table: what removes pages waits
/// for our lock. Opening many tables to see that costs a server more than all else that is asked of them.
///
/// Only who may look at the server's files is told, and only where no extension can have put rows elsewhere; a table in which rows
/// were counted once is looked into, too.
async fn empty(reader: &mut Reader<'_>) -> Result<&'static str> {
    #[derive(Deserialize)]
    struct Told {
        by_files: bool,
    }
    let sql = "SELECT has_function_privilege('pg_catalog.pg_stat_file(text, boolean)', 'EXECUTE')
                  AND NOT EXISTS (SELECT FROM pg_extension e WHERE e.oid >= 16384) AS by_files";
    let told: Vec<Told> = reader.rows("rights", sql).await?;
    Ok(match told.first() {
        Some(Told { by_files: true }) => {
            "CASE WHEN c.relkind = 'r' AND c.relpersistence = 'p' AND c.relpages = 0 AND c.reltuples <= 0
                       AND locked.oid IS NOT NULL
                  THEN coalesce((pg_stat_file(pg_relation_filepath(c.oid), true)).size = 0, false) ELSE false END"
        }
        _ => "false",
    })
}

/// Everything with columns, columns included.
pub(super) async fn relations(
    reader: &mut Reader<'_>,
    readable: &HashSet<u32>,
) -> Result<Vec<Object>> {
    let empty = empty(reader).await?;
    let access = access("c.relacl", "acldefault('r', c.relowner)");
    let own = not_of_extension(Class::Relation, "c.oid");
    let locked: Vec<String> = readable.iter().map(ToString::to_string).collect();
    let query = format!(
        "SELECT c.oid::int8 AS oid, n.nspname AS schema, c.relname AS name, pg_get_userbyid(c.relowner) AS owner,
                {access},
                c.relkind AS kind,
                c.relpersistence = 'u' AS unlogged,
                c.relkind = 'f' AND coalesce(
                    has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'), false) AS readable,
                c.relispartition AS is_partition,
                coalesce(i.parents, '{{}}') AS parents,
                coalesce(i.names, '{{}}') AS parent_names,
                CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS partition_key,
                pg_get_expr(c.relpartbound, c.oid) AS bound,
                c.relkind = 'p' AND EXISTS (
                        SELECT FROM pg_partitioned_table p
                        JOIN pg_opclass oc ON oc.oid = ANY (p.partclass)
                        JOIN pg_am am ON am.oid = oc.opcmethod
                        WHERE p.partrelid = c.oid AND am.amname = 'hash' AND oc.opcname = 'enum_ops'
                          AND oc.opcnamespace = 'pg_catalog'::regnamespace) AS hashes_enums,
                coalesce(c.reloptions, '{{}}') AS options,
                coalesce(t.reloptions, '{{}}') AS toast_options,
                m.amname AS access_method,
                ts.spcname AS tablespace,
                c.relreplident AS replica_identity,
                c.relrowsecurity AS row_security,
                c.relforcerowsecurity AS force_row_security,
                CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END AS of_type,
                c.relispopulated AS populated,
                e.empty,
                s.pages,
                {toast_pages} AS toast_pages,
                CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END AS query,
                r.oid::int8 AS rule,
                fs.srvname AS server,
                {server_options} AS server_options
         FROM pg_class c
         JOIN pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN unnest('{{{locked}}}'::oid[]) AS locked (oid) ON locked.oid = c.oid
         LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
         LEFT JOIN pg_am m ON m.oid = c.relam
         LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
         LEFT JOIN pg_rewrite r ON r.ev_class = c.oid AND r.ev_type = '1' AND c.relkind IN ('v', 'm')
         LEFT JOIN pg_foreign_table f ON f.ftrelid = c.oid
         LEFT JOIN pg_foreign_server fs ON fs.oid = f.ftserver
         LEFT JOIN (SELECT inhrelid, array_agg(inhparent::int8 ORDER BY inhseqno) AS parents,
                           array_agg(inhparent::regclass::text ORDER BY inhseqno) AS names
                    FROM pg_inherits GROUP BY inhrelid) i ON i.inhrelid = c.oid
         CROSS JOIN LATERAL (SELECT {empty} AS empty OFFSET 0) e
         CROSS JOIN LATERAL (SELECT {pages} AS pages OFFSET 0) s
         WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.relpersistence <> 't' AND {USER_SCHEMA} AND {own}",
        server_options = foreign_options("f.ftoptions"),
        pages = pages("c.oid", "c.relkind = 'r' AND locked.oid IS NOT NULL AND NOT e.empty"),
        // Looking into a relation is dear where there are many, and an empty table has nothing in its second one.
        toast_pages = pages("c.reltoastrelid", "s.pages > 0"),
        locked = locked.join(","),
    );
    let mut objects = reader
        .objects(
            Class::Relation,
            "tables and views",
            &query,
            |relation: Relation| Definition::Relation(Box::new(relation)),
        )
        .await?;
    let mut columns = columns(reader).await?;
    for object in &mut objects {
        let Address(_, oid) = object.address;
        if let Definition::Relation(relation) = &mut object.definition {
            relation.readable |= readable.contains(&oid);
            relation.columns = columns.remove(&oid).unwrap_or_default();
            relation.columns.shrink_to_fit();
        }
    }
    Ok(objects)
}

/// An option list of a foreign object, in its order.
pub(super) fn foreign_options(column: &str) -> String {
    format!(
        "CASE WHEN {column} IS NULL THEN '[]'::json ELSE
          (SELECT coalesce(json_agg(json_build_object('name', o.option_name, 'value', o.option_value) ORDER BY o.n), '[]')
           FROM pg_options_to_table({column}) WITH ORDINALITY AS o(option_name, option_value, n)) END"
    )
}

async fn columns(reader: &mut Reader<'_>) -> Result<HashMap<u32, Vec<Column>>> {
    #[derive(Deserialize)]
    struct Owner {
        relation: u32,
    }
    let version = reader.version;
    // 18 made NOT NULL a constraint with a name; the name is only worth telling if the server wouldn't choose it: it
    // chooses another one when any constraint of the schema has its first choice.
    let (not_null, not_null_join) = if version.at_least(18) {
        (
            "CASE WHEN nn.oid IS NOT NULL THEN json_build_object(
                'oid', nn.oid::int8,
                'name', CASE WHEN nn.conname <> c.relname || '_' || a.attname || '_not_null'
                          OR EXISTS (SELECT FROM pg_constraint same
                                     WHERE same.conname = nn.conname AND same.connamespace = nn.connamespace
                                       AND same.oid <> nn.oid)
                          OR EXISTS (SELECT FROM pg_description d
                                     WHERE d.classoid = 'pg_constraint'::regclass AND d.objoid = nn.oid)
                          THEN nn.conname END,
                'local', nn.conislocal, 'no_inherit', nn.connoinherit, 'valid', nn.convalidated) END",
            "LEFT JOIN pg_constraint nn ON nn.conrelid = c.oid AND nn.contype = 'n' AND nn.conkey = ARRAY[a.attnum]",
        )
    } else {
        (
            "CASE WHEN a.attnotnull THEN json_build_object(
                'oid', NULL, 'name', NULL, 'local', NULL, 'no_inherit', false, 'valid', true) END",
            "",
        )
    };
    let access = access("a.attacl", "acldefault('c', c.relowner)");
    // Recent minor releases keep a mark of their own among a column's options, pg_attver, which nobody may set.
    let query = format!(
        "SELECT a.attrelid::int8 AS relation, a.attnum AS number, a.attname AS name,
                format_type(a.atttypid, a.atttypmod) AS type,
                CASE WHEN a.attcollation <> 0 AND a.attcollation <> ty.typcollation
                     THEN format('%I.%I', cn.nspname, co.collname) END AS collation,
                {not_null} AS not_null,
                CASE WHEN d.oid IS NOT NULL THEN json_build_object(
                    'oid', d.oid::int8, 'expression', pg_get_expr(d.adbin, d.adrelid)) END AS \"default\",
                a.attgenerated AS generated,
                a.attidentity AS identity,
                a.attislocal AS local,
                CASE WHEN a.attstorage <> ty.typstorage THEN a.attstorage END AS storage,
                {compression} AS compression,
                CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END AS statistics,
                CASE WHEN a.attoptions IS NULL THEN '{{}}' ELSE
                     ARRAY(SELECT o FROM unnest(a.attoptions) o WHERE o !~ '^pg_attver=') END AS options,
                {server_options} AS server_options,
                {access}
         FROM pg_attribute a
         JOIN pg_class c ON c.oid = a.attrelid
         JOIN pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_type ty ON ty.oid = a.atttypid
         LEFT JOIN pg_collation co ON co.oid = a.attcollation
         LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
         LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         {not_null_join}
         WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.relpersistence <> 't'
           AND a.attnum > 0 AND NOT a.attisdropped AND {USER_SCHEMA}
         ORDER BY a.attrelid, a.attnum",
        compression = version.since(14, "a.attcompression", "''"),
        server_options = foreign_options("a.attfdwoptions"),
    );
    let mut columns: HashMap<u32, Vec<Column>> = HashMap::new();
    let mut read = |row: &str| {
        let (Owner { relation }, column) = parted(row, &["relation"])?;
        columns.entry(relation).or_default().push(column?);
        Ok(())
    };
    reader
        .each("columns", &query, |row| {
            read(row).map_err(|error| unexpected("columns", error))
        })
        .await?;
    Ok(columns)
}

/// Sequences, with the column that each belongs to.
pub(super) async fn sequences(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let access = access("c.relacl", "acldefault('s', c.relowner)");
    let own = not_of_extension(Class::Relation, "c.oid");
    let query = format!(
        "SELECT c.oid::int8 AS oid, n.nspname AS schema, c.relname AS name, pg_get_userbyid(c.relowner) AS owner,
                {access},
                format_type(s.seqtypid, NULL) AS type,
                s.seqstart AS start, s.seqincrement AS increment, s.seqmin AS minimum, s.seqmax AS maximum,
                s.seqcache AS cache, s.seqcycle AS cycle,
                c.relpersistence = 'u' AS unlogged,
                coalesce(has_schema_privilege(n.oid, 'USAGE') AND has_sequence_privilege(c.oid, 'SELECT'), false)
                    AS readable,
                CASE WHEN d.refobjid IS NOT NULL THEN json_build_object(
                    'table', d.refobjid::int8, 'column', a.attname, 'identity', d.deptype = 'i',
                    'table_unlogged', o.relpersistence = 'u') END AS owned_by
         FROM pg_class c
         JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_sequence s ON s.seqrelid = c.oid
         LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
                              AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
                              AND d.deptype IN ('a', 'i')
         LEFT JOIN pg_class o ON o.oid = d.refobjid
         LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
         WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND {USER_SCHEMA} AND {own}"
    );
    reader
        .objects(
            Class::Relation,
            "sequences",
            &query,
            |sequence: Sequence| Definition::Sequence(sequence),
        )
        .await
}
