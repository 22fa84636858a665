//! The invariants of ARCHITECTURE.md: who may depend on whom, and where tasks, exits and unsafe code may be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ksnapshot_tests::tools;
use serde_json::Value;

/// Files outside the pipeline that may run things side by side: which, by what, and why. An entry that isn't needed
/// is an error.
const MAY_SPAWN: &[(&str, &str, &str)] = &[
    (
        "ksnapshot-storage/src/folder.rs",
        "spawn_blocking",
        "file systems block",
    ),
    (
        "ksnapshot-storage/src/partial.rs",
        "spawn_blocking",
        "file systems block",
    ),
    (
        "ksnapshot-storage/src/client.rs",
        "JoinSet",
        "the wait for the system's resolver ends with whoever waits",
    ),
    (
        "ksnapshot-storage/src/client.rs",
        "spawn_blocking",
        "the system's resolver of names blocks",
    ),
    (
        "ksnapshot-storage/src/upload.rs",
        "JoinSet",
        "the parts of one upload go out side by side and end with it",
    ),
];

const SPAWNS: &[&str] = &[
    "tokio::spawn(",
    "task::spawn(",
    "JoinSet",
    "spawn_blocking",
    "spawn_local",
    "mpsc::",
    "thread::spawn(",
];

/// Nobody reads a longer file to its end.
const LONGEST: usize = 700;

#[test]
fn core_knows_no_database_cloud_cluster_or_front_end() {
    let graph = Graph::read();
    let banned = [
        "anyhow",
        "aws-lc-rs",
        "clap",
        "indicatif",
        "kube",
        "mysql_async",
        "object_store",
        "openssl",
        "reqwest",
        "rustls",
        "sqlx",
        "sqlx-core",
    ];
    graph.has_none_of("ksnapshot-core", &banned);
    graph.has_none_of(
        "ksnapshot-core",
        &[
            "ksnapshot-cli",
            "ksnapshot-dumpers",
            "ksnapshot-operator",
            "ksnapshot-storage",
        ],
    );
}

#[test]
fn dumpers_and_storage_do_not_know_each_other() {
    let graph = Graph::read();
    graph.has_none_of(
        "ksnapshot-dumpers",
        &[
            "ksnapshot-storage",
            "ksnapshot-operator",
            "ksnapshot-cli",
            "object_store",
        ],
    );
    graph.has_none_of(
        "ksnapshot-storage",
        &[
            "ksnapshot-dumpers",
            "ksnapshot-operator",
            "ksnapshot-cli",
            "sqlx",
            "mysql_async",
        ],
    );
    graph.has_none_of(
        "ksnapshot-operator",
        &["ksnapshot-dumpers", "ksnapshot-cli"],
    );
}

#[test]
fn each_front_end_keeps_its_tools() {
    let graph = Graph::read();
    graph.only_in("kube", &["ksnapshot-operator"]);
    graph.only_in("clap", &["ksnapshot-cli", "ksnapshot-operator"]);
    graph.only_in("indicatif", &["ksnapshot-cli"]);
    graph.only_in(
        "anyhow",
        &["ksnapshot-cli", "ksnapshot-tests", "ksnapshot-benches"],
    );
}

#[test]
fn only_the_pipeline_runs_things_side_by_side() {
    let mut found = BTreeSet::new();
    for file in sources(&["ksnapshot-core", "ksnapshot-dumpers", "ksnapshot-storage"]) {
        let (name, code) = (relative(&file), code(&file));
        if !name.starts_with("ksnapshot-core/src/pipeline") {
            let words = SPAWNS.iter().filter(|word| code.contains(*word));
            found.extend(words.map(|word| (name.clone(), (*word).to_owned())));
        }
    }
    let allowed = MAY_SPAWN
        .iter()
        .map(|(file, word, _)| ((*file).to_owned(), (*word).to_owned()));
    let allowed: BTreeSet<_> = allowed.collect();
    assert_eq!(found, allowed, "left: who spawns; right: who may");
}

#[test]
fn only_main_exits() {
    let packages = [
        "ksnapshot-core",
        "ksnapshot-dumpers",
        "ksnapshot-storage",
        "ksnapshot-operator",
        "ksnapshot-cli",
    ];
    for file in sources(&packages) {
        let exits = ["process::exit", "process::abort"]
            .iter()
            .any(|word| code(&file).contains(word));
        assert!(
            !exits || file.ends_with("main.rs"),
            "{}: exits the process",
            relative(&file)
        );
    }
}

#[test]
fn every_crate_inherits_the_lints_that_forbid_unsafe_code() {
    let graph = Graph::read();
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(
        workspace.contains("unsafe_code = \"forbid\""),
        "the workspace forbids unsafe code"
    );
    for (name, manifest) in &graph.members {
        let text = fs::read_to_string(manifest).unwrap();
        assert!(
            text.replace(' ', "").contains("[lints]\nworkspace=true"),
            "{name} inherits the lints"
        );
    }
}

#[test]
fn no_file_is_longer_than_a_reader() {
    let graph = Graph::read();
    let names: Vec<_> = graph
        .members
        .values()
        .filter_map(|manifest| manifest.parent()?.file_name()?.to_str())
        .collect();
    for file in sources(&names) {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(
            lines <= LONGEST,
            "{}: {lines} lines; split it",
            relative(&file)
        );
    }
}

/// What `cargo metadata` tells.
struct Graph {
    /// Name of each member of the workspace, and its manifest.
    members: BTreeMap<String, PathBuf>,
    /// Package id → name.
    names: BTreeMap<String, String>,
    /// Package id → ids of what it's built with, tests aside.
    uses: BTreeMap<String, Vec<String>>,
}

impl Graph {
    fn read() -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .current_dir(root())
            // A fresh machine holds only the packages of the platform that it has built for.
            .args(["metadata", "--format-version", "1", "--offline"])
            .args(["--filter-platform", "x86_64-unknown-linux-gnu"]);
        let metadata: Value =
            serde_json::from_slice(&tools::run(&mut command).unwrap().success().unwrap().stdout)
                .unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let list = |value: &Value| value.as_array().unwrap().clone();
        let workspace: BTreeSet<_> = list(&metadata["workspace_members"])
            .iter()
            .map(text)
            .collect();
        let packages = list(&metadata["packages"]);
        let members = packages
            .iter()
            .filter(|package| workspace.contains(&text(&package["id"])));
        // A dependency of tests alone is none of the crate.
        let built_with = |dep: &Value| {
            list(&dep["dep_kinds"])
                .iter()
                .any(|kind| kind["kind"] != "dev")
        };
        let uses = list(&metadata["resolve"]["nodes"]).into_iter().map(|node| {
            let deps = list(&node["deps"])
                .iter()
                .filter(|dep| built_with(dep))
                .map(|dep| text(&dep["pkg"]))
                .collect();
            (text(&node["id"]), deps)
        });
        Self {
            members: members
                .map(|package| {
                    (
                        text(&package["name"]),
                        text(&package["manifest_path"]).into(),
                    )
                })
                .collect(),
            names: packages
                .iter()
                .map(|package| (text(&package["id"]), text(&package["name"])))
                .collect(),
            uses: uses.collect(),
        }
    }

    fn id(&self, name: &str) -> &str {
        self.names
            .iter()
            .find(|(_, other)| *other == name)
            .map(|(id, _)| id.as_str())
            .unwrap()
    }

    /// The names of everything that a member is built with, directly or not, with the path to it.
    fn tree(&self, member: &str) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let mut todo = vec![(self.id(member).to_owned(), member.to_owned())];
        while let Some((id, path)) = todo.pop() {
            for next in &self.uses[&id] {
                let name = &self.names[next];
                let path = format!("{path} → {name}");
                if found.insert(name.clone(), path.clone()).is_none() {
                    todo.push((next.clone(), path));
                }
            }
        }
        found
    }

    fn has_none_of(&self, member: &str, banned: &[&str]) {
        let tree = self.tree(member);
        assert!(
            member != "ksnapshot-core" || tree.contains_key("tokio"),
            "the tree of {member} was read"
        );
        for name in banned {
            assert!(!tree.contains_key(*name), "{}", tree[*name]);
        }
    }

    fn only_in(&self, package: &str, members: &[&str]) {
        for member in self
            .members
            .keys()
            .filter(|member| !members.contains(&member.as_str()))
        {
            let direct = self.uses[self.id(member)]
                .iter()
                .any(|id| self.names[id] == package);
            assert!(!direct, "{member} uses {package}");
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn relative(file: &Path) -> String {
    file.strip_prefix(root()).unwrap().display().to_string()
}

/// Every Rust file of these packages.
fn sources(packages: &[&str]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut todo: Vec<_> = packages
        .iter()
        .map(|package| root().join(package))
        .collect();
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    assert!(files.len() >= packages.len(), "the sources were found");
    files.sort();
    files
}

/// The code of a file, without comments and without its tests.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}
