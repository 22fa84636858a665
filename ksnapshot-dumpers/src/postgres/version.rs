//! Which server is at the other end.

use serde::{Deserialize, Serialize};

/// A server's version as `server_version_num` tells it: 150018 is 15.18.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ServerVersion(pub(crate) u32);

impl ServerVersion {
    /// The number that people mean by "the version".
    pub(crate) fn major(self) -> u32 {
        self.0 / 10_000
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
    fn a_minor_version_does_not_count() {
        let version = ServerVersion(150_018);
        assert!(version.at_least(15) && !version.at_least(16));
        assert_eq!(
            (version.since(15, "a", "b"), version.since(16, "a", "b")),
            ("a", "b")
        );
    }
}
