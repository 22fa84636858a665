//! Workloads as people write them, and the CronJob or the refusal that comes out.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ksnapshot_operator::decide::{Action, decide};
use ksnapshot_operator::judge;
use serde_json::Value;

use super::seen::Seen;

/// When all of it happens.
const NOW: &str = "2026-11-29T12:00:00Z";

#[test]
fn every_workload_becomes_what_is_written_beside_it() {
    let cases = cases();
    assert!(cases.len() >= 40, "{} cases", cases.len());
    let bless = std::env::var_os("KSNAPSHOT_BLESS").is_some();
    let mut wrong = Vec::new();
    for case in cases {
        let expected = case.with_extension("txt");
        let came = outcome(&fs::read_to_string(&case).unwrap(), &case);
        if bless {
            fs::write(&expected, &came).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != came {
            wrong.push(format!("{}:\n{came}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{} cases differ:\n\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_secret_is_in_what_is_said() {
    for case in cases() {
        let text = fs::read_to_string(case.with_extension("txt")).unwrap();
        assert!(!text.contains("canary"), "{}", case.display());
    }
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("operator");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .collect();
    cases.sort();
    cases
}

/// What is said of each workload, and what is done.
fn outcome(manifests: &str, case: &Path) -> String {
    let mut seen = Seen::read(manifests).unwrap_or_else(|e| panic!("{}: {e:#}", case.display()));
    let now: Timestamp = NOW.parse().unwrap();
    let discovery = seen.discover();
    let mut text = String::new();
    for verdict in judge(&discovery, &seen.actual, &seen.storage, &seen.settings, now) {
        writeln!(text, "{verdict}").unwrap();
    }
    for action in decide(&discovery, &seen.actual, &seen.known, &seen.settings) {
        writeln!(text, "\n{}", describe(&action)).unwrap();
    }
    text
}

fn describe(action: &Action) -> String {
    match action {
        // Its values don't print.
        Action::ApplySecret(credentials) => format!("apply {credentials:?}"),
        Action::ApplyCronJob(desired) => format!("apply CronJob {}", cron_job(&desired.value)),
        Action::Trigger { cron_job, job, value } => format!("run {} of {cron_job} for trigger {value:?}", job.name),
        Action::Record { cron_job, record, .. } => format!("record of {cron_job}: {record:?}"),
        Action::DeleteCronJob { name, why, .. } => format!("delete CronJob {name}: {why}"),
        Action::DeleteSecret { name, .. } => format!("delete Secret {name}"),
        Action::AskOwner(owner) => format!("ask for {owner}"),
        Action::ConfirmOff(owner) => format!("confirm that backups of {owner} are off"),
    }
}

/// The fields that differ from workload to workload; those that never do have a test of their own.
fn cron_job(value: &Value) -> String {
    let spec = &value["spec"];
    let pod = &spec["jobTemplate"]["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let mut text = format!("{}\n", value["metadata"]["name"].as_str().unwrap());
    writeln!(text, "  schedule {} {}", spec["schedule"], spec["timeZone"]).unwrap();
    for (name, value) in [
        ("suspend", &spec["suspend"]),
        ("startingDeadlineSeconds", &spec["startingDeadlineSeconds"]),
        ("activeDeadlineSeconds", &spec["jobTemplate"]["spec"]["activeDeadlineSeconds"]),
        ("image", &container["image"]),
        ("resources", &container["resources"]),
    ] {
        writeln!(text, "  {name} {value}").unwrap();
    }
    for var in container["env"].as_array().unwrap() {
        let from = &var["valueFrom"];
        let value = match (&from["secretKeyRef"], &from["configMapKeyRef"]) {
            (Value::Null, Value::Null) => var["value"].to_string(),
            (Value::Null, map) => format!("ConfigMap {} {}", map["name"], map["key"]),
            (secret, _) => format!("Secret {} {}", secret["name"], secret["key"]),
        };
        writeln!(text, "  {} = {value}", var["name"].as_str().unwrap()).unwrap();
    }
    text.trim_end().to_owned()
}
