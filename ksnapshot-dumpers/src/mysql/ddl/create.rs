//! Cuts a CREATE TABLE, as the server writes it, into what a table must have before its rows and what is made quicker
//! after them.

use super::super::model::Table;
use super::super::quote::name;
use super::super::tokens::{Kind, Token, meaning};

/// A table's statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Create {
    /// CREATE TABLE, without the rest.
    pub(super) table: String,
    /// ALTER TABLE statements that add its indexes, in this order.
    pub(super) indexes: Vec<Index>,
    /// Its foreign keys.
    pub(super) foreign_keys: Vec<ForeignKey>,
}

/// One statement that adds indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Index {
    /// Those it adds, for a person.
    pub(super) names: String,
    pub(super) alter: String,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ForeignKey {
    pub(super) name: String,
    pub(super) alter: String,
    /// Where it points: a database, if not the table's own, and a table.
    pub(super) parent: (Option<String>, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Column,
    Primary,
    Unique,
    Index,
    /// FULLTEXT and VECTOR: the server builds one at a time.
    Alone,
    ForeignKey,
    Other,
}

/// Cuts. A statement that is not understood stays whole.
pub(super) fn cut(table: &Table) -> Create {
    let whole = || Create {
        table: table.create.clone(),
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
    };
    let words = meaning(&table.create);
    let Some((body, entries)) = entries(&words) else {
        return whole();
    };
    let text = |entry: &[Token<'_>]| match (entry.first(), entry.last()) {
        (Some(first), Some(last)) => table.create[first.at..last.end()].to_owned(),
        _ => String::new(),
    };
    let kinds: Vec<Entry> = entries.iter().map(|e| kind(e)).collect();
    let early = early(table, &entries, &kinds);
    let alter = |clauses: &[String]| {
        let adds: Vec<String> = clauses
            .iter()
            .map(|clause| format!("ADD {clause}"))
            .collect();
        format!(
            "ALTER TABLE {}\n  {}",
            name(&table.name),
            adds.join(",\n  ")
        )
    };

    let mut kept = Vec::new();
    let mut foreign_keys = Vec::new();
    let mut late: Vec<(bool, Vec<String>, Vec<String>)> = Vec::new();
    for (position, (entry, kind)) in entries.iter().zip(&kinds).enumerate() {
        match kind {
            Entry::ForeignKey => match foreign_key(entry) {
                Some((fk, parent)) => foreign_keys.push(ForeignKey {
                    name: fk,
                    alter: alter(&[text(entry)]),
                    parent,
                }),
                None => kept.push(text(entry)),
            },
            Entry::Unique | Entry::Index | Entry::Alone if position >= early => {
                let alone = *kind == Entry::Alone;
                let index = entry.iter().find_map(Token::name).unwrap_or_default();
                match late.last_mut() {
                    Some((false, names, clauses)) if !alone => {
                        names.push(index);
                        clauses.push(text(entry));
                    }
                    _ => late.push((alone, vec![index], vec![text(entry)])),
                }
            }
            Entry::Column => kept.push(with_collation(&table.create, entry, table)),
            _ => kept.push(text(entry)),
        }
    }
    let (Some(open), Some(close)) = (words.get(body.0), words.get(body.1)) else {
        return whole();
    };
    Create {
        table: format!(
            "{}\n  {}\n{}",
            &table.create[..open.end()],
            kept.join(",\n  "),
            options(&table.create[close.at..], table)
        ),
        indexes: (late.into_iter())
            .map(|(_, names, clauses)| Index {
                names: names.join(", "),
                alter: alter(&clauses),
            })
            .collect(),
        foreign_keys,
    }
}

/// Where the outer parentheses are, and the entries between them.
type Body<'t, 'a> = ((usize, usize), Vec<&'t [Token<'a>]>);

fn entries<'t, 'a>(words: &'t [Token<'a>]) -> Option<Body<'t, 'a>> {
    let open = words.iter().position(|t| t.symbol("("))?;
    // Before it: CREATE TABLE and the name, or what is no list of columns.
    if !words[..open]
        .iter()
        .all(|t| t.kind == Kind::Name || t.kind == Kind::Word || t.symbol("."))
    {
        return None;
    }
    let (mut depth, mut begin, mut found) = (0_usize, open + 1, Vec::new());
    for (position, word) in words.iter().enumerate().skip(open) {
        if word.symbol("(") {
            depth += 1;
        } else if word.symbol(")") {
            depth -= 1;
            if depth == 0 {
                found.push(&words[begin..position]);
                return Some(((open, position), found));
            }
        } else if word.symbol(",") && depth == 1 {
            found.push(&words[begin..position]);
            begin = position + 1;
        }
    }
    None
}

fn kind(entry: &[Token<'_>]) -> Entry {
    let Some(first) = entry.first() else {
        return Entry::Other;
    };
    if first.kind == Kind::Name {
        return Entry::Column;
    }
    // CONSTRAINT `name` FOREIGN KEY …
    let rest = match entry {
        [first, name, rest @ ..] if first.is("CONSTRAINT") && name.kind == Kind::Name => rest,
        all => all,
    };
    match rest.first() {
        Some(word) if word.is("PRIMARY") => Entry::Primary,
        Some(word) if word.is("UNIQUE") => Entry::Unique,
        Some(word) if word.is("KEY") || word.is("INDEX") || word.is("SPATIAL") => Entry::Index,
        Some(word) if word.is("FULLTEXT") || word.is("VECTOR") => Entry::Alone,
        Some(word) if word.is("FOREIGN") => Entry::ForeignKey,
        _ => Entry::Other,
    }
}

/// Where the entries end of which no index may come later.
///
/// The server lists indexes in an order that depends on the order of making, so what is kept is a beginning of the list.
fn early(table: &Table, entries: &[&[Token<'_>]], kinds: &[Entry]) -> usize {
    if table.engine != "INNODB" || table.create.contains("WITH SYSTEM VERSIONING") || table.history
    {
        return entries.len();
    }
    let is_index = |kind: &Entry| matches!(kind, Entry::Unique | Entry::Index | Entry::Alone);
    let mut early = 0;
    if !kinds.contains(&Entry::Primary) {
        // The rows lie in the order of the first unique index without NULL.
        early = kinds
            .iter()
            .rposition(|k| *k == Entry::Unique)
            .map_or(0, |at| at + 1);
    }
    let automatic = (entries.iter().zip(kinds))
        .find(|(entry, kind)| {
            **kind == Entry::Column && entry.iter().any(|t| t.is("AUTO_INCREMENT"))
        })
        .and_then(|(entry, _)| entry.first()?.name());
    if let Some(column) = automatic {
        let begins_with_it = |entry: &[Token<'_>]| {
            let first = entry
                .iter()
                .position(|t| t.symbol("("))
                .and_then(|at| entry.get(at + 1)?.name());
            first.as_ref() == Some(&column)
        };
        let holder = (entries.iter().zip(kinds)).position(|(entry, kind)| {
            (*kind == Entry::Primary || is_index(kind)) && begins_with_it(entry)
        });
        early = early.max(holder.map_or(0, |at| at + 1));
    }
    early
}

/// The name, and what it points at.
fn foreign_key(entry: &[Token<'_>]) -> Option<(String, (Option<String>, String))> {
    let constraint = match entry {
        [first, name, ..] if first.is("CONSTRAINT") => name.name()?,
        _ => String::new(),
    };
    let at = entry.iter().position(|t| t.is("REFERENCES"))?;
    let first = entry.get(at + 1)?.name()?;
    if entry.get(at + 2).is_some_and(|t| t.symbol(".")) {
        let second = entry.get(at + 3)?.name()?;
        return Some((constraint, (Some(first), second)));
    }
    Some((constraint, (None, first)))
}

/// A column with its collation: where the server leaves it away it means the default, which differs from server to server.
/// Where it is the table's own it is left away, for MySQL 8 remembers that it was said, and says more from then on.
fn with_collation(create: &str, entry: &[Token<'_>], table: &Table) -> String {
    let (Some(first), Some(last)) = (entry.first(), entry.last()) else {
        return String::new();
    };
    let text = &create[first.at..last.end()];
    let collation = || {
        let column = first.name()?;
        table
            .columns
            .iter()
            .find(|c| c.name == column)?
            .collation
            .clone()
    };
    let set = (entry.windows(3)).find(|w| w[0].is("CHARACTER") && w[1].is("SET"));
    let said = (entry.windows(2)).find(|w| w[0].is("COLLATE"));
    match (set, collation()) {
        (None, Some(collation)) if table.collation.as_ref() == Some(&collation) => match said {
            Some([word, value]) if value.is(&collation) => {
                let (from, to) = (word.at - first.at, value.end() - first.at);
                format!("{}{}", &text[..from], text[to..].trim_start())
            }
            _ => text.to_owned(),
        },
        (Some(set), Some(collation)) if !entry.iter().any(|t| t.is("COLLATE")) => {
            let at = set[2].end() - first.at;
            format!("{} COLLATE {collation}{}", &text[..at], &text[at..])
        }
        _ => text.to_owned(),
    }
}

/// What follows the columns, with the table's collation.
fn options(tail: &str, table: &Table) -> String {
    let words = meaning(tail);
    let set = words
        .windows(3)
        .find(|w| w[0].is("CHARSET") && w[1].symbol("="));
    match (set, &table.collation) {
        (Some(set), Some(collation)) if !words.iter().any(|t| t.is("COLLATE")) => {
            let at = set[2].end();
            format!("{} COLLATE={collation}{}", &tail[..at], &tail[at..])
        }
        _ => tail.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::model::Column;
    use super::*;

    fn table(engine: &str, create: &str) -> Table {
        Table {
            name: "t".into(),
            create: create.into(),
            engine: engine.into(),
            collation: Some("latin1_swedish_ci".into()),
            columns: vec![Column {
                name: "a".into(),
                data_type: "varchar".into(),
                column_type: "varchar(9)".into(),
                charset: Some("utf8mb4".into()),
                collation: Some("utf8mb4_general_ci".into()),
                generated: false,
            }],
            keys: Vec::new(),
            partitions: Vec::new(),
            rows: 0,
            bytes: 0,
            readable: true,
            history: false,
        }
    }

    fn names(create: &Create) -> Vec<&str> {
        create.indexes.iter().map(|i| i.names.as_str()).collect()
    }

    const WIDE: &str = "CREATE TABLE `t` (
  `id` bigint NOT NULL AUTO_INCREMENT COMMENT 'it''s (a), `b`',
  `a` varchar(9) CHARACTER SET utf8mb4 DEFAULT 'x,y)',
  `g` int GENERATED ALWAYS AS ((`id` + 1)) STORED,
  PRIMARY KEY (`id`),
  UNIQUE KEY `u` (`a`(3)),
  KEY `k,1` (`g`,`a`) /*!80000 INVISIBLE */,
  FULLTEXT KEY `f` (`a`) /*!50100 WITH PARSER `ngram` */ ,
  SPATIAL KEY `s` (`p`),
  CONSTRAINT `fk` FOREIGN KEY (`g`) REFERENCES `other`.`p` (`id`) ON DELETE CASCADE,
  CONSTRAINT `c` CHECK ((`a` <> ','))
) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=latin1
/*!50100 PARTITION BY HASH (`id`)
PARTITIONS 2 */";

    #[test]
    fn indexes_and_foreign_keys_come_after_the_rows() {
        let cut = cut(&table("INNODB", WIDE));
        assert_eq!(names(&cut), ["u, k,1", "f", "s"]);
        assert_eq!(
            cut.foreign_keys[0].parent,
            (Some("other".into()), "p".into())
        );
        assert_eq!(
            cut.indexes[1].alter,
            "ALTER TABLE `t`\n  ADD FULLTEXT KEY `f` (`a`) /*!50100 WITH PARSER `ngram` */"
        );
        assert_eq!(
            cut.table,
            "CREATE TABLE `t` (
  `id` bigint NOT NULL AUTO_INCREMENT COMMENT 'it''s (a), `b`',
  `a` varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci DEFAULT 'x,y)',
  `g` int GENERATED ALWAYS AS ((`id` + 1)) STORED,
  PRIMARY KEY (`id`),
  CONSTRAINT `c` CHECK ((`a` <> ','))
) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci
/*!50100 PARTITION BY HASH (`id`)
PARTITIONS 2 */"
        );
    }

    #[test]
    fn the_tables_collation_is_not_said_again() {
        let text = "CREATE TABLE `t` (\n `a` varchar(9) COLLATE utf8mb4_general_ci NOT NULL\n) COLLATE=utf8mb4_general_ci";
        let mut plain = table("INNODB", text);
        plain.collation = Some("utf8mb4_general_ci".into());
        assert_eq!(
            cut(&plain).table,
            "CREATE TABLE `t` (\n  `a` varchar(9) NOT NULL\n) COLLATE=utf8mb4_general_ci"
        );
        assert!(
            cut(&table("INNODB", text))
                .table
                .contains("COLLATE utf8mb4_general_ci NOT")
        );
    }

    #[test]
    fn other_engines_keep_their_indexes() {
        assert!(cut(&table("MYISAM", WIDE)).indexes.is_empty());
    }

    #[test]
    fn what_the_rows_need_stays() {
        let automatic = "CREATE TABLE `t` (\n `id` int NOT NULL AUTO_INCREMENT,\n `a` int,\n KEY `a` (`a`),\n KEY `i` (`id`),\n KEY `z` (`a`,`id`)\n) ENGINE=InnoDB";
        assert_eq!(names(&cut(&table("INNODB", automatic))), ["z"]);
        let keyless = "CREATE TABLE `t` (\n `id` int NOT NULL,\n UNIQUE KEY `u` (`id`),\n KEY `z` (`id`)\n) ENGINE=InnoDB";
        assert_eq!(names(&cut(&table("INNODB", keyless))), ["z"]);
    }

    #[test]
    fn what_is_not_understood_stays_whole() {
        for text in ["", "CREATE TABLE `t` (", "CREATE TABLE `t` LIKE `u`"] {
            assert_eq!(cut(&table("INNODB", text)).table, text);
        }
    }
}
