//! `ksnapshot verify`.

use std::time::Instant;

use ksnapshot_core::pipeline::{Level, restore_drill, verify};
use ksnapshot_core::registry::Options;
use ksnapshot_core::{Cx, Error, ErrorKind, Registry, Result, Target};
use serde_json::json;

use crate::args::{LevelArg, VerifyArgs, jobs};
use crate::output::{Output, bytes, code, plural};
use crate::place::access;

pub(crate) async fn run(
    args: VerifyArgs,
    registry: &Registry,
    output: &Output,
    cx: &Cx,
) -> Result<u8> {
    let decryptor = args.which.decryptor(registry)?;
    let scratch = match args.scratch.as_deref() {
        None => None,
        Some(url) => match registry.target(url, &access(url, "TARGET", cx), Options::default())? {
            Target::Database(server) => Some(server),
            Target::Stream(stream) => {
                return Err(Error::new(
                    ErrorKind::Usage,
                    format!("{} can't be read back", stream.target()),
                )
                .hint("Name a server of the snapshot's own kind."));
            }
        },
    };
    let snapshot = args.which.find(registry, cx).await?;
    let began = Instant::now();
    let report = match (args.level, scratch) {
        (LevelArg::Checksum, _) => verify(&snapshot, None, Level::Checksum, cx).await?,
        (LevelArg::Decode, _) => verify(&snapshot, decryptor.as_ref(), Level::Decode, cx).await?,
        (LevelArg::Restore, Some(server)) => {
            restore_drill(
                &snapshot,
                decryptor.as_ref(),
                server.as_ref(),
                jobs(args.jobs),
                cx,
            )
            .await?
        }
        (LevelArg::Restore, None) => {
            return Err(Error::new(
                ErrorKind::Usage,
                "the restore level needs --scratch SERVER-URL",
            ));
        }
    };
    let proved = match report.level {
        Level::Checksum => "every object is as it was written",
        Level::Decode => "every row decodes to what was dumped",
        Level::Restore if !report.problems.is_empty() => {
            "restored with the problems above; its rows read back equal"
        }
        Level::Restore => "restored, read back and equal",
    };
    let id = &snapshot.manifest.id;
    if output.json {
        output.line(&json!({
            "message_type": "summary",
            "id": id,
            "outcome": if report.problems.is_empty() { "complete" } else { "complete-with-problems" },
            "level": format!("{:?}", report.level).to_lowercase(),
            "stored_bytes": report.bytes,
            "rows": report.rows,
            "seconds": began.elapsed().as_secs_f64(),
            "problems": report.problems,
        }))?;
    } else {
        let rows = if report.rows == 0 {
            String::new()
        } else {
            format!(", {}", plural(report.rows, "row"))
        };
        output.text(&format!(
            "{id}: {proved} ({}{rows}, {:.1} s)\n",
            bytes(report.bytes),
            began.elapsed().as_secs_f64()
        ))?;
    }
    Ok(code(&report.problems))
}
