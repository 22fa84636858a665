//! What this user may do, and what the server is set to: all that the choice of a rung hangs on.

use std::collections::BTreeSet;

use ksnapshot_core::Result;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use crate::mysql::error::classify;
use crate::mysql::version::{Flavour, Server};

/// Rights and settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::mysql) struct Powers {
    pub(in crate::mysql) grants: Grants,
    /// There is a binary log, and all that changes is in it: what a replica does to itself, too.
    pub(super) logged: bool,
    /// As the server writes it in a GRANT: `'u'@'%'`.
    pub(in crate::mysql) user: String,
}

impl Powers {
    #[cfg(test)]
    pub(in crate::mysql) fn new(logged: bool, lines: &[&str], user: &str) -> Self {
        Self {
            grants: Grants::parse(lines.iter().copied()),
            logged,
            user: user.to_owned(),
        }
    }
}

/// What SHOW GRANTS says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::mysql) struct Grants {
    /// On everything, in capitals.
    everywhere: BTreeSet<String>,
    /// On databases, tables and programs.
    somewhere: Vec<(Place, BTreeSet<String>)>,
    /// There are roles, and what they bring may not be listed: only trying tells.
    roles: bool,
}

impl Grants {
    /// Reads lines such as ``GRANT SELECT, RELOAD ON *.* TO `u`@`%` ``.
    pub(super) fn parse<'l>(lines: impl IntoIterator<Item = &'l str>) -> Self {
        let mut grants = Self::default();
        for line in lines {
            let Some(rest) = line.strip_prefix("GRANT ") else {
                continue;
            };
            let Some((rights, on)) = rest.split_once(" ON ") else {
                grants.roles = true;
                continue;
            };
            // Columns in brackets hold commas of their own; nothing that has them counts here.
            let rights = rights.split(',').map(|right| right.trim().to_uppercase());
            if on.starts_with("*.*") {
                grants.everywhere.extend(rights);
            } else {
                (grants.somewhere).push((Place::parse(on), rights.collect()));
            }
        }
        grants
    }

    /// Has a right on everything, or may have it by a role.
    pub(in crate::mysql) fn may(&self, right: &str) -> bool {
        self.roles || self.surely(right)
    }

    /// Has a right on everything.
    fn surely(&self, right: &str) -> bool {
        holds(&self.everywhere, right)
    }

    /// Has a right on something, or may have it.
    pub(in crate::mysql) fn may_somewhere(&self, right: &str) -> bool {
        self.may(right)
            || self
                .somewhere
                .iter()
                .any(|(_, rights)| holds(rights, right))
    }

    /// Has a right on a table, or may have it.
    pub(in crate::mysql) fn may_on(&self, right: &str, database: &str, table: &str) -> bool {
        self.may(right)
            || (self.somewhere.iter())
                .any(|(place, rights)| place.covers(database, table) && holds(rights, right))
    }
}

fn holds(rights: &BTreeSet<String>, right: &str) -> bool {
    ["ALL", "ALL PRIVILEGES", right]
        .iter()
        .any(|&r| rights.contains(r))
}

/// What a GRANT is on.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// Databases whose names are like this.
    Databases(String),
    Table(String, String),
    Program,
}

impl Place {
    /// Reads ``\`d\`.* TO …`` or ``\`d\`.\`t\` TO …``.
    fn parse(on: &str) -> Self {
        let Some((database, rest)) = quoted(on) else {
            return Self::Program;
        };
        match rest.strip_prefix('.').and_then(quoted) {
            Some((table, _)) => Self::Table(database, table),
            None => Self::Databases(database),
        }
    }

    fn covers(&self, database: &str, table: &str) -> bool {
        match self {
            Self::Databases(pattern) => like(pattern, database),
            Self::Table(d, t) => (d.as_str(), t.as_str()) == (database, table),
            Self::Program => false,
        }
    }
}

/// A name in backticks, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let text = text.strip_prefix('`')?;
    let mut from = 0;
    loop {
        let end = from + text[from..].find('`')?;
        if !text[end + 1..].starts_with('`') {
            return Some((text[..end].replace("``", "`"), &text[end + 1..]));
        }
        from = end + 2;
    }
}

/// As the servers compare databases with those of a GRANT.
fn like(pattern: &str, name: &str) -> bool {
    let mut rest = pattern.chars();
    let mut letters = name.chars();
    match rest.next() {
        None => name.is_empty(),
        Some('%') => {
            let ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.into_iter().any(|at| like(rest.as_str(), &name[at..]))
        }
        Some('_') => letters.next().is_some() && like(rest.as_str(), letters.as_str()),
        Some(c) => {
            let c = if c == '\\' {
                rest.next().unwrap_or(c)
            } else {
                c
            };
            letters.next() == Some(c) && like(rest.as_str(), letters.as_str())
        }
    }
}

/// Asks the server. Needs no right.
pub(in crate::mysql) async fn read(connection: &mut Conn, server: Server) -> Result<Powers> {
    let lines: Vec<String> = connection.query("SHOW GRANTS").await.map_err(classify)?;
    let user: Option<String> = connection
        .query_first("SELECT CURRENT_USER()")
        .await
        .map_err(classify)?;
    let user = user.unwrap_or_default();
    let (name, host) = user.rsplit_once('@').unwrap_or((&user, "%"));
    Ok(Powers {
        grants: Grants::parse(lines.iter().map(String::as_str)),
        logged: match server.flavour {
            Flavour::MariaDb => logged(connection).await?,
            Flavour::MySql => false,
        },
        user: format!(
            "{}@{}",
            crate::mysql::quote::literal(name),
            crate::mysql::quote::literal(host)
        ),
    })
}

/// MariaDB: whether the binary log's position moves with every commit.
async fn logged(connection: &mut Conn) -> Result<bool> {
    let log: Option<(bool, bool)> = connection
        .query_first("SELECT @@log_bin, @@log_slave_updates")
        .await
        .map_err(classify)?;
    let (log, of_others) = log.unwrap_or_default();
    if !log || of_others {
        return Ok(log);
    }
    // What comes from a primary or from the other nodes of a cluster would pass the log by.
    let running: Vec<(String, String)> = connection
        .query("SHOW GLOBAL STATUS WHERE Variable_name IN ('Slaves_running', 'Slave_running', 'wsrep_connected')")
        .await
        .map_err(classify)?;
    Ok(running
        .iter()
        .all(|(_, value)| value == "0" || value.eq_ignore_ascii_case("off")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_read_as_servers_write_them() {
        let few = Grants::parse([
            "GRANT SELECT, RELOAD ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*A'",
            "GRANT BACKUP_ADMIN,FLUSH_TABLES ON *.* TO `u`@`%`",
            "GRANT SELECT (`a`, `b`), LOCK TABLES ON `d`.* TO `u`@`%`",
            "REVOKE SELECT ON `e`.* FROM `u`@`%`",
        ]);
        assert!(few.may("RELOAD") && few.surely("BACKUP_ADMIN") && few.may("FLUSH_TABLES"));
        assert!(
            !few.may("LOCK TABLES")
                && few.may_somewhere("LOCK TABLES")
                && !few.may_somewhere("EVENT")
        );
        assert!(few.may_on("LOCK TABLES", "d", "t") && !few.may_on("LOCK TABLES", "e", "t"));
        let all =
            Grants::parse(["GRANT ALL PRIVILEGES ON *.* TO 'root'@'localhost' WITH GRANT OPTION"]);
        assert!(all.surely("RELOAD") && all.may_somewhere("LOCK TABLES"));
        let role = Grants::parse([
            "GRANT USAGE ON *.* TO `u`@`%`",
            "GRANT `backup`@`%` TO `u`@`%`",
        ]);
        assert!(role.may("RELOAD") && !role.surely("RELOAD"));
    }

    #[test]
    fn grants_cover_what_their_patterns_mean() {
        let grants = Grants::parse([
            r"GRANT TRIGGER ON `sh\_op%`.* TO `u`@`%`",
            "GRANT ALL PRIVILEGES ON `a``b`.`t` TO `u`@`%`",
            "GRANT EXECUTE ON PROCEDURE `p`.`q` TO `u`@`%`",
        ]);
        let may = |database, table| grants.may_on("TRIGGER", database, table);
        assert!(may("sh_op", "t") && may("sh_ops", "t") && may("a`b", "t"));
        assert!(!may("shxop", "t") && !may("a`b", "u") && !may("p", "q"));
    }
}
