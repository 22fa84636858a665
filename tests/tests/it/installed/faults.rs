//! What goes wrong in a cluster is said, counted, and never deletes anything.

use std::time::Duration;

use ksnapshot_tests::Cluster;
use serde_json::Value;

use super::bench::Bench;

/// PostgreSQL as a StatefulSet with a Service, annotated with these lines.
fn postgres(name: &str, annotations: &str) -> String {
    format!(
        r#"
apiVersion: v1
kind: Secret
metadata: {{name: {name}}}
stringData: {{password: right}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{selector: {{app: {name}}}, ports: [{{port: 5432}}]}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: {name}}}
spec:
  serviceName: {name}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata:
      labels: {{app: {name}}}
      annotations:
        ksnapshot.clickandmortar.fr/enabled: "true"
        ksnapshot.clickandmortar.fr/type: postgresql
        ksnapshot.clickandmortar.fr/schedule: "0 3 * * *"
        {annotations}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: postgres
          image: postgres:18
          env:
            - {{name: POSTGRES_USER, value: app}}
            - {{name: POSTGRES_PASSWORD, valueFrom: {{secretKeyRef: {{name: {name}, key: password}}}}}}
            - {{name: POSTGRES_DB, value: shop}}
          readinessProbe: {{exec: {{command: [pg_isready, -h, 127.0.0.1, -U, app]}}, periodSeconds: 1}}
"#
    )
}

fn ready(bench: &Bench, name: &str) {
    let set = format!("statefulset/{name}");
    let args = [
        "rollout",
        "status",
        &set,
        "-n",
        &bench.shop,
        "--timeout=60s",
    ];
    bench.cluster.kubectl(args).unwrap();
}

/// The verdict of a workload once it has this reason; empty for one that is protected.
fn verdict(bench: &Bench, name: &str, reason: &str) -> Value {
    let probe = || {
        let verdicts = bench.explain(&[&format!("statefulset/{name}"), "-n", &bench.shop])?;
        let found = verdicts
            .into_iter()
            .find(|v| v["message_type"] == "verdict");
        Ok(found.filter(|v| v["reason"].as_str().unwrap_or_default() == reason))
    };
    Cluster::until(Duration::from_secs(90), &format!("{name}: {reason}"), probe).unwrap_or_else(
        |e| {
            panic!(
                "{e:#}\n{:?}\n{}",
                bench.explain(&["-n", &bench.shop]),
                bench.operator_logs()
            )
        },
    )
}

/// Waits until so many failures in a row are counted.
fn counted(bench: &Bench, name: &str, failures: u32) {
    let line = format!(
        "ksnapshot_plan_consecutive_failures{{namespace=\"{}\",plan=\"statefulset/{name}\",type=\"postgresql\"}} {failures}",
        bench.shop
    );
    said_by_metrics(bench, &line);
}

fn said_by_metrics(bench: &Bench, line: &str) {
    let probe = || {
        Ok(bench
            .metrics()?
            .lines()
            .any(|said| said == line)
            .then_some(()))
    };
    Cluster::until(Duration::from_secs(20), line, probe)
        .unwrap_or_else(|e| panic!("{e:#}\n{:?}", bench.metrics()));
}

fn steps(verdict: &Value) -> String {
    verdict["steps"].to_string()
}

#[test]
fn runs_that_fail_are_said_and_counted() {
    let bench = Bench::install(&[]).unwrap();
    let cluster = bench.cluster;
    bench.apply(&postgres("login", "")).unwrap();
    bench
        .apply(&postgres(
            "memory",
            "ksnapshot.clickandmortar.fr/resources: memory=16Mi",
        ))
        .unwrap();
    bench.apply(&postgres("late", "")).unwrap();
    for name in ["login", "memory", "late"] {
        ready(&bench, name);
        verdict(&bench, name, "");
    }

    // A password that no longer fits; the Secret is read anew, and the next run is a success.
    let sql = |password: &str| format!("alter user app password '{password}'");
    let psql = |name: &str, sql: &str| {
        bench
            .exec(
                name,
                None,
                &["psql", "-XAtqU", "app", "-d", "shop", "-c", sql],
            )
            .unwrap();
    };
    psql("login", &sql("changed"));
    bench.annotate("login", "trigger=wrong").unwrap();
    let said = verdict(&bench, "login", "LastRunFailed");
    assert!(
        steps(&said).contains("password authentication failed") || steps(&said).contains("login"),
        "{said}"
    );
    assert_eq!(said["state"], "at risk");
    counted(&bench, "login", 1);
    let patch = r#"{"stringData":{"password":"changed"}}"#;
    cluster
        .kubectl(["patch", "secret", "login", "-n", &bench.shop, "-p", patch])
        .unwrap();
    // It says when it was read: the copy is another one then.
    let copied = || {
        let jobs = cluster.get([
            "secrets",
            "-n",
            &bench.control,
            "-l",
            "app.kubernetes.io/managed-by=ksnapshot",
        ])?;
        let copied = jobs["items"].as_array().unwrap().iter().any(|secret| {
            // "changed", as Kubernetes writes it.
            secret["data"]["POSTGRESQL_PASSWORD"] == "Y2hhbmdlZA=="
        });
        Ok(copied.then_some(()))
    };
    Cluster::until(Duration::from_secs(100), "the new password", copied).unwrap();
    bench.annotate("login", "trigger=right").unwrap();
    verdict(&bench, "login", "");
    counted(&bench, "login", 0);

    // Killed for memory: by the kernel, and said so.
    psql("memory", "create table t as select repeat('x', 60000000)");
    bench.annotate("memory", "trigger=now").unwrap();
    let said = verdict(&bench, "memory", "LastRunFailed");
    assert!(steps(&said).contains("memory"), "{said}");
    counted(&bench, "memory", 1);

    // Out of time, behind a lock that nobody lets go.
    let pod = bench.pod("late").unwrap();
    psql("late", "create table t (n int)");
    let lock = "begin; lock table t in access exclusive mode; select pg_sleep(600)";
    let script = format!(
        "kubectl exec -n {} {pod} -- psql -XqU app -d shop -c '{lock}' >/dev/null 2>&1 & echo $!",
        bench.shop
    );
    let path = ksnapshot_tests::testbed::home()
        .unwrap()
        .join("cluster/bin");
    let mut shell = ksnapshot_tests::tools::bash(&script, &[]);
    shell.env(
        "PATH",
        format!("{}:{}", path.display(), std::env::var("PATH").unwrap()),
    );
    shell.env("KUBECONFIG", cluster.kubeconfig());
    ksnapshot_tests::tools::run(&mut shell)
        .unwrap()
        .success()
        .unwrap();
    bench.annotate("late", "trigger=now").unwrap();
    let job = Cluster::until(Duration::from_secs(30), "its Job", || {
        let jobs = cluster.get(["jobs", "-n", &bench.control])?;
        Ok((jobs["items"].as_array().unwrap().iter())
            .filter(|job| job["status"]["active"] == 1)
            .find_map(|job| {
                Some(job["metadata"]["name"].as_str()?.to_owned()).filter(|n| n.contains("-late-"))
            }))
    })
    .unwrap();
    let patch = r#"{"spec":{"activeDeadlineSeconds":3}}"#;
    cluster
        .kubectl(["patch", "job", &job, "-n", &bench.control, "-p", patch])
        .unwrap();
    let said = verdict(&bench, "late", "LastRunFailed");
    assert!(steps(&said).contains("DeadlineExceeded"), "{said}");
    let runs = format!(
        "ksnapshot_runs_total{{namespace=\"{}\",plan=\"statefulset/late\",result=\"failed\",reason=\"DeadlineExceeded\"}} 1",
        bench.shop
    );
    said_by_metrics(&bench, &runs);
}

#[test]
fn a_missing_image_is_said() {
    let bench = Bench::install(&[
        "--set",
        "dumperImages.postgresql.v16=ksnapshot.test/missing:1",
    ])
    .unwrap();
    bench.apply(&postgres("db", "")).unwrap();
    ready(&bench, "db");
    verdict(&bench, "db", "");
    bench.annotate("db", "trigger=now").unwrap();
    let said = verdict(&bench, "db", "RunStuck");
    assert!(steps(&said).contains("missing:1"), "{said}");
    assert_eq!(said["state"], "at risk");
}

#[test]
fn the_end_of_a_leader_or_of_the_api_deletes_nothing() {
    let bench = Bench::install_in(
        Box::leak(Box::new(Cluster::start().unwrap())),
        &["--set", "replicaCount=2"],
    )
    .unwrap();
    let cluster = bench.cluster;
    bench.apply(&postgres("db", "")).unwrap();
    ready(&bench, "db");
    verdict(&bench, "db", "");
    let cron_job = || {
        let jobs = cluster.get(["cronjobs", "-n", &bench.control]).unwrap();
        assert_eq!(jobs["items"].as_array().unwrap().len(), 1, "{jobs}");
        jobs["items"][0]["metadata"]["uid"].clone()
    };
    let before = cron_job();

    // The leader is killed, without a word to anybody.
    let lease = cluster.get(["lease", "-n", &bench.control]).unwrap();
    let leader = super::text(&lease, "/items/0/spec/holderIdentity").to_owned();
    cluster
        .kubectl([
            "delete",
            "pod",
            &leader,
            "-n",
            &bench.control,
            "--grace-period=0",
            "--force",
        ])
        .unwrap();
    bench.annotate("db", "trigger=after-the-leader").unwrap();
    bench.finished_jobs(1).unwrap();
    assert_eq!(cron_job(), before);

    // The API server is away for a while; so is everything that was watched.
    cluster.stop("apiserver").unwrap();
    std::thread::sleep(Duration::from_secs(15));
    cluster.resume("apiserver").unwrap();
    Cluster::until(Duration::from_secs(60), "the API", || {
        Ok((cluster.try_kubectl(["get", "--raw", "/readyz"])?.code() == Some(0)).then_some(()))
    })
    .unwrap();
    bench.annotate("db", "trigger=after-the-api").unwrap();
    bench.finished_jobs(2).unwrap();
    assert_eq!(cron_job(), before);
}

#[test]
fn services_that_come_and_go_and_roll_outs_delete_nothing() {
    let bench = Bench::install(&[]).unwrap();
    let cluster = bench.cluster;
    bench.apply(&postgres("db", "")).unwrap();
    ready(&bench, "db");
    verdict(&bench, "db", "");
    let cron_job = || {
        let jobs = cluster.get(["cronjobs", "-n", &bench.control]).unwrap();
        assert_eq!(jobs["items"].as_array().unwrap().len(), 1, "{jobs}");
        let job = &jobs["items"][0];
        let uid = job["metadata"]["uid"].clone();
        (uid, super::text(job, "/spec/schedule").to_owned())
    };
    let before = cron_job();

    // Without its Service nothing leads to it; the CronJob waits for another one.
    let service = cluster.get(["service", "db", "-n", &bench.shop]).unwrap();
    cluster
        .kubectl(["delete", "service", "db", "-n", &bench.shop])
        .unwrap();
    let said = verdict(&bench, "db", "NoService");
    assert_eq!(said["state"], "at risk", "{said}");
    assert_eq!(cron_job(), before);
    let selector = super::text(&service, "/spec/selector/app");
    let again = format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: db}}\nspec: {{selector: {{app: {selector}}}, ports: [{{port: 5432}}]}}\n"
    );
    bench.apply(&again).unwrap();
    verdict(&bench, "db", "");
    assert_eq!(cron_job(), before);

    // A roll-out that stands still half-way: pods of two opinions.
    let roll_out = |patch: &str| {
        let args = ["patch", "statefulset", "db", "-n", &bench.shop, "-p", patch];
        cluster.kubectl(args).unwrap();
    };
    roll_out(r#"{"spec":{"replicas":2,"updateStrategy":{"rollingUpdate":{"partition":1}}}}"#);
    ready(&bench, "db");
    roll_out(
        r#"{"spec":{"template":{"metadata":{"annotations":{"ksnapshot.clickandmortar.fr/schedule":"30 4 * * *"}}}}}"#,
    );
    let said = verdict(&bench, "db", "OwnerConflict");
    assert_eq!(said["state"], "at risk", "{said}");
    assert_eq!(cron_job(), before);
    roll_out(r#"{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}"#);
    verdict(&bench, "db", "");
    let changed = Cluster::until(Duration::from_secs(30), "the new schedule", || {
        let now = cron_job();
        Ok((now.1 == "30 4 * * *").then_some(now))
    });
    assert_eq!(changed.unwrap().0, before.0);
}
