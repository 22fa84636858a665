//! SQLite files for ksnapshot, as a third party would write it: a [`Dumper`] and a [`Restorer`], and the engine that makes both
//! of a URL. It passes `ksnapshot_core::conformance`, as every dumper should.
//!
//! SQLite has no server, so all reading goes through one connection, whose transaction is the one moment of the dump. Values are
//! written as SQL literals that give back each of them exactly.

mod dump;
mod restore;
mod rows;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ksnapshot_core::registry::{Access, Engine, Options};
use ksnapshot_core::{
    Consistency, Cx, DumpSession, Dumper, Error, ErrorKind, Index, Preflight, RestoreOptions,
    RestoreSession, Restorer, Result, SourceInfo, Target, async_trait,
};
use rusqlite::{Connection, OpenFlags};

/// The type in names and manifests.
const KIND: &str = "sqlite";

/// URLs such as `sqlite:///path/to/file`.
#[derive(Debug)]
pub struct SqliteEngine;

impl SqliteEngine {
    fn file(url: &str) -> Result<Sqlite> {
        match url.strip_prefix("sqlite://") {
            Some(path) if !path.is_empty() => Ok(Sqlite::new(path)),
            _ => Err(
                Error::new(ErrorKind::Usage, "sqlite: the URL names no file")
                    .hint("Write it as sqlite:///path/to/file."),
            ),
        }
    }
}

impl Engine for SqliteEngine {
    fn schemes(&self) -> &'static [&'static str] {
        &["sqlite"]
    }

    fn form(&self) -> &'static str {
        "sqlite:///path/to/file"
    }

    fn source(&self, url: &str, _: &Access, _: &mut Options) -> Result<Arc<dyn Dumper>> {
        Ok(Arc::new(Self::file(url)?))
    }

    fn target(&self, url: &str, _: &Access, _: &mut Options) -> Result<Target> {
        Ok(Target::Database(Arc::new(Self::file(url)?)))
    }
}

/// A database file.
#[derive(Debug, Clone)]
pub struct Sqlite {
    path: PathBuf,
}

impl Sqlite {
    /// The file at `path`, which need not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// A file in the same folder.
    fn beside(&self, name: &str) -> Self {
        Self::new(self.path.with_file_name(format!("{name}.sqlite")))
    }

    fn connect(&self, flags: OpenFlags) -> Result<Connection> {
        Connection::open_with_flags(&self.path, flags).map_err(|cause| self.error(cause))
    }

    fn error(&self, cause: rusqlite::Error) -> Error {
        Error::new(
            ErrorKind::Server,
            format!("{}: can't be read", self.path.display()),
        )
        .hint("Check that the file is there, and that it is a SQLite database.")
        .source(cause)
    }
}

#[async_trait]
impl Dumper for Sqlite {
    fn host(&self) -> String {
        "local".to_owned()
    }

    fn database(&self) -> String {
        let stem = self.path.file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    }

    async fn open(&self, _workers: NonZeroUsize, _cx: &Cx) -> Result<Arc<dyn DumpSession>> {
        Ok(Arc::new(dump::Session::open(self)?))
    }

    async fn preflight(&self, _workers: NonZeroUsize, _cx: &Cx) -> Result<Preflight> {
        let session = dump::Session::open(self)?;
        Ok(Preflight {
            source: source(),
            consistency: consistency(),
            problems: session.outline().problems.clone(),
            missing: Vec::new(),
        })
    }
}

#[async_trait]
impl Restorer for Sqlite {
    fn kinds(&self) -> &'static [&'static str] {
        &[KIND]
    }

    fn target(&self) -> String {
        format!("file {}", self.path.display())
    }

    async fn open(
        &self,
        index: &Index,
        items: &[u32],
        options: RestoreOptions,
        _workers: NonZeroUsize,
        _cx: &Cx,
    ) -> Result<Arc<dyn RestoreSession>> {
        Ok(Arc::new(restore::Session::open(
            self, index, items, options,
        )?))
    }

    async fn scratch(&self, name: &str, _index: &Index) -> Result<Arc<dyn Restorer>> {
        let scratch = self.beside(name);
        scratch.connect(OpenFlags::default())?;
        Ok(Arc::new(scratch))
    }

    async fn drop_scratch(&self, name: &str) -> Result<()> {
        let path = self.beside(name).path;
        for suffix in ["", "-journal", "-wal", "-shm"] {
            let mut file = path.clone().into_os_string();
            file.push(suffix);
            match std::fs::remove_file(Path::new(&file)) {
                Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                    let what = format!("{}: can't be removed", path.display());
                    return Err(Error::new(ErrorKind::Failed, what).source(cause));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn source() -> SourceInfo {
    SourceInfo {
        kind: KIND.into(),
        server_version: rusqlite::version().into(),
    }
}

fn consistency() -> Consistency {
    Consistency {
        claim: "one-snapshot".into(),
        position: [].into(),
    }
}
