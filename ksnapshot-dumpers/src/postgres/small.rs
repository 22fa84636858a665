//! Small tables, many to a part: what one of them costs is not its rows but the questions that are asked for them.

use ksnapshot_core::{ErrorKind, Result};
use sqlx::Row;
use sqlx::postgres::PgConnection;

use super::ddl::TableData;
use super::error::classify;
use super::query::{all, run};

/// Tables of one part: one statement locks them, another one asks which of them have rows.
const TABLES: usize = 100;

/// Pages of one part, about: readers should still end together.
const PAGES: u64 = 128;

/// Pages of a table that is worth a part of its own.
const LARGE: u64 = 8;

/// As it was before the look.
const BACK: &str = "ROLLBACK TO SAVEPOINT look; RELEASE SAVEPOINT look";

/// Whether it is read with others. What is not stored as a heap tells nothing by its pages.
pub(super) fn is_small(table: &TableData) -> bool {
    table.heap
        && table.condition.is_none()
        && !table.through_root
        && table.pages + table.toast_pages < LARGE
}

/// Cuts a list of small tables, in its order, into those of each part.
pub(super) fn parts<'t>(
    tables: impl IntoIterator<Item = (usize, &'t TableData)>,
) -> Vec<Vec<usize>> {
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let mut pages = 0;
    for (number, table) in tables {
        let more = table.pages + table.toast_pages;
        match parts.last_mut() {
            Some(part) if part.len() < TABLES && pages + more <= PAGES => {
                part.push(number);
                pages += more;
            }
            _ => {
                parts.push(vec![number]);
                pages = more;
            }
        }
    }
    parts
}

/// Those of the tables that are to be read. Where no page was counted, the snapshot is asked for a row, of all at once.
pub(super) async fn filled<'t>(
    connection: &mut PgConnection,
    tables: &[&'t TableData],
) -> Result<Vec<&'t TableData>> {
    let (doubtful, mut filled): (Vec<&TableData>, Vec<&TableData>) =
        tables.iter().partition(|table| table.pages == 0);
    if doubtful.is_empty() {
        return Ok(filled);
    }
    // Going back gives up the locks on indexes that planning takes: many tables have more of them than a server has room for.
    let look = format!("SAVEPOINT look; {}; {BACK}", question(&doubtful));
    match all(connection, &look).await {
        Ok(rows) => {
            for row in rows {
                let number: i32 = row.try_get(0).map_err(classify)?;
                filled.extend(usize::try_from(number).ok().and_then(|n| doubtful.get(n)));
            }
        }
        Err(error) if error.kind() == ErrorKind::Server => return Err(error),
        // One of them can't be read. Which one it is, its own reading tells.
        Err(_) => {
            run(connection, BACK).await?;
            filled.extend(doubtful);
        }
    }
    Ok(filled)
}

/// Answers with the numbers of those that have a row.
fn question(tables: &[&TableData]) -> String {
    let branch = |(number, table): (usize, &&TableData)| {
        format!("(SELECT {number} FROM ONLY {} LIMIT 1)", table.name)
    };
    let branches: Vec<String> = tables.iter().enumerate().map(branch).collect();
    branches.join(" UNION ALL ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(pages: u64) -> TableData {
        TableData {
            pages,
            ..TableData::plain("s.t", &["a"])
        }
    }

    #[test]
    fn small_tables_are_read_together() {
        assert!(is_small(&table(0)) && is_small(&table(LARGE - 1)));
        assert!(!is_small(&table(LARGE)));
        let apart = [
            TableData {
                toast_pages: LARGE,
                ..table(0)
            },
            TableData {
                heap: false,
                ..table(0)
            },
            TableData {
                through_root: true,
                ..table(0)
            },
            TableData {
                condition: Some("WHERE a > 1".into()),
                ..table(0)
            },
        ];
        assert!(!apart.iter().any(is_small));
    }

    #[test]
    fn a_part_has_an_end() {
        let (empty, some) = (table(0), table(LARGE - 1));
        let sizes = |tables: Vec<&TableData>| -> Vec<usize> {
            let parts = parts(tables.into_iter().enumerate());
            let order: Vec<usize> = parts.concat();
            assert!(order.iter().copied().eq(0..order.len()));
            parts.iter().map(Vec::len).collect()
        };
        assert_eq!(sizes(vec![]), [0; 0]);
        assert_eq!(sizes(vec![&empty; 2 * TABLES + 1]), [TABLES, TABLES, 1]);
        assert_eq!(sizes(vec![&some; 20]), [18, 2]);
    }

    #[test]
    fn who_has_a_row_is_asked_at_once() {
        assert_eq!(
            question(&[&table(0), &table(0)]),
            "(SELECT 0 FROM ONLY s.t LIMIT 1) UNION ALL (SELECT 1 FROM ONLY s.t LIMIT 1)"
        );
    }
}
