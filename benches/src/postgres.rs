//! PostgreSQL: TPC-H and many tables against `pg_dump`, `pg_restore` and `psql`.

mod dump;
mod many_tables;
mod memory;
mod one_table;
mod restore;

use anyhow::{Context, Result};
use ksnapshot_tests::tools::Key;
use ksnapshot_tests::{Options, PASSWORD, Postgres, Version};

use crate::race::{Field, Plan, Race};

/// All of them.
pub(crate) fn races() -> Vec<Race> {
    vec![
        dump::on_15(),
        dump::on_18(),
        restore::on_15(),
        restore::on_18(),
        memory::race(),
        one_table::race(),
        many_tables::dump(),
        many_tables::restore(),
        many_tables::restore_small(),
    ]
}

const VERSIONS: &str = r"
ksnapshot --version
psql -XAtc 'select $$PostgreSQL $$ || setting from pg_settings where name = $$server_version$$'
pg_dump --version
echo age $(age --version)
zstd --version | grep -o 'v[0-9][0-9.]*' | sed 's/^/zstd /'
gzip --version | head -n 1";

/// A server on a copy of TPC-H, with the settings of the testbed: PostgreSQL's defaults but for `fsync`.
fn tpch(version: Version, plan: &Plan) -> Result<Field> {
    let server = Options::new(version)
        .tpch(plan.scale("1", "0.1"))?
        .start()?;
    field(server)
}

/// A race on this server. The environment connects its own clients, first in `PATH`, to the database `tpch`, and tells
///
/// - `URL`: `tpch`, as ksnapshot takes it; `SERVER`: the same without the database's name;
/// - `RECIPIENT`, `IDENTITY`: a public key, and the file with its secret.
fn field(server: Postgres) -> Result<Field> {
    let key = Key::generate()?;
    let clients = server.version().client("psql")?;
    Ok(Field {
        env: vec![
            Field::path(&[&clients])?,
            ("PGHOST", "127.0.0.1".into()),
            ("PGPORT", server.port().to_string().into()),
            ("PGUSER", "postgres".into()),
            ("PGPASSWORD", PASSWORD.into()),
            ("PGDATABASE", "tpch".into()),
            ("URL", server.url("tpch").into()),
            ("SERVER", server.url("").trim_end_matches('/').into()),
            ("RECIPIENT", key.recipient().into()),
            ("IDENTITY", key.identity().into()),
        ],
        servers: vec![postmaster(&server)?],
        versions: VERSIONS,
        meter: None,
        budget: None,
        held: vec![Box::new(key), Box::new(server)],
    })
}

/// The process of a server that started all its others: the lock beside its socket names it.
fn postmaster(server: &Postgres) -> Result<u32> {
    let lock = format!(".s.PGSQL.{}.lock", server.port());
    let text = std::fs::read_to_string(server.socket_dir().join(lock))?;
    let pid = text.lines().next().context("an empty lock")?;
    Ok(pid.trim().parse()?)
}
