//! Users, roles and what they may; and what of the server definitions may need beside.

use ksnapshot_core::{Problem, Result};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::query::{Line, each};
use super::tables::{refused, said};
use super::unreadable;
use crate::mysql::model::Account;
use crate::mysql::quote::{literal, name};
use crate::mysql::tokens::{Token, meaning};
use crate::mysql::version::{Flavour, Server};

/// Accounts that servers make for themselves.
const OWN: [&str; 5] = [
    "mysql.infoschema",
    "mysql.session",
    "mysql.sys",
    "mariadb.sys",
    "PUBLIC",
];

/// Reads users and roles, roles first.
pub(super) async fn read(
    connection: &mut Conn,
    server: Server,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Account>> {
    if server.mysql(8, 0, 17) {
        // Hashes hold bytes that are no text.
        let _ = connection
            .query_drop("SET SESSION print_identified_with_as_hex = ON")
            .await;
    }
    let role = match server.flavour {
        Flavour::MariaDb => "is_role = 'Y'",
        Flavour::MySql => "0",
    };
    let sql =
        format!("SELECT user, host, {role} AS role FROM mysql.user ORDER BY role DESC, user, host");
    let found = match each(connection, &[sql]).await?.pop() {
        Some(Ok(found)) => found,
        refused => {
            let cause = refused.and_then(std::result::Result::err);
            problems.push(unreadable(
                "users and grants".to_owned(),
                &format!(
                    "can't be read: {}",
                    cause.as_ref().map(said).unwrap_or_default()
                ),
                "Grant this user SELECT ON mysql.*, or leave --globals away.",
            ));
            return Ok(Vec::new());
        }
    };
    let accounts: Vec<&Line> = (found.iter())
        .filter(|a| !OWN.contains(&a.text(0).as_str()))
        .collect();
    let questions: Vec<String> = (accounts.iter())
        .flat_map(|account| {
            let sql = sql_name(account);
            let create = if account.is(2, "1") {
                "SELECT 0 LIMIT 0".to_owned()
            } else {
                format!("SHOW CREATE USER {sql}")
            };
            [create, format!("SHOW GRANTS FOR {sql}")]
        })
        .collect();
    let mut answers = each(connection, &questions).await?.into_iter();
    let mut read = Vec::new();
    for account in accounts {
        let (Some(create), Some(grants)) = (answers.next(), answers.next()) else {
            break;
        };
        let role = account.is(2, "1");
        let title = if role {
            account.text(0)
        } else {
            format!("{}@{}", account.text(0), account.text(1))
        };
        match (create, grants) {
            (Ok(create), Ok(grants)) => {
                let create = match create.first() {
                    Some(create) => create.text(0),
                    None => format!("CREATE ROLE {}", sql_name(account)),
                };
                let (create, default_role) = without_default_role(&create);
                let mut grants: Vec<String> = grants
                    .iter()
                    .filter_map(|grant| without_identity(&grant.text(0)))
                    .collect();
                grants.extend(
                    default_role.map(|role| format!("ALTER USER {} {role}", sql_name(account))),
                );
                read.push(Account {
                    name: title,
                    role,
                    create: if_missing(&create),
                    grants,
                });
            }
            (Err(cause), _) | (_, Err(cause)) => {
                problems.push(refused(format!("user {title}"), &cause))
            }
        }
    }
    Ok(read)
}

/// Plugins with a library of their own, components and loadable functions. What may not be seen is not needed by what may.
pub(super) async fn requirements(connection: &mut Conn, server: Server) -> Result<Vec<String>> {
    let mut questions = vec![
        "SELECT CONCAT('plugin ', plugin_name, ' (', plugin_library, ')') FROM information_schema.PLUGINS
         WHERE plugin_library IS NOT NULL AND plugin_status = 'ACTIVE'
           AND plugin_type IN ('STORAGE ENGINE', 'FTPARSER', 'DATA TYPE', 'AUTHENTICATION') ORDER BY 1",
        "SELECT CONCAT('loadable function ', name, ' (', dl, ')') FROM mysql.func ORDER BY 1",
    ];
    if server.mysql(8, 0, 0) {
        questions
            .push("SELECT CONCAT('component ', component_urn) FROM mysql.component ORDER BY 1");
    }
    let mut found = Vec::new();
    for question in questions {
        if let Some(Ok(rows)) = each(connection, &[question.to_owned()]).await?.pop() {
            found.extend(rows.iter().map(|line| line.text(0)));
        }
    }
    Ok(found)
}

/// How statements name an account. A role of MariaDB has no host.
fn sql_name(account: &Line) -> String {
    if account.is(2, "1") {
        name(&account.text(0))
    } else {
        format!(
            "{}@{}",
            literal(&account.text(0)),
            literal(&account.text(1))
        )
    }
}

/// An account that is there already is left as it is.
fn if_missing(create: &str) -> String {
    let create = create.replacen("CREATE USER ", "CREATE USER IF NOT EXISTS ", 1);
    create.replacen("CREATE ROLE ", "CREATE ROLE IF NOT EXISTS ", 1)
}

/// CREATE USER without its default role, which can't be one before it is granted.
fn without_default_role(create: &str) -> (String, Option<String>) {
    let words = meaning(create);
    let from = words
        .windows(2)
        .position(|w| w[0].is("DEFAULT") && w[1].is("ROLE"));
    let span = from.and_then(|from| {
        let to = from + words[from..].iter().position(|t| t.is("REQUIRE"))?;
        Some((words[from].at, words[to].at))
    });
    match span {
        Some((from, to)) => (
            format!("{}{}", &create[..from], &create[to..]),
            Some(create[from..to].trim_end().to_owned()),
        ),
        None => (create.to_owned(), None),
    }
}

/// A grant that changes nothing of how the account logs in; none if nothing is left of it.
fn without_identity(grant: &str) -> Option<String> {
    let words: Vec<Token<'_>> = meaning(grant);
    // Every first user may stand for anybody from birth, and nobody else may give that away.
    if grant.starts_with("GRANT PROXY ON ''@''") || grant.starts_with("GRANT PROXY ON ``@``") {
        return None;
    }
    // What is taken away again, and default roles, have no TO.
    let at = words.iter().position(|t| t.is("TO")).unwrap_or(words.len());
    let rest = &words[at..];
    let Some(from) = rest.iter().find(|t| t.is("IDENTIFIED") || t.is("REQUIRE")) else {
        return Some(grant.to_owned());
    };
    let passes_on = rest
        .windows(2)
        .any(|w| w[0].is("GRANT") && w[1].is("OPTION"));
    if !passes_on && words.get(1).is_some_and(|t| t.is("USAGE")) {
        return None;
    }
    let option = if passes_on { " WITH GRANT OPTION" } else { "" };
    Some(format!("{}{option}", grant[..from.at].trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_leave_logins_alone() {
        for (before, after) in [
            (
                "GRANT SELECT ON `a`.* TO `u`@`%`",
                Some("GRANT SELECT ON `a`.* TO `u`@`%`"),
            ),
            (
                "GRANT USAGE ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*A' REQUIRE SSL WITH MAX_QUERIES_PER_HOUR 10",
                None,
            ),
            (
                "GRANT RELOAD ON *.* TO `IDENTIFIED`@`%` IDENTIFIED VIA x USING 'GRANT OPTION' WITH GRANT OPTION",
                Some("GRANT RELOAD ON *.* TO `IDENTIFIED`@`%` WITH GRANT OPTION"),
            ),
            (
                "GRANT `r` TO `u`@`%` WITH ADMIN OPTION",
                Some("GRANT `r` TO `u`@`%` WITH ADMIN OPTION"),
            ),
            (
                "GRANT PROXY ON ``@`` TO `root`@`localhost` WITH GRANT OPTION",
                None,
            ),
            (
                "REVOKE SELECT ON `a`.* FROM `u`@`%`",
                Some("REVOKE SELECT ON `a`.* FROM `u`@`%`"),
            ),
        ] {
            assert_eq!(without_identity(before).as_deref(), after);
        }
    }

    #[test]
    fn default_roles_wait_for_their_grant() {
        assert_eq!(
            without_default_role(
                "CREATE USER `u`@`%` IDENTIFIED WITH 'p' AS 0x41 DEFAULT ROLE `r`@`%`,`s`@`%` REQUIRE NONE"
            ),
            (
                "CREATE USER `u`@`%` IDENTIFIED WITH 'p' AS 0x41 REQUIRE NONE".to_owned(),
                Some("DEFAULT ROLE `r`@`%`,`s`@`%`".to_owned())
            )
        );
    }
}
