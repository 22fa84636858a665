//! Whether two databases are equal, as PostgreSQL's own tools see them.

use std::fs;
use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::Db;
use crate::{testbed, tools};

/// Everything below: definitions, rows, sequences, large objects.
pub fn same(a: &Db<'_>, b: &Db<'_>) -> Result<()> {
    schema(a, b)?;
    rows(a, b)?;
    sequences(a, b)?;
    large_objects(a, b)
}

/// Definitions: `pg_dump -s` of both, by one client, is equal byte for byte.
pub fn schema(a: &Db<'_>, b: &Db<'_>) -> Result<()> {
    equal("schema", a, b, tools::pg_dump_schema)
}

/// Rows: the sorted text of every table and materialized view has the same hash.
pub fn rows(a: &Db<'_>, b: &Db<'_>) -> Result<()> {
    equal("rows", a, b, row_hashes)
}

/// Sequences: their position.
pub fn sequences(a: &Db<'_>, b: &Db<'_>) -> Result<()> {
    equal("sequences", a, b, sequence_values)
}

/// Large objects: number, owner, rights, comment, content.
pub fn large_objects(a: &Db<'_>, b: &Db<'_>) -> Result<()> {
    equal("large objects", a, b, large_object_hashes)
}

/// One line for each sequence: name and position.
pub fn sequence_values(db: &Db<'_>) -> Result<String> {
    let each = "select format('select %L, last_value, is_called from %s', oid::regclass, oid::regclass) \
                from pg_class where relkind = 'S' order by oid::regclass::text collate \"C\" \\gexec\n";
    Ok(db
        .shell("psql -XqAt -v ON_ERROR_STOP=1 <<<\"$1\"", &[each.as_ref()])?
        .success()?
        .text())
}

/// One line for each large object.
pub fn large_object_hashes(db: &Db<'_>) -> Result<String> {
    db.psql(
        "select oid, pg_get_userbyid(lomowner), lomacl, md5(lo_get(oid)), obj_description(oid, 'pg_largeobject') \
         from pg_largeobject_metadata order by oid",
    )
}

/// One line for each table and materialized view: name, number of rows, hash of the sorted rows, by the script
/// `row-hashes`: COPY's lines, sorted and hashed by programs outside the server.
pub fn row_hashes(db: &Db<'_>) -> Result<String> {
    Ok(db
        .shell("\"$1\"", &[testbed::script("row-hashes").as_os_str()])?
        .success()?
        .text())
}

fn equal(
    what: &str,
    a: &Db<'_>,
    b: &Db<'_>,
    look: impl Fn(&Db<'_>) -> Result<String>,
) -> Result<()> {
    ensure!(a.name != b.name, "the two databases have one name");
    texts(
        &format!("{what} of {} and {}", a.name, b.name),
        &look(a)?,
        &look(b)?,
    )
}

/// Two texts, of which a failure shows the difference.
pub fn texts(what: &str, left: &str, right: &str) -> Result<()> {
    if left == right {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let names = ["expected", "found"].map(|name| folder.path().join(name));
    fs::write(&names[0], left)?;
    fs::write(&names[1], right)?;
    let diff = tools::run(Command::new("diff").arg("-u").args(&names))?.text();
    let lines = diff.lines().count();
    let shown: Vec<_> = diff.lines().skip(2).take(200).collect();
    bail!(
        "{what} differ ({lines} lines of diff):\n{}",
        shown.join("\n")
    );
}
