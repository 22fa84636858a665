//! docs/faults.md, the tests and the patches that turn them red know each other.

use std::collections::BTreeSet;

use ksnapshot_tests::tools;

use super::*;

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page() -> String {
    fs::read_to_string(package().join("../docs/faults.md")).unwrap()
}

/// Files of a folder by their names without this ending, and their text.
fn files(folder: &Path, ending: &str) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let mut found: Vec<_> = entries
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.strip_suffix(ending)?.to_owned();
            Some((name, fs::read_to_string(&path).unwrap()))
        })
        .collect();
    found.sort();
    assert!(!found.is_empty(), "{}", folder.display());
    found
}

/// `module::test` of each test of a fault.
fn tests() -> BTreeSet<String> {
    let mut tests = tests_in("tests/it/faults");
    tests.retain(|test| !test.starts_with("documented::"));
    tests
}

/// `module::test` of each test in a folder.
fn tests_in(folder: &str) -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    for (module, text) in files(&package().join(folder), ".rs") {
        let lines: Vec<_> = text.lines().collect();
        for pair in lines.windows(2).filter(|pair| pair[0] == "#[test]") {
            let name = pair[1]
                .strip_prefix("fn ")
                .and_then(|l| l.split('(').next());
            tests.insert(format!("{module}::{}", name.unwrap()));
        }
    }
    tests
}

#[test]
fn every_test_is_told() {
    let page = page();
    for test in tests() {
        let (_, name) = test.split_once("::").unwrap();
        let told = page.contains(&format!("`{test}`")) || page.contains(&format!("`{name}`"));
        assert!(told, "{test} is not in docs/faults.md");
    }
}

#[test]
fn every_patch_is_told_and_names_tests_that_exist() {
    let (page, tests, of_mysql) = (page(), tests(), tests_in("tests/it/mysql"));
    let of_elastic = tests_in("tests/it/elastic");
    let of_operator = tests_in("tests/it/operator");
    let of_job = tests_in("tests/it/job");
    let of_laws = tests_in("tests/it");
    for (patch, text) in files(&package().join("mutants"), ".patch") {
        assert!(
            page.contains(&format!("`{patch}`")),
            "{patch} is not in docs/faults.md"
        );
        let named = text.lines().next().and_then(|l| l.strip_prefix("Tests: "));
        for test in named
            .unwrap_or_else(|| panic!("{patch} names no tests"))
            .split(' ')
        {
            let known = match test.split_once("::") {
                Some(("faults", name)) => tests.contains(name),
                Some(("mysql", name)) => of_mysql.contains(name),
                Some(("elastic", name)) => of_elastic.contains(name),
                Some(("operator", name)) => of_operator.contains(name),
                Some(("job", name)) => of_job.contains(name),
                Some(("command" | "data_only" | "filters" | "fuzz" | "rename", _)) => {
                    of_laws.contains(test)
                }
                _ => false,
            };
            assert!(known, "{patch} names {test}");
        }
    }
}

#[test]
fn every_fault_has_a_patch() {
    let patches: BTreeSet<String> = files(&package().join("mutants"), ".patch")
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let page = page();
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let mut faults = 0;
    for row in rows.filter(|row| !row.starts_with("| Fault |")) {
        let last = row.trim_end_matches('|').rsplit('|').next().unwrap();
        let mut named = last.split('`').skip(1).step_by(2).peekable();
        assert!(named.peek().is_some(), "no patch: {row}");
        named.for_each(|name| assert!(patches.contains(name), "{name} is not there: {row}"));
        faults += 1;
    }
    assert!(faults > 60, "{faults} faults");
}

/// `make mutants` is run now and then, and the code moves on every day.
#[test]
fn every_patch_applies() {
    for (patch, _) in files(&package().join("mutants"), ".patch") {
        let run = tools::run(
            std::process::Command::new("git")
                .current_dir(package().join(".."))
                .args(["apply", "--check"])
                .arg(format!("tests/mutants/{patch}.patch")),
        );
        run.unwrap().success().unwrap();
    }
}
