//! What a rung claims is what is found under writers who move money between two schemas.

use std::sync::{Mutex, PoisonError};

use ksnapshot_tests::mysql::bank::{self, Mover};
use ksnapshot_tests::mysql::{Flavour, MySql, Options, Version};

use super::Dumped;

/// What reads everything, and no more.
pub(crate) const READ: &str = "select, show view, trigger, event, execute on *.*";

/// What a managed service lets its first user do, of what a dump asks for: everything but RELOAD.
const MANAGED: &str =
    "select, show view, trigger, event, execute, lock tables, process, replication client on *.*";

/// MySQL, whose rungs are all by locks.
pub(crate) fn by_locks(version: Version, runs: usize) {
    assert_eq!(version.flavour(), Flavour::MySql);
    let server = MySql::start(version).unwrap();
    let all = match version {
        Version::MySql57 => "reload, process, replication client on *.*",
        _ => "reload, process, replication client, backup_admin on *.*",
    };
    let global = ["exact", "global-read-lock"];
    check(&server, runs, "administrator", &[READ, all], global);
    // The right that stands in for RELOAD came with 8.0.23.
    if version == Version::MySql97 {
        let flush = "process, flush_tables on *.*";
        check(&server, runs, "flusher", &[READ, flush], global);
    }
    below(&server, runs);
}

/// MariaDB with a binary log, by which whoever may read has one moment without a lock.
pub(crate) fn by_the_log(version: Version, runs: usize) {
    assert_eq!(version.flavour(), Flavour::MariaDb);
    let server = MySql::start(version).unwrap();
    let log = ["exact", "binary-log"];
    check(&server, runs, "managed", &[MANAGED], log);
    check(&server, runs, "reader", &[READ], log);
}

/// MariaDB without a binary log.
pub(crate) fn without_a_log(version: Version, runs: usize) {
    assert_eq!(version.flavour(), Flavour::MariaDb);
    let server = Options::new(version).without_binlog().start().unwrap();
    let stages = ["exact", "backup-stage"];
    check(
        &server,
        runs,
        "administrator",
        &[READ, "reload on *.*"],
        stages,
    );
    below(&server, runs);
}

/// Without RELOAD.
fn below(server: &MySql, runs: usize) {
    check(
        server,
        runs,
        "managed",
        &[MANAGED],
        ["exact", "table-locks"],
    );
    check(
        server,
        runs,
        "reader",
        &[READ],
        ["single-connection", "one-connection"],
    );
}

/// Dumps the two schemas `runs` times as a new user with these rights, while money moves, and counts it in the copy.
pub(crate) fn check(server: &MySql, runs: usize, user: &str, grants: &[&str], claim: [&str; 2]) {
    static TURNS: [Mutex<()>; 6] = [const { Mutex::new(()) }; 6];
    let version = server.version();
    let copies = MySql::shared(version).unwrap();
    server.create_user(user, grants).unwrap();
    bank::open(server).unwrap();
    // The more readers, the further apart the first and the last would be without a lock. Where there is none, they have to
    // meet at one place of the log, which many may not do while others write.
    let readers = if claim[1] == "binary-log" { "4" } else { "16" };
    let args = [
        "--database",
        bank::SCHEMAS[0],
        "--database",
        bank::SCHEMAS[1],
        "--jobs",
        readers,
    ];
    for run in 0..runs {
        // Not while the copy is made: there it would only take time.
        let mover = Mover::start(server, 2).unwrap();
        let before = mover.moves().unwrap();
        let dumped = Dumped::of(&server.url_as(user, ""), &args);
        let told = format!("{version:?} by {user}, run {run}: {:?}", dumped.run);
        assert_eq!(dumped.claim(), claim, "{told}");
        assert!(mover.moves().unwrap() > before, "nothing moved: {told}");
        mover.stop().unwrap();
        // One server for all copies: what it holds is one copy.
        let _turn = (TURNS[version as usize].lock()).unwrap_or_else(PoisonError::into_inner);
        copies
            .run("drop database if exists bank_a; drop database if exists bank_b")
            .unwrap();
        dumped.load(copies, "");
        if let Err(error) = bank::of_one_moment(copies) {
            panic!("{error:#}: {told}");
        }
    }
    // Nothing of ours stays: no session, and so no lock.
    assert_eq!(server.sessions().unwrap(), 0);
}
