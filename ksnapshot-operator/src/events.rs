//! What is told about an object, as Events beside it.
//!
//! kube has a recorder, too. It takes an event of the same reason within six minutes for the same event, and drops what
//! the later one says; and it needs the right to patch.

use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::Client;
use kube::api::{Api, PostParams};
use tokio::time::{Instant, timeout};
use tracing::{debug, warn};

/// Tells of objects. Clones remember together what was told.
#[derive(Clone)]
pub struct Events {
    client: Client,
    instance: String,
    told: Arc<Mutex<HashMap<u64, Instant>>>,
}

/// What Kubernetes takes of a note, in bytes.
const LONGEST_NOTE: usize = 1024;
/// … and of a name.
const LONGEST_NAME: usize = 253;
/// After as long, Kubernetes has forgotten an event.
const REMEMBERED: Duration = Duration::from_secs(3600);
const PATIENCE: Duration = Duration::from_secs(5);

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events")
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}

impl Events {
    /// Of the replica with this `identity`.
    pub fn new(client: Client, identity: &str) -> Self {
        Self {
            client,
            instance: cut(identity, 128),
            told: Arc::default(),
        }
    }

    /// Tells that something went well. See [`Events::warning`].
    pub async fn normal(&self, object: &ObjectReference, reason: &str, note: &str) {
        self.tell("Normal", object, reason, note).await;
    }

    /// Tells that something is wrong. What was told of the object in the last hour isn't told again. That it can't be told
    /// is logged, and no more: the next time it is tried again.
    pub async fn warning(&self, object: &ObjectReference, reason: &str, note: &str) {
        self.tell("Warning", object, reason, note).await;
    }

    async fn tell(&self, kind: &str, object: &ObjectReference, reason: &str, note: &str) {
        let Some(key) = self.remember(kind, object, reason, note) else {
            return;
        };
        let namespace = object.namespace.as_deref().unwrap_or("default");
        let event = event(kind, object, reason, note, &self.instance);
        let api = Api::<Event>::namespaced(self.client.clone(), namespace);
        let params = PostParams::default();
        // kube tries for minutes where a server is overloaded. That is no time to insist.
        let error = match timeout(PATIENCE, api.create(&params, &event)).await {
            Ok(Ok(_)) => {
                debug!(namespace, object = object.name, reason, note, "told");
                return;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer".to_owned(),
        };
        warn!(
            namespace,
            object = object.name,
            reason,
            error,
            "an event can't be published"
        );
        self.memory().remove(&key);
    }

    /// None: it was told already.
    fn remember(
        &self,
        kind: &str,
        object: &ObjectReference,
        reason: &str,
        note: &str,
    ) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        (kind, reason, note).hash(&mut hasher);
        (&object.namespace, &object.kind, &object.name, &object.uid).hash(&mut hasher);
        let key = hasher.finish();
        let mut told = self.memory();
        told.retain(|_, at| at.elapsed() < REMEMBERED);
        match told.entry(key) {
            Entry::Occupied(_) => None,
            Entry::Vacant(entry) => {
                entry.insert(Instant::now());
                Some(key)
            }
        }
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Instant>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn event(kind: &str, object: &ObjectReference, reason: &str, note: &str, instance: &str) -> Event {
    let now = Timestamp::now();
    let suffix = format!(".{:x}{:04x}", now.as_microsecond(), rand::random::<u16>());
    let about = object.name.as_deref().unwrap_or("ksnapshot");
    let about = &about[..about.floor_char_boundary(LONGEST_NAME - suffix.len())];
    // A dash or a dot before another dot is no name.
    let name = about.trim_end_matches(['.', '-']);
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{name}{suffix}")),
            namespace: Some(object.namespace.clone().unwrap_or_else(|| "default".into())),
            ..ObjectMeta::default()
        },
        type_: Some(kind.to_owned()),
        reason: Some(cut(reason, 128)),
        note: Some(cut(note, LONGEST_NOTE)),
        action: Some("Backup".into()),
        event_time: Some(MicroTime(now)),
        regarding: Some(object.clone()),
        reporting_controller: Some(format!("{}/operator", ksnapshot_core::DOMAIN)),
        reporting_instance: Some(instance.to_owned()),
        ..Event::default()
    }
}

/// At most so many bytes of it.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let keep = text.floor_char_boundary(most - '…'.len_utf8());
    format!("{}…", &text[..keep])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::Fake;
    use proptest::prelude::*;

    const PATH: &str = "/apis/events.k8s.io/v1/namespaces/shop/events";

    fn object(name: &str) -> ObjectReference {
        ObjectReference {
            api_version: Some("apps/v1".into()),
            kind: Some("StatefulSet".into()),
            namespace: Some("shop".into()),
            name: Some(name.into()),
            uid: Some(format!("uid-of-{name}")),
            ..ObjectReference::default()
        }
    }

    #[tokio::test]
    async fn what_is_told_stands_beside_its_object() {
        let cluster = Fake::start().await;
        let events = Events::new(cluster.client(), "operator-1");
        let db = object("db");
        events
            .warning(&db, "NoService", "no Service selects it")
            .await;
        let told = cluster.objects(PATH);
        assert_eq!(told.len(), 1);
        let told = &told[0];
        for (field, value) in [
            ("type", "Warning"),
            ("reason", "NoService"),
            ("note", "no Service selects it"),
            ("action", "Backup"),
            (
                "reportingController",
                "ksnapshot.clickandmortar.fr/operator",
            ),
            ("reportingInstance", "operator-1"),
        ] {
            assert_eq!(told[field], value, "{field}");
        }
        assert_eq!(told["regarding"]["uid"], "uid-of-db");
        let name = told["metadata"]["name"].as_str().expect("a name");
        assert!(name.starts_with("db."), "{name}");
    }

    #[tokio::test]
    async fn what_was_told_is_not_told_again() {
        let cluster = Fake::start().await;
        let events = Events::new(cluster.client(), "operator-1");
        let again = events.clone();
        for events in [&events, &again, &events] {
            events.warning(&object("db"), "NoService", "none").await;
        }
        assert_eq!(cluster.objects(PATH).len(), 1);
        // Anything else is.
        events.normal(&object("db"), "NoService", "none").await;
        events.warning(&object("db"), "Other", "none").await;
        events.warning(&object("db"), "NoService", "two").await;
        events.warning(&object("dc"), "NoService", "none").await;
        let mut reborn = object("db");
        reborn.uid = Some("another".into());
        events.warning(&reborn, "NoService", "none").await;
        assert_eq!(cluster.objects(PATH).len(), 6);
    }

    #[tokio::test]
    async fn an_hour_later_it_is_told_again() {
        let cluster = Fake::start().await;
        let events = Events::new(cluster.client(), "operator-1");
        let db = object("db");
        events.warning(&db, "NoService", "none").await;
        for (age, count) in [(REMEMBERED - Duration::from_secs(60), 1), (REMEMBERED, 2)] {
            for at in events.memory().values_mut() {
                *at = Instant::now().checked_sub(age).expect("it ran so long");
            }
            events.warning(&db, "NoService", "none").await;
            assert_eq!(cluster.objects(PATH).len(), count);
        }
        assert_eq!(events.memory().len(), 1);
    }

    #[tokio::test]
    async fn what_could_not_be_told_is_told_later() {
        let cluster = Fake::start().await;
        let events = Events::new(cluster.client(), "operator-1");
        cluster.set_down(true);
        events.warning(&object("db"), "NoService", "none").await;
        assert!(cluster.objects(PATH).is_empty());
        cluster.set_down(false);
        events.warning(&object("db"), "NoService", "none").await;
        assert_eq!(cluster.objects(PATH).len(), 1);
    }

    proptest! {
        #[test]
        fn whatever_is_told_fits(name in "[a-z0-9.-]{1,300}", reason in ".{0,200}", note in ".{0,1200}") {
            let event = event("Normal", &object(&name), &reason, &note, "i");
            prop_assert!(event.note.expect("it has one").len() <= 1024);
            prop_assert!(event.reason.expect("it has one").len() <= 128);
            let name = event.metadata.name.expect("it has one");
            prop_assert!(name.len() <= 253);
            prop_assert!(!name.contains("-.") || object(&name).name.is_some_and(|name| name.contains("-.")));
        }
    }
}
