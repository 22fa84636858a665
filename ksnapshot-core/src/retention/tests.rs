//! Laws over random histories, ten simulated years, and the calendar's corners.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::date;
use proptest::prelude::*;

use super::*;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Now, in all that is random: a Saturday.
fn now() -> Timestamp {
    at("2026-11-21T12:00:00Z")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// A snapshot that owns what [`Taken`] borrows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shot {
    series: Series,
    id: String,
    started: Timestamp,
    outcome: Outcome,
}

impl Shot {
    fn new(series: u8, id: usize, started: Timestamp, complete: bool) -> Self {
        Self {
            series: Series {
                name: format!("db{series}"),
                kind: "postgresql".into(),
                database: "shop".into(),
            },
            id: format!("{id:08}"),
            started,
            outcome: match complete {
                true => Outcome::Complete,
                false => Outcome::CompleteWithProblems,
            },
        }
    }

    fn taken(&self) -> Taken<'_> {
        Taken {
            series: &self.series,
            id: &self.id,
            started: self.started,
            outcome: self.outcome,
        }
    }

    fn is_complete(&self) -> bool {
        self.outcome == Outcome::Complete
    }
}

fn judge(shots: &[Shot], rules: &Rules) -> Vec<Decision> {
    let history: Vec<_> = shots.iter().map(Shot::taken).collect();
    decide(&history, rules, now())
}

fn kept(shots: &[Shot], rules: &Rules) -> Vec<Shot> {
    (shots.iter().zip(judge(shots, rules)))
        .filter(|(_, decision)| decision.keeps())
        .map(|(shot, _)| shot.clone())
        .collect()
}

fn ids(shots: &[Shot]) -> BTreeSet<&str> {
    shots.iter().map(|shot| shot.id.as_str()).collect()
}

/// Up to 60 snapshots of three series, in no order: dense or thin, a third with problems, some at one moment, a few of the future.
fn histories() -> impl Strategy<Value = Vec<Shot>> {
    let age = prop_oneof![
        4 => (0..3 * DAY).prop_map(|age| age - age % 600),
        4 => 0..60 * DAY,
        2 => 0..3000 * DAY,
        1 => -400 * DAY..0_i64,
    ];
    prop::collection::vec((0..3_u8, age, 0..3_u8), 0..60).prop_map(|all| {
        let shot = |(id, (series, age, luck)): (usize, (u8, i64, u8))| {
            let started = now() - SignedDuration::from_secs(age);
            Shot::new(series, id, started, luck > 0)
        };
        all.into_iter().enumerate().map(shot).collect()
    })
}

fn rules() -> impl Strategy<Value = Rules> {
    let count = || prop_oneof![3 => Just(0_u32), 2 => 1..4_u32, 1 => 4..40_u32];
    let within = prop::option::of((0..100_u64).prop_map(|days| Duration::from_secs(days * 86_400)));
    (count(), count(), count(), count(), count(), count(), within).prop_map(
        |(last, hourly, daily, weekly, monthly, yearly, within)| Rules {
            last,
            hourly,
            daily,
            weekly,
            monthly,
            yearly,
            within,
        },
    )
}

/// What a rule names, said in another way: the newest complete one of its period, if fewer than `count` newer periods have a
/// complete one.
fn is_named<K: Ord>(
    shot: &Shot,
    of_series: &[&Shot],
    count: u32,
    period: impl Fn(&Shot) -> K,
) -> bool {
    let newer: Vec<_> = (of_series.iter())
        .filter(|s| s.is_complete() && (s.started, &s.id) > (shot.started, &shot.id))
        .collect();
    let periods: BTreeSet<K> = newer.iter().map(|s| period(s)).collect();
    shot.is_complete() && !periods.contains(&period(shot)) && (periods.len() as u64) < count.into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_a_rule_names_stays_and_so_does_the_last_good_one(shots in histories(), rules in rules()) {
        let decisions = judge(&shots, &rules);
        for (shot, decision) in shots.iter().zip(&decisions) {
            let real: Vec<&Shot> = shots.iter().filter(|s| s.series == shot.series && s.started <= now()).collect();
            if shot.started > now() {
                let ahead = shot.started > now() + AHEAD;
                prop_assert_eq!(decision == &Decision::Keep(vec![Reason::Future]), ahead);
                continue;
            }
            let span = |span: Span| move |s: &Shot| span.of(s.started);
            let newest = real.iter().filter(|s| s.is_complete()).map(|s| (s.started, &s.id)).max();
            let young = |within: Duration| {
                newest.is_some_and(|(n, _)| n.duration_since(shot.started).as_secs() <= within.as_secs() as i64)
            };
            let named = is_named(shot, &real, rules.last, |s| (s.started, s.id.clone()))
                || is_named(shot, &real, rules.hourly, span(Span::Hour))
                || is_named(shot, &real, rules.daily, span(Span::Day))
                || is_named(shot, &real, rules.weekly, span(Span::Week))
                || is_named(shot, &real, rules.monthly, span(Span::Month))
                || is_named(shot, &real, rules.yearly, span(Span::Year))
                || shot.is_complete() && rules.within.is_some_and(young)
                || newest == Some((shot.started, &shot.id));
            // Those within the next hour count, and may take a place that this way of saying it gives to another.
            let near = shots.iter().any(|s| s.started > now() && s.started <= now() + AHEAD);
            if named && !near {
                prop_assert!(decision.keeps(), "{:?} of {:?}", shot, decisions);
            }
            if shot.is_complete() && !near {
                prop_assert_eq!(decision.keeps(), named, "{:?}", decision);
            }
        }
        for series in shots.iter().map(|s| &s.series).collect::<BTreeSet<_>>() {
            let of: Vec<_> = shots.iter().zip(&decisions).filter(|(s, _)| s.series == *series).collect();
            let real = || of.iter().filter(|(s, _)| s.started <= now() + AHEAD);
            prop_assert!(of.iter().any(|(_, d)| d.keeps()));
            let best = real().filter(|(s, _)| s.is_complete()).max_by_key(|(s, _)| (s.started, &s.id));
            let best = best.or(real().max_by_key(|(s, _)| (s.started, &s.id)));
            prop_assert!(best.is_none_or(|(_, d)| d.keeps()));
        }
    }

    #[test]
    fn more_rules_never_keep_less(shots in histories(), rules in rules(), more in rules()) {
        let larger = Rules {
            last: rules.last.max(more.last),
            hourly: rules.hourly.max(more.hourly),
            daily: rules.daily.max(more.daily),
            weekly: rules.weekly.max(more.weekly),
            monthly: rules.monthly.max(more.monthly),
            yearly: rules.yearly.max(more.yearly),
            within: rules.within.max(more.within),
        };
        let (some, all) = (kept(&shots, &rules), kept(&shots, &larger));
        prop_assert!(ids(&all).is_superset(&ids(&some)));
    }

    #[test]
    fn a_second_run_removes_nothing(shots in histories(), rules in rules()) {
        let once = kept(&shots, &rules);
        prop_assert_eq!(&kept(&once, &rules), &once);
    }

    #[test]
    fn the_order_they_come_in_means_nothing(shots in histories(), rules in rules(), seed: u64) {
        let mut other: Vec<(usize, Shot)> = shots.iter().cloned().enumerate().collect();
        other.sort_by_key(|(at, _)| (*at as u64 + 1).wrapping_mul(seed | 1).rotate_left(17));
        let (places, other): (Vec<_>, Vec<_>) = other.into_iter().unzip();
        let decisions = judge(&shots, &rules);
        for (place, decision) in places.into_iter().zip(judge(&other, &rules)) {
            prop_assert_eq!(&decisions[place], &decision);
        }
    }

    #[test]
    fn series_have_no_say_in_each_other(shots in histories(), rules in rules()) {
        let decisions = judge(&shots, &rules);
        for series in shots.iter().map(|s| &s.series).collect::<BTreeSet<_>>() {
            let alone: Vec<_> = shots.iter().filter(|s| s.series == *series).cloned().collect();
            let among: Vec<_> = shots.iter().zip(&decisions).filter(|(s, _)| s.series == *series).map(|(_, d)| d.clone()).collect();
            prop_assert_eq!(judge(&alone, &rules), among);
        }
    }

    #[test]
    fn those_with_problems_push_nothing_out_and_do_not_pile_up(shots in histories(), rules in rules()) {
        let good: Vec<_> = shots.iter().filter(|s| s.is_complete()).cloned().collect();
        let kept = kept(&shots, &rules);
        let (with, without) = (ids(&kept), super::tests::kept(&good, &rules));
        // Alone it would stay as the last good one, which it is among the others, too.
        prop_assert!(with.is_superset(&ids(&without)));
        if rules.within.is_none() {
            let most = rules.last + rules.hourly + rules.daily + rules.weekly + rules.monthly + rules.yearly;
            for series in kept.iter().map(|s| &s.series).collect::<BTreeSet<_>>() {
                let bad = kept.iter().filter(|s| s.series == *series && !s.is_complete() && s.started <= now() + AHEAD);
                prop_assert!(bad.count() as u32 <= most.max(1));
            }
        }
    }
}

/// Nightly and hourly dumps for ten years, pruned every night: some fail, some have problems, and now and then the source is down for
/// weeks.
#[test]
fn ten_years() {
    let rules = Rules {
        last: 3,
        hourly: 24,
        daily: 7,
        weekly: 5,
        monthly: 12,
        yearly: 20,
        within: None,
    };
    let most = (3 + 24 + 7 + 5 + 12 + 20) as usize;
    let mut luck = 20_261_121_u64;
    let mut draw = move |below: u64| {
        luck = luck.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (luck >> 33) % below
    };
    let (mut left, mut all): (Vec<Shot>, Vec<Shot>) = (Vec::new(), Vec::new());
    let begin = at("2016-11-21T00:00:00Z");
    for day in 0..3652_i64 {
        let down = (900..930).contains(&day) || (2500..2560).contains(&day);
        for hour in 0..24 {
            // One in ten fails; of a month in the fourth year nothing is complete.
            if down || draw(10) == 0 {
                continue;
            }
            let started =
                begin + SignedDuration::from_secs(day * DAY + hour * HOUR + draw(3000) as i64);
            let complete = draw(20) > 0 && !(1100..1130).contains(&day);
            let shot = Shot::new(0, all.len(), started, complete);
            left.push(shot.clone());
            all.push(shot);
        }
        let good_before = left
            .iter()
            .rposition(Shot::is_complete)
            .map(|at| left[at].id.clone());
        left = kept(&left, &rules);
        assert!(left.len() <= 2 * most, "{} are left", left.len());
        let good = left
            .iter()
            .rposition(Shot::is_complete)
            .map(|at| left[at].id.clone());
        assert_eq!(good, good_before, "the last good one stays");
        if down {
            let again = kept(&left, &rules);
            assert_eq!(again, left, "nothing ages while nothing new comes");
        }
        if day == 1129 {
            let bad = left.iter().filter(|s| !s.is_complete()).count();
            assert!(bad > 30 && left.len() - bad > 30, "{bad} of {}", left.len());
        }
    }
    // Night by night, or all at once: the same ones stay.
    assert_eq!(kept(&all, &rules), left);
    assert!(left.len() < most, "{} are left", left.len());
    let has = |period: Span, name: &str| {
        let newest = all
            .iter()
            .rfind(|s| s.is_complete() && period.of(s.started) == name);
        let newest = newest.unwrap_or_else(|| panic!("{name}"));
        assert!(left.contains(newest), "{name}");
    };
    for year in 2016..=2026 {
        has(Span::Year, &year.to_string());
    }
    for months in 0..12 {
        has(
            Span::Month,
            &(date(2026, 11, 1) - months.months())
                .strftime("%Y-%m")
                .to_string(),
        );
    }
    for days in 1..=7 {
        has(Span::Day, &(date(2026, 11, 21) - days.days()).to_string());
    }
}

#[test]
fn weeks_are_those_of_iso_with_their_year() {
    for (day, week) in [
        ("2020-12-31", "2020-W53"),
        ("2021-01-01", "2020-W53"),
        ("2021-01-03", "2020-W53"),
        ("2021-01-04", "2021-W01"),
        ("2022-01-01", "2021-W52"),
        ("2023-01-01", "2022-W52"),
        ("2023-01-02", "2023-W01"),
        ("2024-12-29", "2024-W52"),
        ("2024-12-30", "2025-W01"),
        ("2025-12-29", "2026-W01"),
        ("2026-11-21", "2026-W47"),
        ("2026-12-31", "2026-W53"),
        ("2027-01-03", "2026-W53"),
        ("2027-01-04", "2027-W01"),
    ] {
        assert_eq!(
            Span::Week.of(at(&format!("{day}T23:59:59Z"))),
            week,
            "{day}"
        );
    }
}

#[test]
fn periods_are_of_utc() {
    let time = at("2026-12-31T23:30:00-02:00");
    for (span, name) in [
        (Span::Hour, "2027-01-01T01"),
        (Span::Day, "2027-01-01"),
        (Span::Week, "2026-W53"),
        (Span::Month, "2027-01"),
        (Span::Year, "2027"),
    ] {
        assert_eq!(span.of(time), name);
    }
}

/// One series, written from the oldest to the newest: `+` complete, `-` with problems, one a day until now; what is kept by these
/// rules is the same text with a dot for each that goes.
#[track_caller]
fn check_days(history: &str, rules: &Rules, expected: &str) {
    let count = history.len() as i64;
    let shots: Vec<_> = (history.chars().enumerate())
        .map(|(n, c)| {
            let started = now() - SignedDuration::from_secs((count - 1 - n as i64) * DAY);
            Shot::new(0, n, started, c == '+')
        })
        .collect();
    let left: String = (history.chars().zip(judge(&shots, rules)))
        .map(|(c, decision)| if decision.keeps() { c } else { '.' })
        .collect();
    assert_eq!(left, expected);
}

#[test]
fn problems_count_where_nothing_complete_is() {
    let daily = |daily| Rules {
        daily,
        ..Rules::default()
    };
    check_days("+++++", &daily(3), "..+++");
    check_days("+++--", &daily(3), "+++--");
    check_days("++---", &daily(3), "++---");
    check_days("+----", &daily(3), "+.---");
    check_days("-----", &daily(3), "..---");
    check_days("--+++", &daily(3), "..+++");
    check_days("-+-+-", &daily(3), ".+-+-");
    check_days("+---+", &daily(1), "....+");
    let last = Rules {
        last: 2,
        ..Rules::default()
    };
    check_days("++-", &last, "++-");
    check_days("++--", &last, "++--");
    check_days("++---", &last, "++.--");
    let within = Rules {
        within: Some(Duration::from_secs(2 * 86_400)),
        ..Rules::default()
    };
    check_days("+++++", &within, "..+++");
    check_days("+++----", &within, "+++.---");
    check_days("-----", &within, "..---");
    // Nothing is named, and yet the last good one stays.
    let none = Rules::default();
    check_days("++--", &none, ".+..");
    check_days("---", &none, "..-");
}

#[test]
fn what_is_of_the_future_counts_for_nothing() {
    let rules = Rules {
        last: 1,
        within: Some(Duration::from_secs(3 * 86_400)),
        ..Rules::default()
    };
    let days = |days: i64| now() + SignedDuration::from_secs(days * DAY);
    let shots = [
        Shot::new(0, 0, days(-1), true),
        Shot::new(0, 1, days(-2), true),
        Shot::new(0, 2, days(4000), true),
        Shot::new(0, 3, now() + SignedDuration::from_mins(5), false),
    ];
    let words: Vec<_> = judge(&shots, &rules)
        .iter()
        .map(Decision::to_string)
        .collect();
    assert_eq!(
        words,
        [
            "keep: last, within 3d",
            "keep: within 3d",
            "keep: in the future: counts for nothing",
            "keep: last, within 3d"
        ]
    );
    // A clock that is behind sees nothing but the future, and removes nothing.
    let history: Vec<_> = shots.iter().map(Shot::taken).collect();
    let decisions = decide(&history, &rules, at("1970-01-01T00:00:00Z"));
    assert!(decisions.iter().all(Decision::keeps));
}

#[test]
fn a_breaker_stops_what_removes_too_much() {
    let tripped = |removed: usize, all: usize, most: &str| {
        let shot = Shot::new(0, 0, now(), true);
        let decision = |n| match n < removed {
            true => Decision::Remove(Outcome::Complete),
            false => Decision::Keep(vec![Reason::Last]),
        };
        let decisions: Vec<_> = (0..all).map(decision).collect();
        let other = Shot::new(1, 0, now(), true);
        let decided = (decisions.iter().map(|d| (&shot.series, d)))
            .chain((0..1000).map(|_| (&other.series, &decisions[all - 1])));
        let most = if most.is_empty() {
            MaxDelete::default()
        } else {
            most.parse().expect("a limit")
        };
        check(decided, most).err()
    };
    assert!(tripped(10, 11, "").is_none());
    assert!(tripped(11, 12, "").is_some());
    assert!(tripped(30, 100, "").is_none());
    assert!(tripped(31, 100, "").is_some());
    assert!(tripped(31, 100, "31").is_none());
    assert!(tripped(31, 100, "30").is_some());
    assert!(tripped(1, 100, "0").is_some());
    assert!(tripped(50, 100, "50%").is_none());
    assert!(tripped(51, 100, "50%").is_some());
    assert!(tripped(99, 100, "100%").is_none());
    let error = tripped(40, 100, "").expect("too much");
    assert_eq!(error.kind().exit_code(), 1);
    assert!(
        error
            .to_string()
            .ends_with("\n  postgresql db0/shop: 40 of 100"),
        "{error}"
    );
    assert!(
        error
            .advice()
            .is_some_and(|hint| hint.contains("--max-delete 40"))
    );
    for bad in ["", "-1", "ten", "101%", "%", "1.5"] {
        assert!(bad.parse::<MaxDelete>().is_err(), "{bad}");
    }
}

#[test]
fn no_rule_is_no_prune() {
    assert!(
        Rules::default()
            .validate()
            .is_err_and(|e| e.kind() == ErrorKind::Usage)
    );
    let within = Rules {
        within: Some(Duration::ZERO),
        ..Rules::default()
    };
    assert!(within.validate().is_ok());
}
