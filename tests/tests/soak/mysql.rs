//! MySQL and MariaDB: what `make test` shows on one of each family, on all six servers, and more often.

#[path = "../promises/mysql.rs"]
mod promises;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use ksnapshot_tests::mysql::{Flavour, Version};
use promises::{kinds, moment, stock, values};

/// Runs a rung.
const RUNS: usize = 20;

#[test]
fn every_value_comes_back_by_us() {
    on(&Version::ALL, "values, by us", values::by_us);
}

#[test]
fn every_value_comes_back_by_the_stock_client() {
    on(
        &Version::ALL,
        "values, by the stock client",
        values::by_the_stock_client,
    );
}

#[test]
fn broken_text_is_told() {
    on(&Version::ALL, "broken text", values::broken_text_is_told);
}

#[test]
fn every_kind_comes_back_by_us() {
    on(&Version::ALL, "kinds, by us", kinds::by_us);
}

#[test]
fn every_kind_comes_back_by_the_stock_client() {
    on(
        &Version::ALL,
        "kinds, by the stock client",
        kinds::by_the_stock_client,
    );
}

#[test]
fn the_stock_program_sees_in_our_copy_what_it_sees_in_its_own() {
    on(&Version::ALL, "stock copies", stock::same_copies);
}

#[test]
fn one_moment_by_locks_of_mysql() {
    on(&of(Flavour::MySql), "moments, by locks", |version| {
        moment::by_locks(version, RUNS);
    });
}

#[test]
fn one_moment_by_the_log_of_mariadb() {
    on(&of(Flavour::MariaDb), "moments, by the log", |version| {
        moment::by_the_log(version, RUNS);
    });
}

#[test]
fn one_moment_without_a_log_of_mariadb() {
    on(&of(Flavour::MariaDb), "moments, without a log", |version| {
        moment::without_a_log(version, RUNS);
    });
}

fn of(flavour: Flavour) -> Vec<Version> {
    let all = Version::ALL.into_iter();
    all.filter(|version| version.flavour() == flavour).collect()
}

/// One that breaks its promise doesn't keep the others from being asked.
fn on(versions: &[Version], what: &str, promise: impl Fn(Version)) {
    let mut broken = Vec::new();
    for &version in versions {
        let began = Instant::now();
        let kept = catch_unwind(AssertUnwindSafe(|| promise(version))).is_ok();
        let seconds = began.elapsed().as_secs();
        let outcome = if kept { "kept" } else { "broken" };
        println!("{what} on {}: {outcome}, {seconds} s", version.name());
        if !kept {
            broken.push(version);
        }
    }
    assert!(broken.is_empty(), "{what}: broken on {broken:?}");
}
