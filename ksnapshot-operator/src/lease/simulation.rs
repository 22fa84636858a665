//! Replicas with clocks of their own, a network that delays and loses, and a server: never do two lead at once.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::elector::{Elector, Moment, Next, Record, Request, Timing};

/// Microseconds of true time.
type Instant = u64;

const SECOND: Instant = 1_000_000;

/// How the network is: the chance that a message is lost, and how late one is.
#[derive(Debug, Clone, Copy)]
struct Network {
    lost: f64,
    late: f64,
    longest: Instant,
}

const HEALTHY: Network = Network {
    lost: 0.0,
    late: 0.0,
    longest: SECOND / 20,
};

#[derive(Debug)]
enum Event {
    /// A request reaches the server.
    Arrives(usize, Attempt, Request),
    Answered(usize, Attempt, Reply),
    /// Nobody waits for the answer any more.
    Expires(usize, Attempt),
    Wakes(usize, Attempt),
    Crashes(usize),
    Starts(usize),
    Stops(usize),
    /// From now on nothing comes through, or all does again.
    IsCutOff(usize, bool),
}

#[derive(Debug)]
enum Reply {
    Record(Option<Record>),
    Written(Record),
    Lost,
}

/// Tells answers to what is still waited for from others.
type Attempt = u64;

struct Replica {
    elector: Elector,
    /// How fast its clock goes, and where it stood at the start.
    rate: f64,
    born: Instant,
    attempt: Attempt,
    sent: Moment,
    up: bool,
    cut_off: bool,
    /// From when to when it led; the end of the last is what it will be.
    led: Vec<(Instant, Instant)>,
}

impl Replica {
    fn local(&self, at: Instant) -> Moment {
        Duration::from_secs_f64((at - self.born) as f64 / 1e6 * self.rate)
    }

    fn truly(&self, moment: Moment) -> Instant {
        self.born + (moment.as_secs_f64() / self.rate * 1e6).round() as Instant
    }

    /// As the election tells it after each step.
    fn tell(&mut self, now: Instant) {
        if let Some((_, end)) = self.led.last_mut() {
            *end = (*end).min(now);
        }
        if let Some(until) = self.elector.leads_until() {
            let until = self.truly(until);
            if until > now {
                match self.led.last_mut() {
                    Some((_, end)) if *end == now => *end = until,
                    _ => self.led.push((now, until)),
                }
            }
        }
    }
}

struct World {
    timing: Timing,
    network: Network,
    rng: StdRng,
    now: Instant,
    events: BinaryHeap<Reverse<(Instant, u64, usize)>>,
    /// What the heap's numbers mean.
    pending: Vec<Option<Event>>,
    record: Option<Record>,
    version: u64,
    replicas: Vec<Replica>,
}

impl World {
    fn new(seed: u64, timing: Timing, network: Network, rates: &[f64]) -> Self {
        let mut world = Self {
            timing,
            network,
            rng: StdRng::seed_from_u64(seed),
            now: 0,
            events: BinaryHeap::new(),
            pending: Vec::new(),
            record: None,
            version: 0,
            replicas: Vec::new(),
        };
        for (index, rate) in rates.iter().enumerate() {
            world.replicas.push(Replica {
                elector: Elector::new(&index.to_string(), timing),
                rate: *rate,
                born: 0,
                attempt: 0,
                sent: Moment::ZERO,
                up: false,
                cut_off: false,
                led: Vec::new(),
            });
            let start = world.rng.random_range(0..SECOND * 10);
            world.at(start, Event::Starts(index));
        }
        world
    }

    fn at(&mut self, when: Instant, event: Event) {
        let index = self.pending.len();
        self.pending.push(Some(event));
        let order = self.rng.random();
        self.events.push(Reverse((when, order, index)));
    }

    /// After how long a message arrives, if it does.
    fn trip(&mut self, who: usize) -> Option<Instant> {
        if self.replicas[who].cut_off || self.rng.random_bool(self.network.lost) {
            return None;
        }
        let late = self.rng.random_bool(self.network.late);
        let longest = if late {
            self.network.longest
        } else {
            SECOND / 20
        };
        Some(self.rng.random_range(1..=longest))
    }

    fn run_until(&mut self, end: Instant) {
        while let Some(Reverse((when, _, index))) = self.events.pop() {
            if when > end {
                self.events.push(Reverse((when, 0, index)));
                break;
            }
            self.now = when;
            let event = self.pending[index].take().expect("each comes once");
            self.happens(event);
        }
        self.now = end;
    }

    fn happens(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::Arrives(who, attempt, request) => {
                let reply = self.serve(request);
                if let Some(trip) = self.trip(who) {
                    self.at(now + trip, Event::Answered(who, attempt, reply));
                }
            }
            Event::Answered(who, attempt, reply) if self.waits(who, attempt) => {
                let replica = &mut self.replicas[who];
                let local = replica.local(now);
                let elector = &mut replica.elector;
                let next = match reply {
                    Reply::Record(record) => elector.found(record, local),
                    Reply::Written(record) => Err(elector.granted(record, replica.sent, local)),
                    Reply::Lost => elector.lost(local),
                };
                self.proceed(who, next);
            }
            Event::Expires(who, attempt) if self.waits(who, attempt) => {
                let replica = &mut self.replicas[who];
                let next = Err(replica.elector.failed(replica.local(now)));
                self.proceed(who, next);
            }
            Event::Wakes(who, attempt) if self.waits(who, attempt) => {
                let next = Ok(self.replicas[who].elector.begin());
                self.proceed(who, next);
            }
            Event::Starts(who) if !self.replicas[who].up => {
                let replica = &mut self.replicas[who];
                replica.up = true;
                replica.born = now;
                replica.elector = Elector::new(&who.to_string(), self.timing);
                let next = Ok(replica.elector.begin());
                self.proceed(who, next);
            }
            Event::Crashes(who) => {
                let replica = &mut self.replicas[who];
                replica.up = false;
                replica.attempt += 1;
                if let Some((_, end)) = replica.led.last_mut() {
                    *end = (*end).min(now);
                }
            }
            Event::IsCutOff(who, is) => self.replicas[who].cut_off = is,
            Event::Stops(who) if self.replicas[who].up => {
                self.happens(Event::Crashes(who));
                self.release(who);
            }
            // A release that came after a renewal: once more.
            Event::Answered(who, attempt, reply) if self.replicas[who].attempt == attempt => {
                match reply {
                    Reply::Lost => self.send(who, Request::Read),
                    Reply::Record(record) => {
                        let replica = &mut self.replicas[who];
                        let local = replica.local(now);
                        drop(replica.elector.found(record, local));
                        self.release(who);
                    }
                    Reply::Written(_) => {}
                }
            }
            _ => {}
        }
    }

    /// Of one that has stopped.
    fn release(&mut self, who: usize) {
        if let Some(write) = self.replicas[who].elector.release() {
            self.send(who, Request::Write(write));
        }
    }

    fn send(&mut self, who: usize, request: Request) {
        if let Some(trip) = self.trip(who) {
            let attempt = self.replicas[who].attempt;
            self.at(self.now + trip, Event::Arrives(who, attempt, request));
        }
    }

    fn waits(&self, who: usize, attempt: Attempt) -> bool {
        self.replicas[who].up && self.replicas[who].attempt == attempt
    }

    fn proceed(&mut self, who: usize, next: Next) {
        let (now, retry) = (self.now, self.timing.retry);
        let replica = &mut self.replicas[who];
        replica.tell(now);
        replica.attempt += 1;
        let attempt = replica.attempt;
        match next {
            Ok(request) => {
                replica.sent = replica.local(now);
                let expires = replica.truly(replica.sent + retry);
                self.at(expires, Event::Expires(who, attempt));
                self.send(who, request);
            }
            Err(wake) => {
                let wake = replica.truly(wake).max(now + 1);
                self.at(wake, Event::Wakes(who, attempt));
            }
        }
    }

    /// As the API server does.
    fn serve(&mut self, request: Request) -> Reply {
        let Request::Write(write) = request else {
            return Reply::Record(self.record.clone());
        };
        if write.over != self.record.as_ref().map(|record| record.version.clone()) {
            return Reply::Lost;
        }
        self.version += 1;
        let record = Record {
            holder: write.holder,
            lasts: write.lasts,
            acquired: write.acquired,
            transitions: write.transitions,
            version: self.version.to_string(),
        };
        self.record = Some(record.clone());
        Reply::Written(record)
    }

    /// Who leads now.
    fn leader(&self) -> Option<usize> {
        let now = self.now;
        let leads = |replica: &Replica| {
            replica
                .led
                .iter()
                .any(|(start, end)| *start <= now && now < *end)
        };
        self.replicas.iter().position(leads)
    }

    /// Two who led at once, if ever any did.
    fn clash(&self) -> Option<String> {
        let mut all: Vec<_> = (self.replicas.iter().enumerate())
            .flat_map(|(who, replica)| replica.led.iter().map(move |led| (*led, who)))
            .collect();
        all.sort_unstable();
        let clash = all.windows(2).find(|pair| pair[1].0.0 < pair[0].0.1);
        clash.map(|pair| format!("{pair:?}"))
    }
}

/// Most of what goes wrong does so between the slowest and the fastest.
fn rates(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(prop_oneof![Just(0.85), Just(1.15), 0.85..1.15_f64], count)
}

fn network() -> impl Strategy<Value = Network> {
    (0.0..0.5_f64, 0.0..0.9_f64, prop_oneof![2..8_u64, 1..90_u64]).prop_map(
        |(lost, late, longest)| Network {
            lost,
            late,
            longest: longest * SECOND,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn two_never_lead_at_once(
        seed: u64,
        network in network(),
        rates in rates(2..4),
        faults in prop::collection::vec((0..3600_u64, 0..4_usize, 0..8_u8, 1..60_u64), 0..60),
    ) {
        let mut world = World::new(seed, Timing::default(), network, &rates);
        for (when, who, fault, back) in faults {
            let (when, who) = (when * SECOND, who % rates.len());
            let back = when + back * SECOND;
            let (ends, begins) = match fault {
                0 => (Event::Stops(who), Event::Starts(who)),
                1 => (Event::Crashes(who), Event::Starts(who)),
                _ => (Event::IsCutOff(who, true), Event::IsCutOff(who, false)),
            };
            world.at(when, ends);
            world.at(back, begins);
        }
        world.run_until(3600 * SECOND);
        prop_assert_eq!(world.clash(), None);
    }

    #[test]
    fn nor_when_the_lease_is_deleted(
        seed: u64,
        network in network(),
        rates in rates(2..4),
        deleted in 60..1200_u64,
    ) {
        let mut world = World::new(seed, Timing::default(), network, &rates);
        world.run_until(deleted * SECOND);
        // One that has never seen it would take it to be new.
        prop_assume!(world.replicas.iter().all(|replica| replica.elector.holder().is_some()));
        world.record = None;
        world.run_until(world.now + 120 * SECOND);
        prop_assert_eq!(world.clash(), None);
    }

    #[test]
    fn somebody_leads_soon_where_nothing_is_wrong(seed: u64, rates in rates(1..4)) {
        let mut world = World::new(seed, Timing::default(), HEALTHY, &rates);
        world.run_until(17 * SECOND);
        let first = world.leader();
        prop_assert!(first.is_some());
        for minute in 1..20 {
            world.run_until(minute * 60 * SECOND);
            prop_assert_eq!(world.leader(), first, "it stays");
        }
    }

    #[test]
    fn the_lead_goes_over(seed: u64, rates in rates(2..4), graceful: bool) {
        let mut world = World::new(seed, Timing::default(), HEALTHY, &rates);
        world.run_until(60 * SECOND);
        let first = world.leader().expect("somebody leads");
        world.at(world.now, if graceful { Event::Stops(first) } else { Event::Crashes(first) });
        // At once where it is handed over; else when the lease is over: by the slowest clock, and the next look.
        world.run_until(60 * SECOND + if graceful { 7 } else { 50 } * SECOND);
        let second = world.leader();
        prop_assert!(second.is_some() && second != Some(first));
        prop_assert_eq!(world.clash(), None);
    }
}
