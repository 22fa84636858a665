//! PostgreSQL: what `make test` shows on 15 and 18, on 12 to 18.

use std::time::{SystemTime, UNIX_EPOCH};

use ksnapshot_tests::{Postgres, Version, oracle};

use super::on;

#[test]
fn whatever_is_in_a_database_comes_back() {
    for group in oracle::cases().unwrap().keys() {
        on(&Version::EVERY, Version::name, group, |version| {
            oracle::check(Postgres::shared(version).unwrap(), group).unwrap();
        });
    }
}

#[test]
fn five_hundred_random_schemas_come_back() {
    // Others than the last time; a failure tells which.
    let first = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
        * 1000;
    for (turn, seed) in (first..first + 500).step_by(10).enumerate() {
        let version = Version::EVERY[turn % Version::EVERY.len()];
        on(&[version], Version::name, "random schemas", |version| {
            let server = Postgres::shared(version).unwrap();
            oracle::check_random(server, seed..seed + 10).unwrap();
        });
    }
}
