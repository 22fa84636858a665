//! Triggers, stored programs and events: what the server keeps as it was written.

use ksnapshot_core::{Problem, Result};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::query::{Line, each, lines};
use super::tables::{refused, said};
use super::unreadable;
use crate::Scope;
use crate::mysql::model::{
    Body, CharacterSets, Database, Event, EventStatus, Routine, RoutineKind, Table, Trigger,
};
use crate::mysql::moment::powers::Grants;
use crate::mysql::quote::{literal, name};
use crate::mysql::version::Server;

/// Reads those of the default database.
pub(super) async fn read(
    connection: &mut Conn,
    server: Server,
    grants: &Grants,
    scope: &Scope,
    database: &mut Database,
    problems: &mut Vec<Problem>,
) -> Result<()> {
    triggers(connection, database, problems).await?;
    problems.extend(hidden_triggers(grants, database));
    // Who chooses tables gets what belongs to them; programs belong to the database.
    if scope.tables.is_empty() {
        routines(connection, server, database, problems).await?;
        events(connection, database, problems).await?;
    }
    Ok(())
}

/// Definition, modes and character sets, which stand in this order from the field `at` on.
fn body(line: &Line, mode: usize, create: usize) -> Body {
    Body {
        create: line.text(create),
        sql_mode: line.text(mode),
        session: CharacterSets {
            client: line.text(create + 1),
            connection: line.text(create + 2),
            database: line.text(create + 3),
        },
    }
}

async fn triggers(
    connection: &mut Conn,
    database: &mut Database,
    problems: &mut Vec<Problem>,
) -> Result<()> {
    let schema = literal(&database.name);
    let found = lines(
        connection,
        &format!(
            "SELECT trigger_name, event_object_table, action_timing, event_manipulation
             FROM information_schema.TRIGGERS WHERE trigger_schema = {schema}
             ORDER BY event_object_table, action_timing, event_manipulation, action_order"
        ),
    )
    .await?;
    let chosen: Vec<&Line> = (found.iter())
        .filter(|line| database.tables.iter().any(|t| line.text(1) == t.name))
        .collect();
    let questions: Vec<String> = (chosen.iter())
        .map(|line| format!("SHOW CREATE TRIGGER {}", name(&line.text(0))))
        .collect();
    for (line, answer) in chosen.iter().zip(each(connection, &questions).await?) {
        let trigger = line.text(0);
        match answer {
            Ok(rows) => database.triggers.push(Trigger {
                name: trigger,
                table: line.text(1),
                moment: format!("{} {}", line.text(2), line.text(3)),
                body: rows
                    .first()
                    .map(|l| body(l, 1, 2))
                    .unwrap_or_else(|| body(&Line::default(), 1, 2)),
            }),
            Err(cause) => problems.push(refused(
                format!("trigger {}.{trigger}", database.name),
                &cause,
            )),
        }
    }
    Ok(())
}

/// The server shows no trigger to whom it doesn't let make some, and does not say so.
fn hidden_triggers(grants: &Grants, database: &Database) -> Option<Problem> {
    let hides = |table: &&Table| !grants.may_on("TRIGGER", &database.name, &table.name);
    let tables = database.tables.iter().filter(hides).count();
    (tables > 0).then(|| {
        unreadable(
            format!("triggers of database {}", database.name),
            &format!("those of {tables} tables can't be seen, if there are any"),
            "Grant this user TRIGGER on the database.",
        )
    })
}

async fn routines(
    connection: &mut Conn,
    server: Server,
    database: &mut Database,
    problems: &mut Vec<Problem>,
) -> Result<()> {
    let schema = literal(&database.name);
    let found = lines(
        connection,
        &format!(
            "SELECT routine_name, routine_type FROM information_schema.ROUTINES
             WHERE routine_schema = {schema} ORDER BY routine_name"
        ),
    )
    .await?;
    let mut known: Vec<(RoutineKind, String)> = (found.iter())
        .filter_map(|line| {
            let kind = match line.text(1).to_uppercase().as_str() {
                "FUNCTION" => RoutineKind::Function,
                "PROCEDURE" => RoutineKind::Procedure,
                "PACKAGE" => RoutineKind::Package,
                "PACKAGE BODY" => RoutineKind::PackageBody,
                _ => return None,
            };
            Some((kind, line.text(0)))
        })
        .collect();
    known.sort();
    let questions: Vec<String> = (known.iter())
        .map(|(kind, routine)| {
            format!(
                "SHOW CREATE {} {}",
                kind.words().to_uppercase(),
                name(routine)
            )
        })
        .collect();
    for ((kind, routine), answer) in known.into_iter().zip(each(connection, &questions).await?) {
        let title = format!("{} {}.{routine}", kind.words(), database.name);
        match answer {
            // Its name may be seen, its text may not.
            Ok(rows) if rows.first().is_none_or(|l| l.maybe(2).is_none()) => {
                problems.push(unreadable(
                    title,
                    "its definition can't be read",
                    if server.mysql(8, 0, 20) {
                        "Grant this user SHOW_ROUTINE ON *.*."
                    } else if server.mariadb(11, 3, 0) {
                        "Grant this user SHOW CREATE ROUTINE on the database."
                    } else {
                        "Grant this user SELECT ON mysql.proc."
                    },
                ));
            }
            Ok(rows) => {
                let line = rows.first().cloned().unwrap_or_default();
                database.routines.push(Routine {
                    name: routine,
                    kind,
                    body: body(&line, 1, 2),
                });
            }
            Err(cause) => problems.push(refused(title, &cause)),
        }
    }
    Ok(())
}

async fn events(
    connection: &mut Conn,
    database: &mut Database,
    problems: &mut Vec<Problem>,
) -> Result<()> {
    // This statement, unlike the table of events, says when a right is missing.
    if let Err(cause @ mysql_async::Error::Server(_)) = connection.query_drop("SHOW EVENTS").await {
        problems.push(unreadable(
            format!("events of database {}", database.name),
            &format!("can't be read: {}", said(&cause)),
            "Grant this user EVENT on the database.",
        ));
        return Ok(());
    }
    let schema = literal(&database.name);
    let found = lines(
        connection,
        &format!("SELECT event_name, status FROM information_schema.EVENTS WHERE event_schema = {schema} ORDER BY event_name"),
    )
    .await?;
    let questions: Vec<String> = (found.iter())
        .map(|line| format!("SHOW CREATE EVENT {}", name(&line.text(0))))
        .collect();
    for (line, answer) in found.iter().zip(each(connection, &questions).await?) {
        let event = line.text(0);
        let create = answer.map(|rows| rows.first().cloned().unwrap_or_default());
        match create {
            Ok(create) if !create.text(3).is_empty() => database.events.push(Event {
                name: event,
                status: match line.text(1).to_uppercase().as_str() {
                    "ENABLED" => EventStatus::Enabled,
                    "DISABLED" => EventStatus::Disabled,
                    // SLAVESIDE_DISABLED, REPLICA_SIDE_DISABLED.
                    _ => EventStatus::ReplicaDisabled,
                },
                time_zone: create.text(2),
                body: body(&create, 1, 3),
            }),
            Ok(_) => problems.push(unreadable(
                format!("event {}.{event}", database.name),
                "its definition can't be read",
                "Grant this user EVENT on the database.",
            )),
            Err(cause) => {
                problems.push(refused(format!("event {}.{event}", database.name), &cause))
            }
        }
    }
    Ok(())
}
