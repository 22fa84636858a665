//! The one place that turns names and values into SQL. What is built from a server's own words is quoted here and
//! nowhere else: a hostile name must not end a name, a literal or a comment.

/// Words that can't stand bare as a name in some place, of all versions from 12 to 18. A word too many only costs two
/// quotation marks.
#[rustfmt::skip]
const KEYWORDS: &[&str] = &[
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization", "between",
    "bigint", "binary", "bit", "boolean", "both", "case", "cast", "char", "character", "check", "coalesce",
    "collate", "collation", "column", "concurrently", "constraint", "create", "cross", "current_catalog",
    "current_date", "current_role", "current_schema", "current_time", "current_timestamp", "current_user",
    "dec", "decimal", "default", "deferrable", "desc", "distinct", "do", "else", "end", "except", "exists",
    "extract", "false", "fetch", "float", "for", "foreign", "freeze", "from", "full", "grant", "greatest",
    "group", "grouping", "having", "ilike", "in", "initially", "inner", "inout", "int", "integer", "intersect",
    "interval", "into", "is", "isnull", "join", "json", "json_array", "json_arrayagg", "json_exists",
    "json_object", "json_objectagg", "json_query", "json_scalar", "json_serialize", "json_table", "json_value",
    "lateral", "leading", "least", "left", "like", "limit", "localtime", "localtimestamp", "merge_action",
    "national", "natural", "nchar", "none", "normalize", "not", "notnull", "null", "nullif", "numeric",
    "offset", "on", "only", "or", "order", "out", "outer", "overlaps", "overlay", "placing", "position",
    "precision", "primary", "real", "references", "returning", "right", "row", "select", "session_user",
    "setof", "similar", "smallint", "some", "substring", "symmetric", "system_user", "table", "tablesample",
    "then", "time", "timestamp", "to", "trailing", "treat", "trim", "true", "union", "unique", "user", "using",
    "values", "varchar", "variadic", "verbose", "when", "where", "window", "with", "xmlattributes", "xmlconcat",
    "xmlelement", "xmlexists", "xmlforest", "xmlnamespaces", "xmlparse", "xmlpi", "xmlroot", "xmlserialize",
    "xmltable",
];

/// A name, quoted unless it is sure to be read back as itself.
pub(crate) fn ident(name: &str) -> String {
    let mut chars = name.bytes();
    let plain = chars
        .next()
        .is_some_and(|c| c.is_ascii_lowercase() || c == b'_')
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_')
        && KEYWORDS.binary_search(&name).is_err();
    if plain {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// A name within its schema.
pub(crate) fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", ident(schema), ident(name))
}

/// Names, quoted and separated by commas.
pub(crate) fn idents<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(ident).collect::<Vec<_>>().join(", ")
}

/// A value as a string literal that reads the same whatever `standard_conforming_strings` is.
pub(crate) fn literal(value: &str) -> String {
    let quoted = value.replace('\'', "''");
    if quoted.contains('\\') {
        format!("E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}

/// A text made fit for a `--` comment: nothing in it can end the line.
pub(crate) fn in_comment(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}') {
                ' '
            } else {
                c
            }
        })
        .collect()
}

/// `WITH (…)`-style options from the catalog's `name=value` texts. Values that aren't plain become literals; `prefix`
/// is `toast.` for those of the TOAST table.
pub(crate) fn options(options: &[String], prefix: &str) -> Vec<String> {
    options
        .iter()
        .map(|option| {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let value = if ident(value) == value {
                value.to_owned()
            } else {
                literal(value)
            };
            format!("{prefix}{}={value}", ident(name))
        })
        .collect()
}

/// The names in a list as a setting holds it, `"$user", public`; `None` if it isn't one.
pub(crate) fn list(text: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let mut name = String::new();
        if let Some(mut quoted) = rest.strip_prefix('"') {
            loop {
                let (before, after) = quoted.split_once('"')?;
                name.push_str(before);
                match after.strip_prefix('"') {
                    Some(more) => {
                        name.push('"');
                        quoted = more;
                    }
                    None => {
                        rest = after.trim_start();
                        break;
                    }
                }
            }
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            name.push_str(rest[..end].trim_end());
            rest = &rest[end..];
        }
        names.push(name);
        if rest.is_empty() {
            break;
        }
        // A comma at the end is followed by nothing.
        rest = rest.strip_prefix(',')?.trim_start();
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads a quoted or bare name as the server does; the rest is what follows it.
    fn read_ident(sql: &str) -> (String, &str) {
        match sql.strip_prefix('"') {
            None => {
                let end = sql
                    .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                    .unwrap_or(sql.len());
                (sql[..end].to_ascii_lowercase(), &sql[end..])
            }
            Some(quoted) => read_quoted(quoted, '"', false),
        }
    }

    fn read_quoted(quoted: &str, mark: char, escapes: bool) -> (String, &str) {
        let (mut value, mut chars) = (String::new(), quoted.char_indices().peekable());
        while let Some((at, c)) = chars.next() {
            if c == mark {
                if chars.peek().is_some_and(|&(_, next)| next == mark) {
                    chars.next();
                } else {
                    return (value, &quoted[at + c.len_utf8()..]);
                }
            } else if escapes && c == '\\' {
                assert_eq!(
                    chars.next().map(|(_, c)| c),
                    Some('\\'),
                    "no other escape is written"
                );
            }
            value.push(c);
        }
        panic!("not closed: {quoted}");
    }

    proptest! {
        #[test]
        fn a_name_reads_back_as_itself(name in "[^\0]{1,20}|[a-z_]{1,6}") {
            let sql = format!("{}.x", ident(&name));
            prop_assert_eq!(read_ident(&sql), (name, ".x"));
        }

        #[test]
        fn a_literal_reads_back_as_itself_under_both_settings(value in "[^\0]*|['\\\\a]*") {
            let sql = format!("{};", literal(&value));
            let (body, escapes) = match sql.strip_prefix("E'") {
                Some(body) => (body, true),
                None => (&sql[1..], false),
            };
            prop_assert!(escapes || !body.contains('\\'));
            prop_assert_eq!(read_quoted(body, '\'', escapes), (value, ";"));
        }

        #[test]
        fn a_comment_stays_one_line(text in "(?s).*") {
            prop_assert_eq!(in_comment(&text).lines().count().max(1), 1);
        }
    }

    #[test]
    fn plain_names_stay_bare_and_keywords_do_not() {
        assert_eq!(ident("orders_2"), "orders_2");
        assert_eq!(ident("select"), "\"select\"");
        assert_eq!(ident("Orders"), "\"Orders\"");
        assert_eq!(ident("2nd"), "\"2nd\"");
        assert_eq!(ident(""), "\"\"");
        assert_eq!(qualified("a", "b\"c"), "a.\"b\"\"c\"");
    }

    #[test]
    fn lists_of_names_are_taken_apart() {
        let check = |text: &str, names: &[&str]| {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            assert_eq!(list(text), Some(names));
        };
        check("\"$user\", public", &["$user", "public"]);
        check("pg_default, \"\"", &["pg_default", ""]);
        check("\"a\"\"b, c\" , d", &["a\"b, c", "d"]);
        check("", &[]);
        assert_eq!(list("\"open"), None);
        assert_eq!(list("\"a\" b"), None);
    }

    #[test]
    fn keywords_are_sorted_for_the_search() {
        assert!(KEYWORDS.is_sorted());
    }

    #[test]
    fn option_values_are_quoted_when_they_must_be() {
        let given = [
            "fillfactor=70".to_owned(),
            "check_option=local".to_owned(),
            "x=a b".to_owned(),
        ];
        assert_eq!(
            options(&given, "toast."),
            [
                "toast.fillfactor='70'",
                "toast.check_option=local",
                "toast.x='a b'"
            ]
        );
    }
}
