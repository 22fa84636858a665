//! A cluster out of manifests.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret, Service};
use ksnapshot_operator::Workload;
use ksnapshot_operator::decide::{Actual, Known};
use ksnapshot_operator::discover::{Discovery, discover};
use ksnapshot_operator::judge::Storage;
use ksnapshot_operator::settings::Settings;
use ksnapshot_operator::world::{Found, Lookup, World};
use secrecy::SecretSlice;
use serde_json::Value;

/// Where everything of ours is.
pub(super) const CONTROL: &str = "ksnapshot";

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
    /// Reads manifests. Beside those of Kubernetes: `kind: Settings` sets variables of the operator, `kind: Unreadable` names
    /// what can't be read (`forbidden`, `failed`), in place of a Secret, a ConfigMap or a ReplicaSet.
    pub(super) fn read(manifests: &str) -> Result<Self> {
        let mut env: BTreeMap<String, String> = [
            ("WATCH_NAMESPACES", "shop"),
            ("CONTROL_NAMESPACE", CONTROL),
            ("BACKUP_SECRET_NAME", "ksnapshot-secret"),
            ("KSNAPSHOT_IMAGE", "ksnapshot:test"),
            ("POD_NAME", "operator-0"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let mut world = World::default();
        let mut actual = Actual::default();
        let mut retention_secret = false;
        for document in serde_saphyr::from_multiple::<Value>(manifests)? {
            let kind = document["kind"].as_str().context("a kind")?.to_owned();
            let at = |key: &str| document["metadata"][key].as_str().unwrap_or_default().to_owned();
            let (namespace, name) = (at("namespace"), at("name"));
            let is_ours = namespace == CONTROL;
            match kind.as_str() {
                "Settings" => {
                    let set = document["env"].as_object().context("env")?;
                    env.extend(set.iter().map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned())));
                }
                "Pod" if is_ours => actual.pods.push(Arc::new(serde_json::from_value::<Pod>(document)?)),
                "Pod" => world.pods.push(Arc::new(serde_json::from_value::<Pod>(document)?)),
                "Service" => world.services.push(Arc::new(serde_json::from_value::<Service>(document)?)),
                "CronJob" => actual.cron_jobs.push(Arc::new(serde_json::from_value::<CronJob>(document)?)),
                "Job" => actual.jobs.push(Arc::new(serde_json::from_value::<Job>(document)?)),
                "Secret" if is_ours && name == "ksnapshot-retention-secret" => retention_secret = true,
                "Secret" => {
                    let secret: Secret = serde_json::from_value(document)?;
                    if is_ours {
                        actual.secrets.push(Arc::new(secret));
                        continue;
                    }
                    let encoded = secret.data.unwrap_or_default().into_iter().map(|(k, v)| (k, v.0));
                    let plain = secret.string_data.unwrap_or_default().into_iter().map(|(k, v)| (k, v.into_bytes()));
                    let values = encoded.chain(plain).map(|(k, v)| (k, Arc::new(SecretSlice::from(v))));
                    world.lookups.insert(Lookup::Secret { namespace, name }, Found::Secret(values.collect()));
                }
                "ConfigMap" => {
                    let map: ConfigMap = serde_json::from_value(document)?;
                    let found = Found::ConfigMap(map.data.unwrap_or_default());
                    world.lookups.insert(Lookup::ConfigMap { namespace, name }, found);
                }
                "ReplicaSet" => {
                    let set: ReplicaSet = serde_json::from_value(document)?;
                    let mut owners = set.metadata.owner_references.unwrap_or_default().into_iter();
                    let found = Found::ReplicaSet(owners.find(|r| r.controller == Some(true)));
                    world.lookups.insert(Lookup::ReplicaSet { namespace, name }, found);
                }
                "Unreadable" => {
                    let lookup = match document["what"].as_str() {
                        Some("Secret") => Lookup::Secret { namespace, name },
                        Some("ConfigMap") => Lookup::ConfigMap { namespace, name },
                        Some("ReplicaSet") => Lookup::ReplicaSet { namespace, name },
                        other => bail!("unreadable: {other:?}"),
                    };
                    let found = match document["why"].as_str() {
                        Some("forbidden") => Found::Forbidden,
                        _ => Found::Failed("the API server can't be reached".to_owned()),
                    };
                    world.lookups.insert(lookup, found);
                }
                other => bail!("{other} means nothing here"),
            }
        }
        let settings = Settings::from_env(&env)?;
        Ok(Self {
            world,
            actual,
            known: Known {
                seen: settings.watch_namespaces.iter().cloned().collect(),
                retention_secret,
                ..Known::default()
            },
            storage: Storage {
                missing: None,
                retention_secret,
            },
            settings,
        })
    }

    /// Discovers; what no manifest holds is missing.
    pub(super) fn discover(&mut self) -> Discovery {
        loop {
            let found = discover(&self.world, &self.settings);
            let lacking = found.lacking(&self.world);
            if lacking.is_empty() {
                return found;
            }
            self.world.lookups.extend(lacking.into_iter().map(|lookup| (lookup, Found::Missing)));
        }
    }

    /// What the API server says of an owner when it is asked.
    pub(super) fn owner_is(&mut self, owner: &str, found: Found) {
        let owner: Workload = owner.parse().expect("namespace/Kind/name");
        self.known.owners.insert(owner, found);
    }
}
