//! `ksnapshot restore`.

use std::collections::BTreeMap;
use std::time::Instant;

use ksnapshot_core::pipeline::{
    RestoreRequest, Snapshot, pour, pour_object, restore, restore_object, select,
};
use ksnapshot_core::registry::Options;
use ksnapshot_core::{
    Aspect, Cx, Error, ErrorKind, Problem, Registry, RestoreOptions, Result, Target,
};
use ksnapshot_dumpers::RestoreScope;
use ksnapshot_dumpers::command::CommandLine;
use serde_json::json;

use crate::args::{RestoreArgs, jobs};
use crate::output::{Output, bytes, code, count, plural, table};
use crate::place::access;
use crate::progress::problem_text;

pub(crate) async fn run(
    args: RestoreArgs,
    registry: &Registry,
    output: &Output,
    cx: &Cx,
) -> Result<u8> {
    let access = access(&args.into, "TARGET", cx);
    let placing = RestoreScope {
        renames: args.renames,
        rejected: args.rejected,
    };
    let options = Options::default()
        .with("--rename or --rejected", placing)
        .with("-- PROGRAM", CommandLine(args.command));
    let target = registry.target(&args.into, &access, options)?;
    let decryptor = args.which.decryptor(registry)?;
    let decryptor = decryptor.as_ref();
    let request = RestoreRequest {
        tables: [args.tables, args.indices].concat(),
        no_owner: args.no_owner,
        no_privileges: args.no_privileges,
        jobs: jobs(args.jobs),
        options: RestoreOptions {
            create: args.create,
            clean: args.clean,
            partial: false,
            data_only: args.data_only,
        },
    };
    if let Target::Stream(_) = target {
        refuse_for_a_stream(&request)?;
    }
    let began = Instant::now();
    let mut done = Done {
        what: String::new(),
        id: None,
        target: target_name(&target),
        rows: None,
        bytes: None,
        problems: Vec::new(),
    };
    if let Some(object) = args.which.object(registry)? {
        if args.plan || !request.tables.is_empty() {
            return Err(Error::new(
                ErrorKind::Usage,
                "--plan, --table and --index need a snapshot, and this is a single object",
            ));
        }
        done.what = object.key.to_string();
        match &target {
            Target::Database(target) => {
                let (clean, jobs) = (request.options.clean, request.jobs);
                let restored = restore_object(&object, decryptor, target.as_ref(), clean, jobs, cx);
                done.rows = Some(restored.await?.rows);
            }
            Target::Stream(target) => {
                let poured = pour_object(&object, decryptor, target.as_ref(), cx);
                done.bytes = Some(poured.await?);
            }
        }
        return done.tell(began, output);
    }
    let snapshot = args.which.find(registry, cx).await?;
    if args.plan {
        return plan(&snapshot, decryptor, &request, output, cx).await;
    }
    done.what.clone_from(&snapshot.manifest.id);
    done.id = Some(snapshot.manifest.id.clone());
    match &target {
        Target::Database(target) => {
            let report = restore(&snapshot, decryptor, target.as_ref(), &request, cx).await?;
            done.rows = Some(report.rows);
            done.bytes = Some(report.bytes);
            done.problems = report.problems;
        }
        Target::Stream(target) => {
            let poured = pour(&snapshot, decryptor, target.as_ref(), &request, cx);
            done.bytes = Some(poured.await?);
        }
    }
    done.tell(began, output)
}

fn target_name(target: &Target) -> String {
    match target {
        Target::Database(target) => target.target(),
        Target::Stream(target) => target.target(),
    }
}

/// A stream gets the text as it is.
fn refuse_for_a_stream(request: &RestoreRequest) -> Result<()> {
    let refused = [
        ("--create", request.options.create),
        ("--clean", request.options.clean),
        ("--data-only", request.options.data_only),
        ("--no-owner", request.no_owner),
        ("--no-privileges", request.no_privileges),
    ];
    match refused.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((option, _)) => Err(Error::new(
            ErrorKind::Usage,
            format!("{option} means nothing to a command, which gets the text as it is"),
        )
        .hint("Leave it away.")),
    }
}

/// What a restore has done.
struct Done {
    what: String,
    id: Option<String>,
    target: String,
    rows: Option<u64>,
    bytes: Option<u64>,
    problems: Vec<Problem>,
}

impl Done {
    fn tell(self, began: Instant, output: &Output) -> Result<u8> {
        let seconds = began.elapsed().as_secs_f64();
        if output.json {
            output.line(&json!({
                "message_type": "summary",
                "id": self.id,
                "outcome": if self.problems.is_empty() { "complete" } else { "complete-with-problems" },
                "bytes": self.bytes,
                "rows": self.rows,
                "seconds": seconds,
                "problems": self.problems,
            }))?;
            return Ok(code(&self.problems));
        }
        let rows = self.rows.map(|rows| plural(rows, "row"));
        let moved: Vec<String> = rows.into_iter().chain(self.bytes.map(bytes)).collect();
        let problems = match self.problems.len() {
            0 => String::new(),
            many => format!(", {} as listed above", plural(many as u64, "problem")),
        };
        output.note(&format!(
            "{} restored into {}: {} in {seconds:.1} s{problems}",
            self.what,
            self.target,
            moved.join(", "),
        ));
        Ok(code(&self.problems))
    }
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
