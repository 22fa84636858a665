//! What a dump by this user would reach, and what it lacks for more. Takes no lock.

use std::collections::BTreeMap;

use ksnapshot_core::{
    Consistency, Cx, Event, MissingRight, Preflight, ProblemKind, Result, SourceInfo,
};

use super::connect::{MySql, version};
use super::moment::{self, Guard, Powers, Rung, claim, powers, rungs};
use super::session::{leave, problems};
use super::settle::settle;
use super::version::{Flavour, Server};
use super::{catalog, ddl};

/// Asks the server what this user may do, and reads definitions.
pub(super) async fn preflight(source: &MySql, cx: &Cx) -> Result<Preflight> {
    let mut connection = source.connect().await?;
    let (server, server_version) = version(&mut connection).await?;
    settle(&mut connection, server).await?;
    let powers = powers::read(&mut connection, server).await?;
    let catalog = catalog::read(&mut connection, server, &source.scope()).await?;
    leave([connection]).await;
    let script = ddl::script(&catalog);
    let rung = rungs(server, &powers)[0];
    let tables = script.objects.iter().flat_map(|object| &object.tables);
    let claim = claim(rung, Guard::Held, tables);
    let problems = problems(&script, |table| table.readable);
    for problem in &problems {
        cx.emit(&Event::Problem(problem));
    }
    let hidden = problems
        .iter()
        .filter(|p| p.kind == ProblemKind::Unreadable)
        .count();
    Ok(Preflight {
        source: SourceInfo {
            kind: server.flavour.kind().into(),
            server_version,
        },
        consistency: Consistency {
            claim: claim.into(),
            position: BTreeMap::from([("rung".to_owned(), rung.name().to_owned())]),
        },
        missing: missing(server, &powers, rung, hidden),
        problems,
    })
}

/// Rights that would add something, the most useful first. Pure.
fn missing(server: Server, powers: &Powers, rung: Rung, hidden: usize) -> Vec<MissingRight> {
    let grants = &powers.grants;
    let mut missing = Vec::new();
    let mut add = |right: &str, adds: String| {
        missing.push(MissingRight {
            right: right.to_owned(),
            adds,
            grant: format!("GRANT {right} ON *.* TO {}", powers.user),
        });
    };
    if hidden > 0 {
        let rights = if server.mysql(8, 0, 20) {
            "SELECT, SHOW VIEW, TRIGGER, EVENT, SHOW_ROUTINE"
        } else {
            "SELECT, SHOW VIEW, TRIGGER, EVENT"
        };
        add(
            rights,
            format!("{hidden} of the objects that this user can't read"),
        );
    }
    let parallel = "several readers at one moment; without it one connection reads everything";
    let global = match server.flavour {
        // Without a lock, which is better.
        Flavour::MariaDb => rung != Rung::BinaryLog,
        Flavour::MySql => true,
    };
    if global && !grants.may("RELOAD") && !(server.mysql(8, 0, 23) && grants.may("FLUSH_TABLES")) {
        let adds = if rung == Rung::One {
            parallel.to_owned()
        } else {
            "one short lock of the whole server instead of one on each table".to_owned()
        };
        add("RELOAD", adds);
    }
    if rung == Rung::One && !grants.may_somewhere("LOCK TABLES") {
        add("LOCK TABLES", parallel.to_owned());
    }
    if server.mysql(8, 0, 0) && !moment::instance_lock(server, powers) {
        add(
            "BACKUP_ADMIN",
            "a lock that keeps ALTER and the like away during the dump".to_owned(),
        );
    }
    let position = match server.flavour {
        Flavour::MySql => "REPLICATION CLIENT",
        Flavour::MariaDb => "BINLOG MONITOR",
    };
    let known = match server.flavour {
        // Every transaction knows it by itself; the name has an older form.
        Flavour::MariaDb => true,
        Flavour::MySql => {
            grants.may("BACKUP_ADMIN") && server.mysql(8, 0, 11) || grants.may(position)
        }
    };
    if !known && rung != Rung::One {
        add(
            position,
            "the place in the binary log, for recovery to a later time".to_owned(),
        );
    }
    if server.flavour == Flavour::MySql && grants.may("RELOAD") && !grants.may("PROCESS") {
        add(
            "PROCESS",
            "a look for long statements, on which a lock would make everybody wait".to_owned(),
        );
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_follows_from_what_is_there() {
        let rights = |version: &str, logged: bool, grants: &str, hidden: usize| {
            let server = Server::parse(version).expect("a version");
            let powers = Powers::new(logged, &[&format!("GRANT {grants} TO `u`@`%`")], "'u'@'%'");
            let found = missing(server, &powers, rungs(server, &powers)[0], hidden);
            found
                .into_iter()
                .map(|m| m.right)
                .collect::<Vec<_>>()
                .join("; ")
        };
        for (version, logged, grants, hidden, expected) in [
            ("9.7.4", false, "ALL PRIVILEGES ON *.*", 0, ""),
            (
                "9.7.4",
                false,
                "SELECT ON *.*",
                0,
                "RELOAD; LOCK TABLES; BACKUP_ADMIN",
            ),
            (
                "9.7.4",
                false,
                "SELECT, LOCK TABLES ON *.*",
                1,
                "SELECT, SHOW VIEW, TRIGGER, EVENT, SHOW_ROUTINE; RELOAD; BACKUP_ADMIN; REPLICATION CLIENT",
            ),
            (
                "5.7.22",
                false,
                "RELOAD ON *.*",
                0,
                "REPLICATION CLIENT; PROCESS",
            ),
            ("11.8.6-MariaDB", true, "SELECT ON *.*", 0, ""),
            (
                "11.8.6-MariaDB",
                false,
                "SELECT ON *.*",
                0,
                "RELOAD; LOCK TABLES",
            ),
        ] {
            assert_eq!(
                rights(version, logged, grants, hidden),
                expected,
                "{version} {grants}"
            );
        }
        let server = Server::parse("5.7.22").expect("a version");
        let powers = Powers::new(false, &[], "'it''s'@'%'");
        assert_eq!(
            missing(server, &powers, Rung::One, 0)[0].grant,
            "GRANT RELOAD ON *.* TO 'it''s'@'%'"
        );
    }
}
