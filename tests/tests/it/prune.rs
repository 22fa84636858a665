//! What `prune` keeps, removes and says, in a folder and in a bucket. What may go wrong with it is among the faults.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::SignedDuration;
use ksnapshot_core::Outcome;
use ksnapshot_tests::tools::{Key, Run};
use ksnapshot_tests::{Ksnapshot, Minio, Postgres, Version};
use serde_json::Value;

use crate::history::History;

const RULES: [&str; 6] = [
    "--keep-last",
    "2",
    "--keep-daily",
    "7",
    "--keep-monthly",
    "3",
];

/// A history of two series, five weeks and three, one with problems now and then.
fn fill(history: &History) {
    history.daily("even", 1..=35);
    for day in 1..=20_i64 {
        let outcome = match day % 3 {
            0 => Outcome::CompleteWithProblems,
            _ => Outcome::Complete,
        };
        history.put("odd", SignedDuration::from_hours(day * 24 + 1), outcome);
    }
}

fn prune(place: &str, args: &[&str], minio: Option<&Minio>) -> Run {
    let run = Ksnapshot::new(["prune", place]).args(args);
    let run = match minio {
        Some(minio) => run.credentials(minio),
        None => run,
    };
    run.run().unwrap()
}

/// A real snapshot among made-up ones, a dry run, the same in earnest, and once more.
fn check(history: &History, place: &str, minio: Option<&Minio>) {
    fill(history);
    let db = Postgres::shared(Version::V15)
        .unwrap()
        .fresh_db("prune")
        .unwrap();
    db.psql("create table t as select generate_series(1, 1000) n")
        .unwrap();
    let key = Key::generate().unwrap();
    let real = Ksnapshot::new([
        "dump",
        &db.url(),
        "--name",
        "even",
        "--recipient",
        key.recipient(),
    ]);
    let real = real.args(["--to", place]).password();
    let real = minio
        .into_iter()
        .fold(real, |run, minio| run.credentials(minio))
        .run()
        .unwrap()
        .success()
        .unwrap();
    let real = real.text().trim().to_owned();

    let mut args = RULES.to_vec();
    args.extend(["--max-delete", "80%"]);
    let before = history.objects();
    let mut dry = args.clone();
    dry.push("--dry-run");
    let dry = prune(place, &dry, minio).success().unwrap();
    assert!(dry.stderr.contains("would be removed: "), "{dry:?}");
    assert_eq!(history.objects(), before, "a dry run changes nothing");
    let mut json = args.clone();
    json.extend(["--json", "-n"]);
    let json = prune(place, &json, minio).success().unwrap();

    let run = prune(place, &args, minio).success().unwrap();
    assert_eq!(run.text(), dry.text(), "the very same table");
    let kept = history.whole();
    let told: Vec<Value> = json
        .text()
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let (summary, lines) = told.split_last().unwrap();
    let of = |decision: &str| -> BTreeSet<String> {
        let lines = lines.iter().filter(|line| line["decision"] == decision);
        lines
            .map(|line| line["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(of("keep"), kept);
    assert_eq!(summary["removed"], of("remove").len());
    assert_eq!(summary["dry_run"], true);
    assert_eq!(
        history.objects().len(),
        3 * kept.len(),
        "nothing of others is left"
    );
    assert!(kept.contains(&real));
    let verify = Ksnapshot::new(["verify", &format!("{place}#{real}")]);
    let verify = minio
        .into_iter()
        .fold(verify, |run, minio| run.credentials(minio));
    verify.run().unwrap().success().unwrap();
    for line in lines {
        let rules = line["rules"].as_array().unwrap();
        assert!(!rules.is_empty(), "every decision has its reason: {line}");
    }

    let again = prune(place, &args, minio).success().unwrap();
    assert!(again.stderr.contains("removed: 0 snapshots, "), "{again:?}");
    assert_eq!(history.whole(), kept);
    db.drop().unwrap();
}

#[test]
fn a_dry_run_tells_what_the_real_one_does_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let history = History::in_folder(folder.path());
    check(&history, folder.path().to_str().unwrap(), None);
}

#[test]
fn a_dry_run_tells_what_the_real_one_does_in_a_bucket() {
    let minio = Minio::shared().unwrap();
    minio.bucket("prune").unwrap();
    let history = History::in_bucket(minio, "prune");
    check(&history, &minio.url("prune", "p"), Some(minio));
}

#[test]
fn the_table_names_the_rules() {
    let folder = tempfile::tempdir().unwrap();
    let history = History::in_folder(folder.path());
    let ids = history.daily("db", [0, 1, 2, 3]);
    let args = [
        "--keep-last",
        "1",
        "--keep-within",
        "1d",
        "--keep-weekly",
        "1",
        "-n",
    ];
    let run = prune(folder.path().to_str().unwrap(), &args, None)
        .success()
        .unwrap();
    let text = run.text();
    let line = |id: &str| {
        let found = text.lines().find(|line| line.starts_with(id));
        found
            .unwrap_or_else(|| panic!("no {id}: {run:?}"))
            .to_owned()
    };
    assert!(text.starts_with("ID "), "{text}");
    let newest = line(&ids[0]);
    assert!(
        newest.contains("keep ") && newest.contains("  last, weekly 20"),
        "{newest}"
    );
    assert!(newest.ends_with(", within 1d"), "{newest}");
    assert!(
        line(&ids[3]).ends_with("remove    no rule names it"),
        "{text}"
    );
}

#[test]
fn only_the_chosen_series_is_pruned() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let history = History::in_folder(folder.path());
    let (a, b) = (history.daily("a", 1..=3), history.daily("b", 1..=3));
    let args = ["--keep-last", "1", "--name", "a"];
    prune(place, &args, None).success().unwrap();
    let expected: BTreeSet<_> = b.into_iter().chain(a.into_iter().take(1)).collect();
    assert_eq!(history.whole(), expected);
    let args = ["--keep-last", "1", "--database", "nothing"];
    let run = prune(place, &args, None).exits(10).unwrap();
    assert!(run.stderr.contains("hint: "), "{run:?}");
    let nowhere = Path::new(place).join("nowhere");
    prune(nowhere.to_str().unwrap(), &["--keep-last", "1"], None)
        .exits(10)
        .unwrap();
}
