//! Text that no statement can write: bytes that are invalid in the character set of their column.

use std::fs;

use anyhow::{Result, ensure};

use super::Db;

/// The table that [`make`] makes, with columns `id`, `e` and `v`.
pub const TABLE: &str = "broken_text";

/// The bytes of its text that are broken, as hexadecimal digits.
pub const BYTES: [&str; 3] = ["61FF62", "8127", "C3"];

/// Makes it: after 100 rows with an ENUM of the number 0 and sane text, of which a server only warns, three rows of text
/// in GBK that isn't GBK, [`BYTES`], in MyISAM.
///
/// It comes about as it does in life, behind the server's back: the file of a table of bytes becomes that of a table of
/// text. All six servers hand out such bytes, and none takes them again: a literal with an introducer is refused, bytes,
/// CONVERT, CAST and LOAD DATA in whatever character set are cut off (MySQL) or become question marks (MariaDB). What's
/// to be seen is that a restore says so.
pub fn make(db: &Db<'_>) -> Result<()> {
    let digits = "(select 0 d union select 1 union select 2 union select 3 union select 4 union select 5 union \
                  select 6 union select 7 union select 8 union select 9)";
    let broken = BYTES
        .map(|bytes| format!("(0, 'a', x'{bytes}')"))
        .join(", ");
    db.run(&format!(
        "set sql_mode = ''; \
         create table broken_bytes (id int not null, e enum('a') not null, v varbinary(20)) engine = MyISAM; \
         create table {TABLE} (id int not null, e enum('a') not null, v varchar(20) character set gbk) engine = MyISAM; \
         insert into broken_bytes select 1 + a.d * 10 + b.d, 0, 'sane' from {digits} a, {digits} b; \
         insert into broken_bytes values {broken}; flush tables"
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
    let seen = db.query(&format!("select hex(v) from {TABLE} where id = 0"))?;
    ensure!(seen.concat() == BYTES, "made {seen:?}");
    let count = db.query(&format!("select count(*) from {TABLE} where e = 0"))?;
    ensure!(count == [["100"]], "made {count:?}");
    Ok(())
}
