//! The examples of embedding, run as programs of their own.

use std::path::PathBuf;
use std::process::Command;

use ksnapshot_tests::tools::{self, Key, Run};
use ksnapshot_tests::{PASSWORD, Postgres, Version, binary, compare, testbed};

fn example(name: &str, args: &[&str]) -> Run {
    let folder: PathBuf = binary().unwrap().parent().unwrap().join("examples");
    let mut command = Command::new(folder.join(name));
    tools::clean(&mut command);
    command.args(args).env("PGPASSWORD", PASSWORD);
    tools::run(&mut command).unwrap().success().unwrap()
}

#[test]
fn a_program_of_thirty_lines_dumps_and_another_restores() {
    let server = Postgres::shared(Version::V15).unwrap();
    let shop = server.fresh_db("embedded").unwrap();
    shop.psql_file(&testbed::sql("shop.sql")).unwrap();
    let (folder, key) = (tempfile::tempdir().unwrap(), Key::generate().unwrap());
    let store = folder.path().to_str().unwrap();
    let dumped = example("dump", &[&shop.url(), store, key.recipient()]);
    assert!(dumped.text().contains(" rows"), "{dumped:?}");
    let copy = server.db("embedded_copy");
    let identity = key.identity();
    example("restore", &[store, identity.to_str().unwrap(), &copy.url()]);
    compare::same(&shop, &copy).unwrap();
    for db in [shop, copy] {
        db.drop().unwrap();
    }
}

#[test]
fn the_examples_are_short() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples");
    for name in ["dump.rs", "restore.rs"] {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        let lines = text
            .lines()
            .skip_while(|line| !line.contains("async fn main"));
        let main = lines.take_while(|line| *line != "}").count();
        assert!(main < 30, "{name}: {main} lines");
    }
}
