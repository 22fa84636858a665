//! What the command line asks for.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::race::{Plan, Race};

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Races of ksnapshot against its peers, on the same data, turn by turn.

Usage: cargo run --release -p ksnapshot-benches -- [OPTIONS] [RACE]...

  RACE            only these (see --list) [default: all]
  --list          list the races
  --quick         one round at a small scale: shows that everything runs, measures nothing
  --rounds N      so many rounds instead of each race's own number
  --patient S     before each run, wait until the machine is idle, at most S seconds
  --save          write the tables into benches/README.md
";

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Asked {
    /// Tell how to ask.
    Help,
    /// Hold races, or list them.
    Races(Args),
}

/// Which races, and how.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) list: bool,
    pub(crate) save: bool,
    pub(crate) plan: Plan,
    only: Vec<String>,
}

impl Args {
    /// Reads the arguments, the program's own name left out.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Asked> {
        let (mut list, mut save, mut quick) = (false, false, false);
        let (mut rounds, mut patience) = (None, Duration::ZERO);
        let mut only = Vec::new();
        while let Some(word) = words.next() {
            let mut number = || -> Result<u32> {
                let value = words.next().with_context(|| format!("{word} what?"))?;
                value.parse().with_context(|| format!("{word} {value}"))
            };
            match word.as_str() {
                "-h" | "--help" => return Ok(Asked::Help),
                "--list" => list = true,
                "--quick" => quick = true,
                "--save" => save = true,
                "--rounds" => rounds = Some(number()?),
                "--patient" => patience = Duration::from_secs(number()?.into()),
                _ if word.starts_with('-') => bail!("no option {word}\n\n{HELP}"),
                _ => only.push(word),
            }
        }
        ensure!(rounds != Some(0), "--rounds 0 measures nothing");
        ensure!(!(quick && save), "--quick measures nothing worth saving");
        let mut plan = if quick { Plan::quick() } else { Plan::full() };
        plan.rounds = rounds.or(plan.rounds);
        plan.patience = patience;
        Ok(Asked::Races(Self {
            list,
            save,
            plan,
            only,
        }))
    }

    /// The races asked for, in their own order.
    pub(crate) fn choose(&self, mut races: Vec<Race>) -> Result<Vec<Race>> {
        for name in &self.only {
            ensure!(
                races.iter().any(|race| race.name == name),
                "no race {name}: see --list"
            );
        }
        races.retain(|race| self.only.is_empty() || self.only.iter().any(|n| n == race.name));
        Ok(races)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Asked> {
        Args::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn what_is_asked_is_understood_or_refused() {
        let Asked::Races(args) = parse("--rounds 3 --patient 60 --save dump-15").unwrap() else {
            panic!("not help");
        };
        assert_eq!(args.plan.rounds, Some(3));
        assert_eq!(args.plan.patience, Duration::from_secs(60));
        assert!(args.save && !args.list && args.only == ["dump-15"]);
        assert!(args.choose(Vec::new()).is_err());
        assert!(matches!(parse("-h").unwrap(), Asked::Help));
        for wrong in [
            "--rounds",
            "--rounds x",
            "--rounds 0",
            "--fast",
            "--quick --save",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
