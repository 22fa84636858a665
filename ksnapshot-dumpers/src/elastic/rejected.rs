//! Documents that a target refuses: counted, told by an example, and kept in a file where one was named.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ksnapshot_core::{Error, ErrorKind, Result};

use super::line::Document;
use super::lock;

/// Documents that were refused.
#[derive(Debug)]
pub(super) struct Rejected {
    kept: Mutex<Kept>,
    path: Option<PathBuf>,
}

#[derive(Debug, Default)]
struct Kept {
    file: Option<File>,
    count: u64,
    /// The first one, and why.
    example: Option<String>,
}

impl Rejected {
    /// Keeps them in a new file at `path`.
    ///
    /// Errors: [`ErrorKind::Usage`] when there is one already, or none can be made.
    pub(super) fn new(path: Option<&Path>) -> Result<Self> {
        let open = |path: &Path| {
            File::create_new(path).map_err(|cause| {
                Error::new(
                    ErrorKind::Usage,
                    format!(
                        "file {}: can't be made for refused documents",
                        path.display()
                    ),
                )
                .hint("Name a file that does not exist, in a folder that this user may write to.")
                .source(cause)
            })
        };
        Ok(Self {
            kept: Mutex::new(Kept {
                file: path.map(open).transpose()?,
                ..Kept::default()
            }),
            path: path.map(Path::to_owned),
        })
    }

    /// Keeps some.
    pub(super) fn keep(&self, refused: &[(Document<'_>, String)]) -> Result<()> {
        let mut kept = lock(&self.kept);
        for (document, reason) in refused {
            kept.count += 1;
            if kept.example.is_none() {
                let name = |value: Option<&serde_json::value::RawValue>| {
                    value.map_or_else(|| "?".to_owned(), |v| v.get().trim_matches('"').to_owned())
                };
                kept.example = Some(format!(
                    "document {} of index {}: {reason}",
                    name(document.id),
                    name(document.index)
                ));
            }
            if let Some(file) = &mut kept.file {
                let line = document.rejected(reason);
                file.write_all(line.as_bytes()).map_err(|cause| {
                    Error::new(
                        ErrorKind::Failed,
                        "the file for refused documents can't be written",
                    )
                    .source(cause)
                })?;
            }
        }
        Ok(())
    }

    /// What a person should hear of them; none when there are none, and then no file is left either.
    pub(super) fn finish(&self) -> Result<Option<String>> {
        let mut kept = lock(&self.kept);
        let file = kept.file.take();
        let count = kept.count;
        let Some(example) = kept.example.take() else {
            if let (Some(path), Some(_)) = (&self.path, file) {
                std::fs::remove_file(path).ok();
            }
            return Ok(None);
        };
        let rest = match &self.path {
            Some(path) => format!("they are in {}", path.display()),
            None => "name a file with --rejected to keep them".to_owned(),
        };
        Ok(Some(format!(
            "{count} documents were refused, the first: {example}; {rest}"
        )))
    }
}
