//! What pods say of themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;

use crate::Kind;
use crate::annotations::of_domain;
use crate::verdict::{Reason, Refusal};

/// Whether it runs, and is not about to end.
pub(super) fn runs(pod: &Pod) -> bool {
    phase(pod) == Some("Running") && pod.metadata.deletion_timestamp.is_none()
}

fn phase(pod: &Pod) -> Option<&str> {
    pod.status.as_ref()?.phase.as_deref()
}

fn ours(pod: &Pod) -> BTreeMap<&str, &str> {
    pod.metadata
        .annotations
        .as_ref()
        .map(of_domain)
        .unwrap_or_default()
}

/// Whether it carries any annotation of our domain.
pub(super) fn is_annotated(pod: &Pod) -> bool {
    !ours(pod).is_empty()
}

/// The annotations of our domain, when all these pods carry the same.
pub(super) fn agreed<'p>(running: &[&'p Arc<Pod>]) -> Result<BTreeMap<&'p str, &'p str>, Refusal> {
    let mut all = running.iter().map(|pod| (name(pod), ours(pod)));
    let (first, agreed) = all.next().unwrap_or_default();
    let Some((other, said)) = all.find(|(_, said)| *said != agreed) else {
        return Ok(agreed);
    };
    let differs = |key: &&&str| agreed.get(**key) != said.get(**key);
    let key = agreed
        .keys()
        .chain(said.keys())
        .find(differs)
        .copied()
        .unwrap_or_default();
    Err(Refusal::new(
        Reason::OwnerConflict,
        format!("pods {first} and {other} differ in annotation {key}"),
        "Wait for the end of the roll-out, or annotate the pod template, so that all pods say the same.",
    ))
}

fn name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap_or_default()
}

/// When it was made.
pub(super) fn since(pod: &Pod) -> Option<Timestamp> {
    pod.metadata.creation_timestamp.as_ref().map(|time| time.0)
}

/// What database it looks like, by its images, unless it has ended.
pub(super) fn guess(pod: &Pod) -> Option<Kind> {
    if matches!(phase(pod), Some("Succeeded" | "Failed")) {
        return None;
    }
    let containers = &pod.spec.as_ref()?.containers;
    containers
        .iter()
        .find_map(|c| Kind::of_image(c.image.as_deref()?))
}
