//! SQL as the server writes it, in tokens: enough to find where a name, a text or a comment ends. Pure.

/// What a piece of SQL is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword, a number or a bare name.
    Word,
    /// A name between backticks.
    Name,
    /// A text between single or double quotes.
    Text,
    /// A comment that no server runs.
    Comment,
    /// White space.
    Space,
    /// One character of anything else; also `/*!80023` and `*/` around what some servers run.
    Symbol,
}

/// A piece of SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    /// Where it begins.
    pub(super) at: usize,
    /// As it is written.
    pub(super) text: &'a str,
}

impl<'a> Token<'a> {
    /// Whether it is this keyword.
    pub(super) fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is this symbol.
    pub(super) fn symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }

    /// The name without its backticks.
    pub(super) fn name(&self) -> Option<String> {
        let inner = self.text.strip_prefix('`')?.strip_suffix('`')?;
        Some(inner.replace("``", "`"))
    }

    /// Where it ends.
    pub(super) fn end(&self) -> usize {
        self.at + self.text.len()
    }
}

/// The tokens of `sql`, which together are all of it. Read as a session without `ANSI_QUOTES` and
/// `NO_BACKSLASH_ESCAPES` reads it.
pub(super) fn tokens(sql: &str) -> Tokens<'_> {
    Tokens {
        sql,
        at: 0,
        open: 0,
    }
}

/// Those that mean something: no white space, no comments.
pub(super) fn meaning(sql: &str) -> Vec<Token<'_>> {
    tokens(sql)
        .filter(|t| !matches!(t.kind, Kind::Space | Kind::Comment))
        .collect()
}

/// See [`tokens`].
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    sql: &'a str,
    at: usize,
    /// Versioned comments that are open.
    open: usize,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let rest = &self.sql[self.at..];
        let first = rest.chars().next()?;
        let (kind, length) = match first {
            '`' => (Kind::Name, quoted(rest, '`', false)),
            '\'' | '"' => (Kind::Text, quoted(rest, first, true)),
            '#' => (Kind::Comment, line(rest)),
            '-' if dashes(rest) => (Kind::Comment, line(rest)),
            '/' if rest.starts_with("/*!") || rest.starts_with("/*M!") => {
                self.open += 1;
                let digits = rest.find('!').map_or(0, |at| at + 1);
                let length = rest[digits..].find(|c: char| !c.is_ascii_digit());
                (Kind::Symbol, length.map_or(rest.len(), |l| digits + l))
            }
            '/' if rest.starts_with("/*") => {
                let length = rest[2..].find("*/").map_or(rest.len(), |at| at + 4);
                (Kind::Comment, length)
            }
            '*' if self.open > 0 && rest.starts_with("*/") => {
                self.open -= 1;
                (Kind::Symbol, 2)
            }
            c if c.is_whitespace() => (Kind::Space, run(rest, char::is_whitespace)),
            c if in_word(c) => (Kind::Word, run(rest, in_word)),
            c => (Kind::Symbol, c.len_utf8()),
        };
        let token = Token {
            kind,
            at: self.at,
            text: &rest[..length],
        };
        self.at += length;
        Some(token)
    }
}

/// Letters of every script may stand in a bare name.
fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn run(rest: &str, belongs: impl Fn(char) -> bool) -> usize {
    rest.find(|c| !belongs(c)).unwrap_or(rest.len())
}

/// `--` begins a comment only with white space or the end after it.
fn dashes(rest: &str) -> bool {
    rest.strip_prefix("--").is_some_and(|after| {
        after
            .chars()
            .next()
            .is_none_or(|c| c.is_whitespace() || c.is_control())
    })
}

fn line(rest: &str) -> usize {
    rest.find('\n').unwrap_or(rest.len())
}

/// How long what is quoted is, from the opening quote on; to the end of all if it is never closed.
fn quoted(rest: &str, quote: char, backslashes: bool) -> usize {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && backslashes {
            chars.next();
        } else if c == quote {
            if chars.peek().is_some_and(|&(_, next)| next == quote) {
                chars.next();
            } else {
                return at + quote.len_utf8();
            }
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(sql: &str) -> Vec<&str> {
        meaning(sql).iter().map(|t| t.text).collect()
    }

    #[test]
    fn quotes_hide_what_is_in_them() {
        assert_eq!(
            shown(
                r"`a``;b` 'it''s \' ;' x /* ; */ -- ; 
 y # ;"
            ),
            ["`a``;b`", r"'it''s \' ;'", "x", "y"]
        );
    }

    #[test]
    fn versioned_comments_are_read() {
        assert_eq!(
            shown("a /*!80023 INVISIBLE */ /*M!100301 'c*/' */ b * c"),
            [
                "a",
                "/*!80023",
                "INVISIBLE",
                "*/",
                "/*M!100301",
                "'c*/'",
                "*/",
                "b",
                "*",
                "c"
            ]
        );
    }

    proptest! {
        #[test]
        fn nothing_is_lost(sql in r#"([a-z `'"\\;#/*!\n-]|ü|/\*!1|\*/){0,60}"#) {
            let together: String = tokens(&sql).map(|t| t.text).collect();
            prop_assert_eq!(&together, &sql);
        }

        #[test]
        fn what_is_quoted_is_one_token(text in ".*") {
            let name = super::super::quote::name(&text);
            let literal = super::super::quote::literal(&text);
            let sql = format!("{name}{literal}");
            let found: Vec<_> = tokens(&sql).collect();
            prop_assert_eq!(found.len(), 2);
            prop_assert_eq!(found[0].name(), Some(text));
            prop_assert_eq!(found[1].text, literal);
        }
    }
}
