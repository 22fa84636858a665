//! The typed model of definitions, carried by the index without this crate knowing any database.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Error, ErrorKind, Result};

/// A dumper's own model of the definitions it read, versioned by the dumper.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogModel {
    /// Which dumper's model this is, as [`crate::SourceInfo::kind`].
    pub kind: String,
    /// Version of that model.
    pub version: u32,
    /// As text: a tree of values would be several times as large as what it is made of.
    model: Box<RawValue>,
}

impl CatalogModel {
    /// The model of a dumper, from any value that can be written as JSON.
    ///
    /// Errors: [`ErrorKind::Failed`] when it can't, as a map whose keys are no texts.
    pub fn new(kind: impl Into<String>, version: u32, model: &impl Serialize) -> Result<Self> {
        let model = serde_json::value::to_raw_value(model).map_err(|cause| {
            Error::new(ErrorKind::Failed, "the catalog can't be written as JSON").source(cause)
        })?;
        Ok(Self {
            kind: kind.into(),
            version,
            model,
        })
    }

    /// The model, in the dumper's own type. Whether it has another shape is the dumper's to tell, by `kind` and `version`.
    pub fn read<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(self.model.get())
    }
}

/// Equal models are equal texts: they are written by the same code.
impl PartialEq for CatalogModel {
    fn eq(&self, other: &Self) -> bool {
        (&self.kind, self.version, self.model.get())
            == (&other.kind, other.version, other.model.get())
    }
}
