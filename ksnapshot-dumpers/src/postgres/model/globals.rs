//! What belongs to the server and not to one of its databases.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Access, Label};

/// Roles and what they may do, tablespaces, grants on parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Globals {
    /// All but the server's own, by name.
    pub(crate) roles: Vec<Role>,
    /// Each after the one that gave its grantor the right to grant.
    pub(crate) memberships: Vec<Membership>,
    pub(crate) tablespaces: Vec<Tablespace>,
    /// Since 15.
    pub(crate) parameters: Vec<Parameter>,
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) superuser: bool,
    pub(crate) inherit: bool,
    pub(crate) create_role: bool,
    pub(crate) create_db: bool,
    pub(crate) login: bool,
    pub(crate) replication: bool,
    pub(crate) bypass_rls: bool,
    /// −1: none.
    pub(crate) connection_limit: i32,
    pub(crate) password: Option<PasswordHash>,
    pub(crate) valid_until: Option<String>,
    pub(crate) comment: Option<String>,
    #[serde(default)]
    pub(crate) labels: Vec<Label>,
    /// `name=value`, in all databases.
    #[serde(default)]
    pub(crate) settings: Vec<String>,
}

/// As the server keeps a password: not to be printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct PasswordHash(pub(crate) String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// One role in another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Membership {
    pub(crate) role: String,
    pub(crate) member: String,
    /// Who granted it, if not the first superuser, and had the right to.
    pub(crate) grantor: Option<String>,
    pub(crate) admin: bool,
    /// Since 16.
    pub(crate) inherit: Option<bool>,
    /// Since 16: may become the role.
    pub(crate) set: Option<bool>,
}

/// A tablespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tablespace {
    pub(crate) name: String,
    pub(crate) owner: String,
    pub(crate) location: String,
    /// `name=value`.
    #[serde(default)]
    pub(crate) options: Vec<String>,
    pub(crate) access: Option<Access>,
    pub(crate) comment: Option<String>,
    #[serde(default)]
    pub(crate) labels: Vec<Label>,
}

/// A parameter of the server that somebody else than a superuser may set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) access: Access,
}
