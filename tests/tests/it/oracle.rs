//! Whatever is in a database comes back as `pg_dump | psql` brings it back: every kind of object, every property.

use std::collections::BTreeSet;
use std::fs;

use ksnapshot_tests::{Postgres, Version, oracle, testbed};

/// One test a group and version, and the list of all groups.
macro_rules! groups {
    ($($name:ident = $group:literal;)*) => {
        const GROUPS: &[&str] = &[$($group),*];
        $(mod $name {
            use super::*;

            #[test]
            fn on_15() {
                check($group, Version::V15);
            }

            #[test]
            fn on_18() {
                check($group, Version::V18);
            }
        })*
    };
}

groups! {
    default_privileges = "01-default-privileges";
    owners = "02-owners";
    families_and_sequences = "03-families-and-sequences";
    constraints = "04-constraints";
    columns = "05-columns";
    row_security = "06-row-security";
    large_objects = "07-large-objects";
    comments = "08-comments";
    data = "09-data";
    database = "10-database";
    casts_and_collations = "11-casts-and-collations";
    functions = "12-functions";
    operator_classes = "13-operator-classes";
    triggers = "14-triggers";
    types = "15-types";
    text_search = "16-text-search";
    foreign_data = "17-foreign-data";
    materialized_views = "18-materialized-views";
    replication = "19-replication";
    tables = "20-tables";
    indexes = "21-indexes";
    views = "22-views";
    grants = "23-grants";
    clean = "24-clean";
    sections = "25-sections";
    extensions = "26-extensions";
    own = "27-own";
    labels = "28-labels";
}

#[track_caller]
fn check(group: &str, version: Version) {
    oracle::check(Postgres::shared(version).unwrap(), group).unwrap();
}

#[test]
fn fifty_random_schemas_on_15() {
    random(Version::V15);
}

#[test]
fn fifty_random_schemas_on_18() {
    random(Version::V18);
}

#[track_caller]
fn random(version: Version) {
    let server = Postgres::shared(version).unwrap();
    for seed in (0..50).step_by(10) {
        oracle::check_random(server, seed..seed + 10).unwrap();
    }
}

#[test]
fn every_group_is_tested() {
    let folders: BTreeSet<String> = oracle::cases().unwrap().into_keys().collect();
    assert_eq!(folders, GROUPS.iter().map(ToString::to_string).collect());
}

/// `tests/postgres/rows.txt` lists what there is to cover, a line each: its key, a colon, and what it holds.
#[test]
fn every_row_has_its_case() {
    let rows = fs::read_to_string(testbed::sql("../postgres/rows.txt")).unwrap();
    let rows: BTreeSet<&str> = rows
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(row, _)| row)
        .collect();
    let cases = oracle::cases().unwrap();
    let cases = cases.values().flatten();
    let covered: BTreeSet<&str> = cases
        .clone()
        .flat_map(|case| case.covers.iter().map(String::as_str))
        .collect();
    let without: Vec<_> = rows.difference(&covered).collect();
    assert!(without.is_empty(), "rows without a case: {without:?}");
    let unknown: Vec<_> = covered.difference(&rows).collect();
    assert!(
        unknown.is_empty(),
        "cases of rows that are not listed: {unknown:?}"
    );
    for case in cases {
        assert!(
            !case.covers.is_empty(),
            "{}: says not what it covers",
            case.name
        );
    }
}
