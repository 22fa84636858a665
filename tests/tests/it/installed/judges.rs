//! Rows before, and rows after a restore by stock tools alone: `age`, `gunzip`, and each server's own client.

use std::fs;

use anyhow::{Result, ensure};
use ksnapshot_tests::elastic::Elastic;
use ksnapshot_tests::tools;

use super::bench::{BUCKET, Bench};

const SQL: &str = "create table orders (id int primary key, note varchar(100) not null); \
                   insert into orders values (1, 'first'), (2, 'it''s ''quoted'''), (3, 'ünï©ode');";
const ROWS: &str = "1|first\n2|it's 'quoted'\n3|ünï©ode\n";
const DOCUMENTS: &str =
    "{\"index\":{\"_id\":\"a\"}}\n{\"n\":1}\n{\"index\":{\"_id\":\"b\"}}\n{\"n\":2,\"t\":\"ü\"}\n";

fn psql<'a>(database: &'a str, sql: &'a str) -> Vec<&'a str> {
    vec![
        "psql",
        "-XAtq",
        "-v",
        "ON_ERROR_STOP=1",
        "-U",
        "app",
        "-d",
        database,
        "-c",
        sql,
    ]
}

fn maria<'a>(database: &'a str, sql: &'a str) -> Vec<&'a str> {
    vec![
        "mariadb",
        "-h",
        "127.0.0.1",
        "-uroot",
        "-pcanary-root",
        "-N",
        database,
        "-e",
        sql,
    ]
}

/// Puts something into each database.
pub(super) fn fill(bench: &Bench) -> Result<()> {
    for app in ["pg", "each"] {
        bench.exec(app, None, &psql("shop", SQL))?;
    }
    bench.exec("maria", None, &maria("shop", SQL))?;
    let forward = bench
        .cluster
        .forward_to_pod(&bench.shop, &bench.pod("search")?, 9200)?;
    let url = format!("http://{}/orders/_bulk?refresh=true", forward.addr());
    let script = "curl -sS --fail -u elastic:canary-elastic -H 'Content-Type: application/x-ndjson' --data-binary @- \"$1\" <<<\"$2\"";
    tools::run(&mut tools::bash(
        script,
        &[url.as_ref(), DOCUMENTS.as_ref()],
    ))?
    .success()?;
    Ok(())
}

/// Restores each database's snapshot beside it, and compares.
pub(super) fn restored_by_stock_clients(bench: &Bench) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let opened = |series: &str, end: &str| -> Result<std::path::PathBuf> {
        let names = bench.objects(series, end)?;
        ensure!(names.len() == 1, "{names:?}");
        let object = bench.minio.get(BUCKET, &names[0], folder.path())?;
        let plain = folder.path().join("plain");
        fs::write(&plain, tools::open(&object, Some(&bench.key))?)?;
        Ok(plain)
    };
    let series = |kind: &str, name: &str| format!("dump-{}.{kind}.{name}-", bench.shop);

    for (kind, app) in [("deployment", "pg"), ("daemonset", "each")] {
        let plain = opened(&series(kind, app), ".sql.gz.age")?;
        bench.exec(app, None, &psql("postgres", "create database copy"))?;
        bench.exec(
            app,
            Some(&plain),
            &[
                "psql",
                "-Xq",
                "-v",
                "ON_ERROR_STOP=1",
                "-U",
                "app",
                "-d",
                "copy",
            ],
        )?;
        let rows = bench.exec(
            app,
            None,
            &psql("copy", "select id || '|' || note from orders order by id"),
        )?;
        assert_eq!(rows, ROWS, "{app}");
    }

    let plain = opened(&series("statefulset", "maria"), ".sql.gz.age")?;
    bench.exec("maria", None, &maria("mysql", "create database copy"))?;
    bench.exec(
        "maria",
        Some(&plain),
        &[
            "mariadb",
            "-h",
            "127.0.0.1",
            "-uroot",
            "-pcanary-root",
            "copy",
        ],
    )?;
    let rows = bench.exec(
        "maria",
        None,
        &maria(
            "copy",
            "select concat(id, '|', note) from orders order by id",
        ),
    )?;
    assert_eq!(rows, ROWS);

    let plain = opened(&series("statefulset", "search"), "-data.jsonl.gz.age")?;
    let input = plain.with_extension("json");
    fs::rename(&plain, &input)?;
    let text = fs::read_to_string(&input)?;
    fs::write(
        &input,
        text.replace("\"_index\":\"orders\"", "\"_index\":\"copy\""),
    )?;
    let forward = bench
        .cluster
        .forward_to_pod(&bench.shop, &bench.pod("search")?, 9200)?;
    let at = format!("http://elastic:canary-elastic@{}/copy", forward.addr());
    let (from, to) = (
        format!("--input={}", input.display()),
        format!("--output={at}"),
    );
    tools::run(&mut Elastic::elasticdump([&from, &to, "--type=data"])?)?.success()?;
    let search = "curl -sS --fail -X POST \"$1/_refresh\" >/dev/null; \
                  curl -sS --fail \"$1/_search?sort=n\" | jq -c '[.hits.hits[] | [._id, ._source]]'";
    let found = tools::run(&mut tools::bash(search, &[at.as_ref()]))?
        .success()?
        .text();
    assert_eq!(found.trim(), r#"[["a",{"n":1}],["b",{"n":2,"t":"ü"}]]"#);
    Ok(())
}
