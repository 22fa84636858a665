//! A program that a Job runs: the same as itself, by other words.

use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use ksnapshot_operator::job::JobPlan;
use rustix::process::{Pid, Signal, kill_process};
use secrecy::ExposeSecret;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Split};
use tokio::process::{Child, Command};
use tokio::signal::unix::{self, SignalKind};

use crate::parent::PARENT;

/// One line that a program has written.
#[derive(Debug)]
pub(super) enum Line {
    /// On stdout.
    Result(String),
    /// On stderr.
    Said(String),
}

/// SIGINT and SIGTERM to the Job.
#[derive(Debug)]
pub(super) struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    /// One has come: nothing more is begun.
    pub(super) stopped: bool,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: unix::signal(SignalKind::interrupt())?,
            terminate: unix::signal(SignalKind::terminate())?,
            stopped: false,
        })
    }

    /// The next one. Nothing is lost when the wait is given up.
    pub(super) async fn next(&mut self) -> Signal {
        let signal = tokio::select! {
            _ = self.interrupt.recv() => Signal::INT,
            _ = self.terminate.recv() => Signal::TERM,
        };
        self.stopped = true;
        signal
    }
}

/// How programs are run.
#[derive(Debug)]
pub(super) struct Programs<'p> {
    program: PathBuf,
    plan: &'p JobPlan,
}

impl<'p> Programs<'p> {
    pub(super) fn new(plan: &'p JobPlan) -> io::Result<Self> {
        Ok(Self {
            program: std::env::current_exe()?,
            plan,
        })
    }

    /// Runs one to its end, however it ends, and hands on every line that it writes. Each signal goes on to it, and it is
    /// waited for all the same. Must be polled by the thread that the process lives as long as: the kernel ends the
    /// program when the thread that has started it ends.
    pub(super) async fn run(
        &self,
        words: &[String],
        signals: &mut Signals,
        mut tell: impl FnMut(Line),
    ) -> io::Result<ExitStatus> {
        let mut child = self.command(words).spawn()?;
        let (mut results, mut said) = (lines(child.stdout.take()), lines(child.stderr.take()));
        loop {
            tokio::select! {
                line = next(&mut results), if results.is_some() => match line? {
                    Some(line) => tell(Line::Result(line)),
                    None => results = None,
                },
                line = next(&mut said), if said.is_some() => match line? {
                    Some(line) => tell(Line::Said(line)),
                    None => said = None,
                },
                signal = signals.next() => hand_on(&child, signal),
                status = child.wait(), if results.is_none() && said.is_none() => return status,
            }
        }
    }

    fn command(&self, words: &[String]) -> Command {
        let kept = std::env::vars_os()
            .filter(|(name, _)| name.to_str().is_some_and(|name| self.plan.keeps(name)));
        let set = self.plan.variables.iter();
        let mut command = Command::new(&self.program);
        command
            .arg("--json")
            .args(words)
            .env_clear()
            .envs(kept)
            .envs(set.map(|(name, value)| (name, value.expose_secret())))
            .env(PARENT, std::process::id().to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A terminal's Ctrl-C reaches the Job alone, which hands it on: twice would mean at once.
            .process_group(0)
            .kill_on_drop(true);
        command
    }
}

fn hand_on(child: &Child, signal: Signal) {
    // It is ours until it was waited for, so the number is nobody else's.
    let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    if let Some(pid) = pid {
        let _ = kill_process(pid, signal);
    }
}

type Lines<R> = Option<Split<BufReader<R>>>;

fn lines<R: AsyncRead + Unpin>(from: Option<R>) -> Lines<R> {
    from.map(|from| BufReader::new(from).split(b'\n'))
}

async fn next<R: AsyncRead + Unpin>(lines: &mut Lines<R>) -> io::Result<Option<String>> {
    let Some(lines) = lines else {
        return Ok(None);
    };
    let line = lines.next_segment().await?;
    Ok(line.map(|line| String::from_utf8_lossy(&line).into_owned()))
}
