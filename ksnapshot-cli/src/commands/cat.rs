//! `ksnapshot cat`.

use std::io::{self, Read, Write};
use std::num::NonZeroUsize;

use ksnapshot_core::pipeline::{Excerpt, RestoreRequest};
use ksnapshot_core::{Cx, Error, ErrorKind, Registry, RestoreOptions, Result};

use crate::args::CatArgs;

pub(crate) async fn run(args: CatArgs, registry: &Registry, cx: &Cx) -> Result<u8> {
    let decryptor = args.which.decryptor(registry)?;
    if let Some(object) = args.which.object(registry)? {
        if !args.tables.is_empty() || !args.indices.is_empty() {
            return Err(Error::new(
                ErrorKind::Usage,
                "--table and --index need a snapshot, and this is a single object",
            ));
        }
        let reader = cx.guard(object.open(decryptor.as_ref())).await?;
        let name = object.key.to_string();
        // Reading and writing may both block for long: they wait on another thread, and a cancelled wait leaves it there.
        cx.guard(blocking(move || copy(reader)))
            .await
            .map_err(|e| e.context(name))?;
        return Ok(0);
    }
    let snapshot = args.which.find(registry, cx).await?;
    let request = RestoreRequest {
        tables: [args.tables, args.indices].concat(),
        no_owner: false,
        no_privileges: false,
        jobs: NonZeroUsize::MIN,
        options: RestoreOptions::default(),
    };
    cx.guard(async {
        let mut excerpt = Excerpt::open(&snapshot, decryptor.as_ref(), &request).await?;
        while let Some(text) = excerpt.next().await? {
            if !blocking(move || write(&text)).await? {
                break;
            }
        }
        Ok(())
    })
    .await?;
    Ok(0)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|cause| Err(Error::new(ErrorKind::Failed, "stopped").source(cause)))
}

/// Writes to stdout; false when the reader has seen enough.
fn write(bytes: &[u8]) -> Result<bool> {
    match io::stdout().lock().write_all(bytes) {
        Ok(()) => Ok(true),
        Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(cause) => Err(Error::new(ErrorKind::Failed, "stdout: can't be written").source(cause)),
    }
}

fn copy(mut reader: Box<dyn Read + Send>) -> Result<()> {
    let mut buffer = vec![0; 256 << 10];
    loop {
        let read = reader
            .read(&mut buffer)
            .map_err(ksnapshot_core::pipeline::read_error)?;
        if read == 0 || !write(&buffer[..read])? {
            return Ok(());
        }
    }
}
