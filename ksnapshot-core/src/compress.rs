//! Compression of blocks into frames. Every frame is decoded alone, and frames written one after the other are what
//! the stock tools of the codec read as one file.

mod gzip;
mod plain;
mod zstd;

use std::fmt::{self, Debug};
use std::io::Read;
use std::sync::{Mutex, PoisonError};

pub use gzip::Gzip;
pub use plain::Plain;
pub use zstd::Zstd;

pub(crate) use gzip::GzipCodec;
pub(crate) use plain::PlainCodec;
pub(crate) use zstd::ZstdCodec;

use crate::{Error, Result};

/// Turns one block into one self-contained frame.
///
/// Law: decoding the concatenation of frames yields the concatenation of blocks. Called from many threads at once.
pub trait Compressor: Send + Sync + Debug {
    /// The codec and its level, as recorded in the manifest: `zstd:3`.
    fn name(&self) -> String;

    /// The suffix of files, with its dot; empty when nothing is compressed.
    fn extension(&self) -> &'static str;

    /// Appends the frame of `block` to `out`.
    fn compress(&self, block: &[u8], out: &mut Vec<u8>) -> Result<()>;

    /// The block of one frame, which is `plain` bytes long.
    fn decompress(&self, frame: &[u8], plain: usize) -> Result<Vec<u8>>;

    /// Decodes a whole file of frames.
    fn decoder<'a>(&self, frames: Box<dyn Read + Send + 'a>) -> Result<Box<dyn Read + Send + 'a>>;
}

/// Contexts of a codec that nobody uses at the moment. One costs megabytes and a millisecond to make, and there are never
/// more than blocks being compressed at once.
struct Idle<T>(Mutex<Vec<T>>);

impl<T> Idle<T> {
    fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn give_back(&self, context: T) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(context);
    }
}

impl<T> Default for Idle<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Debug for Idle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Idle")
    }
}

fn expect_length(block: Vec<u8>, plain: usize) -> Result<Vec<u8>> {
    if block.len() == plain {
        Ok(block)
    } else {
        Err(Error::corrupt(format!(
            "a frame holds {} bytes where the index says {plain}",
            block.len()
        )))
    }
}

fn undecodable(cause: std::io::Error) -> Error {
    Error::corrupt("a frame can't be decompressed").source(cause)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Formats;
    use proptest::prelude::*;

    fn all() -> impl Strategy<Value = Arc<dyn Compressor>> {
        let name = prop_oneof![
            (1..=22u32).prop_map(|level| format!("zstd:{level}")),
            (0..=9u32).prop_map(|level| format!("gzip:{level}")),
            Just("none".to_owned())
        ];
        name.prop_map(|name| Formats::default().compressor(&name).expect("known"))
    }

    proptest! {
        #[test]
        fn frames_concatenate_and_each_decodes_alone(compressor in all(), blocks: Vec<Vec<u8>>) {
            // A file without any frame is no gzip file; a snapshot always has its header.
            prop_assume!(!blocks.is_empty());
            let mut file = Vec::new();
            for block in &blocks {
                let start = file.len();
                compressor.compress(block, &mut file).expect("compresses");
                prop_assert_eq!(&compressor.decompress(&file[start..], block.len()).expect("decodes"), block);
                prop_assert!(compressor.decompress(&file[start..], block.len() + 1).is_err());
            }
            let mut whole = Vec::new();
            compressor.decoder(Box::new(&file[..])).expect("opens").read_to_end(&mut whole).expect("reads");
            prop_assert_eq!(whole, blocks.concat());
        }
    }
}
