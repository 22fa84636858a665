//! MySQL and MariaDB: TPC-H against the stock programs of the server, and against `mydumper` and `myloader`.

mod dump;
mod memory;
mod restore;

use std::ffi::OsString;

use anyhow::Result;
use ksnapshot_tests::mysql::{MySql, Options, Version};
use ksnapshot_tests::tools::Key;
use ksnapshot_tests::{PASSWORD, testbed};

use crate::race::{Field, Plan, Race};

/// All of them.
pub(crate) fn races() -> Vec<Race> {
    vec![
        dump::on_mariadb_118(),
        restore::on_mariadb_118(),
        memory::on_mariadb_118(),
    ]
}

const VERSIONS: &str = r#"
ksnapshot --version
mysql --defaults-file="$CNF" -Ne 'select concat("MariaDB ", substring_index(version(), "-", 1))'
mysqldump --version | sed 's/^[^ ]*\///; s/-MariaDB.*//'
mydumper --version | sed 's/,.*//'
echo age $(age --version)
zstd --version | grep -o 'v[0-9][0-9.]*' | sed 's/^/zstd /'
gzip --version | head -n 1"#;

/// A server on a copy of TPC-H, with the settings of the testbed: MariaDB's defaults but for how it flushes, and a
/// binary log.
fn tpch(version: Version, plan: &Plan) -> Result<Field> {
    let server = Options::new(version)
        .tpch(plan.scale("1", "0.05"))?
        .start()?;
    field(server)
}

/// A race on this server. The environment has its own clients, and mydumper's, first in `PATH`, and tells
///
/// - `URL`: `tpch`, as ksnapshot takes it;
/// - `CNF`: an option file that connects any stock program, as root;
/// - `RECIPIENT`, `IDENTITY`: a public key, and the file with its secret.
fn field(server: MySql) -> Result<Field> {
    let key = Key::generate()?;
    let clients = server.version().client("mysql")?;
    let mydumper = testbed::home()?.join("roots/mydumper/clients/mydumper");
    testbed::require(&mydumper)?;
    Ok(Field {
        env: vec![
            Field::path(&[&clients, &mydumper])?,
            ("MYSQL_PWD", PASSWORD.into()),
            ("CNF", server.option_file().into()),
            ("URL", server.url("tpch").into()),
            ("RECIPIENT", key.recipient().into()),
            ("IDENTITY", key.identity().into()),
        ],
        servers: vec![server.pid()],
        versions: VERSIONS,
        meter: None,
        budget: None,
        held: vec![Box::new(key), Box::new(server)],
    })
}

/// Adds a server of the same race, with its own names in the environment.
fn beside(field: &mut Field, server: MySql, env: [(&'static str, OsString); 2]) {
    field.env.extend(env);
    field.servers.push(server.pid());
    field.held.push(Box::new(server));
}
