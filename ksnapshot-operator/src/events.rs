//! Events: what is said of a workload where people look first, `kubectl describe`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};

/// The API server takes no longer note.
const LONGEST_NOTE: usize = 1024;
/// The same words of the same object are not repeated before this has passed.
const AGAIN: Duration = Duration::from_secs(3600);
/// No event is worth waiting for longer.
const DEADLINE: Duration = Duration::from_secs(10);

/// Publishes events. One that can't be published is logged, and nothing else comes of it.
pub(crate) struct Events {
    recorder: Recorder,
    said: Mutex<HashMap<Words, Instant>>,
}

/// What was said of what.
#[derive(PartialEq, Eq, Hash)]
struct Words {
    object: [Option<String>; 3],
    reason: String,
    note: String,
}

impl Events {
    /// Events as said by this replica.
    pub(crate) fn new(client: Client, identity: &str) -> Self {
        let reporter = Reporter {
            controller: "ksnapshot".to_owned(),
            instance: Some(identity.to_owned()),
        };
        Self {
            recorder: Recorder::new(client, reporter),
            said: Mutex::new(HashMap::new()),
        }
    }

    /// Says that something went as it should.
    pub(crate) async fn normal(&self, object: &ObjectReference, reason: &str, note: &str) {
        self.publish(EventType::Normal, object, reason, note).await;
    }

    /// Says that somebody should look.
    pub(crate) async fn warning(&self, object: &ObjectReference, reason: &str, note: &str) {
        self.publish(EventType::Warning, object, reason, note).await;
    }

    async fn publish(&self, type_: EventType, object: &ObjectReference, reason: &str, note: &str) {
        let words = Words {
            object: [
                object.kind.clone(),
                object.namespace.clone(),
                object.name.clone(),
            ],
            reason: reason.to_owned(),
            note: note.to_owned(),
        };
        if !self.is_news(words) {
            return;
        }
        let event = Event {
            type_,
            reason: reason.to_owned(),
            note: Some(shortened(note)),
            action: "Backup".to_owned(),
            secondary: None,
        };
        match tokio::time::timeout(DEADLINE, self.recorder.publish(&event, object)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("event {reason}: {error}"),
            Err(_) => tracing::warn!("event {reason}: no answer within {DEADLINE:?}"),
        }
    }

    fn is_news(&self, words: Words) -> bool {
        let now = Instant::now();
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.retain(|_, at| now.duration_since(*at) < AGAIN);
        said.insert(words, now).is_none()
    }
}

fn shortened(note: &str) -> String {
    if note.len() <= LONGEST_NOTE {
        return note.to_owned();
    }
    let mut end = LONGEST_NOTE - '…'.len_utf8();
    while !note.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &note[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_cut_between_characters() {
        assert_eq!(shortened("short"), "short");
        for filler in ["a", "ü", "€"] {
            let long = shortened(&filler.repeat(2000));
            assert!(
                long.len() <= LONGEST_NOTE && long.ends_with('…'),
                "{}",
                long.len()
            );
        }
    }
}
