//! MySQL and MariaDB: what `make test` shows on one of each family, on all six servers, and more often.

#[path = "../promises/mysql.rs"]
mod promises;

use ksnapshot_tests::mysql::{Flavour, Version};
use promises::{kinds, moment, stock, values};

use super::on;

/// Runs a rung.
const RUNS: usize = 20;

#[test]
fn every_value_comes_back_by_us() {
    on(&Version::ALL, Version::name, "values, by us", values::by_us);
}

#[test]
fn every_value_comes_back_by_the_stock_client() {
    on(
        &Version::ALL,
        Version::name,
        "values, by the stock client",
        values::by_the_stock_client,
    );
}

#[test]
fn broken_text_is_told() {
    on(
        &Version::ALL,
        Version::name,
        "broken text",
        values::broken_text_is_told,
    );
}

#[test]
fn every_kind_comes_back_by_us() {
    on(&Version::ALL, Version::name, "kinds, by us", kinds::by_us);
}

#[test]
fn every_kind_comes_back_by_the_stock_client() {
    on(
        &Version::ALL,
        Version::name,
        "kinds, by the stock client",
        kinds::by_the_stock_client,
    );
}

#[test]
fn the_stock_program_sees_in_our_copy_what_it_sees_in_its_own() {
    on(
        &Version::ALL,
        Version::name,
        "stock copies",
        stock::same_copies,
    );
}

#[test]
fn one_moment_by_locks_of_mysql() {
    on(
        &of(Flavour::MySql),
        Version::name,
        "moments, by locks",
        |version| {
            moment::by_locks(version, RUNS);
        },
    );
}

#[test]
fn one_moment_by_the_log_of_mariadb() {
    on(
        &of(Flavour::MariaDb),
        Version::name,
        "moments, by the log",
        |version| {
            moment::by_the_log(version, RUNS);
        },
    );
}

#[test]
fn one_moment_without_a_log_of_mariadb() {
    on(
        &of(Flavour::MariaDb),
        Version::name,
        "moments, without a log",
        |version| {
            moment::without_a_log(version, RUNS);
        },
    );
}

fn of(flavour: Flavour) -> Vec<Version> {
    let all = Version::ALL.into_iter();
    all.filter(|version| version.flavour() == flavour).collect()
}
