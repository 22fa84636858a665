//! The typed model of definitions, carried by the index without this crate knowing any database.

use std::io::{self, BufWriter, Read, Write};

use serde::de::DeserializeOwned;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::json;
use serde_json::value::RawValue;

use crate::{Error, ErrorKind, Result};

/// A dumper's own model of the definitions it read, versioned by the dumper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogModel {
    /// Which dumper's model this is, as [`crate::SourceInfo::kind`].
    pub kind: String,
    /// Version of that model.
    pub version: u32,
    model: Json,
}

impl CatalogModel {
    /// The model of a dumper, from any value that can be written as JSON.
    ///
    /// Errors: [`ErrorKind::Failed`] when it can't, as a map whose keys are no texts.
    pub fn new(kind: impl Into<String>, version: u32, model: &impl Serialize) -> Result<Self> {
        let model = Json::of(model).map_err(|cause| {
            Error::new(ErrorKind::Failed, "the catalog can't be written as JSON").source(cause)
        })?;
        Ok(Self {
            kind: kind.into(),
            version,
            model,
        })
    }

    /// Writes it as JSON, as serde does, without having all of the model in memory.
    pub(crate) fn write(&self, mut to: impl Write) -> io::Result<()> {
        let (kind, version) = (json!(self.kind), self.version);
        write!(to, r#"{{"kind":{kind},"version":{version},"model":"#)?;
        io::copy(&mut self.model.json()?, &mut to)?;
        write!(to, "}}")
    }

    /// The model, in the dumper's own type. Whether it has another shape is the dumper's to tell, by `kind` and `version`.
    pub fn read<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        let json = self.model.json().and_then(io::read_to_string);
        serde_json::from_str(&json.map_err(serde_json::Error::io)?)
    }
}

/// What `write` writes, by zstd of this level. JSON comes a word at a time, and each call of the codec costs more than a word.
pub(crate) fn packed(
    level: i32,
    write: impl FnOnce(&mut BufWriter<::zstd::Encoder<'static, Vec<u8>>>) -> io::Result<()>,
) -> io::Result<Vec<u8>> {
    let mut words = BufWriter::new(::zstd::Encoder::new(Vec::new(), level)?);
    write(&mut words)?;
    words.into_inner().map_err(|e| e.into_error())?.finish()
}

/// JSON, compressed: of ten thousand tables it is one megabyte instead of thirty, and kept as long as a dump or a restore takes.
/// Equal models are equal texts: they are written by the same code.
#[derive(Debug, Clone, PartialEq)]
struct Json(Vec<u8>);

impl Json {
    fn of(model: &impl Serialize) -> io::Result<Self> {
        packed(1, |words| Ok(serde_json::to_writer(words, model)?)).map(Self)
    }

    fn json(&self) -> io::Result<impl Read> {
        ::zstd::Decoder::with_buffer(&self.0[..])
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        let json = self.json().and_then(io::read_to_string);
        let raw = RawValue::from_string(json.map_err(S::Error::custom)?);
        raw.map_err(S::Error::custom)?.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        // Not a copy: an index is read from a text that is at hand.
        let raw = <&RawValue>::deserialize(from)?;
        Self::of(&raw).map_err(de::Error::custom)
    }
}
