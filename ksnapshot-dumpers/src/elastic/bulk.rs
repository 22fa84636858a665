//! Writing documents: every item of every answer is looked at, what the server was too busy for is sent again, and what it refuses
//! is told.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ksnapshot_core::{Error, ErrorKind, Result};
use reqwest::Method;
use serde::Deserialize;

use super::http::{Cause, Client, pause};
use super::line::Document;

/// How long a cluster may be too busy for a document.
const PATIENCE: Duration = Duration::from_secs(300);

/// How often a request is sent to a server that can't be reached.
const TRIES: u32 = 6;

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// As it is, whatever was there.
    Index,
    /// Only anew: the one way into a data stream.
    Create,
}

impl Action {
    fn as_str(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Create => "create",
        }
    }
}

/// How many bytes a request may have: less when the server is busy, slowly more when it isn't.
#[derive(Debug)]
pub(super) struct Pace(AtomicUsize);

impl Pace {
    const LEAST: usize = 64 << 10;
    /// More gains nothing, and a few of these are in memory at once.
    const MOST: usize = 4 << 20;

    pub(super) fn new() -> Self {
        Self(AtomicUsize::new(2 << 20))
    }

    fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn change(&self, change: impl Fn(usize) -> usize) {
        self.0.store(
            change(self.bytes()).clamp(Self::LEAST, Self::MOST),
            Ordering::Relaxed,
        );
    }
}

/// What became of some documents.
#[derive(Debug, Default)]
pub(super) struct Written<'a> {
    pub(super) rows: u64,
    /// Those that were refused, and why.
    pub(super) refused: Vec<(Document<'a>, String)>,
}

/// Writes `documents` to the index or data stream at `path`, `/NAME/_bulk?…`.
///
/// Errors: [`ErrorKind::Server`] when the cluster can't be reached, is busy for too long, or lets nobody write.
pub(super) async fn write<'a>(
    client: &Client,
    path: &str,
    action: Action,
    documents: Vec<Document<'a>>,
    pace: &Pace,
) -> Result<Written<'a>> {
    let mut written = Written::default();
    let mut todo = documents;
    let mut progress = Instant::now();
    let mut waits = 0;
    let mut lost = 0;
    while !todo.is_empty() {
        let limit = pace.bytes();
        let mut body = Vec::with_capacity(limit);
        let mut many = 0;
        for document in &todo {
            if many > 0 && body.len() + document.size() > limit {
                break;
            }
            document.write(action.as_str(), &mut body);
            many += 1;
        }
        let sent = client
            .send(Method::POST, path, Some(Bytes::from(body)), usize::MAX)
            .await;
        let reply = match sent {
            Ok(reply) => reply,
            // Documents with an id of their own can be written twice; others would be there twice.
            Err(error) if lost < TRIES && todo[..many].iter().all(|d| d.id.is_some()) => {
                tracing::info!("bulk request lost: {error:#}");
                lost += 1;
                pause(lost, None).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        let outcomes = match reply.status.as_u16() {
            200 => outcomes(&reply.body, many, action, lost > 0)?,
            413 if many == 1 => {
                vec![Outcome::Refused(
                    "larger than the server takes (http.max_content_length)".into(),
                )]
            }
            413 => {
                pace.change(|bytes| bytes / 2);
                continue;
            }
            _ if reply.is_busy() => (0..many).map(|_| Outcome::Busy(reply.reason())).collect(),
            _ => return Err(reply.error(path)),
        };
        let mut busy = None;
        let rest = todo.split_off(many);
        let mut again = Vec::new();
        for (document, outcome) in todo.into_iter().zip(outcomes) {
            match outcome {
                Outcome::Done => written.rows += 1,
                Outcome::Refused(why) => written.refused.push((document, why)),
                Outcome::Busy(why) => {
                    busy.get_or_insert(why);
                    again.push(document);
                }
            }
        }
        let moved = again.len() < many;
        again.extend(rest);
        todo = again;
        if moved {
            (progress, waits, lost) = (Instant::now(), 0, 0);
        }
        match busy {
            None => pace.change(|bytes| bytes + bytes / 16),
            Some(why) if progress.elapsed() > PATIENCE => {
                return Err(Error::new(
                    ErrorKind::Server,
                    format!(
                        "the cluster was too busy for {} s: {why}",
                        PATIENCE.as_secs()
                    ),
                )
                .hint("Give it more room, or restore with fewer --jobs."));
            }
            Some(_) => {
                pace.change(|bytes| bytes / 2);
                waits += 1;
                pause(waits, reply.retry_after).await;
            }
        }
    }
    Ok(written)
}

/// What became of one document.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    Busy(String),
    Refused(String),
}

/// Reads the answer to a bulk request of `many` documents: one result for each, in their order. `resent` when some of them may
/// have been written by a request whose answer was lost.
fn outcomes(body: &[u8], many: usize, action: Action, resent: bool) -> Result<Vec<Outcome>> {
    #[derive(Deserialize)]
    struct Answer {
        items: Vec<Item>,
    }
    #[derive(Deserialize)]
    struct Item {
        #[serde(alias = "index", alias = "create")]
        result: Told,
    }
    #[derive(Deserialize)]
    struct Told {
        status: u16,
        #[serde(default)]
        error: Option<Cause>,
    }
    let bad = |what: String| Error::new(ErrorKind::Server, what);
    let answer: Answer = serde_json::from_slice(body)
        .map_err(|e| bad("the answer to a bulk request can't be read".into()).source(e))?;
    if answer.items.len() != many {
        return Err(bad(format!(
            "the answer to a bulk request tells of {} of {many} documents",
            answer.items.len()
        )));
    }
    let outcome = |item: Item| {
        let told = item.result;
        let reason = || match &told.error {
            Some(cause) => cause.to_string(),
            None => format!("HTTP {}", told.status),
        };
        let overloaded = told.error.as_ref().is_some_and(|cause| {
            [
                "es_rejected_execution_exception",
                "circuit_breaking_exception",
                "rejected_execution_exception",
            ]
            .contains(&cause.kind())
        });
        match told.status {
            200..=299 => Outcome::Done,
            409 if action == Action::Create && resent => Outcome::Done,
            429 | 502..=504 => Outcome::Busy(reason()),
            _ if overloaded => Outcome::Busy(reason()),
            _ => Outcome::Refused(reason()),
        }
    };
    Ok(answer.items.into_iter().map(outcome).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] = br#"{"took":1,"errors":true,"items":[
        {"index":{"_id":"1","status":201}},
        {"index":{"_id":"2","status":429,"error":{"type":"es_rejected_execution_exception","reason":"full"}}},
        {"index":{"_id":"3","status":400,"error":{"type":"mapper_parsing_exception","reason":"bad","caused_by":{"type":"x","reason":"y"}}}},
        {"index":{"_id":"4","status":500,"error":{"type":"circuit_breaking_exception","reason":"memory"}}},
        {"index":{"_id":"5","status":409,"error":{"type":"version_conflict_engine_exception","reason":"there"}}}]}"#;

    #[test]
    fn every_item_is_looked_at() {
        let found = outcomes(ANSWER, 5, Action::Index, true).expect("an answer");
        assert_eq!(
            found,
            [
                Outcome::Done,
                Outcome::Busy("es_rejected_execution_exception: full".into()),
                Outcome::Refused("mapper_parsing_exception: bad: x: y".into()),
                Outcome::Busy("circuit_breaking_exception: memory".into()),
                Outcome::Refused("version_conflict_engine_exception: there".into()),
            ]
        );
        assert!(outcomes(ANSWER, 6, Action::Index, false).is_err());
        assert!(outcomes(b"{}", 1, Action::Index, false).is_err());
    }

    #[test]
    fn what_is_there_already_is_done_only_when_it_was_sent_before() {
        let there = br#"{"items":[{"create":{"status":409,"error":"there"}}]}"#;
        let one = |resent| {
            outcomes(there, 1, Action::Create, resent)
                .expect("an answer")
                .remove(0)
        };
        assert_eq!(one(true), Outcome::Done);
        assert_eq!(one(false), Outcome::Refused("there".into()));
    }

    #[test]
    fn the_pace_has_bounds() {
        let pace = Pace::new();
        (0..100).for_each(|_| pace.change(|b| b / 2));
        assert_eq!(pace.bytes(), Pace::LEAST);
        (0..1000).for_each(|_| pace.change(|b| b + b / 16));
        assert_eq!(pace.bytes(), Pace::MOST);
    }
}
