//! What the database itself is set to.

use serde::{Deserialize, Serialize};

use super::{Access, Label};

/// What a database is set to, beside what it is made with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Properties {
    pub(crate) name: String,
    pub(crate) owner: String,
    /// The owner is another than the server's first role, which has what nobody gave to others.
    pub(crate) given: bool,
    pub(crate) access: Option<Access>,
    pub(crate) comment: Option<String>,
    pub(crate) labels: Vec<Label>,
    pub(crate) connection_limit: Option<i32>,
    pub(crate) template: bool,
    pub(crate) settings: Vec<DatabaseSetting>,
}

/// What sessions in the database start with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DatabaseSetting {
    /// Only sessions of this role.
    pub(crate) role: Option<String>,
    pub(crate) name: String,
    /// As the server keeps it: several names in one text, where it takes several.
    pub(crate) value: String,
}
