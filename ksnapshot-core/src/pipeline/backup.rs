//! Dumping: data first, then the index, the manifest last.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::definitions::Packer;
use super::draft::Draft;
use super::sink::{Findings, PartSink, Shared};
use super::stream::Stream;
use super::upload::{self, Upload, Written};
use crate::compress::Zstd;
use crate::layout::{Names, new_id};
use crate::{
    Compressor, Counts, Cx, DumpSession, Dumper, Encryption, Encryptor, Error, ErrorKind, Event,
    Key, MANIFEST_VERSION, Manifest, ObjectPlan, ObjectRole, Outcome, Outline, Problem, PutMode,
    Result, Series, Stage, Storage,
};

/// How to dump.
#[derive(Debug, Clone)]
pub struct DumpRequest {
    /// Name of the series; the source's host unless given.
    pub name: Option<String>,
    /// Concurrent readers.
    pub jobs: NonZeroUsize,
    /// The codec.
    pub compressor: Arc<dyn Compressor>,
    /// Who can read the snapshot; none means everybody who can read the storage.
    pub encryptor: Option<Arc<dyn Encryptor>>,
}

impl Default for DumpRequest {
    /// The source's own name, a reader for each core, zstd 3, and no encryption.
    fn default() -> Self {
        Self {
            name: None,
            jobs: super::cores(),
            compressor: Arc::new(Zstd::new(3)),
            encryptor: None,
        }
    }
}

/// A finished dump.
#[derive(Debug)]
pub struct DumpReport {
    /// What was committed.
    pub manifest: Manifest,
    /// What is not as it should be.
    pub problems: Vec<Problem>,
}

/// How often a dump begins anew when the source loses its view.
const RESTARTS: u32 = 2;

/// Dumps `dumper` into `storage` as one snapshot.
///
/// On an error or a cancellation there is no snapshot: uploads are aborted, finished objects deleted where the storage
/// allows it. A dump whose view of the source is lost ([`ErrorKind::ViewLost`]) begins anew: what it has written
/// already can't be taken back out of a stream, and another view would not fit it.
pub async fn dump(
    dumper: &dyn Dumper,
    storage: &dyn Storage,
    request: &DumpRequest,
    cx: &Cx,
) -> Result<DumpReport> {
    let mut restarts = RESTARTS;
    loop {
        match once(dumper, storage, request, cx).await {
            Err(error) if error.kind() == ErrorKind::ViewLost && restarts > 0 => {
                restarts -= 1;
                cx.emit(&Event::Warning(&format!("{error:#}: the dump begins anew")));
            }
            done => return done,
        }
    }
}

async fn once(
    dumper: &dyn Dumper,
    storage: &dyn Storage,
    request: &DumpRequest,
    cx: &Cx,
) -> Result<DumpReport> {
    let started = Timestamp::now();
    let id = new_id();
    let session = cx.guard(dumper.open(request.jobs, cx)).await?;
    let series = Series {
        name: request.name.clone().unwrap_or_else(|| dumper.host()),
        kind: session.outline().source.kind.clone(),
        database: dumper.database(),
    };
    let names = Names::new(&series, session.outline().form, started, &id);
    let mut undo = Undo {
        storage,
        names: &names,
        finished: Vec::new(),
    };
    let watched = async {
        session.watch(cx).await;
        std::future::pending().await
    };
    let streamed = tokio::select! {
        streamed = stream_data(&session, &mut undo, request, cx) => streamed,
        never = watched => never,
    };
    let streamed = match streamed {
        Ok(streamed) => cx.guard(session.confirm()).await.map(|()| streamed),
        Err(error) => Err(error),
    };
    // The source is released as soon as it is not needed any more: a long snapshot hurts it.
    let closed = session.close().await;
    let committed = match streamed.and_then(|streamed| closed.map(|()| streamed)) {
        Ok(streamed) => {
            let outline = session.outline();
            let manifest = Manifest {
                version: MANIFEST_VERSION,
                id,
                series,
                started,
                finished: Timestamp::now(),
                tool: crate::TOOL.to_owned(),
                source: outline.source.clone(),
                consistency: outline.consistency.clone(),
                compression: request.compressor.name(),
                encryption: request.encryptor.as_ref().map(|e| Encryption {
                    scheme: e.name().to_owned(),
                    recipients: e.recipients(),
                }),
                objects: Vec::new(),
                counts: Counts::default(),
                outcome: Outcome::Complete,
                checksum: String::new(),
            };
            commit(manifest, outline, streamed, &mut undo, request, cx).await
        }
        Err(error) => Err(error),
    };
    match committed {
        Ok(report) => Ok(report),
        Err(error) => {
            undo.run(cx).await;
            Err(error)
        }
    }
}

/// What the data stage left behind.
struct Streamed {
    written: Written,
    problems: Vec<Problem>,
    missing: BTreeSet<u32>,
}

async fn stream_data(
    session: &Arc<dyn DumpSession>,
    undo: &mut Undo<'_>,
    request: &DumpRequest,
    cx: &Cx,
) -> Result<Streamed> {
    let outline = session.outline();
    let parts = || outline.objects.iter().flat_map(|o| &o.parts);
    cx.emit(&Event::Planned {
        parts: parts().count(),
        bytes: parts().map(|p| p.estimate).sum(),
    });
    let findings = Arc::new(Mutex::new(Findings {
        problems: outline.problems.clone(),
        missing: BTreeSet::new(),
    }));
    let mut written = Written::default();
    for number in 0..outline.objects.len() {
        stream_object(session, number, &findings, &mut written, undo, request, cx).await?;
    }
    let findings = std::mem::take(&mut *findings.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Streamed {
        written,
        problems: findings.problems,
        missing: findings.missing,
    })
}

/// Writes one data object, or the pieces of it: definitions before the data, the data by all readers, definitions after it.
async fn stream_object(
    session: &Arc<dyn DumpSession>,
    number: usize,
    findings: &Arc<Mutex<Findings>>,
    written: &mut Written,
    undo: &mut Undo<'_>,
    request: &DumpRequest,
    cx: &Cx,
) -> Result<()> {
    let outline = session.outline();
    let plan = &outline.objects[number];
    let mut stream = Stream::begin(undo, written, (outline, plan), request, cx).await?;

    let (queue, frames) = mpsc::channel(32);
    let shared = Arc::new(Shared {
        compressor: Arc::clone(&request.compressor),
        queue,
        memory: upload::memory(),
        findings: Arc::clone(findings),
        cx: cx.clone(),
    });
    let produced = async {
        write_definitions(&shared, outline, plan, Stage::PreData).await?;
        write_data(&shared, session, number, request.jobs).await?;
        write_definitions(&shared, outline, plan, Stage::PostData).await?;
        // The last sender goes here, which ends the stream.
        drop(shared);
        Ok(())
    };
    // Readers that are not needed any more are aborted with their task set.
    match stream.fill(produced, frames).await {
        Ok(()) => stream.finish().await,
        Err(error) => {
            stream.abort().await;
            Err(error)
        }
    }
}

async fn write_definitions(
    shared: &Shared,
    outline: &Outline,
    plan: &ObjectPlan,
    stage: Stage,
) -> Result<()> {
    let texts = plan.definitions.iter().filter(|(id, _)| {
        outline
            .items
            .get(*id as usize)
            .is_some_and(|item| item.stage == stage)
    });
    let mut packer = Packer::new(stage, super::BLOCK_SIZE);
    for (id, text) in texts {
        if let Some(block) = packer.add(*id, &text.read())? {
            shared.push(block).await?;
        }
    }
    match packer.rest() {
        Some(block) => shared.push(block).await,
        None => Ok(()),
    }
}

async fn write_data(
    shared: &Arc<Shared>,
    session: &Arc<dyn DumpSession>,
    object: usize,
    jobs: NonZeroUsize,
) -> Result<()> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut readers = JoinSet::new();
    for _ in 0..jobs.get() {
        let (next, session) = (Arc::clone(&next), Arc::clone(session));
        let mut sink = PartSink {
            shared: Arc::clone(shared),
        };
        readers.spawn(async move {
            while let Some(part) = session.outline().objects[object]
                .parts
                .get(next.fetch_add(1, Ordering::Relaxed))
            {
                sink.shared
                    .cx
                    .emit(&Event::PartStarted { name: &part.name });
                session
                    .dump(part, &mut sink)
                    .await
                    .map_err(|e| e.context(part.name.clone()))?;
                sink.shared
                    .cx
                    .emit(&Event::PartFinished { name: &part.name });
            }
            Ok::<_, Error>(())
        });
    }
    while let Some(ended) = readers.join_next().await {
        ended
            .map_err(|cause| Error::new(ErrorKind::Failed, "a reader stopped").source(cause))??;
    }
    Ok(())
}

/// Writes the index, then the manifest: with its last byte the snapshot exists.
async fn commit(
    mut manifest: Manifest,
    outline: &Outline,
    streamed: Streamed,
    undo: &mut Undo<'_>,
    request: &DumpRequest,
    cx: &Cx,
) -> Result<DumpReport> {
    let Streamed {
        written,
        problems: found,
        missing,
    } = streamed;
    let draft = Draft::new(&manifest.id, outline, &written, &found, &missing)?;
    let mut problems: BTreeMap<String, u64> = BTreeMap::new();
    for problem in &found {
        *problems
            .entry(problem.kind.as_str().to_owned())
            .or_default() += 1;
    }
    let counts = Counts {
        items: outline.items.len() as u64,
        frames: written.frames.len() as u64,
        rows: written.frames.iter().map(|f| f.rows).sum(),
        plain_bytes: written.frames.iter().map(|f| u64::from(f.plain)).sum(),
        problems,
    };
    manifest.outcome = if counts.problems.is_empty() {
        Outcome::Complete
    } else {
        Outcome::CompleteWithProblems
    };
    manifest.counts = counts;

    let seal = request.encryptor.as_ref().map_or("", |e| e.extension());
    let key = undo.names.index(seal)?;
    let packed = draft.pack()?;
    let encryptor = request.encryptor.as_deref();
    let mut upload = Upload::begin(
        undo.storage,
        key.clone(),
        ObjectRole::Index,
        encryptor,
        Some(packed.len() as u64),
        cx,
    )
    .await?;
    if let Err(error) = cx.guard(upload.write(&packed)).await {
        upload.abort().await;
        return Err(error);
    }
    undo.finished.push(key);
    let entry = upload.finish().await?;
    manifest.objects = written.objects;
    manifest.objects.push(entry);

    // The last moment to turn back.
    if cx.cancel.is_cancelled() {
        return Err(Error::cancelled());
    }
    let key = undo.names.manifest()?;
    undo.finished.push(key.clone());
    let json = manifest.to_json();
    // The key is unique by its id, and a put that is repeated after a lost answer must not meet itself.
    let put = undo
        .storage
        .put(&key, json.clone().into(), PutMode::Overwrite);
    cx.patiently(put).await?;
    Ok(DumpReport {
        manifest: Manifest::parse(&json)?,
        problems: found,
    })
}

/// What has to go again when the dump fails.
pub(super) struct Undo<'a> {
    pub(super) storage: &'a dyn Storage,
    pub(super) names: &'a Names,
    pub(super) finished: Vec<Key>,
}

impl Undo<'_> {
    /// Deletes from the last object to the first: while the manifest stands, what it names must stand, too.
    async fn run(&self, cx: &Cx) {
        for key in self.finished.iter().rev() {
            if let Err(error) = self.storage.delete(std::slice::from_ref(key)).await {
                cx.emit(&Event::Warning(&format!(
                    "{key}: left behind without being a snapshot: {error:#}"
                )));
                return;
            }
        }
    }
}
