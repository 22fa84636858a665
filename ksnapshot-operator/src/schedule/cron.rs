//! The five fields, as sets.

use jiff::civil::{Date, Weekday};
use ksnapshot_core::near;

use super::{ScheduleError, SchedulePart};

/// Each set is a number with a bit for each of its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether a day must be in both sets, as when one of them is all; else one is enough.
    both: bool,
}

struct Field {
    name: &'static str,
    low: u64,
    high: u64,
    /// Of its members, from the lowest on.
    names: &'static [&'static str],
}

const MINUTE: Field = Field {
    name: "minute",
    low: 0,
    high: 59,
    names: &[],
};
const HOUR: Field = Field {
    name: "hour",
    low: 0,
    high: 23,
    names: &[],
};
const DAY: Field = Field {
    name: "day",
    low: 1,
    high: 31,
    names: &[],
};
const MONTH: Field = Field {
    name: "month",
    low: 1,
    high: 12,
    names: &[
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ],
};
const WEEKDAY: Field = Field {
    name: "weekday",
    low: 0,
    high: 6,
    names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
};

const SHORTHANDS: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

const HINT: &str = "Write minute, hour, day, month and weekday: 0 3 * * * is each day at 3:00, 0 3 * * MON-FRI on working days.";

impl Cron {
    pub(super) fn parse(text: &str) -> Result<Self, ScheduleError> {
        if text.trim().is_empty() {
            return Err(wrong("the schedule is empty", HINT));
        }
        // Kubernetes looks for it anywhere.
        if text.contains("TZ") {
            let message = format!("schedule {text:?}: a time zone has no place in it");
            return Err(wrong(message, "Put it in the annotation timezone."));
        }
        let fields = if text.starts_with('@') {
            shorthand(text)?
        } else {
            text
        };
        Self::of_fields(fields).map_err(|error| ScheduleError {
            message: format!("schedule {text:?}: {}", error.message),
            ..error
        })
    }

    fn of_fields(text: &str) -> Result<Self, ScheduleError> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let &[minutes, hours, days, months, weekdays] = &fields[..] else {
            let message = format!("it has {} fields in place of five", fields.len());
            return Err(match fields.len() {
                6 | 7 => wrong(
                    message,
                    format!("There are no seconds and no years. {HINT}"),
                ),
                _ => wrong(message, HINT),
            });
        };
        let (days, any_day) = DAY.read(days)?;
        let (weekdays, any_weekday) = WEEKDAY.read(weekdays)?;
        let cron = Self {
            minutes: MINUTE.read(minutes)?.0,
            hours: HOUR.read(hours)?.0,
            days,
            months: MONTH.read(months)?.0,
            weekdays,
            both: any_day || any_weekday,
        };
        if cron.both && any_weekday && !cron.has_a_day() {
            let hint = "These months have no such day. 28 is in all of them.";
            return Err(wrong("it never comes due", hint));
        }
        Ok(cron)
    }

    fn has_a_day(&self) -> bool {
        const LENGTHS: [u64; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        (1..).zip(LENGTHS).any(|(month, length)| {
            has(self.months, month) && (1..=length).any(|day| has(self.days, day))
        })
    }

    pub(super) fn day_fits(&self, date: Date) -> bool {
        let month = has(self.months, date.month() as u64);
        let day = has(self.days, date.day() as u64);
        let weekday = date.weekday().since(Weekday::Sunday);
        let weekday = has(self.weekdays, weekday as u64);
        month
            && if self.both {
                day && weekday
            } else {
                day || weekday
            }
    }

    pub(super) fn hour_fits(&self, hour: i8) -> bool {
        has(self.hours, hour as u64)
    }

    pub(super) fn minute_fits(&self, minute: i8) -> bool {
        has(self.minutes, minute as u64)
    }

    /// In minutes from midnight, on a day like any other.
    pub(super) fn first_and_last_of_a_day(&self) -> (i64, i64) {
        let lowest = |set: u64| i64::from(set.trailing_zeros());
        let highest = |set: u64| 63 - i64::from(set.leading_zeros());
        (
            lowest(self.hours) * 60 + lowest(self.minutes),
            highest(self.hours) * 60 + highest(self.minutes),
        )
    }

    /// In minutes, from one run to the next on the same day; 0 where there is one a day.
    pub(super) fn longest_within_a_day(&self) -> i64 {
        let members = |set: u64| (0..60).filter(move |member| has(set, *member));
        let runs = members(self.hours)
            .flat_map(|hour| members(self.minutes).map(move |minute| (hour * 60 + minute) as i64));
        let (_, longest) = runs.fold((None, 0), |(last, longest), run| {
            (Some(run), longest.max(run - last.unwrap_or(run)))
        });
        longest
    }
}

impl Field {
    /// The members, and whether all are meant by a star.
    fn read(&self, text: &str) -> Result<(u64, bool), ScheduleError> {
        let (mut set, mut all) = (0, false);
        // Kubernetes overlooks commas with nothing between them.
        for range in text.split(',').filter(|range| !range.is_empty()) {
            let (members, star) = self.range(range)?;
            set |= members;
            all |= star;
        }
        if set == 0 {
            return Err(wrong(format!("{text:?} names no {}", self.name), HINT));
        }
        Ok((set, all))
    }

    /// `*`, `5`, `1-5`, each with `/2` or without.
    fn range(&self, text: &str) -> Result<(u64, bool), ScheduleError> {
        let no_range = || wrong(format!("{text:?} is no range of {}s", self.name), HINT);
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (text, None),
        };
        let step = match step {
            None => None,
            Some(step) => match step.parse::<u64>() {
                Ok(step) if step > 0 => Some(step),
                _ => {
                    let message = format!("{step:?} is no step of {}s", self.name);
                    return Err(wrong(message, HINT));
                }
            },
        };
        let star = range == "*" || range == "?";
        let (first, last) = match range.split_once('-') {
            _ if star => (self.low, self.high),
            Some((first, last)) if !first.is_empty() && !last.contains('-') => {
                if matches!(first, "*" | "?") || last.is_empty() {
                    return Err(no_range());
                }
                (self.member(first)?, self.member(last)?)
            }
            Some(_) => return Err(no_range()),
            None => {
                let first = self.member(range)?;
                (first, if step.is_some() { self.high } else { first })
            }
        };
        if first > last {
            let message = format!("{text:?} ends before it begins");
            return Err(if self.name == WEEKDAY.name {
                wrong(
                    message,
                    "Weeks begin on Sunday, which is 0. Write FRI,SAT,SUN.",
                )
            } else {
                wrong(message, HINT)
            });
        }
        let step = step.unwrap_or(1);
        let members = (first..=last).filter(|member| (member - first) % step == 0);
        Ok((
            members.fold(0, |set, member| set | 1 << member),
            star && step == 1,
        ))
    }

    fn member(&self, text: &str) -> Result<u64, ScheduleError> {
        let lower = text.to_lowercase();
        if let Some((member, _)) = (self.low..).zip(self.names).find(|(_, n)| **n == lower) {
            return Ok(member);
        }
        let Ok(member) = text.parse::<u64>() else {
            let message = format!("{text:?} is no {}", self.name);
            let short = self.names.iter().find(|name| lower.starts_with(**name));
            return Err(match short {
                Some(short) => wrong(message, format!("Write {}.", short.to_uppercase())),
                None => wrong(message, HINT),
            });
        };
        let outside = |how: &str, bound: u64| format!("{} {member} is {how} {bound}", self.name);
        if member < self.low {
            return Err(wrong(outside("below", self.low), HINT));
        }
        if member > self.high {
            let message = outside("above", self.high);
            return Err(if self.name == WEEKDAY.name {
                wrong(message, "Weekdays are 0 to 6, and Sunday is 0.")
            } else {
                wrong(message, HINT)
            });
        }
        Ok(member)
    }
}

/// What one of the words with an at sign stands for. Kubernetes knows them in small letters alone.
fn shorthand(text: &str) -> Result<&'static str, ScheduleError> {
    if let Some((_, fields)) = SHORTHANDS.iter().find(|(word, _)| *word == text) {
        return Ok(fields);
    }
    if text.starts_with("@every") {
        // A CronJob takes it, and counts from when it was made, or last ran.
        let message =
            format!("schedule {text:?}: @every is not taken, since it names no time of day");
        let hint = "Write 0 */6 * * * for every six hours, */15 * * * * for every quarter of one.";
        return Err(wrong(message, hint));
    }
    let words = || SHORTHANDS.iter().map(|(word, _)| *word);
    let message = format!("schedule {text:?} is not known");
    Err(match near(&text.trim().to_lowercase(), words()) {
        Some(word) => wrong(message, format!("Did you mean {word}?")),
        None => {
            let words = words().collect::<Vec<_>>().join(", ");
            wrong(message, format!("Use one of {words}, or five fields."))
        }
    })
}

fn has(set: u64, member: u64) -> bool {
    set >> member & 1 == 1
}

fn wrong(message: impl Into<String>, hint: impl Into<String>) -> ScheduleError {
    ScheduleError::new(SchedulePart::Cron, message, hint)
}
