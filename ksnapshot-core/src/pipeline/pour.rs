//! Restoring into something that takes text as one stream.

use std::io::Read;
use std::sync::Arc;

use super::excerpt::Excerpt;
use super::foreign::SingleObject;
use super::read::{Snapshot, joined};
use super::replay::RestoreRequest;
use crate::{Cx, Decryptor, Error, Event, Result, StreamSession, StreamTarget};

/// Pours the text of `snapshot` into `target`, or that of the chosen tables. Returns its bytes.
///
/// What can be known to be wrong with the snapshot is found before the target begins; what turns out later ends the stream so
/// that the target can't take it for whole.
pub async fn pour(
    snapshot: &Snapshot,
    decryptor: Option<&Arc<dyn Decryptor>>,
    target: &dyn StreamTarget,
    request: &RestoreRequest,
    cx: &Cx,
) -> Result<u64> {
    let mut excerpt = (cx.guard(Excerpt::open(snapshot, decryptor, request))).await?;
    let bytes = excerpt.size();
    cx.emit(&Event::Planned { parts: 1, bytes });
    let session = cx.guard(target.begin(cx)).await?;
    let text = async || excerpt.next().await;
    poured(target, &session, text, cx).await
}

/// Pours a single object into `target`. Returns the bytes of its text.
///
/// Errors: as of [`pour`].
pub async fn pour_object(
    object: &SingleObject,
    decryptor: Option<&Arc<dyn Decryptor>>,
    target: &dyn StreamTarget,
    cx: &Cx,
) -> Result<u64> {
    const PIECE: u64 = 1 << 20;
    let mut reader = Some(cx.guard(object.open(decryptor)).await?);
    let session = cx.guard(target.begin(cx)).await?;
    let text = async || {
        let Some(mut open) = reader.take() else {
            return Ok(None);
        };
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = Vec::new();
            (open.by_ref().take(PIECE).read_to_end(&mut piece)).map_err(super::read_error)?;
            Ok((open, piece))
        });
        let (open, piece) = joined(read.await).map_err(|e| e.context(object.key.to_string()))?;
        reader = Some(open);
        Ok((!piece.is_empty()).then_some(piece))
    };
    poured(target, &session, text, cx).await
}

/// Hands on every piece of the text, then its end. Whatever goes wrong, the target must not take for whole what it has so far.
async fn poured(
    target: &dyn StreamTarget,
    session: &Arc<dyn StreamSession>,
    mut text: impl AsyncFnMut() -> Result<Option<Vec<u8>>>,
    cx: &Cx,
) -> Result<u64> {
    let named = |error: Error| error.context(target.target());
    let work = cx.guard(async {
        let mut bytes = 0;
        while let Some(piece) = text().await? {
            session.write(&piece).await.map_err(named)?;
            bytes += piece.len() as u64;
            cx.emit(&Event::Moved {
                bytes: piece.len() as u64,
                rows: 0,
            });
        }
        session.finish().await.map_err(named)?;
        Ok(bytes)
    });
    let done = work.await;
    if done.is_err() {
        session.abort().await;
    }
    done
}
