//! Which servers there are, and what each can do.

use std::path::PathBuf;

use anyhow::Result;

use crate::testbed;

/// Which server, oldest first in each family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// Elasticsearch 7.17.
    Es7,
    /// Elasticsearch 8.19.
    Es8,
    /// Elasticsearch 9.5.
    Es9,
    /// OpenSearch 2.19.
    Os2,
    /// OpenSearch 3.8.
    Os3,
}

impl Version {
    /// Every server that long tests run on.
    pub const ALL: [Self; 5] = [Self::Es7, Self::Es8, Self::Es9, Self::Os2, Self::Os3];

    /// One of each family, for every test.
    pub const NEWEST: [Self; 2] = [Self::Es9, Self::Os3];

    /// Its name in the testbed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Es7 => "es7",
            Self::Es8 => "es8",
            Self::Es9 => "es9",
            Self::Os2 => "os2",
            Self::Os3 => "os3",
        }
    }

    /// How its version begins.
    pub fn number(self) -> &'static str {
        match self {
            Self::Es7 => "7.17.",
            Self::Es8 => "8.19.",
            Self::Es9 => "9.5.",
            Self::Os2 => "2.19.",
            Self::Os3 => "3.8.",
        }
    }

    /// Whose it is.
    pub fn is_opensearch(self) -> bool {
        matches!(self, Self::Os2 | Self::Os3)
    }

    /// The scheme of its URLs.
    pub fn scheme(self) -> &'static str {
        if self.is_opensearch() {
            "opensearch"
        } else {
            "elasticsearch"
        }
    }

    /// The folder it was put together in.
    pub(super) fn root(self) -> Result<PathBuf> {
        let root = testbed::home()?.join("roots").join(self.name());
        testbed::require(&root.join("classes.jsa"))?;
        Ok(root)
    }
}
