//! `ksnapshot inspect`.

use ksnapshot_core::{Aspect, Cx, Index, Manifest, Registry, Result};
use serde_json::json;

use crate::args::InspectArgs;
use crate::output::{Output, bytes, count, table};
use crate::progress::problem_text;

pub(crate) async fn run(
    args: InspectArgs,
    registry: &Registry,
    output: &Output,
    cx: &Cx,
) -> Result<u8> {
    let decryptor = args.which.decryptor(registry)?;
    let snapshot = args.which.find(registry, cx).await?;
    let manifest = snapshot.manifest.as_ref();
    // Without an identity the manifest still speaks, in the clear.
    let index = if manifest.encryption.is_none() || decryptor.is_some() {
        Some(cx.guard(snapshot.index(decryptor.as_ref())).await?)
    } else {
        None
    };
    if output.json {
        let tables = index.as_ref().map(|i| {
            data_items(i)
                .map(|(title, rows)| json!({ "name": title, "rows": rows }))
                .collect::<Vec<_>>()
        });
        output.line(&json!({
            "message_type": "summary",
            "manifest": manifest,
            "data": tables,
            "problems": index.as_ref().map(|i| &i.problems),
        }))?;
        return Ok(0);
    }
    output.text(&describe(manifest))?;
    match index {
        Some(index) => output.text(&contents(&index))?,
        None => output.note("Pass --identity to see the tables."),
    }
    Ok(0)
}

fn data_items(index: &Index) -> impl Iterator<Item = (String, Option<u64>)> {
    index
        .items
        .iter()
        .filter(|i| i.aspect == Aspect::Data && i.place.is_none())
        .map(|i| (i.title(), i.data.map(|d| d.rows)))
}

fn describe(m: &Manifest) -> String {
    let mut rows = vec![
        ("Snapshot", m.id.clone()),
        ("Series", m.series.to_string()),
        ("Started", m.started.to_string()),
        ("Finished", m.finished.to_string()),
        ("Outcome", m.outcome.to_string()),
        (
            "Source",
            format!("{} {}", m.source.kind, m.source.server_version),
        ),
        ("Consistency", m.consistency.claim.clone()),
    ];
    rows.extend(
        m.consistency
            .position
            .iter()
            .map(|(name, at)| ("Position", format!("{name} {at}"))),
    );
    rows.push(("Compression", m.compression.clone()));
    match &m.encryption {
        Some(sealed) => rows.extend(sealed.recipients.iter().map(|r| ("Recipient", r.clone()))),
        None => rows.push((
            "Recipient",
            "none: readable by whoever reads the storage".into(),
        )),
    }
    rows.push(("Rows", count(m.counts.rows)));
    rows.push(("Plain text", bytes(m.counts.plain_bytes)));
    rows.extend(
        m.objects
            .iter()
            .map(|o| ("Object", format!("{} ({})", o.name, bytes(o.bytes)))),
    );
    rows.extend(
        m.counts
            .problems
            .iter()
            .map(|(kind, n)| ("Problems", format!("{n} {kind}"))),
    );
    table(
        &rows
            .into_iter()
            .map(|(name, value)| vec![name.to_owned(), value])
            .collect::<Vec<_>>(),
    )
}

fn contents(index: &Index) -> String {
    let mut rows = vec![vec!["DATA".to_owned(), "ROWS".to_owned()]];
    rows.extend(
        data_items(index).map(|(title, rows)| vec![title, rows.map_or("not dumped".into(), count)]),
    );
    let mut text = format!("\n{}", table(&rows));
    for problem in &index.problems {
        text.push_str(&format!("{}\n", problem_text(problem)));
    }
    text
}
