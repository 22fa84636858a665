//! What is said of each workload: what was found of it, together with how its runs went.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::CronJob;

use crate::decide::{Actual, is_backup, kind_of, owner_of};
use crate::discover::{Discovery, Finding, Outcome};
use crate::metrics::PlanState;
use crate::report::RunOutcome;
use crate::runs::{self, Record};
use crate::schedule::Schedule;
use crate::settings::Settings;
use crate::verdict::{Mark, Reason, Refusal, State, Step, Verdict};
use crate::{Kind, Workload};

/// What is known of the storage that all share.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Storage {
    /// What is missing of it, if anything is.
    pub missing: Option<String>,
    /// Whether the Secret for retention is there.
    pub retention_secret: bool,
}

/// One verdict for each workload, and for each CronJob whose workload was not found.
pub fn judge(
    discovery: &Discovery,
    actual: &Actual,
    storage: &Storage,
    settings: &Settings,
    now: Timestamp,
) -> Vec<Verdict> {
    let mut cron_jobs: BTreeMap<Workload, &CronJob> = (actual.cron_jobs.iter())
        .filter(|cron_job| is_backup(cron_job))
        .filter_map(|cron_job| Some((owner_of(cron_job)?, cron_job.as_ref())))
        .collect();
    let mut verdicts: Vec<Verdict> = Vec::new();
    for finding in &discovery.findings {
        let cron_job = cron_jobs.remove(&finding.workload);
        verdicts.extend(of_finding(finding, cron_job, actual, storage, now));
    }
    for (workload, cron_job) in cron_jobs {
        verdicts.push(of_cron_job(workload, cron_job, settings));
    }
    verdicts.sort_by(|a, b| a.workload.cmp(&b.workload));
    verdicts
}

fn of_finding(
    finding: &Finding,
    cron_job: Option<&CronJob>,
    actual: &Actual,
    storage: &Storage,
    now: Timestamp,
) -> Option<Verdict> {
    if finding.is_plain && cron_job.is_none() {
        return None;
    }
    let mut verdict = Verdict {
        workload: finding.workload.clone(),
        kind: finding.kind,
        state: State::Protected,
        reason: None,
        steps: finding.steps.clone(),
        fix: None,
    };
    match &finding.outcome {
        Outcome::Pending => return None,
        Outcome::Off(refusal) | Outcome::Refused(refusal) => {
            refuse(&mut verdict, State::NotProtected, refusal.clone());
            if cron_job.is_some() {
                verdict.state = State::AtRisk;
                note(&mut verdict, "its backups go on as they were set up last");
            }
            return Some(verdict);
        }
        Outcome::Wanted(wanted) => {
            if wanted.request.retention.is_some() && !storage.retention_secret {
                refuse(&mut verdict, State::AtRisk, retention_secret_missing());
            }
            if let Some(missing) = &storage.missing {
                let refusal = Refusal::new(
                    Reason::StorageMissing,
                    missing.clone(),
                    "Create it in the operator's namespace: the chart does, with s3.bucket and its credentials.",
                );
                refuse(&mut verdict, State::AtRisk, refusal);
                return Some(verdict);
            }
            let name = cron_job.and_then(|c| c.metadata.name.as_deref());
            let Some((cron_job, name)) = cron_job.zip(name) else {
                note(&mut verdict, "its CronJob is about to be made");
                return Some(verdict);
            };
            let schedule = &wanted.request.schedule;
            if let Some(refusal) = of_runs(
                &mut verdict,
                cron_job,
                name,
                actual,
                schedule,
                wanted.request.suspend,
                now,
            ) {
                refuse(&mut verdict, State::AtRisk, refusal);
            }
        }
    }
    Some(verdict)
}

fn retention_secret_missing() -> Refusal {
    Refusal::new(
        Reason::RetentionSecretMissing,
        "retention is asked for, and there is no Secret with the right to delete",
        "Create the Secret ksnapshot-retention-secret in the operator's namespace, with a key that may list, get and delete; \
         backups run without it, and nothing is removed.",
    )
}

/// How runs go; the reason if they don't go well.
fn of_runs(
    verdict: &mut Verdict,
    cron_job: &CronJob,
    name: &str,
    actual: &Actual,
    schedule: &Schedule,
    suspend: bool,
    now: Timestamp,
) -> Option<Refusal> {
    good(verdict, format!("CronJob {name}"));
    let record = Record::of(cron_job);
    if let Some(success) = record.as_ref().and_then(|r| r.success.as_ref()) {
        let problems = match success.problems {
            0 => String::new(),
            n => format!(", {n} problems listed"),
        };
        let mark = if success.problems == 0 {
            Mark::Good
        } else {
            Mark::Note
        };
        verdict.steps.push(Step {
            mark,
            text: format!(
                "last success {}, {} rows, {} bytes stored, snapshot {}{problems}",
                success.at,
                success.rows,
                success.stored_bytes,
                success.snapshots.join(", ")
            ),
        });
    }
    if suspend {
        return Some(Refusal::new(
            Reason::PlanSuspended,
            "suspended by its annotation",
            "Remove the annotation suspend to let it run again.",
        ));
    }
    if let Some(why) = runs::stuck(name, &actual.pods) {
        return Some(Refusal::new(
            Reason::RunStuck,
            format!("a run can't begin: {why}"),
            "Correct the image or what it refers to; `kubectl describe pod` in the operator's namespace has the whole story.",
        ));
    }
    if let Some(record) = &record
        && record.outcome == RunOutcome::Failed
    {
        let words = record.message.as_deref().unwrap_or("without a word");
        let times = match record.consecutive_failures {
            1 => String::new(),
            n => format!(", {n} in a row"),
        };
        return Some(Refusal::new(
            Reason::LastRunFailed,
            format!(
                "the last run failed ({}{times}): {words}",
                record.reason.as_deref().unwrap_or("Failed")
            ),
            format!(
                "Mend the cause, then run it at once: kubectl create job --from=cronjob/{name} {name}-again."
            ),
        ));
    }
    let (since, reason) = match record.as_ref().and_then(|r| r.success.as_ref()) {
        Some(success) => (success.at, Reason::Overdue),
        None => {
            note(verdict, "it never ran yet");
            let created = cron_job.metadata.creation_timestamp.as_ref()?;
            (created.0, Reason::NeverRan)
        }
    };
    let patience = patience(schedule.interval(now));
    let waited = now.duration_since(since);
    (waited > patience).then(|| {
        Refusal::new(
            reason,
            match reason {
                Reason::NeverRan => format!("it has not run since it was made at {since}"),
                _ => format!("the last success is from {since}, and runs are due more often"),
            },
            format!(
                "Look at its Jobs: kubectl get jobs -l {}={name}.",
                crate::objects::cron_job_label()
            ),
        )
    })
}

/// How long after a success the next one is overdue: one interval, a run's length, and then some.
fn patience(interval: Duration) -> SignedDuration {
    let slack = (interval / 10).clamp(Duration::from_secs(300), Duration::from_secs(6 * 3600));
    SignedDuration::try_from(interval + slack).unwrap_or(SignedDuration::MAX)
}

/// A CronJob of which no workload was found: nothing of it runs, or its namespace isn't watched.
fn of_cron_job(workload: Workload, cron_job: &CronJob, settings: &Settings) -> Verdict {
    let refusal = if settings.watch_namespaces.contains(&workload.namespace) {
        Refusal::new(
            Reason::NotRunning,
            "no pod of it runs",
            "Start it; or delete it, and its backups end: snapshots stay where they are.",
        )
    } else {
        Refusal::new(
            Reason::NamespaceNotWatched,
            format!("namespace {} is not watched any more", workload.namespace),
            format!(
                "Watch it again by rbac.watchNamespaces, or delete CronJob {}.",
                cron_job.metadata.name.as_deref().unwrap_or_default()
            ),
        )
    };
    let mut verdict = Verdict {
        kind: kind_of(cron_job),
        workload,
        state: State::AtRisk,
        reason: None,
        steps: Vec::new(),
        fix: None,
    };
    refuse(&mut verdict, State::AtRisk, refusal);
    note(&mut verdict, "its backups go on as they were set up last");
    verdict
}

fn good(verdict: &mut Verdict, text: String) {
    verdict.steps.push(Step {
        mark: Mark::Good,
        text,
    });
}

fn note(verdict: &mut Verdict, text: &str) {
    verdict.steps.push(Step {
        mark: Mark::Note,
        text: text.to_owned(),
    });
}

fn refuse(verdict: &mut Verdict, state: State, refusal: Refusal) {
    verdict.state = state;
    verdict.reason = Some(refusal.reason);
    verdict.fix = Some(refusal.fix);
    verdict.steps.push(Step {
        mark: Mark::Bad,
        text: refusal.text,
    });
}

/// What metrics say of each CronJob for backups.
pub fn plans(discovery: &Discovery, actual: &Actual, now: Timestamp) -> Vec<PlanState> {
    let schedules: BTreeMap<&Workload, &Schedule> = (discovery.findings.iter())
        .filter_map(|finding| match &finding.outcome {
            Outcome::Wanted(wanted) => Some((&finding.workload, &wanted.request.schedule)),
            _ => None,
        })
        .collect();
    let mut plans = Vec::new();
    for cron_job in actual.cron_jobs.iter().filter(|c| is_backup(c)) {
        let Some((owner, kind)) = owner_of(cron_job).zip(kind_of(cron_job)) else {
            continue;
        };
        // One whose workload can't be read now runs by the schedule that it was given.
        let own = || {
            let spec = cron_job.spec.as_ref()?;
            Schedule::parse(
                &spec.schedule,
                spec.time_zone.as_deref().unwrap_or("Etc/UTC"),
            )
            .ok()
        };
        let schedule = schedules.get(&owner).map(|s| (*s).clone()).or_else(own);
        plans.push(plan(&owner, kind, cron_job, schedule.as_ref(), now));
    }
    plans
}

fn plan(
    owner: &Workload,
    kind: Kind,
    cron_job: &CronJob,
    schedule: Option<&Schedule>,
    now: Timestamp,
) -> PlanState {
    let record = Record::of(cron_job);
    let success = record.as_ref().and_then(|r| r.success.as_ref());
    let spec = cron_job.spec.as_ref();
    PlanState {
        namespace: owner.namespace.clone(),
        plan: owner.plan(),
        kind: kind.as_str().to_owned(),
        created: cron_job.metadata.creation_timestamp.as_ref().map(|t| t.0),
        expected_interval: schedule.map(|s| s.interval(now)),
        next_run: schedule.map(|s| s.next_after(now)),
        suspended: spec.and_then(|s| s.suspend).unwrap_or(false),
        last_attempt: record.as_ref().map(|r| r.finished),
        consecutive_failures: record.as_ref().map_or(0, |r| r.consecutive_failures.into()),
        last_success: success.map(|s| s.at),
        last_verified: success.filter(|s| s.verified).map(|s| s.at),
        last_bytes: success.map(|s| s.bytes),
        last_stored_bytes: success.map(|s| s.stored_bytes),
        last_duration: success.map(|s| Duration::from_secs_f64(s.seconds.max(0.0))),
        last_problems: success.map(|s| s.problems),
    }
}
