//! Where the database of a workload answers: at the one Service that leads to all its pods.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, Service, ServicePort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::Workload;
use crate::annotations::Request;
use crate::verdict::{Reason, Refusal};

/// Where a database answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The Service.
    pub service: String,
    /// Its name in the cluster's DNS.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether the port says that it speaks TLS under HTTP.
    pub https: bool,
}

/// The Service of the database: the one that is named, or the one that leads to all running pods. Headless ones count only
/// when there is no other: they lead to the same pods.
pub(super) fn find(
    workload: &Workload,
    running: &[&Arc<Pod>],
    services: &[&Service],
    request: &Request,
) -> Result<Address, Refusal> {
    let service = match &request.service {
        Some(name) => named(name, services)?,
        None => only(running, services, request)?,
    };
    let name = service.metadata.name.as_deref().unwrap_or_default();
    let port = port(name, service, running, request)?;
    Ok(Address {
        service: name.to_owned(),
        host: format!("{name}.{}.svc.cluster.local", workload.namespace),
        port: port.number,
        https: port.https,
    })
}

fn named<'s>(name: &str, services: &[&'s Service]) -> Result<&'s Service, Refusal> {
    let found = services
        .iter()
        .find(|s| s.metadata.name.as_deref() == Some(name));
    found.copied().ok_or_else(|| {
        let known = services.iter().filter_map(|s| s.metadata.name.as_deref());
        let fix = match ksnapshot_core::near(name, known) {
            Some(meant) => format!("Write {meant} in the annotation service."),
            None => "Correct the annotation service, or remove it.".to_owned(),
        };
        Refusal::new(Reason::NoService, format!("Service {name}: not found"), fix)
    })
}

fn only<'s>(
    running: &[&Arc<Pod>],
    services: &[&'s Service],
    request: &Request,
) -> Result<&'s Service, Refusal> {
    let leading: Vec<&Service> = services
        .iter()
        .copied()
        .filter(|service| leads_to_all(service, running))
        .collect();
    // Exporters and the like have Services that lead to the same pods, by ports of their own.
    let wanted = request.port.unwrap_or(request.kind.port());
    let by_port: Vec<&Service> = leading
        .iter()
        .copied()
        .filter(|s| serves(s, running, wanted).is_some())
        .collect();
    let candidates = if by_port.is_empty() { leading } else { by_port };
    let (headless, normal): (Vec<&Service>, Vec<&Service>) = candidates
        .into_iter()
        .partition(|service| is_headless(service));
    match (&normal[..], &headless[..]) {
        ([one], _) | ([], [one]) => Ok(one),
        ([], []) => Err(Refusal::new(
            Reason::NoService,
            "no Service with a selector leads to all its pods",
            "Add a Service whose selector fits the pods, or name one by the annotation service, such as the one of the primary.",
        )),
        (several, _) => {
            let several = if several.is_empty() {
                &headless
            } else {
                several
            };
            let names: Vec<&str> = several
                .iter()
                .filter_map(|s| s.metadata.name.as_deref())
                .collect();
            Err(Refusal::new(
                Reason::AmbiguousService,
                format!("Services {} all lead to its pods", names.join(", ")),
                "Name one of them by the annotation service.",
            ))
        }
    }
}

fn is_headless(service: &Service) -> bool {
    let spec = service.spec.as_ref();
    spec.and_then(|spec| spec.cluster_ip.as_deref()) == Some("None")
}

fn leads_to_all(service: &Service, running: &[&Arc<Pod>]) -> bool {
    let Some(spec) = &service.spec else {
        return false;
    };
    let Some(selector) = spec
        .selector
        .as_ref()
        .filter(|selector| !selector.is_empty())
    else {
        return false;
    };
    if spec.type_.as_deref() == Some("ExternalName") {
        return false;
    }
    let none = BTreeMap::new();
    running.iter().all(|pod| {
        let labels = pod.metadata.labels.as_ref().unwrap_or(&none);
        selector
            .iter()
            .all(|(key, value)| labels.get(key) == Some(value))
    })
}

struct Port {
    number: u16,
    https: bool,
}

/// The port of the Service that leads to the database's own: the one that is asked for, or the only one.
fn port(
    name: &str,
    service: &Service,
    running: &[&Arc<Pod>],
    request: &Request,
) -> Result<Port, Refusal> {
    let wanted = request.port.unwrap_or(request.kind.port());
    if let Some(found) = serves(service, running, wanted) {
        return Ok(found);
    }
    let spec = service.spec.as_ref();
    let ports = spec
        .and_then(|spec| spec.ports.as_deref())
        .unwrap_or_default();
    match (ports, request.port) {
        ([one], None) => Ok(reached(service, one, running)),
        // A headless one may name no port at all: its name is that of the pods.
        ([], _) => Ok(Port {
            number: wanted,
            https: false,
        }),
        _ => {
            let numbers: Vec<String> = ports.iter().map(|port| port.port.to_string()).collect();
            Err(Refusal::new(
                Reason::PortUnknown,
                format!(
                    "Service {name} has no port {wanted}; it has {}",
                    numbers.join(", ")
                ),
                "Name the database's by the annotation port.",
            ))
        }
    }
}

/// The port of a Service that is `wanted`, or leads to `wanted` in the pods.
fn serves(service: &Service, running: &[&Arc<Pod>], wanted: u16) -> Option<Port> {
    let ports = service.spec.as_ref()?.ports.as_deref()?;
    let wanted = i32::from(wanted);
    let by_number = ports.iter().find(|port| port.port == wanted);
    let found = by_number.or_else(|| {
        ports
            .iter()
            .find(|port| target(port, running) == Some(wanted))
    });
    found.map(|port| reached(service, port, running))
}

/// What is to be connected to: behind a headless Service there are the pods themselves, and nothing turns its ports into theirs.
fn reached(service: &Service, port: &ServicePort, running: &[&Arc<Pod>]) -> Port {
    let of_pods = || target(port, running).filter(|_| is_headless(service));
    let says = |word: &Option<String>| {
        word.as_deref()
            .is_some_and(|w| w.eq_ignore_ascii_case("https"))
    };
    Port {
        number: u16::try_from(of_pods().unwrap_or(port.port)).unwrap_or_default(),
        https: says(&port.app_protocol) || says(&port.name),
    }
}

/// Where a port leads to in the pods; none if they have no port of this name.
fn target(port: &ServicePort, running: &[&Arc<Pod>]) -> Option<i32> {
    match &port.target_port {
        None => Some(port.port),
        Some(IntOrString::Int(number)) => Some(*number),
        Some(IntOrString::String(name)) => {
            let containers = running
                .iter()
                .flat_map(|pod| &pod.spec)
                .flat_map(|spec| &spec.containers);
            let mut ports = containers.flat_map(|container| container.ports.iter().flatten());
            ports
                .find(|port| port.name.as_ref() == Some(name))
                .map(|port| port.container_port)
        }
    }
}
