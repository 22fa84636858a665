//! Elasticsearch and OpenSearch, when things go wrong: a snapshot is complete, or there is none; a restore tells what it refused.

use std::fs;
use std::sync::OnceLock;
use std::time::Duration;

use ksnapshot_tests::elastic::fault::{Gate, Rule};
use ksnapshot_tests::elastic::{Elastic, Version};
use ksnapshot_tests::{testbed, tools};
use serde_json::{Value, json};
use serial_test::serial;

use super::*;
use crate::elastic::{Dumped, dump, restore};

/// Documents of an index.
const MANY: u64 = 2_500;

/// Servers of these tests alone, which take turns: what is left open on a server is counted.
fn server(version: Version) -> &'static Elastic {
    static SERVERS: [OnceLock<Elastic>; 2] = [const { OnceLock::new() }; 2];
    let number = usize::from(version.is_opensearch());
    SERVERS[number].get_or_init(|| Elastic::start(version).unwrap())
}

fn newest() -> impl Iterator<Item = &'static Elastic> {
    Version::NEWEST.into_iter().map(server)
}

/// An index in two shards.
fn filled(server: &Elastic, stem: &str) -> String {
    let index = server.fresh(stem);
    let body = json!({
        "settings": { "number_of_shards": 2, "number_of_replicas": 0 },
        "mappings": { "dynamic": "strict", "properties": { "n": { "type": "long" }, "t": { "type": "keyword" } } },
    });
    server.put(&format!("/{index}"), body).unwrap();
    let documents = (0..MANY).map(|n| {
        (
            format!("{n}"),
            None,
            format!("{{\"n\":{n},\"t\":\"text {n}\"}}"),
        )
    });
    server.bulk(&index, documents).unwrap();
    index
}

const PAGES: [&str; 4] = ["--page-size", "100", "--slices", "2"];

/// Through the gate: complete, with each document once, and nothing left open on the server.
#[track_caller]
fn complete(server: &Elastic, gate: &Gate, index: &str) -> Dumped {
    let dumped = whole(gate, index);
    nothing_open(server);
    dumped
}

#[track_caller]
fn whole(gate: &Gate, index: &str) -> Dumped {
    let dumped = Dumped::of(&gate.url(), &[&["--index", index][..], &PAGES].concat());
    assert_eq!(dumped.run.code(), Some(0), "{:?}", dumped.run);
    assert_eq!(dumped.rows(), MANY);
    let text = (ksnapshot_tests::Ksnapshot::new(["cat"]).arg(dumped.path()))
        .run()
        .unwrap();
    let mut ids: Vec<String> = (text.text().lines())
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["_id"].to_string())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len() as u64, MANY);
    dumped
}

/// Through the gate: no snapshot, and nothing left of one.
#[track_caller]
fn failed(server: &Elastic, gate: &Gate, index: &str, code: i32, says: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let args = [&["--index", index][..], &PAGES].concat();
    fails(
        dump(&gate.url(), folder.path(), &args).run().unwrap(),
        code,
        says,
    );
    assert!(
        tools::files(folder.path()).unwrap().is_empty(),
        "{:?}",
        tools::files(folder.path()).unwrap()
    );
    nothing_open(server);
}

#[track_caller]
fn nothing_open(server: &Elastic) {
    testbed::until(Duration::from_secs(10), "the end of all views", || {
        Ok((server.open_contexts()? == 0).then_some(()))
    })
    .unwrap();
}

/// A search for documents, not for their number.
fn page() -> Rule {
    Rule::on("POST", "/_search").when(|seen| seen.body.contains("\"slice\""))
}

#[serial(elastic)]
#[test]
fn a_page_is_asked_for_again_until_it_is_whole() {
    for server in newest() {
        let index = filled(server, "page");
        let one_shard_failed = |mut answer: Value| {
            answer["_shards"]["failed"] = 1.into();
            answer["hits"]["hits"].as_array_mut().unwrap().clear();
            answer
        };
        let out_of_time = |mut answer: Value| {
            answer["timed_out"] = true.into();
            answer
        };
        let rules: [Rule; 7] = [
            page().nth(3).turn_answer(one_shard_failed),
            page().nth(3).turn_answer(out_of_time),
            page().nth(3).cut_answer(900),
            page().nth(3).lose_answer(),
            page().nth(3).answer(429, "{}").header("Retry-After", "0"),
            page().nth(3).answer(503, "{}"),
            page().nth(3).delay(Duration::from_millis(1500)),
        ];
        for rule in rules {
            let gate = Gate::open(server).unwrap();
            gate.add(rule);
            let dumped = complete(server, &gate, &index);
            assert!(
                !dumped.run.stderr.contains("begins anew"),
                "{:?}",
                dumped.run
            );
        }
    }
}

#[serial(elastic)]
#[test]
fn a_page_that_stays_broken_fails_the_dump() {
    let server = server(Version::NEWEST[0]);
    let index = filled(server, "broken");
    let gate = Gate::open(server).unwrap();
    gate.add(page().from(3).turn_answer(|mut answer| {
        answer["_shards"]["failed"] = 1.into();
        answer
    }));
    failed(
        server,
        &gate,
        &index,
        13,
        &["a page of documents is not whole: 1 shards failed"],
    );
    gate.clear();
    gate.add(page().from(3).answer(503, "{}"));
    failed(
        server,
        &gate,
        &index,
        13,
        &["HTTP 503", "hint: The cluster is overloaded"],
    );
}

#[serial(elastic)]
#[test]
fn a_page_without_some_documents_fails_the_dump() {
    for server in newest() {
        let index = filled(server, "short");
        let gate = Gate::open(server).unwrap();
        // A page that looks whole and isn't: only counting finds it.
        gate.add(page().turn_answer(|mut answer| {
            answer["hits"]["hits"]
                .as_array_mut()
                .unwrap()
                .retain(|hit| hit["_id"] != "1234");
            answer
        }));
        failed(
            server,
            &gate,
            &index,
            13,
            &["2499 of 2500 documents were read"],
        );
    }
}

#[serial(elastic)]
#[test]
fn a_lost_view_begins_the_dump_anew() {
    for version in Version::NEWEST {
        // Its own server, since all that is open on it is closed.
        let server: &'static Elastic = Box::leak(Box::new(Elastic::start(version).unwrap()));
        let index = filled(server, "lost");
        let close_all = move || {
            match version.is_opensearch() {
                true => server.delete("/_search/point_in_time/_all")?,
                false => server
                    .post("/nothing/_close?ignore_unavailable=true", "")
                    .unwrap_or_default(),
            };
            Ok(())
        };
        let gate = Gate::open(server).unwrap();
        if version.is_opensearch() {
            gate.add(page().nth(4).run(close_all));
        } else {
            // Elasticsearch closes points in time by their ids only.
            gate.add(page().nth(4).answer(
                404,
                json!({ "error": { "type": "search_context_missing_exception", "reason": "No search context found for id [1]" }, "status": 404 }),
            ));
        }
        let dumped = complete(server, &gate, &index);
        assert!(
            dumped.run.stderr.contains("the dump begins anew"),
            "{:?}",
            dumped.run
        );
    }
}

/// A server that is taken for one without points in time.
fn old(server: &Elastic) -> Gate {
    let gate = Gate::open(server).unwrap();
    let hello = Rule::on("GET", "/").when(|seen| seen.target == "/");
    gate.add(hello.turn_answer(|mut answer| {
        let number = match answer["version"]["distribution"] == "opensearch" {
            true => "2.3.0",
            false => "7.9.0",
        };
        answer["version"]["number"] = number.into();
        answer
    }));
    gate
}

#[serial(elastic)]
#[test]
fn a_scroll_that_loses_a_page_begins_anew() {
    let server = server(Version::NEWEST[1]);
    let index = filled(server, "scroll");
    let unharmed = complete(server, &old(server), &index);
    assert_eq!(
        unharmed.manifest["consistency"]["claim"],
        "scroll-per-slice"
    );
    let next = || Rule::on("POST", "/_search/scroll").nth(3);
    let rules = [
        next().lose_answer(),
        next().cut_answer(500),
        next().answer(429, "{}"),
        next().turn_answer(|mut answer| {
            answer["_shards"]["failed"] = 1.into();
            answer
        }),
        // The server takes it for the end.
        next().turn_answer(|mut answer| {
            answer["hits"]["hits"] = json!([]);
            answer
        }),
    ];
    for rule in rules {
        let gate = old(server);
        gate.add(rule);
        // A scroll that another reader was about to open ends by itself, later.
        let dumped = whole(&gate, &index);
        assert!(
            dumped.run.stderr.contains("the dump begins anew"),
            "{:?}",
            dumped.run
        );
    }
}

#[serial(elastic)]
#[test]
fn an_index_deleted_meanwhile_fails_the_dump() {
    for version in Version::NEWEST {
        let server: &'static Elastic = Box::leak(Box::new(Elastic::start(version).unwrap()));
        let index = filled(server, "deleted");
        let gate = Gate::open(server).unwrap();
        let path = format!("/{index}");
        gate.add(page().nth(4).run(move || server.delete(&path).map(|_| ())));
        let says = [&*format!("index {index}"), "deleted while it was dumped"];
        failed(server, &gate, &index, 1, &says);
    }
}

#[serial(elastic)]
#[test]
fn a_red_index_fails_the_dump() {
    for server in newest() {
        let index = server.fresh("red");
        let body = json!({ "settings": { "number_of_replicas": 0, "index.routing.allocation.require.nobody": "x" } });
        server
            .put(&format!("/{index}?wait_for_active_shards=0"), body)
            .unwrap();
        let gate = Gate::open(server).unwrap();
        failed(server, &gate, &index, 13, &[&format!("index {index}")]);
        server.delete(&format!("/{index}")).unwrap();
    }
}

#[serial(elastic)]
#[test]
fn servers_that_are_none_or_down() {
    let server = server(Version::NEWEST[0]);
    let gate = Gate::open(server).unwrap();
    gate.add(Rule::on("GET", "/").answer(200, json!({ "version": { "number": "6.8.23" } })));
    failed(
        server,
        &gate,
        "x",
        2,
        &["Elasticsearch 6.8.23 is older than 7"],
    );
    gate.clear();
    gate.add(Rule::on("GET", "/").answer(200, "<html>"));
    failed(
        server,
        &gate,
        "x",
        13,
        &["no Elasticsearch and no OpenSearch answers here"],
    );
    gate.go_down();
    failed(server, &gate, "x", 13, &["hint: "]);
}

#[serial(elastic)]
#[test]
fn a_server_that_goes_away_meanwhile_fails_the_dump() {
    for version in Version::NEWEST {
        let server: &'static Elastic = Box::leak(Box::new(Elastic::start(version).unwrap()));
        let index = filled(server, "killed");
        let gate = Gate::open(server).unwrap();
        gate.add(page().nth(4).run(|| server.kill()));
        let folder = tempfile::tempdir().unwrap();
        let args = [&["--index", &index][..], &PAGES].concat();
        fails(
            dump(&gate.url(), folder.path(), &args).run().unwrap(),
            13,
            &[&index],
        );
        assert!(tools::files(folder.path()).unwrap().is_empty());
    }
}

/// A snapshot of an index, which is then gone.
fn snapshot(server: &Elastic, stem: &str) -> (Dumped, String) {
    let index = filled(server, stem);
    let dumped = Dumped::of(&server.url(), &["--index", &index]);
    server.delete(&format!("/{index}")).unwrap();
    (dumped, index)
}

#[serial(elastic)]
#[test]
fn a_busy_cluster_gets_its_documents_in_the_end() {
    for server in newest() {
        let (dumped, index) = snapshot(server, "busy");
        let gate = Gate::open(server).unwrap();
        // Some items of a 200 are refused for now; whole requests are; an answer is lost.
        gate.add(
            Rule::on("POST", "/_bulk")
                .times(3)
                .refuse_items(|item| (item.number % 3 == 0).then_some(429)),
        );
        gate.add(
            Rule::on("POST", "/_bulk")
                .nth(4)
                .answer(429, "{}")
                .header("Retry-After", "0"),
        );
        let run = restore(dumped.path(), &gate.url(), &[]).run().unwrap();
        assert_eq!(run.code(), Some(0), "{run:?}");
        assert_eq!(server.count(&index).unwrap(), MANY);
        server.delete(&format!("/{index}")).unwrap();
        let gate = Gate::open(server).unwrap();
        gate.add(Rule::on("POST", "/_bulk").nth(1).lose_answer());
        let run = restore(dumped.path(), &gate.url(), &[]).run().unwrap();
        assert_eq!(run.code(), Some(0), "{run:?}");
        assert_eq!(server.count(&index).unwrap(), MANY);
    }
}

#[serial(elastic)]
#[test]
fn refused_documents_are_kept_and_told() {
    for server in newest() {
        let (dumped, index) = snapshot(server, "refused");
        let gate = Gate::open(server).unwrap();
        gate.add(Rule::on("POST", "/_bulk").refuse_items(|item| (item.id == "77").then_some(400)));
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("kept.jsonl");
        let args = ["--rejected", kept.to_str().unwrap()];
        let run = restore(dumped.path(), &gate.url(), &args).run().unwrap();
        let run = fails(run, 1, &["the target refused 1 of 2500 rows"]);
        let told = format!("1 documents were refused, the first: document 77 of index {index}");
        assert!(
            run.stderr.contains(&told) && run.stderr.contains("kept.jsonl"),
            "{run:?}"
        );
        assert_eq!(server.count(&index).unwrap(), MANY - 1);
        let text = fs::read_to_string(&kept).unwrap();
        let line: Value = serde_json::from_str(text.trim()).unwrap();
        assert_eq!(line["_source"], json!({ "n": 77, "t": "text 77" }));
        // What was refused goes in by itself, when the reason is gone.
        restore(&kept, &server.url(), &[])
            .run()
            .unwrap()
            .success()
            .unwrap();
        assert_eq!(server.count(&index).unwrap(), MANY);
        // Settings are as they were, although some documents were refused.
        let told = server.get(&format!("/{index}/_settings")).unwrap();
        assert!(
            told[&index]["settings"]["index"]["refresh_interval"].is_null(),
            "{told}"
        );
    }
}

#[serial(elastic)]
#[test]
fn a_mapping_that_the_target_refuses_is_told() {
    for server in newest() {
        let (dumped, index) = snapshot(server, "mapping");
        let gate = Gate::open(server).unwrap();
        gate.add(Rule::on("PUT", &format!("/{index}")).answer(
            400,
            json!({ "error": { "type": "mapper_parsing_exception", "reason": "No handler for type [x]" }, "status": 400 }),
        ));
        let run = restore(dumped.path(), &gate.url(), &[]).run().unwrap();
        let run = fails(
            run,
            1,
            &[&format!("documents {index}: its rows have no table")],
        );
        assert!(run.stderr.contains(&format!("problem: index {index}: /{index}: HTTP 400: mapper_parsing_exception: No handler for type [x]")), "{run:?}");
        let (status, _) = server.try_request("GET", &format!("/{index}"), "").unwrap();
        assert_eq!(status, 404);
    }
}

#[serial(elastic)]
#[test]
fn a_setting_that_the_target_does_not_know_is_told() {
    for server in newest() {
        let index = filled(server, "setting");
        server
            .put(
                &format!("/{index}/_settings"),
                json!({ "index.max_result_window": 5000 }),
            )
            .unwrap();
        let dumped = Dumped::of(&server.url(), &["--index", &index]);
        server.delete(&format!("/{index}")).unwrap();
        let gate = Gate::open(server).unwrap();
        let reason = "unknown setting [index.max_result_window] please check that any required plugins are installed";
        gate.add(
            Rule::on("PUT", &format!("/{index}"))
                .when(|seen| seen.body.contains("index.max_result_window"))
                .answer(
                    400,
                    json!({ "error": { "type": "illegal_argument_exception", "reason": reason }, "status": 400 }),
                ),
        );
        let run = restore(dumped.path(), &gate.url(), &[]).run().unwrap();
        assert_eq!(run.code(), Some(3), "{run:?}");
        let told = format!("settings {index}: not known to the target: index.max_result_window");
        assert!(run.stderr.contains(&told), "{run:?}");
        assert_eq!(server.count(&index).unwrap(), MANY);
    }
}

#[serial(elastic)]
#[test]
fn a_restore_whose_server_goes_away_fails() {
    let version = Version::NEWEST[1];
    let source = server(version);
    let (dumped, index) = snapshot(source, "gone");
    let server: &'static Elastic = Box::leak(Box::new(Elastic::start(version).unwrap()));
    let gate = Gate::open(server).unwrap();
    gate.add(Rule::on("POST", "/_bulk").run(|| server.kill()));
    let run = restore(dumped.path(), &gate.url(), &[]).run().unwrap();
    fails(run, 13, &[&index, "now holds a part of the snapshot"]);
}

#[serial(elastic)]
#[test]
fn somebody_else_writing_meanwhile_is_found() {
    for server in newest() {
        let (dumped, index) = snapshot(server, "else");
        let gate = Gate::open(server).unwrap();
        let path = format!("/{index}/_doc/stranger");
        gate.add(
            Rule::on("POST", "/_refresh")
                .run(move || server.put(&path, json!({ "n": 1 })).map(|_| ())),
        );
        let run = restore(dumped.path(), &gate.url(), &[]).run().unwrap();
        fails(run, 1, &["2501 documents are there, 2500 were dumped"]);
    }
}
