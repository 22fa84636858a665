//! A row with more bytes than a line of COPY holds, which `pg_dump` can't read: it comes back by us and by psql.

use ksnapshot_tests::tools::{self, Key};
use ksnapshot_tests::{Db, Ksnapshot, Postgres, Version};

const SOURCE: &str = r#"
    create table "file's" (id int generated always as identity primary key, "na""me" text, content bytea, other bytea, size int generated always as (octet_length(content)) stored);
    insert into "file's" ("na""me", content) values (E'small\t\\', '\x0001'), (null, null);
    insert into "file's" ("na""me", content, other) values
        (E'giant\t\\ \'é\n', convert_to(repeat('0123456789abcdeé', 33000000), 'UTF8'), '\x00ff'),
        ('two', convert_to(repeat('0123456789abcdef', 9000000), 'UTF8'), convert_to(repeat('fedcba9876543210', 9000001), 'UTF8'))
"#;

fn picture(db: &Db<'_>) -> String {
    let rows = "select id, \"na\"\"me\", octet_length(content), md5(content), md5(other), size from \"file's\" order by id";
    let next = "select last_value, is_called from \"file's_id_seq\"";
    [rows, next].map(|sql| db.psql(sql).unwrap()).join("\n")
}

#[test]
fn a_row_that_no_line_holds_comes_back() {
    let server = Postgres::shared(Version::V18).unwrap();
    let db = server.fresh_db("giant").unwrap();
    db.psql(SOURCE).unwrap();
    let expected = picture(&db);
    assert!(expected.contains("|561000000|"), "{expected}");
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = (folder.path().join("store"), Key::generate().unwrap());
    let dump = Ksnapshot::new(["dump", &db.url(), "--recipient", key.recipient(), "--to"]);
    dump.arg(&store)
        .password()
        .run()
        .unwrap()
        .success()
        .unwrap();

    let read = |verb: &str| {
        let read = Ksnapshot::new([verb]).arg(&store).arg("--identity");
        read.arg(key.identity()).password()
    };
    let stock = server.fresh_db("giant_stock").unwrap();
    let files = tools::files(&store).unwrap();
    let data = files
        .iter()
        .find(|file| file.to_string_lossy().ends_with(".sql.zst.age"));
    tools::restore_by_hand(data.unwrap(), Some(&key), &stock).unwrap();
    assert_eq!(picture(&stock), expected);
    stock.drop().unwrap();

    // A restore by us, compared row by row.
    let scratch = server.url("postgres");
    let verify = read("verify").args(["--level", "restore", "--scratch", &scratch]);
    verify.run().unwrap().success().unwrap();
    db.drop().unwrap();
}
