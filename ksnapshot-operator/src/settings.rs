//! What the operator is told by its environment, checked once, before anything begins.

mod resources;

pub use resources::Resources;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use ksnapshot_core::{Error, ErrorKind, Formats, Result, near};

/// All that the operator's environment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How the cluster is reached. `MODE`
    pub mode: Mode,
    /// Where workloads are looked for: at least one, none twice, in the order given. `WATCH_NAMESPACES`
    pub watch_namespaces: Vec<String>,
    /// Where everything is written. `CONTROL_NAMESPACE`
    pub control_namespace: String,
    /// The ConfigMap that names the bucket. `BACKUP_CONFIGMAP_NAME`
    pub backup_config_map: String,
    /// The Secret with the keys of the bucket; none: the cloud identity of the Job's pod. `BACKUP_SECRET_NAME`
    pub backup_secret: Option<String>,
    /// The Secret of those Jobs that delete. `RETENTION_SECRET_NAME`
    pub retention_secret: String,
    /// The account that Jobs run as. `BACKUP_JOB_SERVICE_ACCOUNT_NAME`
    pub backup_service_account: String,
    /// What Jobs run.
    pub images: Images,
    /// `BACKUP_IMAGE_PULL_POLICY`
    pub pull_policy: PullPolicy,
    /// Names of Secrets. `BACKUP_IMAGE_PULL_SECRETS`
    pub pull_secrets: Vec<String>,
    /// For workloads that don't say it themselves.
    pub encryption: EncryptionDefault,
    /// For workloads that don't say it themselves; a word that [`Formats`] knows. `DEFAULT_COMPRESSION`
    pub compression: String,
    /// For workloads that don't say it themselves. `DEFAULT_RESOURCES`
    pub resources: Resources,
    /// Where health and metrics are served. `LISTEN_ADDRESS`
    pub listen: SocketAddr,
    /// Whether several replicas take turns. `LEADER_ELECTION`
    pub leader_election: bool,
    /// What they take turns by. `LEASE_NAME`
    pub lease_name: String,
    /// Who this replica is; no other has the same. `POD_NAME`
    pub identity: String,
    /// After how long everything is looked at again, though nothing changed. `RESYNC_SECONDS`
    pub resync: Duration,
    /// `LOG_LEVEL`
    pub log_level: LogLevel,
    /// `LOG_FORMAT`
    pub log_format: LogFormat,
}

/// How the cluster is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// As `kubectl` does, by the kubeconfig.
    Local,
    /// As a pod does, by its ServiceAccount.
    Cluster,
}

/// The images that Jobs run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// The one that serves all types. `KSNAPSHOT_IMAGE`
    pub one: String,
    /// In its place for MySQL 5.7. `MYSQL_DUMPER_IMAGE_5_7`
    pub mysql_57: Option<String>,
    /// In its place for other MySQL. `MYSQL_DUMPER_IMAGE_8`
    pub mysql_8: Option<String>,
    /// In its place for PostgreSQL. `POSTGRESQL_DUMPER_IMAGE_16`
    pub postgresql_16: Option<String>,
    /// In its place for Elasticsearch. `ELASTICSEARCH_DUMPER_IMAGE`
    pub elasticsearch: Option<String>,
}

impl Images {
    /// The image for a workload of this type and, as far as it says one, this version. MariaDB and OpenSearch have no
    /// image of their own.
    pub fn of(&self, kind: &str, version: Option<&str>) -> &str {
        let own = match (kind, version) {
            ("mysql", Some("5.7")) => &self.mysql_57,
            ("mysql", _) => &self.mysql_8,
            ("postgresql", _) => &self.postgresql_16,
            ("elasticsearch", _) => &self.elasticsearch,
            _ => &None,
        };
        own.as_ref().unwrap_or(&self.one)
    }
}

/// When an image is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullPolicy {
    /// At each start.
    Always,
    /// When the node has none.
    IfNotPresent,
    /// Never: the node has it.
    Never,
}

impl PullPolicy {
    /// As Kubernetes writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::IfNotPresent => "IfNotPresent",
            Self::Never => "Never",
        }
    }
}

/// How snapshots are encrypted where the workload doesn't say it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EncryptionDefault {
    /// `DEFAULT_ENCRYPTION_ENABLED`
    pub enabled: bool,
    /// A recipient that is known to be one. `DEFAULT_ENCRYPTION_RECIPIENT`
    pub recipient: Option<String>,
}

/// What is logged, and all that weighs more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// What went wrong for good.
    Error,
    /// What is wrong and may pass.
    Warn,
    /// What a person would want to read.
    Info,
    /// Each decision, and each request to the cluster.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// As it is set.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: an object a line.
    Json,
}

impl Settings {
    /// Reads the environment. A variable that is empty is one that isn't set.
    ///
    /// Errors: [`ErrorKind::Usage`], naming the variable, for the first thing that makes no sense.
    pub fn from_env(env: &BTreeMap<String, String>) -> Result<Self> {
        let env = Env(env);
        Ok(Self {
            mode: env.one_of(
                "MODE",
                &[("local", Mode::Local), ("cluster", Mode::Cluster)],
                Mode::Cluster,
            )?,
            watch_namespaces: env.watch_namespaces()?,
            control_namespace: env.name("CONTROL_NAMESPACE", "ksnapshot", label)?,
            backup_config_map: env.name("BACKUP_CONFIGMAP_NAME", "ksnapshot-cm", subdomain)?,
            backup_secret: env.parsed("BACKUP_SECRET_NAME", subdomain)?,
            retention_secret: env.name(
                "RETENTION_SECRET_NAME",
                "ksnapshot-retention-secret",
                subdomain,
            )?,
            backup_service_account: env.name(
                "BACKUP_JOB_SERVICE_ACCOUNT_NAME",
                "ksnapshot-backup-sa",
                subdomain,
            )?,
            images: Images {
                one: match env.parsed("KSNAPSHOT_IMAGE", image)? {
                    Some(one) => one,
                    None => return Err(wrong("KSNAPSHOT_IMAGE: not set").hint(IMAGE_HINT)),
                },
                mysql_57: env.parsed("MYSQL_DUMPER_IMAGE_5_7", image)?,
                mysql_8: env.parsed("MYSQL_DUMPER_IMAGE_8", image)?,
                postgresql_16: env.parsed("POSTGRESQL_DUMPER_IMAGE_16", image)?,
                elasticsearch: env.parsed("ELASTICSEARCH_DUMPER_IMAGE", image)?,
            },
            pull_policy: env.one_of(
                "BACKUP_IMAGE_PULL_POLICY",
                &[
                    PullPolicy::Always,
                    PullPolicy::IfNotPresent,
                    PullPolicy::Never,
                ]
                .map(|policy| (policy.as_str(), policy)),
                PullPolicy::IfNotPresent,
            )?,
            pull_secrets: env.list("BACKUP_IMAGE_PULL_SECRETS", subdomain)?,
            encryption: EncryptionDefault {
                enabled: env.flag("DEFAULT_ENCRYPTION_ENABLED", false)?,
                recipient: env.parsed("DEFAULT_ENCRYPTION_RECIPIENT", recipient)?,
            },
            compression: env.name("DEFAULT_COMPRESSION", "gzip:6", compression)?,
            resources: (env.parsed("DEFAULT_RESOURCES", Resources::parse)?).unwrap_or_default(),
            listen: (env.parsed("LISTEN_ADDRESS", address)?)
                .unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 8080))),
            leader_election: env.flag("LEADER_ELECTION", true)?,
            lease_name: env.name("LEASE_NAME", "ksnapshot-operator", subdomain)?,
            identity: env.identity(),
            resync: (env.parsed("RESYNC_SECONDS", seconds)?).unwrap_or(Duration::from_secs(600)),
            log_level: env.one_of(
                "LOG_LEVEL",
                &[
                    LogLevel::Error,
                    LogLevel::Warn,
                    LogLevel::Info,
                    LogLevel::Debug,
                    LogLevel::Trace,
                ]
                .map(|level| (level.as_str(), level)),
                LogLevel::Info,
            )?,
            log_format: env.one_of(
                "LOG_FORMAT",
                &[("text", LogFormat::Text), ("json", LogFormat::Json)],
                LogFormat::Text,
            )?,
        })
    }
}

const IMAGE_HINT: &str = "Set it to the image of ksnapshot that Jobs are to run; the chart does.";
const NAMESPACES_HINT: &str =
    "Name the namespaces to look for databases in, with commas: WATCH_NAMESPACES=shop,billing.";

struct Env<'a>(&'a BTreeMap<String, String>);

impl Env<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        (self.0.get(name))
            .map(|text| text.trim())
            .filter(|text| !text.is_empty())
    }

    fn parsed<T>(&self, name: &str, parse: impl Fn(&str) -> Result<T>) -> Result<Option<T>> {
        (self.text(name))
            .map(|text| parse(text).map_err(|error| error.context(name)))
            .transpose()
    }

    fn name(
        &self,
        name: &str,
        usual: &str,
        parse: impl Fn(&str) -> Result<String>,
    ) -> Result<String> {
        Ok((self.parsed(name, parse)?).unwrap_or_else(|| usual.to_owned()))
    }

    /// What stands between commas, each once.
    fn list(&self, name: &str, parse: impl Fn(&str) -> Result<String>) -> Result<Vec<String>> {
        let mut all = Vec::new();
        let items = self.text(name).unwrap_or_default().split(',');
        for item in items.map(str::trim).filter(|item| !item.is_empty()) {
            let item = parse(item).map_err(|error| error.context(name))?;
            if !all.contains(&item) {
                all.push(item);
            }
        }
        Ok(all)
    }

    fn one_of<T: Copy>(&self, name: &str, words: &[(&str, T)], usual: T) -> Result<T> {
        let Some(text) = self.text(name) else {
            return Ok(usual);
        };
        let all = || words.iter().map(|(word, _)| *word);
        (words.iter().find(|(word, _)| *word == text))
            .map(|(_, value)| *value)
            .ok_or_else(|| {
                let lower = text.to_lowercase();
                let meant = (all().find(|word| word.eq_ignore_ascii_case(text)))
                    .or_else(|| near(&lower, all()));
                wrong(format!("{name}: {text:?} is not known")).hint(match meant {
                    Some(meant) => format!("Did you mean {meant}?"),
                    None => format!("Use one of {}.", all().collect::<Vec<_>>().join(", ")),
                })
            })
    }

    /// Other spellings are refused: whether something is encrypted isn't guessed.
    fn flag(&self, name: &str, usual: bool) -> Result<bool> {
        self.one_of(name, &[("true", true), ("false", false)], usual)
    }

    fn watch_namespaces(&self) -> Result<Vec<String>> {
        let all = self.list("WATCH_NAMESPACES", |namespace| match namespace {
            "*" => Err(wrong("\"*\" is no namespace").hint(
                "Name each namespace: the operator has rights in those alone that it is given.",
            )),
            _ => label(namespace),
        })?;
        if all.is_empty() {
            // Other operators have one namespace, and this name for it.
            return Err(wrong("WATCH_NAMESPACES: not set").hint(
                match self.text("WATCH_NAMESPACE") {
                    Some(_) => "WATCH_NAMESPACE is set. Did you mean WATCH_NAMESPACES?",
                    None => NAMESPACES_HINT,
                },
            ));
        }
        Ok(all)
    }

    /// The pod's name, which the cluster keeps unique. Elsewhere the host's, with a number that tells two on one host
    /// apart: who takes over a lease of its own name leads at once.
    fn identity(&self) -> String {
        self.text("POD_NAME").map_or_else(
            || {
                let host = self.text("HOSTNAME").unwrap_or("ksnapshot-operator");
                format!("{host}_{:08x}", rand::random::<u32>())
            },
            str::to_owned,
        )
    }
}

fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Usage, message)
}

/// A name of one part, as namespaces have.
fn label(text: &str) -> Result<String> {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if text.len() <= 63
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.is_empty()
    {
        return Ok(text.to_owned());
    }
    Err(wrong(format!("{text:?} is no name of a namespace")).hint(
        "Use small letters, digits and dashes, at most 63 of them, with no dash at either end.",
    ))
}

/// A name as most objects have: parts like those of [`label`], with dots.
fn subdomain(text: &str) -> Result<String> {
    if text.len() <= 253 && text.split('.').all(|part| label(part).is_ok()) {
        return Ok(text.to_owned());
    }
    Err(wrong(format!("{text:?} is no name of an object"))
        .hint("Use small letters, digits, dashes and dots."))
}

fn image(text: &str) -> Result<String> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"._-/:@".contains(&b);
    if text.bytes().all(fits) && text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Ok(text.to_owned());
    }
    Err(wrong(format!("{text:?} is no name of an image"))
        .hint("Write it as registry.example.com/ksnapshot:1.0."))
}

fn compression(text: &str) -> Result<String> {
    Formats::default().compressor(text).map(|_| text.to_owned())
}

fn recipient(text: &str) -> Result<String> {
    Formats::default()
        .encryptor(&[text.to_owned()])
        .map(|_| text.to_owned())
}

fn address(text: &str) -> Result<SocketAddr> {
    text.parse().map_err(|_| {
        wrong(format!("{text:?} is no address with a port"))
            .hint("Write it as 0.0.0.0:8080, or [::]:8080.")
    })
}

fn seconds(text: &str) -> Result<Duration> {
    (text.parse().ok())
        .filter(|seconds| (1..=86_400).contains(seconds))
        .map(Duration::from_secs)
        .ok_or_else(|| {
            wrong(format!("{text:?} is no number of seconds"))
                .hint("Use a whole number from 1 to 86400.")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECIPIENT: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

    /// What must be set, and `pairs` over it.
    fn read(pairs: &[(&str, &str)]) -> Result<Settings> {
        let must = [("WATCH_NAMESPACES", "shop"), ("KSNAPSHOT_IMAGE", "k:1")];
        let env = must.iter().chain(pairs);
        let env = env.map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Settings::from_env(&env.collect())
    }

    #[test]
    fn what_is_not_set_is_as_it_always_was() {
        let usual = read(&[("POD_NAME", "operator-1")]).expect("enough");
        assert_eq!(
            usual,
            Settings {
                mode: Mode::Cluster,
                watch_namespaces: vec!["shop".into()],
                control_namespace: "ksnapshot".into(),
                backup_config_map: "ksnapshot-cm".into(),
                backup_secret: None,
                retention_secret: "ksnapshot-retention-secret".into(),
                backup_service_account: "ksnapshot-backup-sa".into(),
                images: Images {
                    one: "k:1".into(),
                    mysql_57: None,
                    mysql_8: None,
                    postgresql_16: None,
                    elasticsearch: None,
                },
                pull_policy: PullPolicy::IfNotPresent,
                pull_secrets: Vec::new(),
                encryption: EncryptionDefault::default(),
                compression: "gzip:6".into(),
                resources: Resources::default(),
                listen: "0.0.0.0:8080".parse().expect("an address"),
                leader_election: true,
                lease_name: "ksnapshot-operator".into(),
                identity: "operator-1".into(),
                resync: Duration::from_secs(600),
                log_level: LogLevel::Info,
                log_format: LogFormat::Text,
            }
        );
        let names = [
            "MODE",
            "CONTROL_NAMESPACE",
            "BACKUP_CONFIGMAP_NAME",
            "BACKUP_SECRET_NAME",
            "RETENTION_SECRET_NAME",
            "BACKUP_JOB_SERVICE_ACCOUNT_NAME",
            "MYSQL_DUMPER_IMAGE_5_7",
            "MYSQL_DUMPER_IMAGE_8",
            "POSTGRESQL_DUMPER_IMAGE_16",
            "ELASTICSEARCH_DUMPER_IMAGE",
            "BACKUP_IMAGE_PULL_POLICY",
            "BACKUP_IMAGE_PULL_SECRETS",
            "DEFAULT_ENCRYPTION_ENABLED",
            "DEFAULT_ENCRYPTION_RECIPIENT",
            "DEFAULT_COMPRESSION",
            "DEFAULT_RESOURCES",
            "LISTEN_ADDRESS",
            "LEADER_ELECTION",
            "LEASE_NAME",
            "RESYNC_SECONDS",
            "LOG_LEVEL",
            "LOG_FORMAT",
        ];
        for blank in ["", " ", "\n"] {
            let mut pairs = names.map(|name| (name, blank)).to_vec();
            pairs.push(("POD_NAME", "operator-1"));
            assert_eq!(read(&pairs).expect("blank is not set"), usual);
        }
    }

    #[test]
    fn all_that_is_set_is_taken() {
        let all = read(&[
            ("MODE", "local"),
            ("WATCH_NAMESPACES", " shop, billing ,shop,,a-1"),
            ("CONTROL_NAMESPACE", "backup"),
            ("BACKUP_CONFIGMAP_NAME", "bucket.eu"),
            ("BACKUP_SECRET_NAME", "keys"),
            ("RETENTION_SECRET_NAME", "delete-keys"),
            ("BACKUP_JOB_SERVICE_ACCOUNT_NAME", "jobs"),
            ("KSNAPSHOT_IMAGE", "registry.example.com:5000/k@sha256:ab"),
            ("MYSQL_DUMPER_IMAGE_5_7", "m57"),
            ("MYSQL_DUMPER_IMAGE_8", "m8"),
            ("POSTGRESQL_DUMPER_IMAGE_16", "p16"),
            ("ELASTICSEARCH_DUMPER_IMAGE", "e"),
            ("BACKUP_IMAGE_PULL_POLICY", "Never"),
            ("BACKUP_IMAGE_PULL_SECRETS", "one,two, one"),
            ("DEFAULT_ENCRYPTION_ENABLED", "true"),
            ("DEFAULT_ENCRYPTION_RECIPIENT", RECIPIENT),
            ("DEFAULT_COMPRESSION", "zstd:19"),
            ("DEFAULT_RESOURCES", "cpu=500m,memory=256Mi"),
            ("LISTEN_ADDRESS", "[::]:9090"),
            ("LEADER_ELECTION", "false"),
            ("LEASE_NAME", "turns"),
            ("POD_NAME", "operator-1"),
            ("RESYNC_SECONDS", "60"),
            ("LOG_LEVEL", "debug"),
            ("LOG_FORMAT", "json"),
        ]);
        assert_eq!(
            all.expect("all fits"),
            Settings {
                mode: Mode::Local,
                watch_namespaces: vec!["shop".into(), "billing".into(), "a-1".into()],
                control_namespace: "backup".into(),
                backup_config_map: "bucket.eu".into(),
                backup_secret: Some("keys".into()),
                retention_secret: "delete-keys".into(),
                backup_service_account: "jobs".into(),
                images: Images {
                    one: "registry.example.com:5000/k@sha256:ab".into(),
                    mysql_57: Some("m57".into()),
                    mysql_8: Some("m8".into()),
                    postgresql_16: Some("p16".into()),
                    elasticsearch: Some("e".into()),
                },
                pull_policy: PullPolicy::Never,
                pull_secrets: vec!["one".into(), "two".into()],
                encryption: EncryptionDefault {
                    enabled: true,
                    recipient: Some(RECIPIENT.into()),
                },
                compression: "zstd:19".into(),
                resources: Resources {
                    cpu: Some("500m".into()),
                    memory: Some("256Mi".into()),
                },
                listen: "[::]:9090".parse().expect("an address"),
                leader_election: false,
                lease_name: "turns".into(),
                identity: "operator-1".into(),
                resync: Duration::from_secs(60),
                log_level: LogLevel::Debug,
                log_format: LogFormat::Json,
            }
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_name() {
        let long = "a".repeat(64);
        let cases: &[(&str, &str, &str, &str)] = &[
            ("MODE", "clutser", "is not known", "mean cluster?"),
            ("MODE", "dev", "is not known", "one of local, cluster."),
            ("WATCH_NAMESPACES", "", "not set", "Name the namespaces"),
            ("WATCH_NAMESPACES", ",, ", "not set", "Name the namespaces"),
            ("WATCH_NAMESPACES", "a,*", "no namespace", "Name each"),
            (
                "WATCH_NAMESPACES",
                "a,B",
                "\"B\" is no name",
                "small letters",
            ),
            ("WATCH_NAMESPACES", "a b", "is no name", "small letters"),
            ("WATCH_NAMESPACES", "-a", "is no name", "small letters"),
            ("WATCH_NAMESPACES", &long, "is no name", "small letters"),
            ("CONTROL_NAMESPACE", "a.b", "is no name", "small letters"),
            ("BACKUP_CONFIGMAP_NAME", "a..b", "is no name", "dots"),
            ("BACKUP_SECRET_NAME", "a/b", "is no name", "dots"),
            ("RETENTION_SECRET_NAME", "A", "is no name", "dots"),
            ("BACKUP_JOB_SERVICE_ACCOUNT_NAME", "a_b", "is no", "dots"),
            ("LEASE_NAME", "a-", "is no name", "dots"),
            ("KSNAPSHOT_IMAGE", "", "not set", "the chart does"),
            ("KSNAPSHOT_IMAGE", "a b", "is no name", "ksnapshot:1.0"),
            ("MYSQL_DUMPER_IMAGE_8", ":8", "is no name", "ksnapshot:1"),
            ("BACKUP_IMAGE_PULL_POLICY", "always", "not", "mean Always?"),
            ("BACKUP_IMAGE_PULL_SECRETS", "a,!", "is no name", "dots"),
            ("DEFAULT_ENCRYPTION_ENABLED", "True", "not", "mean true?"),
            ("DEFAULT_ENCRYPTION_ENABLED", "1", "not", "true, false."),
            ("DEFAULT_ENCRYPTION_RECIPIENT", "age1abc", "age1abc", "age"),
            ("DEFAULT_COMPRESSION", "gzip:99", "not known", "gzip:9"),
            ("DEFAULT_RESOURCES", "cpu=fast", "fast", "cpu=500m"),
            ("LISTEN_ADDRESS", ":8080", "no address", "0.0.0.0:8080"),
            ("LEADER_ELECTION", "yes", "not known", "true, false."),
            ("RESYNC_SECONDS", "0", "no number", "1 to 86400"),
            ("RESYNC_SECONDS", "10m", "no number", "1 to 86400"),
            ("LOG_LEVEL", "DEBUG", "not known", "mean debug?"),
            ("LOG_LEVEL", "loud", "not known", "error, warn, info"),
            ("LOG_FORMAT", "jsn", "not known", "mean json?"),
        ];
        for (name, text, message, hint) in cases {
            let error = read(&[(name, text)]).expect_err(text);
            let told = format!("{error:#}");
            assert_eq!(error.kind(), ErrorKind::Usage, "{name}={text}");
            assert!(told.starts_with(&format!("{name}: ")), "{told}");
            assert!(told.contains(message), "{name}={text}: {told}");
            let advice = error.advice().unwrap_or_default();
            assert!(advice.contains(hint), "{name}={text}: {advice}");
        }
    }

    #[test]
    fn a_variable_that_is_missed_by_a_letter_is_told() {
        let env = [("WATCH_NAMESPACE", "shop"), ("KSNAPSHOT_IMAGE", "k")];
        let env = env.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let error = Settings::from_env(&env.into()).expect_err("not set");
        assert_eq!(error.to_string(), "WATCH_NAMESPACES: not set");
        let hint = "WATCH_NAMESPACE is set. Did you mean WATCH_NAMESPACES?";
        assert_eq!(error.advice(), Some(hint));
    }

    #[test]
    fn two_outside_of_pods_never_share_an_identity() {
        let one = || read(&[("HOSTNAME", "desk")]).expect("enough").identity;
        assert!(one().starts_with("desk_"));
        assert_ne!(one(), one());
    }

    #[test]
    fn each_type_finds_its_image() {
        let images = read(&[
            ("MYSQL_DUMPER_IMAGE_5_7", "m57"),
            ("POSTGRESQL_DUMPER_IMAGE_16", "p16"),
            ("ELASTICSEARCH_DUMPER_IMAGE", "e"),
        ]);
        let images = images.expect("enough").images;
        for (kind, version, image) in [
            ("mysql", Some("5.7"), "m57"),
            ("mysql", Some("8"), "k:1"),
            ("mysql", None, "k:1"),
            ("mariadb", None, "k:1"),
            ("postgresql", Some("16"), "p16"),
            ("postgresql", None, "p16"),
            ("elasticsearch", None, "e"),
            ("opensearch", None, "k:1"),
        ] {
            assert_eq!(images.of(kind, version), image, "{kind} {version:?}");
        }
    }
}
