//! Why is this workload (not) backed up? The operator's own verdict, reached by the same functions, shown to a person.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Namespace, Pod, Secret, Service};
use ksnapshot_core::{Error, ErrorKind, Result};
use kube::api::ListParams;
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use std::sync::Arc;

use crate::cluster::Cluster;
use crate::controller::look_at_storage;
use crate::decide::Actual;
use crate::discover::discover;
use crate::judge::judge;
use crate::objects::MANAGED_BY;
use crate::settings::Settings;
use crate::verdict::Verdict;
use crate::world::World;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// Only this workload: `statefulset/pg`, `deploy/shop`. All of them unless given.
    pub workload: Option<String>,
    /// In which namespaces.
    pub namespaces: Namespaces,
    /// Where the operator runs.
    pub control_namespace: String,
}

/// Namespaces to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Namespaces {
    /// The one of the context of the kubeconfig.
    #[default]
    Current,
    /// This one.
    One(String),
    /// All that may be listed; the watched ones if none may be.
    All,
}

/// Asks the cluster of the kubeconfig. What the asking person may not read is said as such.
///
/// Errors: [`ErrorKind::Server`] when the cluster can't be reached, [`ErrorKind::Usage`] for a workload that can't be
/// meant, [`ErrorKind::Failed`] when there is no operator or no such workload.
pub async fn explain(question: &Question) -> Result<Vec<Verdict>> {
    let meant = question.workload.as_deref().map(Meant::parse).transpose()?;
    let config = kube::Config::infer().await.map_err(|cause| {
        Error::new(ErrorKind::Server, "no cluster is known")
            .hint("Set KUBECONFIG, or make ~/.kube/config: `kubectl get pods` must work.")
            .source(cause)
    })?;
    let current = config.default_namespace.clone();
    let client = Client::try_from(config).map_err(|cause| {
        Error::new(ErrorKind::Server, "the kubeconfig can't be used")
            .hint("`kubectl get pods` must work with it.")
            .source(cause)
    })?;
    let control = question.control_namespace.clone();
    let settings = settings(&client, &control).await?;
    let namespaces = match &question.namespaces {
        Namespaces::Current => vec![current],
        Namespaces::One(name) => vec![name.clone()],
        Namespaces::All => all(&client)
            .await
            .unwrap_or_else(|| settings.watch_namespaces.clone()),
    };
    let cluster = Cluster { client, control };
    let mut world = World::default();
    for namespace in &namespaces {
        world
            .pods
            .extend(list::<Pod>(&cluster.client, namespace, None).await?);
        world
            .services
            .extend(list::<Service>(&cluster.client, namespace, None).await?);
    }
    let mut discovery = discover(&world, &settings);
    // ReplicaSets lead to credentials; nothing leads further.
    for _ in 0..4 {
        let lacking = discovery.lacking(&world);
        if lacking.is_empty() {
            break;
        }
        for lookup in lacking {
            let found = cluster.look_up(&lookup).await;
            world.lookups.insert(lookup, found);
        }
        discovery = discover(&world, &settings);
    }
    let ours = format!("{}={}", MANAGED_BY.0, MANAGED_BY.1);
    let (client, control) = (&cluster.client, cluster.control.as_str());
    let actual = Actual {
        cron_jobs: list::<CronJob>(client, control, Some(&ours)).await?,
        jobs: list::<Job>(client, control, Some(&ours)).await?,
        pods: list::<Pod>(client, control, Some(&ours)).await?,
        secrets: Vec::<Arc<Secret>>::new(),
    };
    let storage = look_at_storage(&cluster, &settings).await;
    let mut verdicts = judge(&discovery, &actual, &storage, &settings, Timestamp::now());
    verdicts.retain(|verdict| namespaces.contains(&verdict.workload.namespace));
    if let Some(meant) = meant {
        verdicts.retain(|verdict| meant.fits(verdict));
        if verdicts.is_empty() {
            return Err(Error::new(
                ErrorKind::Failed,
                format!("{meant} in {}: no pod of it carries an annotation or looks like a database", namespaces.join(", ")),
            )
            .hint(format!(
                "Annotate its pods: {0}/enabled: \"true\", {0}/type, {0}/schedule; or choose another namespace by -n.",
                ksnapshot_core::DOMAIN
            )));
        }
    }
    Ok(verdicts)
}

/// The settings that the operator runs with, from its Deployment.
async fn settings(client: &Client, control: &str) -> Result<Settings> {
    const LABELS: &str = "app.kubernetes.io/name=ksnapshot";
    let deployments = list::<Deployment>(client, control, Some(LABELS)).await?;
    let containers = deployments
        .iter()
        .filter_map(|d| d.spec.as_ref()?.template.spec.as_ref())
        .flat_map(|s| &s.containers);
    let mut environments = containers.filter(|c| {
        c.args
            .as_deref()
            .unwrap_or_default()
            .iter()
            .any(|arg| arg == "operator")
    });
    let Some(container) = environments.next() else {
        return Err(Error::new(
            ErrorKind::Failed,
            format!("namespace {control}: no operator of ksnapshot runs here"),
        )
        .hint("Install the chart, or say where the operator runs by --control-namespace."));
    };
    let mut env: BTreeMap<String, String> = (container.env.iter().flatten())
        .filter_map(|var| Some((var.name.clone(), var.value.clone()?)))
        .collect();
    // Fields of the pod, which don't matter here.
    env.entry("CONTROL_NAMESPACE".to_owned())
        .or_insert_with(|| control.to_owned());
    env.entry("POD_NAME".to_owned())
        .or_insert_with(|| "explain".to_owned());
    Settings::from_env(&env)
}

async fn all(client: &Client) -> Option<Vec<String>> {
    let api: Api<Namespace> = Api::all(client.clone());
    let list = api.list(&ListParams::default()).await.ok()?;
    Some(
        list.items
            .into_iter()
            .filter_map(|namespace| namespace.metadata.name)
            .collect(),
    )
}

async fn list<K>(client: &Client, namespace: &str, labels: Option<&str>) -> Result<Vec<Arc<K>>>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + DeserializeOwned
        + std::fmt::Debug,
{
    let api: Api<K> = Api::namespaced(client.clone(), namespace);
    let mut params = ListParams::default();
    if let Some(labels) = labels {
        params = params.labels(labels);
    }
    let what = K::plural(&());
    match api.list(&params).await {
        Ok(list) => Ok(list.items.into_iter().map(Arc::new).collect()),
        Err(kube::Error::Api(status)) => Err(Error::new(
            ErrorKind::Failed,
            format!("{what} of namespace {namespace}: {}", status.message),
        )
        .hint("You need the right to list them; the operator's own Roles have it.")),
        Err(cause) => Err(
            Error::new(ErrorKind::Server, "the API server can't be reached")
                .hint("`kubectl get pods` must work.")
                .source(cause),
        ),
    }
}

/// A workload as a person names it.
struct Meant {
    kind: String,
    name: String,
}

impl Meant {
    fn parse(text: &str) -> Result<Self> {
        let usage = || {
            Error::new(ErrorKind::Usage, format!("{text:?} names no workload"))
                .hint("Write KIND/NAME, such as statefulset/pg or deploy/shop.")
        };
        let (kind, name) = text.split_once('/').ok_or_else(usage)?;
        if kind.is_empty() || name.is_empty() || name.contains('/') {
            return Err(usage());
        }
        let kind = match kind.to_lowercase().trim_end_matches('s') {
            "deploy" | "deployment" => "deployment".to_owned(),
            "st" | "statefulset" => "statefulset".to_owned(),
            "d" | "daemonset" => "daemonset".to_owned(),
            "r" | "replicaset" => "replicaset".to_owned(),
            "po" | "pod" => "pod".to_owned(),
            other => other.to_owned(),
        };
        Ok(Self {
            kind,
            name: name.to_owned(),
        })
    }

    fn fits(&self, verdict: &Verdict) -> bool {
        let kind = verdict.workload.kind.to_lowercase();
        let kind = kind.trim_end_matches('s');
        verdict.workload.name == self.name
            && (kind == self.kind || kind == self.kind.trim_end_matches('s'))
    }
}

impl std::fmt::Display for Meant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workloads_are_named_as_for_kubectl() {
        for (text, kind) in [
            ("sts/pg", "statefulset"),
            ("StatefulSet/pg", "statefulset"),
            ("deploy/pg", "deployment"),
            ("deployments/pg", "deployment"),
            ("ds/pg", "daemonset"),
            ("cluster/pg", "cluster"),
        ] {
            assert_eq!(
                Meant::parse(text).map(|m| m.kind).ok().as_deref(),
                Some(kind),
                "{text}"
            );
        }
        for text in ["pg", "/pg", "sts/", "sts/a/b"] {
            assert!(Meant::parse(text).is_err(), "{text}");
        }
    }
}
