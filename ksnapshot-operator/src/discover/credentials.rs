//! User, password and database, from the variables of a container: literal, from Secrets and ConfigMaps, one by one and whole.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, EnvVar};
use secrecy::{ExposeSecret, SecretString};

use super::readable;
use crate::Kind;
use crate::annotations::Request;
use crate::names::job;
use crate::verdict::{Reason, Refusal};
use crate::world::{Found, Looking, Lookup};

/// What a run needs of one thing: the variable of the Job, and those of a container that give it, the best first.
struct Need {
    job: &'static str,
    names: &'static [&'static str],
    required: bool,
}

const fn need(job: &'static str, names: &'static [&'static str], required: bool) -> Need {
    Need {
        job,
        names,
        required,
    }
}

const MYSQL: &[Need] = &[
    need(job::MYSQL_USERNAME, &["MYSQL_USER"], true),
    need(job::MYSQL_PASSWORD, &["MYSQL_PASSWORD"], false),
    need(job::MYSQL_DATABASE, &["MYSQL_DATABASE"], true),
];

const MARIADB: &[Need] = &[
    need(job::MYSQL_USERNAME, &["MARIADB_USER", "MYSQL_USER"], true),
    need(
        job::MYSQL_PASSWORD,
        &["MARIADB_PASSWORD", "MYSQL_PASSWORD"],
        false,
    ),
    need(
        job::MYSQL_DATABASE,
        &["MARIADB_DATABASE", "MYSQL_DATABASE"],
        true,
    ),
];

const POSTGRESQL: &[Need] = &[
    need(job::POSTGRESQL_USERNAME, &["POSTGRES_USER"], true),
    need(job::POSTGRESQL_PASSWORD, &["POSTGRES_PASSWORD"], true),
    need(job::POSTGRESQL_DATABASE, &["POSTGRES_DB"], true),
];

const ELASTICSEARCH: &[Need] = &[
    need(
        job::ELASTICSEARCH_USERNAME,
        &[
            "ELASTICSEARCH_USERNAME",
            "ELASTICSEARCH_USER",
            "ELASTIC_USERNAME",
            "ELASTIC_USER",
            "ES_USERNAME",
        ],
        false,
    ),
    need(
        job::ELASTICSEARCH_PASSWORD,
        &["ELASTICSEARCH_PASSWORD", "ELASTIC_PASSWORD", "ES_PASSWORD"],
        false,
    ),
    need(
        job::ELASTICSEARCH_API_KEY,
        &["ELASTICSEARCH_API_KEY", "ELASTIC_API_KEY", "ES_API_KEY"],
        false,
    ),
];

const OPENSEARCH: &[Need] = &[
    need(
        job::ELASTICSEARCH_USERNAME,
        &["OPENSEARCH_USERNAME", "OPENSEARCH_USER"],
        false,
    ),
    need(
        job::ELASTICSEARCH_PASSWORD,
        &["OPENSEARCH_PASSWORD", "OPENSEARCH_INITIAL_ADMIN_PASSWORD"],
        false,
    ),
];

fn needs(kind: Kind) -> &'static [Need] {
    match kind {
        Kind::MySql => MYSQL,
        Kind::MariaDb => MARIADB,
        Kind::PostgreSql => POSTGRESQL,
        Kind::Elasticsearch => ELASTICSEARCH,
        Kind::OpenSearch => OPENSEARCH,
    }
}

/// The variables that tell that a container is the database's.
pub(super) fn signals(kind: Kind) -> impl Iterator<Item = &'static str> {
    needs(kind).iter().flat_map(|need| need.names).copied()
}

/// What is known of a login, for a person: no values.
pub(super) fn summary(credentials: &BTreeMap<&'static str, SecretString>) -> String {
    if credentials.is_empty() {
        return "no login is named, and none may be needed".to_owned();
    }
    let words = credentials
        .keys()
        .map(|name| name.rsplit('_').next().unwrap_or(name).to_lowercase());
    format!(
        "{} found",
        words
            .map(|w| if w == "key" { "API key".to_owned() } else { w })
            .collect::<Vec<_>>()
            .join(", ")
    )
}

/// Resolves what a run needs. None: something has to be looked up first.
pub(super) fn resolve(
    namespace: &str,
    container: &Container,
    request: &Request,
    looking: &mut Looking<'_>,
) -> Result<Option<BTreeMap<&'static str, SecretString>>, Refusal> {
    let mut variables = Variables {
        namespace,
        container,
        looking,
        pending: false,
    };
    let mut credentials = BTreeMap::new();
    for need in needs(request.kind) {
        let is_database = [job::MYSQL_DATABASE, job::POSTGRESQL_DATABASE].contains(&need.job);
        if is_database && !request.databases.is_empty() {
            continue;
        }
        let mut value = None;
        for name in need.names {
            value = variables.value(name, 0)?;
            if value.is_some() || variables.pending {
                break;
            }
        }
        match value {
            Some(value) => {
                credentials.insert(need.job, value);
            }
            None if need.required && !variables.pending => {
                return Err(variables.missing(need));
            }
            None => {}
        }
    }
    if variables.pending {
        return Ok(None);
    }
    name_the_user(request.kind, &mut credentials);
    Ok(Some(credentials))
}

/// A search engine's image knows a password alone: its user is the one that is built in.
fn name_the_user(kind: Kind, credentials: &mut BTreeMap<&'static str, SecretString>) {
    let built_in = match kind {
        Kind::Elasticsearch => "elastic",
        Kind::OpenSearch => "admin",
        _ => return,
    };
    if credentials.contains_key(job::ELASTICSEARCH_PASSWORD) {
        credentials
            .entry(job::ELASTICSEARCH_USERNAME)
            .or_insert_with(|| SecretString::from(built_in));
    }
}

/// The variables of a container, as its process would see them.
struct Variables<'a, 'w> {
    namespace: &'a str,
    container: &'a Container,
    looking: &'a mut Looking<'w>,
    /// Something was not known yet; what comes out is worth nothing.
    pending: bool,
}

impl Variables<'_, '_> {
    /// The value of a variable. `env` beats `envFrom`, the last one that names it counts, an empty one counts as none.
    fn value(&mut self, name: &str, depth: usize) -> Result<Option<SecretString>, Refusal> {
        let declared = self.container.env.as_deref().unwrap_or_default();
        let value = match declared.iter().rev().find(|var| var.name == name) {
            Some(var) => self.declared(var, depth)?,
            None => self.from_elsewhere(name)?,
        };
        Ok(value.filter(|value| !value.expose_secret().is_empty()))
    }

    fn declared(&mut self, var: &EnvVar, depth: usize) -> Result<Option<SecretString>, Refusal> {
        let Some(source) = &var.value_from else {
            let text = var.value.as_deref().unwrap_or_default();
            return Ok(Some(self.expanded(text, depth)?));
        };
        if let Some(reference) = &source.secret_key_ref {
            let optional = reference.optional == Some(true);
            return self.of_secret(&reference.name, &reference.key, optional);
        }
        if let Some(reference) = &source.config_map_key_ref {
            let optional = reference.optional == Some(true);
            return self.of_config_map(&reference.name, &reference.key, optional);
        }
        Err(Refusal::new(
            Reason::CredentialUnresolved,
            format!("variable {}: comes from a field of the pod", var.name),
            "Give it as a value, or from a Secret or ConfigMap: a field of the pod is known inside of it only.",
        ))
    }

    /// `$(NAME)` is the value of another variable, `$$` a dollar; what can't be followed stays as it is, as Kubernetes does it.
    fn expanded(&mut self, text: &str, depth: usize) -> Result<SecretString, Refusal> {
        // Deeper than anybody writes, and an end for circles.
        const DEEPEST: usize = 8;
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('$') {
                out.push('$');
                rest = after;
            } else if let Some((name, after)) =
                rest.strip_prefix('(').and_then(|r| r.split_once(')'))
                && depth < DEEPEST
                && let Some(value) = self.value(name, depth + 1)?
            {
                out.push_str(value.expose_secret());
                rest = after;
            } else {
                out.push('$');
            }
        }
        out.push_str(rest);
        Ok(SecretString::from(out))
    }

    /// The last source that has it counts. Sources with a prefix are not followed: what they name is meant for something else.
    fn from_elsewhere(&mut self, name: &str) -> Result<Option<SecretString>, Refusal> {
        let sources = self.container.env_from.as_deref().unwrap_or_default();
        for source in sources.iter().rev() {
            if source
                .prefix
                .as_ref()
                .is_some_and(|prefix| !prefix.is_empty())
            {
                continue;
            }
            let value = if let Some(from) = &source.secret_ref {
                self.any_of_secret(&from.name, name, from.optional == Some(true))?
            } else if let Some(from) = &source.config_map_ref {
                self.any_of_config_map(&from.name, name, from.optional == Some(true))?
            } else {
                None
            };
            if value.is_some() || self.pending {
                return Ok(value);
            }
        }
        Ok(None)
    }

    fn of_secret(
        &mut self,
        secret: &str,
        key: &str,
        optional: bool,
    ) -> Result<Option<SecretString>, Refusal> {
        let value = self.any_of_secret(secret, key, optional)?;
        self.present(value, optional, || {
            format!("Secret {}/{secret}: has no key {key}", self.namespace)
        })
    }

    fn of_config_map(
        &mut self,
        map: &str,
        key: &str,
        optional: bool,
    ) -> Result<Option<SecretString>, Refusal> {
        let value = self.any_of_config_map(map, key, optional)?;
        self.present(value, optional, || {
            format!("ConfigMap {}/{map}: has no key {key}", self.namespace)
        })
    }

    fn present(
        &self,
        value: Option<SecretString>,
        optional: bool,
        what: impl FnOnce() -> String,
    ) -> Result<Option<SecretString>, Refusal> {
        if value.is_some() || optional || self.pending {
            return Ok(value);
        }
        Err(Refusal::new(
            Reason::CredentialUnresolved,
            what(),
            "Add the key, or correct the reference in the pod.",
        ))
    }

    fn any_of_secret(
        &mut self,
        secret: &str,
        key: &str,
        optional: bool,
    ) -> Result<Option<SecretString>, Refusal> {
        let lookup = Lookup::Secret {
            namespace: self.namespace.to_owned(),
            name: secret.to_owned(),
        };
        let Some(Found::Secret(values)) = self.look(&lookup, optional)? else {
            return Ok(None);
        };
        let Some(bytes) = values.get(key) else {
            return Ok(None);
        };
        match std::str::from_utf8(bytes.expose_secret()) {
            Ok(text) => Ok(Some(SecretString::from(text))),
            Err(_) => Err(Refusal::new(
                Reason::CredentialUnresolved,
                format!("{lookup}: key {key} is not text"),
                "Store it as text: it is passed on in a variable.",
            )),
        }
    }

    fn any_of_config_map(
        &mut self,
        map: &str,
        key: &str,
        optional: bool,
    ) -> Result<Option<SecretString>, Refusal> {
        let lookup = Lookup::ConfigMap {
            namespace: self.namespace.to_owned(),
            name: map.to_owned(),
        };
        let Some(Found::ConfigMap(values)) = self.look(&lookup, optional)? else {
            return Ok(None);
        };
        Ok(values
            .get(key)
            .map(|text| SecretString::from(text.as_str())))
    }

    fn look(&mut self, lookup: &Lookup, optional: bool) -> Result<Option<&Found>, Refusal> {
        match readable(lookup, self.looking.find(lookup.clone()))? {
            None => {
                self.pending = true;
                Ok(None)
            }
            Some(Found::Missing) if optional => Ok(None),
            Some(Found::Missing) => Err(Refusal::new(
                Reason::CredentialUnresolved,
                format!("{lookup}: not found"),
                "Create it, or correct the reference in the pod.",
            )),
            found => Ok(found),
        }
    }

    fn missing(&self, need: &Need) -> Refusal {
        let name = need.names[0];
        let container = &self.container.name;
        let from_file = format!("{name}_FILE");
        let declared = self.container.env.as_deref().unwrap_or_default();
        let fix = if declared.iter().any(|var| var.name == from_file) {
            format!(
                "Give {name} as a variable, from the same Secret: what is in a file of the pod can't be read."
            )
        } else {
            format!(
                "Set {name} in the container, or name the container that has it by the annotation container."
            )
        };
        Refusal::new(
            Reason::CredentialUnresolved,
            format!(
                "container {container}: no variable {}",
                need.names.join(" or ")
            ),
            fix,
        )
    }
}
