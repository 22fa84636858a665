//! PostgreSQL with very many small things: what is asked of a server grows by the hundred, and what fails still has a name.

use ksnapshot_tests::tools::Key;
use ksnapshot_tests::{Db, Ksnapshot, Options, Postgres, Version, compare, copies, tools};

/// A server that logs what it is asked.
fn talkative() -> Postgres {
    let options = Options::new(Version::V15).set("log_statement", "all");
    options.start().unwrap()
}

/// How many messages with statements a command sends: those of one message are one line of the log.
fn asked(server: &Postgres, command: impl FnOnce()) -> usize {
    let count = || {
        let log = server.log();
        log.matches("LOG:  statement: ").count() + log.matches("LOG:  execute ").count()
    };
    let before = count();
    command();
    count() - before
}

fn dump(db: &Db<'_>, to: &std::path::Path) -> Ksnapshot {
    Ksnapshot::new(["dump", &db.url(), "--to"])
        .arg(to)
        .password()
}

fn restore(from: &std::path::Path, into: &Db<'_>) -> Ksnapshot {
    Ksnapshot::new(["restore", "--into", &into.url()])
        .arg(from)
        .password()
}

fn make_tables(db: &Db<'_>, count: usize) {
    db.psql(&format!(
        "do $$ begin for n in 1..{count} loop
             execute format('create table t%1$s (id int primary key, name text)', n);
             execute format('create index on t%1$s (name)', n);
         end loop; end $$"
    ))
    .unwrap();
}

#[test]
fn no_question_is_asked_for_each_table() {
    let server = talkative();
    let counts = [20, 420].map(|tables| {
        let db = server.fresh_db("tables").unwrap();
        make_tables(&db, tables);
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("store");
        let dumped = asked(&server, || {
            dump(&db, &place).run().unwrap().success().unwrap();
        });
        let copy = server.fresh_db("copy").unwrap();
        let restored = asked(&server, || {
            restore(&place, &copy).run().unwrap().success().unwrap();
        });
        compare::schema(&db, &copy).unwrap();
        [dumped, restored]
    });
    let [[dump_few, restore_few], [dump_many, restore_many]] = counts;
    eprintln!("{counts:?}");
    // 400 tables more: their locks and a look into them by the hundred.
    assert!(dump_many < dump_few + 40, "{counts:?}");
    // … and 1,600 definitions more.
    assert!(restore_many < restore_few + 100, "{counts:?}");
}

/// Where their files don't tell, tables that seem to be empty are looked into.
#[test]
fn empty_tables_are_told_by_their_files() {
    let server = talkative();
    let db = server.fresh_db("empty").unwrap();
    make_tables(&db, 20);
    db.psql("insert into t7 values (1, 'one'); create unlogged table u (n int)")
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    // `looks` is how many ask for rows.
    let dumped = |place: &str| {
        let looks = || server.log().matches("SAVEPOINT look; (SELECT").count();
        let before = looks();
        let place = folder.path().join(place);
        dump(&db, &place).run().unwrap().success().unwrap();
        let copy = server.fresh_db("copy").unwrap();
        restore(&place, &copy).run().unwrap().success().unwrap();
        compare::same(&db, &copy).unwrap();
        let asked = server.log();
        (
            looks() - before,
            asked.contains("FROM ONLY public.t8 LIMIT"),
        )
    };
    assert_eq!(dumped("files"), (1, false), "only the unlogged one");
    // An extension may keep the rows of a table in a place of its own.
    db.psql("create extension citext").unwrap();
    assert_eq!(dumped("looks"), (1, true));
}

#[test]
fn no_question_is_asked_for_each_large_object() {
    let server = talkative();
    let db = server.fresh_db("large").unwrap();
    db.psql(
        "select count(lo_from_bytea(0, convert_to(n::text, 'UTF8'))) from generate_series(1, 3000) n;
         select lo_from_bytea(7, convert_to(repeat('large ', 1000000), 'UTF8')); select lo_create(8);
         comment on large object 7 is 'seven'; grant select on large object 8 to public",
    )
    .unwrap();
    let twin = copies::twin(&db).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (place, key) = (folder.path().join("store"), Key::generate().unwrap());
    let questions = asked(&server, || {
        let run = Ksnapshot::new(["dump", &db.url(), "--recipient", key.recipient(), "--to"]);
        run.arg(&place).password().run().unwrap().success().unwrap();
    });
    assert!(questions < 150, "{questions}");
    let copy = server.fresh_db("copy").unwrap();
    let questions = asked(&server, || {
        let run = Ksnapshot::new(["restore", "--into", &copy.url(), "--identity"]);
        let run = run.arg(key.identity()).arg(&place);
        run.password().run().unwrap().success().unwrap();
    });
    assert!(questions < 150, "{questions}");
    compare::same(&twin, &copy).unwrap();
}

/// A table that can't be read among many that are read together.
#[test]
fn a_broken_table_has_its_name() {
    let server = Postgres::start(Version::V15).unwrap();
    let db = server.create_db("db").unwrap();
    db.psql("create table a (n int); create table b (n int); insert into b values (1); create table c (n int)")
        .unwrap();
    db.psql("checkpoint").unwrap();
    let file = db.psql("select pg_relation_filepath('b')").unwrap();
    std::fs::remove_file(server.socket_dir().join("data").join(file)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let run = dump(&db, &folder.path().join("store")).run().unwrap();
    let told = run.exits(1).unwrap().stderr;
    assert!(told.contains("table public.b: "), "{told}");
    assert!(told.contains("could not open file"), "{told}");
}

/// Definitions that are sent together are refused one by one.
#[test]
fn a_refusal_is_of_one_definition() {
    let source = Postgres::start(Version::V15).unwrap();
    source.role("absent").unwrap();
    let db = source.create_db("db").unwrap();
    make_tables(&db, 200);
    db.psql("alter table t5 owner to absent; alter table t150 owner to absent; comment on table t151 is 'told'")
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("store");
    dump(&db, &place).run().unwrap().success().unwrap();

    let target = Postgres::start(Version::V15).unwrap();
    let copy = target.create_db("copy").unwrap();
    let run = restore(&place, &copy).run().unwrap().exits(3).unwrap();
    let refused = "role \"absent\" does not exist";
    assert_eq!(run.stderr.matches(refused).count(), 2, "{}", run.stderr);
    for table in ["t5", "t150"] {
        let owner = format!("owner of table public.{table}");
        assert!(run.stderr.contains(&owner), "{}", run.stderr);
    }
    // What differs is what was refused.
    source
        .psql("db", "reassign owned by absent to postgres")
        .unwrap();
    let schemas = [&db, &copy].map(|db| tools::pg_dump_schema(db).unwrap());
    assert_eq!(schemas[0], schemas[1]);
}
