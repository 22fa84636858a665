//! One run of a program: in a process group of its own, so that what it starts ends with it.

use std::collections::VecDeque;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use ksnapshot_core::{Cx, Error, ErrorKind, Event, Result};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::Program;

/// How long a program may take to end once it is asked to.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// How long its last words are waited for, when something that it started still holds its stderr.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Lines of stderr that an error repeats.
const TAIL: usize = 10;

/// Bytes of one line that are kept.
const LINE: usize = 1000;

/// A program that runs. It is killed when it is dropped.
#[derive(Debug)]
pub(super) struct Process {
    name: String,
    group: Option<Pid>,
    child: Child,
    stderr: Option<ChildStderr>,
    /// It ended by itself and well: what it left running is meant to run.
    done: bool,
}

/// Where its input or output goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Direction {
    /// We read what it writes.
    Out,
    /// We write what it reads. What it prints and says goes to our stderr at once: our stdout is for results.
    In,
}

impl Process {
    pub(super) fn start(program: &Program, direction: Direction) -> Result<Self> {
        let (stdin, stdout, stderr) = match direction {
            Direction::Out => (Stdio::null(), Stdio::piped(), Stdio::piped()),
            Direction::In => (Stdio::piped(), std::io::stderr().into(), Stdio::inherit()),
        };
        let name = program.name();
        let child = Command::new(&program.program)
            .args(&program.arguments)
            .stdin(stdin)
            .stdout(stdout)
            .stderr(stderr)
            .process_group(0)
            .kill_on_drop(true)
            .spawn();
        let mut child = child.map_err(|cause| {
            Error::new(ErrorKind::Failed, format!("command {name}: can't be started"))
                .hint("Give the program's path or a name that is found in PATH; a shell's own words need `sh -c`.")
                .source(cause)
        })?;
        let group = (child.id())
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        Ok(Self {
            stderr: child.stderr.take(),
            name,
            group,
            child,
            done: false,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    pub(super) fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Does `work`, waits for the program's own end, and hands on what it says meanwhile.
    ///
    /// Errors: what `work` failed with; or that the program did not end well, with the last lines that it said.
    pub(super) async fn attend(
        &mut self,
        work: impl Future<Output = Result<()>>,
        cx: &Cx,
    ) -> Result<()> {
        let mut tail = VecDeque::new();
        let (child, stderr) = (&mut self.child, self.stderr.take());
        let ended = {
            let mut told = std::pin::pin!(listen(stderr, &mut tail, cx));
            let mut run = std::pin::pin!(async {
                let worked = work.await;
                // A program that is waited for in vain is ended by whoever cancels.
                let status = match &worked {
                    Ok(()) => Some(child.wait().await),
                    Err(_) => None,
                };
                (worked, status)
            });
            tokio::select! {
                ended = &mut run => {
                    let _ = tokio::time::timeout(LAST_WORDS, told).await;
                    ended
                }
                () = &mut told => run.await,
            }
        };
        let tail: Vec<String> = tail.into();
        match ended {
            (Err(error), _) if tail.is_empty() => Err(error),
            (Err(error), _) => Err(error.further_hint(format!("It said: {}", tail.join(" ⏎ ")))),
            (Ok(()), Some(Ok(status))) if status.success() => {
                self.done = true;
                Ok(())
            }
            (Ok(()), Some(Ok(status))) => Err(self.failed(status, &tail)),
            (Ok(()), Some(Err(cause))) => {
                Err(Error::new(ErrorKind::Failed, "its end can't be found out").source(cause))
            }
            (Ok(()), None) => Ok(()),
        }
    }

    fn failed(&self, status: ExitStatus, tail: &[String]) -> Error {
        use std::os::unix::process::ExitStatusExt;
        let how = match (status.code(), status.signal()) {
            (Some(code), _) => format!("ended with exit code {code}"),
            (None, Some(signal)) => format!("was ended by signal {signal}"),
            (None, None) => "did not end well".to_owned(),
        };
        let error =
            Error::new(ErrorKind::Failed, how).hint("Run the command alone to see why it fails.");
        match tail {
            [] => error,
            lines => error.source(lines.join("\n")),
        }
    }

    /// Ends the program and all that it has started, unless it ended well: asked first, then forced.
    pub(super) async fn end(&mut self) {
        let Some(group) = self.group.filter(|_| !self.done) else {
            return;
        };
        // The group outlives the program itself, as long as anybody is in it.
        let _ = kill_process_group(group, Signal::TERM);
        let gone = async {
            let _ = self.child.wait().await;
            while test_kill_process_group(group).is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(GRACE, gone).await.is_err() {
            let _ = kill_process_group(group, Signal::KILL);
            let _ = self.child.wait().await;
        }
    }
}

/// Hands on every line, and keeps the last ones.
async fn listen(stderr: Option<ChildStderr>, tail: &mut VecDeque<String>, cx: &Cx) {
    let Some(stderr) = stderr else { return };
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A line without an end must not fill the memory.
        let read = loop {
            let Ok(found) = reader.fill_buf().await else {
                break 0;
            };
            let end = found.iter().position(|&b| b == b'\n');
            let taken = end.map_or(found.len(), |at| at + 1);
            let room = LINE.saturating_sub(line.len());
            line.extend_from_slice(&found[..end.unwrap_or(taken).min(room)]);
            reader.consume(taken);
            if end.is_some() || taken == 0 {
                break taken.max(line.len());
            }
        };
        if read == 0 {
            return;
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        cx.emit(&Event::Told(&text));
        if tail.len() == TAIL {
            tail.pop_front();
        }
        tail.push_back(text);
    }
}
