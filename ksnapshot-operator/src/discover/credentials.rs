//! User, password and database, from the variables of a container: literal, from Secrets and ConfigMaps, one by one and whole.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, EnvFromSource, EnvVar};
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

/// Every variable of a login that is ever copied.
pub(crate) const LOGIN: [&str; 9] = [
    job::MYSQL_USERNAME,
    job::MYSQL_PASSWORD,
    job::MYSQL_DATABASE,
    job::POSTGRESQL_USERNAME,
    job::POSTGRESQL_PASSWORD,
    job::POSTGRESQL_DATABASE,
    job::ELASTICSEARCH_USERNAME,
    job::ELASTICSEARCH_PASSWORD,
    job::ELASTICSEARCH_API_KEY,
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
        steps: 0,
    };
    let mut credentials = BTreeMap::new();
    for need in needs(request.kind) {
        let is_database = [job::MYSQL_DATABASE, job::POSTGRESQL_DATABASE].contains(&need.job);
        if is_database && !request.databases.is_empty() {
            continue;
        }
        let mut value = None;
        for name in need.names {
            value = variables.value(name)?;
            if value.is_some() || variables.pending {
                break;
            }
        }
        match value {
            Some(value) => {
                credentials.insert(need.job, value);
            }
            None if variables.pending => {}
            None => variables.may_do_without(need)?,
        }
    }
    if variables.pending {
        return Ok(None);
    }
    if request.kind.is_search() {
        complete(request.kind, container, &mut credentials)?;
    }
    Ok(Some(credentials))
}

/// An API key takes the place of user and password. A password alone, as images know it, is that of the user who is built in.
fn complete(
    kind: Kind,
    container: &Container,
    credentials: &mut BTreeMap<&'static str, SecretString>,
) -> Result<(), Refusal> {
    if credentials.contains_key(job::ELASTICSEARCH_API_KEY) {
        credentials.retain(|key, _| *key == job::ELASTICSEARCH_API_KEY);
    } else if credentials.contains_key(job::ELASTICSEARCH_PASSWORD) {
        let built_in = if kind == Kind::OpenSearch {
            "admin"
        } else {
            "elastic"
        };
        let user = credentials.entry(job::ELASTICSEARCH_USERNAME);
        user.or_insert_with(|| SecretString::from(built_in));
    } else if credentials.contains_key(job::ELASTICSEARCH_USERNAME) {
        let names = needs(kind)
            .iter()
            .find(|need| need.job == job::ELASTICSEARCH_PASSWORD);
        return Err(Refusal::new(
            Reason::CredentialUnresolved,
            format!(
                "container {}: a user is named, and no password",
                container.name
            ),
            format!(
                "Set {} in the container.",
                names.map_or("the password", |need| need.names[0])
            ),
        ));
    }
    Ok(())
}

/// The variables of a container, as its process would see them.
struct Variables<'a, 'w> {
    namespace: &'a str,
    container: &'a Container,
    looking: &'a mut Looking<'w>,
    /// Something was not known yet; what comes out is worth nothing.
    pending: bool,
    /// How many variables were read.
    steps: usize,
}

/// Whoever writes a pod decides how its variables refer to each other, and must not keep the operator busy by it.
const MOST_STEPS: usize = 100;

impl Variables<'_, '_> {
    /// The value of a variable; an empty one counts as none.
    fn value(&mut self, name: &str) -> Result<Option<SecretString>, Refusal> {
        let value = self.above(name, self.container.env.as_ref().map_or(0, Vec::len))?;
        Ok(value.filter(|value| !value.expose_secret().is_empty()))
    }

    /// The value that a variable has for the one at this place: the last one above it counts. One that may be missing, and is,
    /// leaves what was before; `envFrom` comes before all.
    fn above(&mut self, name: &str, place: usize) -> Result<Option<SecretString>, Refusal> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Err(Refusal::new(
                Reason::CredentialUnresolved,
                format!(
                    "container {}: its variables refer to each other too often",
                    self.container.name
                ),
                "Give user, password and database as values, or from Secrets.",
            ));
        }
        let declared = self.container.env.as_deref().unwrap_or_default();
        for (place, var) in declared.iter().enumerate().take(place).rev() {
            if var.name == name {
                let value = self.declared(var, place)?;
                if value.is_some() || self.pending {
                    return Ok(value);
                }
            }
        }
        self.elsewhere(name)
    }

    fn declared(&mut self, var: &EnvVar, place: usize) -> Result<Option<SecretString>, Refusal> {
        let Some(source) = &var.value_from else {
            let text = var.value.as_deref().unwrap_or_default();
            return Ok(Some(self.expanded(text, place)?));
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

    /// `$(NAME)` is the value of a variable above, `$$` a dollar; what can't be followed stays as it is, as Kubernetes does it.
    fn expanded(&mut self, text: &str, place: usize) -> Result<SecretString, Refusal> {
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
            {
                match self.above(name, place)? {
                    Some(value) => out.push_str(value.expose_secret()),
                    None => out.push_str(&format!("$({name})")),
                }
                rest = after;
            } else {
                out.push('$');
            }
        }
        out.push_str(rest);
        Ok(SecretString::from(out))
    }

    /// The last source that has it counts. Sources with a prefix are not followed: what they name is meant for something else.
    fn elsewhere(&mut self, name: &str) -> Result<Option<SecretString>, Refusal> {
        let sources = self.container.env_from.as_deref().unwrap_or_default();
        for source in sources.iter().rev() {
            if has_prefix(source) {
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

    /// What has no value: an error if it is needed, or if the pod itself has it where nobody else can read it.
    fn may_do_without(&self, need: &Need) -> Result<(), Refusal> {
        let container = &self.container.name;
        let declared = self.container.env.as_deref().unwrap_or_default();
        let in_a_file = |name: &&&str| {
            declared
                .iter()
                .any(|var| var.name == format!("{name}_FILE"))
        };
        let refuse =
            |text: String, fix: String| Err(Refusal::new(Reason::CredentialUnresolved, text, fix));
        if let Some(name) = need.names.iter().find(in_a_file) {
            return refuse(
                format!("container {container}: {name}_FILE names a file of the pod"),
                format!(
                    "Give {name} as a variable, from the same Secret: a file of the pod can't be read from outside."
                ),
            );
        }
        if !need.required {
            return Ok(());
        }
        let names = need.names.join(" or ");
        let sources = self.container.env_from.as_deref().unwrap_or_default();
        let fix = if sources.iter().any(has_prefix) {
            format!(
                "Give {} as a variable of its own: sources with a prefix are not read.",
                need.names[0]
            )
        } else {
            format!(
                "Set {} in the container, or name the container that has it by the annotation container.",
                need.names[0]
            )
        };
        refuse(format!("container {container}: no variable {names}"), fix)
    }
}

fn has_prefix(source: &EnvFromSource) -> bool {
    source
        .prefix
        .as_ref()
        .is_some_and(|prefix| !prefix.is_empty())
}
