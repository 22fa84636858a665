//! Proving that a snapshot can be restored, in three steps of rising cost.

use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::read::{Snapshot, changed_header, decode_frame, joined};
use super::replay::{RestoreRequest, restore};
use crate::age::from_io;
use crate::{
    Cx, Decryptor, Error, ErrorKind, Event, Index, ObjectEntry, Problem, ProblemKind,
    RestoreOptions, Restorer, Result,
};

/// How much is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Every object is there and its bytes are those that were written. Needs no identity.
    Checksum,
    /// And every frame opens, decompresses and holds what was dumped.
    Decode,
    /// And a server takes it: rows and hashes read back are those of the index.
    Restore,
}

/// What was proved.
#[derive(Debug)]
pub struct VerifyReport {
    /// The level that was reached.
    pub level: Level,
    /// Stored bytes that were read.
    pub bytes: u64,
    /// Rows that were seen; 0 at the checksum level.
    pub rows: u64,
    /// What the server refused, or what differs. Differences of rows are errors, not problems.
    pub problems: Vec<Problem>,
}

/// Proves the first two levels; for the third one see [`restore_drill`].
///
/// Errors: [`ErrorKind::Corrupt`] for anything that is not as it was written.
pub async fn verify(
    snapshot: &Snapshot,
    decryptor: Option<&Arc<dyn Decryptor>>,
    level: Level,
    cx: &Cx,
) -> Result<VerifyReport> {
    cx.guard(async {
        if level >= Level::Decode {
            snapshot.decryptor(decryptor)?;
        }
        cx.emit(&Event::Planned {
            parts: snapshot.manifest.objects.len(),
            bytes: snapshot.manifest.stored_bytes(),
        });
        snapshot.check_objects().await?;
        if level == Level::Checksum {
            for entry in &snapshot.manifest.objects {
                checksum(snapshot, entry, cx).await?;
            }
            return Ok(VerifyReport {
                level,
                bytes: snapshot.manifest.stored_bytes(),
                rows: 0,
                problems: Vec::new(),
            });
        }
        let index = Arc::new(snapshot.index(decryptor).await?);
        let objects = snapshot.manifest.data().count();
        if (index.frames.iter()).any(|f| f.object as usize >= objects) {
            return Err(Error::corrupt(
                "index: a frame lies in an object that the manifest does not name",
            ));
        }
        for (number, entry) in snapshot.manifest.data().enumerate() {
            decode(snapshot, entry, number, &index, decryptor, cx).await?;
        }
        let (rows, plain) = index.totals();
        let counts = &snapshot.manifest.counts;
        if (rows, plain) != (counts.rows, counts.plain_bytes) {
            return Err(Error::corrupt(format!(
                "the index counts {rows} rows, the manifest {}",
                counts.rows
            )));
        }
        Ok(VerifyReport {
            level,
            bytes: snapshot.manifest.stored_bytes(),
            rows,
            problems: index.problems.clone(),
        })
    })
    .await
}

/// Counts and hashes what is read through it.
struct Tap<R> {
    inner: R,
    sha: Sha256,
    cx: Cx,
}

impl<R: Read> Read for Tap<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.sha.update(&buffer[..read]);
        self.cx.emit(&Event::Moved {
            bytes: read as u64,
            rows: 0,
        });
        if self.cx.cancel.is_cancelled() {
            Err(io::Error::other(Error::cancelled()))
        } else {
            Ok(read)
        }
    }
}

impl<R: Read> Tap<R> {
    /// Reads what is left and compares the whole with the manifest.
    fn finish(mut self, entry: &ObjectEntry) -> Result<()> {
        io::copy(&mut self, &mut io::sink()).map_err(|e| from_io(e, "can't be read to its end"))?;
        if super::hex(&self.sha.finalize()) == entry.sha256 {
            Ok(())
        } else {
            Err(Error::corrupt(format!(
                "{}: its SHA-256 is not the manifest's",
                entry.name
            )))
        }
    }
}

async fn checksum(snapshot: &Snapshot, entry: &ObjectEntry, cx: &Cx) -> Result<()> {
    let tap = Tap {
        inner: snapshot.stored(entry).await?,
        sha: Sha256::new(),
        cx: cx.clone(),
    };
    let entry = entry.clone();
    joined(tokio::task::spawn_blocking(move || tap.finish(&entry)).await)
}

/// Reads one data object once, from start to end: every frame must follow on the one before, and nothing may follow the
/// last one.
async fn decode(
    snapshot: &Snapshot,
    entry: &ObjectEntry,
    number: usize,
    index: &Arc<Index>,
    decryptor: Option<&Arc<dyn Decryptor>>,
    cx: &Cx,
) -> Result<()> {
    let decryptor = snapshot.decryptor(decryptor)?.map(Arc::clone);
    let compressor = snapshot.compressor()?;
    let mut tap = Tap {
        inner: snapshot.stored(entry).await?,
        sha: Sha256::new(),
        cx: cx.clone(),
    };
    let (entry, index) = (entry.clone(), Arc::clone(index));
    let work = move || {
        {
            let mut opened: Box<dyn Read + Send + '_> = match &decryptor {
                Some(decryptor) => decryptor.open(Box::new(&mut tap)).map_err(changed_header)?,
                None => Box::new(&mut tap),
            };
            let cut = |e| from_io(e, "is cut short or changed");
            let mut position = 0;
            let mut bytes = Vec::new();
            for frame in index.frames.iter().filter(|f| f.object as usize == number) {
                if frame.offset != position {
                    return Err(Error::corrupt(format!(
                        "index: no frame begins at {position}"
                    )));
                }
                if frame.offset + u64::from(frame.length) > entry.bytes {
                    return Err(Error::corrupt("is shorter than its index says"));
                }
                bytes.resize(frame.length as usize, 0);
                opened.read_exact(&mut bytes).map_err(cut)?;
                decode_frame(compressor.as_ref(), frame, &bytes)?;
                position += u64::from(frame.length);
            }
            // The end proves itself: age's last chunk is only accepted here.
            if opened.read(&mut [0]).map_err(cut)? != 0 {
                return Err(Error::corrupt("holds more than its index says"));
            }
        }
        tap.finish(&entry)
    };
    joined(tokio::task::spawn_blocking(work).await).map_err(|e| e.context(snapshot.key_of(number)))
}

/// Restores the snapshot into a scratch database beside `server`, reads every table back, compares rows and hashes with
/// the index, and drops the scratch database, whatever happened.
pub async fn restore_drill(
    snapshot: &Snapshot,
    decryptor: Option<&Arc<dyn Decryptor>>,
    server: &dyn Restorer,
    jobs: NonZeroUsize,
    cx: &Cx,
) -> Result<VerifyReport> {
    let decoded = verify(snapshot, decryptor, Level::Decode, cx).await?;
    let name = format!("ksnapshot_verify_{}", snapshot.manifest.id);
    let drill = async {
        let index = snapshot.index(decryptor).await?;
        let scratch = cx.guard(server.scratch(&name, &index)).await?;
        let request = RestoreRequest {
            tables: Vec::new(),
            no_owner: false,
            no_privileges: false,
            jobs,
            options: RestoreOptions::default(),
        };
        let restored = restore(snapshot, decryptor, scratch.as_ref(), &request, cx).await?;
        let measured = cx
            .guard(measure(&index, scratch.as_ref(), jobs, cx))
            .await?;
        Ok((restored, measured))
    };
    let drilled = drill.await;
    let dropped = server.drop_scratch(&name).await;
    let (restored, rows) = match (drilled, dropped) {
        (Ok(done), Ok(())) => done,
        (Ok(_), Err(error)) => return Err(error),
        (Err(error), dropped) => {
            if let Err(left) = dropped {
                cx.emit(&Event::Warning(&format!(
                    "the scratch database {name} could not be dropped: {left:#}"
                )));
            }
            return Err(error);
        }
    };
    let mut problems = decoded.problems;
    problems.extend(restored.problems);
    Ok(VerifyReport {
        level: Level::Restore,
        bytes: decoded.bytes,
        rows,
        problems,
    })
}

async fn measure(
    index: &Index,
    scratch: &dyn Restorer,
    jobs: NonZeroUsize,
    cx: &Cx,
) -> Result<u64> {
    let options = RestoreOptions {
        partial: true,
        ..RestoreOptions::default()
    };
    let session = scratch.open(index, &[], options, jobs, cx).await?;
    let compared = async {
        let mut rows = 0;
        for item in &index.items {
            let Some(expected) = item.data else { continue };
            let found = session
                .measure(item)
                .await
                .map_err(|e| e.context(item.title()))?;
            if found != expected {
                return Err(different(item.title(), expected.rows, found.rows));
            }
            rows += found.rows;
        }
        Ok(rows)
    };
    let compared = compared.await;
    session.close(compared.is_ok()).await?;
    compared
}

fn different(title: String, expected: u64, found: u64) -> Error {
    let problem = ProblemKind::Different.as_str();
    Error::new(
        ErrorKind::Corrupt,
        format!("{title}: {problem} after the restore: {found} rows read back, {expected} dumped, or their values differ"),
    )
    .hint("Restore into a server of the source's version to see whether the version makes the difference.")
}
