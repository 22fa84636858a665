//! A program's output, as a snapshot.

use std::num::NonZeroUsize;
use std::sync::Arc;

use ksnapshot_core::catalog::CatalogModel;
use ksnapshot_core::layout::Form;
use ksnapshot_core::{
    Aspect, Consistency, Cx, DataPart, DumpSession, Dumper, Error, ErrorKind, Item, ObjectPlan,
    Outline, PartSink, Preflight, Problem, ProblemKind, Result, RowBlock, RowHash, SourceInfo,
    Stage, async_trait,
};
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::process::ChildStdout;
use tokio::sync::Mutex;

use super::process::Direction;
use super::{Process, Program};

/// The type in names and manifests.
const KIND: &str = "command";

#[async_trait]
impl Dumper for Program {
    fn host(&self) -> String {
        self.name()
    }

    fn database(&self) -> String {
        String::new()
    }

    async fn open(&self, _workers: NonZeroUsize, cx: &Cx) -> Result<Arc<dyn DumpSession>> {
        // Started here, so that one that isn't there is known before anything is written. It waits with its output.
        let process = Process::start(self, Direction::Out)?;
        Ok(Arc::new(Session {
            outline: outline(&self.name())?,
            process: Mutex::new(process),
            cx: cx.clone(),
        }))
    }

    async fn preflight(&self, _workers: NonZeroUsize, _cx: &Cx) -> Result<Preflight> {
        Err(Error::new(
            ErrorKind::Usage,
            "command: what a program will do is not known before it is run",
        )
        .hint("Leave --preflight away."))
    }
}

#[derive(Debug)]
struct Session {
    outline: Outline,
    process: Mutex<Process>,
    cx: Cx,
}

#[async_trait]
impl DumpSession for Session {
    fn outline(&self) -> &Outline {
        &self.outline
    }

    async fn dump(&self, part: &DataPart, out: &mut PartSink) -> Result<()> {
        let mut process = self.process.lock().await;
        let Some(stdout) = process.stdout() else {
            return Err(Error::new(ErrorKind::Failed, "its output was read already"));
        };
        let item = part.items.first().copied().unwrap_or_default();
        let mut read = 0;
        process
            .attend(copy(stdout, item, out, &mut read), &self.cx)
            .await?;
        if read == 0 {
            out.problem(Problem {
                kind: ProblemKind::Unreadable,
                object: format!("command {}", process.name()),
                message: "it ended well and wrote nothing".into(),
                hint: Some("Let it write to its stdout.".into()),
            });
        }
        Ok(())
    }

    async fn confirm(&self) -> Result<()> {
        // A part ends well only when its program does.
        Ok(())
    }

    async fn close(&self) -> Result<()> {
        self.process.lock().await.end().await;
        Ok(())
    }
}

/// Copies all output, in blocks.
async fn copy(
    mut stdout: ChildStdout,
    item: u32,
    out: &mut PartSink,
    total: &mut u64,
) -> Result<()> {
    loop {
        let size = out.block_size();
        let mut text = Vec::with_capacity(size);
        while text.len() < size {
            let left = (size - text.len()) as u64;
            let read = (&mut stdout).take(left).read_buf(&mut text).await;
            let read = read.map_err(|cause| {
                Error::new(ErrorKind::Failed, "its output can't be read").source(cause)
            })?;
            if read == 0 {
                break;
            }
        }
        if text.is_empty() {
            return Ok(());
        }
        *total += text.len() as u64;
        let hash = RowHash::of(&text);
        let block = RowBlock {
            text,
            rows: 0,
            hash,
        };
        out.rows(item, block).await?;
    }
}

fn outline(program: &str) -> Result<Outline> {
    Ok(Outline {
        source: SourceInfo {
            kind: KIND.into(),
            server_version: program.into(),
        },
        consistency: Consistency {
            claim: "one-run".into(),
            position: [].into(),
        },
        form: Form::Output,
        catalog: CatalogModel::new(KIND, 1, &json!({ "program": program }))?,
        items: vec![Item {
            id: 0,
            stage: Stage::Data,
            aspect: Aspect::Data,
            kind: "output".into(),
            schema: None,
            name: program.into(),
            table: None,
            owner: None,
            depends: Vec::new(),
            place: None,
            data: None,
        }],
        objects: vec![ObjectPlan {
            name: String::new(),
            definitions: Vec::new(),
            parts: vec![DataPart {
                id: 0,
                name: format!("command {program}"),
                estimate: 0,
                items: vec![0],
            }],
        }],
        problems: Vec::new(),
    })
}
