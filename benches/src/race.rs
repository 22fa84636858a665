//! What a race is made of.

use std::any::Any;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::claim::Claim;
use crate::meter::Meter;

/// A race, as data.
#[derive(Debug)]
pub(crate) struct Race {
    /// As on the command line.
    pub(crate) name: &'static str,
    /// Heads its table.
    pub(crate) title: &'static str,
    /// What a reader of its table has to know.
    pub(crate) about: &'static str,
    /// Makes what it runs on.
    pub(crate) field: fn(&Plan, &Path) -> Result<Field>,
    /// Run once on the field, before the first round.
    pub(crate) prepare: &'static str,
    /// Who runs, in this order in each round: noise hits all alike.
    pub(crate) contestants: Vec<Contestant>,
    /// What is to be true of the figures.
    pub(crate) claims: Vec<Claim>,
    /// How often each contestant runs, unless the plan says otherwise.
    pub(crate) rounds: u32,
}

/// One who runs. Its scripts are bash, with `set -euo pipefail`, in the environment of the field and with
///
/// - `OUT`: an empty folder, new for each run; what is in it afterwards is the size of the output;
/// - `WORK`: a folder of the race, for what is prepared.
#[derive(Debug)]
pub(crate) struct Contestant {
    /// As in the table.
    pub(crate) name: &'static str,
    /// What is measured.
    pub(crate) script: &'static str,
    /// Run before, outside the timing.
    pub(crate) before: &'static str,
    /// Run afterwards, outside the timing: proves that the work was done, and removes it.
    pub(crate) after: &'static str,
}

impl Contestant {
    /// One that needs nothing before and leaves only what is in `OUT`.
    pub(crate) fn new(name: &'static str, script: &'static str) -> Self {
        Self {
            name,
            script,
            before: "",
            after: "",
        }
    }
}

/// What a race runs on. All of it ends with this value.
#[derive(Debug)]
pub(crate) struct Field {
    /// Of all scripts.
    pub(crate) env: Vec<(&'static str, OsString)>,
    /// Servers whose CPU time counts, with all the processes that they start.
    pub(crate) servers: Vec<u32>,
    /// A script that prints the versions of what runs, one a line.
    pub(crate) versions: &'static str,
    /// Counts what is read from a storage.
    pub(crate) meter: Option<Meter>,
    /// How many bytes may be read, and how that comes about.
    pub(crate) budget: Option<(u64, String)>,
    /// What must outlive the race: the servers themselves.
    pub(crate) held: Vec<Box<dyn Held>>,
}

impl Field {
    /// Ours and `programs` before all others: `PATH` of a field.
    pub(crate) fn path(programs: &[&Path]) -> Result<(&'static str, OsString)> {
        let ours = ksnapshot_tests::binary()?;
        let mut folders = Vec::new();
        for program in [&[ours.as_path()], programs].concat() {
            let folder = program.parent().context("a program without a folder")?;
            folders.push(folder.to_owned());
        }
        let rest = std::env::var_os("PATH").unwrap_or_default();
        folders.extend(std::env::split_paths(&rest));
        Ok(("PATH", std::env::join_paths(folders)?))
    }
}

/// Anything that ends when it's dropped.
pub(crate) trait Held: Any + std::fmt::Debug {}
impl<T: Any + std::fmt::Debug> Held for T {}

/// How all races are held.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Small data, for a look whether everything runs.
    pub(crate) quick: bool,
    /// Instead of each race's own number.
    pub(crate) rounds: Option<u32>,
    /// How long to wait for an idle machine before each run.
    pub(crate) patience: Duration,
}

impl Plan {
    /// What counts.
    pub(crate) fn full() -> Self {
        Self {
            quick: false,
            rounds: None,
            patience: Duration::ZERO,
        }
    }

    /// A look whether everything runs.
    pub(crate) fn quick() -> Self {
        Self {
            quick: true,
            rounds: Some(1),
            ..Self::full()
        }
    }

    /// The scale of the data: the smaller one when quick.
    pub(crate) fn scale(&self, full: &'static str, quick: &'static str) -> &'static str {
        if self.quick { quick } else { full }
    }
}
