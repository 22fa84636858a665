//! A standby as source: the primary has no more work from a dump than from its standby.

use std::time::Duration;

use ksnapshot_tests::tools::Key;
use ksnapshot_tests::{Ksnapshot, Options, Postgres, Version, compare, copies, testbed};

#[test]
fn a_standby_is_dumped_like_a_primary() {
    for version in Version::ALL {
        let primary = Postgres::start(version).unwrap();
        let source = primary.create_db("shop").unwrap();
        source.psql_file(&testbed::sql("shop.sql")).unwrap();
        let standby = Options::standby_of(&primary).unwrap().start().unwrap();
        // What is written after the copy was made has come through the log.
        source.psql("create table late as select generate_series(1, 1000) n; create sequence late_number").unwrap();
        let behind = standby.db("shop");
        let there = || {
            Ok((behind
                .psql("select to_regclass('public.late_number')")
                .unwrap()
                == "late_number")
                .then_some(()))
        };
        testbed::until(Duration::from_secs(60), "the standby to be as far", there).unwrap();
        assert_eq!(behind.psql("select pg_is_in_recovery()").unwrap(), "t");

        let twin = copies::twin(&source).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let key = Key::generate().unwrap();
        let dump = Ksnapshot::new([
            "dump",
            &behind.url(),
            "--recipient",
            key.recipient(),
            "--to",
        ]);
        dump.arg(folder.path())
            .password()
            .run()
            .unwrap()
            .success()
            .unwrap();
        let ours = primary.fresh_db("ours").unwrap();
        let restore = Ksnapshot::new(["restore", "--into", &ours.url(), "--identity"]);
        let restore = restore.arg(key.identity()).arg(folder.path()).password();
        restore.run().unwrap().success().unwrap();
        compare::same(&twin, &ours).unwrap();

        // It can't be written to, which is said as such.
        let restore = Ksnapshot::new([
            "restore",
            "--into",
            &standby.url("shop"),
            "--clean",
            "--identity",
        ]);
        let refused = restore
            .arg(key.identity())
            .arg(folder.path())
            .password()
            .run()
            .unwrap();
        assert_ne!(refused.code(), Some(0), "{refused:?}");
        assert!(refused.stderr.contains("read-only"), "{refused:?}");
    }
}
