//! Whatever is in a database comes back as `pg_dump | psql` brings it back: every kind of object, every property.

use std::collections::BTreeSet;

use ksnapshot_tests::{Postgres, Version, oracle};

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
    sections = "25-sections";
    extensions = "26-extensions";
    own = "27-own";
}

#[track_caller]
fn check(group: &str, version: Version) {
    oracle::check(Postgres::shared(version).unwrap(), group).unwrap();
}

#[test]
fn every_group_is_tested() {
    let folders: BTreeSet<String> = oracle::cases().unwrap().into_keys().collect();
    assert_eq!(folders, GROUPS.iter().map(ToString::to_string).collect());
}
