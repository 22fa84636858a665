//! Schemas, extensions, and the kinds that few databases have.

use ksnapshot_core::Result;

use super::access::access;
use super::relations::foreign_options;
use super::{FIRST_USER_OID, Reader, USER_SCHEMA, not_of_extension};
use crate::postgres::model::{
    Class, Conversion, Definition, EventTrigger, Extension, ForeignDataWrapper, ForeignServer,
    Object, Schema, UserMapping,
};

/// Schemas. `public` is in every new database since ever, so only how it differs from that is told; its first
/// privileges are those of 15 and newer, whatever this server's were: that is what it will meet on restore.
pub(super) async fn schemas(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let access = access(
        "n.nspacl",
        "CASE WHEN n.nspname = 'public'
              THEN acldefault('n', n.nspowner) || makeaclitem(0, n.nspowner, 'USAGE', false)
              ELSE acldefault('n', n.nspowner) END",
    );
    let own = not_of_extension(Class::Schema, "n.oid");
    let sql = format!(
        "SELECT n.oid::int8 AS oid, NULL AS schema, n.nspname AS name, pg_get_userbyid(n.nspowner) AS owner,
                {access}, n.nspname = 'public' AS built_in
         FROM pg_namespace n
         WHERE {USER_SCHEMA} AND {own}"
    );
    reader
        .objects(Class::Schema, "schemas", &sql, |definition: Schema| {
            Definition::Schema(definition)
        })
        .await
}

/// Extensions. Those with small oids (plpgsql) are in every new database.
pub(super) async fn extensions(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let sql = format!(
        "SELECT e.oid::int8 AS oid, NULL AS schema, e.extname AS name, n.nspname AS into,
                e.oid < {FIRST_USER_OID} AS built_in
         FROM pg_extension e
         JOIN pg_namespace n ON n.oid = e.extnamespace"
    );
    reader
        .objects(
            Class::Extension,
            "extensions",
            &sql,
            |definition: Extension| Definition::Extension(definition),
        )
        .await
}

/// Conversions, foreign-data wrappers, servers, user mappings, event triggers.
pub(super) async fn read(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let mut objects = conversions(reader).await?;
    objects.extend(wrappers(reader).await?);
    objects.extend(servers(reader).await?);
    objects.extend(user_mappings(reader).await?);
    objects.extend(event_triggers(reader).await?);
    Ok(objects)
}

async fn conversions(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let own = not_of_extension(Class::Conversion, "c.oid");
    let sql = format!(
        "SELECT c.oid::int8 AS oid, n.nspname AS schema, c.conname AS name, pg_get_userbyid(c.conowner) AS owner,
                c.condefault AS \"default\", pg_encoding_to_char(c.conforencoding) AS \"from\",
                pg_encoding_to_char(c.contoencoding) AS \"to\", c.conproc::regproc::text AS function
         FROM pg_conversion c
         JOIN pg_namespace n ON n.oid = c.connamespace
         WHERE {USER_SCHEMA} AND {own}"
    );
    reader
        .objects(
            Class::Conversion,
            "conversions",
            &sql,
            |definition: Conversion| Definition::Conversion(definition),
        )
        .await
}

async fn wrappers(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let access = access("w.fdwacl", "acldefault('F', w.fdwowner)");
    let own = not_of_extension(Class::ForeignDataWrapper, "w.oid");
    let sql = format!(
        "SELECT w.oid::int8 AS oid, NULL AS schema, w.fdwname AS name, pg_get_userbyid(w.fdwowner) AS owner, {access},
                CASE WHEN w.fdwhandler <> 0 THEN w.fdwhandler::regproc::text END AS handler,
                CASE WHEN w.fdwvalidator <> 0 THEN w.fdwvalidator::regproc::text END AS validator,
                {} AS options
         FROM pg_foreign_data_wrapper w
         WHERE {own}",
        foreign_options("w.fdwoptions")
    );
    reader
        .objects(
            Class::ForeignDataWrapper,
            "foreign-data wrappers",
            &sql,
            |definition: ForeignDataWrapper| Definition::ForeignDataWrapper(definition),
        )
        .await
}

async fn servers(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let access = access("s.srvacl", "acldefault('S', s.srvowner)");
    let own = not_of_extension(Class::ForeignServer, "s.oid");
    let sql = format!(
        "SELECT s.oid::int8 AS oid, NULL AS schema, s.srvname AS name, pg_get_userbyid(s.srvowner) AS owner, {access},
                w.fdwname AS wrapper, s.srvtype AS type, s.srvversion AS version, {} AS options
         FROM pg_foreign_server s
         JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
         WHERE {own}",
        foreign_options("s.srvoptions")
    );
    reader
        .objects(
            Class::ForeignServer,
            "foreign servers",
            &sql,
            |definition: ForeignServer| Definition::ForeignServer(definition),
        )
        .await
}

/// The view tells the options only to those who may read them, and NULL to others; no option at all is NULL as well.
/// So who may read them is asked apart.
async fn user_mappings(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let sql = format!(
        "SELECT u.umid::int8 AS oid, NULL AS schema,
                format('%s on %s', CASE WHEN u.umuser = 0 THEN 'public' ELSE u.usename END, u.srvname) AS name,
                u.srvname AS server,
                CASE WHEN u.umuser <> 0 THEN u.usename END AS role,
                CASE WHEN u.umoptions IS NOT NULL
                       OR (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user)
                       OR pg_has_role(s.srvowner, 'USAGE') AND u.umuser = 0
                       OR u.umuser <> 0 AND u.usename = current_user AND has_server_privilege(s.oid, 'USAGE')
                     THEN {} END AS options
         FROM pg_user_mappings u
         JOIN pg_foreign_server s ON s.oid = u.srvid",
        foreign_options("u.umoptions")
    );
    reader
        .objects(
            Class::UserMapping,
            "user mappings",
            &sql,
            |definition: UserMapping| Definition::UserMapping(definition),
        )
        .await
}

async fn event_triggers(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let own = not_of_extension(Class::EventTrigger, "e.oid");
    let sql = format!(
        "SELECT e.oid::int8 AS oid, NULL AS schema, e.evtname AS name, pg_get_userbyid(e.evtowner) AS owner,
                e.evtevent AS event, coalesce(e.evttags, '{{}}') AS tags,
                e.evtfoid::regproc::text AS function, e.evtenabled AS enabled
         FROM pg_event_trigger e
         WHERE {own}"
    );
    reader
        .objects(
            Class::EventTrigger,
            "event triggers",
            &sql,
            |definition: EventTrigger| Definition::EventTrigger(definition),
        )
        .await
}
