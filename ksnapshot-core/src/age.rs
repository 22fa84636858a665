//! Encryption by [age](https://age-encryption.org/v1), with X25519 recipients. What is sealed here opens with the
//! stock `age`, and the other way round.
//!
//! Layout of an age file, as far as reading at any place needs it: a header, a nonce of 16 bytes, then chunks of
//! 64 KiB of plain text, each followed by a tag of 16 bytes. The nonce counts as part of the header here.

use std::fmt;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use ::age::x25519::{Identity, Recipient};
use ::age::{DecryptError, stream::StreamWriter};
use secrecy::{ExposeSecret, SecretString};

use crate::storage::LONGEST_OBJECT;
use crate::{Decryptor, Encryptor, Error, ErrorKind, Result, Scheme, Seal};

const CHUNK: u64 = 64 * 1024;
const SEALED_CHUNK: u64 = CHUNK + 16;

/// The scheme itself.
#[derive(Debug)]
pub struct Age;

impl Scheme for Age {
    fn name(&self) -> &'static str {
        "age"
    }

    fn extension(&self) -> &'static str {
        ".age"
    }

    fn takes_recipient(&self, recipient: &str) -> bool {
        recipient.starts_with("age1")
    }

    fn takes_identity(&self, identity: &SecretString) -> bool {
        identity.expose_secret().contains("AGE-SECRET-KEY-")
    }

    fn encryptor(&self, recipients: &[String]) -> Result<Arc<dyn Encryptor>> {
        Ok(Arc::new(AgeEncryptor::new(recipients)?))
    }

    fn decryptor(&self, identity: &SecretString) -> Result<Arc<dyn Decryptor>> {
        Ok(Arc::new(AgeDecryptor::from_identity_file(identity)?))
    }
}

/// Seals for one or many recipients.
#[derive(Debug)]
pub struct AgeEncryptor {
    recipients: Vec<Recipient>,
}

impl AgeEncryptor {
    /// Takes public keys as `age-keygen` prints them: `age1…`.
    ///
    /// Errors: [`ErrorKind::Usage`] for anything else, also for an empty list.
    pub fn new<S: AsRef<str>>(recipients: &[S]) -> Result<Self> {
        if recipients.is_empty() {
            return Err(Error::new(ErrorKind::Usage, "no recipient given"));
        }
        let recipients = recipients
            .iter()
            .map(|text| parse_recipient(text.as_ref()))
            .collect::<Result<_>>()?;
        Ok(Self { recipients })
    }
}

fn parse_recipient(text: &str) -> Result<Recipient> {
    // Somebody who pastes the wrong half of a key pair, with whatever is around it, must not read it again in a log.
    if text.to_ascii_uppercase().contains("AGE-SECRET-KEY-") {
        return Err(
            Error::new(ErrorKind::Usage, "recipient: this is a secret key")
                .hint("Pass the public key, which starts with age1; `ksnapshot keygen` prints it."),
        );
    }
    Recipient::from_str(text.trim()).map_err(|cause| {
        Error::new(
            ErrorKind::Usage,
            format!("recipient {text:?}: not an age public key: {cause}"),
        )
        .hint(
            "Pass a key that starts with age1, as `ksnapshot keygen` or `age-keygen` print it, and not a file with it.",
        )
    })
}

impl Encryptor for AgeEncryptor {
    fn name(&self) -> &'static str {
        Age.name()
    }

    fn extension(&self) -> &'static str {
        Age.extension()
    }

    fn recipients(&self) -> Vec<String> {
        self.recipients.iter().map(ToString::to_string).collect()
    }

    fn seal(&self, out: &mut Vec<u8>) -> Result<Box<dyn Seal>> {
        let failed = |cause: String| {
            Error::new(
                ErrorKind::Failed,
                format!("age: can't begin a stream: {cause}"),
            )
        };
        let recipients = self.recipients.iter().map(|r| r as &dyn ::age::Recipient);
        let encryptor =
            ::age::Encryptor::with_recipients(recipients).map_err(|e| failed(e.to_string()))?;
        let buffer = Buffer::default();
        let stream = encryptor
            .wrap_output(buffer.clone())
            .map_err(|e| failed(e.to_string()))?;
        buffer.drain(out);
        Ok(Box::new(AgeSeal { stream, buffer }))
    }
}

struct AgeSeal {
    stream: StreamWriter<Buffer>,
    buffer: Buffer,
}

impl Seal for AgeSeal {
    fn update(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.stream.write_all(plain).map_err(sealing)?;
        self.buffer.drain(out);
        Ok(())
    }

    fn length(&self, plain: u64) -> u64 {
        // Nothing is sealed as one empty chunk.
        plain + plain.div_ceil(CHUNK).max(1) * (SEALED_CHUNK - CHUNK)
    }

    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<()> {
        self.stream.finish().map_err(sealing)?;
        self.buffer.drain(out);
        Ok(())
    }
}

fn sealing(cause: io::Error) -> Error {
    Error::new(ErrorKind::Failed, "age: sealing failed").source(cause)
}

/// Where age writes to. Shared, because its stream does not lend its writer.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn drain(&self, out: &mut Vec<u8>) {
        out.append(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens what was sealed for one of its identities.
pub struct AgeDecryptor {
    identities: Vec<Identity>,
}

impl AgeDecryptor {
    /// Takes the text of an identity file as `age-keygen` writes it: lines with `AGE-SECRET-KEY-1…`, comments and
    /// empty lines.
    ///
    /// Errors: [`ErrorKind::Identity`] when there is no key in it, or something else. The text is never repeated.
    pub fn from_identity_file(text: &SecretString) -> Result<Self> {
        let mut identities = Vec::new();
        for (number, line) in text.expose_secret().lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            identities.push(Identity::from_str(line).map_err(|cause| {
                Error::new(ErrorKind::Identity, format!("line {}: not an age secret key: {cause}", number + 1)).hint(
                    "Pass a file as `ksnapshot keygen` or `age-keygen` write it; one sealed with a passphrase has to \
                     be opened by `age -d` first.",
                )
            })?);
        }
        if identities.is_empty() {
            return Err(Error::new(ErrorKind::Identity, "no age secret key in it")
                .hint("Pass a file as `ksnapshot keygen` or `age-keygen` write it."));
        }
        Ok(Self { identities })
    }

    fn stream<R: Read>(&self, sealed: R) -> Result<::age::stream::StreamReader<R>> {
        let opened = ::age::Decryptor::new(sealed)
            .and_then(|d| d.decrypt(self.identities.iter().map(|i| i as &dyn ::age::Identity)));
        opened.map_err(|cause| match cause {
            DecryptError::NoMatchingKeys | DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
                Error::new(ErrorKind::Identity, "none of the identities opens it").hint(
                    "Pass the file with the secret key of one of the recipients; `ksnapshot inspect` lists them.",
                )
            }
            // An error of the reader below keeps its kind: a lost connection is not a corrupt object.
            DecryptError::Io(cause) => from_io(cause, "age header: cut short"),
            cause => Error::corrupt("age header: not readable").source(cause.to_string()),
        })
    }
}

/// The error a reader of this crate wrapped into an `io::Error`, or corruption.
pub(crate) fn from_io(cause: io::Error, otherwise: &str) -> Error {
    match cause.downcast::<Error>() {
        Ok(error) => error,
        Err(cause) => Error::corrupt(otherwise).source(cause),
    }
}

impl fmt::Debug for AgeDecryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgeDecryptor")
            .field("identities", &self.identities.len())
            .finish()
    }
}

impl Decryptor for AgeDecryptor {
    fn name(&self) -> &'static str {
        "age"
    }

    fn open<'a>(&self, sealed: Box<dyn Read + Send + 'a>) -> Result<Box<dyn Read + Send + 'a>> {
        Ok(Box::new(self.stream(sealed)?))
    }

    fn window(&self, header: u64, plain: Range<u64>) -> Range<u64> {
        let first = first_chunk(&plain);
        let end = plain.end.div_ceil(CHUNK);
        header + first * SEALED_CHUNK..header + end * SEALED_CHUNK
    }

    fn open_window(&self, header: &[u8], window: &[u8], plain: Range<u64>) -> Result<Vec<u8>> {
        let length = plain.end.saturating_sub(plain.start);
        if length == 0 {
            return Ok(Vec::new());
        }
        // Nothing is believed of an index: neither is memory taken on its word, nor is the stream asked for what is beyond
        // its last chunk, where it stops the whole thread.
        let window_length = window.len() as u64;
        let tags = window_length.div_ceil(SEALED_CHUNK) * (SEALED_CHUNK - CHUNK);
        let held = (first_chunk(&plain) * CHUNK).saturating_add(window_length.saturating_sub(tags));
        if plain.end > LONGEST_OBJECT || plain.end > held {
            return Err(Error::corrupt("age: holds less than it should"));
        }
        let sealed = Window {
            header,
            window,
            at: first_chunk(&plain) * SEALED_CHUNK + header.len() as u64,
            position: 0,
        };
        let mut stream = self.stream(sealed)?;
        let read = |stream: &mut ::age::stream::StreamReader<Window<'_>>| -> io::Result<Vec<u8>> {
            // A seek to the very start of a chunk makes age look at the end of the file; from the byte after it the
            // way back is free.
            stream.seek(SeekFrom::Start(first_chunk(&plain) * CHUNK + 1))?;
            stream.seek(SeekFrom::Start(plain.start))?;
            let mut opened = vec![0; usize::try_from(length).map_err(io::Error::other)?];
            stream.read_exact(&mut opened)?;
            Ok(opened)
        };
        read(&mut stream)
            .map_err(|cause| Error::corrupt("age: a chunk does not open").source(cause))
    }
}

fn first_chunk(plain: &Range<u64>) -> u64 {
    plain.start / CHUNK
}

/// A sealed file of which only the header and one window are at hand.
struct Window<'a> {
    header: &'a [u8],
    window: &'a [u8],
    at: u64,
    position: u64,
}

impl Read for Window<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = if let Some(rest) = self
            .header
            .get(usize::try_from(self.position).unwrap_or(usize::MAX)..)
            && !rest.is_empty()
        {
            rest
        } else {
            let offset = self
                .position
                .checked_sub(self.at)
                .and_then(|o| usize::try_from(o).ok());
            offset
                .and_then(|o| self.window.get(o..))
                .unwrap_or_default()
        };
        let read = Cursor::new(rest).read(buffer)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for Window<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = match to {
            SeekFrom::Start(position) => position,
            SeekFrom::Current(offset) => self
                .position
                .checked_add_signed(offset)
                .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?,
            SeekFrom::End(_) => return Err(io::ErrorKind::Unsupported.into()),
        };
        Ok(self.position)
    }
}

/// A new key pair: the text of an identity file, as `age-keygen` writes it, and the public key.
pub fn keygen(now: jiff::Timestamp) -> (SecretString, String) {
    let identity = Identity::generate();
    let public = identity.to_public().to_string();
    let created = now.strftime("%Y-%m-%dT%H:%M:%SZ");
    let file = format!(
        "# created: {created}\n# public key: {public}\n{}\n",
        identity.to_string().expose_secret()
    );
    (SecretString::from(file), public)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pair() -> (AgeEncryptor, AgeDecryptor) {
        let (file, public) = keygen(jiff::Timestamp::UNIX_EPOCH);
        let seal = AgeEncryptor::new(&[public]).expect("its own public key");
        (
            seal,
            AgeDecryptor::from_identity_file(&file).expect("its own file"),
        )
    }

    fn sealed(encryptor: &AgeEncryptor, plain: &[u8]) -> (u64, Vec<u8>) {
        let mut out = Vec::new();
        let mut seal = encryptor.seal(&mut out).expect("a stream");
        let header = out.len() as u64;
        for piece in plain.chunks(10_007) {
            seal.update(piece, &mut out).expect("update");
        }
        let length = seal.length(plain.len() as u64);
        seal.finish(&mut out).expect("finish");
        assert_eq!(header + length, out.len() as u64, "as foretold");
        (header, out)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn any_range_opens_from_its_window(chunks in 0u64..5, extra in 0u64..3, a: u64, b: u64) {
            let length = (chunks * CHUNK + extra).saturating_sub(1);
            let plain: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            let (encryptor, decryptor) = pair();
            let (header, file) = sealed(&encryptor, &plain);
            // Borders of chunks are where it can go wrong.
            let near = |x: u64| (x % (chunks + 1) * CHUNK + x % 3).saturating_sub(1).min(length);
            let (start, end) = (near(a).min(near(b)), near(a).max(near(b)));
            prop_assume!(start < end);
            let window = decryptor.window(header, start..end);
            let cut = window.start.min(file.len() as u64) as usize..window.end.min(file.len() as u64) as usize;
            let opened = decryptor.open_window(&file[..header as usize], &file[cut], start..end).expect("opens");
            prop_assert_eq!(&opened, &plain[start as usize..end as usize]);
        }
    }

    #[test]
    fn a_cut_or_changed_stream_is_an_error() {
        let (encryptor, decryptor) = pair();
        let (header, file) = sealed(&encryptor, &vec![7; 200_000]);
        let read = |file: &[u8]| {
            let mut opened = Vec::new();
            decryptor
                .open(Box::new(Cursor::new(file.to_vec())))
                .and_then(|mut r| r.read_to_end(&mut opened).map_err(|e| from_io(e, "cut")))
        };
        assert_eq!(read(&file).expect("whole"), 200_000);
        for cut in [
            file.len() - 1,
            header as usize + SEALED_CHUNK as usize,
            header as usize,
            40,
        ] {
            assert_eq!(
                read(&file[..cut]).expect_err("cut").kind(),
                ErrorKind::Corrupt,
                "cut at {cut}"
            );
        }
        let mut flipped = file.clone();
        flipped[header as usize + 100] ^= 1;
        assert_eq!(
            read(&flipped).expect_err("flipped").kind(),
            ErrorKind::Corrupt
        );
    }

    #[test]
    fn a_strangers_identity_is_told_apart_from_corruption() {
        let (encryptor, _) = pair();
        let (_, stranger) = pair();
        let (_, file) = sealed(&encryptor, b"x");
        let error = stranger
            .open(Box::new(Cursor::new(file)))
            .map(|_| ())
            .expect_err("not for us");
        assert_eq!(error.kind(), ErrorKind::Identity);
    }

    #[test]
    fn a_bad_recipient_is_refused_and_a_secret_one_not_repeated() {
        let (file, _) = keygen(jiff::Timestamp::UNIX_EPOCH);
        let secret = file
            .expose_secret()
            .lines()
            .last()
            .expect("the key")
            .to_owned();
        let error = AgeEncryptor::new(&[&secret]).expect_err("secret");
        assert!(!format!("{error:?}").contains(&secret));
        for bad in ["", "age1", "ssh-ed25519 AAAA", "age1qqqq"] {
            assert_eq!(
                AgeEncryptor::new(&[bad]).expect_err(bad).kind(),
                ErrorKind::Usage
            );
        }
    }
}
