//! The built binary, run as a user runs it.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;

use crate::testbed;
use crate::tools::{self, Run};
use crate::{PASSWORD, S3};

/// The binary under test: `KSNAPSHOT_BIN`, or the one built beside this program.
pub fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("KSNAPSHOT_BIN") {
        return Ok(path.into());
    }
    let me = std::env::current_exe()?;
    // Tests live in `release/deps`, other programs in `release`.
    let mut folders = me
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("ksnapshot"));
    folders
        .find(|path| path.is_file())
        .context("no ksnapshot beside the tests: build ksnapshot-cli with the same profile")
}

/// One run of the binary, in an environment without `PG*`, `AWS_*` and `KSNAPSHOT_*`.
#[derive(Debug)]
pub struct Ksnapshot {
    command: Result<Command>,
    limit: Duration,
}

impl Ksnapshot {
    /// With these arguments.
    pub fn new(args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        let command = binary().map(|path| {
            let mut command = Command::new(path);
            tools::clean(&mut command);
            command.args(args);
            command
        });
        Self {
            command,
            limit: Duration::from_secs(300),
        }
    }

    /// With one more argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        if let Ok(command) = &mut self.command {
            command.arg(arg);
        }
        self
    }

    /// With more arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        if let Ok(command) = &mut self.command {
            command.args(args);
        }
        self
    }

    /// With a variable of the environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        if let Ok(command) = &mut self.command {
            command.env(name, value);
        }
        self
    }

    /// With the password of the test servers' `postgres`, in `PGPASSWORD`.
    pub fn password(self) -> Self {
        self.env("PGPASSWORD", PASSWORD)
    }

    /// With the credentials of an S3 server.
    pub fn credentials(self, server: &S3) -> Self {
        self.envs(server.credentials())
    }

    /// With variables of the environment.
    pub fn envs(self, vars: impl IntoIterator<Item = (&'static str, impl AsRef<OsStr>)>) -> Self {
        vars.into_iter()
            .fold(self, |run, (name, value)| run.env(name, value))
    }

    /// Run by another program that is given the binary and its arguments, and becomes it in the end: `setpriv`, a shell
    /// with `exec`.
    pub fn under(self, wrapper: &[&str]) -> Self {
        let command = self.command.and_then(|command| {
            let (program, args) = wrapper.split_first().context("no wrapper")?;
            let mut outer = Command::new(program);
            outer
                .args(args)
                .arg(command.get_program())
                .args(command.get_args());
            for (name, value) in command.get_envs() {
                match value {
                    Some(value) => outer.env(name, value),
                    None => outer.env_remove(name),
                };
            }
            Ok(outer)
        });
        Self { command, ..self }
    }

    /// Killed, and failed, after this time instead of five minutes.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it to its end. Any exit code is a result.
    pub fn run(self) -> Result<Run> {
        self.spawn()?.wait()
    }

    /// Starts it.
    pub fn spawn(self) -> Result<Running> {
        let mut command = self.command?;
        let shown = tools::shown(&command);
        Ok(Running {
            child: Some(tools::start(&mut command)?),
            shown,
            limit: self.limit,
        })
    }
}

/// A run that isn't finished. Dropped, it's killed.
#[derive(Debug)]
pub struct Running {
    child: Option<Child>,
    shown: String,
    limit: Duration,
}

impl Running {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Sends what Ctrl-C sends.
    pub fn interrupt(&self) -> Result<()> {
        testbed::signal(self.pid(), Signal::INT)
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) -> Result<()> {
        testbed::signal(self.pid(), Signal::TERM)
    }

    /// Sends SIGKILL.
    pub fn kill(&self) -> Result<()> {
        testbed::signal(self.pid(), Signal::KILL)
    }

    /// Whether it has ended.
    pub fn ended(&mut self) -> Result<bool> {
        Ok(match &mut self.child {
            Some(child) => child.try_wait()?.is_some(),
            None => true,
        })
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Result<Run> {
        let child = self.child.take().context("waited for already")?;
        tools::finish(child, std::mem::take(&mut self.shown), self.limit)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
