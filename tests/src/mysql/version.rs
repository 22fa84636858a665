//! Which servers there are.

use std::path::PathBuf;

use anyhow::Result;

use crate::testbed;

/// The two families.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// Oracle's.
    MySql,
    /// MariaDB.
    MariaDb,
}

impl Flavour {
    /// The scheme of its URLs, and its name in paths of snapshots.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::MySql => "mysql",
            Self::MariaDb => "mariadb",
        }
    }
}

/// Which server, oldest first in each family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// MySQL 5.7.
    MySql57,
    /// MySQL 8.0.
    MySql80,
    /// MySQL 9.7.
    MySql97,
    /// MariaDB 10.5.
    MariaDb105,
    /// MariaDB 10.11.
    MariaDb1011,
    /// MariaDB 11.8.
    MariaDb118,
}

impl Version {
    /// Every server that long tests run on.
    pub const ALL: [Self; 6] = [
        Self::MySql57,
        Self::MySql80,
        Self::MySql97,
        Self::MariaDb105,
        Self::MariaDb1011,
        Self::MariaDb118,
    ];

    /// One of each family, for every test.
    pub const NEWEST: [Self; 2] = [Self::MySql97, Self::MariaDb118];

    /// Whose it is.
    pub fn flavour(self) -> Flavour {
        match self {
            Self::MySql57 | Self::MySql80 | Self::MySql97 => Flavour::MySql,
            Self::MariaDb105 | Self::MariaDb1011 | Self::MariaDb118 => Flavour::MariaDb,
        }
    }

    /// Its name in the testbed, and of its variants of fixtures.
    pub fn name(self) -> &'static str {
        match self {
            Self::MySql57 => "mysql57",
            Self::MySql80 => "mysql80",
            Self::MySql97 => "mysql97",
            Self::MariaDb105 => "mariadb105",
            Self::MariaDb1011 => "mariadb1011",
            Self::MariaDb118 => "mariadb118",
        }
    }

    /// How its version begins.
    pub fn number(self) -> &'static str {
        match self {
            Self::MySql57 => "5.7.",
            Self::MySql80 => "8.0.",
            Self::MySql97 => "9.7.",
            Self::MariaDb105 => "10.5.",
            Self::MariaDb1011 => "10.11.",
            Self::MariaDb118 => "11.8.",
        }
    }

    /// The folder it was unpacked to, which is the root of its servers.
    pub(super) fn root(self) -> Result<PathBuf> {
        let root = testbed::home()?.join("roots").join(self.name());
        testbed::require(&root.join("my/template/mysql"))?;
        Ok(root)
    }

    /// A stock client that can log in to it: `mysql`, `mysqldump`.
    pub fn client(self, name: &str) -> Result<PathBuf> {
        let client = self.root()?.join("clients").join(name);
        testbed::require(&client)?;
        Ok(client)
    }

    /// The server's program, as its root sees it.
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::MySql57 | Self::MySql80 => "/mysql/bin/mysqld",
            Self::MySql97 => "/usr/sbin/mysqld",
            Self::MariaDb105 | Self::MariaDb1011 | Self::MariaDb118 => "/usr/sbin/mariadbd",
        }
    }

    /// What this server's program wants to be told, as in `tests/testbed/mysql-lib.sh`.
    pub(super) fn own(self) -> &'static [&'static str] {
        match self {
            Self::MySql57 => &["--basedir=/mysql", "--secure-file-priv="],
            // X would listen on a port of its own.
            Self::MySql80 => &["--basedir=/mysql", "--secure-file-priv=", "--mysqlx=0"],
            Self::MySql97 => &["--secure-file-priv=", "--mysqlx=0"],
            Self::MariaDb105 | Self::MariaDb1011 | Self::MariaDb118 => &[],
        }
    }
}
