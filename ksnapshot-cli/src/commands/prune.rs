//! `ksnapshot prune`.

use jiff::Timestamp;
use ksnapshot_core::pipeline::{PrunePlan, PruneReport, PruneRequest, prune, prune_plan};
use ksnapshot_core::retention::{Decision, Reason};
use ksnapshot_core::{Cx, Event, Registry, Result};
use serde_json::json;

use crate::args::PruneArgs;
use crate::output::{Output, bytes, plural, table};
use crate::place::{of_storage, whole};

pub(crate) async fn run(
    args: PruneArgs,
    registry: &Registry,
    output: &Output,
    cx: &Cx,
) -> Result<u8> {
    let place = whole(&args.storage, "prune", "the rules say what stays")?;
    let storage = registry.storage(place)?;
    let request = PruneRequest {
        rules: args.keep.into(),
        max_delete: args.max_delete.unwrap_or_default(),
        name: args.name,
        database: args.database,
        orphans_after: args.orphans_after,
        now: Timestamp::now(),
    };
    let plan = prune_plan(storage.as_ref(), &request, cx)
        .await
        .map_err(|e| of_storage(e, storage.as_ref()))?;
    warn(&plan, cx);
    if output.json {
        lines(&plan, output)?;
    } else {
        output.text(&tables(&plan))?;
    }
    // A dry run is refused as the real one is: it tells what that would do.
    let report = if args.dry_run {
        plan.check()?;
        plan.outlook()
    } else {
        prune(storage.as_ref(), &plan, cx)
            .await
            .map_err(|e| of_storage(e, storage.as_ref()))?
    };
    if output.json {
        output.line(&json!({
            "message_type": "summary",
            "dry_run": args.dry_run,
            "kept": plan.snapshots.len() - plan.outlook().snapshots,
            "removed": report.snapshots,
            "orphans": report.orphans,
            "unfinished": report.unfinished,
            "bytes": report.bytes,
            "unreadable": plan.unreadable.len(),
        }))?;
    } else {
        let verb = if args.dry_run {
            "would be removed"
        } else {
            "removed"
        };
        output.note(&format!("{verb}: {}", words(&report)));
    }
    Ok(if plan.unreadable.is_empty() { 0 } else { 3 })
}

/// What is odd and stays.
fn warn(plan: &PrunePlan, cx: &Cx) {
    for error in &plan.unreadable {
        cx.emit(&Event::Warning(&format!(
            "{error:#}: it stays, with all that might be part of it"
        )));
    }
    for judged in &plan.snapshots {
        if judged.decision == Decision::Keep(vec![Reason::Future]) {
            cx.emit(&Event::Warning(&format!(
                "snapshot {} began in the future: a clock was wrong, here or there; it stays, and counts for nothing",
                judged.manifest.id
            )));
        }
    }
}

fn words(report: &PruneReport) -> String {
    format!(
        "{}, {}, {} ({})",
        plural(report.snapshots as u64, "snapshot"),
        plural(report.orphans as u64, "orphaned object"),
        plural(report.unfinished as u64, "unfinished upload"),
        bytes(report.bytes)
    )
}

fn verb(decision: &Decision) -> &'static str {
    if decision.keeps() { "keep" } else { "remove" }
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn tables(plan: &PrunePlan) -> String {
    let header = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let mut rows: Vec<Vec<String>> = vec![header(&[
        "ID",
        "STARTED (UTC)",
        "TYPE",
        "NAME",
        "DATABASE",
        "STORED",
        "OUTCOME",
        "DECISION",
        "WHY",
    ])];
    rows.extend(plan.snapshots.iter().map(|judged| {
        let m = &judged.manifest;
        vec![
            m.id.clone(),
            time(m.started),
            m.series.kind.clone(),
            m.series.name.clone(),
            m.series.database.clone(),
            bytes(m.stored_bytes()),
            m.outcome.to_string(),
            verb(&judged.decision).to_owned(),
            judged.decision.reasons().join(", "),
        ]
    }));
    let mut text = table(&rows);
    if plan.orphans.is_empty() && plan.unfinished.is_empty() {
        return text;
    }
    let mut rows: Vec<Vec<String>> = vec![header(&[
        "OF NO SNAPSHOT",
        "TOUCHED (UTC)",
        "STORED",
        "DECISION",
        "WHY",
    ])];
    rows.extend(plan.orphans.iter().map(|orphan| {
        vec![
            orphan.key.to_string(),
            orphan.modified.map(time).unwrap_or_default(),
            bytes(orphan.size),
            "remove".to_owned(),
            "no manifest names it".to_owned(),
        ]
    }));
    rows.extend(plan.unfinished.iter().map(|left| {
        let name = left
            .key
            .as_ref()
            .map_or(left.id.as_str(), |key| key.as_str());
        vec![
            name.to_owned(),
            time(left.touched),
            String::new(),
            "remove".to_owned(),
            "never finished".to_owned(),
        ]
    }));
    text.push('\n');
    text.push_str(&table(&rows));
    text
}

/// The same for a program.
fn lines(plan: &PrunePlan, output: &Output) -> Result<()> {
    for judged in &plan.snapshots {
        let m = &judged.manifest;
        output.line(&json!({
            "message_type": "snapshot",
            "id": m.id,
            "series": m.series,
            "started": m.started,
            "outcome": m.outcome,
            "stored_bytes": m.stored_bytes(),
            "decision": verb(&judged.decision),
            "rules": judged.decision.reasons(),
        }))?;
    }
    for orphan in &plan.orphans {
        output.line(&json!({
            "message_type": "orphan",
            "object": orphan.key.as_str(),
            "modified": orphan.modified,
            "bytes": orphan.size,
            "decision": "remove",
        }))?;
    }
    for left in &plan.unfinished {
        output.line(&json!({
            "message_type": "unfinished",
            "object": left.key.as_ref().map(|key| key.as_str()),
            "id": left.id,
            "touched": left.touched,
            "decision": "remove",
        }))?;
    }
    Ok(())
}
