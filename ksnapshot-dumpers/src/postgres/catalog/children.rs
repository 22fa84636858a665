//! What belongs to a table: constraints, indexes, statistics, rules, triggers, policies. Also the constraints of
//! domains.

use ksnapshot_core::Result;

use super::{Reader, USER_SCHEMA, not_of_extension};
use crate::postgres::model::{
    Class, Constraint, Definition, Index, Object, Policy, Rule, Statistics, Trigger,
};

/// All of them.
pub(super) async fn read(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let mut objects = constraints(reader).await?;
    objects.extend(indexes(reader).await?);
    objects.extend(statistics(reader).await?);
    objects.extend(rules(reader).await?);
    objects.extend(triggers(reader).await?);
    objects.extend(policies(reader).await?);
    Ok(objects)
}

async fn constraints(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let table_own = not_of_extension(Class::Relation, "c.oid");
    let type_own = not_of_extension(Class::Type, "t.oid");
    let period = reader
        .version
        .since(18, "k.conperiod AND k.contype IN ('p', 'u')", "false");
    // A foreign key of a partition comes with its parent's; a valid NOT NULL stands at its column.
    let sql = format!(
        "SELECT k.oid::int8 AS oid, n.nspname AS schema, k.conname AS name,
                CASE WHEN c.oid IS NOT NULL THEN json_build_array(1259, c.oid::int8)
                     ELSE json_build_array(1247, t.oid::int8) END AS parent,
                k.contype AS kind,
                pg_get_constraintdef(k.oid) AS text,
                k.convalidated AS valid,
                k.conislocal AS local,
                k.condeferrable AS deferrable,
                k.condeferred AS deferred,
                CASE WHEN k.contype IN ('p', 'u', 'x') THEN k.conindid::int8 END AS index,
                {period} AS period
         FROM pg_constraint k
         LEFT JOIN pg_class c ON c.oid = k.conrelid AND c.relpersistence <> 't'
         LEFT JOIN pg_type t ON t.oid = k.contypid
         JOIN pg_namespace n ON n.oid = coalesce(c.relnamespace, t.typnamespace)
         WHERE {USER_SCHEMA}
           AND CASE WHEN c.oid IS NOT NULL
                    THEN {table_own} AND CASE k.contype
                        WHEN 'f' THEN k.conparentid = 0
                        WHEN 'n' THEN NOT k.convalidated AND k.conislocal
                        ELSE k.contype IN ('p', 'u', 'x', 'c') END
                    ELSE {type_own} AND k.contype = 'c' END"
    );
    reader
        .objects(
            Class::Constraint,
            "constraints",
            &sql,
            |definition: Constraint| Definition::Constraint(definition),
        )
        .await
}

async fn indexes(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let own = not_of_extension(Class::Relation, "t.oid");
    let nulls = reader.version.since(15, "i.indnullsnotdistinct", "false");
    // An invalid index of a partitioned table is one whose partitions aren't all indexed: that is how it is meant.
    let sql = format!(
        "SELECT c.oid::int8 AS oid, n.nspname AS schema, c.relname AS name,
                i.indrelid::int8 AS \"table\",
                pg_get_indexdef(c.oid) AS text,
                h.inhparent::int8 AS parent,
                k.oid::int8 AS \"constraint\",
                i.indisvalid OR c.relkind = 'I' AS valid,
                c.relkind = 'I' AS partitioned,
                i.indisclustered AS clustered,
                i.indisreplident AS replica_identity,
                {nulls} AS nulls_not_distinct,
                CASE WHEN k.oid IS NULL THEN '{{}}' ELSE
                    ARRAY(SELECT pg_get_indexdef(c.oid, g, false) FROM generate_series(1, i.indnkeyatts) g ORDER BY g)
                END AS keys,
                CASE WHEN k.oid IS NULL THEN '{{}}' ELSE
                    ARRAY(SELECT pg_get_indexdef(c.oid, g, false)
                          FROM generate_series(i.indnkeyatts + 1, i.indnatts) g ORDER BY g)
                END AS included,
                coalesce(c.reloptions, '{{}}') AS options,
                s.spcname AS tablespace,
                (SELECT coalesce(json_agg(json_build_object('column', a.attnum, 'target', a.attstattarget)
                                          ORDER BY a.attnum), '[]')
                 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attstattarget >= 0) AS statistics
         FROM pg_index i
         JOIN pg_class c ON c.oid = i.indexrelid
         JOIN pg_class t ON t.oid = i.indrelid
         JOIN pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_inherits h ON h.inhrelid = c.oid
         LEFT JOIN pg_constraint k ON k.conindid = c.oid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
         LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
         WHERE t.relkind IN ('r', 'p', 'm') AND t.relpersistence <> 't' AND {USER_SCHEMA} AND {own}"
    );
    reader
        .objects(Class::Relation, "indexes", &sql, |definition: Index| {
            Definition::Index(definition)
        })
        .await
}

async fn statistics(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let own = not_of_extension(Class::Statistics, "x.oid");
    let target = reader.version.since(
        13,
        "CASE WHEN x.stxstattarget >= 0 THEN x.stxstattarget END",
        "NULL::int4",
    );
    let sql = format!(
        "SELECT x.oid::int8 AS oid, n.nspname AS schema, x.stxname AS name, pg_get_userbyid(x.stxowner) AS owner,
                pg_get_statisticsobjdef(x.oid) AS text, {target} AS target, x.stxrelid::int8 AS \"table\"
         FROM pg_statistic_ext x
         JOIN pg_namespace n ON n.oid = x.stxnamespace
         WHERE {USER_SCHEMA} AND {own}"
    );
    reader
        .objects(
            Class::Statistics,
            "extended statistics",
            &sql,
            |definition: Statistics| Definition::Statistics(definition),
        )
        .await
}

async fn rules(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let own = not_of_extension(Class::Relation, "c.oid");
    let sql = format!(
        "SELECT r.oid::int8 AS oid, n.nspname AS schema, r.rulename AS name,
                c.oid::int8 AS \"table\", pg_get_ruledef(r.oid) AS text, r.ev_enabled AS enabled
         FROM pg_rewrite r
         JOIN pg_class c ON c.oid = r.ev_class
         JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE NOT (r.ev_type = '1' AND c.relkind IN ('v', 'm')) AND {USER_SCHEMA} AND {own}"
    );
    reader
        .objects(Class::Rule, "rules", &sql, |definition: Rule| {
            Definition::Rule(definition)
        })
        .await
}

async fn triggers(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let own = not_of_extension(Class::Relation, "c.oid");
    // Before 13 a partition's copy of its parent's trigger is known only by its dependency.
    let (parent, parent_join) = if reader.version.at_least(13) {
        (
            "nullif(g.tgparentid, 0)",
            "LEFT JOIN pg_trigger u ON u.oid = g.tgparentid",
        )
    } else {
        (
            "u.oid",
            "LEFT JOIN pg_depend d ON d.classid = 'pg_trigger'::regclass AND d.objid = g.oid AND d.deptype IN ('P', 'S')
                                  AND d.refclassid = 'pg_trigger'::regclass
             LEFT JOIN pg_trigger u ON u.oid = d.refobjid",
        )
    };
    let sql = format!(
        "SELECT g.oid::int8 AS oid, n.nspname AS schema, g.tgname AS name,
                c.oid::int8 AS \"table\", pg_get_triggerdef(g.oid, false) AS text, g.tgenabled AS enabled,
                {parent}::int8 AS of_parent
         FROM pg_trigger g
         JOIN pg_class c ON c.oid = g.tgrelid
         JOIN pg_namespace n ON n.oid = c.relnamespace
         {parent_join}
         WHERE (NOT g.tgisinternal AND u.oid IS NULL OR g.tgenabled <> u.tgenabled)
           AND c.relpersistence <> 't' AND {USER_SCHEMA} AND {own}"
    );
    reader
        .objects(Class::Trigger, "triggers", &sql, |definition: Trigger| {
            Definition::Trigger(definition)
        })
        .await
}

async fn policies(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let own = not_of_extension(Class::Relation, "c.oid");
    let sql = format!(
        "SELECT p.oid::int8 AS oid, n.nspname AS schema, p.polname AS name,
                c.oid::int8 AS \"table\", p.polcmd AS command, p.polpermissive AS permissive,
                CASE WHEN p.polroles = '{{0}}' THEN '{{}}' ELSE
                    ARRAY(SELECT pg_get_userbyid(r)::text FROM unnest(p.polroles) r ORDER BY 1) END AS roles,
                pg_get_expr(p.polqual, p.polrelid) AS using,
                pg_get_expr(p.polwithcheck, p.polrelid) AS \"check\"
         FROM pg_policy p
         JOIN pg_class c ON c.oid = p.polrelid
         JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE {USER_SCHEMA} AND {own}"
    );
    reader
        .objects(Class::Policy, "policies", &sql, |definition: Policy| {
            Definition::Policy(definition)
        })
        .await
}
