//! Everything that a server knows comes back.

use ksnapshot_tests::elastic::kinds::{self, Loaded};
use ksnapshot_tests::elastic::{Elastic, Version, segment};
use serde_json::{Map, Value};

use super::{Dumped, restore};

/// What a server gives each index anew, or that means something on one node only; docs/elasticsearch.md has the list.
const STRIPPED: [&str; 7] = [
    "creation_date",
    "creation_date_string",
    "provided_name",
    "replication",
    "routing",
    "uuid",
    "version",
];

/// By our own restore, into a server that is empty.
pub(crate) fn by_us(version: Version) {
    let source = Elastic::start(version).unwrap();
    let loaded = kinds::load(&source, "k").unwrap();
    let dumped = Dumped::of(&source.url(), &["--hidden"]);
    assert_eq!(dumped.run.code(), Some(0), "{:?}", dumped.run);
    let documents: usize = (loaded.indices.iter().chain(&loaded.streams))
        .map(|name| source.documents(name).unwrap().len())
        .sum();
    assert_eq!(dumped.rows(), documents as u64);

    let target = Elastic::start(version).unwrap();
    let run = restore(dumped.path(), &target.url(), &[]).run().unwrap();
    assert_eq!(run.code(), Some(0), "{run:?}");
    same(&source, &target, &loaded);
    assert_eq!(source.open_contexts().unwrap(), 0);
    assert_eq!(target.open_contexts().unwrap(), 0);

    // Once more into the same place: only what is told to go goes.
    let run = restore(dumped.path(), &target.url(), &[]).run().unwrap();
    assert_eq!(run.code(), Some(1), "{run:?}");
    assert!(
        run.stderr.contains("exists already on the target"),
        "{run:?}"
    );
    let run = restore(dumped.path(), &target.url(), &["--clean"])
        .run()
        .unwrap();
    assert_eq!(run.code(), Some(0), "{run:?}");
    same(&source, &target, &loaded);
}

/// By a drill beside the source, of which nothing is left.
pub(crate) fn by_a_drill(version: Version) {
    let source = Elastic::start(version).unwrap();
    let loaded = kinds::load(&source, "k").unwrap();
    let before = everything(&source, &loaded);
    let dumped = Dumped::of(&source.url(), &["--hidden"]);
    let run = ksnapshot_tests::Ksnapshot::new(["verify", "--level", "restore"])
        .arg(dumped.path())
        .args(["--scratch", &source.url()])
        .run()
        .unwrap();
    assert_eq!(run.code(), Some(0), "{run:?}");
    assert!(run.text().contains("read back and equal"), "{run:?}");
    assert_eq!(everything(&source, &loaded), before);
    assert_eq!(source.open_contexts().unwrap(), 0);
}

/// Names of all indices, streams and definitions of a server.
fn everything(server: &Elastic, loaded: &Loaded) -> Vec<String> {
    let mut names = Vec::new();
    let indices = server
        .get("/_cat/indices?format=json&expand_wildcards=all&h=index")
        .unwrap();
    names.extend(
        indices
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["index"].to_string()),
    );
    for (kind, wanted) in loaded.definitions() {
        if wanted.is_empty() || kind == "_scripts" {
            continue;
        }
        names.push(server.get(&format!("/{kind}")).unwrap().to_string());
    }
    names.sort();
    names
}

#[track_caller]
fn same(source: &Elastic, target: &Elastic, loaded: &Loaded) {
    for index in &loaded.indices {
        let [ours, theirs] = [source, target].map(|server| definition(server, index));
        assert_eq!(theirs, ours, "{index}");
        assert_eq!(
            target.documents(index).unwrap(),
            source.documents(index).unwrap(),
            "{index}"
        );
    }
    for stream in &loaded.streams {
        assert_eq!(
            target.documents(stream).unwrap(),
            source.documents(stream).unwrap(),
            "{stream}"
        );
        let [ours, theirs] = [source, target].map(|server| {
            let told = server.get(&format!("/_data_stream/{stream}")).unwrap();
            let told = &told["data_streams"][0];
            (told["template"].clone(), told["timestamp_field"].clone())
        });
        assert_eq!(theirs, ours, "{stream}");
    }
    for (kind, names) in loaded.definitions() {
        for name in names {
            let path = format!("/{kind}/{}", segment(name));
            let [ours, theirs] = [source, target].map(|server| {
                let mut told = server.get(&path).unwrap();
                stampless(&mut told);
                told
            });
            assert_eq!(theirs, ours, "{path}");
        }
    }
}

/// The settings, mapping and aliases of an index, without what can't be the same.
fn definition(server: &Elastic, index: &str) -> Value {
    let mut told = server.get(&format!("/{}", segment(index))).unwrap();
    let mut told = told[index].take();
    let settings = told["settings"]["index"].as_object_mut().unwrap();
    strip(settings);
    told
}

fn strip(settings: &mut Map<String, Value>) {
    for name in STRIPPED {
        // Of routing only where shards lie; how documents find theirs stays.
        if name == "routing" {
            if let Some(routing) = settings.get_mut(name).and_then(Value::as_object_mut) {
                routing.remove("allocation");
                if routing.is_empty() {
                    settings.remove(name);
                }
            }
        } else {
            settings.remove(name);
        }
    }
}

/// Newer servers tell when a definition was made.
fn stampless(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|key, _| {
                !key.starts_with("created_date") && !key.starts_with("modified_date")
            });
            map.values_mut().for_each(stampless);
        }
        Value::Array(list) => list.iter_mut().for_each(stampless),
        _ => {}
    }
}
