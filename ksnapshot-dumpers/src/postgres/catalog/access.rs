//! Who may do what, as the catalogs hold it.

use ksnapshot_core::Result;
use serde::Deserialize;

use super::Reader;
use crate::postgres::model::{Access, DefaultPrivileges, LargeObjects};

/// A column `access` for an object: NULL where nothing was ever granted or revoked. `initial` is what the kind starts
/// with.
pub(super) fn access(acl: &str, initial: &str) -> String {
    format!(
        "CASE WHEN {acl} IS NOT NULL THEN pg_catalog.json_build_object(
            'granted', {}, 'initial', {}) END AS access",
        privileges(acl),
        privileges(initial)
    )
}

/// An ACL as a list of privileges, in its order: a grant may rest on an earlier one.
pub(super) fn privileges(acl: &str) -> String {
    format!(
        "(SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                'grantor', pg_get_userbyid(p.grantor),
                'grantee', CASE WHEN p.grantee <> 0 THEN pg_get_userbyid(p.grantee) END,
                'privilege', p.privilege_type,
                'grantable', p.is_grantable) ORDER BY p.n), '[]'::json)
          FROM aclexplode({acl}) WITH ORDINALITY AS p(grantor, grantee, privilege_type, is_grantable, n))"
    )
}

/// `ALTER DEFAULT PRIVILEGES`. Rows for one schema add to the global ones, so they start with nothing.
pub(super) async fn default_privileges(reader: &mut Reader<'_>) -> Result<Vec<DefaultPrivileges>> {
    #[derive(Deserialize)]
    struct Row {
        oid: u32,
        role: String,
        schema: Option<String>,
        kind: String,
        access: Access,
    }
    let access = access(
        "d.defaclacl",
        "CASE WHEN d.defaclnamespace = 0
              THEN acldefault(CASE WHEN d.defaclobjtype = 'S' THEN 's'::\"char\" ELSE d.defaclobjtype END, d.defaclrole)
         END",
    );
    let rows: Vec<Row> = reader
        .rows(
            "default privileges",
            &format!(
                "SELECT d.oid::int8 AS oid, pg_get_userbyid(d.defaclrole) AS role, n.nspname AS schema,
                        d.defaclobjtype AS kind, {access}
                 FROM pg_default_acl d
                 LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
                 ORDER BY 3 NULLS FIRST, 2, 4"
            ),
        )
        .await?;
    Ok(rows
        .into_iter()
        .map(
            |Row {
                 oid,
                 role,
                 schema,
                 kind,
                 access,
             }| DefaultPrivileges {
                oid,
                role,
                schema,
                kind,
                access,
            },
        )
        .collect())
}

/// Large objects, without their bytes. The server groups them: a row for each would be more than everything else together.
pub(super) async fn large_objects(reader: &mut Reader<'_>) -> Result<Vec<LargeObjects>> {
    #[derive(Deserialize)]
    struct Comment {
        oid: u32,
        text: String,
    }
    let access = access("l.lomacl", "acldefault('L', l.lomowner)");
    // Before 18 no function of the server tells.
    let readable = "pg_has_role(l.lomowner, 'USAGE')
                    OR (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user)
                    OR current_setting('lo_compat_privileges')::bool
                    OR EXISTS (SELECT FROM aclexplode(l.lomacl) p
                               WHERE p.privilege_type = 'SELECT'
                                 AND (p.grantee = 0 OR pg_has_role(p.grantee, 'USAGE')))";
    let mut groups: Vec<LargeObjects> = reader
        .rows(
            "large objects",
            &format!(
                "SELECT g.oids, pg_get_userbyid(l.lomowner) AS owner, {access}, {readable} AS readable
                 FROM (SELECT min(oid) AS first, array_agg(oid::int8) AS oids
                       FROM pg_largeobject_metadata
                       GROUP BY lomowner, lomacl::text) g
                 JOIN pg_largeobject_metadata l ON l.oid = g.first
                 ORDER BY g.first"
            ),
        )
        .await?;
    let comments: Vec<Comment> = reader
        .rows(
            "comments of large objects",
            "SELECT objoid::int8 AS oid, description AS text
             FROM pg_description
             WHERE classoid = 'pg_largeobject'::regclass AND objsubid = 0
             ORDER BY objoid",
        )
        .await?;
    for group in &mut groups {
        group.oids.sort_unstable();
    }
    for Comment { oid, text } in comments {
        if let Some(group) = LargeObjects::with(&mut groups, oid) {
            group.comments.push((oid, text));
        }
    }
    Ok(groups)
}
