//! `ksnapshot dump`.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use ksnapshot_core::pipeline::{DumpRequest, dump};
use ksnapshot_core::registry::Options;
use ksnapshot_core::{Cx, Dumper, Event, Registry, Result};
use ksnapshot_dumpers::command::CommandLine;
use ksnapshot_dumpers::{IndexScope, Scope};
use serde_json::json;

use crate::args::{DumpArgs, jobs};
use crate::deadline::within;
use crate::output::{Output, bytes, code, count, plural, table};
use crate::place::{access, whole};

pub(crate) async fn run(
    args: DumpArgs,
    registry: &Registry,
    output: &Output,
    cx: &Cx,
) -> Result<u8> {
    let source = source(&args, registry, cx)?;
    if args.preflight {
        return preflight(source.as_ref(), jobs(args.jobs), output, cx).await;
    }
    // Everything that the arguments get wrong is said before anything is read.
    let compressor = registry.formats.compressor(&args.compression)?;
    let encryptor = registry.formats.encryptor(&args.recipients)?;
    if encryptor.is_none() {
        cx.emit(&Event::Warning(
            "no recipient: whoever reads the storage can read the snapshot",
        ));
    }
    let place = args.to.as_deref().unwrap_or_default();
    let place = whole(
        place,
        "dump",
        "every dump is a new snapshot with an id of its own",
    )?;
    let storage = registry.storage(place)?;
    let request = DumpRequest {
        name: args.name,
        jobs: jobs(args.jobs),
        compressor,
        encryptor,
    };
    let began = Instant::now();
    let work = async |cx: &Cx| dump(source.as_ref(), storage.as_ref(), &request, cx).await;
    let report = within(args.max_duration, cx, work).await?;
    let manifest = &report.manifest;
    if output.json {
        output.line(&json!({
            "message_type": "summary",
            "id": manifest.id,
            "outcome": manifest.outcome,
            "series": manifest.series,
            "bytes": manifest.counts.plain_bytes,
            "stored_bytes": manifest.stored_bytes(),
            "rows": manifest.counts.rows,
            "seconds": began.elapsed().as_secs_f64(),
            "problems": report.problems,
        }))?;
    } else {
        output.note(&format!(
            "{}: {}, {}, {} stored as {} in {:.1} s",
            manifest.series,
            manifest.outcome,
            plural(manifest.counts.rows, "row"),
            bytes(manifest.counts.plain_bytes),
            bytes(manifest.stored_bytes()),
            began.elapsed().as_secs_f64(),
        ));
        output.text(&format!("{}\n", manifest.id))?;
    }
    Ok(code(&report.problems))
}

/// What is dumped. Nothing is connected to.
fn source(args: &DumpArgs, registry: &Registry, cx: &Cx) -> Result<Arc<dyn Dumper>> {
    let access = access(&args.source, "SOURCE", cx);
    let options = Options::default()
        .with(
            "--database, --table or what else chooses tables",
            Scope::from(&args.scope),
        )
        .with(
            "--index, --hidden, --closed, --page-size or --slices",
            IndexScope::from(&args.indices),
        )
        .with("-- PROGRAM", CommandLine(args.command.clone()));
    registry.source(&args.source, &access, options)
}

/// Tells what a dump would reach. Nothing is written anywhere.
async fn preflight(
    source: &dyn Dumper,
    jobs: NonZeroUsize,
    output: &Output,
    cx: &Cx,
) -> Result<u8> {
    let found = cx.guard(source.preflight(jobs, cx)).await?;
    if output.json {
        output.line(&json!({
            "message_type": "summary",
            "source": found.source,
            "consistency": found.consistency,
            "problems": found.problems,
            "missing": found.missing,
        }))?;
        return Ok(code(&found.problems));
    }
    let mut rows = vec![
        vec![
            "Source".to_owned(),
            format!("{} {}", found.source.kind, found.source.server_version),
        ],
        vec!["Consistency".to_owned(), found.consistency.claim.clone()],
    ];
    rows.extend(
        (found.consistency.position.iter()).map(|(name, value)| vec![name.clone(), value.clone()]),
    );
    rows.push(vec![
        "Problems".to_owned(),
        count(found.problems.len() as u64),
    ]);
    output.text(&table(&rows))?;
    for lacking in &found.missing {
        output.text(&format!(
            "\n{} would add: {}\n  {};\n",
            lacking.right, lacking.adds, lacking.grant
        ))?;
    }
    Ok(code(&found.problems))
}
