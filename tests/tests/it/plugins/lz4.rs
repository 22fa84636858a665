//! A third party's codec: frames of LZ4, which the stock `lz4` reads.

use std::io::{self, Read, Write};
use std::sync::Arc;

use ksnapshot_core::{Codec, Compressor, Error, ErrorKind, Result};
use lz4_flex::frame::{FrameDecoder, FrameEncoder, FrameInfo};

#[derive(Debug)]
pub(super) struct Lz4Codec;

impl Codec for Lz4Codec {
    fn name(&self) -> &'static str {
        "lz4"
    }

    fn extension(&self) -> &'static str {
        ".lz4"
    }

    fn forms(&self) -> &'static str {
        "lz4"
    }

    fn compressor(&self, level: Option<u32>) -> Option<Arc<dyn Compressor>> {
        level.is_none().then(|| Arc::new(Lz4) as _)
    }
}

#[derive(Debug)]
struct Lz4;

impl Compressor for Lz4 {
    fn name(&self) -> String {
        "lz4".to_owned()
    }

    fn extension(&self) -> &'static str {
        ".lz4"
    }

    fn compress(&self, block: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let failed = |cause: io::Error| Error::new(ErrorKind::Failed, "lz4: failed").source(cause);
        let info = FrameInfo::new().content_checksum(true);
        let mut encoder = FrameEncoder::with_frame_info(info, &mut *out);
        encoder.write_all(block).map_err(failed)?;
        encoder.finish().map_err(|e| failed(e.into()))?;
        Ok(())
    }

    fn decompress(&self, frame: &[u8], plain: usize) -> Result<Vec<u8>> {
        let broken = |cause: io::Error| Error::corrupt("lz4: broken frame").source(cause);
        if frame.is_empty() {
            return Err(Error::corrupt("lz4: no frame"));
        }
        let mut block = Vec::new();
        let mut decoder = FrameDecoder::new(frame).take(plain as u64 + 1);
        decoder.read_to_end(&mut block).map_err(broken)?;
        match block.len() == plain {
            true => Ok(block),
            false => Err(Error::corrupt("lz4: a frame of another length")),
        }
    }

    fn decoder<'a>(&self, frames: Box<dyn Read + Send + 'a>) -> Result<Box<dyn Read + Send + 'a>> {
        Ok(Box::new(Frames(Some(FrameDecoder::new(frames)))))
    }
}

/// One frame after the other, as the stock program reads them.
struct Frames<'a>(Option<FrameDecoder<Box<dyn Read + Send + 'a>>>);

impl Read for Frames<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.0 {
            let read = decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            // A frame ended. Another one follows unless the file ends, too.
            let Some(decoder) = self.0.take() else { break };
            let mut rest = decoder.into_inner();
            let mut first = [0];
            if rest.read(&mut first)? == 1 {
                let again: Box<dyn Read + Send + '_> = Box::new(io::Cursor::new(first).chain(rest));
                self.0 = Some(FrameDecoder::new(again));
            }
        }
        Ok(0)
    }
}
