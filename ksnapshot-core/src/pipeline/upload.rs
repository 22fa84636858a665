//! From blocks to a stored object: compressed into frames, sealed into one stream, uploaded, and accounted for.

use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;

use crate::{
    Compressor, Cx, Encryptor, Error, ErrorKind, Event, Frame, Key, ObjectEntry, ObjectRole,
    ObjectWriter, Place, Result, RowHash, Seal, Stage, Storage,
};

/// A block of plain text on its way into a frame of its own.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) stage: Stage,
    pub(super) item: Option<u32>,
    /// The items that lie in it: id, offset, length.
    pub(super) places: Vec<(u32, u32, u32)>,
    pub(super) text: Vec<u8>,
    pub(super) rows: u64,
    pub(super) hash: RowHash,
}

/// A frame that is not placed yet.
#[derive(Debug)]
pub(super) struct Packed {
    bytes: Vec<u8>,
    frame: Frame,
    places: Vec<(u32, u32, u32)>,
}

impl Block {
    pub(super) fn compress(self, compressor: &dyn Compressor) -> Result<Packed> {
        let mut bytes = Vec::new();
        compressor.compress(&self.text, &mut bytes)?;
        let frame = Frame {
            object: 0,
            offset: 0,
            length: fits(bytes.len())?,
            plain: fits(self.text.len())?,
            stage: self.stage,
            item: self.item,
            rows: self.rows,
            hash: self.hash,
            check: RowHash::of(&self.text),
        };
        Ok(Packed {
            bytes,
            frame,
            places: self.places,
        })
    }
}

/// Lengths in the index are 32 bits wide.
pub(super) fn fits(length: usize) -> Result<u32> {
    u32::try_from(length).map_err(|_| {
        Error::new(
            ErrorKind::Failed,
            format!("a block of {length} bytes is larger than 4 GiB"),
        )
    })
}

impl Packed {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn length(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The item that it is of, or the first of them.
    pub(super) fn item(&self) -> Option<u32> {
        (self.frame.item).or_else(|| self.places.first().map(|(item, ..)| *item))
    }
}

/// A frame in the making, and the memory it takes until it is stored.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) frame: JoinHandle<Result<Packed>>,
    pub(super) memory: InFlight,
}

impl Pending {
    /// The frame, when it is made.
    pub(super) async fn packed(self) -> Result<(Packed, InFlight)> {
        let packed = self.frame.await.map_err(|cause| {
            Error::new(ErrorKind::Failed, "compression stopped").source(cause)
        })??;
        Ok((packed, self.memory))
    }
}

/// Given back when the frame has been handed to the upload.
#[derive(Debug)]
pub(super) struct InFlight(
    #[expect(dead_code, reason = "held, not read")] pub(super) OwnedSemaphorePermit,
);

/// What was written: for the index, and of data objects for the manifest.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) objects: Vec<ObjectEntry>,
    pub(super) frames: Vec<Frame>,
    pub(super) places: Vec<(u32, Place)>,
}

impl Written {
    /// The number of the data object that is under way.
    pub(super) fn next_object(&self) -> Result<u32> {
        fits(self.objects.len())
    }

    pub(super) fn place(&mut self, packed: Packed, object: u32, offset: u64) -> Result<()> {
        let number = fits(self.frames.len())?;
        let place = |(item, offset, length)| {
            (
                item,
                Place {
                    frame: number,
                    offset,
                    length,
                },
            )
        };
        self.places.extend(packed.places.into_iter().map(place));
        self.frames.push(Frame {
            object,
            offset,
            ..packed.frame
        });
        Ok(())
    }
}

/// Where a frame finds room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// In the object that is under way.
    Here,
    /// In an object that holds nothing yet.
    InTheNext,
    /// In no object: it is larger than one may be.
    Nowhere,
}

/// Where `frame` bytes find room, when the object holds `held` bytes and may have `limit` of those that `stored` makes of
/// them. Pure.
fn room(held: u64, frame: u64, limit: Option<u64>, stored: impl Fn(u64) -> u64) -> Room {
    let fits = |bytes| limit.is_none_or(|limit| stored(bytes) <= limit);
    if fits(held.saturating_add(frame)) {
        Room::Here
    } else if held > 0 && fits(frame) {
        Room::InTheNext
    } else {
        Room::Nowhere
    }
}

/// One object on its way to the storage: sealed, hashed, counted.
pub(super) struct Upload {
    key: Key,
    role: ObjectRole,
    writer: Box<dyn ObjectWriter>,
    seal: Option<Box<dyn Seal>>,
    sha: Sha256,
    stored: u64,
    header: u64,
    /// Bytes that went in, before the seal.
    position: u64,
    /// Sealed and not yet handed on: small frames are gathered, so that the storage sees large writes.
    ready: Vec<u8>,
    cx: Cx,
}

/// Bytes gathered before they are handed to the storage.
const GATHER: usize = 1 << 20;

impl Upload {
    pub(super) async fn begin(
        storage: &dyn Storage,
        key: Key,
        role: ObjectRole,
        encryptor: Option<&dyn Encryptor>,
        expected: Option<u64>,
        cx: &Cx,
    ) -> Result<Self> {
        let mut ready = Vec::new();
        let seal = encryptor.map(|e| e.seal(&mut ready)).transpose()?;
        let writer = cx.patiently(storage.writer(&key, expected)).await?;
        let header = ready.len() as u64;
        Ok(Self {
            key,
            role,
            writer,
            seal,
            sha: Sha256::new(),
            stored: 0,
            header,
            position: 0,
            ready,
            cx: cx.clone(),
        })
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    /// Bytes that went in, before the seal.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Where so many bytes more find room.
    pub(super) fn room(&self, frame: u64) -> Room {
        let sealed = |plain| self.seal.as_ref().map_or(plain, |seal| seal.length(plain));
        room(self.position, frame, self.writer.limit(), |plain| {
            self.header.saturating_add(sealed(plain))
        })
    }

    /// Why so many bytes find room nowhere.
    pub(super) fn too_large(&self, frame: u64) -> Error {
        let limit = self.writer.limit().unwrap_or(u64::MAX);
        Error::new(
            ErrorKind::Failed,
            format!("{frame} bytes in one piece, and an object of this storage takes {limit}"),
        )
        .hint("Choose a storage that takes larger objects, or let this one have more parts an object.")
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.seal {
            Some(seal) => seal.update(bytes, &mut self.ready)?,
            None => self.ready.extend_from_slice(bytes),
        }
        self.position += bytes.len() as u64;
        if self.ready.len() >= GATHER {
            self.hand_on().await
        } else {
            Ok(())
        }
    }

    async fn hand_on(&mut self) -> Result<()> {
        let block = Bytes::from(std::mem::take(&mut self.ready));
        self.sha.update(&block);
        self.stored += block.len() as u64;
        self.cx.emit(&Event::Stored {
            bytes: block.len() as u64,
        });
        self.writer.write(block).await
    }

    /// Completes the object, or takes back what was written of it.
    pub(super) async fn finish(mut self) -> Result<ObjectEntry> {
        let cx = self.cx.clone();
        if let Err(error) = cx.patiently(self.flush()).await {
            self.abort().await;
            return Err(error);
        }
        let info = self.cx.patiently(self.writer.finish()).await?;
        if info.size != self.stored {
            return Err(Error::new(
                ErrorKind::Storage,
                format!(
                    "{}: the storage holds {} bytes where {} were sent",
                    self.key, info.size, self.stored
                ),
            ));
        }
        Ok(ObjectEntry {
            role: self.role,
            name: self.key.file_name().to_owned(),
            bytes: self.stored,
            sha256: hex(&self.sha.finalize()),
            header: self.header,
        })
    }

    /// Hands on what is left, with the end of the seal.
    async fn flush(&mut self) -> Result<()> {
        if let Some(seal) = self.seal.take() {
            seal.finish(&mut self.ready)?;
        }
        if self.ready.is_empty() {
            Ok(())
        } else {
            self.hand_on().await
        }
    }

    /// Takes back what was written. A refusal is a warning: the error that led here is the one to tell.
    pub(super) async fn abort(self) {
        if let Err(error) = self.writer.abort().await {
            self.cx.emit(&Event::Warning(&format!(
                "{}: the unfinished upload could not be aborted: {error:#}",
                self.key
            )));
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Shares of the permit: kept here so that the sink does not know the storage.
pub(super) fn memory() -> Arc<tokio::sync::Semaphore> {
    Arc::new(tokio::sync::Semaphore::new(super::MEMORY_IN_FLIGHT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As age does it, with smaller chunks.
    fn sealed(plain: u64) -> u64 {
        30 + plain + plain.div_ceil(64).max(1) * 16
    }

    proptest! {
        #[test]
        fn objects_are_cut_between_frames_and_only_when_full(
            frames in proptest::collection::vec(1u64..500, 0..60),
            limit in 46u64..2000,
        ) {
            let mut objects = vec![Vec::new()];
            for &frame in &frames {
                let held = objects.last().map_or(0, |o: &Vec<u64>| o.iter().sum());
                match room(held, frame, Some(limit), sealed) {
                    Room::Here => objects.last_mut().expect("there is one").push(frame),
                    Room::InTheNext => {
                        prop_assert!(held > 0 && sealed(held + frame) > limit, "cut without need");
                        prop_assert_eq!(room(0, frame, Some(limit), sealed), Room::Here);
                        objects.push(vec![frame]);
                    }
                    Room::Nowhere => prop_assert!(sealed(frame) > limit),
                }
                prop_assert_eq!(room(held, frame, None, sealed), Room::Here);
            }
            for object in &objects {
                prop_assert!(sealed(object.iter().sum()) <= limit);
                prop_assert!(objects.len() == 1 || !object.is_empty());
            }
            let fitting: Vec<u64> = frames.into_iter().filter(|&f| sealed(f) <= limit).collect();
            prop_assert_eq!(objects.concat(), fitting);
        }
    }
}
