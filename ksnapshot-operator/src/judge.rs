//! What is said of each workload: what was found of it, together with how its runs went.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::CronJob;

use crate::decide::{Actual, is_backup, kind_of, owner_of};
use crate::discover::{Discovery, Finding, Outcome, Wanted};
use crate::metrics::PlanState;
use crate::objects;
use crate::report::RunOutcome;
use crate::runs::{self, Record};
use crate::schedule::Schedule;
use crate::settings::Settings;
use crate::verdict::{Mark, Reason, Refusal, State, Step, Verdict};
use crate::world::Lookup;
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
    let bench = Bench {
        actual,
        storage,
        settings,
        now,
    };
    let mut backups: BTreeMap<Workload, Vec<&CronJob>> = BTreeMap::new();
    for cron_job in actual
        .cron_jobs
        .iter()
        .filter(|cron_job| is_backup(cron_job))
    {
        if let Some(owner) = owner_of(cron_job) {
            backups.entry(owner).or_default().push(cron_job);
        }
    }
    let mut verdicts: Vec<Verdict> = Vec::new();
    for finding in &discovery.findings {
        let backups = backups.remove(&finding.workload).unwrap_or_default();
        verdicts.extend(bench.of_finding(finding, &backups));
    }
    verdicts.extend(
        backups
            .into_iter()
            .map(|(workload, backups)| bench.of_the_rest(workload, &backups)),
    );
    verdicts.sort_by(|a, b| a.workload.cmp(&b.workload));
    verdicts
}

/// What a judge has in front of them.
struct Bench<'a> {
    actual: &'a Actual,
    storage: &'a Storage,
    settings: &'a Settings,
    now: Timestamp,
}

/// A CronJob is made within seconds after a pod began to run.
const SOON: SignedDuration = SignedDuration::from_secs(120);

impl Bench<'_> {
    fn of_finding(&self, finding: &Finding, backups: &[&CronJob]) -> Option<Verdict> {
        if finding.is_plain && backups.is_empty() {
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
            Outcome::Off(refusal) => {
                refuse(&mut verdict, State::NotProtected, refusal.clone());
                if !backups.is_empty() {
                    note(
                        &mut verdict,
                        "its CronJob goes when a second look says the same; snapshots stay where they are",
                    );
                }
            }
            Outcome::Refused(refusal) => {
                refuse(&mut verdict, State::NotProtected, refusal.clone());
                let first = self.of_the_first_ksnapshot(&finding.workload);
                if !backups.is_empty() || first.is_some() {
                    verdict.state = State::AtRisk;
                    note(&mut verdict, GO_ON);
                }
            }
            Outcome::Wanted(wanted) => self.of_wanted(&mut verdict, finding, wanted, backups),
        }
        Some(verdict)
    }

    fn of_wanted(
        &self,
        verdict: &mut Verdict,
        finding: &Finding,
        wanted: &Wanted,
        backups: &[&CronJob],
    ) {
        if let Some(missing) = &self.storage.missing {
            let refusal = Refusal::new(
                Reason::StorageMissing,
                missing.clone(),
                "Create it in the operator's namespace: the chart does, with s3.bucket and its credentials.",
            );
            refuse(verdict, State::AtRisk, refusal);
            return;
        }
        if wanted.request.retention.is_some()
            && let Some(refusal) = self.of_retention(finding)
        {
            refuse(verdict, State::AtRisk, refusal);
        }
        let name = objects::backup_name(wanted.request.kind, &finding.workload);
        // Of another type than before there are two for a while.
        let Some(cron_job) = backups
            .iter()
            .find(|c| c.metadata.name.as_ref() == Some(&name))
        else {
            if finding
                .since
                .is_some_and(|since| self.now.duration_since(since) > SOON)
            {
                let refusal = Refusal::new(
                    Reason::CronJobMissing,
                    format!("CronJob {name} is not there"),
                    "The operator makes it within seconds: if it stays away, look whether it runs, and at its log.",
                );
                refuse(verdict, State::NotProtected, refusal);
            } else {
                note(verdict, "its CronJob is about to be made");
            }
            return;
        };
        if let Some(refusal) = self.of_runs(verdict, cron_job, &name, wanted) {
            refuse(verdict, State::AtRisk, refusal);
        }
    }

    /// What is wrong with retention, if anything is.
    fn of_retention(&self, finding: &Finding) -> Option<Refusal> {
        if !self.storage.retention_secret {
            let secret = &self.settings.retention_secret;
            return Some(Refusal::new(
                Reason::RetentionSecretMissing,
                "retention is asked for, and there is no Secret with the right to delete",
                format!(
                    "Create the Secret {secret} in the operator's namespace, with a key that may list, get and delete; \
                     backups run without it, and nothing is removed."
                ),
            ));
        }
        let name = objects::prune_name(&finding.workload);
        let cron_jobs = &self.actual.cron_jobs;
        let cron_job = cron_jobs
            .iter()
            .find(|c| c.metadata.name.as_ref() == Some(&name))?;
        let record = Record::of(cron_job)?;
        self.failed(&record, &name, "retention's last run")
    }

    /// How runs go; the reason if they don't go well.
    fn of_runs(
        &self,
        verdict: &mut Verdict,
        cron_job: &CronJob,
        name: &str,
        wanted: &Wanted,
    ) -> Option<Refusal> {
        good(verdict, format!("CronJob {name}"));
        let record = Record::of(cron_job);
        let success = record.as_ref().and_then(|r| r.success.as_ref());
        if let Some(success) = success {
            let problems = match success.problems {
                0 => String::new(),
                n => format!(", {n} problems listed"),
            };
            let text = format!(
                "last success {}, {} rows, {} bytes stored, snapshot {}{problems}",
                success.at,
                success.rows,
                success.stored_bytes,
                success.snapshots.join(", ")
            );
            let mark = if success.problems == 0 {
                Mark::Good
            } else {
                Mark::Note
            };
            verdict.steps.push(Step { mark, text });
        }
        if wanted.request.suspend {
            return Some(Refusal::new(
                Reason::PlanSuspended,
                "suspended by its annotation",
                "Remove the annotation suspend to let it run again.",
            ));
        }
        if let Some(why) = runs::stuck(name, &self.actual.pods) {
            let control = &self.settings.control_namespace;
            return Some(Refusal::new(
                Reason::RunStuck,
                format!("a run can't begin: {why}"),
                format!(
                    "Mend what it says; the whole story: kubectl -n {control} describe pods -l {}={name}.",
                    objects::cron_job_label()
                ),
            ));
        }
        if let Some(refusal) = record
            .as_ref()
            .and_then(|record| self.failed(record, name, "the last run"))
        {
            return Some(refusal);
        }
        let (since, reason) = match success {
            Some(success) => (success.at, Reason::Overdue),
            None => {
                note(verdict, "it never ran yet");
                let created = cron_job.metadata.creation_timestamp.as_ref()?;
                (created.0, Reason::NeverRan)
            }
        };
        let waited = self.now.duration_since(since);
        (waited > patience(wanted.request.schedule.interval(self.now))).then(|| {
            Refusal::new(
                reason,
                match reason {
                    Reason::NeverRan => format!("it has not run since it was made at {since}"),
                    _ => format!("the last success is from {since}, and runs are due more often"),
                },
                format!(
                    "Look at its Jobs: kubectl -n {} get jobs -l {}={name}.",
                    self.settings.control_namespace,
                    objects::cron_job_label()
                ),
            )
        })
    }

    fn failed(&self, record: &Record, name: &str, what: &str) -> Option<Refusal> {
        if record.outcome != RunOutcome::Failed {
            return None;
        }
        let reason = record.reason.as_deref().unwrap_or("Failed");
        let words = record.message.as_deref().unwrap_or("without a word");
        let times = match record.consecutive_failures {
            0 | 1 => String::new(),
            n => format!(", {n} in a row"),
        };
        let mend = match reason {
            "OOMKilled" => "Give it more by the annotation resources, such as memory=1Gi",
            "DeadlineExceeded" => {
                "Give it more by the annotation resources, or less to dump by exclude-tables"
            }
            _ => "Mend the cause",
        };
        let control = &self.settings.control_namespace;
        Some(Refusal::new(
            Reason::LastRunFailed,
            format!("{what} failed ({reason}{times}): {words}"),
            format!(
                "{mend}, then run it at once: kubectl -n {control} create job --from=cronjob/{name} {name}-again."
            ),
        ))
    }

    /// CronJobs of which no workload was found: nothing of it runs, or its namespace isn't watched.
    fn of_the_rest(&self, workload: Workload, backups: &[&CronJob]) -> Verdict {
        let name = backups
            .first()
            .and_then(|c| c.metadata.name.as_deref())
            .unwrap_or_default();
        let refusal = if !self.settings.watch_namespaces.contains(&workload.namespace) {
            Refusal::new(
                Reason::NamespaceNotWatched,
                format!("namespace {} is not watched any more", workload.namespace),
                format!("Watch it again by rbac.watchNamespaces, or delete CronJob {name}."),
            )
        } else if Lookup::can_be_asked_for(&workload) {
            Refusal::new(
                Reason::NotRunning,
                "no pod of it runs",
                "Start it; or delete it, and its backups end: snapshots stay where they are.",
            )
        } else {
            Refusal::new(
                Reason::NotRunning,
                format!(
                    "no pod of it runs, and whether a {} is still there can't be asked",
                    workload.kind
                ),
                format!(
                    "Start it; or delete CronJob {name}, and its backups end: snapshots stay where they are."
                ),
            )
        };
        let mut verdict = Verdict {
            kind: backups.first().and_then(|cron_job| kind_of(cron_job)),
            workload,
            state: State::AtRisk,
            reason: None,
            steps: Vec::new(),
            fix: None,
        };
        refuse(&mut verdict, State::AtRisk, refusal);
        note(&mut verdict, GO_ON);
        verdict
    }

    /// The CronJob that the first ksnapshot made for this workload. It wrote owners without their kind.
    fn of_the_first_ksnapshot(&self, workload: &Workload) -> Option<&CronJob> {
        let owner = format!("{}/{}", workload.namespace, workload.name);
        let named = |cron_job: &&CronJob| {
            let annotations = cron_job.metadata.annotations.as_ref();
            annotations.and_then(|a| a.get(&objects::owner_annotation())) == Some(&owner)
        };
        self.actual.cron_jobs.iter().map(AsRef::as_ref).find(named)
    }
}

const GO_ON: &str = "its backups go on as they were set up last";

/// How long after a success the next one is overdue: one interval, a run's length, and then some.
fn patience(interval: Duration) -> SignedDuration {
    let slack = (interval / 10).clamp(Duration::from_secs(300), Duration::from_secs(6 * 3600));
    SignedDuration::try_from(interval + slack).unwrap_or(SignedDuration::MAX)
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
