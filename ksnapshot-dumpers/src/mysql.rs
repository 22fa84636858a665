//! MySQL 5.7 to 9, and MariaDB 10.5 to 11.

mod bounds;
mod catalog;
mod chunk;
mod client_charset;
mod connect;
mod ddl;
mod error;
mod load;
mod load_settings;
mod model;
mod moment;
mod option_file;
mod preflight;
mod quote;
mod restore;
mod rows;
mod script;
mod session;
mod settle;
mod statements;
mod target;
mod tls;
mod tokens;
mod value;
mod version;
mod view;
mod wire;

use std::num::NonZeroUsize;
use std::sync::Arc;

use ksnapshot_core::{
    Cx, DumpSession, Dumper, Index, Preflight, RestoreOptions, RestoreSession, Restorer, Result,
    async_trait,
};

use version::Flavour;

pub use connect::MySql;

#[async_trait]
impl Dumper for MySql {
    fn host(&self) -> String {
        self.host_name()
    }

    fn database(&self) -> String {
        self.database_names()
    }

    async fn open(&self, workers: NonZeroUsize, cx: &Cx) -> Result<Arc<dyn DumpSession>> {
        Ok(Arc::new(session::Session::open(self, workers, cx).await?))
    }

    async fn preflight(&self, _workers: NonZeroUsize, cx: &Cx) -> Result<Preflight> {
        preflight::preflight(self, cx).await
    }
}

#[async_trait]
impl Restorer for MySql {
    fn kinds(&self) -> &'static [&'static str] {
        const KINDS: [&str; 2] = [Flavour::MySql.kind(), Flavour::MariaDb.kind()];
        &KINDS
    }

    fn target(&self) -> String {
        match (self.scratch(), self.database()) {
            (Some(name), _) | (None, Some(name)) => format!("database {name}"),
            (None, None) => self.address(),
        }
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
        let scratch = self.with_scratch(name);
        let catalog = model::Catalog::of(index)?;
        let names = target::Names::new(&scratch, &catalog)?;
        let mut server = self.connect().await?;
        for database in &catalog.databases {
            target::create_scratch(&mut server, database, names.of(&database.name)).await?;
        }
        Ok(Arc::new(scratch))
    }

    async fn drop_scratch(&self, name: &str) -> Result<()> {
        let mut server = self.connect().await?;
        target::drop_scratch(&mut server, name).await
    }
}
