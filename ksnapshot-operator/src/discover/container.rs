//! Which container's variables hold user, password and database.

use k8s_openapi::api::core::v1::{Container, Pod};

use super::credentials::signals;
use crate::annotations::Request;
use crate::verdict::{Reason, Refusal};

/// The one that is named; or the only one with a variable that names a login of this kind; or the only one with such a
/// variable or with variables from elsewhere; or the first.
pub(super) fn choose<'p>(pod: &'p Pod, request: &Request) -> Result<&'p Container, Refusal> {
    let containers = pod.spec.as_ref().map_or(&[][..], |spec| &spec.containers);
    if let Some(name) = &request.container {
        return containers.iter().find(|c| c.name == *name).ok_or_else(|| {
            let fix = match ksnapshot_core::near(name, containers.iter().map(|c| c.name.as_str())) {
                Some(meant) => format!("Write {meant} in the annotation container."),
                None => "Correct the annotation container, or remove it.".to_owned(),
            };
            Refusal::new(
                Reason::ContainerMissing,
                format!("container {name}: not found"),
                fix,
            )
        });
    }
    let signal = |c: &&Container| {
        let names = c.env.iter().flatten().map(|var| var.name.as_str());
        names
            .into_iter()
            .any(|name| signals(request.kind).any(|signal| signal == name))
    };
    let elsewhere = |c: &&Container| c.env_from.as_ref().is_some_and(|from| !from.is_empty());
    only(containers.iter().filter(signal))
        .or_else(|| only(containers.iter().filter(|c| signal(c) || elsewhere(c))))
        .or_else(|| containers.first())
        .ok_or_else(|| {
            Refusal::new(
                Reason::ContainerMissing,
                "its pods have no container",
                "Look at the pod: `kubectl describe pod`.",
            )
        })
}

fn only<T>(mut some: impl Iterator<Item = T>) -> Option<T> {
    some.next().filter(|_| some.next().is_none())
}
