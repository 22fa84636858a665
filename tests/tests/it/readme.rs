//! Every example of the README runs as it stands there; what a reader has to replace, the test replaces.

use std::ffi::OsStr;
use std::path::Path;

use ksnapshot_tests::elastic::{self, Elastic};
use ksnapshot_tests::mysql::{self, MySql};
use ksnapshot_tests::{Minio, Postgres, Version, binary, compare, testbed, tools};

/// What stands for the reader's own names, and the way to servers that the test started.
fn adapt(block: &str, minio: &Minio, mysql: &MySql, elastic: &Elastic) -> String {
    let credentials = minio
        .credentials()
        .map(|(name, value)| format!("{name}={value}"))
        .join(" ");
    block
        .replace("postgres://app@db/", "postgres://postgres@localhost/")
        .replace("mysql://app@db", mysql.url("").trim_end_matches('/'))
        .replace("elasticsearch://search.example.org:9200", &elastic.url())
        .replace("AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…", &credentials)
        .replace("https://minio.example.org", &minio.endpoint())
}

/// The examples of a page.
pub(crate) fn blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        match &mut open {
            None if line == "```sh" => open = Some(String::new()),
            None => {}
            Some(_) if line == "```" => blocks.extend(open.take()),
            Some(block) => {
                block.push_str(line);
                block.push('\n');
            }
        }
    }
    blocks
}

#[test]
fn every_example_runs() {
    let server = Postgres::start(Version::V15).unwrap();
    let minio = Minio::shared().unwrap();
    minio.bucket("backups").unwrap();
    let shop = server.create_db("shop").unwrap();
    shop.psql_file(&testbed::sql("shop.sql")).unwrap();
    let mysql = &MySql::start(mysql::Version::MySql97).unwrap();
    (mysql.create_db("shop").unwrap())
        .run("create table orders (id int primary key, note text); insert into orders values (1, 'first'), (2, 'second')")
        .unwrap();
    let elastic = &Elastic::start(elastic::Version::Es9).unwrap();
    for index in ["logs-a", "logs-b"] {
        let documents = (1..=5).map(|n| (n.to_string(), None, format!("{{\"n\":{n}}}")));
        elastic.bulk(index, documents).unwrap();
    }
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let blocks = blocks(&std::fs::read_to_string(readme).unwrap());
    // Setting up is what everything else here stands on; the rest is run.
    let (set_up, examples): (Vec<_>, Vec<_>) = blocks
        .into_iter()
        .partition(|b| b.starts_with("make ") || b.starts_with("cargo "));
    // That of a cluster is run on one, by `installed::readme`.
    let (of_clusters, examples): (Vec<_>, Vec<_>) =
        examples.into_iter().partition(|b| b.starts_with("helm "));
    assert_eq!(
        (set_up.len(), of_clusters.len(), examples.len()),
        (2, 1, 10),
        "a new example needs a look at this test"
    );

    let folder = tempfile::tempdir().unwrap();
    let binary = binary().unwrap();
    let path = format!(
        "{}:{}",
        binary.parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    for example in examples {
        let script = format!(
            "set -euo pipefail\n{}",
            adapt(&example, minio, mysql, elastic)
        );
        let mut command = tools::bash(&script, &[] as &[&OsStr]);
        tools::clean(&mut command);
        command
            .current_dir(folder.path())
            .env("PATH", &path)
            .envs(server.env())
            .envs(mysql.env());
        command.env("AWS_ENDPOINT_URL", minio.endpoint());
        tools::run(&mut command).unwrap().success().unwrap();
    }
    mysql::compare::same_rows(&mysql.db("shop"), &mysql.db("shop_copy")).unwrap();
    assert_eq!(
        elastic.documents("logs-copy").unwrap(),
        elastic.documents("logs-a").unwrap()
    );
    let rows = |table: &str| {
        let hash = format!("select count(*), sum(hashtext(t::text)) from {table} t");
        shop.psql(&hash).unwrap()
    };
    assert_eq!(rows("shop.past"), rows("shop.events"));
    shop.psql("drop table shop.past").unwrap();
    for copy in ["shop_copy", "shop_without"] {
        compare::same(&shop, &server.db(copy)).unwrap();
    }
}
