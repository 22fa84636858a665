//! `ksnapshot explain`.

use ksnapshot_core::{Cx, Result};
use ksnapshot_operator::explain::{Namespaces, Question};
use ksnapshot_operator::verdict::{Mark, State, Verdict};
use serde_json::json;

use crate::args::ExplainArgs;
use crate::output::{Output, plural};

pub(crate) async fn run(args: ExplainArgs, output: &Output, cx: &Cx) -> Result<u8> {
    let question = Question {
        workload: args.workload,
        namespaces: match args.namespace {
            _ if args.all_namespaces => Namespaces::All,
            Some(name) => Namespaces::One(name),
            None => Namespaces::Current,
        },
        control_namespace: args.control_namespace,
    };
    let verdicts = cx.guard(ksnapshot_operator::explain(&question)).await?;
    let gaps = verdicts
        .iter()
        .filter(|v| v.state != State::Protected)
        .count();
    if output.json {
        for verdict in &verdicts {
            output.line(&line(verdict))?;
        }
        output.line(&json!({
            "message_type": "summary",
            "workloads": verdicts.len(),
            "gaps": gaps,
        }))?;
    } else {
        for verdict in &verdicts {
            output.text(&format!("{verdict}\n"))?;
        }
        output.note(&format!(
            "{}: {} protected, {gaps} not",
            plural(verdicts.len() as u64, "workload"),
            verdicts.len() - gaps
        ));
    }
    Ok(u8::from(args.fail_on_gap && gaps > 0))
}

fn line(verdict: &Verdict) -> serde_json::Value {
    let steps = verdict.steps.iter().map(|step| {
        let mark = match step.mark {
            Mark::Good => "good",
            Mark::Note => "note",
            Mark::Bad => "bad",
        };
        json!({"mark": mark, "text": step.text})
    });
    json!({
        "message_type": "verdict",
        "namespace": verdict.workload.namespace,
        "kind": verdict.workload.kind,
        "name": verdict.workload.name,
        "type": verdict.kind.map(|kind| kind.as_str()),
        "state": verdict.state.word(),
        "reason": verdict.reason.map(|reason| reason.to_string()),
        "steps": steps.collect::<Vec<_>>(),
        "fix": verdict.fix,
    })
}
