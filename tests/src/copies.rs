//! The copy to compare with, made by PostgreSQL's own tools.

use anyhow::Result;

use crate::Db;

/// Copies a database into a new one of the same server by `pg_dump | psql` of that server's version.
pub fn twin<'a>(db: &Db<'a>) -> Result<Db<'a>> {
    let copy = db.server.fresh_db("twin")?;
    twin_into(db, &copy)?;
    Ok(copy)
}

/// … into an existing empty database, maybe of another server.
pub fn twin_into(db: &Db<'_>, copy: &Db<'_>) -> Result<()> {
    let port = copy.server.port().to_string();
    let script = "pg_dump | psql -Xq -v ON_ERROR_STOP=1 -p \"$1\" -d \"$2\" >/dev/null";
    db.shell(script, &[port.as_ref(), copy.name.as_ref()])?
        .success()?;
    Ok(())
}
