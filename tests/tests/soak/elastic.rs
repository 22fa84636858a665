//! Elasticsearch and OpenSearch: what `make test` shows on one of each family, on all five servers, and more often.

#[path = "../promises/elastic.rs"]
mod promises;

use ksnapshot_tests::elastic::Version;
use promises::{kinds, moment};

use super::on;

/// Dumps under writers.
const RUNS: usize = 20;

#[test]
fn every_kind_comes_back_by_us() {
    on(&Version::ALL, Version::name, "kinds, by us", kinds::by_us);
}

#[test]
fn every_kind_comes_back_in_a_drill() {
    on(
        &Version::ALL,
        Version::name,
        "kinds, in a drill",
        kinds::by_a_drill,
    );
}

#[test]
fn a_dump_under_writers_is_what_its_view_held() {
    on(
        &Version::ALL,
        Version::name,
        "dumps under writers",
        |version| {
            moment::counts_agree(version, RUNS);
        },
    );
}
