//! Who owns a pod: Pod → ReplicaSet → Deployment; every other controller is taken as it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use super::readable;
use crate::Workload;
use crate::verdict::{Reason, Refusal};
use crate::world::{Found, Looking, Lookup};

/// The pods of one owner.
#[derive(Debug, Default)]
pub(super) struct Owned<'p> {
    /// The version of the owner's API, and its uid, as far as they are known.
    pub(super) api_version: String,
    pub(super) uid: String,
    /// Why it can't be said for sure whose all of these pods are. Then nothing is decided of them.
    pub(super) doubt: Option<Doubt>,
    pub(super) pods: Vec<&'p Arc<Pod>>,
}

/// Why it isn't sure whose a pod is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Doubt {
    /// It is nobody's, or can't be found out.
    Refused(Refusal),
    /// It just has to be looked up.
    Pending,
}

/// Pods by their owners.
pub(super) fn group<'p>(
    pods: &'p [Arc<Pod>],
    looking: &mut Looking<'p>,
) -> BTreeMap<Workload, Owned<'p>> {
    let mut owners: BTreeMap<Workload, Owned<'_>> = BTreeMap::new();
    for pod in pods {
        let (workload, known) = owner(pod, looking);
        let owned = owners.entry(workload).or_default();
        owned.pods.push(pod);
        match known {
            Ok(reference) => {
                owned.api_version.clone_from(&reference.api_version);
                owned.uid.clone_from(&reference.uid);
            }
            Err(doubt) => owned.doubt = owned.doubt.take().max(Some(doubt)),
        }
    }
    owners
}

/// The owner, or who it seems to be.
fn owner<'o>(
    pod: &'o Pod,
    looking: &mut Looking<'o>,
) -> (Workload, Result<&'o OwnerReference, Doubt>) {
    let meta = &pod.metadata;
    let namespace = meta.namespace.clone().unwrap_or_default();
    let workload = |kind: &str, name: &str| Workload {
        namespace: namespace.clone(),
        kind: kind.to_owned(),
        name: name.to_owned(),
    };
    let references = meta.owner_references.as_deref().unwrap_or_default();
    let Some(controller) = references.iter().find(|r| r.controller == Some(true)) else {
        let own = workload("Pod", meta.name.as_deref().unwrap_or_default());
        let refusal = Refusal::new(
            Reason::Standalone,
            "no Deployment, StatefulSet or the like owns this pod",
            "Run it as a StatefulSet or Deployment: a backup belongs to a workload, not to one pod.",
        );
        return (own, Err(Doubt::Refused(refusal)));
    };
    if controller.kind != "ReplicaSet" {
        return (workload(&controller.kind, &controller.name), Ok(controller));
    }
    let lookup = Lookup::ReplicaSet {
        namespace: namespace.clone(),
        name: controller.name.clone(),
    };
    let found = readable(&lookup, looking.find(lookup.clone()));
    let doubt = match found {
        Ok(Some(Found::ReplicaSet(Some(above)))) => {
            return (workload(&above.kind, &above.name), Ok(above));
        }
        Ok(Some(Found::ReplicaSet(None))) => {
            return (workload("ReplicaSet", &controller.name), Ok(controller));
        }
        Ok(Some(_)) => Doubt::Refused(Refusal::new(
            Reason::LookupFailed,
            format!("{lookup}: not found, though a pod of it is still there"),
            "Nothing: the pod goes with its ReplicaSet, and what was set up before stays.",
        )),
        Ok(None) => Doubt::Pending,
        Err(refusal) => Doubt::Refused(refusal),
    };
    (seeming(pod, controller, workload), Err(doubt))
}

/// A Deployment gives each ReplicaSet its own name and a hash, which its pods carry as a label.
fn seeming(pod: &Pod, set: &OwnerReference, workload: impl Fn(&str, &str) -> Workload) -> Workload {
    let labels = pod.metadata.labels.as_ref();
    let hash = labels.and_then(|labels| labels.get("pod-template-hash"));
    let deployment = hash.and_then(|hash| set.name.strip_suffix(hash.as_str())?.strip_suffix('-'));
    match deployment {
        Some(name) => workload("Deployment", name),
        None => workload("ReplicaSet", &set.name),
    }
}
