//! Writers, pgbench and changes of definitions while dumps run, for longer.

#[path = "../promises/postgres.rs"]
mod promises;

use ksnapshot_tests::Version;

#[test]
fn a_dump_under_a_storm_is_of_one_moment() {
    for version in Version::ALL {
        promises::storm::one_moment(version, 20);
    }
}
