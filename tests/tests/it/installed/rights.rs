//! The chart's Roles are just enough: nothing that was asked for was refused, and nothing that is granted went unused.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::bench::Bench;

/// A verb on a kind of object.
type Right = (String, String, String);

/// Compares the audit log with the Roles.
pub(super) fn are_just_enough(bench: &Bench) -> Result<()> {
    let user = format!("system:serviceaccount:{}:ksnapshot", bench.control);
    let asked: Vec<_> = bench
        .cluster
        .audit()?
        .into_iter()
        .filter(|entry| entry.user == user)
        .collect();
    ensure!(!asked.is_empty(), "{user} asked for nothing");
    let denied: Vec<_> = asked.iter().filter(|entry| entry.denied()).collect();
    ensure!(denied.is_empty(), "denied: {denied:#?}");
    for (namespace, role) in [
        (&bench.control, "ksnapshot"),
        (&bench.shop, "ksnapshot-watch"),
    ] {
        let used: BTreeSet<Right> = (asked.iter())
            .filter(|entry| entry.namespace == *namespace)
            .flat_map(|entry| {
                // An apply that makes an object is a patch that takes the right to create, too.
                let makes = entry.verb == "patch" && entry.code == 201;
                let verbs = [Some(entry.verb.as_str()), makes.then_some("create")];
                let right =
                    |verb: &str| (entry.group.clone(), entry.resource.clone(), verb.to_owned());
                verbs.into_iter().flatten().map(right).collect::<Vec<_>>()
            })
            .collect();
        let granted = granted(&bench.cluster.get(["role", role, "-n", namespace])?)?;
        let unused: Vec<_> = granted.difference(&used).collect();
        ensure!(
            unused.is_empty(),
            "Role {role} grants what is not used: {unused:?}"
        );
    }
    // The Jobs' identity has no rights, and no token to use any.
    let jobs = format!("system:serviceaccount:{}:ksnapshot-backup", bench.control);
    let by_jobs = bench
        .cluster
        .audit()?
        .into_iter()
        .filter(|entry| entry.user == jobs)
        .count();
    ensure!(by_jobs == 0, "Jobs asked the API server {by_jobs} times");
    let roles = bench.cluster.get([
        "clusterroles,clusterrolebindings",
        "-l",
        "app.kubernetes.io/name=ksnapshot",
    ])?;
    ensure!(
        roles["items"].as_array().is_some_and(Vec::is_empty),
        "{roles}"
    );
    Ok(())
}

fn granted(role: &Value) -> Result<BTreeSet<Right>> {
    let mut rights = BTreeSet::new();
    for rule in role["rules"].as_array().context("rules")? {
        let words = |key: &str| -> Vec<String> {
            let list = rule[key].as_array().into_iter().flatten();
            list.filter_map(|word| Some(word.as_str()?.to_owned()))
                .collect()
        };
        for group in words("apiGroups") {
            for resource in words("resources") {
                for verb in words("verbs") {
                    rights.insert((group.clone(), resource.clone(), verb));
                }
            }
        }
    }
    Ok(rights)
}
