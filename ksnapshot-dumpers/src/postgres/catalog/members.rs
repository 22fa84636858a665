//! What the server or extensions bring, and users changed: privileges, and rows of an extension's tables.

use std::collections::HashSet;

use ksnapshot_core::Result;

use super::Reader;
use super::access::{access, privileges};
use crate::postgres::model::{Address, Class, Definition, ExtensionData, Member, Object};

/// All of it. One object may be both, so rows come first and privileges are added to them.
pub(super) async fn read(reader: &mut Reader<'_>, readable: &HashSet<u32>) -> Result<Vec<Object>> {
    let mut objects = extension_data(reader, readable).await?;
    let known: HashSet<Address> = objects.iter().map(|object| object.address).collect();
    for object in changed_privileges(reader).await? {
        if known.contains(&object.address) {
            let same = objects
                .iter_mut()
                .find(|data| data.address == object.address);
            if let Some(data) = same {
                data.access = object.access;
                if let (Definition::ExtensionData(data), Definition::Member(member)) =
                    (&mut data.definition, object.definition)
                {
                    data.granted = member.columns;
                }
            }
        } else {
            objects.push(object);
        }
    }
    Ok(objects)
}

/// Tables and sequences that an extension marked as holding configuration: its script makes them, their rows are
/// the user's.
async fn extension_data(reader: &mut Reader<'_>, readable: &HashSet<u32>) -> Result<Vec<Object>> {
    let sql = "SELECT c.oid::int8 AS oid, n.nspname AS schema, c.relname AS name,
                pg_get_userbyid(c.relowner) AS owner,
                c.relkind = 'S' AS sequence,
                nullif(e.extcondition[k.n], '') AS condition,
                ARRAY(SELECT a.attname FROM pg_attribute a
                      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
                      ORDER BY a.attnum) AS columns,
                c.relpages AS pages, coalesce(t.relpages, 0) AS toast_pages,
                coalesce(m.amname = 'heap', false) AS heap, c.relpersistence = 'u' AS unlogged,
                c.relkind = 'S' AND coalesce(has_sequence_privilege(c.oid, 'SELECT'), false) AS readable,
                (SELECT coalesce(json_agg(json_build_object('name', f.conname, 'text', pg_get_constraintdef(f.oid))
                                          ORDER BY f.conname), '[]')
                 FROM pg_constraint f
                 WHERE f.conrelid = c.oid AND f.contype = 'f'
                   AND EXISTS (SELECT FROM pg_extension o WHERE f.confrelid = ANY (o.extconfig))) AS foreign_keys
         FROM pg_extension e
         CROSS JOIN unnest(e.extconfig) WITH ORDINALITY AS k(oid, n)
         JOIN pg_class c ON c.oid = k.oid
         JOIN pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
         LEFT JOIN pg_am m ON m.oid = c.relam
         WHERE c.relkind IN ('r', 'S')";
    let mut objects = reader
        .objects(
            Class::Relation,
            "data of extensions",
            sql,
            |definition: ExtensionData| Definition::ExtensionData(definition),
        )
        .await?;
    for object in &mut objects {
        if let Definition::ExtensionData(data) = &mut object.definition
            && !data.sequence
        {
            data.readable = readable.contains(&object.address.1);
        }
    }
    Ok(objects)
}

/// Objects whose privileges differ from those at the birth of the database or extension, which `pg_init_privs` keeps.
/// It doesn't keep those of `information_schema`, which nobody dumps.
async fn changed_privileges(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let kinds = [
        (
            Class::Schema,
            "pg_namespace x",
            "NULL",
            "x.nspname",
            "x.nspowner",
            "x.nspacl",
            "acldefault('n', x.nspowner)",
            "'SCHEMA'",
            "NULL",
            "(x.nspname = 'pg_catalog' OR x.oid >= 16384)",
        ),
        (
            Class::Relation,
            "pg_class x JOIN pg_namespace n ON n.oid = x.relnamespace",
            "n.nspname",
            "x.relname",
            "x.relowner",
            "x.relacl",
            "acldefault(CASE WHEN x.relkind = 'S' THEN 's'::\"char\" ELSE 'r' END, x.relowner)",
            "CASE WHEN x.relkind = 'S' THEN 'SEQUENCE' ELSE 'TABLE' END",
            "NULL",
            "x.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname <> 'information_schema'",
        ),
        (
            Class::Routine,
            "pg_proc x JOIN pg_namespace n ON n.oid = x.pronamespace",
            "n.nspname",
            "x.proname",
            "x.proowner",
            "x.proacl",
            "acldefault('f', x.proowner)",
            "CASE WHEN x.prokind = 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END",
            "pg_get_function_identity_arguments(x.oid)",
            "n.nspname <> 'information_schema'",
        ),
        (
            Class::Type,
            "pg_type x JOIN pg_namespace n ON n.oid = x.typnamespace",
            "n.nspname",
            "x.typname",
            "x.typowner",
            "x.typacl",
            "acldefault('T', x.typowner)",
            "'TYPE'",
            "NULL",
            "n.nspname <> 'information_schema'",
        ),
        (
            Class::Language,
            "pg_language x",
            "NULL",
            "x.lanname",
            "x.lanowner",
            "x.lanacl",
            "acldefault('l', x.lanowner)",
            "'LANGUAGE'",
            "NULL",
            "true",
        ),
        (
            Class::ForeignDataWrapper,
            "pg_foreign_data_wrapper x",
            "NULL",
            "x.fdwname",
            "x.fdwowner",
            "x.fdwacl",
            "acldefault('F', x.fdwowner)",
            "'FOREIGN DATA WRAPPER'",
            "NULL",
            "true",
        ),
        (
            Class::ForeignServer,
            "pg_foreign_server x",
            "NULL",
            "x.srvname",
            "x.srvowner",
            "x.srvacl",
            "acldefault('S', x.srvowner)",
            "'FOREIGN SERVER'",
            "NULL",
            "true",
        ),
    ];
    let mut objects = Vec::new();
    for (class, from, schema, name, owner, acl, initial, word, arguments, condition) in kinds {
        let number = class as u32;
        let initial = format!("coalesce(i.initprivs, {initial})");
        let access = access(&format!("coalesce({acl}, {initial})"), &initial);
        let (columns, changed_columns) = if class == Class::Relation {
            (columns(), changed_columns())
        } else {
            ("'[]'::json".to_owned(), "false")
        };
        let sql = format!(
            "SELECT x.oid::int8 AS oid, {schema} AS schema, {name} AS name, pg_get_userbyid({owner}) AS owner, {access},
                    {word} AS word, {arguments} AS arguments, {columns} AS columns
             FROM {from}
             LEFT JOIN pg_init_privs i ON i.classoid = {number} AND i.objoid = x.oid AND i.objsubid = 0
             WHERE (x.oid < 16384 OR x.oid IN (SELECT e.objid FROM pg_depend e
                                               WHERE e.classid = {number} AND e.deptype = 'e'))
               AND {condition}
               AND ({acl} IS NOT NULL AND {acl} IS DISTINCT FROM {initial} OR {changed_columns})"
        );
        objects.extend(
            reader
                .objects(class, "changed privileges", &sql, |definition: Member| {
                    Definition::Member(definition)
                })
                .await?,
        );
    }
    Ok(objects)
}

fn changed_columns() -> &'static str {
    "EXISTS (SELECT FROM pg_attribute a
             LEFT JOIN pg_init_privs ai ON ai.classoid = 1259 AND ai.objoid = x.oid AND ai.objsubid = a.attnum
             WHERE a.attrelid = x.oid AND NOT a.attisdropped AND a.attacl IS DISTINCT FROM ai.initprivs)"
}

fn columns() -> String {
    format!(
        "(SELECT coalesce(json_agg(json_build_object('name', a.attname, 'access', json_build_object(
                    'granted', {}, 'initial', {})) ORDER BY a.attnum), '[]'::json)
          FROM pg_attribute a
          LEFT JOIN pg_init_privs ai ON ai.classoid = 1259 AND ai.objoid = x.oid AND ai.objsubid = a.attnum
          WHERE a.attrelid = x.oid AND NOT a.attisdropped AND a.attacl IS DISTINCT FROM ai.initprivs)",
        privileges("a.attacl"),
        privileges("ai.initprivs")
    )
}
