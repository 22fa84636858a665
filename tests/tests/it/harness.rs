//! The judges are judged: a comparison that can't fail proves nothing.

use std::process::Command;
use std::time::Duration;

use ksnapshot_tests::{Minio, Options, Postgres, Tls, Version, compare, copies, testbed, tools};

#[test]
fn a_copy_by_pg_dump_is_equal_and_each_kind_of_change_is_seen() {
    for version in Version::ALL {
        let server = Postgres::start(version).unwrap();
        let db = server.fresh_db("judged").unwrap();
        db.psql("create table t (n int); insert into t values (1), (2), (2); create sequence s; select lo_from_bytea(0, 'x')")
            .unwrap();
        let twin = copies::twin(&db).unwrap();
        compare::same(&db, &twin).unwrap();

        let differs = |change: &str,
                       judge: fn(
            &ksnapshot_tests::Db<'_>,
            &ksnapshot_tests::Db<'_>,
        ) -> anyhow::Result<()>,
                       revert: &str| {
            twin.psql(change).unwrap();
            judge(&db, &twin).expect_err(change);
            twin.psql(revert).unwrap();
            compare::same(&db, &twin).unwrap();
        };
        differs(
            "alter table t add check (n > 0)",
            compare::schema,
            "alter table t drop constraint t_n_check",
        );
        differs(
            "insert into t values (1)",
            compare::rows,
            "delete from t where ctid = (select max(ctid) from t)",
        );
        differs(
            "select nextval('s')",
            compare::sequences,
            "select setval('s', 1, false)",
        );
        differs(
            "select lo_put(oid, 0, 'y') from pg_largeobject_metadata",
            compare::large_objects,
            "select lo_put(oid, 0, 'x') from pg_largeobject_metadata",
        );
        differs(
            "comment on table t is 'seen'",
            compare::same,
            "comment on table t is null",
        );
    }
}

#[test]
fn tls_is_offered_required_or_refused() {
    for (tls, mode, expect) in [
        (Tls::Off, "disable", true),
        (Tls::Off, "require", false),
        (Tls::Offered, "disable", true),
        (Tls::Offered, "verify-full", true),
        (Tls::Required, "disable", false),
        (Tls::Required, "verify-full", true),
    ] {
        let server = Options::new(Version::V15).tls(tls).start().unwrap();
        let mut psql = server.client("psql").unwrap();
        psql.env("PGSSLMODE", mode)
            .env("PGSSLROOTCERT", server.ca().unwrap())
            .args(["-Xqc", "select 1"]);
        assert_eq!(
            tools::run(&mut psql).unwrap().code() == Some(0),
            expect,
            "{tls:?} and sslmode={mode}"
        );
    }
}

#[test]
fn a_password_is_asked_for() {
    let server = Postgres::shared(Version::V15).unwrap();
    let mut psql = server.client("psql").unwrap();
    psql.env("PGPASSWORD", "wrong").args(["-Xqc", "select 1"]);
    let run = tools::run(&mut psql).unwrap().exits(2).unwrap();
    assert!(
        run.stderr.contains("password authentication failed"),
        "{run:?}"
    );
}

#[test]
fn a_killed_server_is_gone_at_once() {
    let server = Postgres::start(Version::V18).unwrap();
    server.kill().unwrap();
    assert!(server.psql("postgres", "select 1").is_err());
}

#[test]
fn servers_end_with_whoever_started_them() {
    if let Ok(child) = std::env::var("KSNAPSHOT_TEST_CHILD") {
        // The second process: starts servers, tells their folders, and waits to be killed.
        let (postgres, minio) = (
            Postgres::start(Version::V15).unwrap(),
            Minio::start().unwrap(),
        );
        let ports = format!("{} {}", postgres.port(), minio.port());
        std::fs::write(&child, ports).unwrap();
        testbed::until(Duration::from_secs(60), "to be killed", || Ok(None::<()>)).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let ports = folder.path().join("ports");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "harness::servers_end_with_whoever_started_them"])
        .env("KSNAPSHOT_TEST_CHILD", &ports)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let told = testbed::until(Duration::from_secs(60), "servers", || {
        Ok(std::fs::read_to_string(&ports)
            .ok()
            .filter(|text| text.contains(' ')))
    });
    child.kill().unwrap();
    child.wait().unwrap();
    let told = told.unwrap();
    for port in told.split(' ') {
        let address = format!("127.0.0.1:{port}");
        testbed::until(
            Duration::from_secs(20),
            &format!("the end of the server at {address}"),
            || {
                Ok(std::net::TcpStream::connect(&address)
                    .is_err()
                    .then_some(()))
            },
        )
        .unwrap();
    }
}

#[test]
fn minio_keeps_objects_and_tells_unfinished_uploads() {
    let minio = Minio::start().unwrap();
    minio.bucket("seen").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a-b.c");
    std::fs::write(&file, "content").unwrap();
    minio.put("seen", "x/y-z.txt", &file).unwrap();
    assert_eq!(minio.list("seen").unwrap(), ["x/y-z.txt"]);
    let back = minio.get("seen", "x/y-z.txt", folder.path()).unwrap();
    assert_eq!(std::fs::read_to_string(back).unwrap(), "content");
    minio.delete("seen", "x/y-z.txt").unwrap();
    assert!(minio.list("seen").unwrap().is_empty());

    let begin = "curl -sS --fail -X POST --noproxy '*' --aws-sigv4 aws:amz:us-east-1:s3 --user testkey:testsecret123 \"$1/seen/big?uploads=\" | sed -n 's/.*<UploadId>\\(.*\\)<.UploadId>.*/\\1/p'";
    let endpoint = minio.endpoint();
    let run = tools::run(&mut tools::bash(begin, &[endpoint.as_ref()]))
        .unwrap()
        .success()
        .unwrap();
    assert_eq!(minio.uploads().unwrap(), 1, "{run:?}");
    let abort = "curl -sS --fail -X DELETE --noproxy '*' --aws-sigv4 aws:amz:us-east-1:s3 --user testkey:testsecret123 \"$1/seen/big?uploadId=$2\"";
    tools::run(&mut tools::bash(
        abort,
        &[endpoint.as_ref(), run.text().trim().as_ref()],
    ))
    .unwrap()
    .success()
    .unwrap();
    assert_eq!(minio.uploads().unwrap(), 0);
}

#[test]
fn every_source_of_the_tests_can_be_copied_by_pg_dump() {
    for version in Version::ALL {
        let server = Postgres::shared(version).unwrap();
        for name in ["shop", "mixed"] {
            let db = server.fresh_db(name).unwrap();
            db.psql_file(&testbed::sql(&format!("{name}.sql"))).unwrap();
            compare::same(&db, &copies::twin(&db).unwrap()).unwrap();
        }
        let tpch = Postgres::shared_tpch(version).unwrap().db("tpch");
        compare::same(&tpch, &copies::twin(&tpch).unwrap()).unwrap();
    }
}
