//! The statements of an item's text, as the stock clients tell them apart. Pure.

use super::tokens::{Kind, tokens};

/// What is run, in order: without delimiters, without what is only a comment.
///
/// A line that begins with DELIMITER names what ends statements from there on; another one than `;` does not occur in what it
/// ends, which the writer of the text has seen to.
pub(super) fn statements(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut delimiter = ";";
    let mut rest = text;
    loop {
        rest = without_comments(rest);
        if rest.is_empty() {
            return found;
        }
        if let Some((new, after)) = delimiter_line(rest) {
            (delimiter, rest) = (new, after);
            continue;
        }
        let (statement, after) = if delimiter == ";" {
            let end = tokens(rest).find(|t| t.symbol(";"));
            end.map_or((rest, ""), |t| (&rest[..t.at], &rest[t.end()..]))
        } else {
            rest.split_once(delimiter).unwrap_or((rest, ""))
        };
        if tokens(statement).any(|t| !matches!(t.kind, Kind::Space | Kind::Comment)) {
            found.push(statement.trim_end());
        }
        rest = after;
    }
}

/// The text from the first thing on that isn't white space or a comment.
fn without_comments(text: &str) -> &str {
    let first = tokens(text).find(|t| !matches!(t.kind, Kind::Space | Kind::Comment));
    first.map_or("", |t| &text[t.at..])
}

/// The new delimiter, and what follows its line.
fn delimiter_line(text: &str) -> Option<(&str, &str)> {
    const WORD: &str = "DELIMITER";
    let (line, after) = text.split_once('\n').unwrap_or((text, ""));
    let (word, new) = line.split_at_checked(WORD.len())?;
    let named = word.eq_ignore_ascii_case(WORD) && new.starts_with(char::is_whitespace);
    Some((new.trim(), after)).filter(|(new, _)| named && !new.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quotes_comments_and_delimiters_are_honoured() {
        let text = "-- table a.b;\nCREATE TABLE `a;b` (\n  c text DEFAULT 'x;\\';y' -- z;\n);\n\n/* ; */\nDELIMITER ;;\nCREATE PROCEDURE p()\nBEGIN SELECT ';'; END;;\ndelimiter ;\nSET NAMES utf8mb4;\n;\n/*!80000 SET x = 1 */;";
        assert_eq!(
            statements(text),
            [
                "CREATE TABLE `a;b` (\n  c text DEFAULT 'x;\\';y' -- z;\n)",
                "CREATE PROCEDURE p()\nBEGIN SELECT ';'; END",
                "SET NAMES utf8mb4",
                "/*!80000 SET x = 1 */",
            ]
        );
        assert!(statements("-- nothing;\n").is_empty());
    }

    /// A statement of some tokens, none of which is a delimiter.
    fn statement() -> impl Strategy<Value = String> {
        let token = prop_oneof![
            "[a-z]{1,5}",
            "[ -~ü\n]{0,12}".prop_map(|t| super::super::quote::literal(&t)),
            "[ -~ü]{0,12}".prop_map(|t| super::super::quote::name(&t)),
            Just("/* ; ' */".to_owned()),
            Just("(1 - 2)".to_owned()),
        ];
        prop::collection::vec(token, 1..8).prop_map(|tokens| format!("SELECT {}", tokens.join(" ")))
    }

    proptest! {
        #[test]
        fn what_is_joined_comes_apart(parts in prop::collection::vec((statement(), any::<bool>()), 0..6)) {
            let mut text = String::new();
            for (statement, program) in &parts {
                // A program's own text holds the delimiter of others.
                text.push_str(&if *program {
                    format!("-- it's; a program\nDELIMITER $end$\n{statement}; x$end$\nDELIMITER ;\n")
                } else {
                    format!("# \"\n{statement};\n")
                });
            }
            let expected: Vec<String> = parts
                .into_iter()
                .map(|(statement, program)| if program { format!("{statement}; x") } else { statement })
                .collect();
            prop_assert_eq!(statements(&text), expected);
        }
    }
}
