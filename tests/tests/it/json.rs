//! `--json`: every line of every command keeps to docs/json.schema.json.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use ksnapshot_tests::Ksnapshot;
use ksnapshot_tests::tools::Key;
use serde_json::Value;

fn docs(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// Runs it, holds every line against the schema, and tells what kinds of lines there were.
fn check(schema: &Validator, args: &[&str], code: i32, seen: &mut BTreeSet<String>) -> Vec<Value> {
    let run = Ksnapshot::new(["--json"]).args(args).run().unwrap();
    let run = run.exits(code).unwrap();
    let lines: Vec<Value> = (run.text().lines())
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    for line in &lines {
        let wrong: Vec<String> = schema.iter_errors(line).map(|e| e.to_string()).collect();
        assert!(wrong.is_empty(), "{args:?}: {line}: {wrong:?}");
        seen.insert(line["message_type"].as_str().unwrap().to_owned());
    }
    let last = lines
        .last()
        .unwrap_or_else(|| panic!("{args:?} printed nothing"));
    let expected = if matches!(code, 0 | 3) {
        "summary"
    } else {
        "error"
    };
    assert_eq!(last["message_type"], expected, "{args:?}: {last}");
    lines
}

fn schema() -> Validator {
    let schema: Value = serde_json::from_str(&docs("json.schema.json")).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

/// Holds one line against the schema.
#[track_caller]
pub(crate) fn keeps_to_the_schema(line: &Value) {
    let schema = schema();
    let wrong: Vec<String> = schema.iter_errors(line).map(|e| e.to_string()).collect();
    assert!(wrong.is_empty(), "{line}: {wrong:?}");
}

#[test]
fn every_line_is_as_the_schema_says() {
    let schema = &schema();
    let seen = &mut BTreeSet::new();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (store, restored) = (path("store"), path("restored"));
    let key = Key::generate().unwrap();
    let identity = key.identity();
    let identity = identity.to_str().unwrap();
    let keygen = path("made.txt");
    check(schema, &["keygen", "--output", &keygen], 0, seen);
    let dump = |program: &'static [&'static str]| {
        let recipient = key.recipient();
        let fixed = [
            "dump",
            "command",
            "--to",
            &store,
            "--recipient",
            recipient,
            "--",
        ];
        let args = fixed.into_iter().chain(program.iter().copied());
        args.map(ToOwned::to_owned).collect::<Vec<String>>()
    };
    let run = |args: Vec<String>, code, seen: &mut BTreeSet<String>| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        check(schema, &args, code, seen)
    };
    // Longer than the ten seconds between two lines of progress.
    let slow = [
        "bash",
        "-c",
        "for i in $(seq 1 24); do seq 1 200000; sleep 0.5; done; echo told >&2",
    ];
    run(dump(Box::leak(Box::new(slow))), 0, seen);
    run(dump(&["seq", "1", "9"]), 0, seen);
    run(dump(&["true"]), 3, seen);
    run(dump(&["false"]), 1, seen);
    check(
        schema,
        &["dump", "command", "--to", &store, "--", "seq", "3"],
        0,
        seen,
    );
    check(schema, &["list", &store], 0, seen);
    let id = ["--name", "seq", "--identity", identity];
    check(schema, &[&["inspect", &store], &id[..]].concat(), 0, seen);
    check(schema, &[&["verify", &store], &id[..]].concat(), 0, seen);
    let decode = [&["verify", &store, "--level", "decode"], &id[..]].concat();
    check(schema, &decode, 0, seen);
    let restore = [&["restore", &store, "--into", "command"], &id[..]].concat();
    let program = ["--", "bash", "-c", "cat >\"$0\"", &restored];
    check(
        schema,
        &[&restore[..], &["--plan", "--", "true"]].concat(),
        0,
        seen,
    );
    check(schema, &[restore, program.to_vec()].concat(), 0, seen);
    check(schema, &["list", &path("none")], 10, seen);
    check(schema, &["verify", &store, "--name", "nobody"], 10, seen);

    // What a killed dump leaves: an object of another id than any manifest's, and one in the making.
    let whole = find(Path::new(&store), ".out.zst");
    let name = whole.file_name().unwrap().to_str().unwrap();
    let (stem, suffix) = name.split_at(name.len() - "12345678.out.zst".len());
    let orphan = format!("{stem}00000000{}", &suffix[8..]);
    std::fs::write(whole.with_file_name(orphan), "left").unwrap();
    std::fs::create_dir(Path::new(&store).join(".partial-0123456789abcdef")).unwrap();
    let prune = ["prune", &store, "--keep-last", "1", "--orphans-after", "0s"];
    check(schema, &[&prune[..], &["--dry-run"]].concat(), 0, seen);
    check(schema, &prune, 0, seen);
    check(schema, &["prune", &store], 2, seen);

    let page = docs("json.md");
    let told: BTreeSet<String> = (page.lines())
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .map(ToOwned::to_owned)
        .collect();
    assert!(
        seen.is_subset(&told),
        "{seen:?} are not all in docs/json.md"
    );
    let rest: BTreeSet<&str> = ["dump", "job", "list", "restore"].into();
    assert!(rest.iter().all(|name| told.contains(*name)));
    for kind in [
        "status",
        "warning",
        "problem",
        "told",
        "snapshot",
        "orphan",
        "unfinished",
        "summary",
        "error",
    ] {
        assert!(seen.contains(kind), "no {kind} was seen: {seen:?}");
    }
}

fn find(folder: &Path, end: &str) -> PathBuf {
    let files = ksnapshot_tests::tools::files(folder).unwrap();
    let mut found = files
        .into_iter()
        .filter(|file| file.to_str().unwrap().ends_with(end));
    found.next().unwrap()
}
