//! What is to be true of the figures of a race.

use std::collections::BTreeMap;

use crate::figures::Runs;

/// A target, or a ratio that is only shown. Contestants are named as in their race.
#[derive(Debug, Clone)]
pub(crate) enum Claim {
    /// Ours takes at most one `times`-th of a peer's time.
    Faster {
        /// Ours.
        ours: &'static str,
        /// The peer.
        than: &'static str,
        /// 1 if ours only has to be faster; none if the ratio is only shown.
        times: Option<f64>,
    },
    /// Ours takes at most `times` the CPU time, on all cores, of what can't be avoided.
    Floor {
        /// Ours.
        ours: &'static str,
        /// What can't be avoided: the server's and the client's CPU time of each counts.
        over: &'static [&'static str],
        /// How much more is allowed, or none if the ratio is only shown.
        times: Option<f64>,
    },
    /// Memory stays below so many MiB.
    Memory {
        /// Ours.
        ours: &'static str,
        /// MiB.
        most: u64,
    },
    /// Memory doesn't grow with the data.
    Flat {
        /// Ours on less data.
        small: &'static str,
        /// Ours on more data.
        large: &'static str,
        /// The part by which it may differ.
        within: f64,
    },
    /// Ours reads no more than the field's budget.
    Reads {
        /// Ours.
        ours: &'static str,
    },
}

/// What became of a claim.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// What was compared.
    pub(crate) what: String,
    /// What it should be; empty if it is only shown.
    pub(crate) target: String,
    /// What it was.
    pub(crate) measured: String,
    /// Whether that is met; none if it is only shown.
    pub(crate) met: Option<bool>,
}

impl Claim {
    /// Memory stays below what is promised, on less data and on more, and doesn't grow with it.
    pub(crate) fn memory_stays(small: &'static str, large: &'static str) -> [Self; 3] {
        let below = |ours| Self::Memory { ours, most: 128 };
        let flat = Self::Flat {
            small,
            large,
            within: 0.1,
        };
        [below(small), below(large), flat]
    }

    /// Whom it names.
    #[cfg(test)]
    pub(crate) fn names(&self) -> Vec<&'static str> {
        match self {
            Self::Faster { ours, than, .. } => vec![ours, than],
            Self::Floor { ours, over, .. } => [&[*ours], *over].concat(),
            Self::Memory { ours, .. } | Self::Reads { ours } => vec![ours],
            Self::Flat { small, large, .. } => vec![small, large],
        }
    }

    /// Compares it with the figures; none if one that it names didn't run.
    pub(crate) fn judge(
        &self,
        runs: &BTreeMap<&'static str, Runs>,
        budget: Option<&(u64, String)>,
        cores: u32,
    ) -> Option<Verdict> {
        Some(match self {
            Self::Faster { ours, than, times } => {
                let ratio =
                    runs.get(than)?.wall().as_secs_f64() / runs.get(ours)?.wall().as_secs_f64();
                Verdict {
                    what: format!("{ours}: times faster than {than}"),
                    target: match times {
                        None => String::new(),
                        Some(1.0) => "> 1".to_owned(),
                        Some(times) => format!("≥ {times}"),
                    },
                    measured: format!("{ratio:.2}"),
                    met: times.map(|times| ratio >= times),
                }
            }
            Self::Floor { ours, over, times } => {
                let mut floor = 0.0;
                for name in *over {
                    floor += runs.get(name)?.cpu().as_secs_f64();
                }
                floor /= f64::from(cores);
                let ratio = runs.get(ours)?.wall().as_secs_f64() / floor;
                Verdict {
                    what: format!(
                        "{ours}: time ÷ (CPU of {} / {cores} cores = {floor:.2} s)",
                        over.join(" + ")
                    ),
                    target: times.map_or_else(String::new, |times| format!("≤ {times}")),
                    measured: format!("{ratio:.2}"),
                    met: times.map(|times| ratio <= times),
                }
            }
            Self::Memory { ours, most } => {
                let peak = runs.get(ours)?.peak();
                Verdict {
                    what: format!("{ours}: peak memory"),
                    target: format!("≤ {most} MiB"),
                    measured: format!("{} MiB", mib(peak)),
                    met: Some(peak <= most << 20),
                }
            }
            Self::Flat {
                small,
                large,
                within,
            } => {
                let ratio =
                    runs.get(large)?.usual_peak() as f64 / runs.get(small)?.usual_peak() as f64;
                Verdict {
                    what: format!("{large}: median of its peaks of memory ÷ that of {small}"),
                    target: format!("≤ {:.2}", 1.0 + within),
                    measured: format!("{ratio:.2}"),
                    met: Some(ratio <= 1.0 + within),
                }
            }
            Self::Reads { ours } => {
                let (most, why) = budget?;
                let read = runs.get(ours)?.read();
                Verdict {
                    what: format!("{ours}: bytes read"),
                    target: format!("< {most} = {why}"),
                    measured: read.to_string(),
                    met: Some(read < *most),
                }
            }
        })
    }
}

/// MiB, with one decimal.
pub(crate) fn mib(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::figures::Figures;

    #[test]
    fn claims_are_met_or_not() {
        let runs = |wall: u64, cpu: u64, peak: u64| {
            Runs(vec![Figures {
                wall: Duration::from_secs(wall),
                client: Duration::from_secs(cpu),
                server: Duration::from_secs(1),
                peak: peak << 20,
                read: peak,
                ..Figures::default()
            }])
        };
        let runs = BTreeMap::from([("a", runs(4, 7, 100)), ("b", runs(10, 3, 120))]);
        let check = |claim: Claim, measured: &str, met: Option<bool>| {
            let budget = (110, "10 × 11".to_owned());
            let verdict = claim.judge(&runs, Some(&budget), 2).unwrap();
            assert_eq!((verdict.measured.as_str(), verdict.met), (measured, met));
        };
        let faster = |times| Claim::Faster {
            ours: "a",
            than: "b",
            times,
        };
        check(faster(Some(2.5)), "2.50", Some(true));
        check(faster(Some(2.6)), "2.50", Some(false));
        check(faster(None), "2.50", None);
        let floor = |times| Claim::Floor {
            ours: "a",
            over: &["b", "b"],
            times,
        };
        check(floor(Some(1.0)), "1.00", Some(true));
        check(floor(Some(0.9)), "1.00", Some(false));
        let (ours, most) = ("b", 119);
        check(Claim::Memory { ours, most }, "120.0 MiB", Some(false));
        let flat = |within| Claim::Flat {
            small: "a",
            large: "b",
            within,
        };
        check(flat(0.25), "1.20", Some(true));
        check(flat(0.1), "1.20", Some(false));
        check(Claim::Reads { ours: "a" }, "100", Some(true));
        check(Claim::Reads { ours: "b" }, "120", Some(false));
        let absent = Claim::Memory { ours: "c", most };
        assert_eq!(absent.judge(&runs, None, 2), None);
    }
}
