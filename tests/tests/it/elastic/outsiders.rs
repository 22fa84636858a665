//! elasticdump reads what we write, and we restore what it writes.

use std::fs;
use std::path::Path;

use ksnapshot_tests::Ksnapshot;
use ksnapshot_tests::elastic::{Elastic, Version};
use ksnapshot_tests::tools::{self, Key};
use serde_json::json;

use super::{Dumped, restore};

/// Numbers that a double holds, which is all that elasticdump reads.
fn filled(server: &Elastic, stem: &str) -> String {
    let index = server.fresh(stem);
    let body = json!({
        "settings": { "number_of_shards": 2, "number_of_replicas": 0,
            "analysis": { "analyzer": { "mine": { "type": "custom", "tokenizer": "standard" } } } },
        "mappings": { "_meta": { "of": "a test" }, "properties": { "n": { "type": "long" }, "t": { "type": "text", "analyzer": "mine" } } },
        "aliases": { format!("{index}-alias"): { "filter": { "term": { "n": 1 } }, "routing": "r" } },
    });
    server.put(&format!("/{index}"), body).unwrap();
    let documents = (0..250).map(|n| {
        let routing = (n % 3 == 0).then(|| format!("r{n}"));
        (
            format!("id \"{n}\" é"),
            routing,
            format!("{{\"n\":{n},\"t\":\"a b {n}\"}}"),
        )
    });
    server.bulk(&index, documents).unwrap();
    index
}

fn elasticdump(input: &str, output: &str, content: &str) {
    let mut command = Elastic::elasticdump([
        format!("--input={input}"),
        format!("--output={output}"),
        format!("--type={content}"),
    ])
    .unwrap();
    tools::run(&mut command).unwrap().success().unwrap();
}

/// The object of this content, opened and decompressed by the stock tools.
fn opened(dumped: &Dumped, key: &Key, content: &str, into: &Path) -> String {
    let sealed = Dumped::file(dumped.path(), &format!("-{content}.jsonl.zst.age"));
    let plain = into.join(format!("{content}.jsonl"));
    fs::write(&plain, tools::open(&sealed, Some(key)).unwrap()).unwrap();
    plain.to_str().unwrap().to_owned()
}

#[test]
fn elasticdump_loads_our_objects() {
    for version in Version::NEWEST {
        let server = Elastic::shared(version).unwrap();
        let index = filled(server, "theirs");
        let key = Key::generate().unwrap();
        let dumped = Dumped::of(
            &server.url(),
            &["--index", &index, "--recipient", key.recipient()],
        );
        let plain = tempfile::tempdir().unwrap();
        let copy = format!("{index}-copy");
        let to = format!("{}/{copy}", server.http());
        for content in ["mapping", "data"] {
            elasticdump(&opened(&dumped, &key, content, plain.path()), &to, content);
        }
        assert_eq!(
            server.documents(&copy).unwrap(),
            server.documents(&index).unwrap()
        );
        let mapping = |name: &str| server.get(&format!("/{name}/_mapping")).unwrap()[name].clone();
        // Without its analyzer, which is a setting, the mapping would be refused: it went in by its own file.
        assert_eq!(
            mapping(&copy)["mappings"]["_meta"],
            mapping(&index)["mappings"]["_meta"]
        );
        let settings = format!("{}/{copy}-settings", server.http());
        elasticdump(
            &opened(&dumped, &key, "settings", plain.path()),
            &settings,
            "settings",
        );
        let found = server.get(&format!("/{copy}-settings/_settings")).unwrap();
        let found = &found[format!("{copy}-settings")]["settings"]["index"];
        assert_eq!(found["number_of_shards"], "2");
        assert_eq!(
            found["analysis"]["analyzer"]["mine"]["tokenizer"],
            "standard"
        );
    }
}

#[test]
fn what_elasticdump_wrote_is_restored() {
    for version in Version::NEWEST {
        let server = Elastic::shared(version).unwrap();
        let index = filled(server, "ours");
        let folder = tempfile::tempdir().unwrap();
        let from = format!("{}/{index}", server.http());
        let file = |content: &str| folder.path().join(format!("{content}.json"));
        for content in ["index", "data", "mapping", "alias"] {
            elasticdump(&from, file(content).to_str().unwrap(), content);
        }
        let copy = format!("{index}-copy");
        let to = format!("{}/{copy}", server.url());
        // Documents make no index, whose fields would become what the first document looks like.
        let run = restore(&file("data"), &to, &[]).run().unwrap();
        assert_eq!(run.code(), Some(1), "{run:?}");
        assert!(
            run.stderr.contains(&format!("index {copy}: not there")),
            "{run:?}"
        );
        for content in ["index", "data", "alias"] {
            restore(&file(content), &to, &[])
                .run()
                .unwrap()
                .success()
                .unwrap();
        }
        assert_eq!(
            server.documents(&copy).unwrap(),
            server.documents(&index).unwrap()
        );
        let told =
            |name: &str, what: &str| server.get(&format!("/{name}/{what}")).unwrap()[name].clone();
        for what in ["_mapping", "_alias"] {
            assert_eq!(told(&copy, what), told(&index, what), "{what}");
        }
        assert_eq!(
            told(&copy, "_settings")["settings"]["index"]["analysis"],
            told(&index, "_settings")["settings"]["index"]["analysis"]
        );
        // The index is there now, and stays.
        let run = restore(&file("index"), &to, &[]).run().unwrap();
        assert_eq!(run.code(), Some(1), "{run:?}");
        assert_eq!(server.count(&copy).unwrap(), 250);
        // From a compressed and encrypted file as well.
        let key = Key::generate().unwrap();
        let script = format!(
            "gzip -c '{}' | age -r {} -o '{}'",
            file("data").display(),
            key.recipient(),
            folder.path().join("data.json.gz.age").display()
        );
        let mut command = std::process::Command::new("bash");
        tools::run(command.args(["-c", &script]))
            .unwrap()
            .success()
            .unwrap();
        restore(
            &folder.path().join("data.json.gz.age"),
            &to,
            &["--identity", key.identity().to_str().unwrap()],
        )
        .run()
        .unwrap()
        .success()
        .unwrap();
        assert_eq!(
            server.documents(&copy).unwrap(),
            server.documents(&index).unwrap()
        );
    }
}

#[test]
fn a_file_of_something_else_is_refused() {
    let server = Elastic::shared(Version::NEWEST[0]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("a.json", "{\"x\":1}\n"),
        ("b.json", "create table t ();\n"),
        ("c.json", "[]\n"),
    ] {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        let run = restore(&file, &server.url(), &[]).run().unwrap();
        assert_eq!(run.code(), Some(1), "{run:?}");
        assert!(
            run.stderr.contains("neither a document nor a definition"),
            "{run:?}"
        );
    }
    let file = folder.path().join("a.json");
    let run = Ksnapshot::new(["restore"])
        .arg(&file)
        .args(["--into", "postgres://127.0.0.1:1/x"])
        .run()
        .unwrap();
    assert_eq!(run.code(), Some(2), "{run:?}");
    assert!(run.stderr.contains("single object"), "{run:?}");
}
