//! What discovery sees of the cluster: values only, so that the same is seen by the operator, by `explain` and by tests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use secrecy::SecretSlice;

use crate::Workload;

/// A cluster as it was seen.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// Pods of the watched namespaces.
    pub pods: Vec<Arc<Pod>>,
    /// Their Services.
    pub services: Vec<Arc<Service>>,
    /// What had to be asked for one by one.
    pub lookups: BTreeMap<Lookup, Found>,
}

/// Something that is read by its name, when it is needed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lookup {
    /// Who owns this ReplicaSet.
    ReplicaSet {
        /// The namespace.
        namespace: String,
        /// The name.
        name: String,
    },
    /// Whether an owner is still there.
    Owner(Workload),
    /// What a Secret holds.
    Secret {
        /// The namespace.
        namespace: String,
        /// The name.
        name: String,
    },
    /// What a ConfigMap holds.
    ConfigMap {
        /// The namespace.
        namespace: String,
        /// The name.
        name: String,
    },
}

impl Lookup {
    /// Whether it can be asked whether this owner is still there: of kinds that others made, nobody gave the right to.
    pub fn can_be_asked_for(owner: &Workload) -> bool {
        matches!(
            owner.kind.as_str(),
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet"
        )
    }
}

impl std::fmt::Display for Lookup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ReplicaSet { namespace, name } => write!(f, "ReplicaSet {namespace}/{name}"),
            Self::Owner(owner) => write!(f, "{} {}/{}", owner.kind, owner.namespace, owner.name),
            Self::Secret { namespace, name } => write!(f, "Secret {namespace}/{name}"),
            Self::ConfigMap { namespace, name } => write!(f, "ConfigMap {namespace}/{name}"),
        }
    }
}

/// What a [`Lookup`] gave.
#[derive(Debug, Clone)]
pub enum Found {
    /// A ReplicaSet's owner, if it has one.
    ReplicaSet(Option<OwnerReference>),
    /// It is there.
    Owner,
    /// The values of a Secret, which don't print.
    Secret(BTreeMap<String, Arc<SecretSlice<u8>>>),
    /// The values of a ConfigMap.
    ConfigMap(BTreeMap<String, String>),
    /// It is not there.
    Missing,
    /// It may not be read.
    Forbidden,
    /// It could not be read this time.
    Failed(String),
}

/// Looks things up, and remembers what was asked for.
#[derive(Debug)]
pub(crate) struct Looking<'a> {
    known: &'a BTreeMap<Lookup, Found>,
    asked: BTreeSet<Lookup>,
    /// Since [`Looking::take`].
    recently: Vec<Lookup>,
}

impl<'a> Looking<'a> {
    pub(crate) fn new(known: &'a BTreeMap<Lookup, Found>) -> Self {
        Self {
            known,
            asked: BTreeSet::new(),
            recently: Vec::new(),
        }
    }

    /// What was asked for since the last call.
    pub(crate) fn take(&mut self) -> Vec<Lookup> {
        std::mem::take(&mut self.recently)
    }

    /// None: not asked for yet; whoever sees this can't decide, and is asked again when it is known.
    pub(crate) fn find(&mut self, lookup: Lookup) -> Option<&'a Found> {
        let found = self.known.get(&lookup);
        self.recently.push(lookup.clone());
        self.asked.insert(lookup);
        found
    }

    pub(crate) fn into_asked(self) -> BTreeSet<Lookup> {
        self.asked
    }
}
