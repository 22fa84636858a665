//! Which of several replicas acts: the one that holds a Lease.
//!
//! Nobody's clock is believed but one's own, and of that only how far it has gone on. Who wants the lease counts from when
//! it saw the record change; who has it counts from when it sent the renewal that was granted, which is before anyone
//! can have seen it. The one stops after [`Timing::give_up`], the other begins after the whole time of the lease: as long as
//! no clock goes a fifth faster or slower than true, the two never act at once.

mod elector;
#[cfg(test)]
mod simulation;

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::{Api, PostParams};
use kube::{Client, Error, ResourceExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub use elector::{Decision, Moment, Record, Timing, decide};
use elector::{Elector, Request, Write};

/// One replica's part in the election.
#[derive(Debug)]
pub struct Election {
    api: Api<Lease>,
    name: String,
    me: String,
    timing: Timing,
    /// Until when this one leads.
    until: watch::Sender<Option<Instant>>,
}

/// Whether to act. Clones tell the same.
#[derive(Debug, Clone)]
pub struct Lead {
    /// None: there is no election.
    until: Option<watch::Receiver<Option<Instant>>>,
    told: bool,
}

impl Lead {
    /// Of the only replica there is.
    pub fn always() -> Self {
        Self {
            until: None,
            told: false,
        }
    }

    /// Whether to act now. It is asked before each step, and no step takes longer than the lease is given up early: 10 s.
    pub fn holds(&self) -> bool {
        // The clock decides, so that a program that was stopped for a while doesn't go on with an old answer.
        (self.until.as_ref())
            .is_none_or(|until| until.borrow().is_some_and(|end| Instant::now() < end))
    }

    /// Waits until the answer is another one than this told last, which is no to begin with, and tells it. May be
    /// dropped and called again.
    pub async fn turned(&mut self) -> bool {
        loop {
            let holds = self.holds();
            if self.told != holds {
                self.told = holds;
                return holds;
            }
            let over = match &mut self.until {
                Some(until) => until.changed().await.is_err(),
                None => true,
            };
            if over {
                match self.until.as_ref().and_then(|until| *until.borrow()) {
                    Some(end) if self.holds() => sleep_until(end).await,
                    _ if self.told == self.holds() => std::future::pending().await,
                    _ => {}
                }
            }
        }
    }
}

/// What became of a request.
enum Answer {
    Record(Record),
    Absent,
    /// Somebody else was first.
    Lost,
    /// It may have been carried out, or not.
    Failed,
}

impl Election {
    /// Of the Lease `name` in `namespace`. No other replica may have the same `identity`.
    pub fn new(client: Client, namespace: &str, name: &str, identity: &str) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            name: name.to_owned(),
            me: identity.to_owned(),
            timing: Timing::default(),
            until: watch::Sender::new(None),
        }
    }

    /// What the one asks that is to act.
    pub fn lead(&self) -> Lead {
        Lead {
            until: Some(self.until.subscribe()),
            told: false,
        }
    }

    /// The same with other times.
    #[must_use]
    pub fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// Takes part until `stop`. Then the lease is handed back, and another replica has it within seconds: cancel `stop`
    /// when nothing acts any more. No error ends this; each is logged, and what it costs is the lead.
    pub async fn run(self, stop: CancellationToken) {
        let start = Instant::now();
        let mut elector = Elector::new(&self.me, self.timing);
        let mut holder = None;
        // What is to be done now; else when to begin anew.
        let mut next = Ok(elector.begin());
        loop {
            let work = async {
                match &next {
                    Ok(request) => Some(self.perform(request, start).await),
                    Err(wake) => {
                        sleep_until(start + *wake).await;
                        None
                    }
                }
            };
            let end = *self.until.borrow();
            let worked = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = sleep_until(end.unwrap_or(start)), if end.is_some() => {
                    warn!(lease = self.name, "no longer leading: the lease could not be renewed in time");
                    self.until.send_replace(None);
                    continue;
                }
                worked = work => worked,
            };
            let now = start.elapsed();
            next = match worked {
                None => Ok(elector.begin()),
                Some((_, Answer::Record(record))) if next == Ok(Request::Read) => {
                    elector.found(Some(record), now)
                }
                Some((sent, Answer::Record(record))) => Err(elector.granted(record, sent, now)),
                Some((_, Answer::Absent)) => elector.found(None, now),
                Some((_, Answer::Lost)) => elector.lost(now),
                Some((_, Answer::Failed)) => Err(elector.failed(now)),
            };
            if holder.as_deref() != elector.holder() {
                holder = elector.holder().map(str::to_owned);
                info!(
                    lease = self.name,
                    holder,
                    me = self.me,
                    "the lease has another holder"
                );
            }
            let until = elector.leads_until().filter(|until| *until > now);
            self.until.send_replace(until.map(|until| start + until));
        }
        self.until.send_replace(None);
        self.release(elector, start).await;
    }

    /// Twice, since a renewal that was under way may have come first.
    async fn release(&self, mut elector: Elector, start: Instant) {
        for _ in 0..2 {
            let Some(write) = elector.release() else {
                return;
            };
            match self.perform(&Request::Write(write), start).await.1 {
                Answer::Record(_) => {
                    info!(lease = self.name, "released");
                    return;
                }
                Answer::Failed => return,
                Answer::Lost | Answer::Absent => {}
            }
            match self.perform(&Request::Read, start).await.1 {
                // Nothing is begun any more: only the record counts.
                Answer::Record(record) => drop(elector.found(Some(record), start.elapsed())),
                _ => return,
            }
        }
    }

    /// Carries it out, and tells when it was sent.
    async fn perform(&self, request: &Request, start: Instant) -> (Moment, Answer) {
        let sent = start.elapsed();
        let done = async {
            match request {
                Request::Read => self.api.get(&self.name).await,
                Request::Write(write) => {
                    let lease = lease(&self.name, write, Timestamp::now());
                    match write.over {
                        None => self.api.create(&PostParams::default(), &lease).await,
                        Some(_) => {
                            let params = PostParams::default();
                            self.api.replace(&self.name, &params, &lease).await
                        }
                    }
                }
            }
        };
        let answer = match timeout(self.timing.retry, done).await {
            Ok(Ok(lease)) => Answer::Record(record(&lease, self.timing.lease)),
            Ok(Err(Error::Api(status)))
                if status.code == 404 && matches!(request, Request::Read) =>
            {
                Answer::Absent
            }
            Ok(Err(Error::Api(status))) if matches!(status.code, 404 | 409) => Answer::Lost,
            Ok(Err(error)) => {
                warn!(lease = self.name, %error, "the lease can't be reached");
                Answer::Failed
            }
            Err(_) => {
                warn!(lease = self.name, "the lease can't be reached: no answer");
                Answer::Failed
            }
        };
        (sent, answer)
    }
}

fn record(lease: &Lease, usual: Duration) -> Record {
    let spec = lease.spec.clone().unwrap_or_default();
    let seconds = (spec.lease_duration_seconds)
        .and_then(|seconds| u64::try_from(seconds).ok())
        .filter(|seconds| *seconds > 0);
    Record {
        holder: spec.holder_identity.filter(|holder| !holder.is_empty()),
        lasts: seconds.map_or(usual, Duration::from_secs),
        acquired: spec.acquire_time.map(|time| time.0),
        transitions: spec.lease_transitions.unwrap_or_default(),
        version: lease.resource_version().unwrap_or_default(),
    }
}

fn lease(name: &str, write: &Write, now: Timestamp) -> Lease {
    let seconds = write.lasts.as_secs().max(1);
    Lease {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            resource_version: write.over.clone(),
            ..ObjectMeta::default()
        },
        spec: Some(LeaseSpec {
            // Kubernetes takes no empty name, and another replica takes no name for nobody's.
            holder_identity: write.holder.clone(),
            lease_duration_seconds: i32::try_from(seconds).ok(),
            acquire_time: Some(MicroTime(write.acquired.unwrap_or(now))),
            renew_time: Some(MicroTime(now)),
            lease_transitions: Some(write.transitions),
            ..LeaseSpec::default()
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::Fake;

    const QUICK: Timing = Timing {
        lease: Duration::from_secs(2),
        renew: Duration::from_millis(100),
        retry: Duration::from_millis(100),
        give_up: Duration::from_millis(1000),
    };
    const PATH: &str = "/apis/coordination.k8s.io/v1/namespaces/ksnapshot/leases/turns";

    struct Replica {
        lead: Lead,
        stop: CancellationToken,
        task: tokio::task::JoinHandle<()>,
    }

    fn start(cluster: &Fake, name: &str) -> Replica {
        let election = Election::new(cluster.client(), "ksnapshot", "turns", name).timing(QUICK);
        let (lead, stop) = (election.lead(), CancellationToken::new());
        let task = tokio::spawn(election.run(stop.clone()));
        Replica { lead, stop, task }
    }

    async fn within(seconds: u64, lead: &mut Lead) -> bool {
        let turned = timeout(Duration::from_secs(seconds), lead.turned());
        turned.await.expect("it turns in time")
    }

    #[tokio::test]
    async fn the_lease_goes_from_one_to_the_other() {
        let cluster = Fake::start().await;
        let mut one = start(&cluster, "one");
        assert!(within(5, &mut one.lead).await);
        let mut two = start(&cluster, "two");
        let renewed = |cluster: &Fake| cluster.object(PATH)["spec"]["renewTime"].clone();
        let before = renewed(&cluster);
        cluster.until(|cluster| renewed(cluster) != before).await;
        assert!(one.lead.holds() && !two.lead.holds());
        let spec = cluster.object(PATH)["spec"].clone();
        assert_eq!(spec["holderIdentity"], "one");
        assert_eq!(spec["leaseDurationSeconds"], 2);
        assert_eq!(spec["leaseTransitions"], 0);

        let stopped = Instant::now();
        one.stop.cancel();
        assert!(within(5, &mut two.lead).await);
        assert!(stopped.elapsed() < QUICK.lease, "it was handed over");
        assert!(!one.lead.holds());
        one.task.await.expect("it ends");
        let spec = cluster.object(PATH)["spec"].clone();
        assert_eq!(
            (&spec["holderIdentity"], &spec["leaseTransitions"]),
            (&"two".into(), &1.into())
        );
    }

    #[tokio::test]
    async fn who_can_not_renew_stops_before_another_begins() {
        let cluster = Fake::start().await;
        let mut one = start(&cluster, "one");
        assert!(within(5, &mut one.lead).await);
        cluster.set_down(true);
        assert!(!within(5, &mut one.lead).await, "it gave up");
        // It was killed, and another is there when the cluster comes back.
        one.task.abort();
        let mut two = start(&cluster, "two");
        cluster.set_down(false);
        let back = Instant::now();
        assert!(within(10, &mut two.lead).await);
        assert!(
            back.elapsed() > QUICK.lease - QUICK.retry,
            "it counted from what it saw"
        );
    }

    #[tokio::test]
    async fn a_deleted_lease_comes_back_to_who_leads() {
        let cluster = Fake::start().await;
        let mut one = start(&cluster, "one");
        assert!(within(5, &mut one.lead).await);
        let two = start(&cluster, "two");
        cluster
            .until(|cluster| cluster.asked("GET", PATH) >= 3)
            .await;
        cluster.delete(PATH);
        cluster
            .until(|cluster| !cluster.object(PATH).is_null())
            .await;
        assert_eq!(cluster.object(PATH)["spec"]["holderIdentity"], "one");
        assert!(one.lead.holds() && !two.lead.holds());
    }

    #[tokio::test]
    async fn the_only_replica_always_leads() {
        let mut lead = Lead::always();
        assert!(lead.holds());
        assert!(lead.turned().await);
        let again = timeout(Duration::from_millis(20), lead.turned());
        again.await.expect_err("it never turns again");
    }
}
