//! README's way into a cluster, as it stands there.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use ksnapshot_tests::tools::{self, Key};
use ksnapshot_tests::{Cluster, Minio, Postgres, Version, binary, cluster, testbed};

use crate::readme::blocks;

const DATABASE: &str = "
apiVersion: v1
kind: Service
metadata: {name: pg}
spec: {selector: {app: pg}, ports: [{port: 5432}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: pg}
spec:
  serviceName: pg
  selector: {matchLabels: {app: pg}}
  template:
    metadata: {labels: {app: pg}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: postgres
          image: postgres:18
          env: [{name: POSTGRES_USER, value: postgres}, {name: POSTGRES_PASSWORD, value: secret}, {name: POSTGRES_DB, value: shop}]
          readinessProbe: {exec: {command: [pg_isready, -h, 127.0.0.1]}, periodSeconds: 1}
";

#[test]
fn the_example_of_a_cluster_runs() {
    // A cluster of its own: the names are those of README.
    let cluster = Cluster::start().unwrap();
    let minio = Minio::within(&cluster).unwrap();
    minio.bucket("my-backups").unwrap();
    cluster.kubectl(["create", "namespace", "shop"]).unwrap();
    cluster.apply("shop", DATABASE).unwrap();
    let status = [
        "rollout",
        "status",
        "statefulset/pg",
        "-n",
        "shop",
        "--timeout=60s",
    ];
    cluster.kubectl(status).unwrap();
    let fill =
        "create table orders as select n, 'order ' || n as note from generate_series(1, 1000) n";
    let psql = [
        "exec", "-n", "shop", "pg-0", "--", "psql", "-XU", "postgres", "-d", "shop", "-c", fill,
    ];
    cluster.kubectl(psql).unwrap();

    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let example = blocks(&readme)
        .into_iter()
        .find(|b| b.starts_with("helm "))
        .unwrap();
    // What stands for the reader's own registry, bucket and key.
    let (repository, tag) = cluster::KSNAPSHOT.rsplit_once(':').unwrap();
    let endpoint = minio.endpoint_within().unwrap();
    let [(_, user), (_, password)] = minio.credentials();
    let example = example
        .replace("deploy/chart", root.join("deploy/chart").to_str().unwrap())
        .replace(
            "--set s3.region=eu-west-3",
            &format!(
                "--set s3.endpoint={endpoint} --set image.repository={repository} --set-string image.tag={tag} --wait --timeout=60s"
            ),
        )
        .replace("AWS_ACCESS_KEY_ID=…", &format!("AWS_ACCESS_KEY_ID={user}"))
        .replace("AWS_SECRET_ACCESS_KEY=…", &format!("AWS_SECRET_ACCESS_KEY={password}"))
        .replace("region=eu-west-3", &format!("endpoint={}", minio.endpoint()));
    let (before, restore) = example.split_at(example.find("ksnapshot restore").unwrap());

    let server = Postgres::shared(Version::V18).unwrap();
    let key = Key::generate().unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("recipient.txt"), key.recipient()).unwrap();
    std::fs::copy(key.identity(), folder.path().join("key.txt")).unwrap();
    let run = |script: &str| {
        let script = format!("set -euo pipefail\n{script}");
        let mut command = tools::bash(&script, &[] as &[&OsStr]);
        let home = testbed::home().unwrap();
        let path = [
            binary().unwrap().parent().unwrap().display().to_string(),
            home.join("bin").display().to_string(),
            home.join("cluster/bin").display().to_string(),
            std::env::var("PATH").unwrap(),
        ];
        tools::clean(&mut command);
        command
            .current_dir(folder.path())
            .env("PATH", path.join(":"))
            .env("KUBECONFIG", cluster.kubeconfig())
            .env("HELM_CACHE_HOME", folder.path())
            .envs(minio.credentials())
            .envs(server.env());
        tools::run(&mut command).unwrap().success().unwrap().text()
    };
    let said = run(before);
    assert!(said.contains("shop/StatefulSet/pg: protected"), "{said}");
    let stored = || {
        let objects = minio.list("my-backups")?;
        Ok(objects
            .iter()
            .any(|name| name.ends_with(".manifest.json"))
            .then_some(()))
    };
    Cluster::until(Duration::from_secs(60), "a snapshot", stored).unwrap();
    run(restore);
    let rows = server
        .db("shop_from_cluster")
        .psql("select count(*) from orders where note = 'order ' || n");
    assert_eq!(rows.unwrap().trim(), "1000");
}
