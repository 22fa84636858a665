//! Rights: exactly those that the operator uses, in the namespaces that it was given.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{everything, only, read, render};
use crate::manifests;

/// In the namespace of the release.
const CONTROL: &str = "
    cronjobs.batch: list watch create patch delete
    jobs.batch: list watch create
    pods: list watch
    secrets: list watch create patch delete
    configmaps/ksnapshot-cm: get
    secrets/ksnapshot-secret: get
    secrets/ksnapshot-retention-secret: get
    leases.coordination.k8s.io: create
    leases.coordination.k8s.io/ksnapshot-operator: get update
";

/// In each watched one.
const WATCHED: &str = "
    pods: list watch
    services: list watch
    replicasets.apps: get
    deployments.apps: get
    statefulsets.apps: get
    daemonsets.apps: get
    secrets: get
    configmaps: get
    events.events.k8s.io: create
";

/// `create jobs.batch`, for each verb.
fn listed(table: &str) -> BTreeSet<String> {
    let lines = table
        .lines()
        .filter_map(|line| line.trim().split_once(": "));
    let rights =
        lines.flat_map(|(what, verbs)| verbs.split(' ').map(move |verb| format!("{verb} {what}")));
    rights.collect()
}

fn texts(list: &Value) -> Vec<&str> {
    let texts = list.as_array().into_iter().flatten();
    texts.map(|text| text.as_str().unwrap()).collect()
}

/// What a Role allows, in the same words.
fn allowed(role: &Value) -> BTreeSet<String> {
    let mut allowed = BTreeSet::new();
    for rule in role["rules"].as_array().unwrap() {
        let mut names: Vec<_> = texts(&rule["resourceNames"]);
        if names.is_empty() {
            names.push("");
        }
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                for verb in texts(&rule["verbs"]) {
                    for name in &names {
                        let dot = if group.is_empty() { "" } else { "." };
                        let slash = if name.is_empty() { "" } else { "/" };
                        allowed.insert(format!("{verb} {resource}{dot}{group}{slash}{name}"));
                    }
                }
            }
        }
    }
    allowed
}

/// What the operator's account may do, by namespace. A Role that nobody is bound to, and a binding of anybody else,
/// is a failure.
#[track_caller]
fn of_the_operator(objects: &[Value]) -> BTreeMap<String, Vec<BTreeSet<String>>> {
    let account =
        json!([{ "kind": "ServiceAccount", "name": "ksnapshot", "namespace": "ksnapshot" }]);
    let mut roles: BTreeMap<_, _> = (objects.iter())
        .filter(|object| object["kind"] == "Role")
        .map(|role| (manifests::name(role), role))
        .collect();
    let mut rights = BTreeMap::<_, Vec<_>>::new();
    for binding in objects
        .iter()
        .filter(|object| object["kind"] == "RoleBinding")
    {
        let namespace = binding["metadata"]["namespace"].as_str().unwrap();
        let role = format!(
            "Role {namespace}/{}",
            binding["roleRef"]["name"].as_str().unwrap()
        );
        assert_eq!(binding["roleRef"]["kind"], "Role");
        assert_eq!(binding["subjects"], account, "{role}");
        let role = roles
            .remove(&role)
            .unwrap_or_else(|| panic!("{role}: not there, or twice"));
        rights
            .entry(namespace.to_owned())
            .or_default()
            .push(allowed(role));
    }
    assert!(roles.is_empty(), "bound to nobody: {:?}", roles.keys());
    rights
}

#[test]
fn the_operator_may_do_what_it_does_and_nothing_else() {
    let (control, watched) = (listed(CONTROL), listed(WATCHED));
    let expected = BTreeMap::from([
        ("ksnapshot".to_owned(), vec![control.clone()]),
        ("default".to_owned(), vec![watched.clone()]),
    ]);
    assert_eq!(of_the_operator(&render(&[])), expected);
    assert_eq!(
        of_the_operator(&manifests::parse(&read("manifests/ksnapshot.yaml"))),
        expected
    );
    // There, the Secret of retention has another name.
    let control: BTreeSet<String> = control
        .iter()
        .map(|right| right.replace("ksnapshot-retention-secret", "other-retention"))
        .collect();
    let expected = BTreeMap::from([
        ("ksnapshot".to_owned(), vec![control, watched.clone()]),
        ("shop".to_owned(), vec![watched.clone()]),
        ("123".to_owned(), vec![watched.clone()]),
        ("1e3".to_owned(), vec![watched]),
    ]);
    assert_eq!(of_the_operator(&render(&[&everything()])), expected);
}

#[test]
fn a_single_operator_needs_no_lease() {
    let objects = render(&["--set=leaderElection.enabled=false"]);
    let mut expected = listed(CONTROL);
    expected.retain(|right| !right.contains("leases"));
    assert_eq!(of_the_operator(&objects)["ksnapshot"], [expected]);
    // Two would act while one takes the other's place.
    assert_eq!(
        only(&objects, "Deployment")["spec"]["strategy"]["type"],
        "Recreate"
    );
}

#[test]
fn rights_may_be_given_by_others() {
    let objects = render(&["--set=rbac.create=false"]);
    assert!(of_the_operator(&objects).is_empty());
}

#[test]
fn nothing_reaches_beyond_a_namespace() {
    for objects in [
        render(&[]),
        render(&[&everything()]),
        manifests::parse(&read("manifests/ksnapshot.yaml")),
    ] {
        for object in &objects {
            let is_own = object["kind"] == "Namespace" && object["metadata"]["name"] == "ksnapshot";
            let is_inside = object["metadata"]["namespace"].is_string();
            assert!(is_own || is_inside, "{}", manifests::name(object));
            let kind = object["kind"].as_str().unwrap();
            assert!(!kind.starts_with("Cluster"), "{}", manifests::name(object));
        }
    }
}

#[test]
fn jobs_have_an_account_without_rights_or_token() {
    for objects in [render(&[]), render(&[&everything()])] {
        let accounts: Vec<_> = (objects.iter())
            .filter(|object| object["kind"] == "ServiceAccount")
            .map(|account| {
                assert_eq!(account["automountServiceAccountToken"], false);
                manifests::name(account)
            })
            .collect();
        // That no Role is bound to the second is a part of `of_the_operator`.
        of_the_operator(&objects);
        let expected = [
            "ServiceAccount ksnapshot/ksnapshot",
            "ServiceAccount ksnapshot/ksnapshot-backup",
        ];
        assert_eq!(accounts, expected);
        let operator = &only(&objects, "Deployment")["spec"]["template"]["spec"];
        assert_eq!(operator["automountServiceAccountToken"], true);
        assert_eq!(operator["serviceAccountName"], "ksnapshot");
    }
}
