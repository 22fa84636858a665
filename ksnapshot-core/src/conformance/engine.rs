//! What every [`Dumper`] promises, and the [`Restorer`] of the same kind.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::TryStreamExt;

use super::ensure;
use super::failing::Failing;
use crate::compress::Zstd;
use crate::layout::Form;
use crate::memory::MemoryStorage;
use crate::pipeline::{DumpRequest, Level, Snapshot, dump, restore_drill, verify};
use crate::{
    Choice, Cx, DataStats, Dumper, ErrorKind, Event, Formats, Index, Observer, Outline, Restorer,
    Result, Stage, Storage,
};

/// Runs the suite of dumpers. The source must have data that nobody changes meanwhile, larger than a block (512 KiB) at best.
///
/// Errors name the first promise that was broken, or are what the dumper itself answered.
pub async fn dumper(source: &dyn Dumper) -> Result<()> {
    let alone = jobs(1);
    let session = source.open(alone, &Cx::default()).await?;
    let sound = outline(session.outline());
    session.close().await?;
    sound?;
    let (one, _) = dumped(source, alone).await?;
    let (rows, bytes) = one.totals();
    ensure(bytes > 0, "the source under test has data to dump")?;
    let (three, _) = dumped(source, jobs(3)).await?;
    ensure(
        three.totals().0 == rows && data(&one) == data(&three),
        "several readers dump the same rows as one",
    )?;
    cancellation(source).await?;
    lost_storage(source).await?;
    let (again, _) = dumped(source, alone).await?;
    ensure(
        data(&one) == data(&again),
        "after failures a dump is as it was before",
    )
}

/// Runs the suite of dumpers, and restores into scratch databases of `server`, of which nothing is left.
pub async fn engine(source: &dyn Dumper, server: &dyn Restorer) -> Result<()> {
    dumper(source).await?;
    let (_, snapshot) = dumped(source, jobs(2)).await?;
    ensure(
        (server.kinds()).contains(&snapshot.manifest.series.kind.as_str()),
        "a server takes the kind that its dumper makes",
    )?;
    // Cancelled at several moments: the scratch database must be free again each time.
    for events in [0, 1, 3, 10] {
        let cx = Cancelling::after(events);
        let done = restore_drill(&snapshot, None, server, jobs(2), &cx).await;
        ensure(
            done.map_or_else(|e| e.kind() == ErrorKind::Cancelled, |_| true),
            "a cancelled restore says that it was cancelled",
        )?;
    }
    let report = restore_drill(&snapshot, None, server, jobs(2), &Cx::default()).await?;
    ensure(
        report.rows == snapshot.manifest.counts.rows && report.problems.is_empty(),
        "what was dumped restores, and reads back equal",
    )?;
    let scratch = format!("ksnapshot_verify_{}", snapshot.manifest.id);
    server.drop_scratch(&scratch).await
}

fn jobs(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}

/// An outline that does not contradict itself.
fn outline(outline: &Outline) -> Result<()> {
    let item = |id: u32| outline.items.get(id as usize);
    let numbered = (outline.items.iter().enumerate()).all(|(at, item)| item.id as usize == at);
    ensure(numbered, "an item's id is its position")?;
    let known = (outline.items.iter())
        .flat_map(|i| i.depends.iter().chain(&i.table))
        .all(|&id| item(id).is_some());
    ensure(known, "items depend on items that are announced")?;
    ensure(!outline.objects.is_empty(), "there is a data object")?;
    for object in &outline.objects {
        for (id, text) in &object.definitions {
            ensure(
                item(*id).is_some_and(|i| i.stage != Stage::Data),
                "a definition's text belongs to an item before or after the data",
            )?;
            ensure(
                outline.form != Form::Sql || text.read().ends_with('\n'),
                "a definition of SQL ends with a line feed",
            )?;
        }
        for id in object.parts.iter().flat_map(|part| &part.items) {
            ensure(
                item(*id).is_some_and(|i| i.stage == Stage::Data),
                "a part holds data of items that are announced as such",
            )?;
        }
    }
    Ok(())
}

/// Titles and what was counted of them: the same, whoever read it.
fn data(index: &Index) -> Vec<(String, DataStats)> {
    let mut data: Vec<(String, DataStats)> = (index.items.iter())
        .filter_map(|item| Some((item.title(), item.data?)))
        .collect();
    data.sort_by(|a, b| a.0.cmp(&b.0));
    data
}

/// A dump that succeeds, read back and decoded.
async fn dumped(source: &dyn Dumper, jobs: NonZeroUsize) -> Result<(Index, Snapshot)> {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let report = dump(source, storage.as_ref(), &request(jobs), &Cx::default()).await?;
    let choice = Choice {
        id: Some(report.manifest.id.clone()),
        ..Choice::default()
    };
    let snapshot = Snapshot::find(&storage, &Formats::default(), &choice).await?;
    verify(&snapshot, None, Level::Decode, &Cx::default()).await?;
    let index = snapshot.index(None).await?;
    let lost = (index.items.iter())
        .filter(|i| i.stage == Stage::Data && i.data.is_none() && i.place.is_none())
        .find(|_| index.problems.is_empty());
    if let Some(item) = lost {
        let promise = format!("every item of the data is written: {}", item.title());
        ensure(false, &promise)?;
    }
    Ok((index, snapshot))
}

fn request(jobs: NonZeroUsize) -> DumpRequest {
    DumpRequest {
        name: Some("conformance".into()),
        jobs,
        compressor: Arc::new(Zstd::new(1)),
        encryptor: None,
    }
}

async fn cancellation(source: &dyn Dumper) -> Result<()> {
    for events in [0, 1, 2, 3, 5, 10] {
        let storage = MemoryStorage::new();
        let cx = Cancelling::after(events);
        let done = dump(source, &storage, &request(jobs(2)), &cx).await;
        match done {
            // It was done before it heard of it.
            Ok(_) => continue,
            Err(error) => ensure(
                error.kind() == ErrorKind::Cancelled,
                &format!("a cancelled dump says that it was cancelled, not {error:#}"),
            )?,
        }
        nothing_in(&storage).await?;
    }
    Ok(())
}

async fn lost_storage(source: &dyn Dumper) -> Result<()> {
    for writes in 0..3 {
        let storage = Failing::after(writes);
        let done = dump(source, &storage, &request(jobs(2)), &Cx::default()).await;
        match done {
            Ok(_) => continue,
            Err(error) => ensure(
                error.kind() == ErrorKind::Storage,
                &format!("a dump that can't be stored says why, not {error:#}"),
            )?,
        }
        nothing_in(&storage).await?;
    }
    Ok(())
}

async fn nothing_in(storage: &dyn Storage) -> Result<()> {
    let left: Vec<_> = storage.list(None).try_collect().await?;
    ensure(left.is_empty(), "a failed dump leaves nothing behind")
}

/// Cancels its own work after so many events.
struct Cancelling {
    left: AtomicUsize,
    cancel: crate::CancellationToken,
}

impl Cancelling {
    fn after(events: usize) -> Cx {
        let cancel = crate::CancellationToken::new();
        if events == 0 {
            cancel.cancel();
        }
        let observer = Self {
            left: AtomicUsize::new(events),
            cancel: cancel.clone(),
        };
        Cx {
            cancel,
            observer: Arc::new(observer),
        }
    }
}

impl Observer for Cancelling {
    fn on(&self, _: &Event<'_>) {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.cancel.cancel();
        }
    }
}
