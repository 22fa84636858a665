//! What to do: a pure function of what was found and what is there.
//!
//! **Nothing is deleted because something could not be seen.** A CronJob goes when its owner is gone, which the API server
//! said when it was asked just then, or when all running pods of its owner have said twice, in full and fresh lists, that backups
//! are off. In every other case it stays as it is, whatever is wrong, and the verdict says what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Pod, Secret};
use secrecy::ExposeSecret;
use serde_json::Value;

use crate::discover::{self, Discovery, Finding, Outcome};
use crate::objects::{self, Component, Credentials, Desired};
use crate::runs::{self, Record};
use crate::settings::Settings;
use crate::verdict::Reason;
use crate::world::Found;
use crate::{Kind, Workload};

/// What is there of ours, in the control namespace.
#[derive(Debug, Clone, Default)]
pub struct Actual {
    /// CronJobs.
    pub cron_jobs: Vec<Arc<CronJob>>,
    /// Secrets with credentials.
    pub secrets: Vec<Arc<Secret>>,
    /// Jobs of the CronJobs.
    pub jobs: Vec<Arc<Job>>,
    /// Pods of the Jobs.
    pub pods: Vec<Arc<Pod>>,
}

/// What else has to be known to decide.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The watched namespaces of which everything was seen at least once.
    pub seen: BTreeSet<String>,
    /// Owners of which two fresh lists said that backups are off.
    pub confirmed_off: BTreeSet<Workload>,
    /// Owners that were asked for just now.
    pub owners: BTreeMap<Workload, Found>,
    /// Whether the Secret for retention is there.
    pub retention_secret: bool,
}

/// One thing to do.
#[derive(Debug, Clone)]
pub enum Action {
    /// Write the Secret that a CronJob's Jobs log in with.
    ApplySecret(Credentials),
    /// Write a CronJob.
    ApplyCronJob(Desired),
    /// Run once, now, and remember for which value.
    Trigger {
        /// The CronJob.
        cron_job: String,
        /// Its Job.
        job: Desired,
        /// The value of the annotation.
        value: String,
    },
    /// Remember how a run ended.
    Record {
        /// The CronJob.
        cron_job: String,
        /// Whose it is.
        owner: Option<Workload>,
        /// What is remembered from now on.
        record: Record,
    },
    /// Remove a CronJob, with its Jobs.
    DeleteCronJob {
        /// Its name.
        name: String,
        /// Just this one, not another one of its name.
        uid: String,
        /// Why, for the log.
        why: String,
    },
    /// Remove a Secret that no CronJob needs.
    DeleteSecret {
        /// Its name.
        name: String,
        /// Just this one.
        uid: String,
    },
    /// Ask whether an owner is still there, then decide again.
    AskOwner(Workload),
    /// Read the pods of an owner's namespace afresh, to hear once more that backups are off.
    ConfirmOff(Workload),
}

/// Decides everything. `discovery` must lack nothing ([`Discovery::lacking`]); findings that do are left alone.
pub fn decide(
    discovery: &Discovery,
    actual: &Actual,
    known: &Known,
    settings: &Settings,
) -> Vec<Action> {
    let mut actions = Vec::new();
    let existing: BTreeMap<&str, &CronJob> = (actual.cron_jobs.iter())
        .filter_map(|cron_job| Some((cron_job.metadata.name.as_deref()?, cron_job.as_ref())))
        .collect();
    let secrets: BTreeMap<&str, &Secret> = (actual.secrets.iter())
        .filter_map(|secret| Some((secret.metadata.name.as_deref()?, secret.as_ref())))
        .collect();
    let mut wanted_cron_jobs = BTreeSet::new();
    let mut wanted_secrets = BTreeSet::new();
    for finding in &discovery.findings {
        let Outcome::Wanted(wanted) = &finding.outcome else {
            continue;
        };
        if let Some(credentials) = objects::credentials(&finding.workload, wanted) {
            wanted_secrets.insert(credentials.name.clone());
            if !secrets
                .get(credentials.name.as_str())
                .is_some_and(|secret| holds(secret, &credentials))
            {
                actions.push(Action::ApplySecret(credentials));
            }
        }
        let backup = objects::backup(&finding.workload, wanted, settings);
        if let Some(there) = existing.get(backup.name.as_str()) {
            actions.extend(trigger(there, &backup, wanted.request.trigger.as_deref()));
        }
        let prune = objects::prune(&finding.workload, wanted, settings);
        for desired in [Some(backup), prune.filter(|_| known.retention_secret)]
            .into_iter()
            .flatten()
        {
            wanted_cron_jobs.insert(desired.name.clone());
            if !existing
                .get(desired.name.as_str())
                .is_some_and(|there| is_as(there, &desired))
            {
                actions.push(Action::ApplyCronJob(desired));
            }
        }
    }
    let found: BTreeMap<&Workload, &Finding> = discovery
        .findings
        .iter()
        .map(|f| (&f.workload, f))
        .collect();
    let mut going = BTreeSet::new();
    for (name, cron_job) in &existing {
        if wanted_cron_jobs.contains(*name) {
            continue;
        }
        match fate(cron_job, &found, known, settings, &existing) {
            Fate::Keep => {}
            Fate::Ask(owner) => actions.push(Action::AskOwner(owner)),
            Fate::Confirm(owner) => actions.push(Action::ConfirmOff(owner)),
            Fate::Delete(why) => {
                going.insert(*name);
                actions.push(Action::DeleteCronJob {
                    name: (*name).to_owned(),
                    uid: cron_job.metadata.uid.clone().unwrap_or_default(),
                    why,
                });
            }
        }
    }
    for (name, secret) in &secrets {
        let Some(of) = cron_job_of(secret) else {
            continue;
        };
        // A CronJob that stays as it is still refers to its Secret.
        let stays =
            existing.contains_key(of) && !wanted_cron_jobs.contains(of) && !going.contains(of);
        if !wanted_secrets.contains(*name) && !stays {
            actions.push(Action::DeleteSecret {
                name: (*name).to_owned(),
                uid: secret.metadata.uid.clone().unwrap_or_default(),
            });
        }
    }
    actions.extend(record(actual, &existing));
    actions
}

/// The CronJob that a Secret of ours was made for; none if it is not of our making.
fn cron_job_of(secret: &Secret) -> Option<&str> {
    let (key, value) = objects::MANAGED_BY;
    let is_ours = secret
        .metadata
        .labels
        .as_ref()?
        .get(key)
        .is_some_and(|found| found == value);
    let name = secret.metadata.name.as_deref()?;
    name.strip_suffix("-credentials")
        .filter(|of| is_ours && of.starts_with("ksnapshot-"))
}

/// What becomes of a CronJob that nobody wants in so many words.
enum Fate {
    Keep,
    Ask(Workload),
    Confirm(Workload),
    Delete(String),
}

fn fate(
    cron_job: &CronJob,
    found: &BTreeMap<&Workload, &Finding>,
    known: &Known,
    settings: &Settings,
    existing: &BTreeMap<&str, &CronJob>,
) -> Fate {
    let annotations = cron_job.metadata.annotations.as_ref();
    let Some(owner) = annotations.and_then(|a| a.get(&objects::owner_annotation())) else {
        // It carries our label and no owner: not of our making, as far as can be seen.
        return Fate::Keep;
    };
    let Ok(owner) = owner.parse::<Workload>() else {
        return of_the_first_ksnapshot(owner, found, existing);
    };
    if !known.seen.contains(&owner.namespace) {
        return Fate::Keep;
    }
    match found.get(&owner).map(|finding| &finding.outcome) {
        // Another type, or no retention any more: what is wanted now stands beside it first.
        Some(Outcome::Wanted(wanted)) => {
            let kind = wanted.request.kind;
            let backup = objects::backup_name(kind, &owner);
            if component(cron_job) == Component::Prune {
                // Without its Secret retention can't run; that is said, and may be over soon.
                match wanted.request.retention {
                    Some(_) => Fate::Keep,
                    None => Fate::Delete("no retention is asked for any more".to_owned()),
                }
            } else if existing.contains_key(backup.as_str()) {
                Fate::Delete(format!("{owner} is backed up as {kind} now"))
            } else {
                Fate::Keep
            }
        }
        Some(Outcome::Off(_)) if known.confirmed_off.contains(&owner) => {
            Fate::Delete(format!("backups of {owner} were turned off"))
        }
        Some(Outcome::Off(_)) => Fate::Confirm(owner),
        Some(Outcome::Refused(refusal)) if refusal.reason != Reason::NotRunning => Fate::Keep,
        Some(Outcome::Pending) => Fate::Keep,
        // Pods that end, or none at all: is the owner still there?
        Some(Outcome::Refused(_)) | None => match known.owners.get(&owner) {
            Some(Found::Missing) => Fate::Delete(format!("{owner} is gone")),
            Some(_) => Fate::Keep,
            None if settings.watch_namespaces.contains(&owner.namespace) => Fate::Ask(owner),
            None => Fate::Keep,
        },
    }
}

/// The first ksnapshot wrote the owner without its kind. Its CronJob goes when ours stands in its place.
fn of_the_first_ksnapshot(
    owner: &str,
    found: &BTreeMap<&Workload, &Finding>,
    existing: &BTreeMap<&str, &CronJob>,
) -> Fate {
    let successor = found
        .iter()
        .find_map(|(workload, finding)| match &finding.outcome {
            Outcome::Wanted(wanted)
                if format!("{}/{}", workload.namespace, workload.name) == owner =>
            {
                Some(objects::backup_name(wanted.request.kind, workload))
            }
            _ => None,
        });
    match successor {
        Some(name) if existing.contains_key(name.as_str()) => {
            Fate::Delete(format!("{name} takes its place"))
        }
        _ => Fate::Keep,
    }
}

fn component(cron_job: &CronJob) -> Component {
    let labels = cron_job.metadata.labels.as_ref();
    match labels
        .and_then(|labels| labels.get(objects::COMPONENT))
        .map(String::as_str)
    {
        Some("prune") => Component::Prune,
        _ => Component::Backup,
    }
}

/// Whose a CronJob is.
pub fn owner_of(cron_job: &CronJob) -> Option<Workload> {
    cron_job
        .metadata
        .annotations
        .as_ref()?
        .get(&objects::owner_annotation())?
        .parse()
        .ok()
}

/// The kind of database of a CronJob.
pub fn kind_of(cron_job: &CronJob) -> Option<Kind> {
    let labels = cron_job.metadata.labels.as_ref()?;
    Kind::parse(labels.get(&format!("{}/type", ksnapshot_core::DOMAIN))?)
}

/// Whether a CronJob dumps.
pub fn is_backup(cron_job: &CronJob) -> bool {
    component(cron_job) == Component::Backup
}

/// A value of `trigger` that was not acted on yet runs once, by what is asked for now.
fn trigger(there: &CronJob, desired: &Desired, value: Option<&str>) -> Option<Action> {
    let value = value?;
    let annotations = there.metadata.annotations.as_ref();
    let before = annotations
        .and_then(|a| a.get(&objects::triggered_annotation()))
        .map(String::as_str);
    (before != Some(value)).then(|| Action::Trigger {
        cron_job: desired.name.clone(),
        job: objects::job_of(
            desired,
            there.metadata.uid.as_deref().unwrap_or_default(),
            before,
            value,
        ),
        value: value.to_owned(),
    })
}

/// Runs that ended and were not counted yet.
fn record(actual: &Actual, existing: &BTreeMap<&str, &CronJob>) -> Vec<Action> {
    let mut latest: BTreeMap<&str, Option<Record>> = BTreeMap::new();
    let mut actions = Vec::new();
    let runs = runs::ended(&actual.jobs, &actual.pods);
    for run in &runs {
        let Some((name, cron_job)) = existing.get_key_value(run.cron_job.as_str()) else {
            continue;
        };
        let before = latest.entry(name).or_insert_with(|| Record::of(cron_job));
        if let Some(after) = Record::after(before.as_ref(), run) {
            actions.push(Action::Record {
                cron_job: (*name).to_owned(),
                owner: owner_of(cron_job),
                record: after.clone(),
            });
            *before = Some(after);
        }
    }
    actions
}

/// Whether a Secret holds what it shall, and no other variable of a login. Keys that somebody else has put there are theirs.
fn holds(secret: &Secret, wanted: &Credentials) -> bool {
    let empty = BTreeMap::new();
    let data = secret.data.as_ref().unwrap_or(&empty);
    let annotations = secret.metadata.annotations.as_ref();
    let owner = annotations.and_then(|a| a.get(&objects::owner_annotation()));
    let is_login = |key: &String| discover::LOGIN.contains(&key.as_str());
    owner == Some(&wanted.owner.to_string())
        && data.keys().filter(|key| is_login(key)).count() == wanted.data.len()
        && wanted.data.iter().all(|(key, value)| {
            data.get(*key)
                .is_some_and(|bytes| bytes.0 == value.expose_secret().as_bytes())
        })
}

/// Whether a CronJob is as it shall be: applied as such, and not changed by anybody since.
fn is_as(there: &CronJob, desired: &Desired) -> bool {
    serde_json::to_value(there).is_ok_and(|there| covers(&there, &desired.value()))
}

/// Whether everything that is wanted is there. What the API server or somebody else adds doesn't matter: applied anew, it would
/// stay.
fn covers(there: &Value, wanted: &Value) -> bool {
    match (there, wanted) {
        (Value::Object(there), Value::Object(wanted)) => {
            wanted.iter().all(|(key, value)| match there.get(key) {
                Some(found) if key == "requests" || key == "limits" => same_amounts(found, value),
                Some(found) => covers(found, value),
                // The API server drops what is empty.
                None => is_empty(value),
            })
        }
        (Value::Array(there), Value::Array(wanted))
            if wanted.iter().all(|item| item["name"].is_string()) =>
        {
            let named = |name: &Value| there.iter().find(|item| item["name"] == *name);
            wanted
                .iter()
                .all(|item| named(&item["name"]).is_some_and(|found| covers(found, item)))
        }
        (Value::Array(there), Value::Array(wanted)) => {
            there.len() == wanted.len() && there.iter().zip(wanted).all(|(t, w)| covers(t, w))
        }
        _ => there == wanted,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(on) => !on,
        Value::Number(_) => false,
    }
}

/// The API server writes quantities in its own way: `1000m` comes back as `1`.
fn same_amounts(there: &Value, wanted: &Value) -> bool {
    let amount = |value: &Value| value.as_str().and_then(quantity);
    let (Some(there), Some(wanted)) = (there.as_object(), wanted.as_object()) else {
        return false;
    };
    there.len() == wanted.len()
        && wanted.iter().all(|(key, wanted)| {
            there.get(key).is_some_and(|there| {
                there == wanted || amount(there).is_some_and(|a| amount(wanted) == Some(a))
            })
        })
}

/// A quantity in thousandths.
fn quantity(text: &str) -> Option<i128> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: i128 = match &text[digits.len()..] {
        "m" => 1,
        "" => 1_000,
        "k" => 1_000_000,
        "M" => 1_000_000_000,
        "G" => 1_000_000_000_000,
        "T" => 1_000_000_000_000_000,
        "P" => 1_000_000_000_000_000_000,
        "E" => 1_000_000_000_000_000_000_000,
        "Ki" => 1_000 << 10,
        "Mi" => 1_000 << 20,
        "Gi" => 1_000 << 30,
        "Ti" => 1_000 << 40,
        "Pi" => 1_000 << 50,
        _ => return None,
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let scale = 10_i128.checked_pow(u32::try_from(part.len()).ok()?)?;
    let number: i128 = format!("{whole}{part}").parse().ok()?;
    Some(number.checked_mul(factor)? / scale)
}
