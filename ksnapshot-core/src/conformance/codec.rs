//! What every [`Codec`] promises.

use std::io::Read;
use std::thread;

use super::{ensure, pattern};
use crate::{Codec, Compressor, Result};

/// Runs the suite on the usual level.
///
/// Errors name the first promise that was broken, or are what the codec itself answered.
pub fn codec(codec: &dyn Codec) -> Result<()> {
    let usual = codec.compressor(None);
    ensure(usual.is_some(), "a codec has a usual level")?;
    let Some(usual) = usual else { return Ok(()) };
    names(codec, usual.as_ref())?;
    let blocks = blocks();
    frames_concatenate(usual.as_ref(), &blocks)?;
    lies_about_lengths(usual.as_ref(), &blocks)?;
    cut_frames(usual.as_ref(), &blocks)?;
    thread::scope(|scope| {
        let runs: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| frames_concatenate(usual.as_ref(), &blocks)))
            .collect();
        runs.into_iter().try_for_each(|run| match run.join() {
            Ok(done) => done,
            Err(_) => ensure(false, "frames are compressed on many threads at once"),
        })
    })
}

fn names(codec: &dyn Codec, usual: &dyn Compressor) -> Result<()> {
    ensure(
        codec.extension().is_empty() || codec.extension().starts_with('.'),
        "a suffix has its dot",
    )?;
    ensure(
        usual.extension() == codec.extension(),
        "a compressor has the suffix of its codec",
    )?;
    let name = usual.name();
    let (codec_name, level) = match name.split_once(':') {
        Some((name, level)) => (name, level.parse().ok()),
        None => (name.as_str(), None),
    };
    let again = codec.compressor(level).map(|compressor| compressor.name());
    ensure(
        codec_name == codec.name() && again.as_ref() == Some(&name),
        "the name of a compressor leads back to it",
    )
}

/// None, some, incompressible, all alike, and larger than a block usually is.
fn blocks() -> Vec<Vec<u8>> {
    vec![
        b"INSERT INTO t VALUES (1);\n".to_vec(),
        Vec::new(),
        pattern(70_001).to_vec(),
        vec![b'x'; 600_000],
        pattern(5 << 20).to_vec(),
        b"\0".to_vec(),
    ]
}

fn frames_concatenate(compressor: &dyn Compressor, blocks: &[Vec<u8>]) -> Result<()> {
    let mut file = Vec::new();
    for block in blocks {
        let start = file.len();
        compressor.compress(block, &mut file)?;
        ensure(
            compressor.decompress(&file[start..], block.len())? == *block,
            "a frame decodes alone to its block",
        )?;
    }
    let mut whole = Vec::new();
    let read = compressor
        .decoder(Box::new(file.as_slice()))?
        .read_to_end(&mut whole);
    ensure(
        read.is_ok() && whole == blocks.concat(),
        "a file of frames decodes to all blocks",
    )
}

fn lies_about_lengths(compressor: &dyn Compressor, blocks: &[Vec<u8>]) -> Result<()> {
    for block in blocks {
        let mut frame = Vec::new();
        compressor.compress(block, &mut frame)?;
        for length in [block.len() + 1, block.len().saturating_sub(1)] {
            ensure(
                length == block.len() || compressor.decompress(&frame, length).is_err(),
                "a frame of another length than the index says is an error",
            )?;
        }
    }
    Ok(())
}

fn cut_frames(compressor: &dyn Compressor, blocks: &[Vec<u8>]) -> Result<()> {
    for block in blocks.iter().filter(|block| !block.is_empty()) {
        let mut frame = Vec::new();
        compressor.compress(block, &mut frame)?;
        for end in [0, frame.len() / 2, frame.len() - 1] {
            ensure(
                compressor.decompress(&frame[..end], block.len()).is_err(),
                "a frame that is cut short is an error",
            )?;
        }
    }
    Ok(())
}
