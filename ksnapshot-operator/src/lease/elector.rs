//! What to do about the lease, by values alone: no clock, no cluster.

use std::time::Duration;

use jiff::Timestamp;

/// How far one's own clock has gone on since the start.
pub type Moment = Duration;

/// How long everything takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How long a lease that isn't renewed stays its holder's.
    pub lease: Duration,
    /// How often it is renewed.
    pub renew: Duration,
    /// After how long what failed is tried again, and a lease of somebody else looked at.
    pub retry: Duration,
    /// After how long without a renewal the holder stops leading. Less than `lease`, by more than clocks differ.
    pub give_up: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            renew: Duration::from_secs(10),
            retry: Duration::from_secs(5),
            give_up: Duration::from_secs(20),
        }
    }
}

/// A Lease, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Who leads; nobody after a release.
    pub holder: Option<String>,
    /// How long it is the holder's after a renewal.
    pub lasts: Duration,
    /// When the holder got it, by the holder's clock. It is for people.
    pub acquired: Option<Timestamp>,
    /// How often it went to somebody else.
    pub transitions: i32,
    /// Each write gives it another one.
    pub version: String,
}

/// What to do about a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// There is none: make it.
    Create,
    /// It is nobody's any more: take it.
    Take,
    /// It is ours: renew it.
    Renew,
    /// It is somebody else's, until then at least.
    Wait(Moment),
}

/// What `me` is to do at `now` about a record that is as it is since `observed_at`, or longer.
pub fn decide(record: Option<&Record>, me: &str, now: Moment, observed_at: Moment) -> Decision {
    let Some(record) = record else {
        return Decision::Create;
    };
    match &record.holder {
        None => Decision::Take,
        Some(holder) if holder == me => Decision::Renew,
        Some(_) if now >= observed_at + record.lasts => Decision::Take,
        Some(_) => Decision::Wait(observed_at + record.lasts),
    }
}

/// What a replica knows of the lease, and what it asks for next.
///
/// Nobody deletes the lease but a person. Once is survived by those that have seen it; one that begins just then, or sees
/// nothing of it between two deletions, can't know of a leader.
#[derive(Debug)]
pub(super) struct Elector {
    me: String,
    timing: Timing,
    /// The record, and when it was first seen so.
    seen: Option<(Record, Moment)>,
    /// A write was refused: what was seen is no more.
    outdated: bool,
    /// Since when there is no record, though there was one.
    gone: Option<Moment>,
    leads_until: Option<Moment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Request {
    Read,
    Write(Write),
}

/// A record to write, over the one of a version: if that is no more, nothing is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Write {
    pub(super) over: Option<String>,
    pub(super) holder: Option<String>,
    pub(super) lasts: Duration,
    /// None: now.
    pub(super) acquired: Option<Timestamp>,
    pub(super) transitions: i32,
}

/// What comes next: a request now, or a wait until then.
pub(super) type Next = Result<Request, Moment>;

impl Elector {
    pub(super) fn new(me: &str, timing: Timing) -> Self {
        Self {
            me: me.to_owned(),
            timing,
            seen: None,
            outdated: false,
            gone: None,
            leads_until: None,
        }
    }

    /// The first request of an attempt. Who has the lease need not read it.
    pub(super) fn begin(&self) -> Request {
        match &self.seen {
            Some((record, _)) if self.is_mine(record) && !self.outdated => {
                Request::Write(self.renewal(record))
            }
            _ => Request::Read,
        }
    }

    /// This is the record now.
    pub(super) fn found(&mut self, record: Option<Record>, now: Moment) -> Next {
        let soon = now + self.timing.retry;
        let Some(record) = record else {
            let leads = self.leads_until.is_some_and(|until| now < until);
            if self.seen.is_none() || leads {
                return Ok(Request::Write(self.claim(None)));
            }
            // Deleted, by whomever. Who leads may not have heard of it yet.
            let end = *self.gone.get_or_insert(now) + self.timing.lease;
            if now >= end {
                return Ok(Request::Write(self.claim(None)));
            }
            return Err(soon.min(end));
        };
        (self.outdated, self.gone) = (false, None);
        if self
            .seen
            .as_ref()
            .is_none_or(|(last, _)| last.version != record.version)
        {
            self.seen = Some((record, now));
        }
        let (record, at) = self.seen.as_ref().expect("it was set");
        let decision = decide(Some(record), &self.me, now, *at);
        let next = match decision {
            Decision::Create | Decision::Take => Ok(Request::Write(self.claim(Some(record)))),
            Decision::Renew => Ok(Request::Write(self.renewal(record))),
            Decision::Wait(end) => Err(soon.min(end)),
        };
        if decision != Decision::Renew {
            self.leads_until = None;
        }
        next
    }

    /// What was sent then has been written, and reads like this.
    pub(super) fn granted(&mut self, record: Record, sent: Moment, now: Moment) -> Moment {
        self.leads_until = Some(sent + self.timing.give_up);
        self.seen = Some((record, now));
        (self.outdated, self.gone) = (false, None);
        sent + self.timing.renew
    }

    /// What was sent was not written: the record had changed.
    pub(super) fn lost(&mut self, now: Moment) -> Next {
        let again = !self.outdated && self.holder() == Some(&self.me);
        self.outdated = true;
        if again {
            return Ok(Request::Read);
        }
        Err(now + self.timing.retry)
    }

    /// Nobody knows what became of what was sent.
    pub(super) fn failed(&self, now: Moment) -> Moment {
        now + self.timing.retry
    }

    /// Stops leading. What hands the lease back, if it is ours to hand back.
    pub(super) fn release(&mut self) -> Option<Write> {
        self.leads_until = None;
        let (record, _) = self.seen.as_ref()?;
        self.is_mine(record).then(|| Write {
            holder: None,
            ..self.renewal(record)
        })
    }

    /// Until then this one leads, if it isn't past.
    pub(super) fn leads_until(&self) -> Option<Moment> {
        self.leads_until
    }

    pub(super) fn holder(&self) -> Option<&str> {
        self.seen.as_ref()?.0.holder.as_deref()
    }

    fn is_mine(&self, record: &Record) -> bool {
        record.holder.as_ref() == Some(&self.me)
    }

    fn renewal(&self, record: &Record) -> Write {
        Write {
            over: Some(record.version.clone()),
            holder: Some(self.me.clone()),
            lasts: self.timing.lease,
            acquired: record.acquired,
            transitions: record.transitions,
        }
    }

    fn claim(&self, over: Option<&Record>) -> Write {
        Write {
            over: over.map(|record| record.version.clone()),
            holder: Some(self.me.clone()),
            lasts: self.timing.lease,
            acquired: None,
            transitions: over.map_or(0, |record| record.transitions.saturating_add(1)),
        }
    }
}
