//! Types and collations.

use std::collections::HashMap;

use ksnapshot_core::Result;
use serde::Deserialize;

use super::access::access;
use super::{Reader, USER_SCHEMA, not_of_extension, settings};
use crate::postgres::model::{
    Attribute, BaseType, Class, Collation, Composite, Definition, Domain, Enum, Object, Range,
    ShellType,
};

/// All types and collations.
pub(super) async fn read(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let mut objects = enums(reader).await?;
    objects.extend(composites(reader).await?);
    objects.extend(domains(reader).await?);
    objects.extend(ranges(reader).await?);
    objects.extend(base_types(reader).await?);
    objects.extend(collations(reader).await?);
    Ok(objects)
}

/// The query for the types that `condition` picks; `t` is the type, `n` its schema.
fn query(columns: &str, joins: &str, condition: &str) -> String {
    let access = access("t.typacl", "acldefault('T', t.typowner)");
    let own = not_of_extension(Class::Type, "t.oid");
    let columns = if columns.is_empty() {
        String::new()
    } else {
        format!(", {columns}")
    };
    format!(
        "SELECT t.oid::int8 AS oid, n.nspname AS schema, t.typname AS name, pg_get_userbyid(t.typowner) AS owner,
                {access}{columns}
         FROM pg_type t
         JOIN pg_namespace n ON n.oid = t.typnamespace
         {joins}
         WHERE {condition} AND {USER_SCHEMA} AND {own}"
    )
}

async fn enums(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let sql = query(
        "ARRAY(SELECT e.enumlabel FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) AS labels",
        "",
        "t.typtype = 'e'",
    );
    reader
        .objects(Class::Type, "enums", &sql, |definition: Enum| {
            Definition::Enum(definition)
        })
        .await
}

async fn composites(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    #[derive(Deserialize)]
    struct Row {
        relation: u32,
        #[serde(flatten)]
        attribute: Attribute,
    }
    let sql = query(
        "t.typrelid::int8 AS relation, '[]'::json AS columns",
        "JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'",
        "t.typtype = 'c'",
    );
    let mut objects = reader
        .objects(
            Class::Type,
            "composite types",
            &sql,
            |definition: Composite| Definition::Composite(definition),
        )
        .await?;
    let rows: Vec<Row> = reader
        .rows(
            "columns of composite types",
            "SELECT a.attrelid::int8 AS relation, a.attnum AS number, a.attname AS name,
                    format_type(a.atttypid, a.atttypmod) AS type,
                    CASE WHEN a.attcollation <> 0 AND a.attcollation <> t.typcollation
                         THEN format('%I.%I', cn.nspname, co.collname) END AS collation
             FROM pg_attribute a
             JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'c'
             JOIN pg_type t ON t.oid = a.atttypid
             LEFT JOIN pg_collation co ON co.oid = a.attcollation
             LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
             WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid >= 16384
             ORDER BY a.attrelid, a.attnum",
        )
        .await?;
    let mut columns: HashMap<u32, Vec<Attribute>> = HashMap::new();
    for Row {
        relation,
        attribute,
    } in rows
    {
        columns.entry(relation).or_default().push(attribute);
    }
    for object in &mut objects {
        if let Definition::Composite(composite) = &mut object.definition {
            composite.columns = columns.remove(&composite.relation).unwrap_or_default();
        }
    }
    Ok(objects)
}

async fn domains(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let named = reader.version.at_least(17);
    let columns = format!(
        "format_type(t.typbasetype, t.typtypmod) AS base,
         CASE WHEN t.typcollation <> 0 AND t.typcollation <> b.typcollation
              THEN format('%I.%I', cn.nspname, co.collname) END AS collation,
         coalesce(pg_get_expr(t.typdefaultbin, 'pg_type'::regclass), quote_literal(t.typdefault)) AS \"default\",
         t.typnotnull AS not_null,
         {} AS not_null_name, {} AS not_null_oid",
        if named {
            "CASE WHEN nn.conname <> t.typname || '_not_null'
                    OR EXISTS (SELECT FROM pg_constraint same
                               WHERE same.conname = nn.conname AND same.connamespace = nn.connamespace
                                 AND same.oid <> nn.oid)
                    OR EXISTS (SELECT FROM pg_description d
                               WHERE d.classoid = 'pg_constraint'::regclass AND d.objoid = nn.oid)
                  THEN nn.conname END"
        } else {
            "NULL::text"
        },
        if named { "nn.oid::int8" } else { "NULL::int8" },
    );
    let joins = format!(
        "JOIN pg_type b ON b.oid = t.typbasetype
         LEFT JOIN pg_collation co ON co.oid = t.typcollation
         LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
         {}",
        if named {
            "LEFT JOIN pg_constraint nn ON nn.contypid = t.oid AND nn.contype = 'n'"
        } else {
            ""
        }
    );
    let sql = query(&columns, &joins, "t.typtype = 'd'");
    reader
        .objects(Class::Type, "domains", &sql, |definition: Domain| {
            Definition::Domain(definition)
        })
        .await
}

async fn ranges(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let multirange = reader.version.since(
        14,
        "(SELECT format('%I.%I', mn.nspname, mt.typname) FROM pg_type mt
          JOIN pg_namespace mn ON mn.oid = mt.typnamespace WHERE mt.oid = r.rngmultitypid)",
        "NULL",
    );
    let list = settings(&[
        ("SUBTYPE", "format_type(r.rngsubtype, NULL)"),
        ("MULTIRANGE_TYPE_NAME", multirange),
        (
            "SUBTYPE_OPCLASS",
            "(SELECT format('%I.%I', o_n.nspname, oc.opcname) FROM pg_opclass oc
              JOIN pg_namespace o_n ON o_n.oid = oc.opcnamespace
              WHERE oc.oid = r.rngsubopc AND NOT oc.opcdefault)",
        ),
        (
            "COLLATION",
            "(SELECT format('%I.%I', c_n.nspname, co.collname) FROM pg_collation co
              JOIN pg_namespace c_n ON c_n.oid = co.collnamespace
              WHERE co.oid = r.rngcollation AND r.rngcollation <> st.typcollation)",
        ),
        (
            "CANONICAL",
            "CASE WHEN r.rngcanonical <> 0 THEN r.rngcanonical::regproc::text END",
        ),
        (
            "SUBTYPE_DIFF",
            "CASE WHEN r.rngsubdiff <> 0 THEN r.rngsubdiff::regproc::text END",
        ),
    ]);
    let sql = query(
        &format!("{list} AS settings"),
        "JOIN pg_range r ON r.rngtypid = t.oid JOIN pg_type st ON st.oid = r.rngsubtype",
        "t.typtype = 'r'",
    );
    reader
        .objects(Class::Type, "range types", &sql, |definition: Range| {
            Definition::Range(definition)
        })
        .await
}

async fn base_types(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    // An array type is its element's; everything else of this kind is made of functions.
    let not_an_array =
        "NOT EXISTS (SELECT FROM pg_type el WHERE el.oid = t.typelem AND el.typarray = t.oid)";
    let function =
        |column: &str| format!("CASE WHEN {column} <> 0 THEN {column}::regproc::text END");
    let subscript = reader.version.since(
        14,
        "CASE WHEN t.typsubscript <> 0 AND t.typelem = 0 THEN t.typsubscript::regproc::text END",
        "NULL",
    );
    let list = settings(&[
        (
            "INTERNALLENGTH",
            "CASE WHEN t.typlen >= 0 THEN t.typlen::text ELSE 'VARIABLE' END",
        ),
        ("INPUT", "t.typinput::regproc::text"),
        ("OUTPUT", "t.typoutput::regproc::text"),
        ("RECEIVE", &function("t.typreceive")),
        ("SEND", &function("t.typsend")),
        ("TYPMOD_IN", &function("t.typmodin")),
        ("TYPMOD_OUT", &function("t.typmodout")),
        ("ANALYZE", &function("t.typanalyze")),
        ("SUBSCRIPT", subscript),
        (
            "COLLATABLE",
            "CASE WHEN t.typcollation <> 0 THEN 'true' END",
        ),
        (
            "DEFAULT",
            "coalesce(pg_get_expr(t.typdefaultbin, 'pg_type'::regclass), quote_literal(t.typdefault))",
        ),
        (
            "ELEMENT",
            "CASE WHEN t.typelem <> 0 THEN format_type(t.typelem, NULL) END",
        ),
        (
            "CATEGORY",
            "CASE WHEN t.typcategory <> 'U' THEN quote_literal(t.typcategory::text) END",
        ),
        ("PREFERRED", "CASE WHEN t.typispreferred THEN 'true' END"),
        (
            "DELIMITER",
            "CASE WHEN t.typdelim <> ',' THEN quote_literal(t.typdelim::text) END",
        ),
        (
            "ALIGNMENT",
            "CASE t.typalign WHEN 'c' THEN 'char' WHEN 's' THEN 'int2' WHEN 'i' THEN 'int4' ELSE 'double' END",
        ),
        (
            "STORAGE",
            "CASE t.typstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'x' THEN 'extended' ELSE 'main' END",
        ),
        ("PASSEDBYVALUE", "CASE WHEN t.typbyval THEN '' END"),
    ]);
    let sql = query(
        &format!("{list} AS settings"),
        "",
        &format!("t.typtype = 'b' AND t.typisdefined AND {not_an_array}"),
    );
    let mut objects = reader
        .objects(Class::Type, "base types", &sql, |definition: BaseType| {
            Definition::BaseType(definition)
        })
        .await?;
    let sql = query("", "", "NOT t.typisdefined");
    objects.extend(
        reader
            .objects(Class::Type, "shell types", &sql, |definition: ShellType| {
                Definition::ShellType(definition)
            })
            .await?,
    );
    Ok(objects)
}

async fn collations(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let version = reader.version;
    let locale = if version.at_least(17) {
        "c.colllocale"
    } else if version.at_least(15) {
        "c.colliculocale"
    } else {
        "CASE WHEN c.collprovider = 'i' THEN c.collcollate::text END"
    };
    let literal_locale = format!("quote_literal({locale})");
    let libc = |column: &str| {
        format!("CASE WHEN c.collprovider = 'c' THEN quote_literal({column}::text) END")
    };
    let rules = version.since(16, "quote_literal(c.collicurules)", "NULL");
    let list = settings(&[
        (
            "PROVIDER",
            "CASE c.collprovider WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'default' END",
        ),
        (
            "DETERMINISTIC",
            "CASE WHEN NOT c.collisdeterministic THEN 'false' END",
        ),
        ("LOCALE", &literal_locale),
        ("LC_COLLATE", &libc("c.collcollate")),
        ("LC_CTYPE", &libc("c.collctype")),
        ("RULES", rules),
    ]);
    let own = not_of_extension(Class::Collation, "c.oid");
    let sql = format!(
        "SELECT c.oid::int8 AS oid, n.nspname AS schema, c.collname AS name, pg_get_userbyid(c.collowner) AS owner,
                {list} AS settings
         FROM pg_collation c
         JOIN pg_namespace n ON n.oid = c.collnamespace
         WHERE {USER_SCHEMA} AND {own}"
    );
    reader
        .objects(
            Class::Collation,
            "collations",
            &sql,
            |definition: Collation| Definition::Collation(definition),
        )
        .await
}
