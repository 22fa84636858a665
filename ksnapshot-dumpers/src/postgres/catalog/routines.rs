//! Functions, procedures, aggregates, operators, casts and languages.

use ksnapshot_core::Result;

use super::access::access;
use super::{Reader, USER_SCHEMA, not_of_extension, settings};
use crate::postgres::model::{
    Aggregate, Cast, Class, Definition, Language, Object, Operator, Routine,
};

/// All of them.
pub(super) async fn read(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let mut objects = routines(reader).await?;
    objects.extend(aggregates(reader).await?);
    objects.extend(operators(reader).await?);
    objects.extend(casts(reader).await?);
    objects.extend(languages(reader).await?);
    Ok(objects)
}

async fn routines(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let access = access("p.proacl", "acldefault('f', p.proowner)");
    let own = not_of_extension(Class::Routine, "p.oid");
    // The constructors of range types come with their types.
    let sql = format!(
        "SELECT p.oid::int8 AS oid, n.nspname AS schema, p.proname AS name, pg_get_userbyid(p.proowner) AS owner,
                {access},
                p.prokind AS kind,
                coalesce(pg_get_function_identity_arguments(p.oid), '') AS arguments,
                pg_get_functiondef(p.oid) AS text,
                {parsed_body} AS parsed_body
         FROM pg_proc p
         JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE p.prokind <> 'a' AND {USER_SCHEMA} AND {own}
           AND NOT EXISTS (SELECT FROM pg_depend i WHERE i.classid = 1255 AND i.objid = p.oid AND i.deptype = 'i')",
        parsed_body = reader.version.since(14, "p.prosqlbody IS NOT NULL", "false"),
    );
    reader
        .objects(Class::Routine, "functions", &sql, |definition: Routine| {
            Definition::Routine(definition)
        })
        .await
}

async fn aggregates(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let access = access("p.proacl", "acldefault('f', p.proowner)");
    let own = not_of_extension(Class::Routine, "p.oid");
    let function =
        |column: &str| format!("CASE WHEN a.{column} <> 0 THEN a.{column}::regproc::text END");
    let flag = |column: &str| format!("CASE WHEN a.{column} THEN '' END");
    let size = |column: &str| format!("CASE WHEN a.{column} <> 0 THEN a.{column}::text END");
    let modify = |column: &str, needs: &str| {
        format!(
            "CASE WHEN a.{needs} <> 0 THEN CASE a.{column}
                WHEN 'r' THEN 'READ_ONLY' WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END END"
        )
    };
    let list = settings(&[
        ("SFUNC", &function("aggtransfn")),
        ("STYPE", "format_type(a.aggtranstype, NULL)"),
        ("SSPACE", &size("aggtransspace")),
        ("FINALFUNC", &function("aggfinalfn")),
        ("FINALFUNC_EXTRA", &flag("aggfinalextra")),
        ("FINALFUNC_MODIFY", &modify("aggfinalmodify", "aggfinalfn")),
        ("COMBINEFUNC", &function("aggcombinefn")),
        ("SERIALFUNC", &function("aggserialfn")),
        ("DESERIALFUNC", &function("aggdeserialfn")),
        ("INITCOND", "quote_literal(a.agginitval)"),
        ("MSFUNC", &function("aggmtransfn")),
        ("MINVFUNC", &function("aggminvtransfn")),
        (
            "MSTYPE",
            "CASE WHEN a.aggmtranstype <> 0 THEN format_type(a.aggmtranstype, NULL) END",
        ),
        ("MSSPACE", &size("aggmtransspace")),
        ("MFINALFUNC", &function("aggmfinalfn")),
        ("MFINALFUNC_EXTRA", &flag("aggmfinalextra")),
        (
            "MFINALFUNC_MODIFY",
            &modify("aggmfinalmodify", "aggmfinalfn"),
        ),
        ("MINITCOND", "quote_literal(a.aggminitval)"),
        (
            "SORTOP",
            "(SELECT format('OPERATOR(%I.%s)', s_n.nspname, s.oprname) FROM pg_operator s
              JOIN pg_namespace s_n ON s_n.oid = s.oprnamespace WHERE s.oid = a.aggsortop)",
        ),
        (
            "PARALLEL",
            "CASE p.proparallel WHEN 's' THEN 'SAFE' WHEN 'r' THEN 'RESTRICTED' END",
        ),
        ("HYPOTHETICAL", "CASE WHEN a.aggkind = 'h' THEN '' END"),
    ]);
    let sql = format!(
        "SELECT p.oid::int8 AS oid, n.nspname AS schema, p.proname AS name, pg_get_userbyid(p.proowner) AS owner,
                {access},
                coalesce(nullif(pg_get_function_identity_arguments(p.oid), ''), '*') AS arguments,
                coalesce(nullif(pg_get_function_arguments(p.oid), ''), '*') AS declared,
                array_to_string(ARRAY(SELECT format_type(t.oid, NULL)
                                      FROM unnest(p.proargtypes) WITH ORDINALITY t(oid, n) ORDER BY t.n), ', ') AS types,
                a.aggkind AS kind,
                {list} AS settings
         FROM pg_proc p
         JOIN pg_aggregate a ON a.aggfnoid = p.oid
         JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE {USER_SCHEMA} AND {own}"
    );
    reader
        .objects(
            Class::Routine,
            "aggregates",
            &sql,
            |definition: Aggregate| Definition::Aggregate(definition),
        )
        .await
}

async fn operators(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let own = not_of_extension(Class::Operator, "o.oid");
    let operator = |column: &str| {
        format!(
            "(SELECT format('OPERATOR(%I.%s)', r_n.nspname, r.oprname) FROM pg_operator r
              JOIN pg_namespace r_n ON r_n.oid = r.oprnamespace WHERE r.oid = o.{column})"
        )
    };
    let function =
        |column: &str| format!("CASE WHEN o.{column} <> 0 THEN o.{column}::regproc::text END");
    let list = settings(&[
        ("FUNCTION", "o.oprcode::regproc::text"),
        (
            "LEFTARG",
            "CASE WHEN o.oprleft <> 0 THEN format_type(o.oprleft, NULL) END",
        ),
        (
            "RIGHTARG",
            "CASE WHEN o.oprright <> 0 THEN format_type(o.oprright, NULL) END",
        ),
        ("COMMUTATOR", &operator("oprcom")),
        ("NEGATOR", &operator("oprnegate")),
        ("MERGES", "CASE WHEN o.oprcanmerge THEN '' END"),
        ("HASHES", "CASE WHEN o.oprcanhash THEN '' END"),
        ("RESTRICT", &function("oprrest")),
        ("JOIN", &function("oprjoin")),
    ]);
    // Without a function it is a shell, which its commutator or negator makes anew.
    let sql = format!(
        "SELECT o.oid::int8 AS oid, n.nspname AS schema, o.oprname AS name, pg_get_userbyid(o.oprowner) AS owner,
                CASE WHEN o.oprleft <> 0 THEN format_type(o.oprleft, NULL) END AS left,
                CASE WHEN o.oprright <> 0 THEN format_type(o.oprright, NULL) END AS right,
                {list} AS settings
         FROM pg_operator o
         JOIN pg_namespace n ON n.oid = o.oprnamespace
         WHERE o.oprcode <> 0 AND {USER_SCHEMA} AND {own}"
    );
    reader
        .objects(
            Class::Operator,
            "operators",
            &sql,
            |definition: Operator| Definition::Operator(definition),
        )
        .await
}

async fn casts(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let own = not_of_extension(Class::Cast, "c.oid");
    // A cast from a range to its multirange comes with the range.
    let sql = format!(
        "SELECT c.oid::int8 AS oid, NULL AS schema,
                format('(%s AS %s)', format_type(c.castsource, NULL), format_type(c.casttarget, NULL)) AS name,
                format_type(c.castsource, NULL) AS \"from\", format_type(c.casttarget, NULL) AS \"to\",
                c.castmethod AS method, c.castcontext AS context,
                CASE WHEN c.castfunc <> 0 THEN c.castfunc::regprocedure::text END AS function
         FROM pg_cast c
         WHERE c.oid >= 16384 AND {own}
           AND NOT EXISTS (SELECT FROM pg_depend i WHERE i.classid = 2605 AND i.objid = c.oid AND i.deptype = 'i')"
    );
    reader
        .objects(Class::Cast, "casts", &sql, |definition: Cast| {
            Definition::Cast(definition)
        })
        .await
}

async fn languages(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let access = access("l.lanacl", "acldefault('l', l.lanowner)");
    let own = not_of_extension(Class::Language, "l.oid");
    let function =
        |column: &str| format!("CASE WHEN l.{column} <> 0 THEN l.{column}::regproc::text END");
    let sql = format!(
        "SELECT l.oid::int8 AS oid, NULL AS schema, l.lanname AS name, pg_get_userbyid(l.lanowner) AS owner,
                {access},
                l.lanpltrusted AS trusted,
                {} AS handler, {} AS inline, {} AS validator
         FROM pg_language l
         WHERE l.lanispl AND l.oid >= 16384 AND {own}",
        function("lanplcallfoid"),
        function("laninline"),
        function("lanvalidator"),
    );
    reader
        .objects(
            Class::Language,
            "languages",
            &sql,
            |definition: Language| Definition::Language(definition),
        )
        .await
}
