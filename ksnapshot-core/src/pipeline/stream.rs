//! A stream of frames on its way into the storage: one object, or several where one does not take it all. Each of them is
//! sealed for itself and holds whole frames, so that opened one after the other they are the stream.

use std::pin::pin;

use futures_util::future::try_maybe_done;
use tokio::sync::mpsc;

use super::backup::{DumpRequest, Undo};
use super::upload::{InFlight, Packed, Pending, Room, Upload, Written};
use crate::{Cx, Error, ErrorKind, ObjectPlan, ObjectRole, Outline, Result};

/// The stream of one data object of the outline.
pub(super) struct Stream<'a, 'b> {
    undo: &'a mut Undo<'b>,
    written: &'a mut Written,
    outline: &'a Outline,
    plan: &'a ObjectPlan,
    request: &'a DumpRequest,
    cx: &'a Cx,
    /// The objects that were begun.
    pieces: u32,
    upload: Option<Upload>,
}

/// A frame, and the memory that it takes until it is stored.
type Held = (Packed, InFlight);

impl<'a, 'b> Stream<'a, 'b> {
    /// Begins the first object.
    pub(super) async fn begin(
        undo: &'a mut Undo<'b>,
        written: &'a mut Written,
        (outline, plan): (&'a Outline, &'a ObjectPlan),
        request: &'a DumpRequest,
        cx: &'a Cx,
    ) -> Result<Self> {
        let mut stream = Self {
            undo,
            written,
            outline,
            plan,
            request,
            cx,
            pieces: 0,
            upload: None,
        };
        stream.open().await?;
        Ok(stream)
    }

    /// Stores what `producer` sends into `queue`, in the order in which it was sent. The queue ends with its producer.
    ///
    /// An error of either side ends the other; so does cancellation.
    pub(super) async fn fill(
        &mut self,
        producer: impl Future<Output = Result<()>>,
        mut queue: mpsc::Receiver<Pending>,
    ) -> Result<()> {
        let cx = self.cx;
        let mut produced = pin!(try_maybe_done(producer));
        let mut waiting = None;
        loop {
            let step = async {
                let mut stored = pin!(self.store(waiting.take(), &mut queue));
                tokio::select! {
                    full = &mut stored => full,
                    ended = produced.as_mut() => {
                        ended?;
                        stored.await
                    }
                }
            };
            waiting = cx.guard(step).await?;
            if waiting.is_none() {
                return cx.guard(produced).await;
            }
            // Not guarded: an upload is never dropped in the middle of a call, so that it can be aborted.
            self.close().await?;
            self.open().await?;
        }
    }

    /// Completes the last object.
    pub(super) async fn finish(mut self) -> Result<()> {
        self.close().await
    }

    /// Takes back what was written of the last object; those before it are the undo's.
    pub(super) async fn abort(self) {
        if let Some(upload) = self.upload {
            upload.abort().await;
        }
    }

    /// Stores frames until every sender is gone, or until one needs another object: that one comes back.
    async fn store(
        &mut self,
        mut waiting: Option<Held>,
        queue: &mut mpsc::Receiver<Pending>,
    ) -> Result<Option<Held>> {
        let (outline, object) = (self.outline, self.written.next_object()?);
        let upload = (self.upload.as_mut())
            .ok_or_else(|| Error::new(ErrorKind::Failed, "no object is under way"))?;
        loop {
            let (packed, memory) = match waiting.take() {
                Some(held) => held,
                None => match queue.recv().await {
                    Some(pending) => pending.packed().await?,
                    None => return Ok(None),
                },
            };
            match upload.room(packed.length()) {
                Room::Here => {
                    let offset = upload.position();
                    upload.write(packed.bytes()).await?;
                    self.written.place(packed, object, offset)?;
                }
                Room::InTheNext => return Ok(Some((packed, memory))),
                Room::Nowhere => {
                    let item = packed.item().and_then(|id| outline.items.get(id as usize));
                    let error = upload.too_large(packed.length());
                    return Err(match item {
                        Some(item) => error.context(item.title()),
                        None => error,
                    });
                }
            }
        }
    }

    async fn open(&mut self) -> Result<()> {
        let (codec, encryptor) = (&self.request.compressor, self.request.encryptor.as_deref());
        let seal = encryptor.map_or("", |e| e.extension());
        let piece = self.pieces + 1;
        let key = (self.undo.names).data(&self.plan.name, piece, codec.extension(), seal)?;
        if self.undo.finished.contains(&key) {
            return Err(Error::new(
                ErrorKind::Failed,
                format!("{key}: two data objects of one name"),
            ));
        }
        let expected = self.plan.parts.iter().map(|p| p.estimate).sum();
        let upload = Upload::begin(
            self.undo.storage,
            key,
            ObjectRole::Data,
            encryptor,
            Some(expected),
            self.cx,
        );
        self.upload = Some(upload.await?);
        self.pieces = piece;
        Ok(())
    }

    async fn close(&mut self) -> Result<()> {
        let Some(upload) = self.upload.take() else {
            return Ok(());
        };
        self.undo.finished.push(upload.key().clone());
        self.written.objects.push(upload.finish().await?);
        Ok(())
    }
}
