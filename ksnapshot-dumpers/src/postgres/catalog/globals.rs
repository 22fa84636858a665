//! Roles, tablespaces and grants on parameters, as `pg_dumpall --globals-only` knows them.

use std::collections::BTreeSet;

use ksnapshot_core::{Problem, ProblemKind, Result};

use super::{Reader, access};
use crate::postgres::model::{Globals, Membership};

/// Labels of an object that all databases share.
pub(super) fn labels(oid: &str, class: &str) -> String {
    format!(
        "(SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                'column', 0, 'provider', l.provider, 'label', l.label) ORDER BY l.provider), '[]'::json)
          FROM pg_shseclabel l WHERE l.objoid = {oid} AND l.classoid = '{class}'::regclass) AS labels"
    )
}

pub(super) async fn read(reader: &mut Reader<'_>, problems: &mut Vec<Problem>) -> Result<Globals> {
    #[derive(serde::Deserialize)]
    struct Right {
        given: bool,
    }
    let right: Vec<Right> = reader
        .rows(
            "rights on roles",
            "SELECT has_table_privilege('pg_authid', 'SELECT') AS given",
        )
        .await?;
    let passwords = right.first().is_some_and(|right| right.given);
    if !passwords {
        problems.push(Problem {
            kind: ProblemKind::Unreadable,
            object: "roles".into(),
            message: "no right to read their passwords".into(),
            hint: Some("Dump as a superuser, or set passwords again after a restore.".into()),
        });
    }
    let (table, password) = if passwords {
        ("pg_authid", "r.rolpassword")
    } else {
        ("pg_roles", "NULL::text")
    };
    let roles = reader
        .rows(
            "roles",
            &format!(
                "SELECT r.rolname AS name, r.rolsuper AS superuser, r.rolinherit AS inherit, r.rolcreaterole AS create_role,
                        r.rolcreatedb AS create_db, r.rolcanlogin AS login, r.rolreplication AS replication,
                        r.rolbypassrls AS bypass_rls, r.rolconnlimit AS connection_limit, {password} AS password,
                        r.rolvaliduntil::text AS valid_until, shobj_description(r.oid, 'pg_authid') AS comment, {labels},
                        (SELECT coalesce(pg_catalog.json_agg(c.setting ORDER BY c.n), '[]'::json)
                         FROM pg_db_role_setting s, unnest(s.setconfig) WITH ORDINALITY AS c(setting, n)
                         WHERE s.setrole = r.oid AND s.setdatabase = 0) AS settings
                 FROM {table} r
                 WHERE r.rolname !~ '^pg_'
                 ORDER BY r.rolname",
                labels = labels("r.oid", "pg_authid")
            ),
        )
        .await?;
    let since_16 = reader.version.since(
        16,
        "m.inherit_option AS inherit, m.set_option AS set",
        "NULL AS inherit, NULL AS set",
    );
    let memberships: Vec<Membership> = reader
        .rows(
            "memberships",
            &format!(
                "SELECT r.rolname AS role, u.rolname AS member, m.admin_option AS admin,
                        CASE WHEN g.oid <> 10 THEN g.rolname END AS grantor, {since_16}
                 FROM pg_auth_members m
                 JOIN pg_roles r ON r.oid = m.roleid
                 JOIN pg_roles u ON u.oid = m.member
                 LEFT JOIN pg_roles g ON g.oid = m.grantor
                 WHERE NOT (r.rolname ~ '^pg_' AND u.rolname ~ '^pg_')
                 ORDER BY r.rolname, u.rolname, g.rolname NULLS FIRST"
            ),
        )
        .await?;
    let tablespaces = reader
        .rows(
            "tablespaces",
            &format!(
                "SELECT t.spcname AS name, pg_get_userbyid(t.spcowner) AS owner, pg_tablespace_location(t.oid) AS location,
                        coalesce(pg_catalog.to_json(t.spcoptions), '[]'::json) AS options, {access},
                        shobj_description(t.oid, 'pg_tablespace') AS comment, {labels}
                 FROM pg_tablespace t
                 WHERE t.spcname !~ '^pg_'
                 ORDER BY t.spcname",
                access = access::access("t.spcacl", "acldefault('t', t.spcowner)"),
                labels = labels("t.oid", "pg_tablespace")
            ),
        )
        .await?;
    let parameters = match reader.version.at_least(15) {
        false => Vec::new(),
        true => {
            let access = access::access("p.paracl", "acldefault('p', 10)");
            let sql = format!(
                "SELECT p.parname AS name, {access} FROM pg_parameter_acl p WHERE p.paracl IS NOT NULL ORDER BY 1"
            );
            reader.rows("grants on parameters", &sql).await?
        }
    };
    Ok(Globals {
        roles,
        memberships: in_order(memberships),
        tablespaces,
        parameters,
    })
}

/// Each membership after the one that lets its grantor grant it. One whose grantor has no such right, as servers before 16 allow,
/// is granted by whoever restores.
fn in_order(memberships: Vec<Membership>) -> Vec<Membership> {
    let mut waiting = memberships;
    let mut ordered = Vec::with_capacity(waiting.len());
    let mut admins: BTreeSet<(String, String)> = BTreeSet::new();
    loop {
        let (ready, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|m| {
            (m.grantor.as_ref())
                .is_none_or(|grantor| admins.contains(&(m.role.clone(), grantor.clone())))
        });
        waiting = rest;
        let admin = ready.iter().filter(|m| m.admin);
        admins.extend(admin.map(|m| (m.role.clone(), m.member.clone())));
        let is_stuck = ready.is_empty();
        ordered.extend(ready);
        if is_stuck {
            let without = |m: Membership| Membership { grantor: None, ..m };
            ordered.extend(waiting.into_iter().map(without));
            return ordered;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn membership(role: &str, member: &str, grantor: Option<&str>) -> Membership {
        Membership {
            role: role.into(),
            member: member.into(),
            grantor: grantor.map(str::to_owned),
            admin: true,
            inherit: None,
            set: None,
        }
    }

    #[test]
    fn a_grant_comes_after_the_right_to_grant() {
        let chain = [
            membership("team", "a", Some("c")),
            membership("team", "c", Some("d")),
            membership("team", "d", None),
            membership("other", "x", Some("nobody")),
        ];
        let ordered: Vec<(String, Option<String>)> = in_order(chain.into())
            .into_iter()
            .map(|m| (m.member, m.grantor))
            .collect();
        let expected = [("d", None), ("c", Some("d")), ("a", Some("c")), ("x", None)];
        assert_eq!(
            ordered,
            expected.map(|(m, g)| (m.to_owned(), g.map(str::to_owned)))
        );
    }
}
