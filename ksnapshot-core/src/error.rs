//! One error for the whole engine: its kind decides the exit code, its hint says what to do next.

use std::fmt;

/// What every fallible call of the engine returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as far as a caller has to tell cases apart. Decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Anything without a kind of its own.
    Failed,
    /// The caller asked for something that makes no sense: a bad recipient, an unknown option.
    Usage,
    /// A restore would have overwritten something.
    TargetNotEmpty,
    /// The snapshot was written by a newer ksnapshot.
    NewerFormat,
    /// The server understood a statement and refused it; the session goes on.
    Refused,
    /// The server ended a statement in favour of another one; trying again may help.
    Conflict,
    /// The consistent view of the source is gone, though the source is there: a dump that begins anew may reach its end.
    ViewLost,
    /// No object under this key.
    NotFound,
    /// An object under this key exists already.
    AlreadyExists,
    /// No such snapshot, or a storage without any.
    NoSuchSnapshot,
    /// The identity is missing or opens nothing.
    Identity,
    /// The source or target can't be reached, refuses the login, or went away.
    Server,
    /// The same for the storage.
    Storage,
    /// Stored bytes are not what was written.
    Corrupt,
    /// The caller cancelled.
    Cancelled,
}

impl ErrorKind {
    /// The process exit code that belongs to this kind; the table is part of the command line's contract.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Failed
            | Self::TargetNotEmpty
            | Self::NewerFormat
            | Self::Refused
            | Self::Conflict
            | Self::AlreadyExists => 1,
            Self::Usage => 2,
            Self::NoSuchSnapshot => 10,
            Self::Identity => 12,
            Self::Server | Self::ViewLost => 13,
            Self::Storage | Self::NotFound => 14,
            Self::Corrupt => 15,
            Self::Cancelled => 130,
        }
    }
}

/// An error that names its object and advises.
///
/// `{}` prints the message with its context, `{:#}` adds the chain of causes. The hint is printed apart.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    context: Vec<String>,
    hint: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind`. The message is lower case, has no full stop and names the object.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            context: Vec::new(),
            hint: None,
            source: None,
        }))
    }

    /// What the reader can do about it, as a full sentence. The innermost hint stays.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint.get_or_insert(hint.into());
        self
    }

    /// More advice after what there is: what the caller knows must be told, whatever the cause advises.
    #[must_use]
    pub fn further_hint(mut self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        self.0.hint = Some(match self.0.hint.take() {
            Some(first) => format!("{first} {hint}"),
            None => hint,
        });
        self
    }

    /// Puts the name of the object that was being worked on before the message.
    #[must_use]
    pub fn context(mut self, context: impl Into<String>) -> Self {
        self.0.context.push(context.into());
        self
    }

    /// The cause, printed after the message by `{:#}`.
    #[must_use]
    pub fn source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same error as another kind, for the caller that knows better what it means.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Decides the exit code.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The advice, if there is any.
    pub fn advice(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Shorthand for the error that every cancelled call returns.
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "cancelled").hint("Run it again when it suits.")
    }

    /// Shorthand for bytes that are not what was written.
    pub fn corrupt(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, message)
            .hint("Restore another snapshot, and find out what changed the stored object.")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for context in self.0.context.iter().rev() {
            write!(f, "{context}: ")?;
        }
        f.write_str(&self.0.message)?;
        if f.alternate() {
            let mut cause = self
                .0
                .source
                .as_deref()
                .map(|e| e as &dyn std::error::Error);
            let mut printed = self.0.message.clone();
            while let Some(error) = cause {
                let text = error.to_string();
                // Many libraries repeat their cause in their own text; once is enough.
                if !printed.contains(&text) {
                    write!(f, ": {text}")?;
                    printed = text;
                }
                cause = error.source();
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self:#}", self.0.kind)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|e| e as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_reads_from_the_outside_in_and_the_innermost_hint_stays() {
        let error = Error::new(ErrorKind::Server, "connection lost")
            .hint("Look at the server's log.")
            .context("table public.orders")
            .context("dump")
            .hint("Never seen.")
            .source(std::io::Error::other("broken pipe"));
        assert_eq!(
            error.to_string(),
            "dump: table public.orders: connection lost"
        );
        assert_eq!(
            format!("{error:#}"),
            "dump: table public.orders: connection lost: broken pipe"
        );
        assert_eq!(error.advice(), Some("Look at the server's log."));
        assert_eq!(error.kind().exit_code(), 13);
        assert_eq!(
            error.further_hint("Try again.").advice(),
            Some("Look at the server's log. Try again.")
        );
    }
}
