//! The cluster, as far as the operator touches it one call at a time. Each call has a deadline.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use ksnapshot_core::{Error, ErrorKind, Result};
use kube::api::{
    DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions, PropagationPolicy,
};
use kube::{Api, Client};
use secrecy::SecretSlice;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::Workload;
use crate::objects::{Credentials, Desired, FIELD_MANAGER, triggered_annotation};
use crate::runs::{Record, record_annotation};
use crate::world::{Found, Lookup};

/// No single call may take longer.
const DEADLINE: Duration = Duration::from_secs(30);

/// A cluster and the namespace that everything is written to.
#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) client: Client,
    pub(crate) control: String,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cluster({})", self.control)
    }
}

impl Cluster {
    /// Looks one thing up. What can't be read is said so, and never fails.
    pub(crate) async fn look_up(&self, lookup: &Lookup) -> Found {
        let found = match lookup {
            Lookup::ReplicaSet { namespace, name } => self.replica_set(namespace, name).await,
            Lookup::Owner(owner) => self.owner(owner).await,
            Lookup::Secret { namespace, name } => self.secret(namespace, name).await,
            Lookup::ConfigMap { namespace, name } => self.config_map(namespace, name).await,
        };
        found.unwrap_or_else(|error| found_of(&error))
    }

    async fn replica_set(&self, namespace: &str, name: &str) -> Called<Found> {
        let set: ReplicaSet = self.get(namespace, name).await?;
        let mut owners = set
            .metadata
            .owner_references
            .unwrap_or_default()
            .into_iter();
        Ok(Found::ReplicaSet(
            owners.find(|r| r.controller == Some(true)),
        ))
    }

    async fn owner(&self, owner: &Workload) -> Called<Found> {
        let Workload {
            namespace,
            kind,
            name,
        } = owner;
        match kind.as_str() {
            "Deployment" => self.get::<Deployment>(namespace, name).await.map(drop)?,
            "StatefulSet" => self.get::<StatefulSet>(namespace, name).await.map(drop)?,
            "DaemonSet" => self.get::<DaemonSet>(namespace, name).await.map(drop)?,
            "ReplicaSet" => self.get::<ReplicaSet>(namespace, name).await.map(drop)?,
            // Kinds of others: nobody gave the right to read them.
            _ => return Ok(Found::Forbidden),
        }
        Ok(Found::Owner)
    }

    async fn secret(&self, namespace: &str, name: &str) -> Called<Found> {
        let secret: Secret = self.get(namespace, name).await?;
        let values = secret.data.unwrap_or_default().into_iter();
        Ok(Found::Secret(
            values
                .map(|(key, bytes)| (key, Arc::new(SecretSlice::from(bytes.0))))
                .collect(),
        ))
    }

    async fn config_map(&self, namespace: &str, name: &str) -> Called<Found> {
        let map: ConfigMap = self.get(namespace, name).await?;
        Ok(Found::ConfigMap(map.data.unwrap_or_default()))
    }

    /// All pods of a namespace, as they are now.
    pub(crate) async fn pods(&self, namespace: &str) -> Result<Vec<Arc<Pod>>> {
        let api: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let list = within(api.list(&ListParams::default())).await;
        let list = list.map_err(|e| failed(&format!("pods of namespace {namespace}"), e))?;
        Ok(list.items.into_iter().map(Arc::new).collect())
    }

    pub(crate) async fn apply_secret(&self, secret: &Credentials) -> Result<()> {
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &self.control);
        let patch = Patch::Apply(secret.to_value());
        let applied = within(api.patch(&secret.name, &ours(), &patch)).await;
        // What the API server says of a Secret that it refuses may repeat what is in it.
        applied.map(drop).map_err(|e| match e {
            Failure::Api(kube::Error::Api(status)) => failed_with(&format!(
                "Secret {}: refused with status {}",
                secret.name, status.code
            )),
            other => failed(&format!("Secret {}", secret.name), other),
        })
    }

    pub(crate) async fn apply_cron_job(&self, desired: &Desired) -> Result<()> {
        let api: Api<CronJob> = Api::namespaced(self.client.clone(), &self.control);
        let applied =
            within(api.patch(&desired.name, &ours(), &Patch::Apply(&desired.value()))).await;
        applied
            .map(drop)
            .map_err(|e| failed(&format!("CronJob {}", desired.name), e))
    }

    /// Makes a Job; one that is there already is as good.
    pub(crate) async fn create_job(&self, desired: &Desired) -> Result<()> {
        let name = format!("Job {}", desired.name);
        let job: Job = serde_json::from_value(desired.value())
            .map_err(|e| failed_with(&format!("{name}: {e}")))?;
        let api: Api<Job> = Api::namespaced(self.client.clone(), &self.control);
        let params = PostParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PostParams::default()
        };
        match within(api.create(&params, &job)).await {
            Err(Failure::Api(kube::Error::Api(status))) if status.code == 409 => Ok(()),
            other => other.map(drop).map_err(|e| failed(&name, e)),
        }
    }

    pub(crate) async fn remember_trigger(&self, cron_job: &str, value: &str) -> Result<()> {
        self.annotate(cron_job, &triggered_annotation(), value)
            .await
    }

    pub(crate) async fn remember_run(&self, cron_job: &str, record: &Record) -> Result<()> {
        let text = serde_json::to_string(record).map_err(|e| failed_with(&e.to_string()))?;
        self.annotate(cron_job, &record_annotation(), &text).await
    }

    /// Under a manager of its own, so that applying the CronJob anew does not take it away.
    async fn annotate(&self, cron_job: &str, key: &str, value: &str) -> Result<()> {
        let api: Api<CronJob> = Api::namespaced(self.client.clone(), &self.control);
        let params = PatchParams {
            field_manager: Some(format!("{FIELD_MANAGER}-runs")),
            ..PatchParams::default()
        };
        let patch = Patch::Merge(json!({"metadata": {"annotations": {key: value}}}));
        let patched = within(api.patch_metadata(cron_job, &params, &patch)).await;
        patched
            .map(drop)
            .map_err(|e| failed(&format!("CronJob {cron_job}"), e))
    }

    /// Removes just this CronJob, and its Jobs with it.
    pub(crate) async fn delete_cron_job(&self, name: &str, uid: &str) -> Result<()> {
        let api: Api<CronJob> = Api::namespaced(self.client.clone(), &self.control);
        gone(within(api.delete(name, &just(uid))).await)
            .map_err(|e| failed(&format!("CronJob {name}"), e))
    }

    pub(crate) async fn delete_secret(&self, name: &str, uid: &str) -> Result<()> {
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &self.control);
        gone(within(api.delete(name, &just(uid))).await)
            .map_err(|e| failed(&format!("Secret {name}"), e))
    }

    async fn get<K>(&self, namespace: &str, name: &str) -> Called<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + DeserializeOwned
            + std::fmt::Debug,
    {
        within(Api::<K>::namespaced(self.client.clone(), namespace).get(name)).await
    }
}

/// What the storage's own objects in the control namespace say.
pub(crate) fn has_keys(found: &Found, keys: &[&str]) -> bool {
    let has: &dyn Fn(&str) -> bool = match found {
        Found::Secret(values) => &|key| values.contains_key(key),
        Found::ConfigMap(values) => &|key| values.get(key).is_some_and(|v| !v.is_empty()),
        // What may not be read may be there.
        Found::Forbidden | Found::Failed(_) => &|_| true,
        _ => &|_| false,
    };
    keys.iter().all(|key| has(key))
}

type Called<T> = std::result::Result<T, Failure>;

/// Why a call failed.
enum Failure {
    Api(kube::Error),
    Deadline,
}

async fn within<T>(call: impl Future<Output = kube::Result<T>>) -> Called<T> {
    match tokio::time::timeout(DEADLINE, call).await {
        Ok(done) => done.map_err(Failure::Api),
        Err(_) => Err(Failure::Deadline),
    }
}

fn gone<T>(deleted: Called<T>) -> Called<()> {
    match deleted {
        // It went before, or another one has its name now.
        Err(Failure::Api(kube::Error::Api(status))) if status.code == 404 || status.code == 409 => {
            Ok(())
        }
        other => other.map(drop),
    }
}

fn found_of(failure: &Failure) -> Found {
    match failure {
        Failure::Api(kube::Error::Api(status)) if status.code == 404 => Found::Missing,
        Failure::Api(kube::Error::Api(status)) if status.code == 403 => Found::Forbidden,
        Failure::Api(kube::Error::Api(status)) => {
            Found::Failed(format!("the API server answered {}", status.code))
        }
        Failure::Api(_) => Found::Failed("the API server can't be reached".to_owned()),
        Failure::Deadline => Found::Failed(format!("no answer within {DEADLINE:?}")),
    }
}

fn failed(name: &str, failure: Failure) -> Error {
    const TRIED_AGAIN: &str = "It is tried again by itself; look at the API server if it goes on.";
    match failure {
        Failure::Api(kube::Error::Api(status)) => {
            let error = Error::new(ErrorKind::Failed, format!("{name}: {}", status.message));
            error.hint(match status.code {
                403 => "Give the operator the right, as the chart's Roles do.",
                _ => TRIED_AGAIN,
            })
        }
        Failure::Api(cause) => Error::new(
            ErrorKind::Server,
            format!("{name}: the API server can't be reached"),
        )
        .hint(TRIED_AGAIN)
        .source(cause),
        Failure::Deadline => Error::new(
            ErrorKind::Server,
            format!("{name}: no answer within {DEADLINE:?}"),
        )
        .hint(TRIED_AGAIN),
    }
}

fn failed_with(message: &str) -> Error {
    Error::new(ErrorKind::Failed, message)
}

fn ours() -> PatchParams {
    PatchParams::apply(FIELD_MANAGER).force()
}

fn just(uid: &str) -> DeleteParams {
    DeleteParams {
        propagation_policy: Some(PropagationPolicy::Background),
        preconditions: (!uid.is_empty()).then(|| Preconditions {
            uid: Some(uid.to_owned()),
            resource_version: None,
        }),
        ..DeleteParams::default()
    }
}
