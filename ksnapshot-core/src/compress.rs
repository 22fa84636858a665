//! Compression of blocks into frames. Every frame is decoded alone, and frames written one after the other are what
//! the stock tools of the codec read as one file.

mod gzip;
mod zstd;

use std::fmt::{self, Debug};
use std::io::Read;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

pub use gzip::Gzip;
pub use zstd::Zstd;

use crate::{Error, ErrorKind, Result};

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

/// A codec that comes with this crate, and its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// zstd, level 1 to 22.
    Zstd(i32),
    /// gzip, level 0 to 9.
    Gzip(u32),
    /// Plain text.
    None,
}

impl Default for Compression {
    fn default() -> Self {
        Self::Zstd(3)
    }
}

impl Compression {
    /// The compressor itself.
    pub fn compressor(self) -> Arc<dyn Compressor> {
        match self {
            Self::Zstd(level) => Arc::new(Zstd::new(level)),
            Self::Gzip(level) => Arc::new(Gzip::new(level)),
            Self::None => Arc::new(Plain),
        }
    }

    /// The codec that a file name speaks of.
    pub fn of_extension(name: &str) -> Self {
        if name.ends_with(".zst") {
            Self::Zstd(3)
        } else if name.ends_with(".gz") {
            Self::Gzip(6)
        } else {
            Self::None
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zstd(level) => write!(f, "zstd:{level}"),
            Self::Gzip(level) => write!(f, "gzip:{level}"),
            Self::None => f.write_str("none"),
        }
    }
}

impl FromStr for Compression {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad = || {
            Error::new(ErrorKind::Usage, format!("compression {text:?}: not known"))
                .hint("Use zstd:1 to zstd:22, gzip:0 to gzip:9, or none.")
        };
        let (codec, level) = text
            .split_once(':')
            .map_or((text, None), |(c, l)| (c, Some(l)));
        let level = |otherwise: u32, allowed: std::ops::RangeInclusive<u32>| {
            let level = level.map_or(Ok(otherwise), str::parse).map_err(|_| bad())?;
            if allowed.contains(&level) {
                Ok(level)
            } else {
                Err(bad())
            }
        };
        match codec {
            "zstd" => Ok(Self::Zstd(level(3, 1..=22)?.cast_signed())),
            "gzip" => Ok(Self::Gzip(level(6, 0..=9)?)),
            "none" if text == "none" => Ok(Self::None),
            _ => Err(bad()),
        }
    }
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

#[derive(Debug)]
struct Plain;

impl Compressor for Plain {
    fn name(&self) -> String {
        Compression::None.to_string()
    }

    fn extension(&self) -> &'static str {
        ""
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
    use super::*;
    use proptest::prelude::*;

    fn all() -> impl Strategy<Value = Compression> {
        prop_oneof![
            (1..=22i32).prop_map(Compression::Zstd),
            (0..=9u32).prop_map(Compression::Gzip),
            Just(Compression::None)
        ]
    }

    proptest! {
        #[test]
        fn frames_concatenate_and_each_decodes_alone(codec in all(), blocks: Vec<Vec<u8>>) {
            // A file without any frame is no gzip file; a snapshot always has its header.
            prop_assume!(!blocks.is_empty());
            let compressor = codec.compressor();
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

        #[test]
        fn names_parse_back(codec in all()) {
            prop_assert_eq!(codec.to_string().parse::<Compression>().expect("its own name"), codec);
        }
    }

    #[test]
    fn unknown_codecs_and_levels_are_refused() {
        for bad in [
            "zstd:0", "zstd:23", "gzip:10", "gzip:-1", "none:1", "lz4", "", "zstd:", "zstd:3:4",
        ] {
            assert_eq!(
                bad.parse::<Compression>().expect_err(bad).kind(),
                ErrorKind::Usage
            );
        }
        assert_eq!(
            "zstd".parse::<Compression>().expect("default level"),
            Compression::Zstd(3)
        );
    }
}
