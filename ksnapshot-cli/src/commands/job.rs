//! `ksnapshot job`: what its environment says, by programs of its own.
//!
//! The work is not done in this process: when the kernel takes its memory back it takes the largest, and then somebody is
//! left who tells so.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use jiff::SignedDuration;
use ksnapshot_core::{Error, ErrorKind, Result};
use ksnapshot_operator::job::{DumpStep, JobPlan, Step, termination_log};
use ksnapshot_operator::options::words;
use ksnapshot_operator::report::{RunOutcome, RunReport};
use serde_json::{Value, json};

use crate::args::JobArgs;
use crate::output::{NO_ADVICE, Output, to_stderr};

mod account;
mod program;
mod tell;

use account::{Account, Failure, Said, not_begun};
use program::{Line, Programs, Signals};
use tell::Teller;

/// Lines of stderr that are told where a program ends without an error of its own.
const LAST_LINES: usize = 3;

pub(crate) async fn run(_: &JobArgs, output: &Output) -> Result<u8> {
    let env: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let done = match JobPlan::from_env(&env) {
        Ok(plan) => carry_out(&plan, output).await,
        Err(error) => Err(error),
    };
    let report = done.unwrap_or_else(|error| {
        say(&(&error).into());
        not_begun(&error)
    });
    leave_message(&env, &report);
    print(&report, output)?;
    Ok(match report.outcome {
        RunOutcome::Complete | RunOutcome::WithProblems => 0,
        RunOutcome::Failed => report.code.unwrap_or(1),
    })
}

async fn carry_out(plan: &JobPlan, output: &Output) -> Result<RunReport> {
    let failed = |what: &'static str| {
        move |cause: std::io::Error| Error::new(ErrorKind::Failed, what).source(cause)
    };
    let signals = Signals::listen().map_err(failed("signals can't be heard"))?;
    let programs = Programs::new(plan).map_err(failed("this program can't be found"))?;
    let mut work = Work {
        programs,
        signals,
        output,
        account: Account::new(plan.task),
        several: plan.steps.len() > 1,
    };
    if !plan.wait.is_zero() {
        let wait = SignedDuration::try_from(plan.wait).unwrap_or(SignedDuration::MAX);
        to_stderr(&format!(
            "waiting {:#} first, as always",
            wait.round(jiff::Unit::Second).unwrap_or(wait)
        ));
        tokio::select! {
            () = tokio::time::sleep(plan.wait) => {}
            _ = work.signals.next() => {}
        }
    }
    let began = Instant::now();
    for step in &plan.steps {
        match step {
            Step::Dump(dump) => work.dump(dump).await,
            Step::Prune(words) => work.prune(words).await,
        }
    }
    Ok(work.account.report(began.elapsed().as_secs_f64()))
}

/// A run under way.
#[derive(Debug)]
struct Work<'w> {
    programs: Programs<'w>,
    signals: Signals,
    output: &'w Output,
    account: Account,
    /// There are several dumps, so each is named.
    several: bool,
}

impl Work<'_> {
    async fn dump(&mut self, step: &DumpStep) {
        let id = match self.run(&step.words).await {
            Ok(summary) => self.account.stored(&summary, !step.database.is_empty()),
            Err(mut failure) => {
                if self.several {
                    failure.message = format!("database {}: {}", step.database, failure.message);
                }
                return self.account.failed(failure);
            }
        };
        let Some(words) = step.verify(&id) else {
            return;
        };
        match self.run(&words).await {
            Ok(_) => self.account.verified(),
            Err(mut failure) => {
                failure.message = format!(
                    "snapshot {id} is stored, but not verified: {}",
                    failure.message
                );
                self.account.failed(failure);
            }
        }
    }

    async fn prune(&mut self, words: &[String]) {
        match self.run(words).await {
            Ok(summary) => self.account.pruned(&summary),
            Err(failure) => self.account.failed(failure),
        }
    }

    /// Runs one program and tells what it says. Its summary, if it got through.
    async fn run(&mut self, words: &[String]) -> std::result::Result<Value, Failure> {
        if self.signals.stopped {
            return Err((&Error::cancelled()).into());
        }
        to_stderr(&format!("running: ksnapshot {}", words::join(words)));
        let verb = words.first().map_or("", String::as_str);
        let (mut said, mut teller) = (Said::default(), Teller::default());
        let ended = self
            .programs
            .run(words, &mut self.signals, |line| match line {
                Line::Said(text) => {
                    to_stderr(&text);
                    said.last.push(text);
                    let over = said.last.len().saturating_sub(LAST_LINES);
                    said.last.drain(..over);
                }
                Line::Result(text) => {
                    let value: Value = serde_json::from_str(&text).unwrap_or_default();
                    if let Some(text) = teller.line(&value) {
                        to_stderr(&text);
                    }
                    match value["message_type"].as_str() {
                        Some("summary") => said.summary = Some(value),
                        Some("error") => said.error = Some(value),
                        _ if self.output.json => {
                            let _ = self.output.line(&value);
                        }
                        _ => {}
                    }
                }
            });
        let judged = match ended.await {
            Ok(status) => {
                let told = said.error.is_some() && status.code().is_some();
                said.judge(verb, status).inspect_err(|failure| {
                    // An error of its own it has printed itself.
                    if !told {
                        say(failure);
                    }
                })
            }
            Err(cause) => {
                let error =
                    Error::new(ErrorKind::Failed, format!("{verb}: can't be run")).source(cause);
                let failure = (&error).into();
                say(&failure);
                Err(failure)
            }
        };
        if let Ok(summary) = &judged
            && let Some(text) = tell::end(verb, summary)
        {
            to_stderr(&text);
        }
        judged
    }
}

fn say(failure: &Failure) {
    to_stderr(&format!("error: {}", failure.message));
    to_stderr(&format!("hint: {}", failure.hint));
}

/// Where Kubernetes reads it. Outside of a pod there is no such file, and none is made.
fn leave_message(env: &BTreeMap<String, String>, report: &RunReport) {
    let (path, asked) = termination_log(env);
    let write = |path: &Path| {
        let mut options = std::fs::OpenOptions::new();
        let mut file = options
            .write(true)
            .truncate(true)
            .create(asked)
            .open(path)?;
        file.write_all(report.to_message().as_bytes())
    };
    match write(&path) {
        Ok(()) => {}
        Err(_) if !asked && !path.exists() => {}
        Err(cause) => to_stderr(&format!(
            "warning: the termination message can't be written to {}: {cause}",
            path.display()
        )),
    }
}

/// The result: the termination message, or with `--json` a line like that of any other command.
fn print(report: &RunReport, output: &Output) -> Result<()> {
    if !output.json {
        return output.text(&format!("{}\n", report.to_message()));
    }
    output.line(&match report.outcome {
        RunOutcome::Failed => json!({
            "message_type": "error",
            "code": report.code.unwrap_or(1),
            "message": report.message.as_deref().unwrap_or_default(),
            "hint": report.hint.as_deref().unwrap_or(NO_ADVICE),
            "report": report,
        }),
        _ => json!({ "message_type": "summary", "report": report }),
    })
}

#[cfg(test)]
mod tests;
