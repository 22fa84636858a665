//! Alerts: promtool runs their tests, and a cluster gets the same ones.

use std::path::Path;

use ksnapshot_tests::tools;

use super::{deploy, everything, only, read, render, tool};
use crate::manifests;

#[test]
fn every_alert_does_as_its_tests_say() {
    let promtool = |args: [&str; 2], file: &str| {
        let mut promtool = tool("promtool");
        promtool.args(args).arg(deploy(file));
        tools::run(&mut promtool).unwrap().success().unwrap();
    };
    promtool(["check", "rules"], "alerts.yaml");
    promtool(["test", "rules"], "alerts.test.yaml");
    let rules = &manifests::parse(&read("alerts.yaml"))[0];
    let tests = read("alerts.test.yaml");
    for group in rules["groups"].as_array().unwrap() {
        for rule in group["rules"].as_array().unwrap() {
            let name = rule["alert"].as_str().unwrap();
            // Both a moment at which it's silent and one at which it isn't.
            let evaluated = format!("alertname: {name}\n        exp_alerts:");
            let silent = tests.matches(&format!("{evaluated} []")).count();
            assert!(silent > 0, "{name} is silent in no test");
            assert!(
                tests.matches(&evaluated).count() > silent,
                "{name} fires in no test"
            );
        }
    }
}

#[test]
fn a_cluster_gets_the_same_alerts() {
    let objects = render(&[&everything()]);
    let rule = only(&objects, "PrometheusRule");
    assert_eq!(rule["spec"], manifests::parse(&read("alerts.yaml"))[0]);
    assert_eq!(rule["metadata"]["labels"]["release"], "prometheus");
    let of_the_chart = deploy("chart/files/alerts.yaml").canonicalize().unwrap();
    assert_eq!(
        deploy("alerts.yaml").canonicalize().unwrap(),
        of_the_chart,
        "one file"
    );
    assert!(Path::new(&of_the_chart).is_file());
}
