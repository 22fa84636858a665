//! What the first ksnapshot did wrong, and what is the same for every workload.

use std::collections::BTreeMap;
use std::path::Path;

use k8s_openapi::api::batch::v1::CronJob;
use ksnapshot_operator::decide::Action;
use ksnapshot_operator::job::{JobPlan, Step};
use ksnapshot_operator::objects::{Credentials, Desired};
use ksnapshot_operator::world::{Found, Lookup};
use ksnapshot_operator::{Workload, judge};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::golden;
use super::seen::{Seen, put};

/// A database with its CronJob, as in a case.
fn case(name: &str) -> Seen {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("operator/{name}.yaml"));
    golden::read(&file)
}

/// One that is set up: `pg`, a StatefulSet whose password is in a Secret.
fn set_up() -> Seen {
    let mut seen = case("secret-key-references");
    seen.act(AT).unwrap();
    assert_eq!(seen.actual.cron_jobs.len(), 1);
    seen
}

const AT: &str = "2026-11-29T11:00:00Z";

/// Whatever is decided, everything stays.
#[track_caller]
fn stays(mut seen: Seen) {
    // However often it is looked at.
    for _ in 0..3 {
        for action in seen.act(AT).unwrap() {
            assert!(!is_removal(&action), "{action:?}");
        }
    }
    assert_eq!(
        (seen.actual.cron_jobs.len(), seen.actual.secrets.len()),
        (1, 1)
    );
}

pub(super) fn is_removal(action: &Action) -> bool {
    matches!(
        action,
        Action::DeleteCronJob { .. } | Action::DeleteSecret { .. }
    )
}

fn pg() -> Workload {
    "shop/StatefulSet/pg".parse().unwrap()
}

fn change_pods(seen: &mut Seen, change: impl Fn(&mut k8s_openapi::api::core::v1::Pod)) {
    for pod in &mut seen.world.pods {
        change(std::sync::Arc::make_mut(pod));
    }
}

#[test]
fn a_pod_that_does_not_run_deletes_nothing() {
    for phase in ["Pending", "Failed", "Succeeded", "Unknown"] {
        let mut seen = set_up();
        change_pods(&mut seen, |pod| {
            pod.status.as_mut().unwrap().phase = Some(phase.to_owned())
        });
        stays(seen);
    }
    let mut none = set_up();
    none.world.pods.clear();
    stays(none);
}

#[test]
fn a_second_service_deletes_nothing() {
    let mut seen = set_up();
    let mut second = seen.world.services[0].as_ref().clone();
    second.metadata.name = Some("pg-too".to_owned());
    put(&mut seen.world.services, second);
    stays(seen.clone());
    seen.world.services.clear();
    stays(seen);
}

#[test]
fn an_unreadable_secret_deletes_nothing() {
    let secret = Lookup::Secret {
        namespace: "shop".to_owned(),
        name: "pg".to_owned(),
    };
    for found in [
        Found::Missing,
        Found::Forbidden,
        Found::Failed("no answer".to_owned()),
    ] {
        let mut seen = set_up();
        assert!(seen.world.lookups.insert(secret.clone(), found).is_some());
        stays(seen);
    }
}

#[test]
fn mixed_annotations_delete_nothing() {
    for (key, value) in [
        ("enabled", Some("false")),
        ("enabled", None),
        ("schedule", Some("0 4 * * *")),
        ("nonsense", Some("x")),
    ] {
        let mut seen = set_up();
        let mut other = seen.world.pods[0].as_ref().clone();
        other.metadata.name = Some("pg-1".to_owned());
        let annotations = other.metadata.annotations.as_mut().unwrap();
        let key = format!("{}/{key}", ksnapshot_core::DOMAIN);
        annotations.remove(&key);
        annotations.extend(value.map(|value| (key, value.to_owned())));
        put(&mut seen.world.pods, other);
        stays(seen);
    }
}

#[test]
fn a_namespace_that_was_not_seen_deletes_nothing() {
    let mut seen = set_up();
    seen.world.pods.clear();
    seen.world.services.clear();
    seen.known.seen.clear();
    // Not even when the owner is said to be gone: nobody has looked for it yet.
    seen.known.owners.insert(pg(), Found::Missing);
    stays(seen);
}

#[test]
fn a_failing_api_server_deletes_nothing() {
    // Nothing that is looked up can be read, a ReplicaSet included.
    let mut seen = case("mysql-deployment");
    seen.act(AT).unwrap();
    for found in seen.world.lookups.values_mut() {
        *found = Found::Failed("no answer".to_owned());
    }
    stays(seen);
    // The owner can't be asked for.
    for found in [
        Found::Failed("no answer".to_owned()),
        Found::Forbidden,
        Found::Owner,
    ] {
        let mut seen = set_up();
        seen.world.pods.clear();
        seen.known.owners.insert(pg(), found);
        stays(seen);
    }
}

#[test]
fn what_was_not_looked_up_yet_deletes_nothing() {
    let mut seen = set_up();
    seen.world.lookups.clear();
    let discovery = ksnapshot_operator::discover(&seen.world, &seen.settings);
    assert!(!discovery.lacking(&seen.world).is_empty());
    let actions = ksnapshot_operator::decide(&discovery, &seen.actual, &seen.known, &seen.settings);
    assert!(actions.is_empty(), "{actions:?}");
}

#[test]
fn an_owner_that_is_gone_takes_everything_with_it() {
    let mut seen = set_up();
    seen.world.pods.clear();
    let asked = seen.decide();
    assert!(
        matches!(&asked[..], [Action::AskOwner(owner)] if *owner == pg()),
        "{asked:?}"
    );
    seen.known.owners.insert(pg(), Found::Missing);
    let gone = seen.act(AT).unwrap();
    assert!(gone.iter().all(is_removal) && gone.len() == 2, "{gone:?}");
    assert!(seen.actual.cron_jobs.is_empty() && seen.actual.secrets.is_empty());
}

#[test]
fn backups_are_off_only_when_it_was_read_twice() {
    for value in [Some("false"), Some("True"), None] {
        let mut seen = set_up();
        change_pods(&mut seen, |pod| {
            let annotations = pod.metadata.annotations.as_mut().unwrap();
            annotations.clear();
            annotations.extend(
                value.map(|v| (format!("{}/enabled", ksnapshot_core::DOMAIN), v.to_owned())),
            );
        });
        let asked = seen.decide();
        assert!(
            matches!(&asked[..], [Action::ConfirmOff(owner)] if *owner == pg()),
            "{asked:?}"
        );
        stays(seen.clone());
        seen.known.confirmed_off.insert(pg());
        let gone = seen.act(AT).unwrap();
        assert!(gone.iter().all(is_removal) && gone.len() == 2, "{gone:?}");
    }
    // What was confirmed before counts for nothing once a pod says something else.
    let mut seen = set_up();
    seen.known.confirmed_off.insert(pg());
    stays(seen);
}

#[test]
fn a_headless_service_is_no_ambiguity() {
    let mut seen = case("headless-and-normal");
    let [Action::ApplySecret(_), Action::ApplyCronJob(cron_job)] = &seen.decide()[..] else {
        panic!("a CronJob and its Secret");
    };
    assert_eq!(
        env(&cron_job.value)["POSTGRESQL_HOST"],
        "pg.shop.svc.cluster.local"
    );
}

#[test]
fn owners_of_different_kinds_do_not_collide() {
    let mut seen = case("same-name-of-two-kinds");
    seen.act(AT).unwrap();
    assert_eq!(
        (seen.actual.cron_jobs.len(), seen.actual.secrets.len()),
        (2, 2)
    );
    let series = |cron_job: &CronJob| {
        env(&serde_json::to_value(cron_job).unwrap())["KSNAPSHOT_NAME"].clone()
    };
    let names: Vec<String> = seen
        .actual
        .cron_jobs
        .iter()
        .map(|cron_job| series(cron_job))
        .collect();
    assert_eq!(names, ["shop.deployment.db", "shop.statefulset.db"]);
}

#[test]
fn the_namespace_is_in_the_name_of_the_series() {
    each_made(|case, made| {
        let owner =
            &made.value["metadata"]["annotations"][format!("{}/owner", ksnapshot_core::DOMAIN)];
        if let Some(owner) = owner.as_str() {
            let owner: Workload = owner.parse().unwrap();
            let series = &env(&made.value)["KSNAPSHOT_NAME"];
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
    let from =
        |name: &str| variable(&cron_job.value, name)["valueFrom"]["configMapKeyRef"]["key"].clone();
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
            let container = container(&cron_job.value);
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
            let plan = JobPlan::from_env(&job_env(&Desired { name, value }, &data));
            assert!(plan.is_ok(), "{case}: {plan:?}");
        }
    }
}

#[test]
fn nothing_is_staged() {
    each_made(|case, made| {
        let pod = &pod(&made.value);
        let tmp = json!([{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}]);
        assert_eq!(pod["volumes"], tmp, "{case}");
        let mounts = &container(&made.value)["volumeMounts"];
        assert_eq!(
            *mounts,
            json!([{"name": "tmp", "mountPath": "/tmp"}]),
            "{case}"
        );
    });
}

#[test]
fn a_copied_secret_is_written_on_change_only_and_goes_with_its_cron_job() {
    let mut seen = set_up();
    assert!(seen.decide().is_empty(), "written again");
    let copied = seen.actual.secrets[0].data.clone().unwrap();
    let keys: Vec<&str> = copied.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "POSTGRESQL_DATABASE",
            "POSTGRESQL_PASSWORD",
            "POSTGRESQL_USERNAME"
        ],
        "only what is needed"
    );
    let changed = case("secret-changed").decide();
    assert!(
        matches!(&changed[..], [Action::ApplySecret(_)]),
        "{changed:?}"
    );
    let gone = case("no-pods-and-owner-gone").decide();
    let secret = |action: &Action| matches!(action, Action::DeleteSecret { .. });
    assert!(gone.iter().any(secret), "{gone:?}");
}

#[test]
fn nothing_that_did_not_change_is_written() {
    for file in golden::cases() {
        let mut seen = golden::read(&file);
        // One pass makes CronJobs, the next one runs what is triggered and removes what was replaced.
        for _ in 0..3 {
            seen.act(AT).unwrap();
        }
        let left: Vec<Action> = seen
            .decide()
            .into_iter()
            .filter(|a| !matches!(a, Action::AskOwner(_) | Action::ConfirmOff(_)))
            .collect();
        assert!(left.is_empty(), "{}: {left:?}", file.display());
    }
}

#[test]
fn what_others_add_is_theirs() {
    let mut seen = set_up();
    let mut cron_job = seen.actual.cron_jobs[0].as_ref().clone();
    let template = &mut cron_job
        .spec
        .as_mut()
        .unwrap()
        .job_template
        .spec
        .as_mut()
        .unwrap()
        .template;
    let pod = template.spec.as_mut().unwrap();
    let mut sidecar = pod.containers[0].clone();
    sidecar.name = "sidecar".to_owned();
    pod.containers.insert(0, sidecar);
    let injected = json!({"name": "HTTPS_PROXY", "value": "http://proxy.example.com"});
    let env = pod.containers[1].env.as_mut().unwrap();
    env.insert(0, serde_json::from_value(injected).unwrap());
    put(&mut seen.actual.cron_jobs, cron_job.clone());
    assert!(seen.decide().is_empty());
    // … but what is ours is not.
    let template = &mut cron_job
        .spec
        .as_mut()
        .unwrap()
        .job_template
        .spec
        .as_mut()
        .unwrap()
        .template;
    template.spec.as_mut().unwrap().containers[1]
        .env
        .as_mut()
        .unwrap()
        .pop();
    put(&mut seen.actual.cron_jobs, cron_job);
    assert!(matches!(&seen.decide()[..], [Action::ApplyCronJob(_)]));
}

#[test]
fn a_triggered_run_does_what_is_asked_for_now() {
    let actions = case("trigger-with-a-change").decide();
    let jobs: Vec<&Desired> = made(&actions)
        .filter(|made| made.value["kind"] == "Job")
        .collect();
    let [job] = &jobs[..] else {
        panic!("{actions:?}");
    };
    assert_eq!(env(&job.value)["KSNAPSHOT_COMPRESSION"], "none");
}

#[test]
fn a_value_that_was_triggered_before_runs_again_after_another_one() {
    let mut seen = set_up();
    let mut names = Vec::new();
    for value in ["one", "two", "one"] {
        change_pods(&mut seen, |pod| {
            let annotations = pod.metadata.annotations.as_mut().unwrap();
            annotations.insert(
                format!("{}/trigger", ksnapshot_core::DOMAIN),
                value.to_owned(),
            );
        });
        let before = seen.decide();
        let actions = seen.act(AT).unwrap();
        // Tried again because the first try came to nothing, it is the same Job.
        let name = |actions: &[Action]| made(actions).next().unwrap().name.clone();
        assert_eq!(name(&before), name(&actions));
        names.push(name(&actions));
        assert!(seen.decide().is_empty(), "{value} runs once");
    }
    let different: std::collections::BTreeSet<&String> = names.iter().collect();
    assert_eq!(different.len(), 3, "{names:?}");
}

#[test]
fn a_run_is_counted_when_its_pod_has_ended() {
    let early = case("run-whose-pod-is-not-seen-to-end").decide();
    assert!(early.is_empty(), "{early:?}");
    let [Action::Record { record, .. }] = &case("run-complete").decide()[..] else {
        panic!("one run");
    };
    assert_eq!(record.consecutive_failures, 0);
    let [Action::Record { record, .. }] = &case("run-without-a-word").decide()[..] else {
        panic!("one run");
    };
    assert_eq!(record.consecutive_failures, 1, "no report, no success");
}

#[test]
fn every_cron_job_is_secured_and_limited() {
    each_made(|case, made| {
        let value = &made.value;
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
        let names: std::collections::BTreeSet<&str> = variables
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

fn made(actions: &[Action]) -> impl Iterator<Item = &Desired> {
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
fn env(value: &Value) -> BTreeMap<String, String> {
    let variables = container(value)["env"].as_array().unwrap().iter();
    let values = variables.filter_map(|var| Some((var["name"].as_str()?, var["value"].as_str()?)));
    values
        .map(|(name, value)| (name.to_owned(), value.replace("$$", "$")))
        .collect()
}

/// What a Job sees: with the Secrets, and with a bucket.
fn job_env(made: &Desired, secrets: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut all = env(&made.value);
    for var in container(&made.value)["env"].as_array().unwrap() {
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
