//! A snapshot, as a program's input.

use std::sync::Arc;

use ksnapshot_core::{Cx, Error, ErrorKind, Result, StreamSession, StreamTarget, async_trait};
use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;
use tokio::sync::Mutex;

use super::process::{Direction, GRACE};
use super::{Process, Program};

#[async_trait]
impl StreamTarget for Program {
    fn target(&self) -> String {
        format!("command {}", self.name())
    }

    async fn begin(&self, cx: &Cx) -> Result<Arc<dyn StreamSession>> {
        let mut process = Process::start(self, Direction::In)?;
        let stdin = process.stdin();
        Ok(Arc::new(Session {
            running: Mutex::new(Running { process, stdin }),
            cx: cx.clone(),
        }))
    }
}

#[derive(Debug)]
struct Session {
    running: Mutex<Running>,
    cx: Cx,
}

#[derive(Debug)]
struct Running {
    process: Process,
    /// Its end is the end of the program's input: it goes when everything was written, or when the program is gone.
    stdin: Option<ChildStdin>,
}

#[async_trait]
impl StreamSession for Session {
    async fn write(&self, text: &[u8]) -> Result<()> {
        let mut running = self.running.lock().await;
        let Running { process, stdin } = &mut *running;
        let written = match stdin {
            Some(open) => open.write_all(text).await,
            None => Err(std::io::ErrorKind::BrokenPipe.into()),
        };
        let Err(cause) = written else {
            return Ok(());
        };
        // It takes no more. How it ended tells why.
        *stdin = None;
        let ended = process.attend(async { Ok(()) }, &self.cx);
        match tokio::time::timeout(GRACE, ended).await {
            Ok(Err(error)) => Err(error),
            Ok(Ok(())) | Err(_) => Err(Error::new(
                ErrorKind::Failed,
                "did not read its input to the end",
            )
            .hint(
                "Use a program that takes everything; `ksnapshot cat` prints a part of a snapshot.",
            )
            .source(cause)),
        }
    }

    async fn finish(&self) -> Result<()> {
        let mut running = self.running.lock().await;
        let stdin = running.stdin.take();
        // What is written is in the pipe already; its end is all that is left to say.
        drop(stdin);
        running.process.attend(async { Ok(()) }, &self.cx).await
    }

    async fn abort(&self) {
        let mut running = self.running.lock().await;
        running.process.end().await;
        running.stdin = None;
    }
}
