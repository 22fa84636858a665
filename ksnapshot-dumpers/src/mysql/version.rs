//! Which server is at the other end.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The two families that one protocol joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Flavour {
    /// Oracle's, and Percona's, which behaves alike.
    MySql,
    /// MariaDB.
    MariaDb,
}

impl Flavour {
    /// The type in names and manifests.
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::MySql => "mysql",
            Self::MariaDb => "mariadb",
        }
    }
}

/// A server's flavour and version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Server {
    pub(crate) flavour: Flavour,
    pub(crate) major: u16,
    pub(crate) minor: u16,
    pub(crate) patch: u16,
}

impl Server {
    /// Reads what `SELECT VERSION()` answers: `8.0.12`, `5.7.22-log`, `10.11.19-MariaDB-deb12`, `5.5.5-10.5.23-MariaDB`.
    pub(crate) fn parse(version: &str) -> Option<Self> {
        let flavour = if version.contains("MariaDB") {
            Flavour::MariaDb
        } else {
            Flavour::MySql
        };
        // Old clients could not stand a first number of two digits, so MariaDB hid it.
        let numbers = match flavour {
            Flavour::MariaDb => version.strip_prefix("5.5.5-").unwrap_or(version),
            Flavour::MySql => version,
        };
        let mut parts = numbers.splitn(3, '.');
        let mut next = || {
            let part = parts.next()?;
            let digits = part
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(part.len());
            part[..digits].parse().ok()
        };
        Some(Self {
            flavour,
            major: next()?,
            minor: next()?,
            patch: next()?,
        })
    }

    /// A MySQL of this version or newer.
    pub(crate) fn mysql(self, major: u16, minor: u16, patch: u16) -> bool {
        self.flavour == Flavour::MySql && self.at_least(major, minor, patch)
    }

    /// A MariaDB of this version or newer.
    pub(crate) fn mariadb(self, major: u16, minor: u16, patch: u16) -> bool {
        self.flavour == Flavour::MariaDb && self.at_least(major, minor, patch)
    }

    fn at_least(self, major: u16, minor: u16, patch: u16) -> bool {
        (self.major, self.minor, self.patch) >= (major, minor, patch)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.flavour {
            Flavour::MySql => "MySQL",
            Flavour::MariaDb => "MariaDB",
        };
        write!(f, "{name} {}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_servers_write_them() {
        let server = |flavour, major, minor, patch| {
            Some(Server {
                flavour,
                major,
                minor,
                patch,
            })
        };
        for (text, expected) in [
            ("5.7.22-log", server(Flavour::MySql, 5, 7, 22)),
            ("9.7.4", server(Flavour::MySql, 9, 7, 4)),
            (
                "10.11.19-MariaDB-0+deb12u1-log",
                server(Flavour::MariaDb, 10, 11, 19),
            ),
            ("5.5.5-10.5.23-MariaDB", server(Flavour::MariaDb, 10, 5, 23)),
            ("eight", None),
        ] {
            assert_eq!(Server::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn flavours_do_not_mix() {
        let eleven = Server::parse("11.8.6-MariaDB").expect("a version");
        assert!(eleven.mariadb(10, 11, 0) && !eleven.mysql(8, 0, 0) && !eleven.mariadb(11, 9, 0));
    }
}
