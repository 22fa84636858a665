//! The operator as people install it: the chart on a real cluster, databases that run there, and a bucket in their reach.

#[path = "installed/bench.rs"]
mod bench;
#[path = "installed/canaries.rs"]
mod canaries;
#[path = "installed/faults.rs"]
mod faults;
#[path = "installed/judges.rs"]
mod judges;
#[path = "installed/readme.rs"]
mod readme;
#[path = "installed/rights.rs"]
mod rights;

use std::collections::BTreeMap;
use std::time::Duration;

use bench::Bench;
use ksnapshot_tests::Cluster;
use serde_json::Value;

/// From the annotation to the restored copy, with exactly the rights of the chart's Roles.
#[test]
fn annotated_databases_are_backed_up_and_restored() {
    let bench = Bench::install(&["--set", "replicaCount=2"]).unwrap();
    let (cluster, shop) = (bench.cluster, bench.shop.as_str());
    bench
        .apply(include_str!("../../cluster/databases.yaml"))
        .unwrap();
    for rollout in [
        "deployment/pg",
        "statefulset/maria",
        "statefulset/search",
        "daemonset/each",
        "statefulset/plain",
    ] {
        let args = ["rollout", "status", rollout, "-n", shop, "--timeout=120s"];
        cluster.kubectl(args).unwrap();
    }
    judges::fill(&bench).unwrap();

    // One CronJob a workload, within seconds; none for what is not annotated.
    let owners = || {
        let jobs = cluster.get(["cronjobs", "-n", &bench.control])?;
        let owners: BTreeMap<String, String> = (jobs["items"].as_array().unwrap().iter())
            .map(|job| {
                let owner = &job["metadata"]["annotations"]["ksnapshot.clickandmortar.fr/owner"];
                let name = job["metadata"]["name"].as_str().unwrap();
                (
                    name.to_owned(),
                    owner.as_str().unwrap().replace(shop, "shop"),
                )
            })
            .collect();
        Ok((owners.len() >= 5).then_some(owners))
    };
    let owners = Cluster::until(Duration::from_secs(30), "the CronJobs", owners).unwrap();
    let kinds: Vec<(&str, &str)> = (owners.iter())
        .map(|(name, owner)| (name.split('-').nth(1).unwrap(), owner.as_str()))
        .collect();
    assert_eq!(
        kinds,
        [
            ("elasticsearch", "shop/StatefulSet/search"),
            ("mariadb", "shop/StatefulSet/maria"),
            ("postgresql", "shop/DaemonSet/each"),
            ("postgresql", "shop/Deployment/pg"),
            ("prune", "shop/Deployment/pg"),
        ]
    );

    // A new value of `trigger` is a run, and only one.
    for app in ["pg", "maria", "search", "each"] {
        bench.annotate(app, "trigger=first").unwrap();
    }
    let jobs = bench.finished_jobs(4).unwrap();
    assert_eq!(jobs.len(), 4, "{jobs:?}");
    for (job, report) in &jobs {
        assert_eq!(
            report["outcome"],
            "complete",
            "{job}: {report}\n{}",
            bench.logs_of(job)
        );
        assert_eq!(report["snapshots"].as_array().unwrap().len(), 1, "{report}");
    }
    judges::restored_by_stock_clients(&bench).unwrap();

    // The same verdicts for people, as events, and as metrics.
    let verdicts = bench.explain(&["-n", shop]).unwrap();
    let said: Vec<(String, &str, &str)> = (verdicts.iter())
        .filter(|v| v["message_type"] == "verdict")
        .map(|v| {
            let text = |key: &str| v[key].as_str().unwrap_or_default();
            (
                format!("{}/{}", text("kind"), text("name")),
                text("state"),
                text("reason"),
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            ("DaemonSet/each".to_owned(), "protected", ""),
            ("Deployment/pg".to_owned(), "protected", ""),
            ("StatefulSet/maria".to_owned(), "protected", ""),
            (
                "StatefulSet/plain".to_owned(),
                "not protected",
                "NotAnnotated"
            ),
            ("StatefulSet/search".to_owned(), "protected", ""),
        ],
        "{verdicts:#?}"
    );
    // An administrator's view of everything says the same of these.
    let all = bench.explain(&["-A"]).unwrap();
    let of_shop: Vec<[&Value; 3]> = (all.iter())
        .filter(|v| v["namespace"] == shop)
        .map(|v| [&v["name"], &v["state"], &v["reason"]])
        .collect();
    let expected: Vec<[&Value; 3]> = (verdicts.iter())
        .filter(|v| v["message_type"] == "verdict")
        .map(|v| [&v["name"], &v["state"], &v["reason"]])
        .collect();
    assert_eq!(of_shop, expected, "{all:#?}");
    let events = cluster.get(["events.events.k8s.io", "-n", shop]).unwrap();
    let events: Vec<(&str, &str)> = (events["items"].as_array().unwrap().iter())
        .map(|e| {
            (
                e["regarding"]["name"].as_str().unwrap(),
                e["reason"].as_str().unwrap(),
            )
        })
        .collect();
    assert!(events.contains(&("plain", "NotAnnotated")), "{events:?}");
    assert!(events.contains(&("pg", "BackupComplete")), "{events:?}");
    let metrics = bench.metrics().unwrap();
    for line in [
        format!(
            "ksnapshot_unprotected_workloads{{namespace=\"{shop}\",reason=\"NotAnnotated\"}} 1"
        ),
        format!(
            "ksnapshot_plan_consecutive_failures{{namespace=\"{shop}\",plan=\"deployment/pg\",type=\"postgresql\"}} 0"
        ),
        format!(
            "ksnapshot_plan_last_problems{{namespace=\"{shop}\",plan=\"statefulset/maria\",type=\"mariadb\"}} 0"
        ),
    ] {
        assert!(metrics.contains(&line), "no {line} in\n{metrics}");
    }
    let succeeded = format!("ksnapshot_plan_last_success_timestamp_seconds{{namespace=\"{shop}\"");
    assert_eq!(metrics.matches(&succeeded).count(), 4, "{metrics}");

    // Retention has a key of its own, and says what it did.
    let prune = owners.keys().find(|name| name.contains("prune")).unwrap();
    bench.run_now(prune).unwrap();
    let jobs = bench.finished_jobs(5).unwrap();
    let prune = jobs
        .values()
        .find(|report| report["task"] == "prune")
        .unwrap();
    assert_eq!(
        (&prune["outcome"], &prune["deleted"]),
        (&"complete".into(), &0.into()),
        "{prune}"
    );

    canaries::appear_nowhere(&bench).unwrap();

    // What is turned off goes after two full reads; what is deleted goes at once; what is scaled to nothing stays.
    bench.annotate("each", "enabled-").unwrap();
    cluster
        .kubectl(["scale", "statefulset/search", "--replicas=0", "-n", shop])
        .unwrap();
    cluster
        .kubectl(["delete", "deployment/pg", "statefulset/maria", "-n", shop])
        .unwrap();
    let left = || {
        let jobs = cluster.get(["cronjobs", "-n", &bench.control])?;
        let names: Vec<&str> = (jobs["items"].as_array().unwrap().iter())
            .map(|job| job["metadata"]["name"].as_str().unwrap())
            .collect();
        Ok((names.len() == 1 && names[0].contains("elasticsearch")).then_some(()))
    };
    Cluster::until(Duration::from_secs(90), "one CronJob", left).unwrap();
    let secrets = || {
        let ours = [
            "secrets",
            "-n",
            &bench.control,
            "-l",
            "app.kubernetes.io/managed-by=ksnapshot",
        ];
        let secrets = cluster.get(ours)?;
        Ok((secrets["items"].as_array().unwrap().len() <= 1).then_some(()))
    };
    Cluster::until(
        Duration::from_secs(30),
        "no Secret without its CronJob",
        secrets,
    )
    .unwrap();
    // The DaemonSet's deletion asks for the last kind of owner.
    bench.annotate("each", "enabled=true").unwrap();
    Cluster::until(Duration::from_secs(30), "its CronJob again", || {
        let jobs = cluster.get(["cronjobs", "-n", &bench.control])?;
        Ok((jobs["items"].as_array().unwrap().len() == 2).then_some(()))
    })
    .unwrap();
    cluster
        .kubectl(["delete", "daemonset/each", "-n", shop])
        .unwrap();
    Cluster::until(Duration::from_secs(60), "no CronJob of it", || {
        let jobs = cluster.get(["cronjobs", "-n", &bench.control])?;
        Ok((jobs["items"].as_array().unwrap().len() == 1).then_some(()))
    })
    .unwrap();

    rights::are_just_enough(&bench).unwrap();
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}
