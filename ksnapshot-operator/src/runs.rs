//! How runs ended, and what is remembered of them: in an annotation of their CronJob, so that neither a restart of the operator
//! nor the end of a Job forgets it.

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Pod, PodStatus};
use ksnapshot_core::DOMAIN;
use serde::{Deserialize, Serialize};

use crate::objects::cron_job_label;
use crate::report::{RunOutcome, RunReport};

/// The annotation of a CronJob that holds its [`Record`].
pub fn record_annotation() -> String {
    format!("{DOMAIN}/last-run")
}

/// What is remembered of a CronJob's runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The Job that was counted last.
    pub job: String,
    /// When it ended.
    pub finished: Timestamp,
    /// How it ended.
    pub outcome: RunOutcome,
    /// Why it failed, in one word: `DeadlineExceeded`, `OOMKilled`, or `Failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why it failed, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How many failed since the last that did not.
    #[serde(default)]
    pub consecutive_failures: u32,
    /// What the last success stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<Success>,
}

impl Record {
    /// Why the last run failed, as one of a few words, so that metrics stay few; empty if it did not.
    pub fn reason_word(&self) -> &'static str {
        const WORDS: [&str; 4] = [
            "DeadlineExceeded",
            "OOMKilled",
            "PodFailurePolicy",
            "ContainerCannotRun",
        ];
        match &self.reason {
            None => "",
            Some(reason) => WORDS
                .into_iter()
                .find(|word| word == reason)
                .unwrap_or("Failed"),
        }
    }
}

/// What a run that did not fail has stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Success {
    /// When it ended.
    pub at: Timestamp,
    /// How long it took.
    pub seconds: f64,
    /// The snapshots.
    pub snapshots: Vec<String>,
    /// Rows, or documents.
    pub rows: u64,
    /// Bytes of text.
    pub bytes: u64,
    /// Bytes in the bucket.
    pub stored_bytes: u64,
    /// Problems that the snapshots list.
    pub problems: u64,
    /// Whether what is stored was checked.
    #[serde(default)]
    pub verified: bool,
}

impl Record {
    /// Reads it from a CronJob.
    pub fn of(cron_job: &CronJob) -> Option<Self> {
        let annotations = cron_job.metadata.annotations.as_ref()?;
        serde_json::from_str(annotations.get(&record_annotation())?).ok()
    }

    /// The record after one more run; none if the run was counted before.
    pub fn after(before: Option<&Self>, run: &Run) -> Option<Self> {
        if let Some(before) = before
            && (run.finished, &run.job) <= (before.finished, &before.job)
        {
            return None;
        }
        let failed = run.outcome() == RunOutcome::Failed;
        let failures = before.map_or(0, |record| record.consecutive_failures);
        let success = match &run.report {
            Some(report) if !failed => Some(Success {
                at: run.finished,
                seconds: report.seconds,
                snapshots: report.snapshots.iter().map(|s| s.id.clone()).collect(),
                rows: report.snapshots.iter().map(|s| s.rows).sum(),
                bytes: report.snapshots.iter().map(|s| s.bytes).sum(),
                stored_bytes: report.snapshots.iter().map(|s| s.stored_bytes).sum(),
                problems: report.snapshots.iter().map(|s| s.problems).sum(),
                verified: report.verified.is_some(),
            }),
            _ => before.and_then(|record| record.success.clone()),
        };
        Some(Self {
            job: run.job.clone(),
            finished: run.finished,
            outcome: run.outcome(),
            reason: failed.then(|| run.reason.clone().unwrap_or_else(|| "Failed".to_owned())),
            message: failed.then(|| run.words()).flatten(),
            consecutive_failures: if failed { failures + 1 } else { 0 },
            success,
        })
    }
}

/// A run that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The CronJob.
    pub cron_job: String,
    /// The Job.
    pub job: String,
    /// When it ended.
    pub finished: Timestamp,
    /// Whether Kubernetes says that it succeeded.
    pub succeeded: bool,
    /// Why not, in one word.
    pub reason: Option<String>,
    /// Why not, in Kubernetes' words.
    pub words: Option<String>,
    /// What it said of itself.
    pub report: Option<RunReport>,
}

impl Run {
    /// A run is a success only when it says so itself and Kubernetes agrees: no report, no success.
    pub fn outcome(&self) -> RunOutcome {
        match &self.report {
            Some(report) if self.succeeded => report.outcome,
            _ => RunOutcome::Failed,
        }
    }

    /// What went wrong, in the best words there are.
    pub fn words(&self) -> Option<String> {
        let report = self.report.as_ref();
        let own = report.and_then(|r| r.message.clone()).map(|message| {
            match report.and_then(|r| r.hint.as_ref()) {
                Some(hint) => format!("{message}. {hint}"),
                None => message,
            }
        });
        own.or_else(|| self.words.clone()).or_else(|| {
            self.succeeded
                .then(|| "the run ended well, and left no word of what it stored".to_owned())
        })
    }
}

/// All runs that have ended, of these Jobs and their pods, in the order in which they ended.
pub fn ended(jobs: &[Arc<Job>], pods: &[Arc<Pod>]) -> Vec<Run> {
    let mut runs: Vec<Run> = jobs.iter().filter_map(|job| run(job, pods)).collect();
    runs.sort_by(|a, b| (a.finished, &a.job).cmp(&(b.finished, &b.job)));
    runs
}

fn run(job: &Job, pods: &[Arc<Pod>]) -> Option<Run> {
    let name = job.metadata.name.as_deref()?;
    let cron_job = job.metadata.labels.as_ref()?.get(&cron_job_label())?;
    let status = job.status.as_ref()?;
    let conditions = status.conditions.as_deref().unwrap_or_default();
    let condition = conditions
        .iter()
        .find(|c| c.status == "True" && (c.type_ == "Complete" || c.type_ == "Failed"))?;
    let succeeded = condition.type_ == "Complete";
    let finished = (status.completion_time.as_ref()).or(condition.last_transition_time.as_ref())?;
    let pods: Vec<&Arc<Pod>> = pods.iter().filter(|pod| belongs(pod, name)).collect();
    // Jobs and pods are watched side by side: what a pod says at its end may be seen later. Not so where it is being removed.
    if pods
        .iter()
        .any(|pod| end(pod).is_none() && pod.metadata.deletion_timestamp.is_none())
    {
        return None;
    }
    let last = pods.into_iter().rev().find_map(|pod| end(pod));
    let end = last.unwrap_or_default();
    // `BackoffLimitExceeded` says no more than that it failed.
    let said = condition
        .reason
        .clone()
        .filter(|reason| reason != "BackoffLimitExceeded");
    let of_end = end.words.filter(|_| !succeeded && said.is_none());
    Some(Run {
        cron_job: cron_job.clone(),
        job: name.to_owned(),
        finished: finished.0,
        succeeded,
        words: of_end.or_else(|| condition.message.clone()),
        reason: end.killed.or(said),
        report: end.message.and_then(|text| RunReport::from_message(&text)),
    })
}

fn belongs(pod: &Pod, job: &str) -> bool {
    let labels = pod.metadata.labels.as_ref();
    let named = labels.and_then(|l| {
        l.get("batch.kubernetes.io/job-name")
            .or_else(|| l.get("job-name"))
    });
    named.is_some_and(|name| name == job)
}

/// What a Job's pod left behind.
#[derive(Default)]
struct End {
    /// The last words of its container.
    message: Option<String>,
    /// Why it was killed, if it was, in one word.
    killed: Option<String>,
    /// The same, or with which code it ended, in words.
    words: Option<String>,
}

/// None: it has not ended. A pod may end without its container's having begun, or left a trace: `Evicted`, `NodeLost`.
fn end(pod: &Pod) -> Option<End> {
    let status = pod.status.as_ref()?;
    let container = status
        .container_statuses
        .as_ref()
        .and_then(|all| all.first());
    let Some(ended) = container.and_then(|container| container.state.as_ref()?.terminated.as_ref())
    else {
        let is_over = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
        return is_over.then(|| End {
            message: None,
            killed: status.reason.clone(),
            words: status.message.clone(),
        });
    };
    let killed = ended
        .reason
        .clone()
        .filter(|reason| reason != "Error" && reason != "Completed");
    let words = match killed.as_deref() {
        Some("OOMKilled") => "the kernel ended it: it took more memory than it may".to_owned(),
        _ => format!("it ended with code {}, and without a word", ended.exit_code),
    };
    Some(End {
        message: ended.message.clone(),
        killed,
        words: Some(words),
    })
}

/// Why the pod of a Job can't begin, if it can't: no node has room for it, its image is missing, or what its variables refer to.
pub fn stuck(cron_job: &str, pods: &[Arc<Pod>]) -> Option<String> {
    pods.iter().find_map(|pod| {
        let labels = pod.metadata.labels.as_ref()?;
        labels
            .get(&cron_job_label())
            .filter(|name| *name == cron_job)?;
        let status = pod.status.as_ref()?;
        let (reason, message) = waiting(status).or_else(|| unplaced(status))?;
        Some(match message {
            Some(message) => format!("{reason}: {message}"),
            None => reason.to_owned(),
        })
    })
}

type Why<'a> = (&'a str, Option<&'a str>);

fn waiting(status: &PodStatus) -> Option<Why<'_>> {
    const BEGINNING: [&str; 2] = ["ContainerCreating", "PodInitializing"];
    let statuses = status.container_statuses.as_deref().unwrap_or_default();
    let waiting = statuses
        .iter()
        .find_map(|s| s.state.as_ref()?.waiting.as_ref())?;
    let reason = waiting
        .reason
        .as_deref()
        .filter(|reason| !BEGINNING.contains(reason))?;
    Some((reason, waiting.message.as_deref()))
}

fn unplaced(status: &PodStatus) -> Option<Why<'_>> {
    let conditions = status.conditions.as_deref().unwrap_or_default();
    let placed = conditions
        .iter()
        .find(|c| c.type_ == "PodScheduled" && c.status == "False")?;
    Some((placed.reason.as_deref()?, placed.message.as_deref()))
}
