use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use ksnapshot_core::{Dumper, Registry};
use ksnapshot_operator::report::Task;
use proptest::prelude::*;
use serde_json::json;

use super::account::Account;
use super::*;

fn exit(code: i32) -> ExitStatus {
    ExitStatus::from_raw(code << 8)
}

fn summary(problems: usize) -> Value {
    json!({"id": "ab12cd34", "series": {"name": "n", "type": "postgresql", "database": "shop"}, "rows": 3, "bytes": 300,
        "stored_bytes": 120, "problems": vec![json!({}); problems]})
}

#[test]
fn a_program_is_judged_by_its_end_and_its_words() {
    let said = || Said {
        summary: Some(summary(0)),
        ..Said::default()
    };
    assert!(said().judge("dump", exit(0)).is_ok() && said().judge("dump", exit(3)).is_ok());
    // A summary is not believed when the program failed after it.
    assert_eq!(said().judge("dump", exit(1)).expect_err("failed").code, 1);
    let error = Said {
        error: Some(json!({"code": 13, "message": "server h:1: no", "hint": "Look."})),
        ..Said::default()
    };
    let failure = error.judge("dump", exit(13)).expect_err("failed");
    assert_eq!(
        (
            failure.code,
            failure.message.as_str(),
            failure.hint.as_str()
        ),
        (13, "server h:1: no", "Look.")
    );
    let killed = said()
        .judge("dump", ExitStatus::from_raw(9))
        .expect_err("killed");
    assert_eq!(killed.code, 137);
    assert!(
        killed.message.contains("killed") && killed.hint.contains("memory limit"),
        "{killed:?}"
    );
    assert_eq!(
        said()
            .judge("dump", ExitStatus::from_raw(11))
            .expect_err("crashed")
            .code,
        139
    );
    let usage = Said {
        last: vec!["error: unexpected argument".into()],
        ..Said::default()
    };
    let failure = usage.judge("dump", exit(2)).expect_err("failed");
    assert_eq!(
        (failure.code, failure.message.as_str()),
        (2, "dump: error: unexpected argument")
    );
    let silent = Said::default()
        .judge("prune", exit(0))
        .expect_err("no result");
    assert_eq!(
        (silent.code, silent.message.as_str()),
        (1, "prune: ended without a result")
    );
}

#[test]
fn a_report_adds_up() {
    let failure = |message: &str| Failure {
        code: 13,
        message: message.into(),
        hint: "Look.".into(),
    };
    let mut account = Account::new(Task::Dump);
    assert_eq!(account.stored(&summary(0), true), "ab12cd34");
    account.verified();
    let report = account.report(1.5);
    assert_eq!(
        (report.outcome, report.verified.as_deref()),
        (RunOutcome::Complete, Some("checksum"))
    );
    assert_eq!(
        (
            report.snapshots[0].database.as_str(),
            report.snapshots[0].stored_bytes
        ),
        ("shop", 120)
    );
    assert_eq!(
        (report.code, report.message, report.hint),
        (None, None, None)
    );

    let mut account = Account::new(Task::Dump);
    account.stored(&summary(2), false);
    let report = account.report(1.5);
    assert_eq!(
        (report.outcome, report.verified),
        (RunOutcome::WithProblems, None)
    );
    assert_eq!(
        (
            report.snapshots[0].database.as_str(),
            report.snapshots[0].problems
        ),
        ("", 2)
    );

    let mut account = Account::new(Task::Dump);
    account.failed(failure("database a: gone"));
    account.stored(&summary(0), true);
    account.verified();
    account.stored(&summary(2), true);
    account.failed(failure("database c: gone"));
    let report = account.report(1.5);
    assert_eq!(
        (report.outcome, report.code),
        (RunOutcome::Failed, Some(13))
    );
    assert_eq!(
        report.message.as_deref(),
        Some("database a: gone; database c: gone")
    );
    assert_eq!(
        (report.snapshots.len(), report.verified),
        (2, None),
        "not all of them"
    );

    let mut account = Account::new(Task::Prune);
    account.pruned(&json!({"removed": 4, "unreadable": 0}));
    let report = account.report(0.1);
    assert_eq!(
        (report.outcome, report.deleted),
        (RunOutcome::Complete, Some(4))
    );
    let mut account = Account::new(Task::Prune);
    account.pruned(&json!({"removed": 0, "unreadable": 1}));
    assert_eq!(account.report(0.1).outcome, RunOutcome::WithProblems);
}

/// A dump's source, as the words of a plan name it.
fn source(registry: &Registry, plan: &JobPlan) -> std::sync::Arc<dyn Dumper> {
    let Step::Dump(dump) = &plan.steps[0] else {
        panic!("the task is to dump")
    };
    (registry.source(&dump.words[1], &Default::default(), Default::default())).expect("a source")
}

proptest! {
    /// The URL of a plan means the names that stand in the environment, whatever is in them.
    #[test]
    fn names_get_through_urls_unchanged(user in ".{1,12}", database in ".{1,12}", ipv6: bool, mysql: bool) {
        prop_assume!(database != "." && database != "..");
        let host = if ipv6 { "fd00::7" } else { "db.shop.svc" };
        let prefix = if mysql { "MYSQL" } else { "POSTGRESQL" };
        let env: BTreeMap<String, String> = [
            ("HOST", host), ("USERNAME", &user), ("DATABASE", &database),
        ].map(|(name, value)| (format!("{prefix}_{name}"), value.to_owned())).into();
        let env = env.into_iter().chain([("BACKEND_BUCKET".to_owned(), "b".to_owned())]).collect();
        let plan = JobPlan::from_env(&env).expect("a plan");
        let shown = format!("{:?}", source(&crate::registry(), &plan));
        let wanted = if mysql { format!("{:?}", Some(&database)) } else { format!("{database:?}") };
        prop_assert!(shown.contains(&format!("database: {wanted}")), "{} in {}", wanted, shown);
        prop_assert!(shown.contains(host), "{}", shown);
    }
}
