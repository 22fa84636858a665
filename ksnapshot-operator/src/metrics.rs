//! What Prometheus is told. All of it is rebuilt from what the cluster says, so a restart loses nothing but counters.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use crate::report::RunOutcome;

/// The metrics of the operator. Clones are the same metrics.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    state: Arc<RwLock<State>>,
}

/// What is known of one plan: of the backups, or of the pruning, of one workload. What isn't known has no series.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlanState {
    /// Where the workload is.
    pub namespace: String,
    /// What names the plan in its namespace.
    pub plan: String,
    /// The type: `postgresql`.
    pub kind: String,
    /// Since when there is a plan.
    pub created: Option<Timestamp>,
    /// How long it is from one run to the next, at most.
    pub expected_interval: Option<Duration>,
    /// When the last run that stored something ended. Of a plan that never did there is no series, but one of `created`.
    pub last_success: Option<Timestamp>,
    /// When the last run began, however it ended.
    pub last_attempt: Option<Timestamp>,
    /// When the last run ended that was verified.
    pub last_verified: Option<Timestamp>,
    /// When the next run is due.
    pub next_run: Option<Timestamp>,
    /// How many runs failed since the last one that didn't.
    pub consecutive_failures: u64,
    /// Whether it is held.
    pub suspended: bool,
    /// Of the last success: bytes in the clear.
    pub last_bytes: Option<u64>,
    /// Of the last success: bytes in the bucket.
    pub last_stored_bytes: Option<u64>,
    /// Of the last run that ended.
    pub last_duration: Option<Duration>,
    /// Of the last success: how much of the database could not be read.
    pub last_problems: Option<u64>,
}

/// How many workloads of a namespace have no backup for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unprotected {
    /// Where they are.
    pub namespace: String,
    /// Why; one of a few words.
    pub reason: &'static str,
    /// How many.
    pub workloads: u64,
}

#[derive(Debug, Default)]
struct State {
    /// By namespace, plan and type: a series that is there twice spoils all.
    plans: BTreeMap<[String; 3], PlanState>,
    unprotected: BTreeMap<(String, &'static str), u64>,
    runs: BTreeMap<Run, u64>,
    reconcile_errors: u64,
    reconcile: Option<Duration>,
    leader: bool,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Run {
    namespace: String,
    plan: String,
    result: &'static str,
    reason: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let state = Arc::<RwLock<State>>::default();
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Told(Arc::clone(&state))));
        Self {
            registry: Arc::new(registry),
            state,
        }
    }
}

impl Metrics {
    /// These are all plans; one that isn't among them has no series any more.
    pub fn set_plans(&self, plans: &[PlanState]) {
        let plans: BTreeMap<_, _> = (plans.iter())
            .map(|plan| {
                let labels = [&plan.namespace, &plan.plan, &plan.kind];
                (labels.map(Clone::clone), plan.clone())
            })
            .collect();
        let mut state = self.write();
        let named: BTreeSet<_> = (plans.values())
            .map(|plan| (&plan.namespace, &plan.plan))
            .collect();
        (state.runs).retain(|run, _| named.contains(&(&run.namespace, &run.plan)));
        state.plans = plans;
    }

    /// These are all workloads without a backup.
    pub fn set_unprotected(&self, unprotected: &[Unprotected]) {
        let mut counts = BTreeMap::new();
        for some in unprotected {
            *counts
                .entry((some.namespace.clone(), some.reason))
                .or_default() += some.workloads;
        }
        self.write().unprotected = counts;
    }

    /// A run has ended. The reason is one of a few words, empty where there is none to tell.
    pub fn run_ended(
        &self,
        namespace: &str,
        plan: &str,
        outcome: RunOutcome,
        reason: &'static str,
    ) {
        let run = Run {
            namespace: namespace.to_owned(),
            plan: plan.to_owned(),
            result: match outcome {
                RunOutcome::Complete => "complete",
                RunOutcome::WithProblems => "problems",
                RunOutcome::Failed => "failed",
            },
            reason,
        };
        *self.write().runs.entry(run).or_default() += 1;
    }

    /// A pass has ended, and took this long.
    pub fn reconciled(&self, took: Duration) {
        self.write().reconcile = Some(took);
    }

    /// Something of a pass went wrong.
    pub fn reconcile_failed(&self) {
        self.write().reconcile_errors += 1;
    }

    /// Whether this replica is the one that acts.
    pub fn set_leader(&self, leads: bool) {
        self.write().leader = leads;
    }

    /// All of it, as OpenMetrics.
    pub fn encode(&self) -> String {
        let mut all = String::new();
        text::encode(&mut all, &self.registry).expect("a String takes everything");
        all
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Told(Arc<RwLock<State>>);

enum Value {
    Whole(i64),
    Seconds(f64),
}

type Reading = fn(&PlanState) -> Option<Value>;

/// The gauges of plans, in the order in which they are told.
const PLAN_GAUGES: [(&str, &str, Reading); 12] = [
    (
        "ksnapshot_plan_created_timestamp_seconds",
        "When the plan was made.",
        |plan| time(plan.created),
    ),
    (
        "ksnapshot_plan_expected_interval_seconds",
        "How long it is from one run to the next, at most.",
        |plan| {
            plan.expected_interval
                .map(|i| Value::Seconds(i.as_secs_f64()))
        },
    ),
    (
        "ksnapshot_plan_last_success_timestamp_seconds",
        "When the last run ended that stored a snapshot. No series: none ever did.",
        |plan| time(plan.last_success),
    ),
    (
        "ksnapshot_plan_last_attempt_timestamp_seconds",
        "When the last run began, however it ended.",
        |plan| time(plan.last_attempt),
    ),
    (
        "ksnapshot_plan_last_verified_timestamp_seconds",
        "When the last run ended whose snapshot was verified.",
        |plan| time(plan.last_verified),
    ),
    (
        "ksnapshot_plan_next_run_timestamp_seconds",
        "When the next run is due.",
        |plan| time(plan.next_run),
    ),
    (
        "ksnapshot_plan_consecutive_failures",
        "Runs that failed since the last one that did not.",
        |plan| whole(Some(plan.consecutive_failures)),
    ),
    (
        "ksnapshot_plan_suspended",
        "1: no run is started by the schedule.",
        |plan| whole(Some(plan.suspended.into())),
    ),
    (
        "ksnapshot_plan_last_bytes",
        "Bytes of the last snapshot, in the clear.",
        |plan| whole(plan.last_bytes),
    ),
    (
        "ksnapshot_plan_last_stored_bytes",
        "Bytes of the last snapshot, in the bucket.",
        |plan| whole(plan.last_stored_bytes),
    ),
    (
        "ksnapshot_plan_last_duration_seconds",
        "How long the last run took.",
        |plan| plan.last_duration.map(|d| Value::Seconds(d.as_secs_f64())),
    ),
    (
        "ksnapshot_plan_last_problems",
        "Problems that the last snapshot lists.",
        |plan| whole(plan.last_problems),
    ),
];

fn time(at: Option<Timestamp>) -> Option<Value> {
    at.map(|at| Value::Whole(at.as_second()))
}

fn whole(number: Option<u64>) -> Option<Value> {
    number.map(|number| Value::Whole(i64::try_from(number).unwrap_or(i64::MAX)))
}

/// Names of counters are without `_total` here, those of infos without `_info`: the encoder adds it.
impl Collector for Told {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let state = self.read();
        let mut build = encoder.encode_descriptor(
            "ksnapshot_build",
            "The version of the operator.",
            None,
            MetricType::Info,
        )?;
        build.encode_info(&[("version", env!("CARGO_PKG_VERSION"))])?;
        gauge(
            &mut encoder,
            "ksnapshot_leader",
            "1: this replica acts, the others stand by.",
        )?
        .encode_gauge(&i64::from(state.leader))?;

        encoder
            .encode_descriptor(
                "ksnapshot_reconcile_errors",
                "What went wrong when the cluster was brought to what is wanted.",
                None,
                MetricType::Counter,
            )?
            .encode_counter::<NoLabelSet, _, u64>(&state.reconcile_errors, None)?;
        if let Some(took) = state.reconcile {
            gauge(
                &mut encoder,
                "ksnapshot_reconcile_seconds",
                "How long the last pass over everything took.",
            )?
            .encode_gauge(&took.as_secs_f64())?;
        }

        let mut infos = encoder.encode_descriptor(
            "ksnapshot_plan",
            "A workload with backups, or with pruning.",
            None,
            MetricType::Info,
        )?;
        for plan in state.plans.values() {
            infos.encode_info(&labels(plan))?;
        }
        for (name, help, reading) in PLAN_GAUGES {
            let mut family = gauge(&mut encoder, name, help)?;
            for plan in state.plans.values() {
                let labels = labels(plan);
                match reading(plan) {
                    Some(Value::Whole(number)) => {
                        family.encode_family(&labels)?.encode_gauge(&number)?;
                    }
                    Some(Value::Seconds(seconds)) => {
                        family.encode_family(&labels)?.encode_gauge(&seconds)?;
                    }
                    None => {}
                }
            }
        }

        let mut runs = encoder.encode_descriptor(
            "ksnapshot_runs",
            "Runs that ended, by how and why.",
            None,
            MetricType::Counter,
        )?;
        for (run, count) in &state.runs {
            let labels = [
                ("namespace", run.namespace.as_str()),
                ("plan", &run.plan),
                ("result", run.result),
                ("reason", run.reason),
            ];
            runs.encode_family(&labels)?
                .encode_counter::<NoLabelSet, _, u64>(count, None)?;
        }
        let mut unprotected = gauge(
            &mut encoder,
            "ksnapshot_unprotected_workloads",
            "Workloads that look like databases and have no backup.",
        )?;
        for ((namespace, reason), count) in &state.unprotected {
            let labels = [("namespace", namespace.as_str()), ("reason", reason)];
            unprotected.encode_family(&labels)?.encode_gauge(count)?;
        }
        Ok(())
    }
}

impl Told {
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gauge<'s>(
    encoder: &'s mut DescriptorEncoder<'_>,
    name: &'static str,
    help: &str,
) -> Result<MetricEncoder<'s>, fmt::Error> {
    encoder.encode_descriptor(name, help, None, MetricType::Gauge)
}

fn labels(plan: &PlanState) -> [(&'static str, &str); 3] {
    [
        ("namespace", &plan.namespace),
        ("plan", &plan.plan),
        ("type", &plan.kind),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(name: &str) -> PlanState {
        PlanState {
            namespace: "shop".into(),
            plan: name.into(),
            kind: "postgresql".into(),
            ..PlanState::default()
        }
    }

    /// The samples alone.
    fn samples(metrics: &Metrics) -> String {
        let text = metrics.encode();
        let samples = text.lines().filter(|line| !line.starts_with("# "));
        samples.map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn everything_is_told() {
        let at = |second| Some(Timestamp::from_second(second).expect("a time"));
        let metrics = Metrics::default();
        metrics.set_plans(&[PlanState {
            created: at(1_700_000_000),
            expected_interval: Some(Duration::from_secs(86_400)),
            last_success: at(1_700_000_100),
            last_attempt: at(1_700_000_200),
            last_verified: at(1_700_000_300),
            next_run: at(1_700_000_400),
            consecutive_failures: 2,
            suspended: true,
            last_bytes: Some(3_000),
            last_stored_bytes: Some(1_000),
            last_duration: Some(Duration::from_millis(1_500)),
            last_problems: Some(1),
            ..plan("statefulset/db")
        }]);
        metrics.set_unprotected(&[
            Unprotected {
                namespace: "shop".into(),
                reason: "not-annotated",
                workloads: 2,
            },
            Unprotected {
                namespace: "shop".into(),
                reason: "not-annotated",
                workloads: 1,
            },
        ]);
        for _ in 0..2 {
            metrics.run_ended("shop", "statefulset/db", RunOutcome::Failed, "deadline");
        }
        metrics.run_ended("shop", "statefulset/db", RunOutcome::WithProblems, "");
        metrics.reconciled(Duration::from_millis(250));
        metrics.reconcile_failed();
        metrics.set_leader(true);

        let labels = r#"namespace="shop",plan="statefulset/db",type="postgresql""#;
        let run = r#"namespace="shop",plan="statefulset/db""#;
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            metrics.encode(),
            format!(
                r#"# HELP ksnapshot_build The version of the operator.
# TYPE ksnapshot_build info
ksnapshot_build_info{{version="{version}"}} 1
# HELP ksnapshot_leader 1: this replica acts, the others stand by.
# TYPE ksnapshot_leader gauge
ksnapshot_leader 1
# HELP ksnapshot_reconcile_errors What went wrong when the cluster was brought to what is wanted.
# TYPE ksnapshot_reconcile_errors counter
ksnapshot_reconcile_errors_total 1
# HELP ksnapshot_reconcile_seconds How long the last pass over everything took.
# TYPE ksnapshot_reconcile_seconds gauge
ksnapshot_reconcile_seconds 0.25
# HELP ksnapshot_plan A workload with backups, or with pruning.
# TYPE ksnapshot_plan info
ksnapshot_plan_info{{{labels}}} 1
# HELP ksnapshot_plan_created_timestamp_seconds When the plan was made.
# TYPE ksnapshot_plan_created_timestamp_seconds gauge
ksnapshot_plan_created_timestamp_seconds{{{labels}}} 1700000000
# HELP ksnapshot_plan_expected_interval_seconds How long it is from one run to the next, at most.
# TYPE ksnapshot_plan_expected_interval_seconds gauge
ksnapshot_plan_expected_interval_seconds{{{labels}}} 86400.0
# HELP ksnapshot_plan_last_success_timestamp_seconds When the last run ended that stored a snapshot. No series: none ever did.
# TYPE ksnapshot_plan_last_success_timestamp_seconds gauge
ksnapshot_plan_last_success_timestamp_seconds{{{labels}}} 1700000100
# HELP ksnapshot_plan_last_attempt_timestamp_seconds When the last run began, however it ended.
# TYPE ksnapshot_plan_last_attempt_timestamp_seconds gauge
ksnapshot_plan_last_attempt_timestamp_seconds{{{labels}}} 1700000200
# HELP ksnapshot_plan_last_verified_timestamp_seconds When the last run ended whose snapshot was verified.
# TYPE ksnapshot_plan_last_verified_timestamp_seconds gauge
ksnapshot_plan_last_verified_timestamp_seconds{{{labels}}} 1700000300
# HELP ksnapshot_plan_next_run_timestamp_seconds When the next run is due.
# TYPE ksnapshot_plan_next_run_timestamp_seconds gauge
ksnapshot_plan_next_run_timestamp_seconds{{{labels}}} 1700000400
# HELP ksnapshot_plan_consecutive_failures Runs that failed since the last one that did not.
# TYPE ksnapshot_plan_consecutive_failures gauge
ksnapshot_plan_consecutive_failures{{{labels}}} 2
# HELP ksnapshot_plan_suspended 1: no run is started by the schedule.
# TYPE ksnapshot_plan_suspended gauge
ksnapshot_plan_suspended{{{labels}}} 1
# HELP ksnapshot_plan_last_bytes Bytes of the last snapshot, in the clear.
# TYPE ksnapshot_plan_last_bytes gauge
ksnapshot_plan_last_bytes{{{labels}}} 3000
# HELP ksnapshot_plan_last_stored_bytes Bytes of the last snapshot, in the bucket.
# TYPE ksnapshot_plan_last_stored_bytes gauge
ksnapshot_plan_last_stored_bytes{{{labels}}} 1000
# HELP ksnapshot_plan_last_duration_seconds How long the last run took.
# TYPE ksnapshot_plan_last_duration_seconds gauge
ksnapshot_plan_last_duration_seconds{{{labels}}} 1.5
# HELP ksnapshot_plan_last_problems Problems that the last snapshot lists.
# TYPE ksnapshot_plan_last_problems gauge
ksnapshot_plan_last_problems{{{labels}}} 1
# HELP ksnapshot_runs Runs that ended, by how and why.
# TYPE ksnapshot_runs counter
ksnapshot_runs_total{{{run},result="failed",reason="deadline"}} 2
ksnapshot_runs_total{{{run},result="problems",reason=""}} 1
# HELP ksnapshot_unprotected_workloads Workloads that look like databases and have no backup.
# TYPE ksnapshot_unprotected_workloads gauge
ksnapshot_unprotected_workloads{{namespace="shop",reason="not-annotated"}} 3
# EOF
"#
            )
        );
    }

    #[test]
    fn what_is_not_known_has_no_series() {
        let metrics = Metrics::default();
        metrics.set_plans(&[plan("db")]);
        let labels = r#"{namespace="shop",plan="db",type="postgresql"}"#;
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            samples(&metrics),
            format!(
                r#"ksnapshot_build_info{{version="{version}"}} 1
ksnapshot_leader 0
ksnapshot_reconcile_errors_total 0
ksnapshot_plan_info{labels} 1
ksnapshot_plan_consecutive_failures{labels} 0
ksnapshot_plan_suspended{labels} 0
"#
            )
        );
    }

    #[test]
    fn a_plan_that_is_gone_has_no_series_left() {
        let metrics = Metrics::default();
        metrics.set_plans(&[plan("db"), plan("gone"), plan("gone")]);
        metrics.run_ended("shop", "db", RunOutcome::Complete, "");
        metrics.run_ended("shop", "gone", RunOutcome::Complete, "");
        assert_eq!(samples(&metrics).matches("plan=\"gone\"").count(), 4);
        metrics.set_plans(&[plan("db")]);
        assert!(!metrics.encode().contains("gone"));
        let kept =
            r#"ksnapshot_runs_total{namespace="shop",plan="db",result="complete",reason=""} 1"#;
        assert!(metrics.encode().contains(kept));
    }

    #[test]
    fn labels_are_quoted() {
        let metrics = Metrics::default();
        metrics.set_plans(&[plan("a\"b\\c\nd")]);
        assert!(samples(&metrics).contains(r#"plan="a\"b\\c\nd""#));
    }
}
