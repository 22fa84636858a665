//! `ksnapshot list`.

use ksnapshot_core::pipeline::list;
use ksnapshot_core::{Cx, Error, ErrorKind, Manifest, Registry, Result};
use serde_json::json;

use crate::args::ListArgs;
use crate::output::{Output, bytes, count, table};
use crate::place::{of_storage, split_id};

pub(crate) async fn run(
    args: ListArgs,
    registry: &Registry,
    output: &Output,
    cx: &Cx,
) -> Result<u8> {
    let (place, id) = split_id(&args.storage);
    let storage = registry.storage(place)?;
    let found = cx
        .guard(list(storage.as_ref(), id))
        .await
        .map_err(|e| of_storage(e, storage.as_ref()))?;
    let mut unreadable: Option<Error> = None;
    let mut manifests: Vec<Manifest> = Vec::new();
    for listed in found {
        match listed.manifest {
            Ok(manifest) => manifests.push(manifest),
            // The last one is what the command ends with; those before it are told apart.
            Err(error) => {
                if let Some(before) = unreadable.replace(error) {
                    output.note(&format!("warning: {before:#}"));
                }
            }
        }
    }
    let wanted =
        |filter: &Option<String>, value: &str| filter.as_deref().is_none_or(|f| f == value);
    manifests.retain(|m| {
        wanted(&args.name, &m.series.name) && wanted(&args.database, &m.series.database)
    });
    if manifests.is_empty() && unreadable.is_none() {
        return Err(Error::new(
            ErrorKind::NoSuchSnapshot,
            format!("{storage}: holds no snapshot"),
        )
        .hint("Make one with `ksnapshot dump SOURCE --to STORAGE`."));
    }
    if let (true, Some(error)) = (manifests.is_empty(), unreadable.take()) {
        return Err(error);
    }
    if output.json {
        for m in &manifests {
            output.line(&json!({
                "message_type": "snapshot",
                "id": m.id,
                "series": m.series,
                "started": m.started,
                "finished": m.finished,
                "outcome": m.outcome,
                "bytes": m.counts.plain_bytes,
                "stored_bytes": m.stored_bytes(),
                "rows": m.counts.rows,
                "compression": m.compression,
                "encrypted": m.encryption.is_some(),
                "problems": m.counts.problems,
            }))?;
        }
        output.line(&json!({ "message_type": "summary", "snapshots": manifests.len() }))?;
    } else {
        let header = [
            "ID",
            "STARTED (UTC)",
            "TYPE",
            "NAME",
            "DATABASE",
            "ROWS",
            "STORED",
            "OUTCOME",
        ];
        let mut rows = vec![header.map(ToOwned::to_owned).to_vec()];
        rows.extend(manifests.iter().map(|m| {
            vec![
                m.id.clone(),
                m.started.strftime("%Y-%m-%d %H:%M:%S").to_string(),
                m.series.kind.clone(),
                m.series.name.clone(),
                m.series.database.clone(),
                count(m.counts.rows),
                bytes(m.stored_bytes()),
                m.outcome.to_string(),
            ]
        }));
        output.text(&table(&rows))?;
    }
    unreadable.map_or(Ok(0), Err)
}
