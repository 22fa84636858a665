//! Which workloads are to be backed up, and how: a pure function of the cluster as it was seen.
//!
//! The operator acts on what comes out, `explain` shows it to a person, and tests compare it: there is no second opinion.

mod container;
mod credentials;
mod owner;
mod pods;
mod rehearsal;
mod service;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Pod, Service};
use secrecy::SecretString;

use crate::annotations::{self, Request};
use crate::settings::Settings;
use crate::verdict::{Mark, Reason, Refusal, Step};
use crate::world::{Found, Looking, Lookup, World};
use crate::{Kind, Workload};

pub(crate) use credentials::LOGIN;
use owner::{Doubt, Owned};
pub use service::Address;

/// What was found in a cluster.
#[derive(Debug, Default)]
pub struct Discovery {
    /// One for each workload, in the order of their names.
    pub findings: Vec<Finding>,
    /// Everything that was looked up, found or not: what is not asked for any more can be forgotten.
    pub asked: BTreeSet<Lookup>,
}

impl Discovery {
    /// What has to be looked up before all findings can be trusted.
    pub fn lacking(&self, world: &World) -> Vec<Lookup> {
        let lacking = self
            .asked
            .iter()
            .filter(|ask| !world.lookups.contains_key(ask));
        lacking.cloned().collect()
    }
}

/// What was found of one workload.
#[derive(Debug)]
pub struct Finding {
    /// Of which; a pod without an owner stands for itself.
    pub workload: Workload,
    /// The version of its API, as far as it is known.
    pub api_version: String,
    /// Its uid, as far as it is known.
    pub uid: String,
    /// The kind of database, by annotation or by guess.
    pub kind: Option<Kind>,
    /// It neither carries an annotation nor looks like a database: worth a word only where backups of it were set up.
    pub is_plain: bool,
    /// When the youngest of its running pods was made.
    pub since: Option<Timestamp>,
    /// What its login was looked up in.
    pub lookups: Vec<Lookup>,
    /// What was looked at, in order.
    pub steps: Vec<Step>,
    /// What it came to.
    pub outcome: Outcome,
}

impl Finding {
    fn of(workload: Workload) -> Self {
        Self {
            workload,
            api_version: String::new(),
            uid: String::new(),
            kind: None,
            is_plain: false,
            since: None,
            lookups: Vec::new(),
            steps: Vec::new(),
            outcome: Outcome::Pending,
        }
    }
}

/// What looking at a workload came to.
#[derive(Debug)]
pub enum Outcome {
    /// It is to be backed up like this.
    Wanted(Box<Wanted>),
    /// Its pods say that it is not to be backed up, all of them, and in so many words or in none.
    Off(Refusal),
    /// It can't be said how, or not now. What is there stays as it is.
    Refused(Refusal),
    /// Something has to be looked up first.
    Pending,
}

/// How a workload is to be backed up.
#[derive(Debug)]
pub struct Wanted {
    /// What its annotations ask for.
    pub request: Request,
    /// Where its database answers.
    pub address: Address,
    /// What a run needs to log in, by the variable of the Job that holds it.
    pub credentials: BTreeMap<&'static str, SecretString>,
}

/// Looks at everything.
pub fn discover(world: &World, settings: &Settings) -> Discovery {
    let mut looking = Looking::new(&world.lookups);
    let mut services: BTreeMap<&str, Vec<&Service>> = BTreeMap::new();
    for service in &world.services {
        let namespace = service.metadata.namespace.as_deref().unwrap_or_default();
        services.entry(namespace).or_default().push(service);
    }
    let mut findings = Vec::new();
    for (workload, owned) in owner::group(&world.pods, &mut looking) {
        let in_namespace = services.get(workload.namespace.as_str());
        let services = in_namespace.map_or(&[][..], Vec::as_slice);
        looking.take();
        let finding = look_at(workload, &owned, services, settings, &mut looking);
        findings.push(Finding {
            api_version: owned.api_version,
            uid: owned.uid,
            lookups: looking.take(),
            ..finding
        });
    }
    Discovery {
        findings,
        asked: looking.into_asked(),
    }
}

fn look_at(
    workload: Workload,
    owned: &Owned<'_>,
    services: &[&Service],
    settings: &Settings,
    looking: &mut Looking<'_>,
) -> Finding {
    let pods = &owned.pods[..];
    let running: Vec<&Arc<Pod>> = pods.iter().copied().filter(|pod| pods::runs(pod)).collect();
    let is_annotated = pods.iter().any(|pod| pods::is_annotated(pod));
    // A Job with the image of a database works on one, or loads it.
    let guess = pods
        .iter()
        .filter(|_| workload.kind != "Job")
        .find_map(|pod| pods::guess(pod));
    let mut finding = Finding {
        kind: guess,
        is_plain: !is_annotated && guess.is_none(),
        since: running.iter().filter_map(|pod| pods::since(pod)).max(),
        ..Finding::of(workload)
    };
    finding.outcome = match &owned.doubt {
        Some(Doubt::Pending) => Outcome::Pending,
        Some(Doubt::Refused(refusal)) => Outcome::Refused(refusal.clone()),
        // What does not run says nothing for sure, not even by saying nothing.
        None if !is_annotated && running.is_empty() => {
            Outcome::Refused(guess.map_or_else(not_running, |_| not_annotated(guess)))
        }
        None if !is_annotated => Outcome::Off(not_annotated(guess)),
        None => match examine(&mut finding, &running, services, settings, looking) {
            Ok(Some(wanted)) => Outcome::Wanted(Box::new(wanted)),
            Ok(None) => Outcome::Pending,
            Err(End::Off(refusal)) => Outcome::Off(refusal),
            Err(End::Refused(refusal)) => Outcome::Refused(refusal),
        },
    };
    finding
}

fn not_annotated(kind: Option<Kind>) -> Refusal {
    let domain = ksnapshot_core::DOMAIN;
    let Some(kind) = kind else {
        return Refusal::new(
            Reason::NotAnnotated,
            "its pods carry no annotation any more",
            "Annotate the pod template again to have it backed up.",
        );
    };
    Refusal::new(
        Reason::NotAnnotated,
        format!("looks like {kind}, and carries no annotation"),
        format!(
            "Annotate its pods: {domain}/enabled: \"true\", {domain}/type: \"{kind}\", {domain}/schedule: \"0 3 * * *\"."
        ),
    )
}

fn not_running() -> Refusal {
    Refusal::new(
        Reason::NotRunning,
        "no pod of it runs",
        "Start it, or look why it doesn't: `kubectl describe pod`.",
    )
}

/// Why looking ended early.
enum End {
    Off(Refusal),
    Refused(Refusal),
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// One look at each thing, in the order in which a person would. None: something has to be looked up.
fn examine(
    finding: &mut Finding,
    running: &[&Arc<Pod>],
    services: &[&Service],
    settings: &Settings,
    looking: &mut Looking<'_>,
) -> Result<Option<Wanted>, End> {
    let good = |steps: &mut Vec<Step>, text: String| {
        steps.push(Step {
            mark: Mark::Good,
            text,
        });
    };
    let first = running.first().ok_or_else(not_running)?;
    good(
        &mut finding.steps,
        match running.len() {
            1 => "1 pod runs".to_owned(),
            n => format!("{n} pods run"),
        },
    );
    let ours = pods::agreed(running)?;
    if !annotations::enabled(&ours) {
        return Err(End::Off(not_enabled(&ours)));
    }
    if !settings
        .watch_namespaces
        .contains(&finding.workload.namespace)
    {
        return Err(Refusal::new(
            Reason::NamespaceNotWatched,
            format!("namespace {} is not watched", finding.workload.namespace),
            "Add it to the chart's rbac.watchNamespaces.",
        )
        .into());
    }
    finding.kind = ours
        .get("type")
        .and_then(|word| Kind::parse(word))
        .or(finding.kind);
    let request = annotations::read(&ours, settings)?;
    good(
        &mut finding.steps,
        format!(
            "annotated: {}, {} {}",
            request.kind, request.cron, request.zone
        ),
    );
    let address = service::find(&finding.workload, running, services, &request)?;
    let scheme = match (request.kind.is_search(), address.https) {
        (false, _) => "",
        (true, false) => ", by http",
        (true, true) => ", by https",
    };
    good(
        &mut finding.steps,
        format!(
            "Service {} leads to it, port {}{scheme}",
            address.service, address.port
        ),
    );
    let container = container::choose(first, &request)?;
    let found = credentials::resolve(&finding.workload.namespace, container, &request, looking);
    let Some(credentials) = found? else {
        return Ok(None);
    };
    good(
        &mut finding.steps,
        format!(
            "container {}: {}",
            container.name,
            credentials::summary(&credentials)
        ),
    );
    let (mark, text) = match &request.recipient {
        Some(recipient) => (Mark::Good, format!("encrypted for {recipient}")),
        None if ours.contains_key("encryption-recipient") => (
            Mark::Note,
            "not encrypted, though a recipient is named: encryption-enabled is not \"true\""
                .to_owned(),
        ),
        None => (
            Mark::Note,
            "not encrypted: whoever reads the bucket can read the snapshots".to_owned(),
        ),
    };
    finding.steps.push(Step { mark, text });
    let wanted = Wanted {
        request,
        address,
        credentials,
    };
    rehearsal::rehearse(&finding.workload, &wanted, settings)?;
    Ok(Some(wanted))
}

fn not_enabled(ours: &BTreeMap<&str, &str>) -> Refusal {
    let key = format!("{}/{}", ksnapshot_core::DOMAIN, annotations::ENABLED);
    let text = match ours.get(annotations::ENABLED) {
        Some(value) => format!("annotation enabled is {value:?}"),
        None => "annotation enabled is missing".to_owned(),
    };
    Refusal::new(
        Reason::EnabledNotTrue,
        text,
        format!("Set {key} to exactly \"true\" to turn backups on."),
    )
}

/// What a lookup means for a credential or an owner: a value, not known yet, or the reason why not.
fn readable<'a>(lookup: &Lookup, found: Option<&'a Found>) -> Result<Option<&'a Found>, Refusal> {
    match found {
        None => Ok(None),
        Some(Found::Forbidden) => Err(Refusal::new(
            Reason::CredentialForbidden,
            format!("{lookup}: may not be read"),
            "Give the operator the right to get it: the chart's rbac.watchNamespaces makes a Role for each namespace.",
        )),
        Some(Found::Failed(why)) => Err(Refusal::new(
            Reason::LookupFailed,
            format!("{lookup}: {why}"),
            "Nothing: it is tried again by itself, and what was set up before stays.",
        )),
        Some(found) => Ok(Some(found)),
    }
}
