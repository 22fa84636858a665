//! Each kind of server, as the first ksnapshot was told of it; opened and restored by stock tools alone.

use ksnapshot_tests::elastic::{self, Elastic};
use ksnapshot_tests::mysql::{self, MySql};
use ksnapshot_tests::{compare, mysql::compare as mysql_compare};

use super::*;

#[test]
fn postgresql_comes_back_by_hand() {
    let (shop, key) = (shop(), Key::generate().unwrap());
    let job = Job::of_postgres(&shop, server().port())
        .set("BACKEND_PATH", "clusters/one")
        .set("KSNAPSHOT_NAME", "shop.statefulset.db")
        .set(
            "PG_DUMP_OPTIONS",
            "--no-password --format=plain --encoding UTF8",
        )
        .set("ENCRYPTION_ENABLED", "true")
        .set("ENCRYPTION_RECIPIENT", key.recipient())
        .set("KSNAPSHOT_VERIFY", "checksum");
    let (run, report) = job.run(0);
    let objects = job.objects();
    assert_eq!(objects.len(), 3, "{objects:?}");
    for object in &objects {
        assert!(
            in_a_folder_of_a_day(object, "clusters/one", "postgresql"),
            "{object}"
        );
        let begin = format!("dump-shop.statefulset.db-{}-", shop.name);
        assert!(object.contains(&begin), "{object}");
    }
    let copy = server().fresh_db("job_copy").unwrap();
    tools::restore_by_hand(&job.object(".sql.gz.age"), Some(&key), &copy).unwrap();
    compare::same(&shop, &copy).unwrap();

    assert_eq!(
        (&report["outcome"], &report["task"]),
        (&"complete".into(), &"dump".into())
    );
    assert_eq!(report["verified"], "checksum");
    let snapshot = &report["snapshots"][0];
    assert_eq!(snapshot["database"], shop.name);
    let id = snapshot["id"].as_str().unwrap();
    assert!(
        objects.iter().all(|object| object.contains(id)),
        "{id}: {objects:?}"
    );
    assert!(
        snapshot["rows"].as_u64() > Some(40_000) && snapshot["storedBytes"].as_u64() > Some(1000)
    );
    // The words come first, and could be run again.
    let first = run.stderr.lines().next().unwrap();
    let words = format!(
        "running: ksnapshot dump postgresql://postgres@127.0.0.1:{}/{} ",
        server().port(),
        shop.name
    );
    assert!(first.starts_with(&words), "{first}");
    assert!(run.stderr.contains("\nverified: snapshot "), "{run:?}");
    copy.drop().unwrap();
}

#[test]
fn mysql_and_mariadb_come_back_by_hand() {
    for version in mysql::Version::NEWEST {
        let server = MySql::shared(version).unwrap();
        let kind = version.flavour().scheme();
        let db = server.fresh_db("job").unwrap();
        db.run(
            "create table orders (id int primary key auto_increment, note text, raw varbinary(20));
             insert into orders (note, raw) values ('first é', x'00ff'), ('it''s', null);
             create table logs (id int primary key); insert into logs values (1);
             create trigger t before insert on orders for each row set new.note = upper(new.note);",
        )
        .unwrap();
        let key = Key::generate().unwrap();
        let job = Job::new()
            .set("MYSQL_HOST", "127.0.0.1")
            .set("MYSQL_PORT", server.port().to_string())
            .set("MYSQL_USER", "root")
            .set("MYSQL_PASSWORD", PASSWORD)
            .set("MYSQL_DATABASE", &db.name)
            .set(
                "MYSQLDUMP_OPTIONS",
                format!(
                    "--no-tablespaces --single-transaction --ignore-table={}.logs",
                    db.name
                ),
            )
            .set("ENCRYPTION_ENABLED", "true")
            .set("ENCRYPTION_RECIPIENT", key.recipient());
        // Without a type the host that is set tells; the server, what it is.
        let job = match kind {
            "mysql" => job,
            kind => job.set("KSNAPSHOT_TYPE", kind),
        };
        let (_, report) = job.run(0);
        assert_eq!(report["snapshots"][0]["rows"], 2, "{report}");
        assert_eq!(report["snapshots"][0]["database"], db.name);
        for object in job.objects() {
            assert!(in_a_folder_of_a_day(&object, "ksnapshot", kind), "{object}");
        }
        let copy = server.fresh_db("job_copy").unwrap();
        let script = "age -d -i \"$1\" \"$2\" | gunzip | mysql --defaults-file=\"$CNF\" --binary-mode \"$DB\"";
        let object = job.object(".sql.gz.age");
        let by_hand = copy
            .shell(script, &[key.identity().as_os_str(), object.as_os_str()])
            .unwrap();
        by_hand.success().unwrap();
        assert_eq!(copy.query("show tables").unwrap(), [["orders"]]);
        assert_eq!(copy.query("show triggers").unwrap().len(), 1);
        db.run("drop table logs").unwrap();
        mysql_compare::same_rows(&db, &copy).unwrap();
        copy.drop().unwrap();
        db.drop().unwrap();
    }
}

#[test]
fn several_databases_of_mysql_are_of_one_moment() {
    let server = MySql::shared(mysql::Version::MariaDb118).unwrap();
    let (one, two) = (
        server.fresh_db("job_one").unwrap(),
        server.fresh_db("job_two").unwrap(),
    );
    for db in [&one, &two] {
        db.run("create table t (id int primary key); insert into t values (1), (2)")
            .unwrap();
    }
    let job = Job::new()
        .set("KSNAPSHOT_TYPE", "mariadb")
        .set("MYSQL_HOST", "127.0.0.1")
        .set("MYSQL_PORT", server.port().to_string())
        .set("MYSQL_USERNAME", "root")
        .set("MYSQL_PASSWORD", PASSWORD)
        .set("KSNAPSHOT_DATABASES", format!("{}, {}", one.name, two.name))
        .set("KSNAPSHOT_COMPRESSION", "zstd:1");
    let (_, report) = job.run(0);
    assert_eq!(report["snapshots"].as_array().unwrap().len(), 1);
    assert_eq!(report["snapshots"][0]["rows"], 4);
    let objects = job.objects();
    let data = objects.iter().filter(|name| name.ends_with(".sql.zst"));
    assert_eq!(data.count(), 2, "{objects:?}");
    one.drop().unwrap();
    two.drop().unwrap();
}

#[test]
fn search_engines_come_back_by_hand() {
    let server = Elastic::shared(elastic::Version::Os3).unwrap();
    let [index, other] = ["job-logs", "job-other"].map(|stem| server.fresh(stem));
    for index in [&index, &other] {
        let documents = (0..250).map(|n| {
            (
                n.to_string(),
                None,
                format!("{{\"n\":{n},\"t\":\"text {n}\"}}"),
            )
        });
        server.bulk(index, documents).unwrap();
    }
    let key = Key::generate().unwrap();
    let job = Job::new()
        .set("KSNAPSHOT_TYPE", "opensearch")
        .set("ELASTICSEARCH_HOST", "127.0.0.1")
        .set("ELASTICSEARCH_PORT", server.addr().port().to_string())
        .set("ELASTICDUMP_LIMIT", "100")
        .set("KSNAPSHOT_TABLES", "job-*")
        .set("KSNAPSHOT_EXCLUDE_TABLES", &other)
        .set("ENCRYPTION_ENABLED", "true")
        .set("ENCRYPTION_RECIPIENT", key.recipient());
    let (_, report) = job.run(0);
    assert_eq!(
        (
            &report["snapshots"][0]["rows"],
            &report["snapshots"][0]["database"]
        ),
        (&250.into(), &"".into())
    );
    for object in job.objects() {
        assert!(
            in_a_folder_of_a_day(&object, "ksnapshot", "opensearch"),
            "{object}"
        );
    }
    let plain = tools::open(&job.object("-data.jsonl.gz.age"), Some(&key)).unwrap();
    let mut found = elastic::Documents::new();
    for line in String::from_utf8(plain).unwrap().lines() {
        let document: Value = serde_json::from_str(line).unwrap();
        assert_eq!(document["_index"], index);
        let id = document["_id"].as_str().unwrap().to_owned();
        found.insert((id, None), document["_source"].to_string());
    }
    assert_eq!(found, server.documents(&index).unwrap());
    job.object("-mapping.jsonl.gz.age");
}

#[test]
fn each_database_of_postgresql_is_dumped_though_one_fails() {
    let [one, two] = ["job_one", "job_two"].map(|stem| server().fresh_db(stem).unwrap());
    for db in [&one, &two] {
        db.psql("create table t as select 1 as n").unwrap();
    }
    let job = Job::of_postgres(&one, server().port())
        .set(
            "KSNAPSHOT_DATABASES",
            format!("{},nowhere,{}", one.name, two.name),
        )
        .set("KSNAPSHOT_VERIFY", "checksum");
    let (run, report) = job.run(13);
    assert_eq!(
        (&report["outcome"], &report["code"]),
        (&"failed".into(), &13.into())
    );
    let stored: Vec<_> = report["snapshots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["database"].as_str().unwrap())
        .collect();
    assert_eq!(stored, [&one.name, &two.name], "{run:?}");
    let message = report["message"].as_str().unwrap();
    assert!(message.starts_with("database nowhere: "), "{message}");
    assert!(report["hint"].as_str().is_some_and(|hint| !hint.is_empty()));
    assert_eq!(job.objects().len(), 6);
    one.drop().unwrap();
    two.drop().unwrap();
}

/// What could be read is stored, so there is something to restore; but it is told.
#[test]
fn complete_with_problems_ends_well() {
    let db = server().fresh_db("job_rights").unwrap();
    server().role("job_reader").unwrap();
    db.psql("create table open as select 1 as n; create table closed as select 2 as n; grant select on open to job_reader")
        .unwrap();
    let job = Job::of_postgres(&db, server().port()).set("POSTGRESQL_USERNAME", "job_reader");
    let (run, report) = job.run(0);
    assert_eq!(report["outcome"], "complete with problems");
    assert_eq!(report["snapshots"][0]["problems"], 1, "{report}");
    assert_eq!(report.get("code"), None);
    assert!(run.stderr.contains("\nproblem: "), "{run:?}");
    db.drop().unwrap();
}

#[test]
fn a_prune_removes_of_its_series_alone() {
    let job = Job::of_postgres(&shop(), server().port());
    for name in ["a", "a", "b", "a", "b"] {
        job.command(&[])
            .env("KSNAPSHOT_NAME", name)
            .run()
            .unwrap()
            .success()
            .unwrap();
    }
    let prune = |rules: &str| {
        let env: Vec<_> = job
            .env
            .iter()
            .filter(|(name, _)| !name.starts_with("POSTGRESQL"))
            .cloned()
            .collect();
        let prune = Job {
            env,
            folder: tempfile::tempdir().unwrap(),
            bucket: job.bucket.clone(),
            minio: job.minio,
        };
        prune
            .with("KSNAPSHOT_TERMINATION_LOG", |prune| {
                prune.message().to_str().unwrap().to_owned()
            })
            .set("KSNAPSHOT_TASK", "prune")
            .set("KSNAPSHOT_NAME", "a")
            .set("KSNAPSHOT_RETENTION", rules)
    };
    let (run, report) = prune("last=1").run(0);
    assert_eq!(
        (&report["task"], &report["deleted"], &report["outcome"]),
        (&"prune".into(), &2.into(), &"complete".into())
    );
    assert!(
        run.stderr.contains("\nremove ") && run.stderr.contains("\nkeep "),
        "{run:?}"
    );
    let manifests: Vec<_> = job
        .objects()
        .into_iter()
        .filter(|name| name.ends_with(".manifest.json"))
        .collect();
    assert_eq!(manifests.len(), 3, "{manifests:?}");
    assert_eq!(
        manifests
            .iter()
            .filter(|name| name.contains("dump-b-"))
            .count(),
        2,
        "{manifests:?}"
    );
    // Again: there is nothing more to remove.
    assert_eq!(prune("last=1").run(0).1["deleted"], 0);
}
