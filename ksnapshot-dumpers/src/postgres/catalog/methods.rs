//! Access methods, operator families and classes, transforms.

use ksnapshot_core::Result;

use super::{Reader, USER_SCHEMA, not_of_extension};
use crate::postgres::model::{
    AccessMethod, Class, Definition, Object, OperatorClass, OperatorFamily, Transform,
};

/// All of them.
pub(super) async fn read(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let mut objects = access_methods(reader).await?;
    objects.extend(families(reader).await?);
    objects.extend(classes(reader).await?);
    objects.extend(transforms(reader).await?);
    Ok(objects)
}

async fn access_methods(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let own = not_of_extension(Class::AccessMethod, "m.oid");
    let sql = format!(
        "SELECT m.oid::int8 AS oid, NULL AS schema, m.amname AS name,
                m.amtype AS kind, m.amhandler::regproc::text AS handler
         FROM pg_am m
         WHERE m.oid >= 16384 AND {own}"
    );
    reader
        .objects(
            Class::AccessMethod,
            "access methods",
            &sql,
            |definition: AccessMethod| Definition::AccessMethod(definition),
        )
        .await
}

/// Operators and functions that a family or class holds, as its statement names them. Which of the two holds them is
/// known only by `pg_depend`.
fn members(class: Class, oid: &str) -> String {
    let depends = |catalog: u32, member: &str| {
        format!(
            "EXISTS (SELECT FROM pg_depend d WHERE d.classid = {catalog} AND d.objid = {member}
                                               AND d.refclassid = {} AND d.refobjid = {oid})",
            class as u32
        )
    };
    // A class's members depend on their family by way of the class.
    let loose = |catalog: u32, member: &str| {
        match class {
        Class::OperatorFamily => format!(
            "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = {catalog} AND d.objid = {member}
                                                       AND d.refclassid = {} AND d.deptype = 'i')",
            Class::OperatorClass as u32
        ),
        _ => String::new(),
    }
    };
    format!(
        "ARRAY(
            SELECT member FROM (
                SELECT 1 AS part, o.amopstrategy AS number,
                       format('OPERATOR %s %s', o.amopstrategy, o.amopopr::regoperator)
                       || coalesce((SELECT format(' FOR ORDER BY %I.%I', fn.nspname, f.opfname)
                                    FROM pg_opfamily f JOIN pg_namespace fn ON fn.oid = f.opfnamespace
                                    WHERE f.oid = o.amopsortfamily), '') AS member
                FROM pg_amop o WHERE {} {}
                UNION ALL
                SELECT 2, p.amprocnum,
                       format('FUNCTION %s (%s, %s) %s', p.amprocnum, format_type(p.amproclefttype, NULL),
                              format_type(p.amprocrighttype, NULL), p.amproc::regprocedure)
                FROM pg_amproc p WHERE {} {}
            ) m ORDER BY m.part, m.number, m.member)",
        depends(2602, "o.oid"),
        loose(2602, "o.oid"),
        depends(2603, "p.oid"),
        loose(2603, "p.oid"),
    )
}

async fn families(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let own = not_of_extension(Class::OperatorFamily, "x.oid");
    let sql = format!(
        "SELECT x.oid::int8 AS oid, n.nspname AS schema, x.opfname AS name, pg_get_userbyid(x.opfowner) AS owner,
                m.amname AS method, {} AS members
         FROM pg_opfamily x
         JOIN pg_namespace n ON n.oid = x.opfnamespace
         JOIN pg_am m ON m.oid = x.opfmethod
         WHERE {USER_SCHEMA} AND {own}",
        members(Class::OperatorFamily, "x.oid")
    );
    reader
        .objects(
            Class::OperatorFamily,
            "operator families",
            &sql,
            |definition: OperatorFamily| Definition::OperatorFamily(definition),
        )
        .await
}

async fn classes(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let own = not_of_extension(Class::OperatorClass, "x.oid");
    let sql = format!(
        "SELECT x.oid::int8 AS oid, n.nspname AS schema, x.opcname AS name, pg_get_userbyid(x.opcowner) AS owner,
                m.amname AS method, x.opcdefault AS \"default\", format_type(x.opcintype, NULL) AS type,
                format('%I.%I', f_n.nspname, f.opfname) AS family,
                CASE WHEN x.opckeytype <> 0 THEN format_type(x.opckeytype, NULL) END AS storage,
                {} AS members
         FROM pg_opclass x
         JOIN pg_namespace n ON n.oid = x.opcnamespace
         JOIN pg_am m ON m.oid = x.opcmethod
         JOIN pg_opfamily f ON f.oid = x.opcfamily
         JOIN pg_namespace f_n ON f_n.oid = f.opfnamespace
         WHERE {USER_SCHEMA} AND {own}",
        members(Class::OperatorClass, "x.oid")
    );
    reader
        .objects(
            Class::OperatorClass,
            "operator classes",
            &sql,
            |definition: OperatorClass| Definition::OperatorClass(definition),
        )
        .await
}

async fn transforms(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let own = not_of_extension(Class::Transform, "t.oid");
    let function =
        |column: &str| format!("CASE WHEN t.{column} <> 0 THEN t.{column}::regprocedure::text END");
    let sql = format!(
        "SELECT t.oid::int8 AS oid, NULL AS schema,
                format('for %s language %s', format_type(t.trftype, NULL), l.lanname) AS name,
                format_type(t.trftype, NULL) AS type, l.lanname AS language, {} AS from_sql, {} AS to_sql
         FROM pg_transform t
         JOIN pg_language l ON l.oid = t.trflang
         WHERE t.oid >= 16384 AND {own}",
        function("trffromsql"),
        function("trftosql"),
    );
    reader
        .objects(
            Class::Transform,
            "transforms",
            &sql,
            |definition: Transform| Definition::Transform(definition),
        )
        .await
}
