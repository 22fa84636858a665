//! Which requests a gate meets, and what it does with them.

use std::fmt;
use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Item, Seen};

type Run = Box<dyn Fn() -> Result<()> + Send + Sync>;
type When = Box<dyn Fn(&Seen) -> bool + Send + Sync>;
type Refuse = Box<dyn Fn(&Item) -> Option<u16> + Send + Sync>;
type Turn<T> = Box<dyn Fn(String) -> T + Send + Sync>;

/// What happens to the requests that it meets. One rule may do several things; they happen in the order of the methods
/// here.
pub struct Rule {
    method: &'static str,
    target: String,
    when: Option<When>,
    first: u64,
    last: u64,
    count: AtomicU64,
    pub(super) run: Option<Run>,
    pub(super) answer: Option<(u16, String)>,
    pub(super) headers: String,
    pub(super) turn_request: Option<Turn<String>>,
    pub(super) refuse: Option<Refuse>,
    pub(super) turn_answer: Option<Turn<Result<String>>>,
    pub(super) delay: Option<Duration>,
    pub(super) lose: bool,
    pub(super) cut: Option<usize>,
}

impl Rule {
    /// Meets requests of this method (of any, if empty) whose path and query hold `target`. Does nothing so far.
    pub fn on(method: &'static str, target: &str) -> Self {
        Self {
            method,
            target: target.to_owned(),
            when: None,
            first: 1,
            last: u64::MAX,
            count: AtomicU64::new(0),
            run: None,
            answer: None,
            headers: String::new(),
            turn_request: None,
            refuse: None,
            turn_answer: None,
            delay: None,
            lose: false,
            cut: None,
        }
    }

    /// Only those of which `when` says so, too.
    #[must_use]
    pub fn when(mut self, when: impl Fn(&Seen) -> bool + Send + Sync + 'static) -> Self {
        self.when = Some(Box::new(when));
        self
    }

    /// Only the `n`-th of them, from 1; a repetition is another one.
    #[must_use]
    pub fn nth(self, n: u64) -> Self {
        self.between(n, n)
    }

    /// The `n`-th of them, from 1, and all that follow.
    #[must_use]
    pub fn from(self, n: u64) -> Self {
        self.between(n, u64::MAX)
    }

    /// The first `n` of them.
    #[must_use]
    pub fn times(self, n: u64) -> Self {
        self.between(1, n)
    }

    fn between(self, first: u64, last: u64) -> Self {
        Self {
            first,
            last,
            ..self
        }
    }

    /// Runs something, to its end, before the server hears of the request. Where it fails the client is answered 599 with
    /// the error.
    #[must_use]
    pub fn run(mut self, run: impl Fn() -> Result<()> + Send + Sync + 'static) -> Self {
        self.run = Some(Box::new(run));
        self
    }

    /// Answers; the server hears nothing.
    #[must_use]
    pub fn answer(mut self, status: u16, body: impl Display) -> Self {
        self.answer = Some((status, body.to_string()));
        self
    }

    /// … with a header: `Retry-After`.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    /// The server gets another body.
    #[must_use]
    pub fn turn_request(mut self, turn: impl Fn(String) -> String + Send + Sync + 'static) -> Self {
        self.turn_request = Some(Box::new(turn));
        self
    }

    /// Of a bulk request, the items of which `refuse` gives a status don't reach the server; in its answer they are refused
    /// with that status, in their places. The whole is a 200.
    #[must_use]
    pub fn refuse_items(
        mut self,
        refuse: impl Fn(&Item) -> Option<u16> + Send + Sync + 'static,
    ) -> Self {
        self.refuse = Some(Box::new(refuse));
        self
    }

    /// The client gets another answer. Keys lose their order and numbers their spelling: sources that pass aren't what
    /// they were. See [`Rule::turn_text`].
    #[must_use]
    pub fn turn_answer(mut self, turn: impl Fn(Value) -> Value + Send + Sync + 'static) -> Self {
        self.turn_answer = Some(Box::new(move |text| {
            let value =
                serde_json::from_str(&text).context("an answer to be turned that isn't JSON")?;
            Ok(turn(value).to_string())
        }));
        self
    }

    /// The client gets another answer, made from the text of the server's.
    #[must_use]
    pub fn turn_text(mut self, turn: impl Fn(String) -> String + Send + Sync + 'static) -> Self {
        self.turn_answer = Some(Box::new(move |text| Ok(turn(text))));
        self
    }

    /// The answer, which is there, is held back for a while.
    #[must_use]
    pub fn delay(mut self, time: Duration) -> Self {
        self.delay = Some(time);
        self
    }

    /// The server does what it is asked, and its answer is lost with the connection.
    #[must_use]
    pub fn lose_answer(mut self) -> Self {
        self.lose = true;
        self
    }

    /// The connection breaks after so many bytes of the answer's body.
    #[must_use]
    pub fn cut_answer(mut self, bytes: usize) -> Self {
        self.cut = Some(bytes);
        self
    }

    /// Whether it's one of those, which are counted.
    pub(super) fn meets(&self, seen: &Seen) -> bool {
        let fits = (self.method.is_empty() || self.method == seen.method)
            && seen.target.contains(&self.target)
            && self.when.as_ref().is_none_or(|when| when(seen));
        fits && (self.first..=self.last).contains(&(self.count.fetch_add(1, Ordering::SeqCst) + 1))
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule")
            .field("method", &self.method)
            .field("target", &self.target)
            .field("first", &self.first)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}
