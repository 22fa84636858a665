//! How stored objects are written: the codecs and the schemes of encryption that a program knows. Third parties add theirs.

use std::fmt::Debug;
use std::sync::Arc;

use secrecy::SecretString;

use crate::age::Age;
use crate::compress::{GzipCodec, Plain, PlainCodec, ZstdCodec};
use crate::{Compressor, Decryptor, Encryptor, Error, ErrorKind, Result};

/// A codec: makes the compressor of each of its levels.
pub trait Codec: Send + Sync + Debug {
    /// What stands before the colon: `zstd`.
    fn name(&self) -> &'static str;

    /// The suffix of its files, with its dot; empty when nothing is compressed.
    fn extension(&self) -> &'static str;

    /// What a person may write: `zstd:1 to zstd:22`.
    fn forms(&self) -> &'static str;

    /// The compressor of a level, or of the usual one. None if there is no such level. [`Compressor::name`] of what is
    /// returned must lead back to it.
    fn compressor(&self, level: Option<u32>) -> Option<Arc<dyn Compressor>>;
}

/// A scheme of encryption: makes what seals and what opens.
pub trait Scheme: Send + Sync + Debug {
    /// As recorded in the manifest: `age`.
    fn name(&self) -> &'static str;

    /// The suffix of sealed objects, with its dot.
    fn extension(&self) -> &'static str;

    /// Whether this is written as recipients of this scheme are.
    fn takes_recipient(&self, recipient: &str) -> bool;

    /// Whether this is the text of an identity file of this scheme.
    fn takes_identity(&self, identity: &SecretString) -> bool;

    /// Seals for these recipients, and nobody else.
    fn encryptor(&self, recipients: &[String]) -> Result<Arc<dyn Encryptor>>;

    /// Opens what was sealed for this identity.
    fn decryptor(&self, identity: &SecretString) -> Result<Arc<dyn Decryptor>>;
}

/// Every codec and every scheme that is known. The default knows what comes with this crate: zstd, gzip, plain text, and age.
#[derive(Debug, Clone)]
pub struct Formats {
    codecs: Vec<Arc<dyn Codec>>,
    schemes: Vec<Arc<dyn Scheme>>,
}

impl Default for Formats {
    fn default() -> Self {
        Self {
            codecs: vec![
                Arc::new(ZstdCodec),
                Arc::new(GzipCodec),
                Arc::new(PlainCodec),
            ],
            schemes: vec![Arc::new(Age)],
        }
    }
}

impl Formats {
    /// Knows one more codec. It comes before those of the same name or suffix that were known.
    pub fn add_codec(&mut self, codec: Arc<dyn Codec>) {
        self.codecs.insert(0, codec);
    }

    /// Knows one more scheme of encryption, likewise.
    pub fn add_scheme(&mut self, scheme: Arc<dyn Scheme>) {
        self.schemes.insert(0, scheme);
    }

    /// The compressor that a person or a manifest means: `zstd:3`, `gzip`, `none`.
    pub fn compressor(&self, text: &str) -> Result<Arc<dyn Compressor>> {
        let (name, level) = match text.split_once(':') {
            Some((name, level)) => (name, Some(level.parse::<u32>().ok())),
            None => (text, None),
        };
        let codec = self.codecs.iter().find(|c| c.name() == name);
        // A level that is no number is no level of any codec.
        let level = level.map_or(Some(None), |level| level.map(Some));
        (codec.zip(level))
            .and_then(|(codec, level)| codec.compressor(level))
            .ok_or_else(|| {
                let forms: Vec<&str> = self.codecs.iter().map(|c| c.forms()).collect();
                Error::new(ErrorKind::Usage, format!("compression {text:?}: not known"))
                    .hint(format!("Use one of {}.", forms.join(", ")))
            })
    }

    /// The compressor that wrote the file with this name, sealed or not; that of plain text when no suffix fits.
    pub fn compressor_of(&self, file: &str) -> Arc<dyn Compressor> {
        let file = self.opened(file).unwrap_or(file);
        let mut codecs = self.codecs.iter().filter(|c| !c.extension().is_empty());
        codecs
            .find(|codec| file.ends_with(codec.extension()))
            .and_then(|codec| codec.compressor(None))
            .unwrap_or_else(|| Arc::new(Plain))
    }

    /// The name of a sealed file without the suffix of its scheme; none when it isn't sealed.
    pub fn opened<'a>(&self, file: &'a str) -> Option<&'a str> {
        (self.schemes.iter()).find_map(|scheme| file.strip_suffix(scheme.extension()))
    }

    /// Every suffix that a file of ours may end with.
    pub fn extensions(&self) -> impl Iterator<Item = &'static str> {
        let codecs = self.codecs.iter().map(|c| c.extension());
        let schemes = self.schemes.iter().map(|s| s.extension());
        codecs.chain(schemes).filter(|e| !e.is_empty())
    }

    /// Seals for `recipients`; nothing is sealed when there are none.
    ///
    /// Errors: [`ErrorKind::Usage`] for a recipient of no scheme, and for those of several.
    pub fn encryptor(&self, recipients: &[String]) -> Result<Option<Arc<dyn Encryptor>>> {
        let Some(first) = recipients.first() else {
            return Ok(None);
        };
        let scheme = (self.schemes.iter()).find(|scheme| scheme.takes_recipient(first));
        self.or_ours(scheme)?.encryptor(recipients).map(Some)
    }

    /// Opens what was sealed for the identity with this text.
    ///
    /// Errors: [`ErrorKind::Identity`] when it is none.
    pub fn decryptor(&self, identity: &SecretString) -> Result<Arc<dyn Decryptor>> {
        let scheme = (self.schemes.iter()).find(|scheme| scheme.takes_identity(identity));
        self.or_ours(scheme)?.decryptor(identity)
    }

    /// Where no scheme knows a text, the first of all tells best what is wrong with it.
    fn or_ours<'a>(&'a self, found: Option<&'a Arc<dyn Scheme>>) -> Result<&'a Arc<dyn Scheme>> {
        found
            .or(self.schemes.last())
            .ok_or_else(|| Error::new(ErrorKind::Usage, "no scheme of encryption is known"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{age, conformance};

    #[test]
    fn compressors_are_found_by_what_they_say_of_themselves() {
        let formats = Formats::default();
        let names = (1..=22).map(|level| format!("zstd:{level}"));
        let names = names.chain((0..=9).map(|level| format!("gzip:{level}")));
        for name in names.chain(["none".to_owned()]) {
            assert_eq!(formats.compressor(&name).expect("known").name(), name);
        }
        let usual = |text: &str| formats.compressor(text).expect(text).name();
        assert_eq!(
            (usual("zstd"), usual("gzip")),
            ("zstd:3".into(), "gzip:6".into())
        );
    }

    #[test]
    fn unknown_codecs_and_levels_are_refused() {
        for bad in [
            "zstd:0", "zstd:23", "gzip:10", "gzip:-1", "none:1", "lz4", "", "zstd:", "zstd:3:4",
        ] {
            let error = Formats::default().compressor(bad).expect_err(bad);
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert_eq!(
                error.advice(),
                Some("Use one of zstd:1 to zstd:22, gzip:0 to gzip:9, none.")
            );
        }
    }

    #[test]
    fn what_comes_with_this_crate_keeps_every_promise() {
        for codec in Formats::default().codecs {
            conformance::codec(codec.as_ref()).expect("kept");
        }
        let now = jiff::Timestamp::UNIX_EPOCH;
        let ((identity, ours), (_, theirs)) = (age::keygen(now), age::keygen(now));
        let keys = conformance::Keys {
            recipients: vec![theirs, ours],
            identity,
            stranger: age::keygen(now).0,
        };
        conformance::scheme(&Age, &keys).expect("kept");
    }

    #[test]
    fn files_say_by_their_names_how_they_are_written() {
        let formats = Formats::default();
        let of = |file: &str| formats.compressor_of(file).name();
        assert_eq!(of("a.sql.zst.age"), "zstd:3");
        assert_eq!(of("a.sql.gz"), "gzip:6");
        assert_eq!(of("a.sql"), "none");
        assert_eq!(formats.opened("a.sql.gz.age"), Some("a.sql.gz"));
        assert_eq!(formats.opened("a.sql.gz"), None);
    }
}
