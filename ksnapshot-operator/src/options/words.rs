//! Text divided into words as a shell divides it: spaces between words, quotes, backslashes. Nothing else means anything:
//! nothing is expanded, nothing is run.

/// What no shell would take, either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// A single quote without its end.
    Single,
    /// A double quote without its end.
    Double,
    /// A backslash with nothing after it.
    Backslash,
}

impl Open {
    /// Why it is refused.
    pub fn why(self) -> &'static str {
        match self {
            Self::Single => "a single quote is not closed",
            Self::Double => "a double quote is not closed",
            Self::Backslash => "a backslash has nothing after it",
        }
    }
}

/// The words of `text`.
pub fn split(text: &str) -> Result<Vec<String>, Open> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or(Open::Single)? {
                        '\'' => break,
                        inside => word.push(inside),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or(Open::Double)? {
                        '"' => break,
                        '\\' => match chars.next().ok_or(Open::Double)? {
                            '\n' => {}
                            special @ ('"' | '\\' | '$' | '`') => word.push(special),
                            other => word.extend(['\\', other]),
                        },
                        inside => word.push(inside),
                    }
                }
            }
            '\\' => match chars.next().ok_or(Open::Backslash)? {
                '\n' => {}
                escaped => word.get_or_insert_default().push(escaped),
            },
            plain => word.get_or_insert_default().push(plain),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Words as a person could type them, for logs: [`split`] reads them back.
pub fn join(words: &[String]) -> String {
    let quoted = words.iter().map(|word| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+./:,@%".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_those_of_a_shell() {
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(split(text).expect(text), expected, "{text}")
        };
        check("", &[]);
        check(" \t\n", &[]);
        check("--a  --b=c\n-d", &["--a", "--b=c", "-d"]);
        check("--where='id > 3'", &["--where=id > 3"]);
        check(r#"--where="name = \"x\"""#, &[r#"--where=name = "x""#]);
        check(r#""a\b\$\`" 'c\d'"#, &[r"a\b$`", r"c\d"]);
        check(r"a\ b c\'d", &["a b", "c'd"]);
        check("'' \"\"", &["", ""]);
        check("a''b\"c\"", &["abc"]);
        check("a\\\nb", &["ab"]);
        // Of what else a shell would make something, it stays what it is.
        check(
            "$HOME `id` $(id) *.log ; rm | x > y & #z ~",
            &[
                "$HOME", "`id`", "$(id)", "*.log", ";", "rm", "|", "x", ">", "y", "&", "#z", "~",
            ],
        );
        assert_eq!(split("'a"), Err(Open::Single));
        assert_eq!(split("a \"b"), Err(Open::Double));
        assert_eq!(split("\"b\\"), Err(Open::Double));
        assert_eq!(split("a\\"), Err(Open::Backslash));
    }

    proptest! {
        #[test]
        fn what_is_joined_is_split_again(words: Vec<String>) {
            // A carriage return is a character to a shell, and a space here; between quotes it is one anyway.
            prop_assert_eq!(split(&join(&words)).expect("closed"), words);
        }

        #[test]
        fn no_text_is_too_strange(text: String) {
            let _ = split(&text);
        }
    }
}
