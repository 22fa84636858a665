//! Values: those of the first chart of this name are kept, each is told, and a mistake is an error.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{read, template};
use crate::manifests;

fn defaults() -> Value {
    manifests::parse(&read("chart/values.yaml")).remove(0)
}

#[test]
fn the_values_of_the_first_chart_are_kept() {
    let theirs = json!({
        "replicaCount": 1,
        "image": { "repository": "ghcr.io/clickandmortar/ksnapshot", "tag": "", "pullPolicy": "" },
        "imagePullSecrets": [],
        "nameOverride": "",
        "fullnameOverride": "",
        "serviceAccount": { "create": true, "name": "", "annotations": {} },
        "backupJob": {
            "imagePullPolicy": "",
            "serviceAccount": { "create": true, "name": "", "annotations": {} },
        },
        "rbac": { "create": true, "watchNamespaces": ["default"] },
        "encryption": { "enabled": false, "recipient": "" },
        "dumperImages": { "mysql": { "v5_7": "", "v8": "" }, "postgresql": { "v16": "" }, "elasticsearch": "" },
        "s3": { "bucket": "", "region": "", "endpoint": "" },
        "secret": { "create": false, "awsAccessKeyId": "", "awsSecretAccessKey": "" },
        "existingSecret": "ksnapshot-secret",
        "existingConfigMap": "",
        "resources": {},
        "nodeSelector": {},
        "tolerations": [],
        "affinity": {},
        "podAnnotations": {},
        "podLabels": {},
    });
    let ours = defaults();
    for (key, value) in theirs.as_object().unwrap() {
        assert_eq!(&ours[key], value, "{key}");
    }
}

/// The paths of all values that aren't objects with something in them.
fn leaves(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value.as_object() {
        Some(object) if !object.is_empty() => {
            for (key, value) in object {
                let dot = if path.is_empty() { "" } else { "." };
                leaves(value, &format!("{path}{dot}{key}"), found);
            }
        }
        _ => {
            found.insert(path.to_owned());
        }
    }
}

#[test]
fn every_value_is_told_and_has_a_schema() {
    let mut ours = BTreeSet::new();
    leaves(&defaults(), "", &mut ours);
    let schema: Value = serde_json::from_str(&read("chart/values.schema.json")).unwrap();
    for path in &ours {
        let pointer = format!("/properties/{}", path.replace('.', "/properties/"));
        assert!(
            schema.pointer(&pointer).is_some(),
            "values.schema.json: {path}"
        );
    }
    let readme = read("chart/README.md");
    let table = readme
        .split("## Values")
        .nth(1)
        .unwrap()
        .split("\n## ")
        .next()
        .unwrap();
    let told: BTreeSet<_> = (table.lines())
        .filter_map(|line| Some(line.strip_prefix("| `")?.split('`').next()?.to_owned()))
        .collect();
    assert_eq!(told, ours, "left: told in README.md; right: in values.yaml");
}

#[test]
fn a_mistake_is_an_error() {
    let recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    let cases = [
        // Names that there are not, at every depth.
        ("--set=s3.buckett=b", "buckett"),
        ("--set=replicas=2", "replicas"),
        (
            "--set=backupJob.serviceAccount.anotations.a=b",
            "anotations",
        ),
        ("--set=metrics.serviceMonitor.enable=true", "enable"),
        ("--set=dumperImages.mysql.v9=a", "v9"),
        ("--set=jobResources.cpus=1", "cpus"),
        ("--set=resources.limit.memory=1Gi", "limit"),
        ("--set=tolerations[0].keys=a", "keys"),
        (
            "--set=networkPolicy.metricsFrom[0].namespaceselector.matchLabels.a=b",
            "namespaceselector",
        ),
        // Namespaces.
        ("--set-json=rbac.watchNamespaces=[]", "watchNamespaces"),
        ("--set=rbac.watchNamespaces=null", "watchNamespaces"),
        ("--set=rbac.watchNamespaces={*}", "watchNamespaces"),
        ("--set=rbac.watchNamespaces={a,a}", "watchNamespaces"),
        ("--set=rbac.watchNamespaces={}", "watchNamespaces"),
        ("--set=rbac.watchNamespaces={Shop}", "watchNamespaces"),
        // What others are in.
        ("--set=rbac=null", "rbac"),
        ("--set=dumperImages=null", "dumperImages"),
        ("--set=metrics.serviceMonitor=null", "serviceMonitor"),
        // Values of another kind.
        ("--set=replicaCount=two", "replicaCount"),
        ("--set=replicaCount=-1", "replicaCount"),
        ("--set-string=encryption.enabled=true", "encryption"),
        ("--set-json=image.tag=1.1", "tag"),
        ("--set=image.pullPolicy=always", "pullPolicy"),
        ("--set=logLevel=verbose", "logLevel"),
        ("--set=logFormat=xml", "logFormat"),
        ("--set=defaultCompression=gzip:10", "defaultCompression"),
        ("--set=defaultCompression=zstd:0", "defaultCompression"),
        ("--set=defaultCompression=lz4", "defaultCompression"),
        ("--set=jobResources.memory=1GB", "memory"),
        ("--set=s3.endpoint=minio:9000", "endpoint"),
        ("--set=existingRetentionSecret=", "existingRetentionSecret"),
        ("--set=networkPolicy.storagePorts={https}", "storagePorts"),
        // Values that need another.
        ("--set=encryption.enabled=true", "recipient"),
        (
            "--set=encryption.enabled=true,encryption.recipient=ssh-ed25519",
            "recipient",
        ),
        ("--set=secret.create=true", "aws"),
        (
            "--set=secret.create=true,secret.awsAccessKeyId=a",
            "awsSecretAccessKey",
        ),
        (
            "--set=replicaCount=2,leaderElection.enabled=false",
            "leaderElection.enabled",
        ),
        // An image of the first chart knows nothing of what jobs run now: every backup would fail, at night.
        (
            "--set=dumperImages.mysql.v8=ghcr.io/clickandmortar/ksnapshot-dumper-mysql-8:0.4.5",
            "dumperImages",
        ),
    ];
    for (set, word) in cases {
        let run = template([set]).exits(1).unwrap();
        assert!(run.stderr.contains(word), "{set}: {}", run.stderr);
    }
    for set in [
        &format!("--set=encryption.enabled=true,encryption.recipient={recipient}"),
        "--set=replicaCount=0",
        "--set=defaultCompression=none",
        "--set=defaultCompression=zstd:22",
        "--set=jobResources.cpu=0.5",
        "--set=jobResources.cpu=500m",
        "--set=global.anything=1",
        "--set=s3.endpoint=null",
        "--set=existingSecret=null",
        "--set=imagePullSecrets[0].name=a",
    ] {
        template([set]).success().unwrap();
    }
}
