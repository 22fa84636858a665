//! The chart, what is made of it, its alerts, and the image.

#[path = "deploy/alerts.rs"]
mod alerts;
#[path = "deploy/image.rs"]
mod image;
#[path = "deploy/objects.rs"]
mod objects;
#[path = "deploy/rights.rs"]
mod rights;
#[path = "deploy/values.rs"]
mod values;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ksnapshot_tests::testbed;
use ksnapshot_tests::tools::{self, Run};
use serde_json::Value;

use crate::manifests;

/// A file of `deploy`.
fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../deploy")
        .join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(deploy(name)).unwrap()
}

/// One of the tools that `make servers` fetches.
fn tool(name: &str) -> Command {
    let program = testbed::home().unwrap().join("bin").join(name);
    testbed::require(&program).unwrap();
    let mut command = Command::new(program);
    tools::clean(&mut command);
    command
}

/// Every value of the chart that can be on is, and each is another than its default.
fn everything() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/everything.yaml");
    format!("--values={}", file.display())
}

/// What `helm template` says of the chart as the release `ksnapshot` in the namespace `ksnapshot`.
fn template(args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Run {
    let mut helm = tool("helm");
    helm.args(["template", "ksnapshot", "--namespace", "ksnapshot"])
        .arg(deploy("chart"))
        .args(args);
    tools::run(&mut helm).unwrap()
}

/// The objects that the chart makes.
fn render(args: &[&str]) -> Vec<Value> {
    manifests::parse(&template(args).success().unwrap().text())
}

/// The only object of a kind.
#[track_caller]
fn only<'o>(objects: &'o [Value], kind: &str) -> &'o Value {
    let found: Vec<_> = objects.iter().filter(|o| o["kind"] == kind).collect();
    assert_eq!(found.len(), 1, "{kind}");
    found[0]
}

/// The one container of the operator.
fn container(objects: &[Value]) -> &Value {
    let containers = &only(objects, "Deployment")["spec"]["template"]["spec"]["containers"];
    assert_eq!(containers.as_array().unwrap().len(), 1);
    &containers[0]
}
