//! Names within SQL text. Only as much of the language as it takes to tell a name from a string, a body and a comment.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::Name;
use crate::postgres::quote::{ident, literal, qualified};

/// A piece of text that may be, or lead to, a name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    kind: Kind,
    at: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// A name or a word, folded or without its quotation marks.
    Name(String),
    /// What a string literal holds.
    Text(String),
    /// Another character; bodies, comments and space are none.
    Other(char),
}

/// The parts of a name with dots, folded as in SQL; none if it is no name.
pub(super) fn name(text: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut end = 0;
    for (number, token) in Tokens::of(text).enumerate() {
        if token.at.start != end {
            return None;
        }
        end = token.at.end;
        match (number % 2, token.kind) {
            (0, Kind::Name(name)) if !name.is_empty() => parts.push(name),
            (1, Kind::Other('.')) => {}
            _ => return None,
        }
    }
    (end == text.len() && !text.is_empty() && !text.ends_with('.')).then_some(parts)
}

/// The text with new names of relations, which are qualified or in a string that the server takes for one, and with those bare names
/// where an index or its constraint is meant.
pub(super) fn renamed<'t>(
    text: &'t str,
    relations: &HashMap<Name, Name>,
    bare: Option<&HashMap<String, String>>,
) -> Cow<'t, str> {
    let tokens: Vec<Token> = Tokens::of(text).collect();
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let kind = |at: usize| tokens.get(at).map(|token| &token.kind);
    let is_word = |at: Option<usize>, word: &str| {
        let token = at.and_then(|at| tokens.get(at));
        token.is_some_and(|token| text[token.at.clone()].eq_ignore_ascii_case(word))
    };
    let dot = Some(&Kind::Other('.'));
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let before = at.checked_sub(1);
        let follows_dot = before.is_some_and(|before| kind(before) == dot);
        match (&token.kind, kind(at + 1), kind(at + 2)) {
            (Kind::Name(schema), Some(Kind::Other('.')), Some(Kind::Name(relation)))
                if !follows_dot =>
            {
                let found = relations.get(&(schema.clone(), relation.clone()));
                if let Some((schema, relation)) = found {
                    let range = token.at.start..tokens[at + 2].at.end;
                    edits.push((range, qualified(schema, relation)));
                }
                at += 3;
                continue;
            }
            (Kind::Name(word), ..) if !follows_dot => {
                let of_cluster = is_word(before, "on") && is_word(at.checked_sub(2), "cluster");
                let means_index = ["index", "constraint"].iter().any(|w| is_word(before, w));
                if let Some(new) = bare.and_then(|bare| bare.get(word))
                    && (means_index || of_cluster)
                {
                    edits.push((token.at.clone(), ident(new)));
                }
            }
            (Kind::Text(held), ..) => {
                let cast = kind(at + 1) == Some(&Kind::Other(':')) && {
                    let own = is_word(Some(at + 3), "pg_catalog");
                    is_word(Some(if own { at + 5 } else { at + 3 }), "regclass")
                };
                let argument = before.is_some_and(|before| kind(before) == Some(&Kind::Other('(')))
                    && is_word(at.checked_sub(2), "setval");
                if let Some([schema, relation]) = name(held).as_deref()
                    && let Some((schema, relation)) =
                        relations.get(&(schema.clone(), relation.clone()))
                    && (cast || argument)
                {
                    edits.push((token.at.clone(), literal(&qualified(schema, relation))));
                }
            }
            _ => {}
        }
        at += 1;
    }
    if edits.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut new = String::with_capacity(text.len());
    let mut end = 0;
    for (range, name) in edits {
        new.push_str(&text[end..range.start]);
        new.push_str(&name);
        end = range.end;
    }
    new.push_str(&text[end..]);
    Cow::Owned(new)
}

/// Reads text from start to end.
struct Tokens<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Tokens<'t> {
    fn of(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// Goes behind the end of what began here, which `close` finds in what follows its first `skip` bytes. What never ends, ends with the text.
    fn pass(&mut self, skip: usize, close: impl Fn(&str) -> Option<usize>) -> Range<usize> {
        let begin = self.at + skip;
        let length = close(&self.text[begin..]);
        self.at = length.map_or(self.text.len(), |length| begin + length);
        begin..self.at
    }

    /// The text between two of these marks, of which two in a row stand for one.
    fn marked(&mut self, mark: char, escapes: bool) -> String {
        let mut held = String::new();
        let mut chars = self.rest().char_indices().skip(1).peekable();
        while let Some((at, char)) = chars.next() {
            if escapes && char == '\\' {
                // In names only these two are escaped; what else is, makes no name.
                let next = chars.next().map(|(_, next)| next);
                held.extend((!matches!(next, Some('\\' | '\''))).then_some(char));
                held.extend(next);
            } else if char != mark {
                held.push(char);
            } else if chars.next_if(|(_, next)| *next == mark).is_some() {
                held.push(mark);
            } else {
                self.at += at + mark.len_utf8();
                return held;
            }
        }
        self.at = self.text.len();
        held
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let rest = self.rest();
            let first = rest.chars().next()?;
            let start = self.at;
            if first.is_whitespace() {
                self.at += first.len_utf8();
                continue;
            }
            if rest.starts_with("--") {
                self.pass(0, |text| text.find('\n'));
                continue;
            }
            if rest.starts_with("/*") {
                self.pass(0, end_of_comment);
                continue;
            }
            let kind = match first {
                '\'' => Kind::Text(self.marked('\'', false)),
                '"' => Kind::Name(self.marked('"', false)),
                'e' | 'E' if rest[1..].starts_with('\'') => {
                    self.at += 1;
                    Kind::Text(self.marked('\'', true))
                }
                '$' => match tag(rest) {
                    Some(tag) => {
                        self.pass(tag.len(), |text| {
                            text.find(tag).map(|found| found + tag.len())
                        });
                        Kind::Other('$')
                    }
                    None => {
                        self.at += 1;
                        Kind::Other('$')
                    }
                },
                first if begins_name(first) => {
                    let length = rest.find(|c| !continues_name(c)).unwrap_or(rest.len());
                    self.at += length;
                    Kind::Name(rest[..length].to_ascii_lowercase())
                }
                digit if digit.is_ascii_digit() => {
                    // A number's own dot is none between names.
                    let ends = |c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '_');
                    self.at += rest.find(ends).unwrap_or(rest.len());
                    Kind::Other(digit)
                }
                other => {
                    self.at += other.len_utf8();
                    Kind::Other(other)
                }
            };
            return Some(Token {
                kind,
                at: start..self.at,
            });
        }
    }
}

fn begins_name(first: char) -> bool {
    first.is_ascii_alphabetic() || first == '_' || !first.is_ascii()
}

fn continues_name(char: char) -> bool {
    begins_name(char) || char.is_ascii_digit() || char == '$'
}

/// The mark that begins a dollar-quoted string here, such as `$$` or `$body$`.
fn tag(rest: &str) -> Option<&str> {
    let end = rest[1..].find('$')? + 2;
    let inner = &rest[1..end - 1];
    let is_name = |inner: &str| {
        let mut chars = inner.chars();
        chars.next().is_none_or(begins_name) && chars.all(|c| continues_name(c) && c != '$')
    };
    is_name(inner).then_some(&rest[..end])
}

/// Where a comment that begins here ends; comments nest.
fn end_of_comment(text: &str) -> Option<usize> {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        let pair = |(schema, name): (&str, &str)| (schema.to_owned(), name.to_owned());
        let relations: HashMap<Name, Name> = [
            (("a", "t"), ("b", "New")),
            (("a", "t_id_seq"), ("b", "New_id_seq")),
        ]
        .map(|(from, to)| (pair(from), pair(to)))
        .into();
        let bare = HashMap::from([("t_pkey".to_owned(), "New_pkey".to_owned())]);
        assert_eq!(renamed(text, &relations, Some(&bare)), expected, "{text}");
    }

    #[test]
    fn names_are_found_where_they_are_names() {
        check(
            "CREATE TABLE a.t (\n  x int",
            "CREATE TABLE b.\"New\" (\n  x int",
        );
        check("REFERENCES a.t(id)", "REFERENCES b.\"New\"(id)");
        check(
            "COMMENT ON COLUMN a.t.x IS 'a.t'",
            "COMMENT ON COLUMN b.\"New\".x IS 'a.t'",
        );
        check(
            "select x.a.t, \"a\".\"t\", A.T",
            "select x.a.t, b.\"New\", b.\"New\"",
        );
        check(
            "select a.tt, aa.t, a.t2 from a.t",
            "select a.tt, aa.t, a.t2 from b.\"New\"",
        );
        check(
            "nextval('a.t_id_seq'::regclass)",
            "nextval('b.\"New_id_seq\"'::regclass)",
        );
        check(
            "SELECT pg_catalog.setval('a.t_id_seq', 5, true)",
            "SELECT pg_catalog.setval('b.\"New_id_seq\"', 5, true)",
        );
        check(
            "'a.t'::pg_catalog.regclass",
            "'b.\"New\"'::pg_catalog.regclass",
        );
        check("E'a.\\'t'::regclass", "E'a.\\'t'::regclass");
        check("E'a.t'::regclass", "'b.\"New\"'::regclass");
        check("'a.t'::text", "'a.t'::text");
        check("-- a.t\nDROP TABLE a.t", "-- a.t\nDROP TABLE b.\"New\"");
        check("/* a.t /* */ a.t */ a.t", "/* a.t /* */ a.t */ b.\"New\"");
        check("$$ a.t $x$ $$ a.t", "$$ a.t $x$ $$ b.\"New\"");
        check("$x$ a.t $$ $x$a.t", "$x$ a.t $$ $x$b.\"New\"");
        check(
            "'it''s a.t' || E'\\' a.t' || a.t",
            "'it''s a.t' || E'\\' a.t' || b.\"New\"",
        );
        check("1.5 + a.t", "1.5 + b.\"New\"");
    }

    #[test]
    fn bare_names_are_those_of_indexes() {
        check(
            "ADD CONSTRAINT t_pkey PRIMARY KEY",
            "ADD CONSTRAINT \"New_pkey\" PRIMARY KEY",
        );
        check(
            "CREATE UNIQUE INDEX t_pkey ON a.t",
            "CREATE UNIQUE INDEX \"New_pkey\" ON b.\"New\"",
        );
        check(
            "ALTER TABLE a.t CLUSTER ON t_pkey",
            "ALTER TABLE b.\"New\" CLUSTER ON \"New_pkey\"",
        );
        check(
            "REPLICA IDENTITY USING INDEX t_pkey",
            "REPLICA IDENTITY USING INDEX \"New_pkey\"",
        );
        check("t_pkey int DEFAULT 't_pkey'", "t_pkey int DEFAULT 't_pkey'");
        check("CREATE INDEX x ON t_pkey", "CREATE INDEX x ON t_pkey");
    }

    proptest! {
        #[test]
        fn text_without_those_names_stays(text: String) {
            prop_assert_eq!(renamed(&text, &HashMap::new(), None), text.as_str());
            let _ = name(&text);
        }

        #[test]
        fn a_quoted_name_is_read_back(schema in ".{1,5}", table in ".{1,5}") {
            let parts = name(&qualified(&schema, &table));
            prop_assert_eq!(parts, Some(vec![schema, table]));
        }
    }
}
