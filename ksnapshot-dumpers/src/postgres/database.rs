//! What a database is made with: what `--create` and a drill need to make one that takes the same rows.

use ksnapshot_core::{Error, ErrorKind, Index, Result};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::postgres::PgConnection;

use super::KIND;
use super::error::classify;
use super::model::{Catalog, MODEL_VERSION};
use super::query::one;
use super::quote::{ident, literal};
use super::version::ServerVersion;

/// The model in the index: the database and what it defines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Database {
    pub(super) encoding: String,
    pub(super) collate: String,
    pub(super) ctype: String,
    /// `c` libc, `i` ICU, `b` builtin.
    pub(super) provider: String,
    /// The locale of a provider other than libc.
    pub(super) locale: Option<String>,
    /// What ICU is told beside it.
    #[serde(default)]
    pub(super) rules: Option<String>,
    /// Where it is, if not where all are.
    #[serde(default)]
    pub(super) tablespace: Option<String>,
    pub(super) catalog: Catalog,
}

impl Database {
    /// Reads the database's own row; `catalog` was read in the same transaction.
    pub(super) async fn read(
        connection: &mut PgConnection,
        version: ServerVersion,
        catalog: Catalog,
    ) -> Result<Self> {
        let provider = version.since(15, "datlocprovider::text", "'c'");
        let locale = version.since(
            17,
            "datlocale",
            version.since(15, "daticulocale", "NULL::text"),
        );
        let rules = version.since(16, "daticurules", "NULL::text");
        let sql = format!(
            "SELECT pg_catalog.pg_encoding_to_char(encoding)::text, datcollate::text, datctype::text, {provider}, {locale},
                    {rules}, NULLIF(spcname, 'pg_default')::text
             FROM pg_catalog.pg_database
             JOIN pg_catalog.pg_tablespace t ON t.oid = dattablespace
             WHERE datname = pg_catalog.current_database()"
        );
        let row = one(connection, &sql).await?;
        Ok(Self {
            encoding: row.try_get(0).map_err(classify)?,
            collate: row.try_get(1).map_err(classify)?,
            ctype: row.try_get(2).map_err(classify)?,
            provider: row.try_get(3).map_err(classify)?,
            locale: row.try_get(4).map_err(classify)?,
            rules: row.try_get(5).map_err(classify)?,
            tablespace: row.try_get(6).map_err(classify)?,
            catalog,
        })
    }

    /// The model of a snapshot.
    pub(super) fn of(index: &Index) -> Result<Self> {
        let model = &index.catalog;
        if model.kind != KIND || model.version > MODEL_VERSION {
            return Err(Error::new(
                ErrorKind::NewerFormat,
                format!(
                    "index: catalog model {} {} is not known to this build",
                    model.kind, model.version
                ),
            )
            .hint("Use a ksnapshot at least as new as the one that wrote the snapshot."));
        }
        let read = model.read().map(|mut database: Self| {
            database.catalog.shrink();
            database
        });
        read.map_err(|cause| match model.version < MODEL_VERSION {
            true => Error::new(
                ErrorKind::Failed,
                format!(
                    "index: catalog model {} is of a build before the first release",
                    model.version
                ),
            )
            .hint("Restore the text: `ksnapshot cat STORAGE | psql -v ON_ERROR_STOP=1 DATABASE`.")
            .source(cause),
            false => Error::corrupt("index: the catalog model can't be read").source(cause),
        })
    }

    /// How text is written for it. What has no encoding can't be turned into another one: its bytes go as they are.
    pub(super) fn client_encoding(&self) -> &'static str {
        match self.encoding.as_str() {
            "SQL_ASCII" => "SET client_encoding = 'SQL_ASCII'",
            _ => "SET client_encoding = 'UTF8'",
        }
    }

    /// The options of CREATE DATABASE that make one like it. template0 is the template that nobody has added anything to,
    /// and the only one that takes another encoding or locale.
    pub(super) fn options(&self) -> String {
        let mut text = format!(
            "TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}",
            literal(&self.encoding),
            literal(&self.collate),
            literal(&self.ctype)
        );
        if let Some(locale) = &self.locale {
            match self.provider.as_str() {
                "i" => text.push_str(&format!(
                    " LOCALE_PROVIDER icu ICU_LOCALE {}",
                    literal(locale)
                )),
                "b" => text.push_str(&format!(
                    " LOCALE_PROVIDER builtin BUILTIN_LOCALE {}",
                    literal(locale)
                )),
                _ => {}
            }
        }
        if let Some(rules) = &self.rules {
            text.push_str(&format!(" ICU_RULES {}", literal(rules)));
        }
        if let Some(tablespace) = &self.tablespace {
            text.push_str(&format!(" TABLESPACE {}", ident(tablespace)));
        }
        text
    }

    /// The same without the locale, for a server that does not have it: rows are the same, their order may not be.
    pub(super) fn options_without_locale(&self) -> String {
        format!(
            "TEMPLATE template0 ENCODING {} LC_COLLATE 'C' LC_CTYPE 'C'",
            literal(&self.encoding)
        )
    }
}
