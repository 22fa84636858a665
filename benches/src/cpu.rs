//! CPU time, as the kernel counts it.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use ksnapshot_tests::testbed;

/// The unit of times in `/proc`, the same on every Linux for x86 and ARM.
const TICK: Duration = Duration::from_millis(10);

/// What processes have used so far, with all that they started and that still runs or was waited for.
pub(crate) fn trees(pids: &[u32]) -> Result<Duration> {
    let mut last = None;
    // A process that ends between two looks would be counted twice or not at all, so two looks must agree on who is
    // there.
    for _ in 0..100 {
        let mut seen = Vec::new();
        let mut sum = Duration::ZERO;
        for &pid in pids {
            sum += tree(pid, &mut seen)?;
        }
        if last.as_ref() == Some(&seen) {
            return Ok(sum);
        }
        last = Some(seen);
        thread::sleep(Duration::from_millis(5));
    }
    anyhow::bail!("the servers' processes come and go too fast to be counted")
}

fn tree(pid: u32, seen: &mut Vec<u32>) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
        .with_context(|| format!("process {pid}"))?;
    let mut sum = own_and_reaped(&stat).with_context(|| format!("process {pid}"))?;
    seen.push(pid);
    for child in testbed::children(pid) {
        // It may have ended just now: then the next look differs.
        sum += tree(child, seen).unwrap_or_default();
    }
    Ok(sum)
}

/// utime + stime + cutime + cstime of a line of `/proc/PID/stat`.
fn own_and_reaped(stat: &str) -> Option<Duration> {
    // The name is in parentheses and may hold anything; the state follows it as field 3, utime is field 14.
    let (_, rest) = stat.rsplit_once(") ")?;
    let times: Vec<u32> = rest
        .split(' ')
        .skip(11)
        .take(4)
        .map_while(|field| field.parse().ok())
        .collect();
    (times.len() == 4).then(|| TICK * times.iter().sum())
}

/// What the whole machine has used so far, time stolen by other guests of its host included.
pub(crate) fn machine() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/stat")?;
    busy(&stat).context("/proc/stat")
}

fn busy(stat: &str) -> Option<Duration> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let times: Vec<u64> = line
        .split_whitespace()
        .map_while(|field| field.parse().ok())
        .collect();
    // user nice system idle iowait irq softirq steal
    let [user, nice, system, _idle, _wait, irq, softirq, steal, ..] = times[..] else {
        return None;
    };
    let ticks = user + nice + system + irq + softirq + steal;
    Some(TICK * u32::try_from(ticks).ok()?)
}

/// Waits until less than a tenth of a core is busy, at most `patience`.
pub(crate) fn await_quiet(patience: Duration) -> Result<()> {
    const LOOK: Duration = Duration::from_millis(500);
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline {
        let before = machine()?;
        thread::sleep(LOOK);
        if machine()?.saturating_sub(before) < LOOK / 10 {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 5 0 0 0 10 20 300 4000 20 0 1 0 9";
        assert_eq!(own_and_reaped(stat), Some(Duration::from_millis(43_300)));
        assert_eq!(own_and_reaped("7 (a) S 1 2"), None);
        let stat = "cpu  1 2 4 1000 1000 8 16 32 0 0\ncpu0 …";
        assert_eq!(busy(stat), Some(Duration::from_millis(630)));
    }

    #[test]
    fn what_was_waited_for_stays_counted() {
        let me = [std::process::id()];
        let before = trees(&me).unwrap_or_default();
        let loops = "for ((i = 0; i < 200000; i++)); do :; done";
        let bash = std::process::Command::new("bash")
            .args(["-c", loops])
            .status();
        assert!(bash.is_ok());
        assert!(trees(&me).unwrap_or_default() > before);
    }
}
