//! Which snapshots stay. Pure: values in, a decision for each snapshot out; [`crate::pipeline::prune`] carries them out.
//!
//! ```
//! use ksnapshot_core::retention::{Decision, Rules, Taken, decide};
//! use ksnapshot_core::{Outcome, Series};
//!
//! let series = Series { name: "db".into(), kind: "postgresql".into(), database: "shop".into() };
//! let taken = |id, started: &str| {
//!     Taken { series: &series, id, started: started.parse().unwrap(), outcome: Outcome::Complete }
//! };
//! let history = [taken("aaaaaaaa", "2026-11-20T03:00:00Z"), taken("bbbbbbbb", "2026-11-20T15:00:00Z")];
//! let rules = Rules { daily: 7, ..Rules::default() };
//! let decisions = decide(&history, &rules, "2026-11-21T00:00:00Z".parse().unwrap());
//! assert_eq!(decisions[1].to_string(), "keep: daily 2026-11-20");
//! assert!(matches!(decisions[0], Decision::Remove(_)));
//! ```

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::{Error, ErrorKind, Manifest, Outcome, Result, Series};

mod breaker;
#[cfg(test)]
mod tests;

pub use breaker::{MaxDelete, check};

/// A snapshot that began later than this after now was taken by a wrong clock; clocks that are right differ by less.
const AHEAD: SignedDuration = SignedDuration::from_hours(1);

/// What to keep, of each series for itself. A zero is no rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// The newest so many.
    pub last: u32,
    /// The newest one of each of so many hours. Here and below only hours, days, … that have a snapshot count, in UTC.
    pub hourly: u32,
    /// The newest one of each of so many days.
    pub daily: u32,
    /// The newest one of each of so many weeks by ISO 8601: from Monday on, counted in the year that holds their Thursday.
    pub weekly: u32,
    /// The newest one of each of so many months.
    pub monthly: u32,
    /// The newest one of each of so many years.
    pub yearly: u32,
    /// All that are at most so much older than the newest one: not older than now, so that nothing ages while nothing new comes.
    pub within: Option<Duration>,
}

impl Rules {
    /// Fails with [`ErrorKind::Usage`] when there is no rule at all: keeping nothing is never what was meant.
    pub fn validate(&self) -> Result<()> {
        if *self == Self::default() {
            return Err(Error::new(ErrorKind::Usage, "no rule says what to keep").hint(
                "Say it with --keep-last, --keep-daily, --keep-weekly or the like; without --dry-run the rest is removed.",
            ));
        }
        Ok(())
    }
}

/// A snapshot as retention sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken<'a> {
    /// The series that it belongs to: others have no say in whether it stays.
    pub series: &'a Series,
    /// Its id.
    pub id: &'a str,
    /// Its time, for all rules.
    pub started: Timestamp,
    /// Whether anything is missing.
    pub outcome: Outcome,
}

impl<'a> From<&'a Manifest> for Taken<'a> {
    fn from(manifest: &'a Manifest) -> Self {
        Self {
            series: &manifest.series,
            id: &manifest.id,
            started: manifest.started,
            outcome: manifest.outcome,
        }
    }
}

impl Taken<'_> {
    fn is_complete(&self) -> bool {
        self.outcome == Outcome::Complete
    }
}

/// What becomes of a snapshot, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It stays: every reason, at least one.
    Keep(Vec<Reason>),
    /// It goes: no rule names it, be it complete or not.
    Remove(Outcome),
}

/// Why a snapshot stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It is among the newest.
    Last,
    /// It is the newest one of an hour, a day, a week, a month or a year.
    Newest(Span, String),
    /// It is hardly older than the newest one.
    Within(Duration),
    /// No rule names it, and its series has nothing newer that is complete.
    LastGood,
    /// It is of the future. A wrong clock took it, so that its time means nothing: it stays until that time has come, and
    /// for the rules it is not there.
    Future,
}

/// What is kept one of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A week by ISO 8601.
    Week,
    /// A month.
    Month,
    /// A year.
    Year,
}

impl Span {
    /// The one that holds `time`, in UTC: `2026-11-21T03`, `2026-11-21`, `2026-W47`, `2026-11` or `2026`.
    fn of(self, time: Timestamp) -> String {
        let utc = time.to_zoned(TimeZone::UTC);
        let format = match self {
            Self::Hour => "%Y-%m-%dT%H",
            Self::Day => "%Y-%m-%d",
            Self::Week => "%G-W%V",
            Self::Month => "%Y-%m",
            Self::Year => "%Y",
        };
        utc.strftime(format).to_string()
    }
}

/// Decides for each snapshot of `history`, in whatever order they come; the decisions are in the same order.
///
/// Complete snapshots are judged as if there were no others. One with problems never takes the place of a complete one: a rule of
/// N names it only where, of the newest N hours, days, … of the series, its own has nothing complete. So a series that never is
/// complete keeps as many as any other, and what a bad time left goes as it grows old.
///
/// Whatever the rules say, the newest complete snapshot of a series stays, or without any the newest one; and so does what is of
/// the future, which counts for nothing.
pub fn decide(history: &[Taken<'_>], rules: &Rules, now: Timestamp) -> Vec<Decision> {
    let mut reasons: Vec<Vec<Reason>> = vec![Vec::new(); history.len()];
    let mut series: BTreeMap<&Series, Vec<usize>> = BTreeMap::new();
    for (at, taken) in history.iter().enumerate() {
        if taken.started > now + AHEAD {
            reasons[at].push(Reason::Future);
        } else {
            series.entry(taken.series).or_default().push(at);
        }
    }
    for mut newest_first in series.into_values() {
        newest_first.sort_by_key(|&at| std::cmp::Reverse((history[at].started, history[at].id)));
        name(history, &newest_first, rules, &mut reasons);
    }
    reasons
        .into_iter()
        .zip(history)
        .map(|(reasons, taken)| match reasons.is_empty() {
            true => Decision::Remove(taken.outcome),
            false => Decision::Keep(reasons),
        })
        .collect()
}

/// Gives the snapshots of one series their reasons.
fn name(history: &[Taken<'_>], newest_first: &[usize], rules: &Rules, reasons: &mut [Vec<Reason>]) {
    let complete = |at: &usize| history[*at].is_complete();
    // Each snapshot is a group of its own.
    for at in representatives(newest_first.chunks(1), rules.last, complete) {
        reasons[at].push(Reason::Last);
    }
    for (span, count) in [
        (Span::Hour, rules.hourly),
        (Span::Day, rules.daily),
        (Span::Week, rules.weekly),
        (Span::Month, rules.monthly),
        (Span::Year, rules.yearly),
    ] {
        let of = |at: usize| span.of(history[at].started);
        let groups = newest_first.chunk_by(|a, b| of(*a) == of(*b));
        for at in representatives(groups, count, complete) {
            reasons[at].push(Reason::Newest(span, of(at)));
        }
    }
    let newest = newest_first.first();
    let newest_complete = newest_first.iter().find(|at| complete(at));
    if let Some(within) = rules.within {
        // An age that no calendar knows is as good as any.
        let limit = SignedDuration::try_from(within).unwrap_or(SignedDuration::MAX);
        for &at in newest_first {
            let anchor = if complete(&at) {
                newest_complete
            } else {
                newest
            };
            let age = anchor.map(|&a| history[a].started.duration_since(history[at].started));
            if age.is_some_and(|age| age <= limit) {
                reasons[at].push(Reason::Within(within));
            }
        }
    }
    if let Some(&at) = newest_complete.or(newest)
        && reasons[at].is_empty()
    {
        reasons[at].push(Reason::LastGood);
    }
}

/// Of groups, the newest first: the newest complete member of each of the newest `count` groups that have one; and of the newest
/// `count` groups of all, the newest member of each that has none.
fn representatives<'a>(
    groups: impl Iterator<Item = &'a [usize]>,
    count: u32,
    complete: impl Fn(&usize) -> bool,
) -> Vec<usize> {
    let (mut all, mut good) = (0, 0);
    let mut found = Vec::new();
    for group in groups {
        if good == count {
            break;
        }
        if let Some(at) = group.iter().find(|at| complete(at)) {
            good += 1;
            found.push(*at);
        } else if all < count {
            found.push(group[0]);
        }
        all = all.saturating_add(1);
    }
    found
}

impl Decision {
    /// Whether it stays.
    pub fn keeps(&self) -> bool {
        matches!(self, Self::Keep(_))
    }

    /// Every reason, in words.
    pub fn reasons(&self) -> Vec<String> {
        match self {
            Self::Keep(reasons) => reasons.iter().map(Reason::to_string).collect(),
            Self::Remove(Outcome::Complete) => vec!["no rule names it".to_owned()],
            Self::Remove(Outcome::CompleteWithProblems) => {
                vec!["no rule names it (it has problems)".to_owned()]
            }
        }
    }
}

impl Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.keeps() { "keep" } else { "remove" };
        write!(f, "{verb}: {}", self.reasons().join(", "))
    }
}

impl Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Last => f.write_str("last"),
            Self::Newest(span, which) => {
                let rule = match span {
                    Span::Hour => "hourly",
                    Span::Day => "daily",
                    Span::Week => "weekly",
                    Span::Month => "monthly",
                    Span::Year => "yearly",
                };
                write!(f, "{rule} {which}")
            }
            Self::Within(age) => match age.as_secs() {
                seconds if seconds % 86_400 == 0 => write!(f, "within {}d", seconds / 86_400),
                seconds if seconds % 3600 == 0 => write!(f, "within {}h", seconds / 3600),
                seconds => write!(f, "within {seconds}s"),
            },
            Self::LastGood => f.write_str("last good"),
            Self::Future => f.write_str("in the future: counts for nothing"),
        }
    }
}
