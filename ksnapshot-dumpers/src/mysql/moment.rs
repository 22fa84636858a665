//! One moment for many connections, with the least right that will do: a ladder of rungs, each with its claim.

use std::collections::BTreeMap;

use super::script::TableData;
use super::version::{Flavour, Server};

mod position;
pub(super) mod powers;
mod standing;
mod take;

pub(super) use powers::Powers;
pub(super) use standing::{prepared, standing};
pub(super) use take::{PATIENCE, hold, take, touch};

/// A way to open all readers' transactions at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rung {
    /// MariaDB: every transaction knows where in the binary log it is. They are opened again until all say the same. No lock.
    BinaryLog,
    /// MariaDB: BACKUP STAGE holds definitions back first, and commits while the transactions are opened.
    BackupStage,
    /// MySQL: FLUSH TABLES WITH READ LOCK while the transactions are opened.
    GlobalLock,
    /// LOCK TABLES … READ of all that is dumped while the transactions are opened.
    TableLocks,
    /// One connection, whose transaction is the moment. The parts wait for each other.
    One,
}

impl Rung {
    /// Its name in the manifest.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::BinaryLog => "binary-log",
            Self::BackupStage => "backup-stage",
            Self::GlobalLock => "global-read-lock",
            Self::TableLocks => "table-locks",
            Self::One => "one-connection",
        }
    }
}

/// The rungs to try, the best first; the last one needs nothing.
pub(super) fn rungs(server: Server, powers: &Powers) -> Vec<Rung> {
    let grants = &powers.grants;
    let mut rungs = Vec::new();
    match server.flavour {
        Flavour::MariaDb => {
            if powers.logged {
                rungs.push(Rung::BinaryLog);
            }
            if server.mariadb(10, 5, 0) && grants.may("RELOAD") {
                rungs.push(Rung::BackupStage);
            }
        }
        Flavour::MySql => {}
    }
    if grants.may_somewhere("LOCK TABLES") {
        rungs.push(Rung::TableLocks);
    }
    let flush = server.mysql(8, 0, 23) && grants.may("FLUSH_TABLES");
    if server.flavour == Flavour::MySql && (flush || grants.may("RELOAD")) {
        // Who can't see what others run must not let everybody wait for it.
        let at = if grants.may("PROCESS") {
            0
        } else {
            rungs.len()
        };
        rungs.insert(at, Rung::GlobalLock);
    }
    rungs.push(Rung::One);
    rungs
}

/// Whether `LOCK INSTANCE FOR BACKUP` keeps definitions as they are to the end.
pub(super) fn instance_lock(server: Server, powers: &Powers) -> bool {
    server.mysql(8, 0, 0) && powers.grants.may("BACKUP_ADMIN")
}

/// What held definitions still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    /// A lock, or every reader's own on every table: nothing of what is dumped was changed, or could have been.
    Held,
    /// Nothing: only their comparison at the end tells.
    None,
}

/// What may be claimed. Tables whose engine has no snapshots are read when their turn comes, whatever the rung.
pub(super) fn claim<'t>(
    rung: Rung,
    guard: Guard,
    mut tables: impl Iterator<Item = &'t TableData>,
) -> &'static str {
    if tables.any(|table| !table.transactional()) {
        return "none";
    }
    match (rung, guard) {
        (Rung::One, _) => "single-connection",
        (_, Guard::Held) => "exact",
        (_, Guard::None) => "exact-if-no-ddl",
    }
}

impl TableData {
    /// Its engine shows a transaction the rows of one moment.
    pub(super) fn transactional(&self) -> bool {
        matches!(self.engine.as_str(), "INNODB" | "ROCKSDB" | "TOKUDB")
    }
}

/// Where in the server's own history the moment is.
pub(super) type Position = BTreeMap<String, String>;

#[cfg(test)]
mod tests {
    use super::powers::Grants;
    use super::*;

    fn server(version: &str) -> Server {
        Server::parse(version).expect("a version")
    }

    fn powers(logged: bool, grants: &str) -> Powers {
        Powers {
            grants: Grants::parse([format!("GRANT {grants} TO `u`@`%`").as_str()]),
            logged,
            user: String::new(),
        }
    }

    #[test]
    fn rights_decide_the_rungs() {
        use Rung::*;
        for (version, logged, grants, expected) in [
            (
                "10.11.19-MariaDB",
                true,
                "SELECT ON *.*",
                &[BinaryLog, One][..],
            ),
            (
                "10.11.19-MariaDB",
                false,
                "SELECT, RELOAD ON *.*",
                &[BackupStage, One],
            ),
            (
                "11.8.6-MariaDB",
                true,
                "ALL PRIVILEGES ON *.*",
                &[BinaryLog, BackupStage, TableLocks, One],
            ),
            (
                "10.11.19-MariaDB",
                false,
                "SELECT, LOCK TABLES ON `d`.*",
                &[TableLocks, One],
            ),
            (
                "5.7.22-log",
                false,
                "SELECT, RELOAD ON *.*",
                &[GlobalLock, One],
            ),
            ("8.0.12", false, "FLUSH_TABLES ON *.*", &[One]),
            ("8.0.36", false, "FLUSH_TABLES ON *.*", &[GlobalLock, One]),
            (
                "9.7.4",
                false,
                "SELECT, LOCK TABLES ON *.*",
                &[TableLocks, One],
            ),
            ("9.7.4", false, "SELECT ON `d`.*", &[One]),
        ] {
            let found = rungs(server(version), &powers(logged, grants));
            assert_eq!(found, expected, "{version} {grants}");
        }
        assert!(instance_lock(
            server("8.0.12"),
            &powers(false, "BACKUP_ADMIN ON *.*")
        ));
        assert!(!instance_lock(
            server("5.7.22"),
            &powers(false, "ALL PRIVILEGES ON *.*")
        ));
        assert!(!instance_lock(
            server("11.8.6-MariaDB"),
            &powers(false, "ALL PRIVILEGES ON *.*")
        ));
    }

    #[test]
    fn a_claim_is_as_strong_as_its_weakest_table() {
        let table = |engine: &str| TableData {
            item: 0,
            database: "d".into(),
            name: "t".into(),
            columns: Vec::new(),
            keys: Vec::new(),
            partitions: Vec::new(),
            engine: engine.into(),
            versioned: false,
            condition: None,
            bytes: 0,
            rows: 0,
            readable: true,
        };
        let (inno, isam) = (table("INNODB"), table("MYISAM"));
        for (rung, guard, tables, expected) in [
            (Rung::BinaryLog, Guard::Held, vec![&inno], "exact"),
            (
                Rung::TableLocks,
                Guard::None,
                vec![&inno],
                "exact-if-no-ddl",
            ),
            (Rung::One, Guard::Held, vec![&inno], "single-connection"),
            (Rung::GlobalLock, Guard::Held, vec![&inno, &isam], "none"),
            (Rung::GlobalLock, Guard::Held, vec![], "exact"),
        ] {
            assert_eq!(claim(rung, guard, tables.into_iter()), expected);
        }
    }
}
