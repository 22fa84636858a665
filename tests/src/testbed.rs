//! Where fetched servers live, and how a server is bound to the life of the process that starts it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// The cache that `make servers` fills.
pub fn home() -> Result<PathBuf> {
    let cache = match std::env::var_os("XDG_CACHE_HOME").filter(|dir| !dir.is_empty()) {
        Some(dir) => PathBuf::from(dir),
        None => PathBuf::from(
            std::env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?,
        )
        .join(".cache"),
    };
    Ok(cache.join("ksnapshot/testbed"))
}

/// A script of `tests/testbed`.
pub fn script(name: &str) -> PathBuf {
    package().join("testbed").join(name)
}

/// A file of `tests/sql`.
pub fn sql(name: &str) -> PathBuf {
    package().join("sql").join(name)
}

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Fails, with the way out, when something that `make servers` fetches isn't there.
pub fn require(path: &Path) -> Result<()> {
    ensure!(
        path.exists(),
        "{} is missing: run `make servers`",
        path.display()
    );
    Ok(())
}

/// A loopback port that was free a moment ago. Another process may take it: whoever uses it tries again with
/// another one when it's gone.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Polls `probe` until it gives a value; fails after `limit`.
pub fn until<T>(
    limit: Duration,
    what: &str,
    mut probe: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = probe()? {
            return Ok(value);
        }
        ensure!(Instant::now() < deadline, "{what}: not within {limit:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process runs (one that has ended and wasn't waited for doesn't).
pub fn alive(pid: u32) -> bool {
    // The state follows the name, which is in parentheses and may hold anything.
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        stat.rsplit_once(") ")
            .is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
    })
}

/// The direct children of a process.
pub fn children(pid: u32) -> Vec<u32> {
    let parent = |pid: u32| -> Option<u32> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|&other| parent(other) == Some(pid)).collect()
}

/// Kills a process at once, as a crash would. One that's gone already is fine.
pub fn kill(pid: u32) -> Result<()> {
    signal(pid, rustix::process::Signal::KILL)
}

pub(crate) fn signal(pid: u32, signal: rustix::process::Signal) -> Result<()> {
    let raw = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .context("not a process id")?;
    match rustix::process::kill_process(raw, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(e) => Err(e).with_context(|| format!("signal to process {pid}")),
    }
}

/// A new name below `base` that says whose it is; what dead processes left there is removed.
pub(crate) fn run_dir(base: &Path) -> Result<PathBuf> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    fs::create_dir_all(base).with_context(|| base.display().to_string())?;
    for entry in fs::read_dir(base)?.flatten() {
        let name = entry.file_name();
        let owner = name
            .to_str()
            .and_then(|name| name.strip_prefix("run-"))
            .and_then(|name| name.split('-').next());
        if owner
            .and_then(|pid| pid.parse().ok())
            .is_some_and(|pid: u32| !alive(pid))
        {
            // Its own keeper may be removing it at this moment.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(base.join(format!(
        "run-{}-{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    )))
}

/// A running server and its keeper, the script `sit`: when this value is dropped, or this process ends in whatever
/// way, the keeper stops the server and removes its folder.
#[derive(Debug)]
pub(crate) struct Server {
    keeper: Child,
    /// Open for as long as the server is wanted.
    wanted: Option<ChildStdin>,
    /// Of the server itself.
    pub(crate) pid: u32,
    log: PathBuf,
}

impl Server {
    /// Starts `command`; its keeper stops it by `stop`, the name of a signal, and then removes `dir`.
    pub(crate) fn start(command: &Command, stop: &str, dir: &Path) -> Result<Self> {
        let log = dir.join("server.log");
        let mut keeper = Command::new(script("sit"));
        keeper
            .arg(stop)
            .arg(dir)
            .arg(command.get_program())
            .args(command.get_args());
        // Nothing of the caller's environment reaches a server but the path to programs.
        keeper
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("LC_ALL", "C.UTF-8");
        keeper.envs(
            command
                .get_envs()
                .filter_map(|(key, value)| Some((key, value?))),
        );
        // A group of its own: Ctrl-C ends the tests, and their end is what ends the server.
        keeper.process_group(0).current_dir("/");
        keeper
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?);
        let mut keeper = keeper.spawn().context("tests/testbed/sit")?;
        let wanted = keeper.stdin.take();
        let mut line = String::new();
        if let Some(out) = keeper.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        let pid = line
            .trim()
            .parse()
            .context("tests/testbed/sit told no process id")?;
        Ok(Self {
            keeper,
            wanted,
            pid,
            log,
        })
    }

    /// Waits until `ready`; fails with the server's log when it ends before.
    pub(crate) fn await_ready(&self, what: &str, mut ready: impl FnMut() -> bool) -> Result<()> {
        let waited = until(Duration::from_secs(60), what, || {
            if ready() {
                return Ok(Some(()));
            }
            if !alive(self.pid) {
                bail!("{what}: ended at once");
            }
            Ok(None)
        });
        waited.with_context(|| self.log())
    }

    /// What the server wrote.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.wanted.take());
        // The keeper has a limit of its own.
        let _ = self.keeper.wait();
    }
}

/// Fills `slot` once; a failure is given to whoever asked, and the next one tries again.
pub(crate) fn share<T: Send + Sync>(
    slot: &'static OnceLock<T>,
    start: impl FnOnce() -> Result<T>,
) -> Result<&'static T> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    // A test that panicked while starting a server left nothing half done.
    let _guard = (ONE_AT_A_TIME.lock()).unwrap_or_else(PoisonError::into_inner);
    if slot.get().is_none() {
        let _ = slot.set(start()?);
    }
    slot.get().context("a server was just put there")
}
