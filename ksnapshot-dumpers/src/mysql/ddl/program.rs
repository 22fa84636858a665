//! Triggers, stored programs and events, each under the session that made it.

use super::super::model::{Body, CharacterSets, Database, Event, EventStatus};
use super::super::quote::{literal, name};
use super::super::tokens::{Kind, Token, meaning, tokens};
use super::header::SQL_MODE;

/// `body` made again in `database`, in a time zone if it is an event's.
pub(super) fn made(
    database: &Database,
    body: &Body,
    create: &str,
    time_zone: Option<&str>,
) -> String {
    let delimiter = delimiter(create);
    // Behind a comment at its end, no program would see the delimiter.
    let last = create.lines().last().unwrap_or_default();
    let gap = if last.contains("--") || last.contains('#') {
        "\n"
    } else {
        ""
    };
    let statement = format!("DELIMITER {delimiter}\n{create}{gap}{delimiter}\nDELIMITER ;\n");
    within(database, body, create, time_zone, &statement)
}

/// Runs `statement` under the settings of `body`, and puts those of the header back.
fn within(
    database: &Database,
    body: &Body,
    create: &str,
    time_zone: Option<&str>,
    statement: &str,
) -> String {
    let mut text = character_sets(&body.session, create);
    let made_in = &body.session.database;
    // What is declared without a character set takes the database's, as it was then.
    let other = !made_in.is_empty() && *made_in != database.collation;
    if other {
        text.push_str(&format!("ALTER DATABASE COLLATE {made_in};\n"));
    }
    if let Some(zone) = time_zone {
        text.push_str(&format!("SET time_zone = {};\n", literal(zone)));
    }
    text.push_str(&format!("SET sql_mode = {};\n", literal(&body.sql_mode)));
    text.push_str(statement);
    text.push_str(&format!("SET sql_mode = '{SQL_MODE}';\n"));
    if time_zone.is_some() {
        text.push_str("SET time_zone = '+00:00';\n");
    }
    if other {
        text.push_str(&format!("ALTER DATABASE COLLATE {};\n", database.collation));
    }
    text.push_str("SET NAMES utf8mb4;");
    text
}

/// The character sets under which something was made.
///
/// The text itself is UTF-8. Where the maker's character set reads it in the same way, that is set; else the text is what
/// counts, and only what the server remembers of its maker changes.
pub(super) fn character_sets(session: &CharacterSets, text: &str) -> String {
    // One of its seven-bit letters is a backslash in ASCII.
    let reads_ascii = session.client != "swe7";
    let utf8 = session.client.starts_with("utf8");
    let client = if utf8 || reads_ascii && text.is_ascii() && !session.client.is_empty() {
        session.client.as_str()
    } else {
        "utf8mb4"
    };
    let mut set = format!("SET character_set_client = {}", literal(client));
    if !session.connection.is_empty() {
        set.push_str(&format!(
            ", collation_connection = {}",
            literal(&session.connection)
        ));
    }
    set.push_str(";\n");
    set
}

/// One that the text does not hold.
fn delimiter(text: &str) -> String {
    let plain = [";;", "//", "$$"].map(str::to_owned);
    let numbered = (1_u32..).map(|n| format!("$end{n}$"));
    (plain.into_iter().chain(numbered))
        .find(|delimiter| !text.contains(delimiter.as_str()))
        .unwrap_or_default()
}

/// A definition without its DEFINER.
pub(super) fn without_definer(create: &str) -> String {
    match definer(create) {
        Some((from, to)) => {
            let rest = create[to..].trim_start();
            format!("{}{rest}", &create[..from])
        }
        None => create.to_owned(),
    }
}

/// Where `DEFINER=…` is: before the kind of object, which is among the first words.
fn definer(create: &str) -> Option<(usize, usize)> {
    let words = meaning(create);
    let kind = words.iter().position(|t| {
        [
            "VIEW",
            "TRIGGER",
            "PROCEDURE",
            "FUNCTION",
            "EVENT",
            "PACKAGE",
        ]
        .iter()
        .any(|kind| t.is(kind))
    })?;
    let at = words[..kind].iter().position(|t| t.is("DEFINER"))?;
    let mut end = at + 2;
    if words.get(end + 1).is_some_and(|t| t.symbol("@")) {
        end += 2;
    }
    Some((words[at].at, words.get(end)?.end()))
}

/// A trigger's text without the name of its database, which some servers keep as its maker wrote it.
pub(in crate::mysql) fn trigger_anywhere(trigger: &str, table: &str, create: &str) -> String {
    let words = meaning(create);
    let place = || {
        let kind = words.iter().position(|t| t.is("TRIGGER"))?;
        let moment = kind
            + words[kind..]
                .iter()
                .position(|t| t.is("BEFORE") || t.is("AFTER"))?;
        let on = moment + words[moment..].iter().position(|t| t.is("ON"))?;
        let each = on + words[on..].iter().position(|t| t.is("FOR"))?;
        Some((kind, moment, on, each))
    };
    let Some((kind, moment, on, each)) = place() else {
        return create.to_owned();
    };
    if !words[kind..each].iter().any(|t| t.symbol(".")) {
        return create.to_owned();
    }
    format!(
        "{} {} {} {} {}",
        &create[..words[kind].end()],
        name(trigger),
        &create[words[moment].at..words[on].end()],
        name(table),
        &create[words[each].at..]
    )
}

/// An event's definition, such that nothing happens yet.
pub(super) fn event_disabled(create: &str) -> String {
    match status(create) {
        Some((from, to)) => format!("{}DISABLE{}", &create[..from], &create[to..]),
        None => create.to_owned(),
    }
}

/// Where the words are that say whether it happens: after ON COMPLETION.
fn status(create: &str) -> Option<(usize, usize)> {
    let words = meaning(create);
    let at = 1 + words.iter().position(|t| t.is("PRESERVE"))?;
    let first = words.get(at)?;
    if first.is("ENABLE") {
        return Some((first.at, first.end()));
    }
    if !first.is("DISABLE") {
        return None;
    }
    // DISABLE ON SLAVE, DISABLE ON REPLICA.
    let end = match words.get(at + 1) {
        Some(on) if on.is("ON") => words.get(at + 2)?.end(),
        _ => first.end(),
    };
    Some((first.at, end))
}

/// Gives an event the status that it had, if that is another than disabled.
pub(super) fn event_status(
    database: &Database,
    event: &Event,
    skip_definer: bool,
) -> Option<String> {
    if event.status == EventStatus::Disabled {
        return None;
    }
    let create = &event.body.create;
    let (from, to) = status(create)?;
    // Without one it would pass to whoever runs this.
    let definer = definer(create)
        .filter(|_| !skip_definer)
        .map(|(from, to)| format!("{} ", &create[from..to]))
        .unwrap_or_default();
    let alter = format!(
        "ALTER {definer}EVENT {} {};\n",
        name(&event.name),
        &create[from..to]
    );
    Some(within(
        database,
        &event.body,
        &alter,
        Some(&event.time_zone),
        &alter,
    ))
}

/// A view's text with OR REPLACE, to go in the place of a placeholder.
pub(super) fn replacing(create: &str) -> String {
    match create.strip_prefix("CREATE ") {
        Some(rest) => format!("CREATE OR REPLACE {rest}"),
        None => create.to_owned(),
    }
}

/// What of `known` a view reads: names between backticks that stand where tables and functions do, or seem to.
pub(super) fn view_uses(
    create: &str,
    own: &str,
    known: impl Fn(&str, &str) -> bool,
) -> Vec<(String, String)> {
    let words = meaning(create);
    // CREATE … VIEW `name` AS: from there on.
    let Some(from) = words.iter().position(|t| t.is("VIEW")) else {
        return Vec::new();
    };
    let Some(from) = words[from..]
        .iter()
        .position(|t| t.is("AS"))
        .map(|at| from + at)
    else {
        return Vec::new();
    };
    let mut found: Vec<(String, String)> = Vec::new();
    for at in from + 1..words.len() {
        let Some(first) = words[at].name() else {
            continue;
        };
        if words[at - 1].symbol(".") {
            continue;
        }
        let second = || {
            words.get(at + 1).filter(|t| t.symbol("."))?;
            words.get(at + 2)?.name()
        };
        let uses = match second() {
            Some(second) if known(&first, &second) => Some((first, second)),
            // A column of the table, which is named as such elsewhere.
            Some(_) => None,
            None if words[at - 1].is("AS") => None,
            None => Some((own.to_owned(), first)).filter(|(d, n)| known(d, n)),
        };
        found.extend(uses);
    }
    found.sort();
    found.dedup();
    found
}

/// A text with the names of databases changed, where it is certain that a name is a database's.
///
/// In `a`.`b`, `a` may also be what a table is called within a query; then the name stands alone somewhere.
pub(in crate::mysql) fn renamed(text: &str, new_name: impl Fn(&str) -> Option<String>) -> String {
    rename(text, new_name, false)
}

/// The same for text in which what stands before a dot is always a database: a table's, a key's.
pub(in crate::mysql) fn renamed_all(
    text: &str,
    new_name: impl Fn(&str) -> Option<String>,
) -> String {
    rename(text, new_name, true)
}

fn rename(text: &str, new_name: impl Fn(&str) -> Option<String>, all_certain: bool) -> String {
    let all: Vec<Token<'_>> = tokens(text).collect();
    let words: Vec<usize> = (all.iter().enumerate())
        .filter(|(_, t)| !matches!(t.kind, Kind::Space | Kind::Comment))
        .map(|(at, _)| at)
        .collect();
    let is = |at: usize, symbol: &str| words.get(at).is_some_and(|&t| all[t].symbol(symbol));
    let alone = |name: &str| {
        (0..words.len()).any(|at| {
            all[words[at]].name().as_deref() == Some(name)
                && !is(at + 1, ".")
                && !(at > 0 && is(at - 1, "."))
        })
    };
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for at in 0..words.len() {
        let token = &all[words[at]];
        let Some(first) = token
            .name()
            .filter(|_| is(at + 1, ".") && !(at > 0 && is(at - 1, ".")))
        else {
            continue;
        };
        let certain = all_certain || is(at + 3, ".") || is(at + 3, "(") || !alone(&first);
        if let Some(new) = new_name(&first).filter(|_| certain) {
            out.push_str(&text[copied..token.at]);
            out.push_str(&name(&new));
            copied = token.end();
        }
    }
    out.push_str(&text[copied..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definers_are_found_and_left_away() {
        for (with, without) in [
            (
                "CREATE DEFINER=`a b`@`%` PROCEDURE `p`() DEFINER=1",
                "CREATE PROCEDURE `p`() DEFINER=1",
            ),
            (
                "CREATE ALGORITHM=MERGE DEFINER=`r` SQL SECURITY DEFINER VIEW `v` AS",
                "CREATE ALGORITHM=MERGE SQL SECURITY DEFINER VIEW `v` AS",
            ),
            ("CREATE EVENT `e`", "CREATE EVENT `e`"),
        ] {
            assert_eq!(without_definer(with), without);
        }
    }

    #[test]
    fn triggers_leave_their_database() {
        let anywhere = |create| trigger_anywhere("t", "p", create);
        assert_eq!(
            anywhere(
                "CREATE DEFINER=`r`@`%` trigger a1.t before insert on a1.`p` for each row set @a = b.c"
            ),
            "CREATE DEFINER=`r`@`%` trigger `t` before insert on `p` for each row set @a = b.c"
        );
        let plain = "CREATE TRIGGER t BEFORE INSERT ON p FOR EACH ROW set @a = b.c";
        assert_eq!(anywhere(plain), plain);
    }

    #[test]
    fn events_are_made_disabled() {
        for (before, after) in [
            (
                "ON COMPLETION PRESERVE ENABLE COMMENT 'PRESERVE ENABLE' DO x",
                "ON COMPLETION PRESERVE DISABLE COMMENT 'PRESERVE ENABLE' DO x",
            ),
            (
                "ON COMPLETION NOT PRESERVE DISABLE ON SLAVE DO x",
                "ON COMPLETION NOT PRESERVE DISABLE DO x",
            ),
            (
                "ON COMPLETION NOT PRESERVE DISABLE DO x",
                "ON COMPLETION NOT PRESERVE DISABLE DO x",
            ),
        ] {
            assert_eq!(event_disabled(before), after);
        }
    }

    #[test]
    fn a_view_uses_what_it_names() {
        let known = |d: &str, n: &str| matches!((d, n), ("a", "t" | "f" | "x") | ("b", "u"));
        let uses = |create| view_uses(create, "a", known);
        assert_eq!(
            uses(
                "CREATE VIEW `x` AS select `t`.`x` AS `u`,`f`(1) AS `f` from (`t` join `b`.`u` on `b`.`u`.`t` = 1)"
            ),
            [
                ("a".to_owned(), "f".to_owned()),
                ("a".into(), "t".into()),
                ("b".into(), "u".into())
            ]
        );
    }

    #[test]
    fn databases_are_renamed_where_they_are_meant() {
        let new = |old: &str| (old == "a").then(|| "z`".to_owned());
        for (before, after) in [
            (
                "select `a`.`f`(1), `t`.`a` from `a`.`t`",
                "select `z```.`f`(1), `t`.`a` from `z```.`t`",
            ),
            // A table of the database's name.
            (
                "select `a`.`id`,`a`.`f`(1) from `a`",
                "select `a`.`id`,`z```.`f`(1) from `a`",
            ),
            (
                "select `a`.`t`.`c`,'`a`.`t`' from `b` `a`",
                "select `z```.`t`.`c`,'`a`.`t`' from `b` `a`",
            ),
            (
                "FOREIGN KEY (`a`) REFERENCES `b`.`a` (`a`)",
                "FOREIGN KEY (`a`) REFERENCES `b`.`a` (`a`)",
            ),
        ] {
            assert_eq!(renamed(before, new), after);
        }
    }

    #[test]
    fn a_delimiter_is_not_in_the_text() {
        assert_eq!(delimiter("a; b"), ";;");
        assert_eq!(delimiter("a;; // $$"), "$end1$");
    }
}
