//! Who owns a pod: Pod → ReplicaSet → Deployment; every other controller is taken as it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use super::readable;
use crate::Workload;
use crate::verdict::{Reason, Refusal};
use crate::world::{Found, Looking, Lookup};

/// The owner of some pods.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    /// This one: with the version of its API, and its uid.
    Known(Workload, String, String),
    /// Not known: the pod or the ReplicaSet in its place, and why, unless it just has to be looked up.
    Unclear(Workload, Option<Refusal>),
}

/// Pods by their owners.
pub(super) fn group<'p>(
    pods: &'p [Arc<Pod>],
    looking: &mut Looking<'_>,
) -> BTreeMap<Owner, Vec<&'p Arc<Pod>>> {
    let mut owners: BTreeMap<Owner, Vec<&Arc<Pod>>> = BTreeMap::new();
    for pod in pods {
        owners.entry(owner(pod, looking)).or_default().push(pod);
    }
    owners
}

fn known(workload: Workload, reference: &OwnerReference) -> Owner {
    Owner::Known(
        workload,
        reference.api_version.clone(),
        reference.uid.clone(),
    )
}

fn owner(pod: &Pod, looking: &mut Looking<'_>) -> Owner {
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
        return Owner::Unclear(own, Some(refusal));
    };
    if controller.kind != "ReplicaSet" {
        return known(workload(&controller.kind, &controller.name), controller);
    }
    let lookup = Lookup::ReplicaSet {
        namespace: namespace.clone(),
        name: controller.name.clone(),
    };
    let own = workload("ReplicaSet", &controller.name);
    match readable(&lookup, looking.find(lookup.clone())) {
        Ok(Some(Found::ReplicaSet(Some(above)))) => {
            known(workload(&above.kind, &above.name), above)
        }
        // It has no owner, or is just being removed: it stands for itself.
        Ok(Some(_)) => known(own, controller),
        Ok(None) => Owner::Unclear(own, None),
        Err(refusal) => Owner::Unclear(own, Some(refusal)),
    }
}
