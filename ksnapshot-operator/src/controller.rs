//! The loop: see, discover, decide, act, say. Level-based: each pass looks at everything and does what is still to be done,
//! so that nothing depends on what happened in which order, or on a pass that came to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::ObjectReference;
use ksnapshot_core::{CancellationToken, Error};

use crate::cluster::{Cluster, has_keys};
use crate::decide::{Action, Actual, Known, decide};
use crate::discover::{Discovery, Outcome, discover};
use crate::events::Events;
use crate::judge::{Storage, judge, plans};
use crate::lookups::Lookups;
use crate::metrics::{Metrics, Unprotected};

use crate::Workload;
use crate::report::RunOutcome;
use crate::runs::Record;
use crate::server::Health;
use crate::settings::Settings;
use crate::verdict::{Reason, State, Verdict};
use crate::watches::Watches;
use crate::world::{Found, Lookup, World};

/// Changes that come in one after another are looked at together.
const TOGETHER: Duration = Duration::from_millis(500);
/// Everything is looked at again after this, which costs no request.
const TICK: Duration = Duration::from_secs(20);
/// A loop that says nothing for so long hangs. Longer than a first pass over thousands of workloads.
pub(crate) const SILENCE: Duration = Duration::from_secs(180);
/// Calls under way at once.
const CALLS: usize = 8;
/// Two full reads that say that backups are off are at least so far apart.
const BETWEEN_READS: SignedDuration = SignedDuration::from_secs(15);
/// An owner without pods that is still there is asked for again after this.
const OWNER_AGAIN: SignedDuration = SignedDuration::from_secs(30);
/// What is wrong for a moment while a workload starts, rolls out, or has just been seen …
const PASSING: [Reason; 4] = [
    Reason::CronJobMissing,
    Reason::LookupFailed,
    Reason::NotRunning,
    Reason::OwnerConflict,
];
/// … and how long the moment is.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);
/// Lookups may lead to more lookups: ReplicaSets to credentials, nothing further.
const ROUNDS: usize = 4;
/// The objects of the storage are read again after this.
const STORAGE_AGAIN: SignedDuration = SignedDuration::from_secs(60);

/// What all passes share.
pub(crate) struct Controller {
    cluster: Cluster,
    settings: Settings,
    events: Events,
    metrics: Metrics,
    health: Arc<Health>,
    world: World,
    lookups: Lookups,
    off: BTreeMap<Workload, Off>,
    /// Owners without a running pod that were still there when they were asked for.
    there: BTreeMap<Workload, (Found, Timestamp)>,
    said: BTreeMap<Workload, Said>,
    /// Since when something is wrong that may pass by itself.
    passing: BTreeMap<Workload, Timestamp>,
    storage: Option<(Storage, Timestamp)>,
}

/// How often a full and fresh read said that backups of an owner are off.
#[derive(Debug, Clone, Copy)]
struct Off {
    reads: u32,
    last: Timestamp,
}

/// What was last said of a workload.
#[derive(PartialEq)]
struct Said {
    state: State,
    why: Option<String>,
}

impl Controller {
    pub(crate) fn new(
        cluster: Cluster,
        settings: Settings,
        events: Events,
        metrics: Metrics,
        health: Arc<Health>,
    ) -> Self {
        Self {
            cluster,
            settings,
            events,
            metrics,
            health,
            world: World::default(),
            lookups: Lookups::default(),
            off: BTreeMap::new(),
            there: BTreeMap::new(),
            said: BTreeMap::new(),
            passing: BTreeMap::new(),
            storage: None,
        }
    }

    /// Works until it is cancelled.
    pub(crate) async fn run(mut self, cancel: &CancellationToken) {
        let mut watches = Watches::begin(&self.cluster, &self.settings.watch_namespaces);
        let mut first = true;
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                () = watches.changed() => {
                    // What comes together is seen together; what never stops coming does not hold up the pass.
                    let until = tokio::time::sleep(TOGETHER);
                    tokio::pin!(until);
                    loop {
                        tokio::select! {
                            () = &mut until => break,
                            () = watches.changed() => {}
                        }
                    }
                }
                () = tokio::time::sleep(TICK), if !first => {}
            }
            self.health.beat();
            if !watches.settled() || !watches.sees(&self.cluster.control) {
                continue;
            }
            let began = std::time::Instant::now();
            tokio::select! {
                () = cancel.cancelled() => return,
                () = self.pass(&watches) => {}
            }
            self.metrics.reconciled(began.elapsed());
            if first {
                tracing::info!(
                    seconds = began.elapsed().as_secs_f64(),
                    "first full pass is done"
                );
                first = false;
            }
            self.health.ready();
            self.health.beat();
        }
    }

    /// Looks at everything once, and does what is to be done.
    async fn pass(&mut self, watches: &Watches) {
        let now = Timestamp::now();
        watches.fill(&mut self.world);
        let actual = watches.actual();
        let discovery = self.discover(now).await;
        let storage = self.storage(now).await;
        let mut known = Known {
            seen: watches.seen(),
            retention_secret: storage.retention_secret,
            ..Known::default()
        };
        let actions = self.decide(&discovery, &actual, &mut known, now).await;
        self.act(actions, &discovery, &actual).await;
        self.say(&discovery, &actual, &storage).await;
        self.lookups
            .forget_others(&discovery.asked, &mut self.world.lookups);
    }

    /// Discovers, with everything looked up that it takes.
    async fn discover(&mut self, now: Timestamp) -> Discovery {
        let mut discovery = discover(&self.world, &self.settings);
        let mut wanted = self.lookups.due(&self.world.lookups, &discovery, now);
        for _ in 0..ROUNDS {
            wanted.extend(discovery.lacking(&self.world));
            if wanted.is_empty() {
                break;
            }
            self.look_up(std::mem::take(&mut wanted), now).await;
            discovery = discover(&self.world, &self.settings);
        }
        discovery
    }

    async fn look_up(&mut self, wanted: Vec<Lookup>, now: Timestamp) {
        let cluster = &self.cluster;
        let found: Vec<(Lookup, Found)> = stream::iter(wanted)
            .map(|lookup| async move {
                let found = cluster.look_up(&lookup).await;
                (lookup, found)
            })
            .buffer_unordered(CALLS)
            .collect()
            .await;
        for (lookup, found) in found {
            self.lookups.note(&lookup, now);
            // What could be read before is worth more than no answer.
            let was_good = matches!(
                self.world.lookups.get(&lookup),
                Some(Found::Secret(_) | Found::ConfigMap(_) | Found::ReplicaSet(_))
            );
            if was_good && matches!(found, Found::Failed(_)) {
                tracing::warn!("{lookup}: {found:?}; what was read before still counts");
                continue;
            }
            self.world.lookups.insert(lookup, found);
        }
    }

    /// Decides, with everything asked for that it takes.
    async fn decide(
        &mut self,
        discovery: &Discovery,
        actual: &Actual,
        known: &mut Known,
        now: Timestamp,
    ) -> Vec<Action> {
        known.confirmed_off = self
            .off
            .iter()
            .filter(|(_, off)| off.reads >= 2)
            .map(|(w, _)| w.clone())
            .collect();
        let mut actions = decide(discovery, actual, known, &self.settings);
        let mut still_off = BTreeSet::new();
        let mut asked = false;
        for action in &actions {
            match action {
                Action::AskOwner(owner) => {
                    let found = self.ask(owner, now).await;
                    known.owners.insert(owner.clone(), found);
                    asked = true;
                }
                Action::ConfirmOff(owner) => {
                    still_off.insert(owner.clone());
                    if self.confirm_off(owner, now).await {
                        known.confirmed_off.insert(owner.clone());
                        asked = true;
                    }
                }
                _ => {}
            }
        }
        self.off.retain(|owner, _| still_off.contains(owner));
        if asked {
            actions = decide(discovery, actual, known, &self.settings);
        }
        actions
    }

    /// Asks whether an owner is still there. One that is is not asked for again at once; that it is gone is never remembered.
    async fn ask(&mut self, owner: &Workload, now: Timestamp) -> Found {
        self.there
            .retain(|_, (_, at)| now.duration_since(*at) < OWNER_AGAIN);
        if let Some((found, _)) = self.there.get(owner) {
            return found.clone();
        }
        let found = self.cluster.look_up(&Lookup::Owner(owner.clone())).await;
        if !matches!(found, Found::Missing) {
            self.there.insert(owner.clone(), (found.clone(), now));
        }
        found
    }

    /// Reads an owner's pods afresh. True when two such reads, some time apart, said that backups are off.
    async fn confirm_off(&mut self, owner: &Workload, now: Timestamp) -> bool {
        let before = self.off.get(owner).copied();
        if before.is_some_and(|off| now.duration_since(off.last) < BETWEEN_READS) {
            return false;
        }
        let pods = match self.cluster.pods(&owner.namespace).await {
            Ok(pods) => pods,
            Err(error) => {
                self.failed(&error);
                return false;
            }
        };
        let fresh = World {
            pods,
            services: self.world.services.clone(),
            lookups: self.world.lookups.clone(),
        };
        let found = discover(&fresh, &self.settings);
        let is_off = (found.findings.iter()).any(|finding| {
            finding.workload == *owner && matches!(finding.outcome, Outcome::Off(_))
        });
        if !is_off {
            self.off.remove(owner);
            return false;
        }
        let reads = before.map_or(0, |off| off.reads) + 1;
        self.off.insert(owner.clone(), Off { reads, last: now });
        tracing::info!("{owner}: says that backups are off ({reads} of 2 reads)");
        reads >= 2
    }

    /// Secrets first, then the CronJobs that refer to them; what is removed goes last.
    async fn act(&mut self, actions: Vec<Action>, discovery: &Discovery, actual: &Actual) {
        let mut phases: [Vec<Action>; 4] = Default::default();
        for action in actions {
            let phase = match action {
                Action::ApplySecret(_) => 0,
                Action::ApplyCronJob(_) => 1,
                Action::Trigger { .. } | Action::Record { .. } => 2,
                Action::DeleteCronJob { .. } | Action::DeleteSecret { .. } => 3,
                Action::AskOwner(_) | Action::ConfirmOff(_) => continue,
            };
            phases[phase].push(action);
        }
        for actions in phases {
            let cluster = &self.cluster;
            let done: Vec<(Action, Result<(), Error>)> = stream::iter(actions)
                .map(|action| async move {
                    let done = perform(cluster, &action).await;
                    (action, done)
                })
                .buffered(CALLS)
                .collect()
                .await;
            for (action, done) in done {
                match done {
                    Ok(()) => self.done(&action, discovery, actual).await,
                    Err(error) => self.failed(&error),
                }
            }
        }
    }

    fn failed(&self, error: &Error) {
        tracing::warn!("{error:#}");
        self.metrics.reconcile_failed();
    }

    /// What was done is logged, and said where somebody looks.
    async fn done(&mut self, action: &Action, discovery: &Discovery, actual: &Actual) {
        match action {
            Action::ApplySecret(secret) => {
                tracing::info!("Secret {} is written, for {}", secret.name, secret.owner)
            }
            Action::ApplyCronJob(desired) => {
                let is_new = !actual
                    .cron_jobs
                    .iter()
                    .any(|c| c.metadata.name.as_ref() == Some(&desired.name));
                tracing::info!(
                    "CronJob {} is {}",
                    desired.name,
                    if is_new { "made" } else { "changed" }
                );
            }
            Action::Trigger {
                cron_job,
                job,
                value,
            } => {
                tracing::info!(
                    "Job {} of {cron_job} is made, triggered by {value:?}",
                    job.name
                );
            }
            Action::Record {
                owner,
                record,
                cron_job,
            } => {
                let Some(owner) = owner else { return };
                self.say_run(owner, cron_job, record, discovery).await;
            }
            Action::DeleteCronJob { name, why, .. } => {
                tracing::info!("CronJob {name} is deleted: {why}")
            }
            Action::DeleteSecret { name, .. } => {
                tracing::info!("Secret {name} is deleted: no CronJob needs it")
            }
            Action::AskOwner(_) | Action::ConfirmOff(_) => {}
        }
    }

    async fn say_run(
        &self,
        owner: &Workload,
        cron_job: &str,
        record: &Record,
        discovery: &Discovery,
    ) {
        let is_prune = cron_job.starts_with("ksnapshot-prune-");
        let reference = reference(owner, discovery);
        if !is_prune {
            self.metrics.run_ended(
                &owner.namespace,
                &owner.plan(),
                record.outcome,
                record.reason_word(),
            );
        }
        let reason = record.reason.as_deref().unwrap_or_default();
        match record.outcome {
            RunOutcome::Failed => {
                let words = record.message.as_deref().unwrap_or("without a word");
                tracing::warn!("{owner}: run {} failed ({reason}): {words}", record.job);
                let what = if is_prune {
                    "PruneFailed"
                } else {
                    "BackupFailed"
                };
                self.events
                    .warning(
                        &reference,
                        what,
                        &format!("{} ({reason}): {words}", record.job),
                    )
                    .await;
            }
            outcome => {
                let Some(success) = &record.success else {
                    return;
                };
                let ids = success.snapshots.join(", ");
                tracing::info!(
                    rows = success.rows,
                    bytes = success.bytes,
                    stored_bytes = success.stored_bytes,
                    problems = success.problems,
                    "{owner}: run {} is done, snapshot {ids}",
                    record.job
                );
                if is_prune {
                    return;
                }
                let note = format!(
                    "snapshot {ids}: {} rows, {} bytes stored, {} problems",
                    success.rows, success.stored_bytes, success.problems
                );
                if outcome == RunOutcome::WithProblems {
                    self.events
                        .warning(&reference, "BackupHasProblems", &note)
                        .await;
                } else {
                    self.events
                        .normal(&reference, "BackupComplete", &note)
                        .await;
                }
            }
        }
    }

    /// What is said of each workload: as metrics each time, as an event when it changes.
    async fn say(&mut self, discovery: &Discovery, actual: &Actual, storage: &Storage) {
        let now = Timestamp::now();
        let verdicts = judge(discovery, actual, storage, &self.settings, now);
        self.metrics.set_plans(&plans(discovery, actual, now));
        let unprotected = verdicts
            .iter()
            .filter(|verdict| verdict.state != State::Protected);
        let unprotected: Vec<Unprotected> = unprotected
            .filter_map(|verdict| {
                Some(Unprotected {
                    namespace: verdict.workload.namespace.clone(),
                    reason: verdict.reason?.as_str(),
                    workloads: 1,
                })
            })
            .collect();
        self.metrics.set_unprotected(&unprotected);
        let known: BTreeSet<Workload> = verdicts.iter().map(|v| v.workload.clone()).collect();
        self.said.retain(|workload, _| known.contains(workload));
        self.passing.retain(|workload, _| known.contains(workload));
        for verdict in verdicts {
            self.say_verdict(verdict, discovery).await;
        }
    }

    async fn say_verdict(&mut self, verdict: Verdict, discovery: &Discovery) {
        let said = Said {
            state: verdict.state,
            why: verdict.why().map(ToOwned::to_owned),
        };
        let before = self.said.get(&verdict.workload);
        if before == Some(&said) {
            return;
        }
        // What a start or a roll-out brings with it is no news, unless it stays.
        if verdict
            .reason
            .is_some_and(|reason| PASSING.contains(&reason))
        {
            let now = Timestamp::now();
            let since = *self.passing.entry(verdict.workload.clone()).or_insert(now);
            if now.duration_since(since) < PATIENCE {
                return;
            }
        }
        self.passing.remove(&verdict.workload);
        let was_said = before.is_some();
        let reference = reference(&verdict.workload, discovery);
        match (verdict.reason, &said.why) {
            (Some(reason), Some(why)) => {
                let note = match &verdict.fix {
                    Some(fix) => format!("{}: {why}. {fix}", verdict.state.word()),
                    None => format!("{}: {why}", verdict.state.word()),
                };
                tracing::info!("{}: {note}", verdict.workload);
                self.events
                    .warning(&reference, &reason.to_string(), &note)
                    .await;
            }
            // A restart of the operator is no news for a workload that was fine before.
            _ if was_said => {
                tracing::info!("{}: protected", verdict.workload);
                self.events
                    .normal(&reference, "Protected", "backups run as they should")
                    .await;
            }
            _ => {}
        }
        self.said.insert(verdict.workload, said);
    }

    /// Whether bucket and keys are named, read again each minute.
    async fn storage(&mut self, now: Timestamp) -> Storage {
        if let Some((storage, at)) = &self.storage
            && now.duration_since(*at) < STORAGE_AGAIN
        {
            return storage.clone();
        }
        let storage = look_at_storage(&self.cluster, &self.settings).await;
        self.storage = Some((storage.clone(), now));
        storage
    }
}

/// What is there of the storage that all share.
pub(crate) async fn look_at_storage(cluster: &Cluster, settings: &Settings) -> Storage {
    const KEYS: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    let secret = |name: &str| Lookup::Secret {
        namespace: cluster.control.clone(),
        name: name.to_owned(),
    };
    let map = Lookup::ConfigMap {
        namespace: cluster.control.clone(),
        name: settings.backup_config_map.clone(),
    };
    let mut missing = None;
    if let Some(name) = &settings.backup_secret
        && !has_keys(&cluster.look_up(&secret(name)).await, &KEYS)
    {
        missing = Some(format!("{}: has no {}", secret(name), KEYS.join(" and ")));
    }
    if !has_keys(&cluster.look_up(&map).await, &["S3_BUCKET"]) {
        missing = Some(format!("{map}: names no bucket as S3_BUCKET"));
    }
    let retention = cluster.look_up(&secret(&settings.retention_secret)).await;
    Storage {
        missing,
        // It must be seen: a Job without it would only fail.
        retention_secret: matches!(retention, Found::Secret(_)) && has_keys(&retention, &KEYS),
    }
}

async fn perform(cluster: &Cluster, action: &Action) -> Result<(), Error> {
    match action {
        Action::ApplySecret(secret) => cluster.apply_secret(secret).await,
        Action::ApplyCronJob(desired) => cluster.apply_cron_job(desired).await,
        Action::Trigger {
            cron_job,
            job,
            value,
        } => {
            // The Job first: tried again, it is the same Job.
            cluster.create_job(job).await?;
            cluster.remember_trigger(cron_job, value).await
        }
        Action::Record {
            cron_job, record, ..
        } => cluster.remember_run(cron_job, record).await,
        Action::DeleteCronJob { name, uid, .. } => cluster.delete_cron_job(name, uid).await,
        Action::DeleteSecret { name, uid } => cluster.delete_secret(name, uid).await,
        Action::AskOwner(_) | Action::ConfirmOff(_) => Ok(()),
    }
}

/// The workload as events refer to it.
fn reference(workload: &Workload, discovery: &Discovery) -> ObjectReference {
    let finding = discovery
        .findings
        .iter()
        .find(|finding| finding.workload == *workload);
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    ObjectReference {
        api_version: finding
            .and_then(|f| some(&f.api_version))
            .or_else(|| api_version(&workload.kind)),
        kind: Some(workload.kind.clone()),
        namespace: Some(workload.namespace.clone()),
        name: Some(workload.name.clone()),
        uid: finding.and_then(|f| some(&f.uid)),
        ..ObjectReference::default()
    }
}

fn api_version(kind: &str) -> Option<String> {
    let version = match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => "apps/v1",
        "Pod" => "v1",
        _ => return None,
    };
    Some(version.to_owned())
}
