//! What is decided: above all, what deletes nothing. Each defect of the first ksnapshot has its test.

use std::path::Path;
use std::sync::Arc;

use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::core::v1::Pod;
use ksnapshot_operator::Workload;
use ksnapshot_operator::decide::Action;
use ksnapshot_operator::objects::Desired;
use ksnapshot_operator::world::{Found, Lookup};
use serde_json::json;

use super::golden;
use super::made::{env, made};
use super::seen::{Seen, put};

/// A database with its CronJob, as in a case.
pub(super) fn case(name: &str) -> Seen {
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

pub(super) const AT: &str = "2026-11-29T11:00:00Z";

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

fn change_pods(seen: &mut Seen, change: impl Fn(&mut Pod)) {
    for pod in &mut seen.world.pods {
        change(Arc::make_mut(pod));
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
        env(&cron_job.value())["POSTGRESQL_HOST"],
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
        .filter(|made| made.value()["kind"] == "Job")
        .collect();
    let [job] = &jobs[..] else {
        panic!("{actions:?}");
    };
    assert_eq!(env(&job.value())["KSNAPSHOT_COMPRESSION"], "none");
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
