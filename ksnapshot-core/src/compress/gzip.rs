//! gzip members (RFC 1952).

use std::io::Read;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use libdeflater::{CompressionLvl, Compressor as Deflate};

use super::{Compressor, Idle, expect_length, undecodable};
use crate::{Codec, Error, ErrorKind, Result};

/// gzip at one level. Each member carries its length and a checksum.
#[derive(Debug)]
pub struct Gzip {
    level: u32,
    idle: Idle<Deflate>,
}

impl Gzip {
    /// At a level from 0 to 9.
    pub fn new(level: u32) -> Self {
        Self {
            level,
            idle: Idle::default(),
        }
    }
}

impl Compressor for Gzip {
    fn name(&self) -> String {
        format!("{}:{}", GzipCodec.name(), self.level)
    }

    fn extension(&self) -> &'static str {
        GzipCodec.extension()
    }

    fn compress(&self, block: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let failed =
            |cause: String| Error::new(ErrorKind::Failed, "gzip: compression failed").source(cause);
        let mut deflate = match self.idle.take() {
            Some(deflate) => deflate,
            None => {
                let level = CompressionLvl::new(self.level.cast_signed());
                Deflate::new(level.map_err(|e| failed(format!("{e:?}")))?)
            }
        };
        let mut member = vec![0; deflate.gzip_compress_bound(block.len())];
        let length = deflate
            .gzip_compress(block, &mut member)
            .map_err(|e| failed(e.to_string()))?;
        out.extend_from_slice(&member[..length]);
        self.idle.give_back(deflate);
        Ok(())
    }

    fn decompress(&self, frame: &[u8], plain: usize) -> Result<Vec<u8>> {
        // No byte of a member stands for more than 1,032: a lie about the size takes no memory.
        let mut block = Vec::with_capacity(plain.min(frame.len().saturating_mul(1032)));
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

/// `gzip` and its levels.
#[derive(Debug)]
pub(crate) struct GzipCodec;

impl Codec for GzipCodec {
    fn name(&self) -> &'static str {
        "gzip"
    }

    fn extension(&self) -> &'static str {
        ".gz"
    }

    fn forms(&self) -> &'static str {
        "gzip:0 to gzip:9"
    }

    fn compressor(&self, level: Option<u32>) -> Option<Arc<dyn Compressor>> {
        let level = level.unwrap_or(6);
        (0..=9)
            .contains(&level)
            .then(|| Arc::new(Gzip::new(level)) as _)
    }
}
