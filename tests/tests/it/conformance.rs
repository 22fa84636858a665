//! Our own engines against the suites that strangers' have to pass, on real servers.

use ksnapshot_core::conformance;
use ksnapshot_core::{Dumper, Restorer};
use ksnapshot_dumpers::Access;
use ksnapshot_dumpers::command::{CommandLine, Program};
use ksnapshot_dumpers::elastic::Elastic;
use ksnapshot_dumpers::mysql::MySql;
use ksnapshot_dumpers::postgres::Postgres;
use ksnapshot_tests::elastic;
use ksnapshot_tests::{PASSWORD, Version, mysql, testbed};

/// The password of all test servers.
fn access() -> Access {
    Access {
        password: Some(PASSWORD.into()),
        ..Access::default()
    }
}

fn check(source: &(impl Dumper + Restorer)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime
        .block_on(conformance::engine(source, source))
        .unwrap_or_else(|error| panic!("{error:#}"));
}

#[test]
fn postgresql() {
    for version in [Version::V15, Version::V18] {
        let server = ksnapshot_tests::Postgres::shared(version).unwrap();
        let shop = server.fresh_db("conformance").unwrap();
        shop.psql_file(&testbed::sql("shop.sql")).unwrap();
        shop.psql(
            "create table many as select n, repeat('x', 100) from generate_series(1, 50000) n",
        )
        .unwrap();
        check(&Postgres::parse(&shop.url(), &access()).unwrap());
        shop.drop().unwrap();
    }
}

#[test]
fn mysql_and_mariadb() {
    for version in mysql::Version::NEWEST {
        let server = mysql::MySql::shared(version).unwrap();
        let db = server.create_db("conformance").unwrap();
        db.run(
            "create table t (id int primary key auto_increment, note varchar(200) not null);
             insert into t (note) values (repeat('x', 150)), (repeat('y', 150));
             insert into t (note) select a.note from t a, t b, t c, t d;
             insert into t (note) select a.note from t a, t b, t c;
             create view v as select count(*) from t;",
        )
        .unwrap();
        check(&MySql::parse(&server.url("conformance"), &access()).unwrap());
        db.run("drop database conformance").unwrap();
    }
}

#[serial_test::serial(elastic)]
#[test]
fn elasticsearch_and_opensearch() {
    for version in elastic::Version::NEWEST {
        let server = elastic::Elastic::start(version).unwrap();
        for index in ["orders", "customers"] {
            let note = "x".repeat(300);
            let document = |n| {
                (
                    format!("{n}"),
                    None,
                    format!("{{\"n\":{n},\"note\":\"{note}\"}}"),
                )
            };
            server.bulk(index, (1..=4000).map(document)).unwrap();
        }
        check(&Elastic::parse(&server.url(), &Access::default()).unwrap());
    }
}

#[test]
fn programs() {
    let line = ["seq", "1", "400000"].map(Into::into);
    let program = Program::new(CommandLine(line.into())).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime
        .block_on(conformance::dumper(&program))
        .unwrap_or_else(|e| panic!("{e:#}"));
}
