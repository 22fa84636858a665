//! Holding a race: field, preparation, rounds.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use ksnapshot_tests::testbed;

use crate::cpu;
use crate::figures::{Figures, Runs};
use crate::machine;
use crate::race::{Contestant, Field, Plan, Race};

/// Where races are held: a folder of the cache, one process at a time.
#[derive(Debug)]
pub(crate) struct Ground {
    dir: PathBuf,
    _lock: File,
}

impl Ground {
    /// Waits for nobody: two runs at once would measure each other.
    pub(crate) fn enter() -> Result<Self> {
        let dir = testbed::home()?.join("bench");
        fs::create_dir_all(&dir)?;
        let lock = File::create(dir.join("lock"))?;
        lock.try_lock()
            .context("another process holds races on this machine")?;
        let ground = Self { dir, _lock: lock };
        ground.clear()?;
        Ok(ground)
    }

    /// Removes what a race, maybe one that was killed, has left.
    fn clear(&self) -> Result<()> {
        let work = self.dir.join("work");
        if work.exists() {
            fs::remove_dir_all(&work)?;
        }
        Ok(())
    }

    fn folder(&self, name: &str) -> Result<PathBuf> {
        let dir = self.dir.join("work").join(name);
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        fs::create_dir_all(&dir)?;
        Ok(dir)
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        // The next one clears it too.
        let _ = self.clear();
    }
}

/// What a race gave.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// By the contestants' names.
    pub(crate) runs: BTreeMap<&'static str, Runs>,
    /// The field's.
    pub(crate) budget: Option<(u64, String)>,
    /// What ran, one a line.
    pub(crate) versions: String,
    /// The load average when it began.
    pub(crate) load: String,
}

/// Holds a race.
pub(crate) fn hold(race: &Race, plan: &Plan, ground: &Ground) -> Result<Outcome> {
    eprintln!("{}: {}", race.name, race.title);
    let load = machine::load()?;
    let work = ground.folder("race")?;
    let field = (race.field)(plan, &work)?;
    let mut env = field.env.clone();
    env.push(("WORK", work.into()));
    script(race.prepare, &env).context("preparation")?;
    let mut versions = script(field.versions, &env).context("versions")?;
    versions.truncate(versions.trim_end().len());

    let mut runs: BTreeMap<&'static str, Runs> = BTreeMap::new();
    let rounds = plan.rounds.unwrap_or(race.rounds);
    for round in 1..=rounds {
        for contestant in &race.contestants {
            let figures = run(contestant, &field, &env, plan, ground)
                .with_context(|| format!("{}: {}", race.name, contestant.name))?;
            eprintln!(
                "  {round}/{rounds} {:>8.2} s  cpu {:>6.2} + {:>6.2} s, others {:>5.2} s, {:>4} MiB  {}",
                figures.wall.as_secs_f64(),
                figures.client.as_secs_f64(),
                figures.server.as_secs_f64(),
                figures.others.as_secs_f64(),
                figures.peak >> 20,
                contestant.name,
            );
            runs.entry(contestant.name).or_default().0.push(figures);
        }
    }
    let budget = field.budget.clone();
    drop(field);
    Ok(Outcome {
        runs,
        budget,
        versions,
        load,
    })
}

/// One run of one contestant.
fn run(
    contestant: &Contestant,
    field: &Field,
    env: &[(&'static str, OsString)],
    plan: &Plan,
    ground: &Ground,
) -> Result<Figures> {
    let out = ground.folder("out")?;
    let told = ground.folder("told")?;
    let mut env = env.to_vec();
    env.push(("OUT", out.clone().into()));
    script(contestant.before, &env).context("before")?;
    // What earlier runs wrote goes to the disk now, not in the middle of this one.
    script("sync", &env)?;
    cpu::await_quiet(plan.patience)?;

    let (times, stderr) = (told.join("times"), told.join("stderr"));
    let mut command = Command::new("/usr/bin/time");
    command
        .arg("-q")
        .arg("-o")
        .arg(&times)
        .args(["-f", "%U %S %M"]);
    command.args(["bash", "-euo", "pipefail", "-c", contestant.script]);
    machine::clean(&mut command).envs(env.iter().map(|(name, value)| (name, value)));
    command
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(File::create(&stderr)?);

    let read = field.meter.as_ref().map_or(0, |meter| meter.count());
    let (server, machine) = (cpu::trees(&field.servers)?, cpu::machine()?);
    let start = Instant::now();
    let status = command.status().context("/usr/bin/time")?;
    let wall = start.elapsed();
    let machine = cpu::machine()?.saturating_sub(machine);
    ensure!(
        status.success(),
        "{}\n{status}\n{}",
        contestant.script,
        fs::read_to_string(&stderr)?
    );
    // Sessions end a moment after their clients.
    std::thread::sleep(Duration::from_millis(50));
    let server = cpu::trees(&field.servers)?.saturating_sub(server);
    let (client, peak) = used(&fs::read_to_string(&times)?)?;
    let figures = Figures {
        wall,
        client,
        server,
        others: machine.saturating_sub(client + server),
        peak,
        size: size(&out)?,
        read: field.meter.as_ref().map_or(0, |meter| meter.count()) - read,
    };
    script(contestant.after, &env).context("after")?;
    fs::remove_dir_all(&out)?;
    Ok(figures)
}

/// Runs bash to its end, and gives what it printed.
pub(crate) fn script(script: &str, env: &[(&'static str, OsString)]) -> Result<String> {
    if script.is_empty() {
        return Ok(String::new());
    }
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", script]);
    machine::clean(&mut bash).envs(env.iter().map(|(name, value)| (name, value)));
    let done = bash.output().context("bash")?;
    if !done.status.success() {
        bail!(
            "{script}\n{}\n{}",
            done.status,
            String::from_utf8_lossy(&done.stderr)
        );
    }
    Ok(String::from_utf8(done.stdout)?)
}

/// CPU time and peak memory, as `/usr/bin/time -f '%U %S %M'` tells them.
fn used(times: &str) -> Result<(Duration, u64)> {
    let fields: Vec<f64> = times
        .split_whitespace()
        .map_while(|field| field.parse().ok())
        .collect();
    let [user, system, kib] = fields[..] else {
        bail!("/usr/bin/time told {times:?}");
    };
    Ok((Duration::from_secs_f64(user + system), kib as u64 * 1024))
}

/// Bytes of all files in a folder.
fn size(dir: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        sum += if meta.is_dir() {
            size(&entry.path())?
        } else {
            meta.len()
        };
    }
    Ok(sum)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_time_tells_is_understood() {
        let (cpu, peak) = used("1.50 0.25 2048\n").unwrap();
        assert_eq!((cpu, peak), (Duration::from_millis(1750), 2 << 20));
        assert!(used("Command exited").is_err());
    }

    #[test]
    fn scripts_fail_as_a_whole() {
        assert_eq!(
            script("echo $A | cat", &[("A", "b".into())]).unwrap(),
            "b\n"
        );
        assert!(script("false | cat", &[]).is_err());
        assert!(script("false; true", &[]).is_err());
    }
}
