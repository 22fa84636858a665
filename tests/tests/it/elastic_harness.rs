//! The servers of Elasticsearch and OpenSearch, and what stands in front of them, which are judged here.

use std::process::Command;
use std::time::{Duration, Instant};

use ksnapshot_tests::elastic::fault::{self, Gate, Login, Rule};
use ksnapshot_tests::elastic::{self, Elastic, Version, compare, kinds};
use ksnapshot_tests::tools::{self, Run};
use ksnapshot_tests::{PASSWORD, testbed};
use serde_json::{Value, json};

#[test]
fn every_server_starts_and_tells_its_version() {
    for version in Version::ALL {
        let server = Elastic::start(version).unwrap();
        let told = server.get("/").unwrap();
        let number = told["version"]["number"].as_str().unwrap();
        assert!(number.starts_with(version.number()), "{version:?}: {told}");
        let distribution = told["version"]["distribution"] == "opensearch";
        assert_eq!(distribution, version.is_opensearch(), "{version:?}: {told}");
        let error = server.get("/nothing").unwrap_err();
        assert!(format!("{error}").contains("404"), "{error}");
        counts_what_is_open(&server);
        knows_what_it_is_said_to(&server);
        server.kill().unwrap();
        testbed::until(Duration::from_secs(5), "the end", || {
            Ok((!testbed::alive(server.pid())).then_some(()))
        })
        .unwrap();
        assert!(server.get("/").is_err());
    }
}

/// What is open on a server of one's own is counted.
fn counts_what_is_open(server: &Elastic) {
    let version = server.version();
    assert_eq!(server.open_contexts().unwrap(), 0);
    server
        .put("/three", json!({"settings": {"number_of_shards": 3}}))
        .unwrap();
    server.bulk("three", [("1", None, "{}")]).unwrap();
    let scroll = server.post("/three/_search?scroll=1m", "").unwrap();
    assert_eq!(server.open_contexts().unwrap(), 3, "{version:?}");
    server
        .try_request(
            "DELETE",
            "/_search/scroll",
            json!({"scroll_id": scroll["_scroll_id"]}),
        )
        .unwrap();
    let path = if version.is_opensearch() {
        "/three/_search/point_in_time"
    } else {
        "/three/_pit"
    };
    server.post(&format!("{path}?keep_alive=1m"), "").unwrap();
    assert_eq!(server.open_contexts().unwrap(), 3, "{version:?}");
    assert_eq!(server.documents("three").unwrap().len(), 1);
    assert_eq!(server.open_contexts().unwrap(), 3, "{version:?}");
}

/// What tests are told of this server is true.
fn knows_what_it_is_said_to(server: &Elastic) {
    let version = server.version();
    // What it's said to know is among what is loaded: `kinds::load`.
    for (name, known, mapping) in kinds::field_types().unwrap() {
        if !known.contains(&version) {
            let body = json!({"mappings": {"properties": {"field": mapping}}});
            let (status, answer) = server.try_request("PUT", "/unknown", body).unwrap();
            assert_eq!(status, 400, "{version:?}: {name}: {answer}");
        }
    }
    let takes = |path: &str, body: Value| server.try_request("PUT", path, body).unwrap().0 == 200;
    let processor = json!({"processors": [{"set": {"field": "n", "value": 1}}]});
    assert_eq!(
        takes("/_ingest/pipeline/p", processor),
        version.has_processors()
    );
    let script = json!({"script": {"lang": "painless", "source": "1"}});
    assert_eq!(takes("/_scripts/s", script), version.has_scripts());
    let runtime = json!({"mappings": {"runtime": {"n": {"type": "long"}}}});
    assert_eq!(takes("/runtime", runtime), version.has_runtime_fields());
    assert_eq!(
        takes("/mode", json!({"settings": {"mode": "lookup"}})),
        version.has_index_modes()
    );
}

#[test]
fn documents_are_read_as_they_were_written() {
    let sources = [
        (
            "1",
            None,
            r#"{"z":1,"a":18446744073709551615,"m":-9223372036854775808}"#,
        ),
        (
            "two words",
            Some("r/1"),
            r#"{ "n" : 1.0 ,"e":1e2,  "b":"a  b" }"#,
        ),
        ("3\"\\", None, "{\n  \"text\": \"a\\nb\",\n  \"é\": [ ]\n}"),
    ];
    for version in Version::NEWEST {
        let server = Elastic::shared(version).unwrap();
        let index = server.fresh("documents");
        server
            .put(
                &format!("/{index}"),
                json!({"mappings": {"enabled": false}}),
            )
            .unwrap();
        server.bulk(&index, sources).unwrap();
        let found = server.documents(&index).unwrap();
        let expected = [
            (
                "1",
                None,
                r#"{"z":1,"a":18446744073709551615,"m":-9223372036854775808}"#,
            ),
            ("3\"\\", None, r#"{"text":"a\nb","é":[]}"#),
            ("two words", Some("r/1"), r#"{"n":1.0,"e":1e2,"b":"a  b"}"#),
        ];
        let expected = expected.map(|(id, routing, source)| {
            (
                (id.to_owned(), routing.map(str::to_owned)),
                source.to_owned(),
            )
        });
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            expected,
            "{version:?}"
        );
        assert_eq!(server.count(&index).unwrap(), 3);
    }
}

/// An index of its own, with a document, on the shared server of the newest version of each family; and a gate.
fn with_gate(test: impl Fn(&'static Elastic, &str, Gate)) {
    for version in Version::NEWEST {
        let server = Elastic::shared(version).unwrap();
        let index = server.fresh("gate");
        server.bulk(&index, [("1", None, r#"{"n":1.0}"#)]).unwrap();
        test(server, &index, Gate::open(server).unwrap());
    }
}

/// Asks as a stranger does: `curl` gives the status and then the body.
fn curl(gate: &Gate, path: &str, args: &[&str]) -> Run {
    let mut curl = Command::new("curl");
    curl.args([
        "-sS",
        "--noproxy",
        "*",
        "-w",
        "\n%{http_code}",
        "--max-time",
        "20",
    ]);
    if let Some(ca) = gate.ca() {
        curl.arg("--cacert").arg(ca);
    }
    if args.contains(&"--data-binary") {
        curl.args(["-H", "Content-Type: application/json"]);
    }
    tools::run(curl.args(args).arg(format!("{}{path}", gate.http()))).unwrap()
}

fn status(run: &Run) -> String {
    run.text().lines().last().unwrap().to_owned()
}

fn json_of(run: &Run) -> Value {
    let text = run.text();
    serde_json::from_str(text.rsplit_once('\n').unwrap().0).unwrap()
}

#[test]
fn a_gate_without_rules_changes_nothing() {
    with_gate(|server, index, gate| {
        let direct = server.get(&format!("/{index}/_doc/1")).unwrap();
        let run = curl(
            &gate,
            &format!("/{index}/_doc/1?pretty"),
            &["-H", "X-Test: é"],
        );
        assert_eq!(json_of(&run), direct);
        let head = curl(&gate, &format!("/{index}"), &["-I"]);
        assert_eq!(status(&head), "200", "{head:?}");
        // Long bodies come in pieces, and curl asks whether they are welcome.
        let long = format!("{{\"t\":\"{}\"}}", "x".repeat(2 << 20));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("body");
        std::fs::write(&file, format!("{{\"index\":{{\"_id\":\"2\"}}}}\n{long}\n")).unwrap();
        let body = format!("@{}", file.display());
        let run = curl(
            &gate,
            &format!("/{index}/_bulk?refresh=true"),
            &["--data-binary", &body],
        );
        assert_eq!(json_of(&run)["errors"], false);
        assert_eq!(
            server.documents(index).unwrap()[&("2".to_owned(), None)],
            long
        );

        let seen = gate.requests();
        assert_eq!(seen.len(), 3);
        assert_eq!(seen[0].header("x-test"), Some("é"));
        assert_eq!(seen[0].target, format!("/{index}/_doc/1?pretty"));
        assert_eq!(
            (seen[1].method.as_str(), seen[1].status),
            ("HEAD", Some(200))
        );
        assert!(
            seen[2]
                .body
                .starts_with("{\"index\":{\"_id\":\"2\"}}\n{\"t\":\"xxx")
        );
        assert!(seen[2].length > 2 << 20 && seen[2].body.len() < seen[2].length);
    });
}

#[test]
fn rules_answer_turn_cut_lose_and_delay() {
    with_gate(|server, index, gate| {
        let doc = format!("/{index}/_doc/1");
        let (put, search) = (format!("/{index}/_doc/2"), format!("/{index}/_search"));
        let busy = Rule::on("GET", "/_doc/")
            .nth(2)
            .answer(429, json!({"busy": true}));
        gate.add(busy.header("Retry-After", "7"));
        let answers = [(); 3].map(|()| curl(&gate, &doc, &["-i"]));
        assert_eq!(answers.each_ref().map(status), ["200", "429", "200"]);
        assert!(
            answers[1].text().contains("Retry-After: 7\r\n"),
            "{:?}",
            answers[1]
        );
        assert!(answers[1].text().contains(r#"{"busy":true}"#));

        gate.clear();
        gate.add(Rule::on("", "_search").turn_answer(|mut answer| {
            answer["_shards"]["failed"] = 1.into();
            answer["timed_out"] = true.into();
            answer
        }));
        gate.add(Rule::on("", "_search").turn_text(|text| text.replace("1.0", "2.0")));
        let answer = json_of(&curl(&gate, &search, &[]));
        assert_eq!(
            (&answer["_shards"]["failed"], &answer["timed_out"]),
            (&json!(1), &json!(true))
        );
        assert_eq!(answer["hits"]["hits"][0]["_source"]["n"], 2.0);

        gate.clear();
        gate.add(Rule::on("GET", "/_doc/").nth(1).cut_answer(10));
        gate.add(Rule::on("PUT", "/_doc/2").lose_answer());
        let run = curl(&gate, &doc, &[]);
        assert_eq!(
            (run.code(), &run.text()[..11]),
            (Some(18), "{\"_index\":\n"),
            "{run:?}"
        );
        let run = curl(&gate, &put, &["-X", "PUT", "--data-binary", "{}"]);
        assert_eq!(run.code(), Some(52), "{run:?}");
        assert_eq!(server.count(index).unwrap(), 2);
        assert_eq!(gate.requests().last().unwrap().status, None);
        assert_eq!(status(&curl(&gate, &doc, &[])), "200");

        gate.clear();
        gate.add(Rule::on("GET", "/_doc/").delay(Duration::from_millis(300)));
        let begun = Instant::now();
        assert_eq!(status(&curl(&gate, &doc, &[])), "200");
        assert!(begun.elapsed() >= Duration::from_millis(300));

        gate.go_down();
        assert_ne!(curl(&gate, &doc, &[]).code(), Some(0));
        gate.come_back();
        assert_eq!(status(&curl(&gate, &doc, &[])), "200");
    });
}

#[test]
fn a_rule_runs_something_before_the_server_hears_of_a_request() {
    with_gate(|server, index, gate| {
        let (path, gone) = (format!("/{index}"), format!("/{index}/_doc/1"));
        gate.add(
            Rule::on("GET", "/_doc/")
                .times(1)
                .run(move || server.delete(&path).map(drop)),
        );
        assert_eq!(status(&curl(&gate, &gone, &[])), "404");
        gate.clear();
        gate.add(Rule::on("GET", "").run(|| anyhow::bail!("no way")));
        let run = curl(&gate, "/", &[]);
        assert!(
            run.text().contains("no way") && status(&run) == "599",
            "{run:?}"
        );
    });
}

#[test]
fn items_of_a_bulk_request_are_refused_one_by_one() {
    with_gate(|server, index, gate| {
        let bulk = format!("/{index}/_bulk?refresh=true");
        let body = "{\"index\":{\"_id\":\"a\"}}\n{\"n\":1}\n{\"create\":{\"_id\":\"b\"}}\n{\"n\":2}\n\
                    {\"delete\":{\"_id\":\"1\"}}\n";
        gate.add(
            Rule::on("POST", "_bulk")
                .nth(1)
                .refuse_items(|item| (item.id == "b").then_some(429)),
        );
        gate.add(Rule::on("POST", "_bulk").nth(2).refuse_items(|_| Some(503)));
        let answer = json_of(&curl(&gate, &bulk, &["--data-binary", body]));
        assert_eq!(answer["errors"], true);
        let statuses = [
            "/items/0/index/status",
            "/items/1/create/status",
            "/items/2/delete/status",
        ];
        assert_eq!(
            statuses.map(|path| answer.pointer(path).cloned().unwrap()),
            [201, 429, 200].map(Value::from)
        );
        let left: Vec<_> = server
            .documents(index)
            .unwrap()
            .into_keys()
            .map(|(id, _)| id)
            .collect();
        assert_eq!(left, ["a"]);
        let answer = json_of(&curl(&gate, &bulk, &["--data-binary", body]));
        assert_eq!(
            statuses.map(|path| answer.pointer(path).cloned().unwrap()),
            [503, 503, 503].map(Value::from)
        );
        gate.clear();
        gate.add(Rule::on("POST", "_bulk").turn_request(|body| body.replace("\"a\"", "\"z\"")));
        curl(&gate, &bulk, &["--data-binary", body]);
        let left: Vec<_> = server
            .documents(index)
            .unwrap()
            .into_keys()
            .map(|(id, _)| id)
            .collect();
        assert_eq!(left, ["a", "b", "z"]);
    });
}

#[test]
fn a_gate_has_tls_and_asks_who_comes() {
    let server = Elastic::shared(Version::Es9).unwrap();
    let open = |login| {
        fault::Options::new(server)
            .tls()
            .login(login)
            .open()
            .unwrap()
    };
    let gate = open(Login::Basic("elastic", PASSWORD));
    assert!(
        gate.url_as("elastic")
            .starts_with("elasticsearch+https://elastic@127.0.0.1:"),
        "{}",
        gate.url()
    );
    assert_eq!(status(&curl(&gate, "/", &[])), "401");
    assert_eq!(status(&curl(&gate, "/", &["-u", "elastic:wrong"])), "401");
    let run = curl(&gate, "/", &["-u", &format!("elastic:{PASSWORD}")]);
    assert!(json_of(&run)["version"]["number"].is_string(), "{run:?}");
    // Without the authority, curl doesn't trust it; and nothing is said in the clear.
    let stranger = Command::new("curl")
        .args(["-sS", "--noproxy", "*", &gate.http()])
        .output()
        .unwrap();
    assert_eq!(stranger.status.code(), Some(60));
    let plain = gate.http().replace("https", "http");
    let plain = Command::new("curl")
        .args(["-sS", "--noproxy", "*", &plain])
        .output()
        .unwrap();
    assert!(!plain.status.success() && plain.stdout.is_empty());

    let gate = open(Login::ApiKey("c2VjcmV0OmtleQ=="));
    assert_eq!(
        status(&curl(
            &gate,
            "/",
            &["-H", "Authorization: ApiKey c2VjcmV0OmtleQ=="]
        )),
        "200"
    );
    assert_eq!(status(&curl(&gate, "/", &["-u", "elastic:wrong"])), "401");
    gate.add(Rule::on("GET", "").cut_answer(3));
    let run = curl(
        &gate,
        "/",
        &["-H", "Authorization: ApiKey c2VjcmV0OmtleQ=="],
    );
    assert_ne!(run.code(), Some(0), "{run:?}");
}

#[test]
fn elasticdump_reads_and_writes() {
    for version in Version::NEWEST {
        let server = Elastic::shared(version).unwrap();
        let index = server.fresh("peer");
        server
            .bulk(
                &index,
                [("a", None, r#"{"n":1}"#), ("b", Some("r"), r#"{"n":2}"#)],
            )
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data").display().to_string();
        let copy = server.fresh("peer");
        for (from, to) in [
            (format!("{}/{index}", server.http()), file.clone()),
            (file, format!("{}/{copy}", server.http())),
        ] {
            let args = [
                format!("--input={from}"),
                format!("--output={to}"),
                "--type=data".to_owned(),
            ];
            let mut command = Elastic::elasticdump(args).unwrap();
            tools::run(&mut command).unwrap().success().unwrap();
        }
        assert_eq!(server.count(&copy).unwrap(), 2);
    }
}

/// What was loaded is as hard as it's meant to be.
fn is_hard(server: &Elastic, prefix: &str) {
    assert_eq!(
        server.documents(&format!("{prefix}-many")).unwrap().len(),
        923
    );
    let hostile = server.documents(&format!("{prefix}-hostile")).unwrap();
    let source = &hostile[&("numbers".to_owned(), None)];
    assert!(
        source.contains(r#""one":1.0,"plain":1,"minus":-0.0,"exp":1e2,"EXP":1.50E+3,"huge":1e400"#),
        "{source}"
    );
    assert!(
        hostile
            .keys()
            .any(|(id, routing)| id.len() == 512 && routing.is_some())
    );
    assert!(hostile.values().any(|source| source.len() > 1 << 20));
    assert!(hostile.contains_key(&("\u{1}\u{7f}\0".to_owned(), None)));
    if server.version().is_opensearch() {
        // A search finds one of them.
        let index = format!("{prefix}-searched-by-a-pipeline");
        assert_eq!(server.documents(&index).unwrap().len(), 2);
    } else if server.version().has_index_modes() {
        let vectors = server.documents(&format!("{prefix}-fields")).unwrap();
        assert!(vectors[&("dense_vector-0".to_owned(), None)].contains("2.5"));
    }
}

#[test]
fn equal_servers_are_equal_and_each_kind_of_change_is_seen() {
    for version in Version::NEWEST {
        let a = Elastic::shared(version).unwrap();
        let b = elastic::Options::new(version)
            .set("cluster.name", "other")
            .start()
            .unwrap();
        assert_eq!(b.get("/_cluster/health").unwrap()["cluster_name"], "other");
        let prefix = a.fresh("same");
        let loaded = kinds::load(a, &prefix).unwrap();
        assert_eq!(kinds::load(&b, &prefix).unwrap(), loaded);
        assert_eq!(loaded.streams.is_empty(), !version.has_data_streams());
        is_hard(a, &prefix);
        compare::same(a, &b, &loaded).unwrap();
        let differs = |method: &str, path: &str, body: &str, name: &str| {
            let path = path.replace("PREFIX", &prefix);
            let (status, answer) = b.try_request(method, &path, body).unwrap();
            assert!(status < 300, "{path}: {answer}");
            let error = compare::same(a, &b, &loaded).unwrap_err().to_string();
            assert!(
                error.contains(&name.replace("PREFIX", &prefix)),
                "{path}: {error}"
            );
        };
        // Definitions are compared first, and of those, names.
        let one = r#"{"n":3}"#;
        differs(
            "PUT",
            "/PREFIX-many/_doc/id%203?refresh=true",
            one,
            "PREFIX-many: (\"id 3\", None)",
        );
        differs(
            "DELETE",
            "/PREFIX-hostile/_doc/empty?refresh=true",
            "",
            "PREFIX-hostile: (\"empty\", None)",
        );
        differs(
            "PUT",
            "/PREFIX-many/_mapping",
            r#"{"_meta":{"a":1}}"#,
            "index PREFIX-many",
        );
        differs(
            "PUT",
            "/PREFIX-logs-000001/_alias/PREFIX-new",
            "",
            "index PREFIX-logs-000001",
        );
        differs(
            "PUT",
            "/PREFIX-hidden/_settings",
            r#"{"refresh_interval":"9s"}"#,
            "index PREFIX-hidden",
        );
        let pipeline = r#"{"processors":[]}"#;
        differs(
            "PUT",
            "/_ingest/pipeline/PREFIX-quiet",
            pipeline,
            "_ingest/pipeline PREFIX-quiet",
        );
        loaded.remove(a).unwrap();
        let left = a.get("/_cat/indices?expand_wildcards=all&h=index").unwrap();
        assert!(!left.to_string().contains(&prefix), "{left}");
        for name in kinds::without_sources(a, "bad").unwrap() {
            assert!(
                !a.documents(&name)
                    .unwrap()
                    .values()
                    .any(|source| source.contains("gone"))
            );
        }
        if version == Version::Os3 {
            let index = kinds::append_only(a, &prefix).unwrap();
            assert!(a.put(&format!("/{index}/_doc/1"), "{}").is_err());
        }
    }
}
