//! zstd frames (RFC 8878).

use std::io::Read;
use std::sync::Arc;

use zstd::bulk;
use zstd::zstd_safe::{CParameter, get_frame_content_size};

use super::{Compressor, Idle, expect_length, undecodable};
use crate::{Codec, Error, ErrorKind, Result};

/// What level 3 changes for rows of text. Its own tables (2^17 and 2^16 entries) fall out of a core's second-level cache;
/// tables of half the size and a longest short match of 6 instead of 5 took a fifth less CPU on TPC-H's rows and gave
/// 1.9 % smaller output; on source code, the worst case found, 1.3 % larger.
const TABLES_IN_CACHE: [CParameter; 3] = [
    CParameter::MinMatch(6),
    CParameter::HashLog(16),
    CParameter::ChainLog(15),
];

/// No byte stands for more: a block of 128 KiB takes 4 at least.
const MOST_OF_A_BYTE: usize = 32 << 10;

/// zstd at one level. Each frame carries its length and a checksum.
pub struct Zstd {
    level: i32,
    idle: Idle<bulk::Compressor<'static>>,
}

impl Zstd {
    /// At a level from 1 to 22.
    pub fn new(level: i32) -> Self {
        Self {
            level,
            idle: Idle::default(),
        }
    }

    fn context(&self) -> std::io::Result<bulk::Compressor<'static>> {
        if let Some(context) = self.idle.take() {
            return Ok(context);
        }
        let mut context = bulk::Compressor::new(self.level)?;
        context.set_parameter(CParameter::ChecksumFlag(true))?;
        if self.level == 3 {
            for parameter in TABLES_IN_CACHE {
                context.set_parameter(parameter)?;
            }
        }
        Ok(context)
    }
}

impl std::fmt::Debug for Zstd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Zstd")
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}

impl Compressor for Zstd {
    fn name(&self) -> String {
        format!("{}:{}", ZstdCodec.name(), self.level)
    }

    fn extension(&self) -> &'static str {
        ZstdCodec.extension()
    }

    fn compress(&self, block: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let failed =
            |cause| Error::new(ErrorKind::Failed, "zstd: compression failed").source(cause);
        let mut context = self.context().map_err(failed)?;
        let frame = context.compress(block).map_err(failed)?;
        out.extend_from_slice(&frame);
        self.idle.give_back(context);
        Ok(())
    }

    fn decompress(&self, frame: &[u8], plain: usize) -> Result<Vec<u8>> {
        // Memory is taken for what the frame itself says, too, and for no more than a frame of its size can hold.
        let says = get_frame_content_size(frame).ok().flatten();
        if says != Some(plain as u64) || plain.div_ceil(MOST_OF_A_BYTE) > frame.len() {
            return Err(Error::corrupt(format!(
                "a frame does not hold the {plain} bytes that the index says"
            )));
        }
        expect_length(bulk::decompress(frame, plain).map_err(undecodable)?, plain)
    }

    fn decoder<'a>(&self, frames: Box<dyn Read + Send + 'a>) -> Result<Box<dyn Read + Send + 'a>> {
        let mut decoder = zstd::Decoder::new(frames).map_err(undecodable)?;
        // Files of others may use the long windows of --ultra and --long.
        decoder.window_log_max(31).map_err(undecodable)?;
        Ok(Box::new(decoder))
    }
}

/// `zstd` and its levels.
#[derive(Debug)]
pub(crate) struct ZstdCodec;

impl Codec for ZstdCodec {
    fn name(&self) -> &'static str {
        "zstd"
    }

    fn extension(&self) -> &'static str {
        ".zst"
    }

    fn forms(&self) -> &'static str {
        "zstd:1 to zstd:22"
    }

    fn compressor(&self, level: Option<u32>) -> Option<Arc<dyn Compressor>> {
        let level = level.unwrap_or(3);
        (1..=22)
            .contains(&level)
            .then(|| Arc::new(Zstd::new(level.cast_signed())) as _)
    }
}
