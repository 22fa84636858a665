//! Variables, and what is wrong with them.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{Span, SpanRelativeTo};
use ksnapshot_core::{Error, ErrorKind, Formats, Result};

use crate::names::job as name;
use crate::report::Task;

/// The environment of a Job.
#[derive(Clone, Copy)]
pub(super) struct Environment<'a>(pub(super) &'a BTreeMap<String, String>);

/// Something is wrong with a variable.
pub(super) fn wrong(
    variable: &str,
    what: impl std::fmt::Display,
    hint: impl Into<String>,
) -> Error {
    Error::new(ErrorKind::Usage, format!("{variable}: {what}")).hint(hint)
}

impl<'a> Environment<'a> {
    /// The value; an empty one is none.
    pub(super) fn get(&self, variable: &str) -> Option<&'a str> {
        let value = self.0.get(variable)?.as_str();
        (!value.is_empty()).then_some(value)
    }

    pub(super) fn required(&self, variable: &str, hint: &str) -> Result<&'a str> {
        self.get(variable)
            .ok_or_else(|| wrong(variable, "not set", hint))
    }

    /// What stands between commas; those of double quotes divide nothing.
    pub(super) fn list(&self, variable: &str) -> Vec<&'a str> {
        let mut quoted = false;
        let divides = move |c: char| {
            quoted ^= c == '"';
            c == ',' && !quoted
        };
        (self.get(variable).unwrap_or_default().split(divides))
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .collect()
    }

    /// Names between commas or spaces.
    pub(super) fn names(&self, variable: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let text = self.get(variable).unwrap_or_default();
        text.split(|c: char| c == ',' || c.is_whitespace())
            .filter(|name| !name.is_empty())
    }

    pub(super) fn task(&self) -> Result<Task> {
        match self.get(name::KSNAPSHOT_TASK) {
            None | Some("dump") => Ok(Task::Dump),
            Some("prune") => Ok(Task::Prune),
            Some(other) => Err(wrong(
                name::KSNAPSHOT_TASK,
                format_args!("{other:?} is no task"),
                "Set it to dump or prune.",
            )),
        }
    }

    /// Codec and level: what the first ksnapshot wrote, unless told otherwise.
    pub(super) fn compression(&self) -> Result<&'a str> {
        let text = self.get(name::KSNAPSHOT_COMPRESSION).unwrap_or("gzip:6");
        (Formats::default().compressor(text))
            .map_err(|error| error.context(name::KSNAPSHOT_COMPRESSION))?;
        Ok(text)
    }

    /// For whom the snapshot is sealed; nobody if it isn't.
    pub(super) fn recipients(&self) -> Result<impl Iterator<Item = &'a str> + use<'a>> {
        let on = match self.get(name::ENCRYPTION_ENABLED) {
            Some("true") => true,
            None | Some("false") => false,
            // Taken for no, it would store in the clear what somebody meant to be sealed.
            Some(other) => {
                return Err(wrong(
                    name::ENCRYPTION_ENABLED,
                    format_args!("{other:?} is neither true nor false"),
                    "Set it to true, in small letters, to encrypt, or to false.",
                ));
            }
        };
        let given: Vec<&str> = match on {
            true => self.names(name::ENCRYPTION_RECIPIENT).collect(),
            false => Vec::new(),
        };
        if on && given.is_empty() {
            return Err(wrong(
                name::ENCRYPTION_RECIPIENT,
                format_args!("not set, but {} is true", name::ENCRYPTION_ENABLED),
                "Set it to a public key of age, age1…; `ksnapshot keygen` makes a pair.",
            ));
        }
        let owned: Vec<String> = given
            .iter()
            .map(|&recipient| recipient.to_owned())
            .collect();
        (Formats::default().encryptor(&owned))
            .map_err(|error| error.context(name::ENCRYPTION_RECIPIENT))?;
        Ok(given.into_iter())
    }

    /// Whether the stored bytes are read back.
    pub(super) fn verify(&self) -> Result<bool> {
        match self.get(name::KSNAPSHOT_VERIFY) {
            None | Some("none") => Ok(false),
            Some("checksum") => Ok(true),
            Some(level @ ("decode" | "restore")) => Err(wrong(
                name::KSNAPSHOT_VERIFY,
                format_args!("{level} needs the secret key, which a Job has not"),
                format!(
                    "Set it to checksum, and run `ksnapshot verify --level {level}` where the key is."
                ),
            )),
            Some(other) => Err(wrong(
                name::KSNAPSHOT_VERIFY,
                format_args!("{other:?} is no level"),
                "Set it to none or checksum.",
            )),
        }
    }

    /// The wait is below this.
    pub(super) fn jitter(&self) -> Result<Duration> {
        let Some(text) = self.get(name::KSNAPSHOT_JITTER) else {
            return Ok(Duration::ZERO);
        };
        duration(text).ok_or_else(|| {
            wrong(
                name::KSNAPSHOT_JITTER,
                format_args!("{text:?} is no duration"),
                "Write it in hours, minutes and seconds, such as 10m or 1h 30m.",
            )
        })
    }

    /// A port, that of the kind of server unless given.
    pub(super) fn port(&self, variable: &str, usual: u16) -> Result<u16> {
        let Some(text) = self.get(variable) else {
            return Ok(usual);
        };
        if let Some(port) = text.parse().ok().filter(|&port: &u16| port > 0) {
            return Ok(port);
        }
        let hint = if text.starts_with("tcp://") {
            "Kubernetes sets it so for a Service of that name: set enableServiceLinks to false, or the variable to a number."
        } else {
            "Set it to a number from 1 to 65535, or leave it away."
        };
        Err(wrong(variable, "not the number of a port", hint))
    }
}

/// Days have 24 hours; months and years have no length of their own.
pub(super) fn duration(text: &str) -> Option<Duration> {
    (text.parse::<Span>())
        .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
}
