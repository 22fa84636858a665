//! Text that no statement can write: bytes that are invalid in the character set of their column.

use std::fs;

use anyhow::{Result, ensure};

use super::Db;

/// The table that [`make`] makes, with columns `id` and `v`.
pub const TABLE: &str = "broken_text";

/// Makes it: three rows of text in GBK that isn't GBK, `61 ff 62`, `81 27`, `c3`, in MyISAM.
///
/// It comes about as it does in life, behind the server's back: the file of a table of bytes becomes that of a table of
/// text. All six servers hand out such bytes, and none takes them again: a literal with an introducer is refused, bytes,
/// CONVERT, CAST and LOAD DATA in whatever character set are cut off (MySQL) or become question marks (MariaDB). What's
/// to be seen is that a restore says so.
pub fn make(db: &Db<'_>) -> Result<()> {
    db.run(&format!(
        "create table broken_bytes (id int not null, v varbinary(20)) engine = MyISAM; \
         create table {TABLE} (id int not null, v varchar(20) character set gbk) engine = MyISAM; \
         insert into broken_bytes values (1, x'61ff62'), (2, x'8127'), (3, x'c3'); flush tables"
    ))?;
    let folder = db.server.dir.join("data").join(&db.name);
    // Copied into the file that's there, which stays the server's.
    fs::copy(
        folder.join("broken_bytes.MYD"),
        folder.join(format!("{TABLE}.MYD")),
    )?;
    db.run(&format!(
        "flush tables; repair table {TABLE} use_frm; drop table broken_bytes"
    ))?;
    let seen = db.query(&format!("select hex(v) from {TABLE} order by id"))?;
    ensure!(seen == [["61FF62"], ["8127"], ["C3"]], "made {seen:?}");
    Ok(())
}
