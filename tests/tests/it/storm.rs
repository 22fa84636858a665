//! Writers, pgbench and changes of definitions while a dump runs.

#[path = "../promises/postgres.rs"]
mod promises;

use ksnapshot_tests::Version;

#[test]
fn a_dump_under_a_storm_is_of_one_moment() {
    for version in Version::ALL {
        promises::storm::one_moment(version, 3);
    }
}
