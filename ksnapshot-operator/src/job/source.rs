//! What is dumped: the variables of each kind of server, as URLs and as words that choose.

use ksnapshot_core::Result;
use ksnapshot_core::pattern::Pattern;
use secrecy::SecretString;

use super::environment::{Environment, wrong};
use super::{Kind, url};
use crate::names::job as name;
use crate::options;

/// What of which server is dumped.
#[derive(Debug)]
pub(super) struct Source {
    /// For each dump what it is of, for people, and its URL.
    pub(super) urls: Vec<(String, String)>,
    /// Words that choose from it, the same for each.
    pub(super) choice: Vec<String>,
    /// Password and key.
    pub(super) variables: Vec<(&'static str, SecretString)>,
    /// Where the server is.
    pub(super) host: String,
}

const PASSWORD: &str = "KSNAPSHOT_SOURCE_PASSWORD";
const API_KEY: &str = "KSNAPSHOT_SOURCE_API_KEY";

pub(super) fn read(env: &Environment<'_>) -> Result<Source> {
    match kind(env)? {
        kind @ (Kind::MySql | Kind::MariaDb) => mysql(env, kind),
        Kind::PostgreSql => postgresql(env),
        kind @ (Kind::Elasticsearch | Kind::OpenSearch) => search(env, kind),
    }
}

/// As the type says, else by the only server that is named.
fn kind(env: &Environment<'_>) -> Result<Kind> {
    if let Some(text) = env.get(name::KSNAPSHOT_TYPE) {
        return Kind::parse(text).ok_or_else(|| {
            wrong(
                name::KSNAPSHOT_TYPE,
                format_args!("{text:?} is not a type that is known"),
                format!("Set it to one of {}.", Kind::list()),
            )
        });
    }
    let hosts = [
        (name::MYSQL_HOST, Kind::MySql),
        (name::POSTGRESQL_HOST, Kind::PostgreSql),
        (name::ELASTICSEARCH_HOST, Kind::Elasticsearch),
    ];
    let named: Vec<_> = (hosts.into_iter())
        .filter(|(variable, _)| env.get(variable).is_some())
        .collect();
    match named[..] {
        [(_, kind)] => Ok(kind),
        [] => Err(wrong(
            name::KSNAPSHOT_TYPE,
            "not set, nor is any server named",
            format!(
                "Set one of {}.",
                hosts.map(|(variable, _)| variable).join(", ")
            ),
        )),
        _ => Err(wrong(
            name::KSNAPSHOT_TYPE,
            format_args!(
                "not set, and several servers are named: {}",
                named
                    .iter()
                    .map(|(variable, _)| *variable)
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
            format!("Set it to one of {}, or only one of those.", Kind::list()),
        )),
    }
}

/// The host as URLs write it. Never repeated: it may be a whole URL with a password in it.
fn host(env: &Environment<'_>, variable: &str) -> Result<String> {
    let text = env.required(variable, "Set it to the name or the address of the server.")?;
    url::host(text).ok_or_else(|| {
        wrong(
            variable,
            "not the name or address of a server",
            "Set it to the name alone; port, user and database have variables of their own.",
        )
    })
}

/// The databases that are named; none when all are meant.
fn databases<'a>(env: &Environment<'a>, one: &str) -> Result<Option<Vec<&'a str>>> {
    let several = env.list(name::KSNAPSHOT_DATABASES);
    if several.contains(&"*") {
        return Ok(None);
    }
    if let Some(pattern) = several.iter().find(|name| name.contains(['*', '?'])) {
        return Err(wrong(
            name::KSNAPSHOT_DATABASES,
            format_args!("{pattern:?} is a pattern"),
            "Name each database; of MySQL and MariaDB '*' alone means all.",
        ));
    }
    let (variable, found) = if several.is_empty() {
        let hint = format!(
            "Set it to the database, or {} to several.",
            name::KSNAPSHOT_DATABASES
        );
        (one, vec![env.required(one, &hint)?])
    } else {
        (name::KSNAPSHOT_DATABASES, several)
    };
    let mut names: Vec<&str> = Vec::new();
    for name in found {
        if matches!(name, "." | "..") {
            return Err(wrong(
                variable,
                format_args!("{name:?} can't be written in a URL"),
                "Give the database another name.",
            ));
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(Some(names))
}

/// `--table` and `--exclude-table`, or what stands for them.
fn patterns(env: &Environment<'_>, variable: &str, begin: &str) -> Result<Vec<String>> {
    let check = |text: &str| match Pattern::parse(text) {
        Ok(_) => Ok(format!("{begin}{text}")),
        Err(error) => Err(error.context(variable)),
    };
    env.list(variable).into_iter().map(check).collect()
}

/// Options of ours that take a pattern.
const PATTERNS: [&str; 5] = [
    "--table",
    "--exclude-table",
    "--schema",
    "--exclude-schema",
    "--exclude-table-data",
];

/// Words of `ksnapshot dump` for words of a stock program. Those of the annotation come last, and so count.
fn mapped(env: &Environment<'_>, kind: Kind, variables: &[&str]) -> Result<Vec<String>> {
    let mut all = String::new();
    for variable in variables {
        if let Some(text) = env.get(variable) {
            let words = options::map(kind, text)
                .map_err(|refused| ksnapshot_core::Error::from(refused).context(*variable))?;
            for (option, value) in words.iter().filter_map(|word| word.split_once('=')) {
                if PATTERNS.contains(&option) {
                    Pattern::parse(value).map_err(|error| error.context(*variable))?;
                }
            }
            all.push_str(text);
            all.push('\n');
        }
    }
    // Each alone is taken, so both are; but what ends one must not begin the other.
    options::map(kind, &all).map_err(Into::into)
}

fn mysql(env: &Environment<'_>, kind: Kind) -> Result<Source> {
    let host = host(env, name::MYSQL_HOST)?;
    let port = env.port(name::MYSQL_PORT, 3306)?;
    let user = (env.get(name::MYSQL_USERNAME))
        .or_else(|| env.get(name::MYSQL_USER))
        .ok_or_else(|| {
            wrong(
                name::MYSQL_USERNAME,
                "not set",
                "Set it to the user that dumps.",
            )
        })?;
    let mut choice = mapped(
        env,
        kind,
        &[name::MYSQLDUMP_OPTIONS, name::KSNAPSHOT_DUMP_OPTIONS],
    )?;
    let names = databases(env, name::MYSQL_DATABASE)?;
    let server = format!("{kind}://{}@{host}:{port}", url::encode(user));
    let (of, url) = match names.as_deref() {
        None => ("all".to_owned(), server),
        Some(&[database]) => (
            database.to_owned(),
            format!("{server}/{}", url::encode(database)),
        ),
        Some(names) => {
            choice.extend(
                names
                    .iter()
                    .map(|database| format!("--database={database}")),
            );
            (names.join(","), server)
        }
    };
    if names.is_none() && choice.iter().any(|word| word.starts_with("--database=")) {
        return Err(wrong(
            name::KSNAPSHOT_DATABASES,
            "'*' means all, but the options name some",
            "Leave one of the two away.",
        ));
    }
    choice.extend(patterns(env, name::KSNAPSHOT_TABLES, "--table=")?);
    let literal = |begin: &'static str| move |table| format!("{begin}{}", options::table(table));
    choice.extend(env.names(name::MYSQLDUMP_TABLES).map(literal("--table=")));
    choice.extend(patterns(
        env,
        name::KSNAPSHOT_EXCLUDE_TABLES,
        "--exclude-table=",
    )?);
    choice.extend(
        env.names(name::MYSQLDUMP_EXCLUDED_TABLES)
            .map(literal("--exclude-table=")),
    );
    Ok(Source {
        urls: vec![(of, url)],
        choice,
        variables: secrets([(PASSWORD, env.get(name::MYSQL_PASSWORD))]),
        host,
    })
}

fn postgresql(env: &Environment<'_>) -> Result<Source> {
    let host = host(env, name::POSTGRESQL_HOST)?;
    let port = env.port(name::POSTGRESQL_PORT, 5432)?;
    let user = env.required(name::POSTGRESQL_USERNAME, "Set it to the role that dumps.")?;
    let variables = [name::PG_DUMP_OPTIONS, name::KSNAPSHOT_DUMP_OPTIONS];
    let mut choice = mapped(env, Kind::PostgreSql, &variables)?;
    choice.extend(patterns(env, name::KSNAPSHOT_TABLES, "--table=")?);
    choice.extend(patterns(
        env,
        name::KSNAPSHOT_EXCLUDE_TABLES,
        "--exclude-table=",
    )?);
    let names = databases(env, name::POSTGRESQL_DATABASE)?.ok_or_else(|| {
        wrong(
            name::KSNAPSHOT_DATABASES,
            "each database of PostgreSQL is a snapshot of its own, and '*' names none",
            "Name each database, with commas.",
        )
    })?;
    let server = format!("postgresql://{}@{host}:{port}", url::encode(user));
    let urls = names.iter().map(|database| {
        let url = format!("{server}/{}", url::encode(database));
        ((*database).to_owned(), url)
    });
    Ok(Source {
        urls: urls.collect(),
        choice,
        variables: secrets([(PASSWORD, env.get(name::POSTGRESQL_PASSWORD))]),
        host,
    })
}

fn search(env: &Environment<'_>, kind: Kind) -> Result<Source> {
    let host = host(env, name::ELASTICSEARCH_HOST)?;
    let port = env.port(name::ELASTICSEARCH_PORT, 9200)?;
    let scheme = match env.get(name::ELASTICSEARCH_SCHEME) {
        None | Some("http") => "http",
        Some("https") => "https",
        Some(other) => {
            return Err(wrong(
                name::ELASTICSEARCH_SCHEME,
                format_args!("{other:?} is neither http nor https"),
                "Set it to http or https, or leave it away.",
            ));
        }
    };
    // None means anything here, and each is refused with the reason.
    mapped(env, kind, &[name::KSNAPSHOT_DUMP_OPTIONS])?;
    if env.get(name::KSNAPSHOT_DATABASES).is_some() {
        return Err(wrong(
            name::KSNAPSHOT_DATABASES,
            format_args!("{} has no databases", kind.title()),
            format!("Choose indices in {}.", name::KSNAPSHOT_TABLES),
        ));
    }
    let key = env.get(name::ELASTICSEARCH_API_KEY);
    let password = env.get(name::ELASTICSEARCH_PASSWORD);
    let user = match (env.get(name::ELASTICSEARCH_USERNAME), password) {
        // In place of user and password.
        _ if key.is_some() => None,
        (Some(user), Some(_)) => Some(user),
        (None, None) => None,
        // The user that is there from the beginning.
        (None, Some(_)) if kind == Kind::OpenSearch => Some("admin"),
        (None, Some(_)) => Some("elastic"),
        (Some(_), None) => {
            return Err(wrong(
                name::ELASTICSEARCH_PASSWORD,
                format_args!("not set, but {} is", name::ELASTICSEARCH_USERNAME),
                "Set both, or an API key, or none where the server asks for none.",
            ));
        }
    };
    let user = user.map_or_else(String::new, |user| format!("{}@", url::encode(user)));
    let mut choice = Vec::new();
    if let Some(limit) = env.get(name::ELASTICDUMP_LIMIT) {
        let size: Option<u32> = limit.parse().ok().filter(|&size| size > 0);
        let size = size.ok_or_else(|| {
            wrong(
                name::ELASTICDUMP_LIMIT,
                format_args!("{limit:?} is no size of a page"),
                "Set it to a number of documents, such as 1000, or leave it away.",
            )
        })?;
        choice.push(format!("--page-size={size}"));
    }
    // An index is what a table is elsewhere.
    let indices = |variable, begin: &'static str| {
        let list = env.list(variable).into_iter();
        list.map(move |pattern| format!("--index={begin}{pattern}"))
    };
    choice.extend(indices(name::KSNAPSHOT_TABLES, ""));
    choice.extend(indices(name::KSNAPSHOT_EXCLUDE_TABLES, "-"));
    Ok(Source {
        urls: vec![(
            String::new(),
            format!("{kind}+{scheme}://{user}{host}:{port}"),
        )],
        choice,
        variables: secrets([
            (PASSWORD, password.filter(|_| key.is_none())),
            (API_KEY, key),
        ]),
        host,
    })
}

fn secrets<const N: usize>(
    given: [(&'static str, Option<&str>); N],
) -> Vec<(&'static str, SecretString)> {
    given
        .into_iter()
        .filter_map(|(variable, value)| Some((variable, value?.into())))
        .collect()
}
