//! The same for MySQL and MariaDB.

use ksnapshot_tests::mysql::{self, MySql, Version, compare};
use ksnapshot_tests::{PASSWORD, testbed};

use super::*;

/// About 4 MB, with what a MySQL user has.
const SHOP: &str = "
    create table customers (id int auto_increment primary key, name varchar(60) not null);
    insert into customers (name) values ('first'), ('second'), ('third');
    create table orders (id int auto_increment primary key, customer int not null, note varchar(200),
        key (customer), foreign key (customer) references customers (id));
    insert into orders (customer, note) select 1 + a.id % 3, repeat(sha2(a.id * 3 + b.id, 256), 2) from customers a, customers b;
    insert into orders (customer, note) select 1 + a.id % 3, repeat(sha2(a.id * 10 + b.id, 256), 2) from orders a, orders b;
    insert into orders (customer, note) select 1 + a.id % 3, repeat(sha2(a.id * 100 + b.id, 256), 2) from orders a, orders b;
    insert into orders (customer, note) select 1 + a.id % 3, repeat(sha2(a.id * 10000 + b.id, 256), 2) from orders a, customers b;
    create view latest as select * from orders order by id desc limit 10;
    create function twice(n int) returns int deterministic return 2 * n;
    create procedure nothing() begin end;
    create trigger noted before insert on orders for each row set new.note = coalesce(new.note, '');
";

fn newest() -> impl Iterator<Item = &'static MySql> {
    Version::NEWEST
        .into_iter()
        .map(|version| MySql::shared(version).unwrap())
}

fn filled(server: &'static MySql, stem: &str) -> mysql::Db<'static> {
    let db = server.fresh_db(stem).unwrap();
    db.run(SHOP).unwrap();
    db
}

fn known(run: Ksnapshot) -> Ksnapshot {
    run.env("MYSQL_PWD", PASSWORD)
}

/// A snapshot of that database in a place of its own.
fn dumped(db: &mysql::Db<'_>) -> Place {
    let place = Place::new();
    let run = known(dump(&db.url(), place.store())).run().unwrap();
    run.success().unwrap();
    place
}

/// Neither a dump from `url` nor a restore into it gets in; nothing is left.
#[track_caller]
fn refused(url: &str, snapshot: &Place, with: impl Fn(Ksnapshot) -> Ksnapshot, says: &[&str]) {
    let place = Place::new();
    fails(with(dump(url, place.store())).run().unwrap(), 13, says);
    assert!(place.entries().is_empty(), "{:?}", place.entries());
    let run = with(restore(snapshot.store(), url)).run().unwrap();
    fails(run, 13, says);
}

#[test]
fn logins_and_hosts() {
    for server in newest() {
        let db = filled(server, "logins");
        let snapshot = dumped(&db);
        let wrong = |run: Ksnapshot| run.env("MYSQL_PWD", "wrong-wrong");
        let says = ["login refused for user root", "hint: Set MYSQL_PWD"];
        refused(&db.url(), &snapshot, wrong, &says);
        let nobody = server.url_as("nobody_at_all", &db.name);
        let says = ["login refused for user nobody_at_all"];
        refused(&nobody, &snapshot, known, &says);
        let port = testbed::free_port().unwrap();
        let down = db
            .url()
            .replace(&server.port().to_string(), &port.to_string());
        let says = [
            &*format!("server 127.0.0.1:{port}: can't connect"),
            "hint: Check host and port",
        ];
        refused(&down, &snapshot, known, &says);
        db.drop().unwrap();
    }
}

#[test]
fn unknown_databases_and_parameters() {
    for server in newest() {
        let place = Place::new();
        let run = known(dump(&server.url("not_there"), place.store())).run();
        fails(
            run.unwrap(),
            13,
            &["database not_there does not exist", "hint: "],
        );
        let url = format!("{}?colour=blue", server.url("mysql"));
        let run = known(dump(&url, place.store())).run().unwrap();
        fails(run, 2, &["parameter \"colour\" is not known"]);
        assert!(place.entries().is_empty());
    }
}

#[test]
fn a_target_that_is_not_empty() {
    for server in newest() {
        let (source, target) = (filled(server, "full"), filled(server, "full_target"));
        target
            .run("delete from orders where id > 5; drop view latest")
            .unwrap();
        let snapshot = dumped(&source);
        let before = compare::stock_dump(server, &[&target.name]).unwrap();
        let run = known(restore(snapshot.store(), &target.url()))
            .run()
            .unwrap();
        let says = format!("database {} is not empty", target.name);
        fails(run, 1, &[&says, "--clean"]);
        assert_eq!(
            before,
            compare::stock_dump(server, &[&target.name]).unwrap()
        );
        let run = known(restore(snapshot.store(), &target.url()).arg("--clean"));
        run.run().unwrap().success().unwrap();
        compare::same_rows(&source, &target).unwrap();
        source.drop().unwrap();
        target.drop().unwrap();
    }
}

#[test]
fn killed_in_the_middle_of_a_restore() {
    for version in Version::NEWEST {
        let server = MySql::start(version).unwrap();
        let source = server.create_db("source").unwrap();
        source.run(SHOP).unwrap();
        let snapshot = dumped(&source);
        let target = server.create_db("target").unwrap();
        let run = known(restore(snapshot.store(), &target.url()))
            .spawn()
            .unwrap();
        let made = "select count(*) from information_schema.tables where table_schema = 'target' and table_name = 'orders'";
        testbed::until(Duration::from_secs(30), "a table", || {
            Ok((server.value(made)? == "1").then_some(()))
        })
        .unwrap();
        server.kill().unwrap();
        let says = ["server", "now holds a part of the snapshot"];
        fails(run.wait().unwrap(), 13, &says);
    }
}

#[test]
fn a_signal_leaves_no_session() {
    for version in Version::NEWEST {
        let server = MySql::start(version).unwrap();
        let source = server.create_db("source").unwrap();
        source.run(SHOP).unwrap();
        let place = Place::new();
        // A server at work does not look whether somebody still listens.
        let slow = ["--where", "sleep(2) = 0"];
        let run = known(dump(&source.url(), place.store()).args(slow))
            .spawn()
            .unwrap();
        let asleep =
            "select count(*) > 0 from information_schema.processlist where state = 'User sleep'";
        testbed::until(Duration::from_secs(30), "a reader at work", || {
            Ok((server.value(asleep)? == "1").then_some(()))
        })
        .unwrap();
        run.terminate().unwrap();
        let run = run.wait().unwrap();
        fails(run, 130, &["cancelled"]);
        assert!(place.entries().is_empty(), "{:?}", place.entries());
        assert_eq!(server.sessions().unwrap(), 0);
    }
}

#[test]
fn servers_of_other_habits() {
    for version in Version::NEWEST {
        let server = mysql::Options::new(version)
            .set(
                "sql-mode",
                "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES,NO_ZERO_DATE",
            )
            .set("character-set-server", "latin1")
            .set("default-time-zone", "-07:00")
            .start()
            .unwrap();
        let source = server.create_db("source").unwrap();
        source
            .run("create table t (id int primary key, t text character set utf8mb4, at timestamp, z date)")
            .unwrap();
        source
            .run(
                "set sql_mode = ''; insert into t values (1, 'a\\\\b\\'c\\nüß', '2026-03-29 02:30:00', '0000-00-00'), \
                 (2, '', null, '2026-00-00')",
            )
            .unwrap();
        let snapshot = dumped(&source);
        let copy = server.create_db("copy").unwrap();
        let run = known(restore(snapshot.store(), &copy.url())).run().unwrap();
        run.success().unwrap();
        compare::same_rows(&source, &copy).unwrap();
    }
}
