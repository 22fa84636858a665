//! A cluster out of manifests.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::{Metadata, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use ksnapshot_operator::Workload;
use ksnapshot_operator::decide::{Action, Actual, Known, decide};
use ksnapshot_operator::discover::{Discovery, discover};
use ksnapshot_operator::judge::Storage;
use ksnapshot_operator::settings::Settings;
use ksnapshot_operator::world::{Found, Lookup, World};
use secrecy::SecretSlice;
use serde_json::Value;

use super::stored;

/// Where everything of ours is.
pub(super) const CONTROL: &str = "ksnapshot";
const RETENTION_SECRET: &str = "ksnapshot-retention-secret";

/// A cluster as it would be seen.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) world: World,
    pub(super) actual: Actual,
    pub(super) known: Known,
    pub(super) storage: Storage,
    pub(super) settings: Settings,
}

impl Seen {
    /// Reads manifests, one after the other; one of the same kind and name takes the place of the one before.
    ///
    /// Kinds that Kubernetes does not have say what was before, and what else is known:
    ///
    /// - `Settings`: `env` are variables of the operator.
    /// - `Unreadable`: `what` (Secret, ConfigMap, ReplicaSet) can't be read, and `why` (forbidden, failed).
    /// - `Applied`: an operator saw all that is written above, and did what was to be done, at the time `at`, in two `passes`.
    /// - `Changed`: `what` (CronJob, Secret) was changed by somebody, by the merge patch `patch`.
    /// - `Removed`: `what` (Pod, Service, ReplicaSet, ConfigMap; CronJob or Secret of ours) is gone.
    /// - `Owner`: the API server was asked for `what`, and it `is` (there, missing, forbidden, failed).
    /// - `ConfirmedOff`: two fresh lists said that backups of `what` are off.
    /// - `Storage`: `missing` says what is missing of it.
    pub(super) fn read(manifests: &str) -> Result<Self> {
        let mut reading = Reading::default();
        for document in serde_saphyr::from_multiple::<Value>(manifests)? {
            let kind = document["kind"].as_str().context("a kind")?.to_owned();
            reading.take(&kind, document).with_context(|| kind)?;
        }
        reading.seen()
    }

    /// Discovers; what no manifest holds is missing.
    pub(super) fn discover(&mut self) -> Discovery {
        loop {
            let found = discover(&self.world, &self.settings);
            let lacking = found.lacking(&self.world);
            if lacking.is_empty() {
                return found;
            }
            let missing = lacking.into_iter().map(|lookup| (lookup, Found::Missing));
            self.world.lookups.extend(missing);
        }
    }

    /// Discovers and decides.
    pub(super) fn decide(&mut self) -> Vec<Action> {
        let found = self.discover();
        decide(&found, &self.actual, &self.known, &self.settings)
    }

    /// Does what is to be done, as the API server would. What was done.
    pub(super) fn act(&mut self, at: &str) -> Result<Vec<Action>> {
        let actions = self.decide();
        for action in &actions {
            match action {
                Action::ApplyCronJob(desired) => {
                    let there = find(&self.actual.cron_jobs, CONTROL, &desired.name);
                    let stored = stored::applied(there, &desired.value(), at)?;
                    put(&mut self.actual.cron_jobs, stored);
                }
                Action::ApplySecret(credentials) => {
                    let there = find(&self.actual.secrets, CONTROL, &credentials.name);
                    let stored = stored::applied(there, &credentials.to_value(), at)?;
                    put(&mut self.actual.secrets, stored);
                }
                Action::Trigger {
                    job,
                    cron_job,
                    value,
                } => {
                    put(
                        &mut self.actual.jobs,
                        stored::applied(None::<&Job>, &job.value(), at)?,
                    );
                    self.annotate(cron_job, "triggered", value);
                }
                Action::Record {
                    cron_job, record, ..
                } => {
                    self.annotate(cron_job, "last-run", &serde_json::to_string(record)?);
                }
                Action::DeleteCronJob { name, .. } => {
                    remove(&mut self.actual.cron_jobs, CONTROL, name)
                }
                Action::DeleteSecret { name, .. } => {
                    remove(&mut self.actual.secrets, CONTROL, name)
                }
                Action::AskOwner(_) | Action::ConfirmOff(_) => {}
            }
        }
        Ok(actions)
    }

    fn annotate(&mut self, cron_job: &str, key: &str, value: &str) {
        let there = find(&self.actual.cron_jobs, CONTROL, cron_job);
        let mut changed = there.expect("it is there").clone();
        let annotations = changed.metadata.annotations.get_or_insert_default();
        annotations.insert(
            format!("{}/{key}", ksnapshot_core::DOMAIN),
            value.to_owned(),
        );
        put(&mut self.actual.cron_jobs, changed);
    }
}

#[derive(Default)]
struct Reading {
    env: BTreeMap<String, String>,
    world: World,
    actual: Actual,
    known: Known,
    missing: Option<String>,
}

impl Reading {
    fn seen(&self) -> Result<Seen> {
        let usual = [
            ("WATCH_NAMESPACES", "shop"),
            ("CONTROL_NAMESPACE", CONTROL),
            ("BACKUP_SECRET_NAME", "ksnapshot-secret"),
            ("KSNAPSHOT_IMAGE", "ksnapshot:test"),
            ("POD_NAME", "operator-0"),
        ];
        let mut env: BTreeMap<String, String> = usual
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        env.extend(self.env.clone());
        let settings = Settings::from_env(&env)?;
        let mut known = self.known.clone();
        known.seen = settings.watch_namespaces.iter().cloned().collect();
        Ok(Seen {
            world: self.world.clone(),
            actual: self.actual.clone(),
            storage: Storage {
                missing: self.missing.clone(),
                retention_secret: known.retention_secret,
            },
            known,
            settings,
        })
    }

    fn take(&mut self, kind: &str, document: Value) -> Result<()> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (namespace, name) = (
            text(&document["metadata"]["namespace"]),
            text(&document["metadata"]["name"]),
        );
        let what = text(&document["what"]);
        let is_ours = namespace == CONTROL;
        match kind {
            "Pod" if is_ours => put(&mut self.actual.pods, serde_json::from_value(document)?),
            "Pod" => put(&mut self.world.pods, serde_json::from_value(document)?),
            "Service" => put(&mut self.world.services, serde_json::from_value(document)?),
            "CronJob" => put(
                &mut self.actual.cron_jobs,
                serde_json::from_value(document)?,
            ),
            "Job" => put(&mut self.actual.jobs, serde_json::from_value(document)?),
            "Secret" if is_ours && name == RETENTION_SECRET => self.known.retention_secret = true,
            "Secret" if is_ours => put(&mut self.actual.secrets, serde_json::from_value(document)?),
            "Secret" | "ConfigMap" | "ReplicaSet" => {
                let found = found(kind, document)?;
                self.world
                    .lookups
                    .insert(lookup(kind, namespace, name)?, found);
            }
            "Settings" => {
                let set = document["env"].as_object().context("env")?;
                self.env
                    .extend(set.iter().map(|(name, value)| (name.clone(), text(value))));
            }
            "Unreadable" => {
                let found = unreadable(&text(&document["why"]))?;
                self.world
                    .lookups
                    .insert(lookup(&what, namespace, name)?, found);
            }
            "Applied" => {
                let mut seen = self.seen()?;
                let at = text(&document["at"]);
                // The first pass makes CronJobs, the second one runs what is triggered and removes what was replaced.
                for _ in 0..document["passes"].as_u64().unwrap_or(2) {
                    seen.act(&at)?;
                }
                self.actual = seen.actual;
            }
            "Changed" => match &*what {
                "CronJob" => change(&mut self.actual.cron_jobs, &name, &document["patch"])?,
                "Secret" => change(&mut self.actual.secrets, &name, &document["patch"])?,
                _ => bail!("changed: {what:?}"),
            },
            "Removed" => match &*what {
                "ReplicaSet" | "ConfigMap" => {
                    _ = self.world.lookups.remove(&lookup(&what, namespace, name)?)
                }
                "Pod" => remove(&mut self.world.pods, &namespace, &name),
                "Service" => remove(&mut self.world.services, &namespace, &name),
                "CronJob" => remove(&mut self.actual.cron_jobs, &namespace, &name),
                "Secret" if name == RETENTION_SECRET => self.known.retention_secret = false,
                "Secret" => remove(&mut self.actual.secrets, &namespace, &name),
                _ => bail!("removed: {what:?}"),
            },
            "Owner" => {
                let found = match &*text(&document["is"]) {
                    "there" => Found::Owner,
                    "missing" => Found::Missing,
                    why => unreadable(why)?,
                };
                self.known.owners.insert(workload(&what)?, found);
            }
            "ConfirmedOff" => _ = self.known.confirmed_off.insert(workload(&what)?),
            "Storage" => self.missing = Some(text(&document["missing"])),
            other => bail!("{other} means nothing here"),
        }
        Ok(())
    }
}

fn workload(text: &str) -> Result<Workload> {
    let read: Result<Workload, ()> = text.parse();
    read.ok()
        .with_context(|| format!("{text:?} is not namespace/Kind/name"))
}

fn lookup(kind: &str, namespace: String, name: String) -> Result<Lookup> {
    Ok(match kind {
        "Secret" => Lookup::Secret { namespace, name },
        "ConfigMap" => Lookup::ConfigMap { namespace, name },
        "ReplicaSet" => Lookup::ReplicaSet { namespace, name },
        other => bail!("{other:?} is not looked up"),
    })
}

fn found(kind: &str, document: Value) -> Result<Found> {
    Ok(match kind {
        "Secret" => {
            let secret: Secret = serde_json::from_value(document)?;
            let encoded = secret
                .data
                .unwrap_or_default()
                .into_iter()
                .map(|(k, v)| (k, v.0));
            let plain = secret.string_data.unwrap_or_default().into_iter();
            let all = encoded.chain(plain.map(|(k, v)| (k, v.into_bytes())));
            Found::Secret(
                all.map(|(k, v)| (k, Arc::new(SecretSlice::from(v))))
                    .collect(),
            )
        }
        "ConfigMap" => {
            let map: ConfigMap = serde_json::from_value(document)?;
            Found::ConfigMap(map.data.unwrap_or_default())
        }
        _ => {
            let set: ReplicaSet = serde_json::from_value(document)?;
            let mut owners = set
                .metadata
                .owner_references
                .unwrap_or_default()
                .into_iter();
            Found::ReplicaSet(owners.find(|owner| owner.controller == Some(true)))
        }
    })
}

fn unreadable(why: &str) -> Result<Found> {
    Ok(match why {
        "forbidden" => Found::Forbidden,
        "failed" => Found::Failed("the API server can't be reached".to_owned()),
        other => bail!("{other:?} is no reason"),
    })
}

/// Whether an object has this name.
fn is<K: Metadata<Ty = ObjectMeta>>(object: &K, namespace: &str, name: &str) -> bool {
    let meta = object.metadata();
    meta.name.as_deref() == Some(name) && meta.namespace.as_deref() == Some(namespace)
}

fn find<'a, K: Metadata<Ty = ObjectMeta>>(
    all: &'a [Arc<K>],
    namespace: &str,
    name: &str,
) -> Option<&'a K> {
    all.iter()
        .map(Arc::as_ref)
        .find(|object| is(*object, namespace, name))
}

fn remove<K: Metadata<Ty = ObjectMeta>>(all: &mut Vec<Arc<K>>, namespace: &str, name: &str) {
    let before = all.len();
    all.retain(|object| !is(object.as_ref(), namespace, name));
    assert_ne!(all.len(), before, "{namespace}/{name} was not there");
}

pub(super) fn put<K: Metadata<Ty = ObjectMeta>>(all: &mut Vec<Arc<K>>, object: K) {
    let meta = object.metadata().clone();
    let (namespace, name) = (
        meta.namespace.unwrap_or_default(),
        meta.name.unwrap_or_default(),
    );
    all.retain(|other| !is(other.as_ref(), &namespace, &name));
    all.push(Arc::new(object));
}

fn change<K>(all: &mut Vec<Arc<K>>, name: &str, patch: &Value) -> Result<()>
where
    K: Metadata<Ty = ObjectMeta> + serde::Serialize + serde::de::DeserializeOwned,
{
    let there = find(all, CONTROL, name).with_context(|| format!("{name} is not there"))?;
    let mut value = serde_json::to_value(there)?;
    stored::merge(&mut value, patch);
    put(all, serde_json::from_value(value)?);
    Ok(())
}
