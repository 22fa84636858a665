//! What a person asks for by annotations.
//!
//! Keys, defaults, precedence and refusals of the first ksnapshot are kept; keys that it did not know are added. A key of
//! our domain that nobody knows is refused: a misspelt `encryption-recipient` must not end in snapshots in the clear.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::num::NonZeroU32;
use std::time::Duration;

use jiff::{Span, SpanRelativeTo};
use ksnapshot_core::age::AgeEncryptor;
use ksnapshot_core::pattern::Pattern;
use ksnapshot_core::{DOMAIN, Formats, near};

use crate::Kind;
use crate::job;
use crate::options;
use crate::schedule::{Schedule, SchedulePart};
use crate::settings::{Resources, Settings};
use crate::verdict::{Reason, Refusal};

/// The switch: only exactly `true` turns backups on.
pub const ENABLED: &str = "enabled";
/// Written by the operator on what it makes: whose it is.
pub const OWNER: &str = "owner";

/// Every key that a pod may carry, without the domain.
const KEYS: [&str; 24] = [
    ENABLED,
    "schedule",
    "type",
    "timezone",
    "version",
    "elasticsearch-limit",
    "encryption-enabled",
    "encryption-recipient",
    OWNER,
    "service",
    "port",
    "container",
    "databases",
    "tables",
    "exclude-tables",
    "dump-options",
    "compression",
    "suspend",
    "jitter",
    "starting-deadline",
    "resources",
    "trigger",
    "verify",
    "retention",
];

/// What the annotations of a workload ask for, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The kind of database.
    pub kind: Kind,
    /// When.
    pub schedule: Schedule,
    /// The schedule as it was written.
    pub cron: String,
    /// Its time zone.
    pub zone: String,
    /// The version that is named. A hint: the server is asked.
    pub version: Option<String>,
    /// Documents in the first page of a search engine.
    pub page_size: Option<NonZeroU32>,
    /// For whom to encrypt; none: not at all.
    pub recipient: Option<String>,
    /// The Service that leads to the database, if discovery is not to find it.
    pub service: Option<String>,
    /// Its port, likewise.
    pub port: Option<u16>,
    /// The container whose variables hold user and password, likewise.
    pub container: Option<String>,
    /// Databases in place of the one that the variables name.
    pub databases: Vec<String>,
    /// Only these tables.
    pub tables: Vec<String>,
    /// Not these tables.
    pub exclude_tables: Vec<String>,
    /// Words of mysqldump or pg_dump.
    pub dump_options: Option<String>,
    /// Codec and level.
    pub compression: String,
    /// Whether to wait until it is taken back.
    pub suspend: bool,
    /// Spread runs over this time.
    pub jitter: Option<Duration>,
    /// How late a run may begin.
    pub starting_deadline: Duration,
    /// What a run's pod may take.
    pub resources: Resources,
    /// A new value runs once, now.
    pub trigger: Option<String>,
    /// Whether each run checks what it stored.
    pub verify: Verify,
    /// Which snapshots stay; none: all.
    pub retention: Option<String>,
}

/// How far each run checks what it stored. More than that takes an identity, which a cluster does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verify {
    /// Not at all.
    #[default]
    None,
    /// What is stored has the sums of its manifest. Takes the right to get objects.
    Checksum,
}

impl Verify {
    /// The word of the annotation.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Checksum => "checksum",
        }
    }
}

/// The annotations of our domain, without it.
pub fn of_domain(annotations: &BTreeMap<String, String>) -> BTreeMap<&str, &str> {
    let ours = annotations.iter().filter_map(|(key, value)| {
        let name = key.strip_prefix(DOMAIN)?.strip_prefix('/')?;
        Some((name, value.as_str()))
    });
    ours.collect()
}

/// Whether these annotations turn backups on.
pub fn enabled(ours: &BTreeMap<&str, &str>) -> bool {
    ours.get(ENABLED) == Some(&"true")
}

/// Reads the annotations of a workload, given without the domain. The operator's defaults fill what they leave open.
pub fn read(ours: &BTreeMap<&str, &str>, settings: &Settings) -> Result<Request, Refusal> {
    if let Some(unknown) = ours.keys().find(|key| !KEYS.contains(key)) {
        let fix = match near(unknown, KEYS) {
            Some(meant) => format!("Write {DOMAIN}/{meant}, or remove it."),
            None => format!("Remove it; docs/operator.md lists what {DOMAIN}/ knows."),
        };
        let text = format!("annotation {unknown} is unknown");
        return Err(Refusal::new(Reason::AnnotationUnknown, text, fix));
    }
    let get = |key: &str| {
        ours.get(key)
            .copied()
            .map(str::trim)
            .filter(|v| !v.is_empty())
    };
    let kind = kind(get("type"))?;
    let request = Request {
        kind,
        schedule: schedule(get("schedule"), get("timezone"))?,
        cron: get("schedule").unwrap_or_default().to_owned(),
        zone: get("timezone").unwrap_or("Etc/UTC").to_owned(),
        version: get("version").map(ToOwned::to_owned),
        page_size: read_as(
            "elasticsearch-limit",
            get("elasticsearch-limit"),
            "a number above 0, such as 1000",
            |v| v.parse().ok(),
        )?,
        recipient: recipient(
            get("encryption-enabled"),
            get("encryption-recipient"),
            settings,
        )?,
        service: get("service").map(ToOwned::to_owned),
        port: read_as("port", get("port"), "a port, such as 5432", |v| {
            v.parse().ok().filter(|port| *port > 0)
        })?,
        container: get("container").map(ToOwned::to_owned),
        databases: list(get("databases")),
        tables: patterns("tables", get("tables"))?,
        exclude_tables: patterns("exclude-tables", get("exclude-tables"))?,
        dump_options: get("dump-options").map(ToOwned::to_owned),
        compression: compression(get("compression"), settings)?,
        suspend: read_as("suspend", get("suspend"), "true or false", |v| {
            v.parse().ok()
        })?
        .unwrap_or(false),
        jitter: jitter(get("jitter"))?,
        starting_deadline: starting_deadline(get("starting-deadline"))?,
        resources: resources(get("resources"), settings)?,
        trigger: get("trigger").map(ToOwned::to_owned),
        verify: verify(get("verify"))?,
        retention: rules(get("retention"))?,
    };
    fits(&request)?;
    Ok(request)
}

/// What means nothing for this kind of database is refused: it would be ignored, and somebody relies on it.
fn fits(request: &Request) -> Result<(), Refusal> {
    let kind = request.kind;
    let given = [
        ("databases", !request.databases.is_empty()),
        ("dump-options", request.dump_options.is_some()),
    ];
    if kind.is_search()
        && let Some((key, _)) = given.iter().find(|(_, given)| *given)
    {
        return Err(invalid(
            key,
            format_args!("means nothing for {kind}"),
            "Remove it; indices are chosen by the annotations tables and exclude-tables.",
        ));
    }
    if !kind.is_search() && request.page_size.is_some() {
        return Err(invalid(
            "elasticsearch-limit",
            format_args!("means nothing for {kind}"),
            "Remove it, or correct the type.",
        ));
    }
    if let Some(words) = &request.dump_options
        && let Err(refused) = options::map(kind, words)
    {
        return Err(Refusal::new(
            Reason::OptionRefused,
            format!("annotation dump-options: {refused}"),
            refused.hint.clone(),
        ));
    }
    Ok(())
}

fn kind(word: Option<&str>) -> Result<Kind, Refusal> {
    let words = Kind::ALL.map(Kind::as_str);
    let known = words.join(", ");
    let Some(word) = word else {
        return Err(Refusal::new(
            Reason::TypeUnknown,
            "annotation type is missing",
            format!("Say which database it is by {DOMAIN}/type: {known}."),
        ));
    };
    Kind::parse(word).ok_or_else(|| {
        let meant = match word {
            "postgres" | "pg" => Some("postgresql"),
            "elastic" => Some("elasticsearch"),
            _ => near(word, words),
        };
        let fix = match meant {
            Some(meant) => format!("Write {meant}; known are {known}."),
            None => format!("Write one of {known}."),
        };
        Refusal::new(
            Reason::TypeUnknown,
            format!("annotation type: {word:?} is none that ksnapshot knows"),
            fix,
        )
    })
}

fn schedule(cron: Option<&str>, zone: Option<&str>) -> Result<Schedule, Refusal> {
    let Some(cron) = cron else {
        return Err(Refusal::new(
            Reason::ScheduleInvalid,
            "annotation schedule is missing",
            format!(
                "Say when by {DOMAIN}/schedule, such as \"0 3 * * *\" for every night at three."
            ),
        ));
    };
    let zone = zone.unwrap_or("Etc/UTC");
    Schedule::parse(cron, zone).map_err(|error| {
        let (reason, key) = match error.part {
            SchedulePart::Zone => (Reason::TimeZoneInvalid, "timezone"),
            SchedulePart::Cron => (Reason::ScheduleInvalid, "schedule"),
        };
        Refusal::new(reason, about(key, &error), error.advice())
    })
}

/// The annotation beats the operator's default, also when it says no.
fn recipient(
    wanted: Option<&str>,
    named: Option<&str>,
    settings: &Settings,
) -> Result<Option<String>, Refusal> {
    let wanted = match wanted {
        Some("true") => true,
        Some("false") => false,
        None => settings.encryption.enabled,
        Some(other) => {
            return Err(invalid(
                "encryption-enabled",
                format_args!("{other:?} is neither \"true\" nor \"false\""),
                "Write \"true\" or \"false\": it must be clear whether snapshots can be read by who reads the bucket.",
            ));
        }
    };
    if !wanted {
        return Ok(None);
    }
    let named = named.or(settings.encryption.recipient.as_deref());
    let Some(named) = named else {
        return Err(Refusal::new(
            Reason::RecipientMissing,
            "encryption is on, and no recipient is named",
            format!(
                "Name an age public key by {DOMAIN}/encryption-recipient, or as the operator's default; `ksnapshot keygen` makes one."
            ),
        ));
    };
    AgeEncryptor::new(&[named]).map_err(|error| {
        Refusal::new(
            Reason::RecipientInvalid,
            about("encryption-recipient", &error),
            error
                .advice()
                .unwrap_or("Name an age public key, age1…; `ksnapshot keygen` makes one."),
        )
    })?;
    Ok(Some(named.to_owned()))
}

fn compression(word: Option<&str>, settings: &Settings) -> Result<String, Refusal> {
    let word = word.unwrap_or(&settings.compression);
    // `gzip` alone is level 6, as ever.
    let word = match word {
        "gzip" => "gzip:6",
        "zstd" => "zstd:3",
        other => other,
    };
    match Formats::default().compressor(word) {
        Ok(_) => Ok(word.to_owned()),
        Err(error) => Err(invalid(
            "compression",
            &error,
            error.advice().unwrap_or("Write gzip:6, zstd:3 or none."),
        )),
    }
}

fn resources(text: Option<&str>, settings: &Settings) -> Result<Resources, Refusal> {
    let Some(text) = text else {
        return Ok(settings.resources.clone());
    };
    match Resources::parse(text) {
        Ok(resources) => Ok(resources.or(&settings.resources)),
        Err(error) => Err(invalid(
            "resources",
            &error,
            error.advice().unwrap_or("Write cpu=500m,memory=256Mi."),
        )),
    }
}

fn verify(word: Option<&str>) -> Result<Verify, Refusal> {
    match word {
        None | Some("none") => Ok(Verify::None),
        Some("checksum") => Ok(Verify::Checksum),
        Some(word @ ("decode" | "restore")) => Err(invalid(
            "verify",
            format_args!("{word} takes an identity, which the cluster does not hold"),
            format!(
                "Write checksum here, and run `ksnapshot verify --level {word}` where the identity is."
            ),
        )),
        Some(word) => Err(invalid(
            "verify",
            format_args!("{word:?} is no level"),
            "Write none or checksum.",
        )),
    }
}

fn rules(text: Option<&str>) -> Result<Option<String>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    match job::retention::words(text) {
        Ok(_) => Ok(Some(text.to_owned())),
        Err((what, fix)) => Err(invalid("retention", what, fix)),
    }
}

fn patterns(key: &str, text: Option<&str>) -> Result<Vec<String>, Refusal> {
    let words = list(text);
    for word in &words {
        Pattern::parse(word).map_err(|error| {
            invalid(
                key,
                &error,
                error
                    .advice()
                    .unwrap_or("Write patterns such as shop.orders, *.log_??."),
            )
        })?;
    }
    Ok(words)
}

/// Words between commas; those of double quotes divide nothing.
fn list(text: Option<&str>) -> Vec<String> {
    let mut is_quoted = false;
    let divides = |c: char| {
        is_quoted ^= c == '"';
        c == ',' && !is_quoted
    };
    let words = text.unwrap_or_default().split(divides).map(str::trim);
    words
        .filter(|w| !w.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

fn jitter(text: Option<&str>) -> Result<Option<Duration>, Refusal> {
    // Nothing runs twice at once, so that a longer one would leave runs out.
    const LONGEST: Duration = Duration::from_secs(24 * 3600);
    match duration("jitter", text)? {
        Some(jitter) if jitter > LONGEST => {
            Err(invalid("jitter", "longer than a day", "Write at most 24h."))
        }
        jitter => Ok(jitter.filter(|jitter| !jitter.is_zero())),
    }
}

fn starting_deadline(text: Option<&str>) -> Result<Duration, Refusal> {
    // Kubernetes looks every ten seconds, and would miss what may be no later than that.
    const SHORTEST: Duration = Duration::from_secs(10);
    match duration("starting-deadline", text)? {
        Some(deadline) if deadline <= SHORTEST => Err(invalid(
            "starting-deadline",
            "so short that Kubernetes may never begin a run",
            "Write more than 10s, such as 1h.",
        )),
        deadline => Ok(deadline.unwrap_or(Duration::from_secs(3600))),
    }
}

fn duration(key: &str, text: Option<&str>) -> Result<Option<Duration>, Refusal> {
    read_as(key, text, "a time such as 90s, 10m or 2h", |text| {
        let span: Span = text.parse().ok()?;
        let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
        Duration::try_from(length).ok()
    })
}

fn read_as<T>(
    key: &str,
    text: Option<&str>,
    wanted: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    match read(text) {
        Some(value) => Ok(Some(value)),
        None => Err(invalid(
            key,
            format_args!("{text:?} is not {wanted}"),
            format!("Write {wanted}."),
        )),
    }
}

fn invalid(key: &str, what: impl Display, fix: impl Into<String>) -> Refusal {
    Refusal::new(Reason::AnnotationInvalid, about(key, what), fix)
}

/// What is wrong with an annotation. What names itself is not named twice.
fn about(key: &str, what: impl Display) -> String {
    let what = what.to_string();
    let names = [key, "recipient", "time zone", "table pattern"];
    let bare = names
        .iter()
        .find_map(|name| what.strip_prefix(name)?.strip_prefix([' ', ':']));
    format!("annotation {key}: {}", bare.unwrap_or(&what).trim_start())
}
