//! What is watched: pods and Services of each watched namespace, and what is ours in the control namespace.
//!
//! All watches are streams of one task; their objects are kept in stores. A watch that ends, that the API server forgets or
//! that can't be reached begins anew by itself and backs off; until it has listed everything anew, the store keeps what it had.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::hash::Hash;

use futures_util::StreamExt;
use futures_util::stream::{BoxStream, SelectAll};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Pod, Secret, Service};
use kube::runtime::reflector::{self, Store};
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;

use crate::cluster::Cluster;
use crate::decide::Actual;
use crate::objects::MANAGED_BY;
use crate::world::World;

/// The API server ends a watch after this many seconds; the longest that it honours is a little more. Long, so that an idle
/// cluster costs almost nothing.
const WATCH_SECONDS: u32 = 290;

/// All watches.
pub(crate) struct Watches {
    signals: SelectAll<BoxStream<'static, Signal>>,
    states: Vec<Watch>,
    pods: Vec<Store<Pod>>,
    services: Vec<Store<Service>>,
    cron_jobs: Store<CronJob>,
    secrets: Store<Secret>,
    jobs: Store<Job>,
    job_pods: Store<Pod>,
}

/// How one watch does.
struct Watch {
    /// What it watches, in words.
    what: String,
    /// The namespace.
    namespace: String,
    /// Everything was listed at least once.
    seen: bool,
    /// Why it doesn't run, if it doesn't.
    error: Option<String>,
}

/// Something came in.
struct Signal {
    watch: usize,
    news: News,
}

enum News {
    Changed,
    Listed,
    Failed(String),
    Nothing,
}

impl Watches {
    /// Begins all of them.
    pub(crate) fn begin(cluster: &Cluster, namespaces: &[String]) -> Self {
        let mut made = Maker {
            cluster,
            signals: SelectAll::new(),
            states: Vec::new(),
        };
        let ours = format!("{}={}", MANAGED_BY.0, MANAGED_BY.1);
        let mut pods = Vec::new();
        let mut services = Vec::new();
        for namespace in namespaces {
            pods.push(made.watch("pods", namespace, None, lighten_pod));
            services.push(made.watch("services", namespace, None, lighten));
        }
        let control = cluster.control.as_str();
        Self {
            pods,
            services,
            cron_jobs: made.watch("cronjobs", control, Some(&ours), lighten),
            secrets: made.watch("secrets", control, Some(&ours), lighten),
            jobs: made.watch("jobs", control, Some(&ours), lighten),
            job_pods: made.watch("pods of jobs", control, Some(&ours), lighten),
            signals: made.signals,
            states: made.states,
        }
    }

    /// Waits until something changed. Whatever comes in is in the stores already.
    pub(crate) async fn changed(&mut self) {
        while let Some(signal) = self.signals.next().await {
            let state = &mut self.states[signal.watch];
            match signal.news {
                News::Changed => {
                    state.error = None;
                    return;
                }
                News::Listed => {
                    state.seen = true;
                    state.error = None;
                    return;
                }
                News::Failed(why) => {
                    // Once, not at each try.
                    if state.error.as_ref() != Some(&why) {
                        tracing::warn!(
                            namespace = state.namespace,
                            "watch of {}: {why}",
                            state.what
                        );
                        state.error = Some(why);
                        return;
                    }
                }
                News::Nothing => {}
            }
        }
        // All streams ended: they don't, unless the client is gone.
        std::future::pending::<()>().await;
    }

    /// Whether each watch has listed everything once, or said why it can't.
    pub(crate) fn settled(&self) -> bool {
        self.states
            .iter()
            .all(|state| state.seen || state.error.is_some())
    }

    /// Whether what is ours was seen: before, nothing can be decided.
    pub(crate) fn sees(&self, control: &str) -> bool {
        let ours = self.states.iter().rev().take(4);
        ours.filter(|state| state.namespace == control)
            .all(|state| state.seen)
    }

    /// The namespaces of which everything was seen at least once.
    pub(crate) fn seen(&self) -> BTreeSet<String> {
        let unseen: BTreeSet<&str> = self
            .states
            .iter()
            .filter(|s| !s.seen)
            .map(|s| s.namespace.as_str())
            .collect();
        let all = self.states.iter().map(|state| &state.namespace);
        all.filter(|namespace| !unseen.contains(namespace.as_str()))
            .cloned()
            .collect()
    }

    /// Pods and Services as they are, into `world`.
    pub(crate) fn fill(&self, world: &mut World) {
        world.pods = self.pods.iter().flat_map(Store::state).collect();
        world.services = self.services.iter().flat_map(Store::state).collect();
    }

    /// What is ours, as it is.
    pub(crate) fn actual(&self) -> Actual {
        Actual {
            cron_jobs: self.cron_jobs.state(),
            secrets: self.secrets.state(),
            jobs: self.jobs.state(),
            pods: self.job_pods.state(),
        }
    }
}

struct Maker<'a> {
    cluster: &'a Cluster,
    signals: SelectAll<BoxStream<'static, Signal>>,
    states: Vec<Watch>,
}

impl Maker<'_> {
    fn watch<K>(
        &mut self,
        what: &str,
        namespace: &str,
        labels: Option<&str>,
        lighten: fn(&mut K),
    ) -> Store<K>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope>
            + Clone
            + DeserializeOwned
            + Debug
            + Send
            + Sync
            + 'static,
        K::DynamicType: Default + Eq + Hash + Clone + Send + Sync + Unpin,
    {
        let api: Api<K> = Api::namespaced(self.cluster.client.clone(), namespace);
        let mut config = watcher::Config::default().timeout(WATCH_SECONDS);
        if let Some(labels) = labels {
            config = config.labels(labels);
        }
        let (store, writer) = reflector::store();
        let index = self.states.len();
        let events = watch(api, config).default_backoff().modify(lighten);
        let signals = reflector::reflector(writer, events).map(move |event| Signal {
            watch: index,
            news: match event {
                Ok(Event::Apply(_) | Event::Delete(_)) => News::Changed,
                Ok(Event::InitDone) => News::Listed,
                Ok(Event::Init | Event::InitApply(_)) => News::Nothing,
                Err(error) => News::Failed(words(&error)),
            },
        });
        self.signals.push(signals.boxed());
        self.states.push(Watch {
            what: what.to_owned(),
            namespace: namespace.to_owned(),
            seen: false,
            error: None,
        });
        store
    }
}

fn words(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => format!("{} ({})", status.message, status.code),
        _ => "the API server can't be reached".to_owned(),
    }
}

/// Who changed which field when is most of an object, and nobody reads it.
fn lighten<K: Resource>(object: &mut K) {
    object.meta_mut().managed_fields = None;
}

/// Of thousands of pods, what is read.
fn lighten_pod(pod: &mut Pod) {
    lighten(pod);
    if let Some(annotations) = &mut pod.metadata.annotations {
        annotations.retain(|key, _| key.starts_with(ksnapshot_core::DOMAIN));
    }
    if let Some(status) = &mut pod.status {
        let phase = status.phase.take();
        *status = k8s_openapi::api::core::v1::PodStatus {
            phase,
            ..Default::default()
        };
    }
    if let Some(spec) = &mut pod.spec {
        for container in &mut spec.containers {
            *container = k8s_openapi::api::core::v1::Container {
                name: std::mem::take(&mut container.name),
                image: container.image.take(),
                ports: container.ports.take(),
                env: container.env.take(),
                env_from: container.env_from.take(),
                ..Default::default()
            };
        }
        *spec = k8s_openapi::api::core::v1::PodSpec {
            containers: std::mem::take(&mut spec.containers),
            ..Default::default()
        };
    }
}
