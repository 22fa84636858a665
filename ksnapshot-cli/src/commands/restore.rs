//! `ksnapshot restore`.

use std::collections::BTreeMap;
use std::time::Instant;

use ksnapshot_core::pipeline::{RestoreRequest, Snapshot, restore, restore_object, select};
use ksnapshot_core::{Aspect, Cx, Error, ErrorKind, RestoreOptions, Result};
use ksnapshot_dumpers::RestoreScope;
use serde_json::json;

use crate::args::{RestoreArgs, jobs};
use crate::output::{Output, bytes, code, count, plural, table};
use crate::place::access;
use crate::progress::problem_text;

pub(crate) async fn run(args: RestoreArgs, output: &Output, cx: &Cx) -> Result<u8> {
    let access = access(&args.into, "TARGET", cx);
    let placing = RestoreScope {
        renames: args.renames,
        rejected: args.rejected,
    };
    let target = ksnapshot_dumpers::target(&args.into, &access, placing)?;
    let decryptor = args.which.decryptor()?;
    if let Some((storage, key)) = args.which.object()? {
        if args.plan || !args.tables.is_empty() || !args.indices.is_empty() {
            return Err(Error::new(
                ErrorKind::Usage,
                "--plan, --table and --index need a snapshot, and this is a single object",
            ));
        }
        let began = Instant::now();
        let loaded = restore_object(
            &storage,
            &key,
            decryptor.as_ref(),
            target.as_ref(),
            args.clean,
            jobs(args.jobs),
            cx,
        )
        .await?;
        if output.json {
            output.line(&json!({
                "message_type": "summary",
                "outcome": "complete",
                "rows": loaded.rows,
                "seconds": began.elapsed().as_secs_f64(),
                "problems": [],
            }))?;
        } else {
            output.note(&format!(
                "{key} restored into {}: {} in {:.1} s",
                target.target(),
                plural(loaded.rows, "row"),
                began.elapsed().as_secs_f64(),
            ));
        }
        return Ok(0);
    }
    let snapshot = args.which.find(cx).await?;
    let request = RestoreRequest {
        tables: [args.tables, args.indices].concat(),
        no_owner: args.no_owner,
        no_privileges: args.no_privileges,
        jobs: jobs(args.jobs),
        options: RestoreOptions {
            create: args.create,
            clean: args.clean,
            partial: false,
        },
    };
    if args.plan {
        return plan(&snapshot, decryptor.as_ref(), &request, output, cx).await;
    }
    let began = Instant::now();
    let report = restore(&snapshot, decryptor.as_ref(), target.as_ref(), &request, cx).await?;
    if output.json {
        output.line(&json!({
            "message_type": "summary",
            "id": snapshot.manifest.id,
            "outcome": if report.problems.is_empty() { "complete" } else { "complete-with-problems" },
            "bytes": report.bytes,
            "rows": report.rows,
            "seconds": began.elapsed().as_secs_f64(),
            "problems": report.problems,
        }))?;
    } else {
        output.note(&format!(
            "{} restored into {}: {}, {} in {:.1} s{}",
            snapshot.manifest.id,
            target.target(),
            plural(report.rows, "row"),
            bytes(report.bytes),
            began.elapsed().as_secs_f64(),
            if report.problems.is_empty() {
                String::new()
            } else {
                format!(
                    ", {} as listed above",
                    plural(report.problems.len() as u64, "problem")
                )
            },
        ));
    }
    Ok(code(&report.problems))
}

async fn plan(
    snapshot: &Snapshot,
    decryptor: Option<&std::sync::Arc<dyn ksnapshot_core::Decryptor>>,
    request: &RestoreRequest,
    output: &Output,
    cx: &Cx,
) -> Result<u8> {
    let index = cx
        .guard(async {
            snapshot.check_objects().await?;
            snapshot.index(decryptor).await
        })
        .await?;
    let selection = select(&index, request)?;
    let chosen = selection.items.iter().map(|&id| &index.items[id as usize]);
    let mut kinds: BTreeMap<(_, &str), u64> = BTreeMap::new();
    let mut rows = 0;
    let mut tables = Vec::new();
    for item in chosen {
        match item.aspect {
            Aspect::Setting
            | Aspect::Owner
            | Aspect::Acl
            | Aspect::Comment
            | Aspect::SecurityLabel => {}
            Aspect::Data => {
                let stats = item.data.unwrap_or_default();
                rows += stats.rows;
                if item.place.is_none() {
                    tables.push((item.title(), stats.rows));
                }
            }
            Aspect::Definition => *kinds.entry((item.stage, item.kind.as_str())).or_default() += 1,
        }
    }
    if output.json {
        output.line(&json!({
            "message_type": "summary",
            "id": snapshot.manifest.id,
            "items": selection.items.len(),
            "rows": rows,
            "data": tables.iter().map(|(name, rows)| json!({ "name": name, "rows": rows })).collect::<Vec<_>>(),
            "problems": selection.problems,
        }))?;
    } else {
        let mut lines = vec![vec![
            "STAGE".to_owned(),
            "KIND".to_owned(),
            "COUNT".to_owned(),
        ]];
        lines.extend(kinds.iter().map(|((stage, kind), n)| {
            let stage = if *stage == ksnapshot_core::Stage::PreData {
                "before the data"
            } else {
                "after the data"
            };
            vec![stage.to_owned(), (*kind).to_owned(), count(*n)]
        }));
        output.text(&table(&lines))?;
        let mut lines = vec![vec!["DATA".to_owned(), "ROWS".to_owned()]];
        lines.extend(
            tables
                .into_iter()
                .map(|(name, rows)| vec![name, count(rows)]),
        );
        output.text(&format!("\n{}", table(&lines)))?;
        for problem in &selection.problems {
            output.note(&problem_text(problem));
        }
        output.note("Only a plan: the target was not touched.");
    }
    Ok(code(&selection.problems))
}
