//! PostgreSQL 12 to 18.

mod analyze;
mod catalog;
mod connect;
mod copy;
mod data_only;
mod database;
mod ddl;
mod drop;
mod error;
mod giant;
mod large_objects;
mod model;
mod narrow;
mod numbers;
mod order;
mod preflight;
mod progress;
mod query;
mod queue;
mod quote;
mod readers;
mod rehearsal;
mod rename;
mod restore;
mod session;
mod small;
mod split;
mod target;
mod version;

use std::num::NonZeroUsize;
use std::sync::Arc;

use ksnapshot_core::{
    Cx, DumpSession, Dumper, ErrorKind, Index, Preflight, RestoreOptions, RestoreSession, Restorer,
    Result, async_trait,
};

pub use connect::Postgres;

/// The type in names and manifests.
const KIND: &str = "postgresql";

#[async_trait]
impl Dumper for Postgres {
    fn host(&self) -> String {
        self.host_name()
    }

    fn database(&self) -> String {
        self.database_name().to_owned()
    }

    async fn open(&self, workers: NonZeroUsize, cx: &Cx) -> Result<Arc<dyn DumpSession>> {
        Ok(Arc::new(session::Session::open(self, workers, cx).await?))
    }

    async fn preflight(&self, _workers: NonZeroUsize, cx: &Cx) -> Result<Preflight> {
        preflight::preflight(self, cx).await
    }
}

#[async_trait]
impl Restorer for Postgres {
    fn kinds(&self) -> &'static [&'static str] {
        &[KIND]
    }

    fn target(&self) -> String {
        format!("database {}", self.database_name())
    }

    fn takes_data_only(&self) -> bool {
        true
    }

    async fn open(
        &self,
        index: &Index,
        items: &[u32],
        options: RestoreOptions,
        workers: NonZeroUsize,
        cx: &Cx,
    ) -> Result<Arc<dyn RestoreSession>> {
        Ok(Arc::new(
            restore::Session::open(self, index, items, options, workers, cx).await?,
        ))
    }

    async fn scratch(&self, name: &str, index: &Index) -> Result<Arc<dyn Restorer>> {
        let like = database::Database::of(index)?;
        let mut server = self.connect().await?;
        match target::create_database(&mut server, name, &like.options()).await {
            // The scratch server need not have the source's locale.
            Err(error) if error.kind() == ErrorKind::Failed => {
                target::create_database(&mut server, name, &like.options_without_locale()).await?;
            }
            other => other?,
        }
        let scratch = self.with_database(name).into_scratch();
        if like.catalog.data_only {
            data_only::make_tables(&scratch, &like).await?;
        }
        Ok(Arc::new(scratch))
    }

    async fn drop_scratch(&self, name: &str) -> Result<()> {
        let mut server = self.connect().await?;
        target::drop_database(&mut server, name).await
    }
}
