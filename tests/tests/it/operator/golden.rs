//! Workloads as people write them, and the CronJob or the refusal that comes out.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ksnapshot_operator::decide::Action;
use ksnapshot_operator::judge;
use ksnapshot_operator::objects::{Credentials, Desired, applied_annotation};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::seen::Seen;

/// When all of it happens.
const NOW: &str = "2026-11-29T12:00:00Z";
/// What each CronJob for backups has unless something else is asked for; the whole of one is in
/// `postgresql-statefulset.json`.
const USUAL: [&str; 14] = [
    "suspend false",
    "startingDeadlineSeconds 3600",
    "activeDeadlineSeconds 14400",
    "image \"ksnapshot:test\"",
    "resources {}",
    "BACKEND_TYPE \"s3\"",
    "BACKEND_PATH \"ksnapshot\"",
    "BACKEND_BUCKET of ConfigMap ksnapshot-cm: S3_BUCKET",
    "BACKEND_S3_REGION of ConfigMap ksnapshot-cm: S3_REGION",
    "BACKEND_S3_ENDPOINT of ConfigMap ksnapshot-cm: S3_ENDPOINT",
    "BACKEND_S3_ACCESS_KEY of Secret ksnapshot-secret: AWS_ACCESS_KEY_ID",
    "BACKEND_S3_SECRET_KEY of Secret ksnapshot-secret: AWS_SECRET_ACCESS_KEY",
    "KSNAPSHOT_COMPRESSION \"gzip:6\"",
    "login:",
];

#[test]
fn every_workload_becomes_what_is_written_beside_it() {
    let bless = std::env::var_os("KSNAPSHOT_BLESS").is_some();
    let mut wrong = Vec::new();
    let cases = cases();
    for case in &cases {
        let expected = case.with_extension("txt");
        let came = outcome(case);
        if bless {
            fs::write(&expected, &came).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != came {
            wrong.push(format!("{}:\n{came}", case.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} cases differ:\n\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(cases.len() >= 45, "{} cases", cases.len());
}

/// One of them in full, as it is applied.
#[test]
fn a_cron_job_is_what_is_written_beside_it() {
    let file = folder().join("postgresql-statefulset.json");
    let actions = read(&file.with_extension("yaml")).decide();
    let made = actions.into_iter().find_map(|action| match action {
        Action::ApplyCronJob(desired) => Some(desired.value()),
        _ => None,
    });
    let mut made = made.unwrap();
    // The sum of all of it says nothing to a reader.
    let applied = applied_annotation();
    made["metadata"]["annotations"][applied.as_str()] = "…".into();
    if std::env::var_os("KSNAPSHOT_BLESS").is_some() {
        fs::write(&file, serde_json::to_string_pretty(&made).unwrap() + "\n").unwrap();
    }
    let expected: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(made, expected);
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("operator")
}

/// The manifests of every case.
pub(super) fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .collect();
    cases.sort();
    cases
}

/// A case as it was seen.
pub(super) fn read(case: &Path) -> Seen {
    Seen::read(&fs::read_to_string(case).unwrap())
        .unwrap_or_else(|e| panic!("{}: {e:#}", case.display()))
}

/// What is said of each workload, and what is done.
fn outcome(case: &Path) -> String {
    let mut seen = read(case);
    let now: Timestamp = NOW.parse().unwrap();
    let mut text = String::new();
    for verdict in judge(
        &seen.discover(),
        &seen.actual,
        &seen.storage,
        &seen.settings,
        now,
    ) {
        writeln!(text, "{verdict}").unwrap();
    }
    let actions = seen.decide();
    if actions.is_empty() {
        writeln!(text, "\nnothing to do").unwrap();
    }
    for action in actions {
        writeln!(text, "\n{}", describe(&action)).unwrap();
    }
    text.trim_start().to_owned()
}

fn describe(action: &Action) -> String {
    match action {
        Action::ApplySecret(credentials) => secret(credentials),
        Action::ApplyCronJob(desired) => cron_job(desired),
        Action::Trigger {
            cron_job,
            job,
            value,
        } => format!("run {} of {cron_job} for trigger {value:?}", job.name),
        Action::Record {
            cron_job, record, ..
        } => {
            format!(
                "remember of {cron_job}: {}",
                serde_json::to_string(record).unwrap()
            )
        }
        Action::DeleteCronJob { name, why, .. } => format!("delete CronJob {name}: {why}"),
        Action::DeleteSecret { name, .. } => format!("delete Secret {name}"),
        Action::AskOwner(owner) => format!("ask for {owner}"),
        Action::ConfirmOff(owner) => format!("confirm that backups of {owner} are off"),
    }
}

/// With its values: where each came from is what it is about. They are the tests' own, and all begin alike.
fn secret(credentials: &Credentials) -> String {
    let mut text = format!("apply Secret {}", credentials.name);
    for (key, value) in &credentials.data {
        write!(
            text,
            "\n  {key} {}",
            value.expose_secret().replace("canary-", "")
        )
        .unwrap();
    }
    text
}

/// The fields that differ from workload to workload, without those that are as usual.
fn cron_job(desired: &Desired) -> String {
    let mut text = format!("apply CronJob {}", desired.name);
    let spec = &desired.value()["spec"];
    let pod = &spec["jobTemplate"]["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let mut lines = vec![format!(
        "schedule {} {}",
        spec["schedule"], spec["timeZone"]
    )];
    for (name, value) in [
        ("suspend", &spec["suspend"]),
        ("startingDeadlineSeconds", &spec["startingDeadlineSeconds"]),
        (
            "activeDeadlineSeconds",
            &spec["jobTemplate"]["spec"]["activeDeadlineSeconds"],
        ),
        ("image", &container["image"]),
        ("resources", &container["resources"]),
    ] {
        lines.push(format!("{name} {value}"));
    }
    let mut login = "login:".to_owned();
    for var in container["env"].as_array().unwrap() {
        let (name, from) = (
            var["name"].as_str().unwrap(),
            &var["valueFrom"]["secretKeyRef"],
        );
        if from["name"] == format!("{}-credentials", desired.name) && from["key"] == name {
            write!(login, " {name}").unwrap();
        } else {
            lines.push(variable(name, var));
        }
    }
    lines.push(login);
    for line in lines.iter().filter(|line| !USUAL.contains(&line.as_str())) {
        write!(text, "\n  {line}").unwrap();
    }
    text
}

fn variable(name: &str, var: &Value) -> String {
    let [secret, map] = ["secretKeyRef", "configMapKeyRef"].map(|key| &var["valueFrom"][key]);
    let of = |kind: &str, from: &Value| {
        let [object, key] = ["name", "key"].map(|field| from[field].as_str().unwrap());
        format!("{name} of {kind} {object}: {key}")
    };
    match (secret.is_null(), map.is_null()) {
        (false, _) => of("Secret", secret),
        (_, false) => of("ConfigMap", map),
        _ => format!("{name} {}", var["value"]),
    }
}
