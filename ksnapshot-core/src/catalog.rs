//! The typed model of definitions, carried by the index without this crate knowing any database.

use serde::{Deserialize, Serialize};

/// A dumper's own model of the definitions it read, versioned by the dumper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogModel {
    /// Which dumper's model this is, as [`crate::SourceInfo::kind`].
    pub kind: String,
    /// Version of that model.
    pub version: u32,
    /// The model itself.
    pub model: serde_json::Value,
}
