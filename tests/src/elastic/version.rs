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

    /// Whether a pipeline can do anything to a document: OpenSearch has its processors, and Elasticsearch's aren't
    /// published. Pipelines without processors are fine everywhere.
    pub fn has_processors(self) -> bool {
        self.is_opensearch()
    }

    /// Whether it runs scripts and keeps them: OpenSearch has Painless, expressions and Mustache. Elasticsearch 7 keeps
    /// search templates (Mustache) only, its successors nothing.
    pub fn has_scripts(self) -> bool {
        self.is_opensearch()
    }

    /// Whether data streams can be asked for, made and deleted: their interface is a module, which Elasticsearch doesn't
    /// publish. Elasticsearch 8 and 9 make one, all the same, when a template says so and a document comes, and tell of it
    /// in `_resolve/index` and the state of the cluster.
    pub fn has_data_streams(self) -> bool {
        self.is_opensearch()
    }

    /// Whether indices have modes (`logsdb`, `time_series`, `lookup`) and sources may be made up from what is indexed:
    /// Elasticsearch 8 and 9.
    pub fn has_index_modes(self) -> bool {
        matches!(self, Self::Es8 | Self::Es9)
    }

    /// Whether there are fields that aren't indexed but computed: Elasticsearch. OpenSearch calls its own derived fields.
    pub fn has_runtime_fields(self) -> bool {
        !self.is_opensearch()
    }

    /// The folder it was put together in.
    pub(super) fn root(self) -> Result<PathBuf> {
        let root = testbed::home()?.join("roots").join(self.name());
        testbed::require(&root.join("classes.jsa"))?;
        Ok(root)
    }
}
