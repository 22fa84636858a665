//! The corpus of `make fuzz`, by the same laws: what once broke one of them never does again.

#[path = "../../fuzz/src/laws.rs"]
mod laws;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The files of a folder.
fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn every_law_has_a_corpus_that_keeps_it() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let expected: BTreeSet<_> = laws::LAWS.iter().map(|(law, _)| corpus.join(law)).collect();
    assert_eq!(files(&corpus), expected);
    for (name, law) in laws::LAWS {
        let inputs = files(&corpus.join(name));
        assert!(inputs.len() > 5, "{name}: {} inputs", inputs.len());
        for input in inputs {
            // Shown when it fails.
            eprintln!("{}", input.display());
            law(&fs::read(&input).unwrap());
        }
    }
}
