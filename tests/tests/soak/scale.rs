//! Two thousand annotated workloads in fifty namespaces, on a Kubernetes without a node: how long the first pass takes, how fast a
//! change acts, what an idle operator asks of the API server, and how much memory it takes.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use ksnapshot_tests::{Cluster, Ksnapshot, testbed, tools};
use serde_json::Value;

const NAMESPACES: usize = 50;
const WORKLOADS: usize = 40;
const IDLE: Duration = Duration::from_secs(300);

fn workload(name: &str) -> String {
    format!(
        r#"
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
    spec:
      containers:
        - name: postgres
          image: postgres:18
          env:
            - {{name: POSTGRES_USER, value: app}}
            - {{name: POSTGRES_PASSWORD, valueFrom: {{secretKeyRef: {{name: login, key: password}}}}}}
            - {{name: POSTGRES_DB, value: shop}}
"#
    )
}

#[test]
fn two_thousand_workloads() {
    let cluster = Cluster::api_only().unwrap();
    let control = cluster.namespace("ksnapshot").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let mut namespaces = Vec::new();
    for number in 0..NAMESPACES {
        let namespace = cluster.namespace("team").unwrap();
        let mut yaml = "apiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData: {password: secret}\n".to_owned();
        for workload_number in 0..WORKLOADS {
            yaml.push_str(&workload(&format!("db-{number}-{workload_number}")));
        }
        let file = folder.path().join(&namespace);
        fs::write(&file, yaml).unwrap();
        cluster
            .kubectl(["create", "-n", &namespace, "-f", file.to_str().unwrap()])
            .unwrap();
        namespaces.push(namespace);
    }
    run_all_pods(&cluster, &namespaces, folder.path());
    println!(
        "{} workloads were made in {:?}",
        NAMESPACES * WORKLOADS,
        began.elapsed()
    );

    // A user of its own, so that the audit log tells what the operator asks for.
    let role = format!(
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: operator}}\n---\n\
         apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {{name: operator}}\n\
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}}\n\
         subjects: [{{kind: ServiceAccount, name: operator, namespace: {control}}}]\n"
    );
    cluster.apply(&control, &role).unwrap();
    let config = cluster
        .kubeconfig_of(&control, "operator", folder.path())
        .unwrap();
    let bucket = [
        "create",
        "configmap",
        "ksnapshot-cm",
        "-n",
        &control,
        "--from-literal=S3_BUCKET=backups",
    ];
    cluster.kubectl(bucket).unwrap();
    let port = testbed::free_port().unwrap();
    let operator = Ksnapshot::new(["operator"])
        .env("KUBECONFIG", &config)
        .env("MODE", "local")
        .env("WATCH_NAMESPACES", namespaces.join(","))
        .env("CONTROL_NAMESPACE", &control)
        .env("KSNAPSHOT_IMAGE", "ksnapshot:test")
        .env("LISTEN_ADDRESS", format!("127.0.0.1:{port}"))
        // Nobody reads what it says before its end, and a pipe holds no thousands of lines.
        .env("KSNAPSHOT_LOG", "warn")
        .limit(Duration::from_secs(3600));
    let began = Instant::now();
    let operator = operator.spawn().unwrap();
    // Listing thousands of objects again and again would be all that the API server does.
    let count = || -> usize {
        let path = format!("/apis/batch/v1/namespaces/{control}/cronjobs?limit=1");
        let first = cluster.kubectl(["get", "--raw", &path]).unwrap();
        let first: Value = serde_json::from_str(&first).unwrap();
        let more = first["metadata"]["remainingItemCount"].as_u64();
        let here = first["items"].as_array().map_or(0, Vec::len);
        here + usize::try_from(more.unwrap_or(0)).unwrap()
    };
    let all = Cluster::until(Duration::from_secs(300), "all CronJobs", || {
        Ok((count() == NAMESPACES * WORKLOADS).then_some(()))
    });
    if let Err(error) = all {
        operator.terminate().unwrap();
        let run = operator.wait().unwrap();
        let last: Vec<&str> = run.stderr.lines().rev().take(20).collect();
        panic!("{error:#}: {} are there\n{}", count(), last.join("\n"));
    }
    let first = began.elapsed();

    // One change, far back in the list.
    let (number, last) = (NAMESPACES - 1, WORKLOADS - 1);
    let owner = format!("{}/StatefulSet/db-{number}-{last}", namespaces[number]);
    let cron_jobs = cluster.get(["cronjobs", "-n", &control]).unwrap();
    let cron_job = cron_jobs["items"].as_array().unwrap().iter().find(|job| {
        job["metadata"]["annotations"]["ksnapshot.clickandmortar.fr/owner"] == owner.as_str()
    });
    let cron_job = cron_job.unwrap()["metadata"]["name"].as_str().unwrap();
    let (namespace, pod) = (namespaces.last().unwrap(), format!("db-{number}-{last}-0"));
    let annotation = "ksnapshot.clickandmortar.fr/schedule=17 5 * * *";
    cluster
        .kubectl([
            "annotate",
            "pod",
            &pod,
            "-n",
            namespace,
            "--overwrite",
            annotation,
        ])
        .unwrap();
    let began = Instant::now();
    Cluster::until(Duration::from_secs(60), "the change", || {
        let job = cluster.get(["cronjob", cron_job, "-n", &control])?;
        Ok((job["spec"]["schedule"] == "17 5 * * *").then_some(()))
    })
    .unwrap();
    let change = began.elapsed();

    // What was begun by the first pass comes to its end; then nothing happens.
    std::thread::sleep(Duration::from_secs(90));
    let user = format!("system:serviceaccount:{control}:operator");
    let asked = || {
        cluster
            .audit()
            .unwrap()
            .into_iter()
            .filter(|e| e.user == user && !e.ended)
            .count()
    };
    let before = asked();
    std::thread::sleep(IDLE);
    let rate = (asked() - before) as f64 / IDLE.as_secs_f64();
    let status = fs::read_to_string(format!("/proc/{}/status", operator.pid())).unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap_or_default()
        .trim()
        .to_owned();
    operator.terminate().unwrap();
    operator.wait().unwrap().success().unwrap();

    println!(
        "first full pass {first:?}, one change {change:?}, idle {rate:.2} requests a second, peak memory {peak}"
    );
    let peak: u64 = peak.split(' ').next().unwrap().parse().unwrap();
    assert!(first < Duration::from_secs(60), "first full pass");
    assert!(change < Duration::from_secs(5), "one change");
    assert!(rate < 1.0, "idle");
    assert!(peak <= 128 << 10, "memory");
}

/// There is no node: what a kubelet would say of each pod is said here.
fn run_all_pods(cluster: &Cluster, namespaces: &[String], folder: &std::path::Path) {
    Cluster::until(Duration::from_secs(600), "all pods", || {
        let pods = cluster.kubectl(["get", "pods", "-A", "-o", "name"])?;
        Ok((pods.lines().count() >= NAMESPACES * WORKLOADS).then_some(()))
    })
    .unwrap();
    let mut urls = String::new();
    for (number, namespace) in namespaces.iter().enumerate() {
        for workload_number in 0..WORKLOADS {
            let name = format!("db-{number}-{workload_number}-0");
            writeln!(
                urls,
                "{}/api/v1/namespaces/{namespace}/pods/{name}/status",
                cluster.url()
            )
            .unwrap();
        }
    }
    let list = folder.join("urls");
    fs::write(&list, urls).unwrap();
    let config = fs::read_to_string(cluster.kubeconfig()).unwrap();
    let token = config
        .split("{token: ")
        .nth(1)
        .unwrap()
        .split('}')
        .next()
        .unwrap();
    let headers = folder.join("headers");
    let header =
        format!("Authorization: Bearer {token}\nContent-Type: application/merge-patch+json\n");
    fs::write(&headers, header).unwrap();
    let script = "xargs -P 8 -n 20 curl -ksS --fail --fail-early --retry 3 -H @\"$2\" -X PATCH -d '{\"status\":{\"phase\":\"Running\"}}' <\"$1\" >/dev/null";
    let mut patch = tools::bash(script, &[list.as_os_str(), headers.as_os_str()]);
    tools::run(&mut patch).unwrap().success().unwrap();
    let running = [
        "get",
        "pods",
        "-A",
        "--field-selector=status.phase=Running",
        "-o",
        "name",
    ];
    let running = cluster.kubectl(running).unwrap().lines().count();
    assert_eq!(running, NAMESPACES * WORKLOADS, "pods that run");
}
