//! Roles, tablespaces and grants on parameters: an object of their own, which any database of the server can take.

use super::acl;
use super::*;
use crate::postgres::model::{Access, Label, Membership, Role, Tablespace};
use crate::postgres::quote::{ident, literal, options};

impl Writer<'_> {
    /// Before anything that may belong to one of them.
    pub(super) fn globals(&mut self) {
        let Some(globals) = &self.catalog.globals else {
            return;
        };
        for role in &globals.roles {
            self.shared(Aspect::Definition, "role", &role.name, create_role(role));
            self.described("role", &role.name, role.comment.as_deref(), &role.labels);
        }
        for role in &globals.roles {
            for setting in &role.settings {
                let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
                let text = format!(
                    "ALTER ROLE {} SET {};",
                    ident(&role.name),
                    database::assignment(name, value)
                );
                self.shared(Aspect::Definition, "role setting", &role.name, text);
            }
        }
        for membership in &globals.memberships {
            let name = format!("{} in {}", membership.member, membership.role);
            self.shared(Aspect::Acl, "membership", &name, grant_role(membership));
        }
        for tablespace in &globals.tablespaces {
            let name = &tablespace.name;
            let texts = [
                (Aspect::Definition, create_tablespace(tablespace)),
                (Aspect::Definition, tablespace_options(tablespace)),
            ];
            for (aspect, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
                self.shared(aspect, "tablespace", name, text);
            }
            self.described(
                "tablespace",
                name,
                tablespace.comment.as_deref(),
                &tablespace.labels,
            );
            if let Some(access) = &tablespace.access {
                let on = format!("TABLESPACE {}", ident(name));
                self.rights("tablespace", name, access, &tablespace.owner, &on);
            }
        }
        for parameter in &globals.parameters {
            let on = format!("PARAMETER {}", ident(&parameter.name));
            // The first superuser owns all of them, whatever the name, and so has granted what stands at the beginning.
            let initial = parameter.access.initial.first();
            let owner = initial.map_or("", |privilege| &privilege.grantor);
            self.rights("parameter", &parameter.name, &parameter.access, owner, &on);
        }
        self.script.globals = self.script.items.len();
    }

    fn rights(&mut self, kind: &'static str, name: &str, access: &Access, owner: &str, on: &str) {
        let text = acl::statements(access, owner, &acl::Target::object(on));
        if !text.is_empty() {
            self.shared(Aspect::Acl, kind, name, text);
        }
    }

    fn described(
        &mut self,
        kind: &'static str,
        name: &str,
        comment: Option<&str>,
        labels: &[Label],
    ) {
        let on = format!("{} {}", kind.to_uppercase(), ident(name));
        if let Some(comment) = comment {
            let text = format!("COMMENT ON {on} IS {};", literal(comment));
            self.shared(Aspect::Comment, kind, name, text);
        }
        for label in labels {
            let text = names::security_label(&on, label);
            self.shared(Aspect::SecurityLabel, kind, name, text);
        }
    }

    fn shared(&mut self, aspect: Aspect, kind: &'static str, name: &str, text: String) {
        let draft = Draft {
            stage: Stage::PreData,
            aspect,
            kind,
            name: name.to_owned(),
            depends: Vec::new(),
            text: Some(text),
        };
        self.push(None, draft);
    }
}

/// A role that is there stays as it is: its password and its rights on the target are nobody's to change by a restore.
fn create_role(role: &Role) -> String {
    let mut text = format!("CREATE ROLE {} WITH", ident(&role.name));
    for (word, on) in [
        (" SUPERUSER", role.superuser),
        (" NOINHERIT", !role.inherit),
        (" CREATEROLE", role.create_role),
        (" CREATEDB", role.create_db),
        (" LOGIN", role.login),
        (" NOLOGIN", !role.login),
        (" REPLICATION", role.replication),
        (" BYPASSRLS", role.bypass_rls),
    ] {
        if on {
            text.push_str(word);
        }
    }
    if role.connection_limit != -1 {
        text.push_str(&format!(" CONNECTION LIMIT {}", role.connection_limit));
    }
    if let Some(password) = &role.password {
        text.push_str(&format!(" PASSWORD {}", literal(&password.0)));
    }
    if let Some(until) = &role.valid_until {
        text.push_str(&format!(" VALID UNTIL {}", literal(until)));
    }
    let body = format!(
        "BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {}) THEN {text}; END IF; END",
        literal(&role.name)
    );
    format!("DO {};", literal(&body))
}

fn grant_role(membership: &Membership) -> String {
    let mut with = Vec::new();
    if membership.admin {
        with.push("ADMIN OPTION");
    }
    match membership.inherit {
        Some(true) => with.push("INHERIT TRUE"),
        Some(false) => with.push("INHERIT FALSE"),
        None => {}
    }
    if membership.set == Some(false) {
        with.push("SET FALSE");
    }
    let mut text = format!(
        "GRANT {} TO {}",
        ident(&membership.role),
        ident(&membership.member)
    );
    if !with.is_empty() {
        text.push_str(&format!(" WITH {}", with.join(", ")));
    }
    if let Some(grantor) = &membership.grantor {
        text.push_str(&format!(" GRANTED BY {}", ident(grantor)));
    }
    text + ";"
}

/// One statement: it can't be within a transaction.
fn create_tablespace(tablespace: &Tablespace) -> String {
    // One within the data folder has no place that it could be told of.
    let location = match tablespace.location.starts_with('/') {
        true => tablespace.location.as_str(),
        false => "",
    };
    format!(
        "CREATE TABLESPACE {} OWNER {} LOCATION {};",
        ident(&tablespace.name),
        ident(&tablespace.owner),
        literal(location)
    )
}

fn tablespace_options(tablespace: &Tablespace) -> String {
    match options(&tablespace.options, "").join(", ") {
        none if none.is_empty() => none,
        some => format!("ALTER TABLESPACE {} SET ({some});", ident(&tablespace.name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_role_stays_within_its_quotes() {
        let role = Role {
            name: "a'; drop table t; --\" $$".into(),
            superuser: false,
            inherit: true,
            create_role: false,
            create_db: false,
            login: true,
            replication: false,
            bypass_rls: false,
            connection_limit: -1,
            password: None,
            valid_until: None,
            comment: None,
            labels: Vec::new(),
            settings: Vec::new(),
        };
        let text = create_role(&role);
        assert_eq!(
            text,
            "DO 'BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = ''a''''; drop table t; --\" $$'') \
             THEN CREATE ROLE \"a''; drop table t; --\"\" $$\" WITH LOGIN; END IF; END';"
        );
    }
}
