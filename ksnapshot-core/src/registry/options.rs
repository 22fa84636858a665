//! What a person asks for beside the URL.

use std::any::Any;

use crate::{Error, ErrorKind, Result};

/// Options by their type: an engine takes those that it knows, and what nobody took is refused. So each engine can have
/// options of its own, and none is ignored in silence.
#[derive(Debug, Default)]
pub struct Options(Vec<Given>);

#[derive(Debug)]
struct Given {
    /// As the person wrote them.
    words: String,
    value: Box<dyn Any + Send + Sync>,
}

impl Options {
    /// Asks for `value`, which a person does by `words`: `--index or --hidden`. The default of a type asks for nothing.
    #[must_use]
    pub fn with<T>(mut self, words: &str, value: T) -> Self
    where
        T: Any + Default + PartialEq + Send + Sync,
    {
        if value != T::default() {
            self.0.push(Given {
                words: words.to_owned(),
                value: Box::new(value),
            });
        }
        self
    }

    /// Takes what was asked for; the default when nothing was.
    pub fn take<T: Any + Default>(&mut self) -> T {
        let found = self.0.iter().position(|given| given.value.is::<T>());
        let taken = found.map(|at| self.0.remove(at).value.downcast());
        taken.and_then(Result::ok).map_or_else(T::default, |v| *v)
    }

    /// Refuses what is left.
    pub(super) fn all_taken(self, scheme: &str) -> Result<()> {
        match self.0.first() {
            None => Ok(()),
            Some(given) => Err(Error::new(
                ErrorKind::Usage,
                format!("{scheme}: takes no {}", given.words),
            )
            .hint("That is for others: leave it away.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_taken_by_those_who_know_them() {
        let mut options = Options::default()
            .with("--number", 7_u32)
            .with("--name", String::new());
        assert_eq!(options.take::<String>(), "");
        assert_eq!(options.take::<u32>(), 7);
        assert_eq!(options.take::<u32>(), 0);
        assert!(options.all_taken("x").is_ok());
    }

    #[test]
    fn what_nobody_takes_is_refused() {
        let options = Options::default().with("--number", 7_u32);
        let error = options.all_taken("sqlite").expect_err("left over");
        assert_eq!(error.to_string(), "sqlite: takes no --number");
    }
}
