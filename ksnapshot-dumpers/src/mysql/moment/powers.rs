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
    /// On at least one database.
    somewhere: BTreeSet<String>,
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
                grants.somewhere.extend(rights);
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
        let all = ["ALL", "ALL PRIVILEGES"]
            .iter()
            .any(|&all| self.everywhere.contains(all));
        self.everywhere.contains(right) || all
    }

    /// Has a right on something, or may have it.
    pub(in crate::mysql) fn may_somewhere(&self, right: &str) -> bool {
        let here = ["ALL", "ALL PRIVILEGES", right]
            .iter()
            .any(|&r| self.somewhere.contains(r));
        here || self.may(right)
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
        let all =
            Grants::parse(["GRANT ALL PRIVILEGES ON *.* TO 'root'@'localhost' WITH GRANT OPTION"]);
        assert!(all.surely("RELOAD") && all.may_somewhere("LOCK TABLES"));
        let role = Grants::parse([
            "GRANT USAGE ON *.* TO `u`@`%`",
            "GRANT `backup`@`%` TO `u`@`%`",
        ]);
        assert!(role.may("RELOAD") && !role.surely("RELOAD"));
    }
}
