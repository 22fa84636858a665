//! Views.

use std::collections::HashMap;

use ksnapshot_core::{Problem, ProblemKind, Result};
use mysql_async::Conn;

use super::query::{each, lines};
use super::tables::{chosen, refused, said};
use crate::Scope;
use crate::mysql::model::{CharacterSets, Database, View};
use crate::mysql::quote::{literal, name};

/// Reads the views of the default database.
pub(super) async fn read(
    connection: &mut Conn,
    scope: &Scope,
    database: &mut Database,
    problems: &mut Vec<Problem>,
) -> Result<()> {
    let schema = literal(&database.name);
    let found = lines(
        connection,
        &format!("SELECT table_name FROM information_schema.VIEWS WHERE table_schema = {schema} ORDER BY table_name"),
    )
    .await?;
    let views: Vec<String> = (found.iter().map(|line| line.text(0)))
        .filter(|view| chosen(scope, &database.name, view))
        .collect();
    if views.is_empty() {
        return Ok(());
    }
    let mut columns = columns(connection, &schema).await?;
    let questions: Vec<String> = (views.iter())
        .flat_map(|view| {
            let view = name(view);
            // Whether it still can be read, which its definition does not tell.
            [
                format!("SHOW CREATE VIEW {view}"),
                format!("SELECT * FROM {view} LIMIT 0"),
            ]
        })
        .collect();
    let mut answers = each(connection, &questions).await?.into_iter();
    for view in views {
        let (Some(create), Some(used)) = (answers.next(), answers.next()) else {
            break;
        };
        let title = format!("view {}.{view}", database.name);
        let create = match create {
            Ok(answer) => answer.into_iter().next().unwrap_or_default(),
            Err(cause) => {
                problems.push(refused(title, &cause));
                continue;
            }
        };
        // Unknown table, column or function; or the view's own word for all of it.
        let broken = used.err().filter(|cause| {
            matches!(
                crate::mysql::error::number(cause),
                Some(1146 | 1054 | 1305 | 1356 | 1347 | 1449 | 1176)
            )
        });
        if let Some(cause) = &broken {
            problems.push(Problem {
                kind: ProblemKind::Invalid,
                object: title,
                message: format!(
                    "its definition is dumped, but can't be used: {}",
                    said(cause)
                ),
                hint: Some("Repair or drop it on the source; a restore may refuse it.".to_owned()),
            });
        }
        database.views.push(View {
            columns: columns.remove(&view).unwrap_or_default(),
            name: view,
            create: create.text(1),
            session: CharacterSets {
                client: create.text(2),
                connection: create.text(3),
                database: String::new(),
            },
            invalid: broken.is_some(),
        });
    }
    Ok(())
}

/// What each view shows. Asked for by its own, since servers open every view to answer, and some can't be opened.
async fn columns(connection: &mut Conn, schema: &str) -> Result<HashMap<String, Vec<String>>> {
    let found = lines(
        connection,
        &format!(
            "SELECT table_name, column_name FROM information_schema.COLUMNS
             WHERE table_schema = {schema} ORDER BY table_name, ordinal_position"
        ),
    )
    .await?;
    let mut views: HashMap<String, Vec<String>> = HashMap::new();
    for line in found {
        views.entry(line.text(0)).or_default().push(line.text(1));
    }
    Ok(views)
}
