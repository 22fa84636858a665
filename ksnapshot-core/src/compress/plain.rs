//! Text as it is.

use std::io::Read;
use std::sync::Arc;

use super::{Compressor, expect_length};
use crate::{Codec, Result};

/// Compresses nothing.
#[derive(Debug)]
pub struct Plain;

impl Compressor for Plain {
    fn name(&self) -> String {
        PlainCodec.name().to_owned()
    }

    fn extension(&self) -> &'static str {
        PlainCodec.extension()
    }

    fn compress(&self, block: &[u8], out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(block);
        Ok(())
    }

    fn decompress(&self, frame: &[u8], plain: usize) -> Result<Vec<u8>> {
        expect_length(frame.to_vec(), plain)
    }

    fn decoder<'a>(&self, frames: Box<dyn Read + Send + 'a>) -> Result<Box<dyn Read + Send + 'a>> {
        Ok(frames)
    }
}

/// `none`.
#[derive(Debug)]
pub(crate) struct PlainCodec;

impl Codec for PlainCodec {
    fn name(&self) -> &'static str {
        "none"
    }

    fn extension(&self) -> &'static str {
        ""
    }

    fn forms(&self) -> &'static str {
        "none"
    }

    fn compressor(&self, level: Option<u32>) -> Option<Arc<dyn Compressor>> {
        level.is_none().then(|| Arc::new(Plain) as _)
    }
}
