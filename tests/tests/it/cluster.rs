//! The cluster of the tests is a real one: pods run, answer and reach each other; roles are asked; who asked is told.

use std::process::{Command, Stdio};
use std::time::Duration;

use ksnapshot_tests::cluster::{self, Cluster};
use ksnapshot_tests::{Minio, Version, testbed, tools};

/// A pod with a service in front, both of this name.
fn server(name: &str, image: &str, port: u16, env: &str, ready: &str) -> String {
    format!(
        r#"
apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{app: {name}}}}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: server
      image: {image}
      env: {env}
      readinessProbe: {{exec: {{command: {ready}}}, periodSeconds: 1}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{selector: {{app: {name}}}, ports: [{{port: {port}}}]}}
"#
    )
}

fn postgres() -> String {
    let env =
        "[{name: POSTGRES_PASSWORD, value: correct horse}, {name: POSTGRES_USER, value: app}]";
    let ready = "[pg_isready, -h, 127.0.0.1, -U, app]";
    server("db", "postgres:18", 5432, env, ready)
}

#[test]
fn a_pod_of_ksnapshot_dumps_a_pod_of_postgres_into_minio() {
    let cluster = Cluster::shared().unwrap();
    let minio = Minio::within(cluster).unwrap();
    minio.bucket("backups").unwrap();
    let namespace = cluster.namespace("dump").unwrap();
    cluster.apply(&namespace, &postgres()).unwrap();
    cluster
        .wait(&namespace, "condition=Ready", ["pod/db"])
        .unwrap();

    // By the API, and by a connection of the test's own.
    let select = [
        "psql",
        "-XAtq",
        "-U",
        "app",
        "-c",
        "create table t as select 1 as n; select n from t",
    ];
    let exec = ["exec", "-n", &namespace, "db", "--"];
    let answer = cluster.kubectl(exec.iter().chain(&select)).unwrap();
    assert_eq!(answer, "1\n");
    let forward = cluster.forward_to_pod(&namespace, "db", 5432).unwrap();
    let mut psql = Command::new(Version::V18.client("psql").unwrap());
    tools::clean(&mut psql);
    psql.env("PGPASSWORD", "correct horse")
        .arg("-XAtqc")
        .arg("select n from t")
        .arg(format!(
            "postgres://app@127.0.0.1:{}/app",
            forward.addr().port()
        ));
    assert_eq!(
        tools::run(&mut psql).unwrap().success().unwrap().text(),
        "1\n"
    );

    // In the pod there are names of services, and MinIO at the node's address.
    let key_pair = tools::Key::generate().unwrap();
    let recipient = key_pair.recipient();
    let (image, endpoint) = (cluster::KSNAPSHOT, minio.endpoint_within().unwrap());
    let [(key, id), (secret, password)] = minio.credentials();
    let job = format!(
        r#"
apiVersion: v1
kind: Pod
metadata: {{name: dump}}
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  securityContext: {{runAsNonRoot: true, seccompProfile: {{type: RuntimeDefault}}}}
  containers:
    - name: dump
      image: {image}
      args: [dump, "postgres://app@db.{namespace}.svc.cluster.local/app", --recipient, {recipient}, --to, "s3://backups?endpoint={endpoint}&region=us-east-1"]
      env: [{{name: {key}, value: {id}}}, {{name: {secret}, value: {password}}}, {{name: PGPASSWORD, value: correct horse}}]
      securityContext: {{allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {{drop: [ALL]}}}}
"#
    );
    cluster.apply(&namespace, &job).unwrap();
    cluster
        .wait(
            &namespace,
            "jsonpath={.status.phase}=Succeeded",
            ["pod/dump"],
        )
        .unwrap();
    let objects = minio.list("backups").unwrap();
    assert!(
        objects.iter().any(|name| name.ends_with(".manifest.json")),
        "{objects:?}"
    );
}

#[test]
fn pods_of_the_other_databases_answer() {
    let cluster = Cluster::shared().unwrap();
    let namespace = cluster.namespace("answer").unwrap();
    let env = |family: &str| {
        let variables = ["ROOT_PASSWORD", "DATABASE", "USER", "PASSWORD"];
        let variables = variables.map(|name| {
            // The first statements of MySQL may have quotes in texts, but not in names.
            let value = if name == "DATABASE" { "app" } else { "it's" };
            format!("{{name: {family}_{name}, value: {value}}}")
        });
        format!("[{}]", variables.join(", "))
    };
    for (name, image, client) in [
        ("mariadb", "mariadb:11.8", "mariadb"),
        ("mysql", "mysql:9.7", "mysql"),
    ] {
        let ready = format!(r#"[{client}, -h, 127.0.0.1, -u, "it's", "-pit's", -e, select 1]"#);
        let yaml = server(name, image, 3306, &env(&name.to_uppercase()), &ready);
        cluster.apply(&namespace, &yaml).unwrap();
    }
    let ready = r#"[sh, -c, "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | busybox nc 127.0.0.1 9200 | grep -q cluster_uuid"]"#;
    let yaml = server("search", "elasticsearch:9.5.3", 9200, "[]", ready);
    cluster.apply(&namespace, &yaml).unwrap();

    let pods = ["pod/mariadb", "pod/mysql", "pod/search"];
    cluster.wait(&namespace, "condition=Ready", pods).unwrap();
    for (name, client) in [("mariadb", "mariadb"), ("mysql", "mysql")] {
        let select = [
            "exec",
            "-n",
            &namespace,
            name,
            "--",
            client,
            "-h",
            name,
            "-u",
            "it's",
            "-pit's",
            "-N",
            "-e",
            "create table t (n int); insert into t values (1); select database(), n from t",
            "app",
        ];
        let answer = cluster.kubectl(select).unwrap();
        assert_eq!(answer, "app\t1\n", "{name}");
    }
}

#[test]
fn the_audit_log_tells_who_was_refused() {
    let cluster = Cluster::shared().unwrap();
    let namespace = cluster.namespace("audit").unwrap();
    let role = "
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [''], resources: [pods], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: reader}]
";
    cluster.apply(&namespace, role).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = cluster
        .kubeconfig_of(&namespace, "reader", folder.path())
        .unwrap();
    for (resource, code) in [("pods", 0), ("secrets", 1)] {
        let config = format!("--kubeconfig={}", config.display());
        let run = cluster.try_kubectl(["get", resource, "-n", &namespace, &config]);
        run.unwrap().exits(code).unwrap();
    }

    let user = format!("system:serviceaccount:{namespace}:reader");
    let entries = cluster.audit().unwrap();
    let asked = entries
        .iter()
        .filter(|entry| entry.user == user && !entry.resource.is_empty());
    let asked: Vec<_> = asked
        .map(|entry| {
            (
                entry.verb.as_str(),
                entry.resource.as_str(),
                entry.namespace.as_str(),
                entry.code,
                entry.denied(),
            )
        })
        .collect();
    let namespace = namespace.as_str();
    assert_eq!(
        asked,
        [
            ("list", "pods", namespace, 200, false),
            ("list", "secrets", namespace, 403, true)
        ]
    );
}

#[test]
fn a_cluster_without_a_node_acts_and_survives_its_api() {
    let cluster = Cluster::api_only().unwrap();
    let namespace = cluster.namespace("idle").unwrap();
    let deployment = [
        "create",
        "deployment",
        "web",
        "-n",
        &namespace,
        "--image=none",
    ];
    cluster.kubectl(deployment).unwrap();
    let pod = || {
        let pods = cluster.get(["pods", "-n", &namespace])?;
        Ok(pods["items"][0]["status"]["phase"]
            .as_str()
            .map(str::to_owned))
    };
    let phase = Cluster::until(Duration::from_secs(30), "a pod", pod).unwrap();
    assert_eq!(phase, "Pending");

    cluster.stop("apiserver").unwrap();
    let down = cluster.try_kubectl(["get", "--raw", "/readyz"]).unwrap();
    assert_ne!(down.code(), Some(0));
    cluster.resume("apiserver").unwrap();
    let ready = || {
        let run = cluster.try_kubectl(["get", "--raw", "/readyz"])?;
        Ok((run.code() == Some(0)).then_some(()))
    };
    Cluster::until(Duration::from_secs(30), "the API", ready).unwrap();
    assert_eq!(pod().unwrap().as_deref(), Some("Pending"));
}

#[test]
fn a_cluster_ends_with_whoever_started_it() {
    if let Ok(told) = std::env::var("KSNAPSHOT_TEST_CLUSTER") {
        // The second process: starts one with a node, tells where, and waits to be killed.
        let cluster = Cluster::start().unwrap();
        std::fs::write(&told, cluster.kubeconfig().to_str().unwrap()).unwrap();
        testbed::until(Duration::from_secs(60), "to be killed", || Ok(None::<()>)).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("told");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "cluster::a_cluster_ends_with_whoever_started_it"])
        .env("KSNAPSHOT_TEST_CLUSTER", &path)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let told = testbed::until(Duration::from_secs(60), "a cluster", || {
        Ok(std::fs::read_to_string(&path)
            .ok()
            .filter(|told| !told.is_empty()))
    });
    let run = std::path::PathBuf::from(told.unwrap())
        .parent()
        .unwrap()
        .to_owned();
    let number = |file: &str| -> u32 {
        let text = std::fs::read_to_string(run.join(file)).unwrap();
        text.trim().parse().unwrap()
    };
    let processes = [number("pid"), number("nspid"), number("forward.pid")];
    let groups = std::fs::read_to_string(run.join("cgroups")).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    testbed::until(Duration::from_secs(20), "nothing left", || {
        let groups = groups
            .lines()
            .any(|group| std::path::Path::new(group).exists());
        let left = groups || run.exists() || processes.iter().any(|&pid| testbed::alive(pid));
        Ok((!left).then_some(()))
    })
    .unwrap();
}
