//! Which indices, under which names, and who gets in.

use ksnapshot_tests::Ksnapshot;
use ksnapshot_tests::elastic::fault::{Gate, Login, Options};
use ksnapshot_tests::elastic::{Elastic, Version, kinds};
use ksnapshot_tests::tools;
use serde_json::{Value, json};

use super::{Dumped, dump, restore};

fn newest() -> impl Iterator<Item = &'static Elastic> {
    (Version::NEWEST.into_iter()).map(|version| Elastic::shared(version).unwrap())
}

/// Indices of one document each.
fn filled(server: &Elastic, names: &[&str]) -> String {
    let stem = server.fresh("opt");
    for name in names {
        let documents = [("1", None, format!("{{\"in\":\"{name}\"}}"))];
        let documents = documents.map(|(id, routing, source)| (id.to_owned(), routing, source));
        server.bulk(&format!("{stem}-{name}"), documents).unwrap();
    }
    stem
}

/// Names in the index of a snapshot.
fn dumped_names(dumped: &Dumped) -> Vec<String> {
    let run = Ksnapshot::new([
        "restore",
        "--plan",
        "--json",
        "--into",
        "elasticsearch://127.0.0.1:1",
    ])
    .arg(dumped.path())
    .run()
    .unwrap();
    assert_eq!(run.code(), Some(0), "{run:?}");
    let plan: Value = serde_json::from_str(run.text().lines().last().unwrap()).unwrap();
    let data = plan["data"].as_array().unwrap();
    data.iter()
        .map(|one| one["name"].as_str().unwrap().replace("documents ", ""))
        .collect()
}

#[test]
fn indices_are_chosen_as_the_server_reads_names() {
    for server in newest() {
        let stem = filled(server, &["a", "b", "c"]);
        server
            .put(
                &format!("/{stem}-c/_settings"),
                json!({ "index.hidden": true }),
            )
            .unwrap();
        server
            .put(
                &format!("/{stem}-a/_alias/{stem}-alias"),
                json!({ "filter": { "term": { "x": 1 } } }),
            )
            .unwrap();
        let all = format!("{stem}-*");
        let but = format!("-{stem}-a");
        let names = |letters: &[&str]| -> Vec<String> {
            letters
                .iter()
                .map(|letter| format!("{stem}-{letter}"))
                .collect()
        };
        for (args, expected) in [
            (vec!["--index", &all], names(&["a", "b"])),
            (vec!["--index", &all, "--hidden"], names(&["a", "b", "c"])),
            (vec!["--index", &all, "--index", &but], names(&["b"])),
            (vec!["--index", &format!("{stem}-c")], names(&["c"])),
            // Behind an alias with a filter there are all documents of the index.
            (vec!["--index", &format!("{stem}-alias")], names(&["a"])),
        ] {
            let dumped = Dumped::of(&server.url(), &args);
            assert_eq!(dumped.run.code(), Some(0), "{:?}", dumped.run);
            assert_eq!(dumped_names(&dumped), expected, "{args:?}");
            assert_eq!(dumped.rows(), expected.len() as u64);
        }
        // The URL may say it, too.
        let dumped = Dumped::of(&format!("{}/{stem}-b", server.url()), &[]);
        assert_eq!(dumped_names(&dumped), names(&["b"]));
        assert_eq!(dumped.manifest["series"]["database"], format!("{stem}-b"));
        let run = dump(
            &server.url(),
            dumped.path(),
            &["--index", &format!("{stem}-nobody")],
        )
        .run()
        .unwrap();
        assert_eq!(run.code(), Some(1), "{run:?}");
        assert!(
            run.stderr
                .contains(&format!("index {stem}-nobody: not found")),
            "{run:?}"
        );
    }
}

#[test]
fn a_closed_index_is_a_problem_or_opened_for_the_dump() {
    for server in newest() {
        let stem = filled(server, &["open", "closed"]);
        let closed = format!("{stem}-closed");
        server.post(&format!("/{closed}/_close"), "").unwrap();
        let all = format!("{stem}-*");
        let dumped = Dumped::of(&server.url(), &["--index", &all]);
        assert_eq!(dumped.run.code(), Some(3), "{:?}", dumped.run);
        assert!(
            dumped
                .run
                .stderr
                .contains(&format!("index {closed}: it is closed")),
            "{:?}",
            dumped.run
        );
        assert_eq!(dumped_names(&dumped), [format!("{stem}-open")]);
        let dumped = Dumped::of(&server.url(), &["--index", &all, "--closed"]);
        assert_eq!(dumped.run.code(), Some(0), "{:?}", dumped.run);
        assert_eq!(dumped.rows(), 2);
        let told = server
            .get(&format!(
                "/_cat/indices/{closed}?format=json&h=status&expand_wildcards=all"
            ))
            .unwrap();
        assert_eq!(told[0]["status"], "close");
    }
}

#[test]
fn what_has_no_source_is_told() {
    for server in newest() {
        let stem = server.fresh("src");
        let names = kinds::without_sources(server, &stem).unwrap();
        let [nothing, part] = &names[..] else {
            panic!("{names:?}");
        };
        let folder = tempfile::tempdir().unwrap();
        let run = dump(&server.url(), folder.path(), &["--index", nothing])
            .run()
            .unwrap();
        assert_eq!(run.code(), Some(1), "{run:?}");
        assert!(
            run.stderr
                .contains(&format!("index {nothing}: its _source is disabled")),
            "{run:?}"
        );
        assert!(tools::files(folder.path()).unwrap().is_empty());
        let dumped = Dumped::of(&server.url(), &["--index", part]);
        assert_eq!(dumped.run.code(), Some(3), "{:?}", dumped.run);
        assert!(
            dumped.run.stderr.contains("leaves fields out"),
            "{:?}",
            dumped.run
        );
    }
}

#[test]
fn an_index_is_restored_under_another_name() {
    for server in newest() {
        let stem = filled(server, &["a", "b"]);
        let (a, b) = (format!("{stem}-a"), format!("{stem}-b"));
        let dumped = Dumped::of(&server.url(), &["--index", &format!("{stem}-*")]);
        let rename = format!("{a}={stem}-new");
        let run = restore(
            dumped.path(),
            &server.url(),
            &["--index", &a, "--rename", &rename],
        )
        .run()
        .unwrap();
        run.success().unwrap();
        assert_eq!(
            server.documents(&format!("{stem}-new")).unwrap(),
            server.documents(&a).unwrap()
        );
        // The URL names the only one; of several it can't.
        let url = format!("{}/{stem}-other", server.url());
        restore(dumped.path(), &url, &["--index", &b])
            .run()
            .unwrap()
            .success()
            .unwrap();
        assert_eq!(
            server.documents(&format!("{stem}-other")).unwrap(),
            server.documents(&b).unwrap()
        );
        for (args, says) in [
            (vec![], "the URL names one, and 2 would go there"),
            (
                vec!["--index", &*format!("{stem}-x")],
                "not in the snapshot",
            ),
        ] {
            let run = restore(dumped.path(), &url, &args).run().unwrap();
            assert_eq!(run.code(), Some(2), "{run:?}");
            assert!(run.stderr.contains(says), "{run:?}");
        }
        let twice = format!("{a}={b}");
        let run = restore(dumped.path(), &server.url(), &["--rename", &twice])
            .run()
            .unwrap();
        assert_eq!(run.code(), Some(2), "{run:?}");
        assert!(
            run.stderr
                .contains("two of the snapshot would get this name"),
            "{run:?}"
        );
        // Never into what an alias stands for.
        server
            .put(&format!("/{b}/_alias/{stem}-taken"), "")
            .unwrap();
        let taken = format!("{a}={stem}-taken");
        let args = ["--index", &a, "--rename", &taken, "--clean"];
        let run = restore(dumped.path(), &server.url(), &args).run().unwrap();
        assert_eq!(run.code(), Some(1), "{run:?}");
        assert!(
            run.stderr
                .contains(&format!("alias {stem}-taken: exists already")),
            "{run:?}"
        );
        assert_eq!(server.count(&b).unwrap(), 1);
    }
}

#[test]
fn a_definition_that_is_there_stays_unless_told() {
    for server in newest() {
        let stem = filled(server, &["a"]);
        let path = format!("/_index_template/{stem}-t");
        let template = |refresh: &str| json!({ "index_patterns": [format!("{stem}-t-*")], "template": { "settings": { "index": { "refresh_interval": refresh } } } });
        server.put(&path, template("7s")).unwrap();
        let dumped = Dumped::of(&server.url(), &["--index", &format!("{stem}-*")]);
        server.put(&path, template("9s")).unwrap();
        let interval = || {
            let told = server.get(&path).unwrap();
            let template = &told["index_templates"][0]["index_template"]["template"];
            template["settings"]["index"]["refresh_interval"].clone()
        };
        let rename = format!("{stem}-a={stem}-b");
        let run = restore(dumped.path(), &server.url(), &["--rename", &rename])
            .run()
            .unwrap();
        assert_eq!(run.code(), Some(3), "{run:?}");
        assert!(
            run.stderr.contains(&format!(
                "index template {stem}-t: the target has another one"
            )),
            "{run:?}"
        );
        assert_eq!(interval(), "9s");
        let run = restore(
            dumped.path(),
            &server.url(),
            &["--rename", &rename, "--clean"],
        )
        .run()
        .unwrap();
        assert_eq!(run.code(), Some(0), "{run:?}");
        assert_eq!(interval(), "7s");
        server.delete(&path).unwrap();
    }
}

#[test]
fn logins_and_authorities() {
    for server in newest() {
        let stem = filled(server, &["a"]);
        let index = format!("{stem}-a");
        let args = ["--index", &index];
        let folder = tempfile::tempdir().unwrap();
        let by_password = |gate: &Gate, password: &str| {
            dump(&gate.url_as("reader"), folder.path(), &args)
                .env("KSNAPSHOT_SOURCE_PASSWORD", password)
        };
        let secret = Login::Basic("reader", "geheim-geheim");
        let gate = Options::new(server)
            .login(secret.clone())
            .tls()
            .open()
            .unwrap();
        by_password(&gate, "geheim-geheim")
            .run()
            .unwrap()
            .success()
            .unwrap();
        let run = by_password(&gate, "wrong-wrong").run().unwrap();
        assert_eq!(run.code(), Some(13), "{run:?}");
        assert!(run.stderr.contains("login refused"), "{run:?}");
        assert!(!run.stderr.contains("wrong-wrong"), "{run:?}");
        // An authority that nobody named is nobody's.
        let unknown = gate.url_as("reader").split('?').next().unwrap().to_owned();
        let run = dump(&unknown, folder.path(), &args)
            .env("ELASTIC_PASSWORD", "geheim-geheim")
            .run()
            .unwrap();
        assert_eq!(run.code(), Some(13), "{run:?}");
        assert!(run.stderr.contains("can't be reached"), "{run:?}");

        let gate = Options::new(server)
            .login(Login::ApiKey("aWQ6Z2VoZWlt"))
            .open()
            .unwrap();
        for variable in ["KSNAPSHOT_SOURCE_API_KEY", "ELASTIC_API_KEY"] {
            let run = dump(&gate.url(), folder.path(), &args)
                .env(variable, "aWQ6Z2VoZWlt")
                .run()
                .unwrap();
            run.success().unwrap();
        }
        let run = dump(&gate.url(), folder.path(), &args).run().unwrap();
        assert_eq!(run.code(), Some(13), "{run:?}");
        let run = restore(
            folder.path(),
            &gate.url(),
            &["--rename", &format!("{index}={index}-2")],
        )
        .env("KSNAPSHOT_TARGET_API_KEY", "aWQ6Z2VoZWlt")
        .run()
        .unwrap();
        run.success().unwrap();
        assert_eq!(server.count(&format!("{index}-2")).unwrap(), 1);
    }
}

#[test]
fn a_preflight_tells_the_claim_and_the_problems() {
    for server in newest() {
        let stem = filled(server, &["a", "b"]);
        server.post(&format!("/{stem}-b/_close"), "").unwrap();
        let run = Ksnapshot::new([
            "dump",
            &server.url(),
            "--preflight",
            "--index",
            &format!("{stem}-*"),
        ])
        .run()
        .unwrap();
        assert_eq!(run.code(), Some(3), "{run:?}");
        assert!(run.text().contains("point-in-time-per-shard"), "{run:?}");
    }
}

#[test]
fn options_of_the_other_kind_are_told() {
    let server = Elastic::shared(Version::NEWEST[0]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (url, args, says) in [
        (
            server.url(),
            vec!["--table", "x"],
            "Choose indices with --index",
        ),
        (
            "postgres://127.0.0.1:1/x".to_owned(),
            vec!["--index", "x"],
            "postgres: takes no --index, --hidden",
        ),
        (
            format!("{}/a/b", server.url()),
            vec![],
            "more than the name of an index",
        ),
    ] {
        let run = dump(&url, folder.path(), &args).run().unwrap();
        assert_eq!(run.code(), Some(2), "{run:?}");
        assert!(run.stderr.contains(says), "{run:?}");
    }
}
