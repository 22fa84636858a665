//! gzip members (RFC 1952).

use std::io::{Read, Write};

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::{Compression, Compressor, expect_length, undecodable};
use crate::{Error, ErrorKind, Result};

/// gzip at one level. Each member carries its length and a checksum.
#[derive(Debug)]
pub struct Gzip {
    level: u32,
}

impl Gzip {
    /// At a level from 0 to 9.
    pub fn new(level: u32) -> Self {
        Self { level }
    }
}

impl Compressor for Gzip {
    fn name(&self) -> String {
        Compression::Gzip(self.level).to_string()
    }

    fn extension(&self) -> &'static str {
        ".gz"
    }

    fn compress(&self, block: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let mut encoder = GzEncoder::new(out, flate2::Compression::new(self.level));
        encoder
            .write_all(block)
            .and_then(|()| encoder.finish().map(|_| ()))
            .map_err(|cause| {
                Error::new(ErrorKind::Failed, "gzip: compression failed").source(cause)
            })
    }

    fn decompress(&self, frame: &[u8], plain: usize) -> Result<Vec<u8>> {
        let mut block = Vec::with_capacity(plain);
        // One byte more than expected is enough to see that a frame is too long.
        MultiGzDecoder::new(frame)
            .take(plain as u64 + 1)
            .read_to_end(&mut block)
            .map_err(undecodable)?;
        expect_length(block, plain)
    }

    fn decoder<'a>(&self, frames: Box<dyn Read + Send + 'a>) -> Result<Box<dyn Read + Send + 'a>> {
        Ok(Box::new(MultiGzDecoder::new(frames)))
    }
}
