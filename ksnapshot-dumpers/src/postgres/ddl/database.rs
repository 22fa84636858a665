//! What the database itself is set to. How it will be called nobody knows here: the statements ask the server they run on.

use super::*;
use crate::postgres::model::DatabaseSetting;
use crate::postgres::quote::{ident, literal};

/// The kind of these items. A restore that didn't make the database leaves them out.
pub(crate) const DATABASE: &str = "database";

/// What sessions are told of as lists of names: the server keeps them in one text, and wants them one by one.
const LISTS: &[&str] = &[
    "local_preload_libraries",
    "oauth_validator_libraries",
    "output_plugin_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

/// A statement around the name of the database in which it runs.
pub(super) fn statement(before: &str, after: &str) -> String {
    let body = format!(
        "BEGIN EXECUTE {} || pg_catalog.quote_ident(pg_catalog.current_database()) || {}; END",
        literal(before),
        literal(after)
    );
    format!("DO {};", literal(&body))
}

impl Writer<'_> {
    /// Everything of it; last of all, since a setting, a limit or a right may keep a restore from going on.
    pub(super) fn database(&mut self) {
        let properties = &self.catalog.properties;
        if properties.given {
            // Whoever may not give it away keeps it.
            let owner = literal(&properties.owner);
            let give = format!(
                "EXECUTE 'ALTER DATABASE ' || pg_catalog.quote_ident(pg_catalog.current_database()) || {};",
                literal(&format!(" OWNER TO {}", ident(&properties.owner)))
            );
            let may = format!(
                "EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {owner} AND pg_catalog.pg_has_role(oid, 'MEMBER'))"
            );
            let body = format!("BEGIN IF {may} THEN {give} END IF; END");
            self.property(Aspect::Owner, format!("DO {};", literal(&body)));
        }
        if let Some(comment) = &properties.comment {
            let text = format!(" IS {}", literal(comment));
            self.property(Aspect::Comment, statement("COMMENT ON DATABASE ", &text));
        }
        for label in &properties.labels {
            let before = format!("SECURITY LABEL FOR {} ON DATABASE ", ident(&label.provider));
            let text = format!(" IS {}", literal(&label.label));
            self.property(Aspect::SecurityLabel, statement(&before, &text));
        }
        if let Some(access) = &properties.access {
            let sql = acl::statements(access, &properties.owner, &acl::Target::database());
            if !sql.is_empty() {
                self.property(Aspect::Acl, sql);
            }
        }
        let mut lines: Vec<String> = properties.settings.iter().map(setting).collect();
        if let Some(limit) = properties.connection_limit {
            let text = format!(" CONNECTION LIMIT {limit}");
            lines.push(statement("ALTER DATABASE ", &text));
        }
        if properties.template {
            lines.push(statement("ALTER DATABASE ", " IS_TEMPLATE true"));
        }
        if !lines.is_empty() {
            self.property(Aspect::Definition, lines.join("\n"));
        }
    }

    /// One after the other: they meet in one row of the catalog.
    fn property(&mut self, aspect: Aspect, sql: String) {
        let before = self.script.items.last();
        let depends = before
            .filter(|item| item.kind == DATABASE)
            .map(|item| item.id);
        let draft = Draft {
            stage: Stage::PostData,
            aspect,
            kind: DATABASE,
            name: self.catalog.properties.name.clone(),
            depends: depends.into_iter().collect(),
            text: Some(sql),
        };
        let id = self.push(None, draft);
        if let Some(item) = self.script.items.get_mut(id as usize) {
            item.owner = Some(self.catalog.properties.owner.clone());
        }
    }
}

fn setting(setting: &DatabaseSetting) -> String {
    let text = format!(" SET {}", assignment(&setting.name, &setting.value));
    match &setting.role {
        Some(role) => statement(&format!("ALTER ROLE {} IN DATABASE ", ident(role)), &text),
        None => statement("ALTER DATABASE ", &text),
    }
}

/// `name TO value`, of a value as the catalog keeps it.
pub(super) fn assignment(name: &str, value: &str) -> String {
    let values = match LISTS.contains(&name) {
        true => quote::list(value),
        false => None,
    };
    let value = match values {
        Some(values) => values
            .iter()
            .map(|value| literal(value))
            .collect::<Vec<_>>()
            .join(", "),
        None => literal(value),
    };
    format!("{} TO {value}", ident(name))
}
