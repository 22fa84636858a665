//! When a CronJob is due: Kubernetes' own reading of schedules.
//!
//! What its library takes is taken, what it refuses is refused, and days on which clocks change go as they go there: an
//! hour that is skipped has no run, and one that comes twice has two. Libraries for cron at large differ in all three,
//! so this is written after the one that decides, and tested against what it says (`testdata/schedules.txt`). It differs
//! on Lord Howe Island, whose clocks change by half an hour: there Kubernetes misses the runs of a morning.
//! Three things are refused on top: what never comes due, `@every`, and the text of a zone inside the schedule.

mod cron;

use std::fmt;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date};
use ksnapshot_core::near;

use cron::Cron;

/// A schedule in its time zone. It comes due, again and again.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    cron: Cron,
    zone: TimeZone,
}

/// Why a schedule is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleError {
    /// What is wrong.
    pub part: SchedulePart,
    message: String,
    hint: String,
}

/// The two texts of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchedulePart {
    /// When: `0 3 * * *`.
    Cron,
    /// By whose clock: `Europe/Berlin`.
    Zone,
}

impl ScheduleError {
    fn new(part: SchedulePart, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            part,
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// What to do about it, as a full sentence.
    pub fn advice(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ScheduleError {}

/// 29 February stays away for eight years when a century has no leap day.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(24 * 366 * 9);
/// Within it, all that a schedule can do has been seen, but for leap days.
const A_YEAR_AND_MORE: i32 = 400;

impl Schedule {
    /// Reads what stands in `schedule` and `timeZone` of a CronJob.
    pub fn parse(cron: &str, zone: &str) -> Result<Self, ScheduleError> {
        Ok(Self {
            cron: Cron::parse(cron)?,
            zone: time_zone(zone)?,
        })
    }

    /// The first run after `now`.
    pub fn next_after(&self, now: Timestamp) -> Timestamp {
        self.search(now).unwrap_or(Timestamp::MAX)
    }

    /// How long it is from one run to the next, at most: within a year, or for longer schedules the next time; and where
    /// clocks change about now, as long as that makes it.
    pub fn interval(&self, now: Timestamp) -> Duration {
        let usual = self.usual_interval(now.to_zoned(self.zone.clone()).date());
        // What clocks may add to it: an hour, or a day where the hour is skipped.
        let around = usual + SignedDuration::from_hours(25);
        let (Ok(from), Ok(to)) = (now.checked_sub(around), now.checked_add(around * 2)) else {
            return usual.unsigned_abs();
        };
        let change = self.zone.following(from).next();
        if change.is_none_or(|change| change.timestamp() > to) {
            return usual.unsigned_abs();
        }
        let mut longest = usual;
        let mut last = self.next_after(from);
        loop {
            let next = self.next_after(last);
            if next > now {
                longest = longest.max(next.duration_since(last));
                if last > now {
                    return longest.unsigned_abs();
                }
            }
            last = next;
        }
    }

    fn search(&self, now: Timestamp) -> Option<Timestamp> {
        let minute = now.as_second().div_euclid(60) + 1;
        let mut at = Timestamp::from_second(minute * 60).ok()?;
        let limit = at.checked_add(LONGEST_WAIT).ok()?;
        loop {
            let local = at.to_zoned(self.zone.clone());
            let (date, hour, minute) = (local.date(), local.hour(), local.minute());
            at = if !self.cron.day_fits(date) {
                let day = self.day_after(date)?;
                day.to_zoned(self.zone.clone()).ok()?.timestamp()
            } else if !self.cron.hour_fits(hour) {
                self.forward(at, 60 - minute)?
            } else if !self.cron.minute_fits(minute) {
                let next = (minute..60).find(|&minute| self.cron.minute_fits(minute));
                self.forward(at, next.unwrap_or(60) - minute)?
            } else {
                return Some(at);
            };
            if at > limit {
                return None;
            }
        }
    }

    /// Minutes on, or one alone where clocks change within them.
    fn forward(&self, at: Timestamp, minutes: i8) -> Option<Timestamp> {
        let there = at.checked_add(i64::from(minutes).minutes()).ok()?;
        if self.zone.to_offset(at) == self.zone.to_offset(there) {
            return Some(there);
        }
        at.checked_add(1.minute()).ok()
    }

    fn day_after(&self, date: Date) -> Option<Date> {
        (date.tomorrow().ok()?.series(1.day()))
            .take(LONGEST_WAIT.as_hours() as usize / 24)
            .find(|date| self.cron.day_fits(*date))
    }

    /// By the calendar alone.
    fn usual_interval(&self, today: Date) -> SignedDuration {
        let longest_within = self.cron.longest_within_a_day();
        let (mut longest, mut last) = (0, None);
        let days = (today.series(1.day())).take(LONGEST_WAIT.as_hours() as usize / 24);
        for (passed, date) in days.enumerate() {
            if self.cron.day_fits(date) {
                if let Some(last) = last {
                    longest = longest.max(passed as i64 - last);
                }
                last = Some(passed as i64);
            }
            if longest > 0 && passed as i32 >= A_YEAR_AND_MORE {
                break;
            }
        }
        let (first_run, last_run) = self.cron.first_and_last_of_a_day();
        let overnight = longest * 24 * 60 - (last_run - first_run);
        SignedDuration::from_mins(overnight.max(longest_within))
    }
}

/// The zones that Kubernetes knows by this name, and by this spelling of it.
fn time_zone(name: &str) -> Result<TimeZone, ScheduleError> {
    let refuse =
        |message: String, hint: String| Err(ScheduleError::new(SchedulePart::Zone, message, hint));
    const EXAMPLE: &str = "Use a name such as Europe/Berlin, or Etc/UTC.";
    if name.is_empty() {
        return refuse("the time zone is empty".into(), EXAMPLE.into());
    }
    if name.eq_ignore_ascii_case("local") {
        let message = format!("time zone {name:?}: it depends on where it is read");
        return refuse(message, EXAMPLE.into());
    }
    // Lookups here ignore case; in Kubernetes they don't.
    if let Ok(zone) = TimeZone::get(name)
        && zone.iana_name() == Some(name)
        && !zone.is_unknown()
    {
        return Ok(zone);
    }
    let known = jiff::tz::db().available();
    let known: Vec<String> = known.map(|zone| zone.as_str().to_owned()).collect();
    let known = || known.iter().map(String::as_str);
    let meant = (known().find(|zone| zone.eq_ignore_ascii_case(name)))
        .or_else(|| known().find(|zone| zone.rsplit('/').next() == Some(name)))
        .or_else(|| near(name, known()));
    let hint = meant.map_or(EXAMPLE.into(), |meant| format!("Did you mean {meant}?"));
    refuse(format!("time zone {name:?} is not known"), hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: u64 = 3600;
    const DAY: u64 = 24 * HOUR;

    fn schedule(cron: &str, zone: &str) -> Schedule {
        Schedule::parse(cron, zone).expect(cron)
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    /// Each line of the file was written by Kubernetes' own library; the program that did it is beside it.
    #[test]
    fn schedules_are_read_as_kubernetes_reads_them() {
        let mut seen = (0, 0, 0);
        for line in include_str!("../testdata/schedules.txt").lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            match fields[..] {
                [cron, why] if why.starts_with("refused: ") => {
                    Schedule::parse(cron, "UTC").expect_err(line);
                    seen.0 += 1;
                }
                [cron, zone, _, "-"] => {
                    let error = Schedule::parse(cron, zone).expect_err(line);
                    assert!(error.to_string().contains("never"), "{line}: {error}");
                    seen.1 += 1;
                }
                [cron, zone, from, runs] => {
                    let schedule = schedule(cron, zone);
                    let mut run = at(from);
                    for expected in runs.split(' ') {
                        run = schedule.next_after(run);
                        assert_eq!(run, at(expected), "{line}");
                    }
                    seen.2 += 1;
                }
                _ => panic!("what is {line:?}?"),
            }
        }
        assert!(seen > (30, 8, 800), "{seen:?}");
    }

    #[test]
    fn what_is_refused_is_told_with_what_to_write() {
        for (cron, message, hint) in [
            ("", "is empty", "0 3 * * *"),
            ("0 3 * *", "4 fields", "minute, hour, day"),
            ("0 0 3 * * *", "6 fields", "no seconds"),
            ("61 3 * * *", "minute 61 is above 59", "minute, hour"),
            ("0 24 * * *", "hour 24 is above 23", "minute, hour"),
            ("0 3 0 * *", "day 0 is below 1", "minute, hour"),
            ("0 3 * 13 *", "month 13 is above 12", "minute, hour"),
            ("0 3 * * 7", "weekday 7 is above 6", "Sunday is 0"),
            ("0 3 * * FRI-SUN", "ends before it begins", "FRI,SAT,SUN"),
            ("0 3 * * MONDAY", "\"MONDAY\" is no weekday", "MON"),
            ("0 3 * JANUARY *", "\"JANUARY\" is no month", "JAN"),
            ("0 3 L * *", "\"L\" is no day", "minute, hour"),
            ("*/0 * * * *", "step", "minute, hour"),
            ("1-2-3 * * * *", "\"1-2-3\" is no range", "minute, hour"),
            ("*-5 * * * *", "\"*-5\" is no range", "minute, hour"),
            (", * * * *", "names no minute", "minute, hour"),
            ("0 0 31 2 *", "never comes due", "no such day"),
            ("0 0 30 FEB ?", "never comes due", "no such day"),
            ("0 0 31 4,6 *", "never comes due", "no such day"),
            ("@every 1h", "not taken", "0 */6 * * *"),
            ("@dayly", "not known", "mean @daily?"),
            ("@reboot", "not known", "@hourly, @daily"),
            ("TZ=UTC 0 3 * * *", "time zone", "annotation"),
            ("CRON_TZ=UTC 0 3 * * *", "time zone", "annotation"),
        ] {
            let error = Schedule::parse(cron, "UTC").expect_err(cron);
            assert_eq!(error.part, SchedulePart::Cron);
            let told = error.to_string();
            assert!(told.contains(message), "{cron}: {told}");
            assert!(error.advice().contains(hint), "{cron}: {error:?}");
        }
    }

    #[test]
    fn zones_are_taken_by_their_exact_names() {
        for zone in [
            "UTC",
            "Etc/UTC",
            "Europe/Berlin",
            "America/Argentina/ComodRivadavia",
            "US/Pacific",
            "Etc/GMT+5",
        ] {
            Schedule::parse("0 3 * * *", zone).expect(zone);
        }
        for (zone, message, hint) in [
            ("", "is empty", "Europe/Berlin"),
            ("Local", "depends", "Europe/Berlin"),
            ("europe/berlin", "not known", "mean Europe/Berlin?"),
            ("Europe/Belrin", "not known", "mean Europe/Berlin?"),
            ("Berlin", "not known", "mean Europe/Berlin?"),
            ("Etc/Unknown", "not known", ""),
            ("Middle-earth/Shire", "not known", "Etc/UTC"),
            ("../../etc/passwd", "not known", "Etc/UTC"),
            ("+01:00", "not known", ""),
        ] {
            let error = Schedule::parse("0 3 * * *", zone).expect_err(zone);
            assert_eq!(error.part, SchedulePart::Zone);
            assert!(error.to_string().contains(message), "{zone}: {error}");
            assert!(error.advice().contains(hint), "{zone}: {error:?}");
        }
    }

    #[test]
    fn the_interval_is_the_longest_gap() {
        for (cron, seconds) in [
            ("* * * * *", 60),
            ("*/5 * * * *", 300),
            ("*/40 * * * *", 40 * 60),
            ("0 * * * *", HOUR),
            ("0 3 * * *", DAY),
            ("0 0,3 * * *", 21 * HOUR),
            ("*/5 9-17 * * *", 15 * HOUR + 300),
            ("0 3 * * MON-FRI", 3 * DAY),
            ("@weekly", 7 * DAY),
            ("@monthly", 31 * DAY),
            ("0 0 31 * *", 61 * DAY),
            ("@yearly", 365 * DAY),
            ("0 0 29 2 *", 1461 * DAY),
        ] {
            // Whenever it is asked for.
            for now in ["2026-06-15T12:00:00Z", "2026-11-21T09:59:00Z"] {
                let interval = schedule(cron, "UTC").interval(at(now));
                assert_eq!(interval, Duration::from_secs(seconds), "{cron} at {now}");
            }
        }
    }

    #[test]
    fn a_night_on_which_clocks_change_counts_as_long_as_it_is() {
        // At 2:00 on 31 March clocks went on to 3:00, and there was no run.
        let nightly = schedule("30 2 * * *", "Europe/Berlin");
        for (now, hours) in [
            ("2024-03-20T12:00:00Z", 24),
            ("2024-03-30T12:00:00Z", 47),
            ("2024-03-31T12:00:00Z", 47),
            ("2024-04-02T12:00:00Z", 24),
        ] {
            let interval = nightly.interval(at(now));
            assert_eq!(interval, Duration::from_secs(hours * HOUR), "{now}");
        }
        let daily = schedule("0 12 * * *", "Europe/Berlin");
        let interval = daily.interval(at("2024-10-26T22:00:00Z"));
        assert_eq!(interval, Duration::from_secs(25 * HOUR));
    }

    #[test]
    fn the_end_of_time_is_no_panic() {
        let yearly = schedule("@yearly", "Asia/Tokyo");
        assert_eq!(yearly.next_after(Timestamp::MAX), Timestamp::MAX);
        yearly.interval(Timestamp::MAX);
        yearly.next_after(Timestamp::MIN);
        yearly.interval(Timestamp::MIN);
    }

    fn field(low: u8, high: u8) -> impl Strategy<Value = String> {
        let pair = (low..=high, low..=high).prop_map(|(a, b)| (a.min(b), a.max(b)));
        prop_oneof![
            Just("*".to_owned()),
            (2_u8..9).prop_map(|step| format!("*/{step}")),
            (low..=high).prop_map(|one| one.to_string()),
            pair.clone().prop_map(|(a, b)| format!("{a}-{b}")),
            (pair, 1_u8..9).prop_map(|((a, b), step)| format!("{a}-{b}/{step}")),
        ]
    }

    prop_compose! {
        fn any_cron()(
            minute in field(0, 59),
            hour in field(0, 23),
            day in field(1, 28),
            month in field(1, 12),
            weekday in field(0, 6),
        ) -> String {
            format!("{minute} {hour} {day} {month} {weekday}")
        }
    }

    fn any_time() -> impl Strategy<Value = Timestamp> {
        (0_i64..2_000_000_000)
            .prop_map(|second| Timestamp::from_second(second).expect("in this age"))
    }

    fn any_zone() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "UTC",
            "Europe/Berlin",
            "America/New_York",
            "Australia/Lord_Howe",
            "Africa/Cairo",
            "Pacific/Apia",
        ])
    }

    proptest! {
        /// Minute by minute is slow, and right.
        #[test]
        fn no_run_is_missed(cron in any_cron(), zone in any_zone(), now in any_time()) {
            let schedule = schedule(&cron, zone);
            let next = schedule.next_after(now);
            prop_assert!(next > now);
            let mut minute = Timestamp::from_second(now.as_second().div_euclid(60) * 60 + 60).expect("in range");
            let fits = |at: Timestamp| {
                let local = at.to_zoned(schedule.zone.clone());
                schedule.cron.day_fits(local.date())
                    && schedule.cron.hour_fits(local.hour())
                    && schedule.cron.minute_fits(local.minute())
            };
            prop_assert!(fits(next));
            for _ in 0..3 * 24 * 60 {
                if minute == next {
                    break;
                }
                prop_assert!(!fits(minute), "{minute} is due, {next} was told");
                minute += 1.minute();
            }
        }

        #[test]
        fn no_gap_is_longer_than_the_interval(cron in any_cron(), now in any_time()) {
            let schedule = schedule(&cron, "UTC");
            let interval = schedule.interval(now);
            let mut last = schedule.next_after(now);
            let mut longest = Duration::ZERO;
            let year = now + SignedDuration::from_hours(24 * 400);
            for _ in 0..5000 {
                let next = schedule.next_after(last);
                if next > year {
                    break;
                }
                longest = longest.max(next.duration_since(last).unsigned_abs());
                last = next;
            }
            prop_assert!(longest <= interval, "{longest:?} {interval:?}");
        }

        #[test]
        fn any_text_is_read_or_refused(cron in ".{0,24}", zone in ".{0,12}") {
            if let Ok(schedule) = Schedule::parse(&cron, "UTC") {
                prop_assert!(schedule.next_after(Timestamp::UNIX_EPOCH) < Timestamp::MAX);
            }
            let _ = Schedule::parse("@daily", &zone);
        }

        #[test]
        fn any_five_fields_are_read_or_refused(
            cron in proptest::collection::vec("[0-9*?/,A-Z-]{1,6}", 5),
        ) {
            if let Ok(schedule) = Schedule::parse(&cron.join(" "), "UTC") {
                prop_assert!(schedule.next_after(Timestamp::UNIX_EPOCH) < Timestamp::MAX);
            }
        }
    }
}
