//! Elasticsearch 7 to 9, and OpenSearch 1 to 3.

mod bulk;
mod catalog;
mod choice;
mod compact;
mod connect;
mod foreign;
mod http;
mod line;
mod page;
mod preflight;
mod rejected;
mod restore;
mod script;
mod session;
mod settings;
mod target;
mod text;
mod version;
mod view;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ksnapshot_core::{
    Cx, DumpSession, Dumper, ForeignSession, Index, Preflight, RestoreOptions, RestoreSession,
    Restorer, Result, async_trait,
};

use version::Flavour;

pub use connect::Elastic;

/// A task that stopped while it held the lock left nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Dumper for Elastic {
    fn host(&self) -> String {
        self.host.clone()
    }

    fn database(&self) -> String {
        self.patterns().join(",")
    }

    async fn open(&self, workers: NonZeroUsize, cx: &Cx) -> Result<Arc<dyn DumpSession>> {
        Ok(Arc::new(session::Session::open(self, workers, cx).await?))
    }

    async fn preflight(&self, _workers: NonZeroUsize, _cx: &Cx) -> Result<Preflight> {
        preflight::preflight(self).await
    }
}

#[async_trait]
impl Restorer for Elastic {
    fn kinds(&self) -> &'static [&'static str] {
        const KINDS: [&str; 2] = [Flavour::Elasticsearch.kind(), Flavour::OpenSearch.kind()];
        &KINDS
    }

    fn target(&self) -> String {
        self.address()
    }

    async fn open(
        &self,
        index: &Index,
        items: &[u32],
        options: RestoreOptions,
        _workers: NonZeroUsize,
        cx: &Cx,
    ) -> Result<Arc<dyn RestoreSession>> {
        Ok(Arc::new(
            restore::Session::open(self, index, items, options, cx).await?,
        ))
    }

    /// A cluster has no databases: everything of the snapshot gets a name that begins with `name`.
    async fn scratch(&self, name: &str, _index: &Index) -> Result<Arc<dyn Restorer>> {
        self.connect().await?;
        Ok(Arc::new(self.with_scratch(name)))
    }

    async fn foreign(&self, clean: bool, cx: &Cx) -> Result<Arc<dyn ForeignSession>> {
        Ok(Arc::new(foreign::Session::open(self, clean, cx).await?))
    }

    async fn drop_scratch(&self, name: &str) -> Result<()> {
        let (client, server) = self.connect().await?;
        target::drop_scratch(&client, &server, name).await
    }
}
