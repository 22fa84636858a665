//! `ksnapshot dump`.

use std::sync::Arc;
use std::time::Instant;

use ksnapshot_core::age::AgeEncryptor;
use ksnapshot_core::pipeline::{DumpRequest, dump};
use ksnapshot_core::{Cx, Dumper, Encryptor, Event, Result};
use serde_json::json;

use crate::args::{DumpArgs, IndexArgs, ScopeArgs, jobs};
use crate::output::{Output, bytes, code, count, plural, table};
use crate::place::{access, split_id};

pub(crate) async fn run(args: DumpArgs, output: &Output, cx: &Cx) -> Result<u8> {
    if args.preflight {
        return preflight(args, output, cx).await;
    }
    // Everything that the arguments get wrong is said before anything is read.
    let encryptor: Option<Arc<dyn Encryptor>> = if args.recipients.is_empty() {
        cx.emit(&Event::Warning(
            "no recipient: whoever reads the storage can read the snapshot",
        ));
        None
    } else {
        Some(Arc::new(AgeEncryptor::new(&args.recipients)?))
    };
    let source = source(&args.source, args.scope, args.indices, cx)?;
    let (place, _) = split_id(args.to.as_deref().unwrap_or_default());
    let storage = ksnapshot_storage::open(place)?;
    let request = DumpRequest {
        name: args.name,
        jobs: jobs(args.jobs),
        compressor: args.compression.compressor(),
        encryptor,
    };
    let began = Instant::now();
    let report = dump(source.as_ref(), storage.as_ref(), &request, cx).await?;
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
fn source(url: &str, scope: ScopeArgs, indices: IndexArgs, cx: &Cx) -> Result<Arc<dyn Dumper>> {
    let access = access(url, "SOURCE", cx);
    ksnapshot_dumpers::source(url, &access, scope.into(), indices.into())
}

/// Tells what a dump would reach. Nothing is written anywhere.
async fn preflight(args: DumpArgs, output: &Output, cx: &Cx) -> Result<u8> {
    let source = source(&args.source, args.scope, args.indices, cx)?;
    let found = cx.guard(source.preflight(jobs(args.jobs), cx)).await?;
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
