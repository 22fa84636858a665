//! Sealing and opening objects. Writing needs recipients only; reading is another type, which holds the secret.

use std::fmt::Debug;
use std::io::Read;
use std::ops::Range;

use crate::Result;

/// Seals objects. Holds no secret that opens them.
pub trait Encryptor: Send + Sync + Debug {
    /// The scheme, as recorded in the manifest: `age`.
    fn name(&self) -> &'static str;

    /// The suffix of sealed objects, with its dot.
    fn extension(&self) -> &'static str;

    /// Who can open what is sealed: public keys.
    fn recipients(&self) -> Vec<String>;

    /// Begins one sealed stream; its header goes to `out`.
    fn seal(&self, out: &mut Vec<u8>) -> Result<Box<dyn Seal>>;
}

/// One sealed stream in the making. Dropped without [`Seal::finish`] it stays without an end, and readers refuse it.
pub trait Seal: Send {
    /// Seals `plain`; what is ready goes to `out`.
    fn update(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()>;

    /// The length of the sealed stream, its header left out, when it ends after `plain` bytes in all.
    fn length(&self, plain: u64) -> u64;

    /// Ends the stream; the rest goes to `out`.
    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<()>;
}

/// Opens sealed objects.
pub trait Decryptor: Send + Sync + Debug {
    /// The scheme it opens.
    fn name(&self) -> &'static str;

    /// Opens a sealed stream from its start. A stream without its end is an error when the end is reached.
    fn open<'a>(&self, sealed: Box<dyn Read + Send + 'a>) -> Result<Box<dyn Read + Send + 'a>>;

    /// Which bytes of the sealed object are needed to open the plain bytes `plain`, when its header takes `header`
    /// bytes. May reach beyond the end of the object.
    fn window(&self, header: u64, plain: Range<u64>) -> Range<u64>;

    /// Opens the plain bytes `plain` from the object's header and the bytes of [`Decryptor::window`].
    fn open_window(&self, header: &[u8], window: &[u8], plain: Range<u64>) -> Result<Vec<u8>>;
}
