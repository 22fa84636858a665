//! Patterns that choose tables, as in psql: `*` is any text, `?` any character, a dot divides schema from name, and double
//! quotes keep everything as it is. Whether other letters are folded to lower case is up to the kind of server.

use crate::{Error, ErrorKind, Result};

/// One pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    /// With schemas; none when it can't be read so.
    folded: Option<Names>,
    written: Option<Names>,
    whole: Names,
}

/// What letters outside of quotes mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letters {
    /// Their lower case, as PostgreSQL reads names.
    Folded,
    /// Themselves, as MySQL keeps names.
    AsWritten,
    /// Themselves, and so are dots and quotes: there are no schemas, as in Elasticsearch.
    Whole,
}

impl Letters {
    /// Those of a source of this kind ([`crate::SourceInfo::kind`]).
    pub fn of(kind: &str) -> Self {
        match kind {
            "postgresql" => Self::Folded,
            "mysql" | "mariadb" => Self::AsWritten,
            _ => Self::Whole,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Names {
    schema: Option<Vec<Token>>,
    name: Vec<Token>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Any,
    One,
    Char(char),
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// Errors: [`ErrorKind::Usage`] for an empty one, an open quote, or more than one dot outside quotes.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(Self {
            folded: Some(Names::parse(text, Letters::Folded)?),
            written: Some(Names::parse(text, Letters::AsWritten)?),
            ..Self::whole(text)
        })
    }

    /// Reads a pattern of names without schemas: only `*` and `?` mean something else than themselves.
    pub fn whole(text: &str) -> Self {
        let name = text.chars().map(|c| match c {
            '*' => Token::Any,
            '?' => Token::One,
            c => Token::Char(c),
        });
        Self {
            text: text.to_owned(),
            folded: None,
            written: None,
            whole: Names {
                schema: None,
                name: name.collect(),
            },
        }
    }

    /// Whether it means `schema.name`. Without a schema of its own it means the name in every schema.
    pub fn matches(&self, letters: Letters, schema: Option<&str>, name: &str) -> bool {
        let names = match letters {
            Letters::Folded => self.folded.as_ref(),
            Letters::AsWritten => self.written.as_ref(),
            Letters::Whole => Some(&self.whole),
        };
        names.is_some_and(|names| {
            matches(&names.name, name)
                && (names.schema.as_ref()).is_none_or(|s| matches(s, schema.unwrap_or_default()))
        })
    }

    /// As the user wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Names {
    fn parse(text: &str, letters: Letters) -> Result<Self> {
        let bad = |what: &str| {
            Error::new(ErrorKind::Usage, format!("table pattern {text:?}: {what}"))
                .hint("Write it as in psql: orders, public.orders, \"public\".\"Orders\", sales.*, *.log_??.")
        };
        let mut parts = vec![Vec::new()];
        let mut quoted = false;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let part = parts.last_mut().expect("never empty");
            match c {
                '"' if quoted && chars.peek() == Some(&'"') => {
                    chars.next();
                    part.push(Token::Char('"'));
                }
                '"' => quoted = !quoted,
                _ if quoted => part.push(Token::Char(c)),
                '*' => part.push(Token::Any),
                '?' => part.push(Token::One),
                '.' => parts.push(Vec::new()),
                _ if letters != Letters::Folded => part.push(Token::Char(c)),
                _ => part.extend(c.to_lowercase().map(Token::Char)),
            }
        }
        if quoted {
            return Err(bad("a quote is not closed"));
        }
        if parts.iter().any(Vec::is_empty) {
            return Err(bad("a name is empty"));
        }
        let name = parts.pop().expect("never empty");
        let schema = parts.pop();
        if !parts.is_empty() {
            return Err(bad("more than a schema and a name"));
        }
        Ok(Self { schema, name })
    }
}

fn matches(pattern: &[Token], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    // Greedy with one way back: the last `*` takes one character more whenever the rest does not fit.
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(Token::Any) => {
                back = Some((p + 1, t));
                p += 1;
            }
            Some(Token::One) => {
                p += 1;
                t += 1;
            }
            Some(Token::Char(c)) if *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((after, from)) = back else {
                    return false;
                };
                back = Some((after, from + 1));
                p = after;
                t = from + 1;
            }
        }
    }
    pattern[p..].iter().all(|t| *t == Token::Any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, schema: &str, name: &str, expected: bool) {
        let parsed = Pattern::parse(pattern).expect(pattern);
        assert_eq!(
            parsed.matches(Letters::Folded, Some(schema), name),
            expected,
            "{pattern} on {schema}.{name}"
        );
    }

    #[test]
    fn as_in_psql() {
        check("orders", "public", "orders", true);
        check("orders", "sales", "orders", true);
        check("public.orders", "sales", "orders", false);
        check("Orders", "public", "orders", true);
        check("\"Orders\"", "public", "orders", false);
        check("\"Orders\"", "public", "Orders", true);
        check("pub*.ord*s", "public", "orders", true);
        check("*a*b", "public", "xaxbxb", true);
        check("*a*b", "public", "xaxbxc", false);
        check("o?ders", "public", "orders", true);
        check("o?ders", "public", "oders", false);
        check("\"a.b\"", "public", "a.b", true);
        check("\"a*\"", "public", "ab", false);
        check("\"a\"\"b\"", "public", "a\"b", true);
        check("*", "public", "", true);
    }

    #[test]
    fn letters_are_themselves_where_names_keep_them() {
        let means = |pattern: &str, name: &str| {
            let parsed = Pattern::parse(pattern).expect(pattern);
            parsed.matches(Letters::of("mysql"), Some("Shop"), name)
        };
        assert!(means("Orders", "Orders") && means("Shop.O*", "Orders"));
        assert!(!means("Orders", "orders") && !means("shop.Orders", "Orders"));
        assert!(means("\"Orders\"", "Orders"));
    }

    #[test]
    fn whole_names_have_no_schema() {
        let means = |pattern: &str, name: &str| {
            Pattern::whole(pattern).matches(Letters::of("elasticsearch"), None, name)
        };
        assert!(
            means("logs-*.x", "logs-2026.11.x") && means("Ü\"", "Ü\"") && means("a.b.c.", "a.b.c.")
        );
        assert!(!means("logs", "logs-1") && !means("logs.1", "1"));
    }

    #[test]
    fn bad_ones_are_refused() {
        for bad in ["", "\"a", ".a", "a.", "a.b.c"] {
            assert_eq!(Pattern::parse(bad).expect_err(bad).kind(), ErrorKind::Usage);
        }
    }
}
