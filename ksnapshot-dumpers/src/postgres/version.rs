//! Which server is at the other end.

use ksnapshot_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// The oldest and the newest major version that are read whole.
const KNOWN: std::ops::RangeInclusive<u32> = 12..=18;

/// A server's version as `server_version_num` tells it: 150018 is 15.18.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ServerVersion(pub(crate) u32);

impl ServerVersion {
    /// The number that people mean by "the version".
    pub(crate) fn major(self) -> u32 {
        self.0 / 10_000
    }

    /// Refuses what is not known to be read whole; a newer one is read all the same when `forced`, with a warning.
    pub(super) fn dumpable(self, text: &str, forced: bool) -> Result<Option<String>> {
        let (oldest, newest) = KNOWN.into_inner();
        let newer = self.major() > newest;
        let told = format!("server version {text}: {oldest} to {newest} are known");
        match (KNOWN.contains(&self.major()), newer && forced) {
            (true, _) => Ok(None),
            (_, true) => Ok(Some(format!(
                "{told}; what is new in it may be missing from the dump"
            ))),
            _ => Err(Error::new(ErrorKind::Failed, told).hint(match newer {
                true => "Use a newer ksnapshot, or pass --force to dump what this one knows of.",
                false => "Dump it with the pg_dump of its own version.",
            })),
        }
    }

    /// Whether it is of this major version or a newer one.
    pub(crate) fn at_least(self, major: u32) -> bool {
        self.major() >= major
    }

    /// `expression` where the server has what it names, else `otherwise`: catalogs grow columns by major version.
    pub(crate) fn since<'a>(self, major: u32, expression: &'a str, otherwise: &'a str) -> &'a str {
        if self.at_least(major) {
            expression
        } else {
            otherwise
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_refused() {
        for known in [120_000, 180_099] {
            assert!(
                ServerVersion(known)
                    .dumpable("", false)
                    .is_ok_and(|told| told.is_none())
            );
        }
        for unknown in [110_022, 190_001] {
            assert!(ServerVersion(unknown).dumpable("", false).is_err());
        }
        let forced = |version| ServerVersion(version).dumpable("19beta1", true);
        assert!(
            forced(190_000).is_ok_and(|told| told.is_some_and(|told| told.contains("19beta1")))
        );
        assert!(forced(110_022).is_err());
    }

    #[test]
    fn a_minor_version_does_not_count() {
        let version = ServerVersion(150_018);
        assert!(version.at_least(15) && !version.at_least(16));
        assert_eq!(
            (version.since(15, "a", "b"), version.since(16, "a", "b")),
            ("a", "b")
        );
    }
}
