//! Codecs: a frame gives what the index says or an error, and never takes memory by its word.

use std::io::Read;

use ksnapshot_core::Formats;

/// One byte chooses the codec, four say how much is expected; then come frames, or a block to make one of.
pub(super) fn law(data: &[u8]) {
    let Some((&[codec, ref plain @ ..], bytes)) = data.split_first_chunk::<5>() else {
        return;
    };
    let name = ["zstd:1", "gzip:1", "none"][usize::from(codec % 3)];
    let codec = Formats::default().compressor(name).expect("known");
    let plain = u32::from_le_bytes(*plain) as usize;
    if let Ok(block) = codec.decompress(bytes, plain) {
        assert_eq!(block.len(), plain, "what the index says, or an error");
        let mut whole = Vec::new();
        let stream = codec
            .decoder(Box::new(bytes))
            .expect("it was read just now");
        stream
            .take(plain as u64 + 1)
            .read_to_end(&mut whole)
            .expect("the same by a stream");
        assert!(whole == block, "the same by a stream");
    }
    // The end of a stream of anybody may be anywhere.
    if let Ok(stream) = codec.decoder(Box::new(bytes)) {
        let _ = std::io::copy(&mut stream.take(8 << 20), &mut std::io::sink());
    }

    let mut frames = Vec::new();
    codec.compress(bytes, &mut frames).expect("any block");
    let first = frames.len();
    codec.compress(bytes, &mut frames).expect("any block");
    let back = codec.decompress(&frames[..first], bytes.len());
    assert!(back.expect("its own frame") == bytes);
    assert!(codec.decompress(&frames[..first], bytes.len() + 1).is_err());
    let mut whole = Vec::new();
    let mut stream = codec
        .decoder(Box::new(&frames[..]))
        .expect("its own frames");
    stream.read_to_end(&mut whole).expect("its own frames");
    assert!(whole == [bytes, bytes].concat(), "frames are one file");
}
