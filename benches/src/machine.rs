//! What the races run on.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use ksnapshot_tests::tools;

/// Removes from a command's environment what would change it behind a race's back.
pub(crate) fn clean(command: &mut Command) -> &mut Command {
    tools::clean(command);
    command
}

/// The number of cores.
pub(crate) fn cores() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    u32::try_from(cores).unwrap_or(u32::MAX)
}

/// The load average of the last minute.
pub(crate) fn load() -> Result<String> {
    let text = fs::read_to_string("/proc/loadavg")?;
    let first = text.split(' ').next().context("/proc/loadavg")?;
    Ok(first.to_owned())
}

/// Cores, memory and kernel, for a reader.
pub(crate) fn describe() -> String {
    let model = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned());
    let memory = field("/proc/meminfo", "MemTotal")
        .and_then(|text| text.trim_end_matches(" kB").parse::<u64>().ok())
        .unwrap_or_default();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{} cores ({model}), {:.0} GiB of memory, Linux {}",
        cores(),
        memory as f64 / f64::from(1 << 20),
        kernel.split('-').next().unwrap_or_default().trim_end()
    )
}

/// Today, in UTC.
pub(crate) fn today() -> String {
    let date = Command::new("date").args(["-u", "+%F"]).output();
    date.map(|done| String::from_utf8_lossy(&done.stdout).trim_end().to_owned())
        .unwrap_or_default()
}

/// The commit of the sources, with a plus if they differ from it.
pub(crate) fn commit() -> Option<String> {
    let mut git = Command::new("git");
    git.current_dir(env!("CARGO_MANIFEST_DIR")).args([
        "describe",
        "--always",
        "--dirty=+",
        "--exclude=*",
    ]);
    let done = git.output().ok().filter(|done| done.status.success())?;
    Some(String::from_utf8_lossy(&done.stdout).trim_end().to_owned())
}

/// The value of the first line `NAME : value` of a file.
fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let values = text.lines().filter_map(|line| line.split_once(':'));
    let mut found = values.filter(|(key, _)| key.trim() == name);
    found.next().map(|(_, value)| value.trim().to_owned())
}
