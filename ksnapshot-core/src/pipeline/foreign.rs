//! Single objects that are no snapshots: of somebody else, or one of a snapshot's own.

use std::io::Read;
use std::num::NonZeroUsize;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{TryStreamExt, stream};

use super::read::{blocking, joined};
use crate::{
    Cx, Decryptor, Error, ErrorKind, Event, Formats, Key, Loaded, Restorer, Result, Storage,
};

/// About how many bytes of lines a session is given at once.
const CHUNK: usize = 4 << 20;

/// An object that is read by itself, as its name says that it was written.
#[derive(Debug, Clone)]
pub struct SingleObject {
    /// Where it is.
    pub storage: Arc<dyn Storage>,
    /// Its name there.
    pub key: Key,
    /// How it may be written.
    pub formats: Formats,
}

impl SingleObject {
    /// Streams it as plain text: opened when its name says that it is sealed, and decompressed.
    ///
    /// The reader blocks and must be used on a thread where that is allowed.
    pub async fn open(
        &self,
        decryptor: Option<&Arc<dyn Decryptor>>,
    ) -> Result<Box<dyn Read + Send>> {
        let key = &self.key;
        let stored: Box<dyn Read + Send> = Box::new(blocking(&self.storage, key).await?);
        let compressor = self.formats.compressor_of(key.as_str());
        let decryptor = match (self.formats.opened(key.as_str()), decryptor) {
            (None, _) => None,
            (Some(_), Some(decryptor)) => Some(Arc::clone(decryptor)),
            (Some(_), None) => {
                return Err(Error::new(
                    ErrorKind::Identity,
                    format!("{key} is encrypted, and no identity was given"),
                )
                .hint("Pass --identity with the file that belongs to one of its recipients."));
            }
        };
        // The header is read here, which blocks.
        let opening = tokio::task::spawn_blocking(move || {
            let opened = match decryptor {
                Some(decryptor) => decryptor.open(stored)?,
                None => stored,
            };
            compressor.decoder(opened)
        });
        joined(opening.await).map_err(|e| e.context(key.to_string()))
    }
}

/// Restores `object` through `restorer`.
///
/// Errors: [`ErrorKind::Usage`] when such a target takes no single objects.
pub async fn restore_object(
    object: &SingleObject,
    decryptor: Option<&Arc<dyn Decryptor>>,
    restorer: &dyn Restorer,
    clean: bool,
    jobs: NonZeroUsize,
    cx: &Cx,
) -> Result<Loaded> {
    let key = &object.key;
    let reader = cx.guard(object.open(decryptor)).await?;
    let session = cx.guard(restorer.foreign(clean, cx)).await?;
    let chunks = stream::try_unfold((reader, Vec::new()), |(reader, rest)| async {
        let (reader, lines, rest) = next_lines(reader, rest).await?;
        Ok((!lines.is_empty()).then_some((lines, (reader, rest))))
    });
    let load = chunks
        .map_ok(|lines| {
            let session = Arc::clone(&session);
            async move {
                let bytes = lines.len() as u64;
                let loaded = session.take(lines).await?;
                cx.emit(&Event::Moved {
                    bytes,
                    rows: loaded.rows,
                });
                Ok(loaded)
            }
        })
        .try_buffer_unordered(jobs.get())
        .try_fold(Loaded::default(), async |mut sum, loaded| {
            sum += loaded;
            Ok(sum)
        });
    let done = cx.guard(load).await.map_err(|e| e.context(key.to_string()));
    let closed = session.close(done.is_ok()).await;
    let loaded = done?;
    closed?;
    if loaded.refused > 0 {
        return Err(Error::new(
            ErrorKind::Failed,
            format!(
                "{key}: the target refused {} of {} rows",
                loaded.refused,
                loaded.rows + loaded.refused
            ),
        ));
    }
    Ok(loaded)
}

type Chunk = (Box<dyn Read + Send>, Bytes, Vec<u8>);

/// The next whole lines, and what of the line after them is read already.
async fn next_lines(mut reader: Box<dyn Read + Send>, mut text: Vec<u8>) -> Result<Chunk> {
    let read = tokio::task::spawn_blocking(move || {
        loop {
            let before = text.len();
            let limit = CHUNK as u64;
            (reader.by_ref().take(limit).read_to_end(&mut text)).map_err(super::read_error)?;
            if text.len() == before {
                // The last line may have no end.
                return Ok((reader, Bytes::from(text), Vec::new()));
            }
            if let Some(end) = text.iter().rposition(|&b| b == b'\n') {
                let rest = text.split_off(end + 1);
                return Ok((reader, Bytes::from(text), rest));
            }
        }
    });
    joined(read.await)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[tokio::test]
    async fn lines_are_whole_however_they_arrive() {
        let mut line = vec![b'x'; CHUNK - 3];
        line.push(b'\n');
        let text = [&b"a\n\n"[..], &line, &line, b"the last"].concat();
        let mut reader: Box<dyn Read + Send> = Box::new(io::Cursor::new(text.clone()));
        let (mut found, mut rest) = (Vec::new(), Vec::new());
        loop {
            let (again, lines, left) = next_lines(reader, rest).await.expect("readable");
            if lines.is_empty() {
                break;
            }
            assert!(lines.ends_with(b"\n") || lines.ends_with(b"the last"));
            found.extend_from_slice(&lines);
            (reader, rest) = (again, left);
        }
        assert!(found == text);
    }
}
