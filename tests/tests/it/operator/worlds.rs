//! Laws that hold for any cluster, however little of it is seen.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use ksnapshot_core::DOMAIN;
use ksnapshot_operator::Workload;
use ksnapshot_operator::decide::{Action, decide};
use ksnapshot_operator::discover::discover;
use ksnapshot_operator::world::Found;
use proptest::prelude::*;
use proptest::sample::Index;

use super::decisions::is_removal;
use super::golden;
use super::seen::Seen;

/// All is well in it.
static SHOP: LazyLock<Seen> = LazyLock::new(|| {
    let cases = golden::cases();
    golden::read(
        cases
            .iter()
            .find(|case| case.ends_with("a-whole-shop.yaml"))
            .expect("it is there"),
    )
});

const AT: &str = "2026-11-29T12:00:00Z";

/// Something that goes wrong, or is just another way to be.
#[derive(Debug, Clone)]
enum Mishap {
    PodGone(Index),
    PodInPhase(Index, &'static str),
    PodEnds(Index),
    PodWithoutLabels(Index),
    PodWithoutOwner(Index),
    PodWithoutContainers(Index),
    /// An annotation of one pod, or of all.
    Annotated(Option<Index>, &'static str, Option<&'static str>),
    ServiceGone(Index),
    ServiceTwice(Index),
    ServiceWithoutPorts(Index),
    /// Something that was looked up. None: it was not.
    LookedUp(Index, Option<Found>),
    AllLookedUp(Option<Found>),
    NamespaceNotSeen,
    NothingSeen,
    SecretGone(Index),
    CronJobGone(Index),
    RetentionSecretGone,
}

fn found() -> impl Strategy<Value = Option<Found>> {
    prop_oneof![
        Just(None),
        Just(Some(Found::Missing)),
        Just(Some(Found::Forbidden)),
        Just(Some(Found::Failed("no answer".to_owned()))),
    ]
}

fn mishap() -> impl Strategy<Value = Mishap> {
    let phase = prop_oneof![
        Just("Pending"),
        Just("Succeeded"),
        Just("Failed"),
        Just("Unknown"),
        Just("")
    ];
    let annotation = prop_oneof![
        Just(("enabled", Some("false"))),
        Just(("enabled", None)),
        Just(("schedule", Some("whenever"))),
        Just(("schedule", Some("0 4 * * *"))),
        Just(("type", Some("oracle"))),
        Just(("encryption-enabled", Some("true"))),
        Just(("service", Some("nowhere"))),
        Just(("trigger", Some("again"))),
        Just(("colour", Some("blue"))),
    ];
    let index = any::<Index>;
    prop_oneof![
        index().prop_map(Mishap::PodGone),
        (index(), phase).prop_map(|(pod, phase)| Mishap::PodInPhase(pod, phase)),
        index().prop_map(Mishap::PodEnds),
        index().prop_map(Mishap::PodWithoutLabels),
        index().prop_map(Mishap::PodWithoutOwner),
        index().prop_map(Mishap::PodWithoutContainers),
        (proptest::option::of(index()), annotation)
            .prop_map(|(pod, (key, value))| Mishap::Annotated(pod, key, value)),
        index().prop_map(Mishap::ServiceGone),
        index().prop_map(Mishap::ServiceTwice),
        index().prop_map(Mishap::ServiceWithoutPorts),
        (index(), found()).prop_map(|(lookup, found)| Mishap::LookedUp(lookup, found)),
        found().prop_map(Mishap::AllLookedUp),
        Just(Mishap::NamespaceNotSeen),
        Just(Mishap::NothingSeen),
        index().prop_map(Mishap::SecretGone),
        index().prop_map(Mishap::CronJobGone),
        Just(Mishap::RetentionSecretGone),
    ]
}

fn pick<'a, T>(all: &'a mut [T], index: &Index) -> Option<&'a mut T> {
    (!all.is_empty()).then(|| index.get_mut(all))
}

fn drop_one<T>(all: &mut Vec<T>, index: &Index) {
    if !all.is_empty() {
        all.remove(index.index(all.len()));
    }
}

impl Mishap {
    fn happen(&self, seen: &mut Seen) {
        let world = &mut seen.world;
        let pod = |pods: &mut [Arc<_>], index: &Index, change: &dyn Fn(&mut Pod)| {
            if let Some(pod) = pick(pods, index) {
                change(Arc::make_mut(pod));
            }
        };
        match self {
            Self::PodGone(index) => drop_one(&mut world.pods, index),
            Self::PodInPhase(index, phase) => pod(&mut world.pods, index, &|pod| {
                pod.status.get_or_insert_default().phase = Some((*phase).to_owned());
            }),
            Self::PodEnds(index) => pod(&mut world.pods, index, &|pod| {
                let now = Time(AT.parse().unwrap());
                pod.metadata.deletion_timestamp = Some(now);
            }),
            Self::PodWithoutLabels(index) => {
                pod(&mut world.pods, index, &|pod| pod.metadata.labels = None)
            }
            Self::PodWithoutOwner(index) => pod(&mut world.pods, index, &|pod| {
                pod.metadata.owner_references = None
            }),
            Self::PodWithoutContainers(index) => {
                pod(&mut world.pods, index, &|pod| pod.spec = None)
            }
            Self::Annotated(of, key, value) => {
                let change = |pod: &mut Pod| {
                    let annotations = pod.metadata.annotations.get_or_insert_default();
                    annotations.remove(&format!("{DOMAIN}/{key}"));
                    annotations
                        .extend(value.map(|value| (format!("{DOMAIN}/{key}"), value.to_owned())));
                };
                match of {
                    Some(index) => pod(&mut world.pods, index, &change),
                    None => world
                        .pods
                        .iter_mut()
                        .for_each(|pod| change(Arc::make_mut(pod))),
                }
            }
            Self::ServiceGone(index) => drop_one(&mut world.services, index),
            Self::ServiceTwice(index) => {
                if let Some(service) = pick(&mut world.services, index) {
                    let mut other = service.as_ref().clone();
                    other.metadata.name = Some("another".to_owned());
                    world.services.push(Arc::new(other));
                }
            }
            Self::ServiceWithoutPorts(index) => {
                if let Some(service) = pick(&mut world.services, index) {
                    Arc::make_mut(service).spec.get_or_insert_default().ports = None;
                }
            }
            Self::LookedUp(index, found) => {
                let lookups: Vec<_> = world.lookups.keys().cloned().collect();
                if !lookups.is_empty() {
                    let lookup = index.get(&lookups).clone();
                    world.lookups.remove(&lookup);
                    world
                        .lookups
                        .extend(found.clone().map(|found| (lookup, found)));
                }
            }
            Self::AllLookedUp(found) => {
                let lookups = std::mem::take(&mut world.lookups);
                world.lookups.extend(
                    lookups
                        .into_keys()
                        .filter_map(|lookup| Some((lookup, found.clone()?))),
                );
            }
            Self::NamespaceNotSeen => seen.known.seen.clear(),
            Self::NothingSeen => {
                world.pods.clear();
                world.services.clear();
            }
            Self::SecretGone(index) => drop_one(&mut seen.actual.secrets, index),
            Self::CronJobGone(index) => drop_one(&mut seen.actual.cron_jobs, index),
            Self::RetentionSecretGone => seen.known.retention_secret = false,
        }
    }
}

/// What the API server says of owners.
fn answers() -> impl Strategy<Value = Vec<Option<Found>>> {
    let answer = prop_oneof![
        Just(None),
        Just(Some(Found::Owner)),
        Just(Some(Found::Forbidden)),
        Just(Some(Found::Failed("no answer".to_owned()))),
        Just(Some(Found::Missing)),
    ];
    proptest::collection::vec(answer, 3)
}

fn owners() -> [Workload; 3] {
    [
        "shop/Deployment/orders",
        "shop/Search/search",
        "shop/StatefulSet/pg",
    ]
    .map(|owner| owner.parse().expect("an owner"))
}

fn name(action: &Action) -> &str {
    match action {
        Action::DeleteCronJob { name, .. } => name,
        Action::DeleteSecret { name, .. } => name.strip_suffix("-credentials").unwrap_or(name),
        _ => "",
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_goes_but_what_is_gone_or_off(
        mishaps in proptest::collection::vec(mishap(), 1..8),
        answers in answers(),
        off in proptest::collection::vec(any::<bool>(), 3),
    ) {
        let mut seen = SHOP.clone();
        mishaps.iter().for_each(|mishap| mishap.happen(&mut seen));
        let mut may_go = BTreeSet::new();
        for ((owner, answer), off) in owners().into_iter().zip(answers).zip(off) {
            if off || matches!(answer, Some(Found::Missing)) {
                may_go.insert(owner.clone());
            }
            if off {
                seen.known.confirmed_off.insert(owner.clone());
            }
            seen.known.owners.extend(answer.map(|answer| (owner, answer)));
        }
        let there = seen.actual.cron_jobs.clone();
        let discovery = discover(&seen.world, &seen.settings);
        for action in decide(&discovery, &seen.actual, &seen.known, &seen.settings).iter().filter(|a| is_removal(a)) {
            let owner = there.iter().find(|c| c.metadata.name.as_deref() == Some(name(action)))
                .and_then(|cron_job| ksnapshot_operator::decide::owner_of(cron_job));
            match owner {
                Some(owner) => prop_assert!(may_go.contains(&owner) && !seen.known.seen.is_empty(), "{:?}", action),
                // A Secret whose CronJob is gone, and that nobody wants.
                None => prop_assert!(matches!(action, Action::DeleteSecret { .. }), "{:?}", action),
            }
        }
    }

    #[test]
    fn what_was_done_is_not_done_again(mishaps in proptest::collection::vec(mishap(), 0..8)) {
        let mut seen = SHOP.clone();
        mishaps.iter().for_each(|mishap| mishap.happen(&mut seen));
        for _ in 0..2 {
            seen.act(AT).unwrap();
        }
        let left = seen.decide();
        prop_assert!(left.iter().all(|a| matches!(a, Action::AskOwner(_) | Action::ConfirmOff(_))), "{:?}", left);
    }

    #[test]
    fn any_value_of_any_annotation_is_refused_or_taken(
        key in prop_oneof![
            Just("schedule"), Just("type"), Just("timezone"), Just("version"), Just("elasticsearch-limit"), Just("encryption-enabled"),
            Just("encryption-recipient"), Just("service"), Just("port"), Just("container"), Just("databases"), Just("tables"),
            Just("exclude-tables"), Just("dump-options"), Just("compression"), Just("suspend"), Just("jitter"),
            Just("starting-deadline"), Just("resources"), Just("trigger"), Just("verify"), Just("retention"),
        ],
        value in prop_oneof!["\\PC{0,12}", "[a-z0-9.,*?\"' =:-]{0,16}", "(true|false|0|1h|mysql|postgresql|none|checksum|daily=7|cpu=1|-q|--where=x)"],
        pod in any::<Index>(),
    ) {
        let mut seen = SHOP.clone();
        let named = pod.get(&owners()).name.clone();
        for pod in &mut seen.world.pods {
            if pod.metadata.owner_references.iter().flatten().any(|owner| owner.name.starts_with(&named)) {
                let annotations = Arc::make_mut(pod).metadata.annotations.get_or_insert_default();
                annotations.insert(format!("{DOMAIN}/{key}"), value.clone());
            }
        }
        let actions = seen.act(AT).unwrap();
        // What is taken is nothing that a Job would refuse: see `made::what_is_made_is_what_a_job_takes`.
        super::made::jobs_take(&seen, &format!("{key}={value:?}"));
        let is_typed = key == "type" || key == "retention";
        prop_assert!(is_typed || !actions.iter().any(is_removal), "{:?}", actions);
    }
}
