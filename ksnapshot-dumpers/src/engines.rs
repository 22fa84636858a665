//! The URLs of each kind of database, and the options that mean something there.

use std::sync::Arc;

use ksnapshot_core::registry::{Access, Engine, Options};
use ksnapshot_core::{Dumper, Error, ErrorKind, Registry, Result, Target};

use crate::command::{CommandLine, Program};
use crate::elastic::Elastic;
use crate::mysql::MySql;
use crate::postgres::Postgres;
use crate::{IndexScope, RestoreScope, Scope};

/// Makes all engines of this crate known. Their options are [`Scope`] and [`IndexScope`] of a dump, [`RestoreScope`] of a
/// restore, [`CommandLine`] of both.
pub fn register(registry: &mut Registry) {
    registry.add_engine(Arc::new(PostgresEngine));
    registry.add_engine(Arc::new(MySqlEngine));
    registry.add_engine(Arc::new(ElasticEngine));
    registry.add_engine(Arc::new(CommandEngine));
}

#[derive(Debug)]
struct PostgresEngine;

impl Engine for PostgresEngine {
    fn schemes(&self) -> &'static [&'static str] {
        &["postgres", "postgresql"]
    }

    fn form(&self) -> &'static str {
        "postgres://USER@HOST:PORT/DATABASE"
    }

    fn source(&self, url: &str, access: &Access, options: &mut Options) -> Result<Arc<dyn Dumper>> {
        let scope: Scope = options.take();
        Scope::refuse(
            "PostgreSQL",
            &[
                ("--database", !scope.databases.is_empty()),
                ("--where", scope.condition.is_some()),
                ("--skip-definer", scope.skip_definer),
                ("--split-tables", scope.split_tables),
            ],
        )?;
        Ok(Arc::new(Postgres::parse(url, access)?.within(scope)))
    }

    fn target(&self, url: &str, access: &Access, options: &mut Options) -> Result<Target> {
        let placing: RestoreScope = options.take();
        Scope::refuse("PostgreSQL", &[("--rejected", placing.rejected.is_some())])?;
        let database = Postgres::parse(url, access)?.placing(&placing)?;
        Ok(Target::Database(Arc::new(database)))
    }
}

#[derive(Debug)]
struct MySqlEngine;

impl Engine for MySqlEngine {
    fn schemes(&self) -> &'static [&'static str] {
        &["mysql", "mariadb"]
    }

    fn form(&self) -> &'static str {
        "mysql://USER@HOST:PORT/DATABASE, mariadb://…"
    }

    fn source(&self, url: &str, access: &Access, options: &mut Options) -> Result<Arc<dyn Dumper>> {
        let scope: Scope = options.take();
        let theirs = &scope.postgres;
        Scope::refuse(
            "MySQL",
            &[
                ("--schema", !theirs.schemas.is_empty()),
                ("--exclude-schema", !theirs.exclude_schemas.is_empty()),
                (
                    "--exclude-table-data",
                    !theirs.exclude_table_data.is_empty(),
                ),
                ("--include-foreign-data", !theirs.foreign_data.is_empty()),
                ("--lock-timeout", theirs.lock_timeout.is_some()),
                ("--serializable-deferrable", theirs.serializable),
                ("--force", theirs.force),
                ("--data-only", theirs.data_only),
                ("--statistics", theirs.statistics),
                ("--no-owner", theirs.no_owner),
                ("--no-privileges", theirs.no_privileges),
            ],
        )?;
        Ok(Arc::new(MySql::parse(url, access)?.within(scope)))
    }

    fn target(&self, url: &str, access: &Access, _: &mut Options) -> Result<Target> {
        Ok(Target::Database(Arc::new(MySql::parse(url, access)?)))
    }
}

#[derive(Debug)]
struct ElasticEngine;

impl Engine for ElasticEngine {
    fn schemes(&self) -> &'static [&'static str] {
        &[
            "elasticsearch",
            "elasticsearch+http",
            "elasticsearch+https",
            "opensearch",
            "opensearch+http",
            "opensearch+https",
        ]
    }

    fn form(&self) -> &'static str {
        "elasticsearch://HOST:PORT, opensearch://…"
    }

    fn source(&self, url: &str, access: &Access, options: &mut Options) -> Result<Arc<dyn Dumper>> {
        if options.take::<Scope>() != Scope::default() {
            return Err(Error::new(
                ErrorKind::Usage,
                "a cluster has no databases, tables or rows to choose",
            )
            .hint("Choose indices with --index PATTERN."));
        }
        let indices: IndexScope = options.take();
        Ok(Arc::new(Elastic::parse(url, access)?.within(indices)))
    }

    fn target(&self, url: &str, access: &Access, options: &mut Options) -> Result<Target> {
        let placing: RestoreScope = options.take();
        let cluster = Elastic::parse(url, access)?.placing(placing);
        Ok(Target::Database(Arc::new(cluster)))
    }
}

#[derive(Debug)]
struct CommandEngine;

impl CommandEngine {
    fn program(url: &str, options: &mut Options) -> Result<Program> {
        if url != "command" {
            return Err(Error::new(
                ErrorKind::Usage,
                "command: takes its program after two dashes, not in a URL",
            )
            .hint(HOW));
        }
        Program::new(options.take::<CommandLine>())
            .ok_or_else(|| Error::new(ErrorKind::Usage, "command: no program is given").hint(HOW))
    }
}

const HOW: &str = "Write it as `ksnapshot dump command --name NAME --to STORAGE -- PROGRAM ARGUMENT…`, and the same after \
                   `restore STORAGE --into command`.";

impl Engine for CommandEngine {
    fn schemes(&self) -> &'static [&'static str] {
        &["command"]
    }

    fn form(&self) -> &'static str {
        "command -- PROGRAM ARGUMENT…"
    }

    fn source(&self, url: &str, _: &Access, options: &mut Options) -> Result<Arc<dyn Dumper>> {
        Ok(Arc::new(Self::program(url, options)?))
    }

    fn target(&self, url: &str, _: &Access, options: &mut Options) -> Result<Target> {
        Ok(Target::Stream(Arc::new(Self::program(url, options)?)))
    }
}
