//! Which object needs which: `pg_depend`, told in terms of what is dumped.

use std::collections::{BTreeSet, HashMap, HashSet};

use ksnapshot_core::Result;
use serde::Deserialize;

use super::Reader;
use crate::postgres::model::{Address, Class, Definition, Object};

#[derive(Deserialize)]
struct Edge {
    class: u32,
    oid: u32,
    ref_class: u32,
    ref_oid: u32,
    ref_column: i32,
    kind: String,
}

#[derive(Deserialize)]
struct Alias {
    class: u32,
    oid: u32,
    to_class: u32,
    to_oid: u32,
}

/// The edges between objects. What isn't dumped itself stands for what brings it: a row type for its table, an array
/// for its element, a member for its extension. A view's query and a column's default keep addresses of their own,
/// since order may have to part them from their relation.
pub(super) async fn edges(
    reader: &mut Reader<'_>,
    objects: &[Object],
) -> Result<Vec<(Address, Address)>> {
    // Row types, arrays and TOAST tables belong to what brings them, which is known of them: three rows for each table.
    let edges: Vec<Edge> = reader
        .rows(
            "dependencies",
            "SELECT d.classid::int8 AS class, d.objid::int8 AS oid, d.refclassid::int8 AS ref_class,
                    d.refobjid::int8 AS ref_oid, d.refobjsubid AS ref_column, d.deptype AS kind
             FROM pg_depend d
             WHERE d.deptype <> 'p' AND d.objid >= 16384
               AND NOT (d.deptype = 'i' AND d.refobjsubid = 0
                        AND (d.classid = 1247 OR d.classid = 1259 AND d.refclassid = 1259))",
        )
        .await?;
    let aliases = aliases(reader).await?;

    let mut known: HashSet<Address> = objects.iter().map(|object| object.address).collect();
    let mut own_rules = HashSet::new();
    for object in objects {
        if let Definition::Relation(relation) = &object.definition {
            let defaults = relation
                .columns
                .iter()
                .filter_map(|column| column.default.as_ref());
            known.extend(defaults.map(|default| Address(Class::ColumnDefault, default.oid)));
            own_rules.extend(relation.rule.map(|oid| Address(Class::Rule, oid)));
        }
    }
    let sequences: HashSet<u32> = objects
        .iter()
        .filter(|object| matches!(object.definition, Definition::Sequence(_)))
        .map(|object| object.address.1)
        .collect();
    let resolve = |mut address: Address| {
        // Chains are short: array of a row type of a table of an extension.
        for _ in 0..8 {
            if known.contains(&address) {
                return Some(address);
            }
            address = *aliases.get(&address)?;
        }
        None
    };

    let mut resolved = BTreeSet::new();
    for edge in edges {
        let (Some(class), Some(ref_class)) =
            (Class::from_oid(edge.class), Class::from_oid(edge.ref_class))
        else {
            continue;
        };
        // "Owned by" is no need: it is a statement of its own, after both.
        if class == Class::Relation
            && sequences.contains(&edge.oid)
            && edge.ref_column != 0
            && edge.kind == "a"
        {
            continue;
        }
        let address = Address(class, edge.oid);
        // A member is its extension, unless there is something to say of it alone.
        if edge.kind == "e" && !known.contains(&address) {
            continue;
        }
        let from = if own_rules.contains(&address) {
            Some(address)
        } else {
            resolve(address)
        };
        let to = resolve(Address(ref_class, edge.ref_oid));
        if let (Some(from), Some(to)) = (from, to)
            && from != to
            // What a member needs is its extension's affair.
            && (from.0 != Class::Extension || class == Class::Extension)
        {
            resolved.insert((from, to));
        }
    }
    Ok(resolved.into_iter().collect())
}

async fn aliases(reader: &mut Reader<'_>) -> Result<HashMap<Address, Address>> {
    let multirange = reader.version.since(
        14,
        "UNION ALL SELECT 1247, r.rngmultitypid::int8, 1247, r.rngtypid::int8 FROM pg_range r",
        "",
    );
    // A partition's copy of a trigger is only dumped where it differs from its parent's.
    let trigger = reader.version.since(
        13,
        "UNION ALL SELECT 2620, g.oid::int8, 2620, g.tgparentid::int8 FROM pg_trigger g WHERE g.tgparentid <> 0",
        "",
    );
    let published = reader.version.since(
        15,
        "UNION ALL SELECT 6237, s.oid::int8, 6104, s.pnpubid::int8 FROM pg_publication_namespace s",
        "",
    );
    let rows: Vec<Alias> = reader
        .rows(
            "what stands for what",
            &format!(
                "SELECT * FROM (
                    SELECT 1247 AS class, t.oid::int8 AS oid, 1259 AS to_class, t.typrelid::int8 AS to_oid
                    FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid WHERE c.relkind <> 'c'
                    UNION ALL
                    SELECT 1259, t.typrelid::int8, 1247, t.oid::int8
                    FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid WHERE c.relkind = 'c'
                    UNION ALL
                    SELECT 1247, t.typarray::int8, 1247, t.oid::int8 FROM pg_type t WHERE t.typarray <> 0
                    {multirange}
                    UNION ALL
                    SELECT 2618, r.oid::int8, 1259, r.ev_class::int8 FROM pg_rewrite r
                    UNION ALL
                    SELECT 2620, g.oid::int8, 2606, g.tgconstraint::int8
                    FROM pg_trigger g WHERE g.tgisinternal AND g.tgconstraint <> 0
                    {trigger}
                    UNION ALL
                    SELECT 6106, r.oid::int8, 6104, r.prpubid::int8 FROM pg_publication_rel r
                    {published}
                    UNION ALL
                    SELECT 2602, o.oid::int8, CASE WHEN d.refobjid IS NULL THEN 2753 ELSE 2616 END,
                           coalesce(d.refobjid, o.amopfamily)::int8
                    FROM pg_amop o
                    LEFT JOIN pg_depend d ON d.classid = 2602 AND d.objid = o.oid
                                         AND d.refclassid = 2616 AND d.deptype = 'i'
                    UNION ALL
                    SELECT 2603, p.oid::int8, CASE WHEN d.refobjid IS NULL THEN 2753 ELSE 2616 END,
                           coalesce(d.refobjid, p.amprocfamily)::int8
                    FROM pg_amproc p
                    LEFT JOIN pg_depend d ON d.classid = 2603 AND d.objid = p.oid
                                         AND d.refclassid = 2616 AND d.deptype = 'i'
                    UNION ALL
                    SELECT d.classid::int8, d.objid::int8, d.refclassid::int8, d.refobjid::int8
                    FROM pg_depend d WHERE d.deptype = 'e'
                 ) a WHERE a.oid >= 16384"
            ),
        )
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let from = Address(Class::from_oid(row.class)?, row.oid);
            Some((from, Address(Class::from_oid(row.to_class)?, row.to_oid)))
        })
        .collect())
}
