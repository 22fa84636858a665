//! What the database itself is set to.

use ksnapshot_core::Result;

use super::Reader;
use super::access::access;
use super::globals::labels;
use crate::postgres::model::Properties;

/// The properties of the database at hand.
pub(super) async fn properties(reader: &mut Reader<'_>) -> Result<Properties> {
    let access = access("d.datacl", "acldefault('d', d.datdba)");
    let labels = labels("d.oid", "pg_database");
    let rows = reader
        .rows(
            "the database",
            &format!(
                "SELECT d.datname AS name, pg_get_userbyid(d.datdba) AS owner, d.datdba <> 10 AS given, {access},
                        shobj_description(d.oid, 'pg_database') AS comment,
                        {labels},
                        CASE WHEN d.datconnlimit >= 0 THEN d.datconnlimit END AS connection_limit,
                        d.datistemplate AS template,
                        (SELECT coalesce(json_agg(json_build_object(
                                    'role', CASE WHEN s.setrole <> 0 THEN pg_get_userbyid(s.setrole) END,
                                    'name', left(c.pair, strpos(c.pair, '=') - 1),
                                    'value', substr(c.pair, strpos(c.pair, '=') + 1))
                                 ORDER BY s.setrole <> 0, pg_get_userbyid(s.setrole), c.n), '[]')
                         FROM pg_db_role_setting s
                         CROSS JOIN unnest(s.setconfig) WITH ORDINALITY AS c(pair, n)
                         WHERE s.setdatabase = d.oid) AS settings
                 FROM pg_database d
                 WHERE d.datname = current_database()"
            ),
        )
        .await?;
    Ok(rows.into_iter().next().unwrap_or_default())
}
