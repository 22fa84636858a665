//! What becomes of what programs have said: the report of a run. Pure.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use ksnapshot_core::Error;
use ksnapshot_operator::report::{RunOutcome, RunReport, Stored, Task};
use serde_json::Value;

const KILLED: i32 = 9;

/// Why something failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) code: u8,
    pub(super) message: String,
    pub(super) hint: String,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        Self {
            code: error.kind().exit_code(),
            message: format!("{error:#}"),
            hint: error
                .advice()
                .unwrap_or(crate::output::NO_ADVICE)
                .to_owned(),
        }
    }
}

/// What one program has said of its end.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Its `summary`.
    pub(super) summary: Option<Value>,
    /// Its `error`.
    pub(super) error: Option<Value>,
    /// The last lines of its stderr.
    pub(super) last: Vec<String>,
}

impl Said {
    /// The summary of `verb`, if it got through; 3 is complete with problems.
    pub(super) fn judge(self, verb: &str, status: ExitStatus) -> Result<Value, Failure> {
        let text =
            |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
        if let Some(signal) = status.signal() {
            return Err(Failure {
                code: u8::try_from(128 + signal).unwrap_or(u8::MAX),
                message: match signal {
                    KILLED => format!("{verb}: killed by signal 9, as the kernel does when memory runs out"),
                    other => format!("{verb}: ended by signal {other}"),
                },
                hint: match signal {
                    KILLED => "Raise the memory limit of the Job: a dump takes up to 128 MiB and 8 times the largest row.",
                    _ => "Look for who has sent the signal, and run it again.",
                }
                .to_owned(),
            });
        }
        let code = status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(1);
        match (code, self.summary, self.error) {
            (0 | 3, Some(summary), _) => Ok(summary),
            (_, _, Some(error)) => Err(Failure {
                code,
                message: text(&error, "message"),
                hint: text(&error, "hint"),
            }),
            (code, _, None) => Err(Failure {
                code: code.max(1),
                message: match self.last.join(" ") {
                    nothing if nothing.is_empty() => format!("{verb}: ended without a result"),
                    words => format!("{verb}: {words}"),
                },
                hint: crate::output::NO_ADVICE.to_owned(),
            }),
        }
    }
}

/// A run, as far as it has come.
#[derive(Debug)]
pub(super) struct Account {
    task: Task,
    snapshots: Vec<Stored>,
    verified: usize,
    deleted: Option<u64>,
    problems: bool,
    failures: Vec<Failure>,
}

impl Account {
    pub(super) fn new(task: Task) -> Self {
        Self {
            task,
            snapshots: Vec::new(),
            verified: 0,
            deleted: None,
            problems: false,
            failures: Vec::new(),
        }
    }

    /// A snapshot stands. `named` is false where a server has no databases.
    pub(super) fn stored(&mut self, summary: &Value, named: bool) -> String {
        let number = |field: &str| summary[field].as_u64().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let problems = summary["problems"].as_array().map_or(0, Vec::len) as u64;
        self.problems |= problems > 0;
        let id = text(&summary["id"]);
        self.snapshots.push(Stored {
            id: id.clone(),
            database: match named {
                true => text(&summary["series"]["database"]),
                false => String::new(),
            },
            rows: number("rows"),
            bytes: number("bytes"),
            stored_bytes: number("stored_bytes"),
            problems,
        });
        id
    }

    /// The last snapshot is as it was written.
    pub(super) fn verified(&mut self) {
        self.verified += 1;
    }

    /// Snapshots were removed.
    pub(super) fn pruned(&mut self, summary: &Value) {
        self.deleted = summary["removed"].as_u64();
        self.problems |= summary["unreadable"]
            .as_u64()
            .is_some_and(|count| count > 0);
    }

    pub(super) fn failed(&mut self, failure: Failure) {
        self.failures.push(failure);
    }

    pub(super) fn report(self, seconds: f64) -> RunReport {
        let all = !self.snapshots.is_empty() && self.verified == self.snapshots.len();
        let mut failures = self.failures.into_iter();
        let first = failures.next();
        let rest: Vec<String> = failures.map(|failure| failure.message).collect();
        let message = first.as_ref().map(|first| match rest.len() {
            0 => first.message.clone(),
            _ => format!("{}; {}", first.message, rest.join("; ")),
        });
        RunReport {
            outcome: match (&first, self.problems) {
                (Some(_), _) => RunOutcome::Failed,
                (None, true) => RunOutcome::WithProblems,
                (None, false) => RunOutcome::Complete,
            },
            task: self.task,
            snapshots: self.snapshots,
            seconds,
            verified: all.then(|| "checksum".to_owned()),
            deleted: self.deleted,
            code: first.as_ref().map(|first| first.code),
            message,
            hint: first
                .map(|first| first.hint)
                .filter(|hint| !hint.is_empty()),
        }
    }
}

/// The report of a Job that could not begin.
pub(super) fn not_begun(error: &Error) -> RunReport {
    let task = match std::env::var(ksnapshot_operator::names::job::KSNAPSHOT_TASK).as_deref() {
        Ok("prune") => Task::Prune,
        _ => Task::Dump,
    };
    let mut account = Account::new(task);
    account.failed(error.into());
    account.report(0.0)
}
