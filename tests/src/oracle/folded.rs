//! What `pg_dump` wrote, with no trace of how it broke loops, which depends on oids: see `tests/postgres/known.txt`.

use std::collections::BTreeMap;

/// Its entries in sorted order. A stand-in for a view is the view itself, every CHECK an entry of its own.
pub(super) fn folded(dump: &str) -> String {
    let whole = dump
        .split("\n--\n-- PostgreSQL database dump complete")
        .next();
    let entries: Vec<&str> = whole
        .unwrap_or_default()
        .split("\n--\n-- Name: ")
        .map(|entry| entry.split_once("\n--\n\n").map_or(entry, |(_, body)| body))
        .collect();
    let views: BTreeMap<&str, &str> = entries.iter().copied().filter_map(late_view).collect();
    let mut folded = Vec::new();
    for entry in entries {
        if late_view(entry).is_none() {
            fold(entry, &views, &mut folded);
        }
    }
    folded.sort();
    folded.join("\n")
}

fn fold(entry: &str, views: &BTreeMap<&str, &str>, folded: &mut Vec<String>) {
    let (statement, rest) = entry.split_once(END).unwrap_or((entry, ""));
    let (first, _) = statement.split_once('\n').unwrap_or((statement, ""));
    let view = (first.strip_prefix("CREATE VIEW "))
        .and_then(|first| first.strip_suffix(" AS"))
        .and_then(|name| views.get(name));
    if let Some(text) = view {
        return folded.push(format!("CREATE VIEW {text};\n{}", settled(rest)));
    }
    let of = ([
        "CREATE TABLE ",
        "CREATE DOMAIN ",
        "ALTER TABLE ",
        "ALTER DOMAIN ",
    ]
    .iter())
    .find_map(|start| first.strip_prefix(start))
    .map(|rest| rest.split([' ', '(']).next().unwrap_or_default());
    let Some(of) = of else {
        return folded.push(settled(entry));
    };
    let (checks, others): (Vec<&str>, Vec<&str>) =
        entry.lines().partition(|line| check_in(line).is_some());
    folded.extend((checks.into_iter().filter_map(check_in)).map(|check| format!("{of}: {check}")));
    if !others
        .iter()
        .all(|line| line.is_empty() || line.starts_with("ALTER ") && *line == first)
    {
        let lines = others
            .into_iter()
            .map(|line| line.trim_end_matches([',', ';']));
        folded.push(settled(&lines.collect::<Vec<_>>().join("\n")));
    }
}

/// The end of an entry's first statement.
const END: &str = ";\n\n";

/// The name and the text of a view that was put in the place of its stand-in.
fn late_view(entry: &str) -> Option<(&str, &str)> {
    let text = entry.strip_prefix("CREATE OR REPLACE VIEW ")?;
    let text = text.split_once(END).map_or(text, |(text, _)| text);
    let name = text.split(" AS\n").next()?;
    Some((name.split(" WITH (").next()?, text))
}

fn check_in(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("ADD ").unwrap_or(line);
    let is = line.starts_with("CONSTRAINT ") && line.contains(" CHECK (");
    is.then(|| line.trim_end_matches([',', ';']))
}

/// Without the settings that stand before the first table, wherever that is.
fn settled(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("SET default_table") && !line.is_empty() && *line != "--");
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::folded;

    const WHOLE: &str = "SET x = 1;

--
-- Name: v; Type: VIEW; Schema: s; Owner: o
--

CREATE VIEW s.v AS
 SELECT t.a
   FROM s.t;


ALTER VIEW s.v OWNER TO o;

SET default_table_access_method = heap;

--
-- Name: t; Type: TABLE; Schema: s; Owner: o
--

CREATE TABLE s.t (
    a integer,
    CONSTRAINT c CHECK ((a > 0))
);


ALTER TABLE s.t OWNER TO o;
";

    const BROKEN: &str = "SET x = 1;

SET default_table_access_method = heap;

--
-- Name: t; Type: TABLE; Schema: s; Owner: o
--

CREATE TABLE s.t (
    a integer
);


ALTER TABLE s.t OWNER TO o;

--
-- Name: v; Type: VIEW; Schema: s; Owner: o
--

CREATE VIEW s.v AS
SELECT
    NULL::integer AS a;


ALTER VIEW s.v OWNER TO o;

--
-- Name: t c; Type: CHECK CONSTRAINT; Schema: s; Owner: o
--

ALTER TABLE s.t
    ADD CONSTRAINT c CHECK ((a > 0));


--
-- Name: v _RETURN; Type: RULE; Schema: s; Owner: o
--

CREATE OR REPLACE VIEW s.v AS
 SELECT t.a
   FROM s.t;


";

    #[test]
    fn a_broken_loop_leaves_no_trace() {
        assert_eq!(folded(WHOLE), folded(BROKEN));
    }

    #[test]
    fn all_else_does() {
        for (word, other) in [
            ("t.a", "t.b"),
            ("a > 0", "a > 1"),
            ("integer", "bigint"),
            ("OWNER TO o", "OWNER TO p"),
            ("x = 1", "x = 2"),
        ] {
            assert_ne!(
                folded(WHOLE),
                folded(&BROKEN.replace(word, other)),
                "{word}"
            );
        }
    }
}
