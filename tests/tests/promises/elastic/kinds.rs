//! Everything that a server knows comes back.

use ksnapshot_tests::elastic::kinds::{self, Loaded};
use ksnapshot_tests::elastic::{Elastic, Version, compare, segment};

use super::{Dumped, restore};

/// By our own restore, into a server that is empty.
pub(crate) fn by_us(version: Version) {
    let source = Elastic::start(version).unwrap();
    let loaded = kinds::load(&source, "k").unwrap();
    let dumped = Dumped::of(&source.url(), &["--hidden"]);
    assert_eq!(dumped.run.code(), Some(0), "{:?}", dumped.run);
    let documents: usize = (loaded.indices.iter().chain(&loaded.streams))
        .map(|name| source.documents(&segment(name)).unwrap().len())
        .sum();
    assert_eq!(dumped.rows(), documents as u64);

    let target = Elastic::start(version).unwrap();
    let run = restore(dumped.path(), &target.url(), &[]).run().unwrap();
    assert_eq!(run.code(), Some(0), "{run:?}");
    compare::same(&source, &target, &loaded).unwrap();
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
    compare::same(&source, &target, &loaded).unwrap();
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
