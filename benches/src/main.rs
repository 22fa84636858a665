//! Races of ksnapshot against its peers: the same data, one run, turn by turn.
//!
//! `make bench` runs all of them. A [`race::Race`] is data: a field to run on (servers and the environment that
//! names them), contestants that are lines of bash, and [claims](claim::Claim) that the figures meet or don't. Nothing
//! here passes or fails: a table says what was measured, and the target beside it.
//!
//! To add an engine, add a file like `postgres.rs` that returns races, and name it in [`races`].

#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "printing is what this program is for"
)]

mod args;
mod claim;
mod cpu;
mod elastic;
mod figures;
mod machine;
mod meter;
mod mysql;
mod postgres;
mod race;
mod readme;
mod run;
mod table;

use anyhow::Result;

use crate::args::{Args, Asked};
use crate::race::Race;

fn main() -> Result<()> {
    let args = match Args::parse(std::env::args().skip(1))? {
        Asked::Help => {
            print!("{}", args::HELP);
            return Ok(());
        }
        Asked::Races(args) => args,
    };
    let chosen = args.choose(races())?;
    if args.list {
        for race in chosen {
            println!("{:<20} {}", race.name, race.title);
        }
        return Ok(());
    }
    let ground = run::Ground::enter()?;
    for race in &chosen {
        let section = table::section(race, &run::hold(race, &args.plan, &ground)?, &args.plan);
        println!("{section}");
        if args.save {
            readme::save(race.name, &section)?;
        }
    }
    Ok(())
}

/// Every race of every engine.
fn races() -> Vec<Race> {
    postgres::races()
        .into_iter()
        .chain(mysql::races())
        .chain(elastic::races())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::process::Command;

    use super::*;

    #[test]
    fn races_are_sound() {
        let races = races();
        let names: BTreeSet<_> = races.iter().map(|race| race.name).collect();
        assert_eq!(names.len(), races.len(), "names of races are unique");
        for race in races {
            let names: BTreeSet<_> = race.contestants.iter().map(|c| c.name).collect();
            assert_eq!(names.len(), race.contestants.len(), "{}", race.name);
            for claim in &race.claims {
                for name in claim.names() {
                    assert!(names.contains(name), "{}: {name}", race.name);
                }
            }
            let steps = race.contestants.iter();
            let steps = steps.flat_map(|c| [c.before, c.script, c.after]);
            for script in steps.chain([race.prepare]) {
                let bash = Command::new("bash").args(["-nc", script]).status();
                assert!(bash.is_ok_and(|status| status.success()), "{script}");
            }
        }
    }
}
