//! What the chart makes: objects that Kubernetes knows, hardened, and named as they were in the first chart of this name.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use ksnapshot_tests::tools;
use serde_json::{Value, json};

use super::{container, deploy, everything, only, read, render, tool};
use crate::manifests;

#[test]
fn helm_finds_nothing_to_say() {
    let everything = everything();
    for values in [None, Some(&everything)] {
        let mut helm = tool("helm");
        helm.args(["lint", "--strict", "--quiet"])
            .arg(deploy("chart"))
            .args(values);
        let run = tools::run(&mut helm).unwrap().success().unwrap();
        assert_eq!((run.text().trim(), run.stderr.trim()), ("", ""));
    }
}

#[test]
fn kubernetes_knows_every_field() {
    for objects in [
        render(&[]),
        render(&[&everything()]),
        manifests::parse(&read("manifests/ksnapshot.yaml")),
    ] {
        let (of_prometheus, of_kubernetes): (Vec<&Value>, Vec<&Value>) =
            (objects.iter()).partition(|object| object["apiVersion"] == "monitoring.coreos.com/v1");
        of_kubernetes
            .into_iter()
            .for_each(manifests::known_to_kubernetes);
        assert!(matches!(of_prometheus.len(), 0 | 2));
    }
}

#[test]
fn defaults_make_these_objects() {
    let objects = render(&[]);
    let mut names: Vec<_> = objects.iter().map(manifests::name).collect();
    names.sort();
    // Those of the first chart are all among them: an upgrade changes them in place. What is new is the Service.
    let expected = [
        "ConfigMap ksnapshot/ksnapshot-cm",
        "Deployment ksnapshot/ksnapshot",
        "Role default/ksnapshot-watch",
        "Role ksnapshot/ksnapshot",
        "RoleBinding default/ksnapshot-watch",
        "RoleBinding ksnapshot/ksnapshot",
        "Service ksnapshot/ksnapshot-metrics",
        "ServiceAccount ksnapshot/ksnapshot",
        "ServiceAccount ksnapshot/ksnapshot-backup",
    ];
    assert_eq!(names, expected);
    // What a Deployment selects by can't change.
    let selector =
        json!({ "app.kubernetes.io/name": "ksnapshot", "app.kubernetes.io/instance": "ksnapshot" });
    let spec = &only(&objects, "Deployment")["spec"];
    assert_eq!(spec["selector"]["matchLabels"], selector);
    assert_eq!(spec["template"]["metadata"]["labels"], selector);
    assert_eq!(only(&objects, "Service")["spec"]["selector"], selector);
    assert_eq!(
        only(&objects, "ConfigMap")["data"],
        json!({ "S3_BUCKET": "" })
    );
}

#[test]
fn names_of_another_release_are_its_own() {
    let mut helm = tool("helm");
    helm.args(["template", "night", "--namespace=ops"])
        .arg(deploy("chart"));
    let text = tools::run(&mut helm).unwrap().success().unwrap().text();
    let names: Vec<_> = manifests::parse(&text)
        .iter()
        .map(manifests::name)
        .collect();
    for name in [
        "Deployment ops/night-ksnapshot",
        "ServiceAccount ops/night-ksnapshot-backup",
        "Role default/night-ksnapshot-watch",
    ] {
        assert!(names.iter().any(|other| other == name), "{names:?}");
    }
    assert!(!text.contains("namespace: \"ksnapshot\""));
}

#[test]
fn everything_makes_everything() {
    let objects = render(&[&everything()]);
    let deployment = &only(&objects, "Deployment")["spec"];
    assert_eq!(deployment["replicas"], 2);
    let labels = &deployment["template"]["metadata"]["labels"];
    assert_eq!(
        labels["app.kubernetes.io/name"], "ksnapshot",
        "not what podLabels say"
    );
    assert_eq!(labels["example.org/team"], "data");
    let budget = &only(&objects, "PodDisruptionBudget")["spec"];
    assert_eq!(budget["selector"], deployment["selector"]);
    assert_eq!(
        only(&objects, "ConfigMap")["data"],
        json!({ "S3_BUCKET": "backups", "S3_REGION": "eu-west-3", "S3_ENDPOINT": "http://minio.storage.svc:9000" })
    );
    assert_eq!(
        only(&objects, "Secret")["data"],
        json!({ "AWS_ACCESS_KEY_ID": "MTIzNA==", "AWS_SECRET_ACCESS_KEY": "czNjcjN0" })
    );
    let monitor = only(&objects, "ServiceMonitor");
    assert_eq!(monitor["metadata"]["labels"]["release"], "prometheus");
    let service = only(&objects, "Service");
    for (key, value) in monitor["spec"]["selector"]["matchLabels"]
        .as_object()
        .unwrap()
    {
        assert_eq!(&service["metadata"]["labels"][key], value);
    }
    // Else `namespace` would be the operator's in every alert.
    assert_eq!(
        monitor["spec"]["endpoints"],
        json!([{ "port": service["spec"]["ports"][0]["name"], "interval": "30s", "honorLabels": true }])
    );
}

#[test]
fn the_operator_is_hardened_and_probed() {
    for objects in [render(&[]), render(&[&everything()])] {
        let pod = &only(&objects, "Deployment")["spec"]["template"]["spec"];
        assert_eq!(
            pod["securityContext"],
            json!({
                "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532,
                "seccompProfile": { "type": "RuntimeDefault" },
            })
        );
        assert_eq!(pod["enableServiceLinks"], false);
        assert!(pod["volumes"].is_null(), "nothing is staged");
        let container = container(&objects);
        assert_eq!(
            container["securityContext"],
            json!({
                "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] },
                "readOnlyRootFilesystem": true,
            })
        );
        assert_eq!(
            container["ports"],
            json!([{ "name": "metrics", "containerPort": 8080 }])
        );
        for (probe, path) in [("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")] {
            let get = json!({ "path": path, "port": "metrics" });
            assert_eq!(container[probe]["httpGet"], get);
        }
        assert_eq!(container["args"], json!(["operator"]));
    }
}

/// Its variables, and those that are taken from elsewhere.
fn environment(objects: &[Value]) -> BTreeMap<&str, String> {
    let mut all = BTreeMap::new();
    for variable in container(objects)["env"].as_array().unwrap() {
        let value = match variable["value"].as_str() {
            Some(text) => text.to_owned(),
            None => variable["valueFrom"].to_string(),
        };
        let before = all.insert(variable["name"].as_str().unwrap(), value);
        assert_eq!(before, None, "{variable}");
    }
    all
}

#[test]
fn the_operator_is_told_what_the_values_say() {
    let version = env!("CARGO_PKG_VERSION");
    let image = format!("ghcr.io/clickandmortar/ksnapshot:{version}");
    let name = r#"{"fieldRef":{"fieldPath":"metadata.name"}}"#;
    let common = [
        ("MODE", "cluster"),
        ("CONTROL_NAMESPACE", "ksnapshot"),
        ("POD_NAME", name),
        ("BACKUP_CONFIGMAP_NAME", "ksnapshot-cm"),
        ("BACKUP_SECRET_NAME", "ksnapshot-secret"),
        ("BACKUP_JOB_SERVICE_ACCOUNT_NAME", "ksnapshot-backup"),
        ("LEADER_ELECTION", "true"),
        ("LEASE_NAME", "ksnapshot-operator"),
    ];
    let defaults = [
        ("WATCH_NAMESPACES", "default"),
        ("KSNAPSHOT_IMAGE", &image),
        ("RETENTION_SECRET_NAME", "ksnapshot-retention-secret"),
        ("BACKUP_IMAGE_PULL_POLICY", "IfNotPresent"),
        ("DEFAULT_COMPRESSION", "gzip:6"),
        ("LOG_LEVEL", "info"),
        ("LOG_FORMAT", "text"),
    ];
    let everything_says = [
        ("WATCH_NAMESPACES", "shop,123,1e3,ksnapshot"),
        ("KSNAPSHOT_IMAGE", "registry.example.org/ksnapshot:1.2"),
        ("RETENTION_SECRET_NAME", "other-retention"),
        ("BACKUP_IMAGE_PULL_POLICY", "Never"),
        ("BACKUP_IMAGE_PULL_SECRETS", "pull-a,pull-b"),
        (
            "MYSQL_DUMPER_IMAGE_5_7",
            "registry.example.org/ksnapshot:old",
        ),
        (
            "MYSQL_DUMPER_IMAGE_8",
            "registry.example.org/ksnapshot:mysql",
        ),
        (
            "POSTGRESQL_DUMPER_IMAGE_16",
            "registry.example.org/ksnapshot:pg",
        ),
        (
            "ELASTICSEARCH_DUMPER_IMAGE",
            "registry.example.org/ksnapshot:es",
        ),
        ("DEFAULT_ENCRYPTION_ENABLED", "true"),
        (
            "DEFAULT_ENCRYPTION_RECIPIENT",
            "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
        ),
        ("DEFAULT_COMPRESSION", "zstd:3"),
        ("DEFAULT_RESOURCES", "cpu=1,memory=256Mi"),
        ("LOG_LEVEL", "debug"),
        ("LOG_FORMAT", "json"),
    ];
    for (objects, own) in [
        (render(&[]), &defaults[..]),
        (render(&[&everything()]), &everything_says[..]),
    ] {
        let expected = common.iter().chain(own);
        let expected: BTreeMap<_, _> = expected.map(|(k, v)| (*k, (*v).to_owned())).collect();
        assert_eq!(environment(&objects), expected);
        assert_eq!(container(&objects)["image"], expected["KSNAPSHOT_IMAGE"]);
    }
    // The cloud's own identity, and a bucket that others have named.
    let objects = render(&[
        "--set=existingSecret=,existingConfigMap=theirs,backupJob.serviceAccount.name=mine",
    ]);
    let environment = environment(&objects);
    assert_eq!(environment["BACKUP_SECRET_NAME"], "");
    assert_eq!(environment["BACKUP_CONFIGMAP_NAME"], "theirs");
    assert_eq!(environment["BACKUP_JOB_SERVICE_ACCOUNT_NAME"], "mine");
    assert!(
        objects
            .iter()
            .all(|o| o["kind"] != "ConfigMap" && o["kind"] != "Secret")
    );
}

/// The ports of the rule of jobs that has no peers and isn't the one of names.
fn storage_ports(args: &[&str]) -> Vec<Value> {
    let mut all = vec!["--set=networkPolicy.enabled=true"];
    all.extend(args);
    let objects = render(&all);
    let jobs = (objects.iter())
        .find(|object| object["metadata"]["name"] == "ksnapshot-jobs")
        .unwrap();
    let rules = jobs["spec"]["egress"].as_array().unwrap();
    let ports = rules.iter().filter(|rule| rule["to"].is_null());
    ports
        .flat_map(|rule| rule["ports"].as_array().unwrap())
        .map(|port| port["port"].clone())
        .filter(|port| *port != 53)
        .collect()
}

#[test]
fn policies_let_through_what_is_needed() {
    let objects = render(&[&everything()]);
    let policies: BTreeMap<_, _> = (objects.iter())
        .filter(|object| object["kind"] == "NetworkPolicy")
        .map(|policy| {
            (
                policy["metadata"]["name"].as_str().unwrap(),
                &policy["spec"],
            )
        })
        .collect();
    let operator = policies["ksnapshot"];
    assert_eq!(
        operator["podSelector"],
        only(&objects, "Deployment")["spec"]["selector"]
    );
    assert_eq!(operator["ingress"][0]["ports"], json!([{ "port": 8080 }]));
    assert_eq!(operator["egress"][1]["ports"], json!([{ "port": 6443 }]));
    let jobs = policies["ksnapshot-jobs"];
    // By the labels that the operator gives its jobs' pods.
    assert_eq!(
        jobs["podSelector"],
        json!({
            "matchLabels": { "app.kubernetes.io/managed-by": "ksnapshot" },
            "matchExpressions": [
                { "key": "app.kubernetes.io/component", "operator": "In", "values": ["backup", "prune"] },
            ],
        })
    );
    assert_eq!(jobs["policyTypes"], json!(["Ingress", "Egress"]));
    assert!(jobs["ingress"].is_null(), "nobody reaches a job");
    let namespaces = &jobs["egress"][1]["to"][0]["namespaceSelector"]["matchExpressions"][0];
    assert_eq!(
        namespaces["values"],
        json!(["shop", "123", "1e3", "ksnapshot"])
    );
    assert_eq!(
        jobs["egress"][3]["to"][0]["ipBlock"]["cidr"],
        "192.0.2.0/24"
    );

    // Where the storage is.
    for (endpoint, port) in [
        ("", 443),
        ("https://s3.example.org", 443),
        ("http://minio", 80),
        ("http://minio.storage.svc:9000", 9000),
        ("https://[fd00::1]:9001/", 9001),
        ("https://[fd00::1]", 443),
    ] {
        let set = format!("--set-string=s3.endpoint={endpoint}");
        assert_eq!(storage_ports(&[&set]), [json!(port)], "{endpoint}");
    }
    assert_eq!(
        storage_ports(&["--set=networkPolicy.storagePorts={7480,443}"]),
        [json!(7480), json!(443)]
    );
    // A cloud's identity is asked for at 443, wherever the storage is.
    let elsewhere = "--set=existingSecret=,s3.endpoint=http://minio:9000";
    assert_eq!(storage_ports(&[elsewhere]), [json!(9000), json!(443)]);
}

#[test]
fn the_notes_tell_the_next_step() {
    // Helm shows them only to whoever has a cluster.
    let chart = tempfile::tempdir().unwrap();
    tools::run(
        Command::new("cp")
            .arg("-r")
            .arg(deploy("chart/."))
            .arg(chart.path()),
    )
    .unwrap()
    .success()
    .unwrap();
    fs::rename(
        chart.path().join("templates/NOTES.txt"),
        chart.path().join("NOTES"),
    )
    .unwrap();
    fs::write(
        chart.path().join("templates/notes.yaml"),
        "kind: Notes\nmetadata: { name: notes }\ntext: {{ tpl (.Files.Get \"NOTES\") . | toJson }}\n",
    )
    .unwrap();
    let notes = |args: &[&str]| {
        let mut helm = tool("helm");
        helm.args(["template", "ksnapshot", "--namespace=ksnapshot"])
            .arg(chart.path())
            .args(args);
        let run = tools::run(&mut helm).unwrap().success().unwrap();
        let objects = manifests::parse(&run.text());
        only(&objects, "Notes")["text"].as_str().unwrap().to_owned()
    };
    let plain = notes(&[]);
    for words in [
        "There is no bucket yet",
        "create secret generic ksnapshot-secret",
        "ksnapshot.clickandmortar.fr/enabled",
        "ksnapshot explain -A",
    ] {
        assert!(plain.contains(words), "{words}: {plain}");
    }
    assert!(plain.lines().count() < 25, "a few lines");
    let set = notes(&["--set=s3.bucket=b,existingSecret="]);
    assert!(set.starts_with("Next, "), "{set}");
}

#[test]
fn the_plain_manifests_are_those_of_the_chart() {
    let made = tempfile::NamedTempFile::new().unwrap();
    tools::run(Command::new(deploy("generate")).arg(made.path()))
        .unwrap()
        .success()
        .unwrap();
    let made = fs::read_to_string(made.path()).unwrap();
    assert_eq!(
        read("manifests/ksnapshot.yaml"),
        made,
        "run deploy/generate"
    );
    assert!(
        !made.to_lowercase().contains(": helm"),
        "nothing there is Helm's"
    );
}

#[test]
fn the_chart_has_the_version_of_what_it_installs() {
    let chart = &manifests::parse(&read("chart/Chart.yaml"))[0];
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        (&chart["version"], &chart["appVersion"]),
        (&json!(version), &json!(version))
    );
}
