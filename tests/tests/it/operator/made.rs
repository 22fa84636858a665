//! What is made: the same for every workload where it must be.

use std::collections::{BTreeMap, BTreeSet};

use ksnapshot_operator::decide::Action;
use ksnapshot_operator::job::{JobPlan, Step};
use ksnapshot_operator::objects::{Credentials, Desired};
use ksnapshot_operator::{Workload, judge};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::decisions::{AT, case};
use super::golden;
use super::seen::Seen;

#[test]
fn the_namespace_is_in_the_name_of_the_series() {
    each_made(|case, made| {
        let owner =
            &made.value()["metadata"]["annotations"][format!("{}/owner", ksnapshot_core::DOMAIN)];
        if let Some(owner) = owner.as_str() {
            let owner: Workload = owner.parse().unwrap();
            let series = &env(&made.value())["KSNAPSHOT_NAME"];
            assert_eq!(*series, owner.series_name(), "{case}");
            assert!(
                series.starts_with(&format!("{}.", owner.namespace)),
                "{case}: {series}"
            );
        }
    });
}

#[test]
fn the_endpoint_beats_the_region() {
    let mut seen = case("postgresql-statefulset");
    let actions = seen.decide();
    let cron_job = made(&actions).next().unwrap();
    // Both are handed on; which of them counts is decided where the store is opened.
    let from = |name: &str| {
        variable(&cron_job.value(), name)["valueFrom"]["configMapKeyRef"]["key"].clone()
    };
    assert_eq!(
        [from("BACKEND_S3_REGION"), from("BACKEND_S3_ENDPOINT")],
        ["S3_REGION", "S3_ENDPOINT"]
    );
    let mut env = job_env(cron_job, &credentials(&actions));
    env.insert("BACKEND_S3_REGION".to_owned(), "eu-west-3".to_owned());
    env.insert(
        "BACKEND_S3_ENDPOINT".to_owned(),
        "https://store.example.com".to_owned(),
    );
    let words = words(&JobPlan::from_env(&env).unwrap()).join(" ");
    assert!(
        words.contains("store.example.com") && !words.contains("eu-west-3"),
        "{words}"
    );
}

#[test]
fn search_engines_are_reached_by_their_own_port_scheme_and_login() {
    for (name, url, key) in [
        (
            "elasticsearch-without-login",
            "elasticsearch+http://search.shop.svc.cluster.local:9200",
            None,
        ),
        (
            "elasticsearch-password",
            "elasticsearch+https://elastic@search.shop.svc.cluster.local:9200",
            Some("KSNAPSHOT_SOURCE_PASSWORD"),
        ),
        (
            "elasticsearch-api-key",
            "elasticsearch+https://search.shop.svc.cluster.local:443",
            Some("KSNAPSHOT_SOURCE_API_KEY"),
        ),
    ] {
        let actions = case(name).decide();
        let plan = JobPlan::from_env(&job_env(
            made(&actions).next().unwrap(),
            &credentials(&actions),
        ))
        .unwrap();
        assert!(words(&plan).contains(&url.to_owned()), "{name}: {plan:?}");
        let secret = plan
            .variables
            .iter()
            .find(|(name, _)| name.starts_with("KSNAPSHOT_SOURCE_"));
        assert_eq!(secret.map(|(name, _)| *name), key, "{name}");
    }
}

#[test]
fn no_secret_is_in_what_is_made_or_said() {
    for file in golden::cases() {
        let mut seen = golden::read(&file);
        let name = file.display();
        let discovery = seen.discover();
        let now = "2026-11-29T12:00:00Z".parse().unwrap();
        for verdict in judge(&discovery, &seen.actual, &seen.storage, &seen.settings, now) {
            assert!(
                !format!("{verdict} {verdict:?}").contains("canary"),
                "{name}: {verdict}"
            );
        }
        assert!(!format!("{discovery:?}").contains("canary"), "{name}");
        for action in seen.act(AT).unwrap() {
            assert!(!format!("{action:?}").contains("canary"), "{name}");
        }
        for made in seen
            .actual
            .cron_jobs
            .iter()
            .map(|made| serde_json::to_string(made.as_ref()).unwrap())
        {
            assert!(!made.contains("canary"), "{name}: {made}");
        }
        for made in seen
            .actual
            .jobs
            .iter()
            .map(|made| serde_json::to_string(made.as_ref()).unwrap())
        {
            assert!(!made.contains("canary"), "{name}: {made}");
        }
    }
}

#[test]
fn no_secret_is_on_a_command_line() {
    let mut plans = 0;
    for file in golden::cases() {
        let actions = golden::read(&file).decide();
        for cron_job in made(&actions) {
            let value = cron_job.value();
            let container = container(&value);
            assert_eq!(container["args"], json!(["job"]), "{}", file.display());
            assert!(container.get("command").is_none());
            let env = job_env(cron_job, &credentials(&actions));
            // A Secret that is there already is not written again, and not known here.
            if let Ok(plan) = JobPlan::from_env(&env) {
                let words = words(&plan).join(" ");
                assert!(!words.contains("canary"), "{}: {words}", file.display());
                plans += 1;
            }
        }
    }
    assert!(plans > 60, "{plans} plans");
}

#[test]
fn what_is_made_is_what_a_job_takes() {
    for file in golden::cases() {
        let mut seen = golden::read(&file);
        seen.act(AT).unwrap();
        jobs_take(&seen, &file.display().to_string());
    }
}

/// Every CronJob that is there makes a Job that begins.
pub(super) fn jobs_take(seen: &Seen, case: &str) {
    for cron_job in &seen.actual.cron_jobs {
        let name = cron_job.metadata.name.clone().unwrap();
        let secret = format!("{name}-credentials");
        let secrets = seen
            .actual
            .secrets
            .iter()
            .filter(|s| s.metadata.name.as_ref() == Some(&secret));
        let data = secrets.flat_map(|secret| secret.data.clone().unwrap_or_default());
        let data = data
            .map(|(key, value)| (key, String::from_utf8(value.0).unwrap()))
            .collect();
        let value = serde_json::to_value(cron_job.as_ref()).unwrap();
        if container(&value).is_object() {
            let plan = JobPlan::from_env(&job_env(&Desired::new(name, &value), &data));
            assert!(plan.is_ok(), "{case}: {plan:?}");
        }
    }
}

#[test]
fn nothing_is_staged() {
    each_made(|case, made| {
        let value = made.value();
        let pod = &pod(&value);
        let tmp = json!([{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}]);
        assert_eq!(pod["volumes"], tmp, "{case}");
        let mounts = &container(&value)["volumeMounts"];
        assert_eq!(
            *mounts,
            json!([{"name": "tmp", "mountPath": "/tmp"}]),
            "{case}"
        );
    });
}

#[test]
fn every_cron_job_is_secured_and_limited() {
    each_made(|case, made| {
        let value = &made.value();
        let is_job = value["kind"] == "Job";
        let spec = if is_job {
            &value["spec"]
        } else {
            &value["spec"]["jobTemplate"]["spec"]
        };
        let labels = &value["metadata"]["labels"];
        assert_eq!(
            labels["app.kubernetes.io/managed-by"], "ksnapshot",
            "{case}"
        );
        assert!(
            ["backup", "prune"].contains(&labels["app.kubernetes.io/component"].as_str().unwrap()),
            "{case}"
        );
        let cron_job = labels["ksnapshot.clickandmortar.fr/cronjob"]
            .as_str()
            .unwrap();
        if !is_job {
            assert_eq!(cron_job, made.name, "{case}");
            assert!(made.name.len() <= 52, "{case}");
            let template = &value["spec"]["jobTemplate"];
            for inner in [
                &template["metadata"]["labels"],
                &template["spec"]["template"]["metadata"]["labels"],
            ] {
                for (key, value) in inner.as_object().unwrap() {
                    assert_eq!(labels[key], *value, "{case}");
                }
                assert_eq!(inner.as_object().unwrap().len(), 3, "{case}");
            }
            has(
                &value["spec"],
                &json!({
                    "concurrencyPolicy": "Forbid",
                    "successfulJobsHistoryLimit": 1,
                    "failedJobsHistoryLimit": 1,
                }),
                case,
            );
        }
        assert!(made.name.len() <= 63, "{case}");
        assert!(
            spec["activeDeadlineSeconds"].as_u64().unwrap() >= 14400,
            "{case}"
        );
        has(
            spec,
            &json!({
                "backoffLimit": 0,
                "ttlSecondsAfterFinished": 86400,
                "template": {"spec": {
                    "restartPolicy": "Never",
                    "automountServiceAccountToken": false,
                    "serviceAccountName": "ksnapshot-backup-sa",
                    "securityContext": {
                        "runAsNonRoot": true,
                        "runAsUser": 65532,
                        "runAsGroup": 65532,
                        "fsGroup": 65532,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                }},
            }),
            case,
        );
        let pod = pod(value);
        assert_eq!(pod["containers"].as_array().unwrap().len(), 1, "{case}");
        has(
            container(value),
            &json!({
                "name": "job",
                "imagePullPolicy": "IfNotPresent",
                "securityContext": {
                    "allowPrivilegeEscalation": false,
                    "readOnlyRootFilesystem": true,
                    "capabilities": {"drop": ["ALL"]},
                },
            }),
            case,
        );
        let variables = container(value)["env"].as_array().unwrap();
        let names: BTreeSet<&str> = variables
            .iter()
            .map(|v| v["name"].as_str().unwrap())
            .collect();
        assert_eq!(names.len(), variables.len(), "{case}: a variable twice");
        for field in [
            "hostNetwork",
            "hostPID",
            "hostIPC",
            "initContainers",
            "hostUsers",
        ] {
            assert!(pod.get(field).is_none(), "{case}: {field}");
        }
    });
}

/// Everything of `wanted` is in `there`, as it is.
fn has(there: &Value, wanted: &Value, case: &str) {
    for (key, value) in wanted.as_object().unwrap() {
        if value.is_object() {
            has(&there[key], value, case);
        } else {
            assert_eq!(there[key], *value, "{case}: {key}");
        }
    }
}

/// Every CronJob and Job that any case makes.
fn each_made(check: impl Fn(&str, &Desired)) {
    let mut count = 0;
    for file in golden::cases() {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let actions = golden::read(&file).decide();
        for made in made(&actions) {
            check(&name, made);
            count += 1;
        }
    }
    assert!(count > 80, "{count} CronJobs and Jobs");
}

pub(super) fn made(actions: &[Action]) -> impl Iterator<Item = &Desired> {
    actions.iter().filter_map(|action| match action {
        Action::ApplyCronJob(made) | Action::Trigger { job: made, .. } => Some(made),
        _ => None,
    })
}

fn pod(value: &Value) -> &Value {
    let job = if value["kind"] == "Job" {
        &value["spec"]
    } else {
        &value["spec"]["jobTemplate"]["spec"]
    };
    &job["template"]["spec"]
}

fn container(value: &Value) -> &Value {
    &pod(value)["containers"][0]
}

fn variable<'v>(value: &'v Value, name: &str) -> &'v Value {
    let mut variables = container(value)["env"].as_array().unwrap().iter();
    variables.find(|var| var["name"] == name).unwrap()
}

/// Variables that have a value of their own.
pub(super) fn env(value: &Value) -> BTreeMap<String, String> {
    let variables = container(value)["env"].as_array().unwrap().iter();
    let values = variables.filter_map(|var| Some((var["name"].as_str()?, var["value"].as_str()?)));
    values
        .map(|(name, value)| (name.to_owned(), value.replace("$$", "$")))
        .collect()
}

/// What a Job sees: with the Secrets, and with a bucket.
fn job_env(made: &Desired, secrets: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut all = env(&made.value());
    for var in container(&made.value())["env"].as_array().unwrap() {
        let name = var["name"].as_str().unwrap();
        let from = &var["valueFrom"]["secretKeyRef"];
        if let Some(value) = from["key"].as_str().and_then(|key| secrets.get(key)) {
            all.insert(name.to_owned(), value.clone());
        }
    }
    all.insert("BACKEND_BUCKET".to_owned(), "bucket".to_owned());
    all.insert("BACKEND_S3_ACCESS_KEY".to_owned(), "canary-id".to_owned());
    all.insert("BACKEND_S3_SECRET_KEY".to_owned(), "canary-key".to_owned());
    all
}

fn credentials(actions: &[Action]) -> BTreeMap<String, String> {
    let secrets = actions.iter().filter_map(|action| match action {
        Action::ApplySecret(Credentials { data, .. }) => Some(data),
        _ => None,
    });
    let values = secrets
        .flatten()
        .map(|(key, value)| ((*key).to_owned(), value.expose_secret().to_owned()));
    values.collect()
}

fn words(plan: &JobPlan) -> Vec<String> {
    let words = plan.steps.iter().flat_map(|step| match step {
        Step::Dump(dump) => dump.words.clone(),
        Step::Prune(words) => words.clone(),
    });
    words.collect()
}
