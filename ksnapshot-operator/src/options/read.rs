//! Reads words by a table: the same for both programs, which differ in a few habits.

use super::Refused;

/// One option of a program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Without its dashes.
    pub(super) long: &'static str,
    pub(super) short: Option<char>,
    pub(super) takes: Takes,
    pub(super) means: Means,
}

/// What stands after an option.
#[derive(Debug, Clone, Copy)]
pub(super) enum Takes {
    Nothing,
    /// It can be switched off: `--skip-…`, `--…=0`. What that means.
    Switch(Means),
    /// After `=`, or as the next word.
    Value,
    /// After `=` only.
    Maybe,
}

/// What an option means to a dump here.
#[derive(Debug, Clone, Copy)]
pub(super) enum Means {
    /// What is done anyway.
    Done,
    /// Nothing that would be seen in what is restored.
    Moot,
    /// What is done anyway if the value, in small letters, is one of these; else refused.
    DoneIf(&'static [&'static str], &'static str),
    /// This option of ours.
    Ours(&'static str),
    /// This option of ours no more.
    Not(&'static str),
    /// This option of ours, with the value; the last one counts.
    OursWith(&'static str),
    /// The same once for each value, which is written so.
    OursForEach(&'static str, Write),
    /// This option of ours, for each value: a pattern as psql has it, without its regular expressions.
    Patterns(&'static str),
    /// Names that stand behind it by themselves are each this option of ours.
    Names(&'static str, Write),
    /// Nothing here. Why, and what to do instead if there is something.
    Refused(&'static str, &'static str),
}

/// A program's options.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    pub(super) program: &'static str,
    pub(super) rows: &'static [Row],
    /// Names with `_` are those with `-`, and switches can be switched off.
    pub(super) mysql: bool,
    /// What to do instead of names that stand by themselves.
    pub(super) names: &'static str,
}

impl Dialect {
    pub(super) fn taken(&self) -> Vec<String> {
        let mut taken = Vec::new();
        for row in self.rows {
            let value = match (row.takes, row.means) {
                (Takes::Nothing | Takes::Switch(_), Means::Names(..)) => " …".to_owned(),
                (Takes::Nothing | Takes::Switch(_), _) => String::new(),
                (_, Means::DoneIf(values, _)) => format!("={}", values.join("|")),
                (Takes::Value | Takes::Maybe, _) => "=…".to_owned(),
            };
            if !matches!(row.means, Means::Refused(..)) {
                taken.push(format!("--{}{value}", row.long));
            }
            if let Takes::Switch(off) = row.takes
                && matches!(
                    (row.means, off),
                    (Means::Refused(..) | Means::Moot, Means::Done | Means::Moot)
                )
            {
                taken.push(format!("--skip-{}", row.long));
            }
        }
        taken
    }

    fn by_name(&self, name: &str) -> Option<&'static Row> {
        self.rows.iter().find(|row| row.long == name)
    }
}

/// How a name is written for an option of ours.
pub(super) type Write = fn(&str) -> String;

/// Words that are being read.
#[derive(Debug)]
pub(super) struct Read<'d> {
    dialect: &'d Dialect,
    ours: Vec<String>,
    /// What names that stand by themselves are, since the last option that says so.
    names: Option<(&'static str, Write)>,
}

impl<'d> Read<'d> {
    pub(super) fn new(dialect: &'d Dialect) -> Self {
        Self {
            dialect,
            ours: Vec::new(),
            names: None,
        }
    }

    pub(super) fn words(mut self, words: Vec<String>) -> Result<Vec<String>, Refused> {
        let mut words = words.into_iter();
        let mut names_only = false;
        while let Some(word) = words.next() {
            if names_only {
                self.name(&word)?;
            } else if word == "--" {
                names_only = true;
            } else if let Some(long) = word.strip_prefix("--") {
                self.long(long, &mut words)?;
            } else if let Some(letters) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
                self.short(letters, &mut words)?;
            } else {
                self.name(&word)?;
            }
        }
        Ok(self.ours)
    }

    fn long(&mut self, text: &str, rest: &mut impl Iterator<Item = String>) -> Result<(), Refused> {
        let (written, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        let word = format!("--{written}");
        let name = match self.dialect.mysql {
            true => written.replace('_', "-"),
            false => written.to_owned(),
        };
        if let Some(row) = self.dialect.by_name(&name) {
            return match (row.takes, value) {
                (Takes::Nothing, None) => self.mean(&word, row.means, None),
                (Takes::Nothing, Some(_)) => Err(self.refused(&word, "it takes no value", "")),
                (Takes::Switch(_), None) => self.mean(&word, row.means, None),
                (Takes::Switch(off), Some(value)) if self.dialect.mysql => match switched(&value) {
                    Some(true) => self.mean(&word, row.means, None),
                    Some(false) => self.mean(&word, off, None),
                    None => Err(self.refused(&word, "its value is neither 0 nor 1", "")),
                },
                (Takes::Switch(_), Some(_)) => Err(self.refused(&word, "it takes no value", "")),
                (Takes::Maybe, value) => self.mean(&word, row.means, value),
                (Takes::Value, value) => {
                    let value = value.or_else(|| rest.next());
                    self.with_value(&word, row.means, value)
                }
            };
        }
        if self.dialect.mysql {
            let off = (name.strip_prefix("skip-")).or_else(|| name.strip_prefix("disable-"));
            let on = name.strip_prefix("enable-");
            let switch = off.or(on).and_then(|name| self.dialect.by_name(name));
            if let (Some(row), None) = (switch, &value)
                && let Takes::Switch(means) = row.takes
            {
                let means = if off.is_some() { means } else { row.means };
                return self.mean(&word, means, None);
            }
        }
        Err(self.unknown(&word))
    }

    /// Letters behind one dash: several options, until one takes what is left as its value.
    fn short(
        &mut self,
        letters: &str,
        rest: &mut impl Iterator<Item = String>,
    ) -> Result<(), Refused> {
        let mut left = letters.chars();
        while let Some(letter) = left.next() {
            let word = format!("-{letter}");
            let Some(row) = (self.dialect.rows.iter()).find(|row| row.short == Some(letter)) else {
                return Err(self.unknown(&word));
            };
            let attached = Some(left.as_str().to_owned()).filter(|text| !text.is_empty());
            match row.takes {
                Takes::Nothing | Takes::Switch(_) => self.mean(&word, row.means, None)?,
                Takes::Maybe => return self.mean(&word, row.means, attached),
                Takes::Value => {
                    let value = attached.or_else(|| rest.next());
                    return self.with_value(&word, row.means, value);
                }
            }
        }
        Ok(())
    }

    fn with_value(
        &mut self,
        word: &str,
        means: Means,
        value: Option<String>,
    ) -> Result<(), Refused> {
        // What is refused is refused with and without a value.
        if value.is_none() && !matches!(means, Means::Refused(..)) {
            return Err(self.refused(
                word,
                "its value is missing",
                &format!("Write {word}=VALUE."),
            ));
        }
        self.mean(word, means, value)
    }

    fn mean(&mut self, word: &str, means: Means, value: Option<String>) -> Result<(), Refused> {
        let value = value.unwrap_or_default();
        match means {
            Means::Done | Means::Moot => {}
            Means::DoneIf(values, why) => {
                if !values.contains(&value.to_lowercase().as_str()) {
                    let hint = format!("Write {word}={}, or leave it away.", values[0]);
                    return Err(self.refused(word, why, &hint));
                }
            }
            Means::Ours(ours) => self.add(ours.to_owned()),
            Means::Not(ours) => self.ours.retain(|word| word != ours),
            Means::OursWith(ours) => {
                let begin = format!("{ours}=");
                self.ours.retain(|word| !word.starts_with(&begin));
                self.ours.push(format!("{ours}={value}"));
            }
            Means::OursForEach(ours, write) => self.add(format!("{ours}={}", write(&value))),
            Means::Patterns(ours) if is_regular(&value) => {
                let hint = format!(
                    "Write one {word} for each; patterns of {ours} have * for any text and ? for any character."
                );
                return Err(self.refused(word, "its value is a regular expression", &hint));
            }
            Means::Patterns(ours) => self.add(format!("{ours}={value}")),
            Means::Names(ours, write) => self.names = Some((ours, write)),
            Means::Refused(why, hint) => return Err(self.refused(word, why, hint)),
        }
        Ok(())
    }

    fn name(&mut self, name: &str) -> Result<(), Refused> {
        match self.names {
            Some((ours, write)) => self.add(format!("{ours}={}", write(name))),
            None => {
                return Err(self.refused(
                    name,
                    "what is dumped is not said by names among the options",
                    self.dialect.names,
                ));
            }
        }
        Ok(())
    }

    fn add(&mut self, word: String) {
        if !self.ours.contains(&word) {
            self.ours.push(word);
        }
    }

    fn unknown(&self, word: &str) -> Refused {
        let why = format!(
            "not an option of {} that is known here",
            self.dialect.program
        );
        self.refused(word, &why, "Write it in full, or leave it away.")
    }

    fn refused(&self, word: &str, why: &str, hint: &str) -> Refused {
        Refused {
            word: word.to_owned(),
            why: why.to_owned(),
            hint: match hint {
                "" => "Leave it away.".to_owned(),
                hint => hint.to_owned(),
            },
        }
    }
}

/// Whether psql would read more in a pattern than we do: outside of quotes it knows regular expressions.
fn is_regular(pattern: &str) -> bool {
    let mut quoted = false;
    pattern.chars().any(|c| {
        quoted ^= c == '"';
        !quoted && "[](){}|+^\\".contains(c)
    })
}

fn switched(value: &str) -> Option<bool> {
    match value.to_lowercase().as_str() {
        "1" | "true" | "on" => Some(true),
        "0" | "false" | "off" => Some(false),
        _ => None,
    }
}
