//! The figures of a race, as Markdown.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use crate::claim::{Verdict, mib};
use crate::machine;
use crate::race::{Plan, Race};
use crate::run::Outcome;

/// All there is to say of a race that was held.
pub(crate) fn section(race: &Race, outcome: &Outcome, plan: &Plan) -> String {
    let mut text = format!("## {}\n\n{}\n\n", race.title, race.about);
    if plan.quick {
        text += "**A quick look at little data: these figures mean nothing.**\n\n";
    }
    text += &figures(race, outcome);
    text.push('\n');
    text += &verdicts(race, outcome);
    text.push('\n');
    text += &commands(race);
    text.push('\n');
    text += &circumstances(outcome);
    text
}

fn figures(race: &Race, outcome: &Outcome) -> String {
    let reads = outcome.budget.is_some();
    let mut text =
        String::from("| | best s | median s | CPU s | server's CPU s | peak MiB | output MB |");
    text += if reads { " read MB |\n" } else { "\n" };
    text += "|---|--:|--:|--:|--:|--:|--:|";
    text += if reads { "--:|\n" } else { "\n" };
    for contestant in &race.contestants {
        let Some(runs) = outcome.runs.get(contestant.name) else {
            continue;
        };
        let row = [
            seconds(runs.best()),
            seconds(runs.wall()),
            seconds(runs.client()),
            seconds(runs.server()),
            mib(runs.peak()),
            megabytes(runs.size()),
        ];
        let _ = write!(text, "| {} | {} |", contestant.name, row.join(" | "));
        if reads {
            let _ = write!(text, " {} |", megabytes(runs.read()));
        }
        text.push('\n');
    }
    text
}

fn verdicts(race: &Race, outcome: &Outcome) -> String {
    let cores = machine::cores();
    let mut text = String::from("| target | should be | is | |\n|---|--:|--:|---|\n");
    for claim in &race.claims {
        let judged = claim.judge(&outcome.runs, outcome.budget.as_ref(), cores);
        let Some(verdict) = judged else { continue };
        let Verdict {
            what,
            target,
            measured,
            met,
        } = verdict;
        let met = match met {
            Some(true) => "met",
            Some(false) => "**not met**",
            None => "shown",
        };
        let target = if target.is_empty() { "–" } else { &target };
        let _ = writeln!(text, "| {what} | {target} | {measured} | {met} |");
    }
    text
}

fn commands(race: &Race) -> String {
    let mut text = String::from("<details><summary>Commands</summary>\n\n```sh\n");
    if !race.prepare.is_empty() {
        let _ = writeln!(text, "# once, before the race\n{}", race.prepare.trim());
    }
    for contestant in &race.contestants {
        let _ = writeln!(text, "# {}\n{}", contestant.name, contestant.script.trim());
    }
    let aside = race
        .contestants
        .iter()
        .flat_map(|contestant| [("before", contestant.before), ("after", contestant.after)]);
    let mut told = BTreeSet::from([""]);
    for (when, script) in aside {
        if told.insert(script) {
            let _ = writeln!(text, "# {when} each run, not timed\n{}", script.trim());
        }
    }
    text + "```\n\n</details>\n"
}

fn circumstances(outcome: &Outcome) -> String {
    let all = outcome.runs.values().flat_map(|runs| &runs.0);
    let (mut wall, mut others, mut worst) = (Duration::ZERO, Duration::ZERO, 0.0_f64);
    for run in all {
        wall += run.wall;
        others += run.others;
        worst = worst.max(share(run.others, run.wall));
    }
    let rounds = outcome.runs.values().map(|runs| runs.0.len()).max();
    format!(
        "{}{}; {} rounds; {}.\nVersions: {}.\nLoad average at the start {}; everything else on the machine took {:.0} % of \
         its cores during the runs, {:.0} % in the worst.\n",
        machine::today(),
        machine::commit().map_or_else(String::new, |commit| format!(", commit {commit}")),
        rounds.unwrap_or_default(),
        machine::describe(),
        outcome.versions.replace('\n', "; "),
        outcome.load,
        share(others, wall) * 100.0,
        worst * 100.0
    )
}

/// The part of all cores' time.
fn share(used: Duration, wall: Duration) -> f64 {
    used.as_secs_f64() / (wall.as_secs_f64() * f64::from(machine::cores())).max(1e-9)
}

fn seconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64())
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}
