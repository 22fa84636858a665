//! Text search.

use ksnapshot_core::Result;

use super::{Reader, USER_SCHEMA, not_of_extension, settings};
use crate::postgres::model::{Class, Definition, Object, TextSearch};

/// Parsers, templates, dictionaries and configurations.
pub(super) async fn read(reader: &mut Reader<'_>) -> Result<Vec<Object>> {
    let function =
        |column: &str| format!("CASE WHEN x.{column} <> 0 THEN x.{column}::regproc::text END");
    let parser = settings(&[
        ("START", &function("prsstart")),
        ("GETTOKEN", &function("prstoken")),
        ("END", &function("prsend")),
        ("HEADLINE", &function("prsheadline")),
        ("LEXTYPES", &function("prslextype")),
    ]);
    let template = settings(&[
        ("INIT", &function("tmplinit")),
        ("LEXIZE", &function("tmpllexize")),
    ]);
    let dictionary = settings(&[(
        "TEMPLATE",
        "(SELECT format('%I.%I', t_n.nspname, t.tmplname) FROM pg_ts_template t
          JOIN pg_namespace t_n ON t_n.oid = t.tmplnamespace WHERE t.oid = x.dicttemplate)",
    )]);
    let configuration = settings(&[(
        "PARSER",
        "(SELECT format('%I.%I', p_n.nspname, p.prsname) FROM pg_ts_parser p
          JOIN pg_namespace p_n ON p_n.oid = p.prsnamespace WHERE p.oid = x.cfgparser)",
    )]);
    // Which dictionaries look at a kind of token, in their order.
    let mappings = "(SELECT coalesce(json_agg(json_build_object('token', m.token, 'dictionaries', m.dictionaries)
                                              ORDER BY m.number), '[]')
          FROM (SELECT y.maptokentype AS number, k.alias AS token,
                       json_agg(format('%I.%I', d_n.nspname, d.dictname) ORDER BY y.mapseqno) AS dictionaries
                FROM pg_ts_config_map y
                JOIN ts_token_type(x.cfgparser) k ON k.tokid = y.maptokentype
                JOIN pg_ts_dict d ON d.oid = y.mapdict
                JOIN pg_namespace d_n ON d_n.oid = d.dictnamespace
                WHERE y.mapcfg = x.oid
                GROUP BY y.maptokentype, k.alias) m) AS mappings";
    let nothing = "NULL::text AS options".to_owned();
    let kinds = [
        (
            Class::TextSearchParser,
            "pg_ts_parser",
            "prs",
            false,
            parser,
            nothing.clone(),
        ),
        (
            Class::TextSearchTemplate,
            "pg_ts_template",
            "tmpl",
            false,
            template,
            nothing.clone(),
        ),
        (
            Class::TextSearchDictionary,
            "pg_ts_dict",
            "dict",
            true,
            dictionary,
            "x.dictinitoption AS options".to_owned(),
        ),
        (
            Class::TextSearchConfiguration,
            "pg_ts_config",
            "cfg",
            true,
            configuration,
            format!("{nothing}, {mappings}"),
        ),
    ];
    let mut objects = Vec::new();
    for (class, catalog, prefix, owned, list, more) in kinds {
        let own = not_of_extension(class, "x.oid");
        let owner = if owned {
            format!("pg_get_userbyid(x.{prefix}owner)")
        } else {
            "NULL".to_owned()
        };
        let sql = format!(
            "SELECT x.oid::int8 AS oid, n.nspname AS schema, x.{prefix}name AS name, {owner} AS owner,
                    {list} AS settings, {more}
             FROM {catalog} x
             JOIN pg_namespace n ON n.oid = x.{prefix}namespace
             WHERE {USER_SCHEMA} AND {own}"
        );
        objects.extend(
            reader
                .objects(class, "text search", &sql, |definition: TextSearch| {
                    Definition::TextSearch(definition)
                })
                .await?,
        );
    }
    Ok(objects)
}
