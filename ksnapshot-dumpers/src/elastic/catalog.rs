//! Reading definitions. Their text stays as the server sent it.

use std::collections::{BTreeMap, BTreeSet};

use ksnapshot_core::{Error, ErrorKind, Problem, ProblemKind, Result};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::choice::{self, Found, Kind};
use super::http::{Client, segment};
use super::version::{Flavour, Server};

/// Names in one request: servers take lines of 4,096 bytes.
const NAMES: usize = 3_000;

/// Everything that is dumped but the documents.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    pub(super) indices: Vec<Index>,
    pub(super) streams: Vec<Stream>,
    /// What belongs to the cluster and to no index: by kind, then by name.
    pub(super) globals: Vec<Global>,
    pub(super) problems: Vec<Problem>,
}

/// An index.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) name: String,
    pub(super) settings: Box<RawValue>,
    pub(super) mappings: Box<RawValue>,
    pub(super) aliases: Box<RawValue>,
    pub(super) size: Size,
    /// It was closed, and is open for the dump only.
    pub(super) closed: bool,
}

/// About how much there is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Size {
    pub(super) documents: u64,
    pub(super) bytes: u64,
}

/// A data stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) name: String,
    pub(super) template: Option<String>,
    /// As the server tells it.
    pub(super) definition: Box<RawValue>,
    /// Of its newest index.
    pub(super) mappings: Box<RawValue>,
    pub(super) settings: Box<RawValue>,
    pub(super) aliases: Box<RawValue>,
    pub(super) size: Size,
}

/// A template, a pipeline, a policy or a script.
#[derive(Debug)]
pub(super) struct Global {
    pub(super) kind: GlobalKind,
    pub(super) name: String,
    pub(super) definition: Box<RawValue>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum GlobalKind {
    Script,
    Pipeline,
    /// OpenSearch has them.
    SearchPipeline,
    Policy,
    ComponentTemplate,
    IndexTemplate,
    Template,
}

impl GlobalKind {
    pub(super) const ALL: [Self; 7] = [
        Self::Script,
        Self::Pipeline,
        Self::SearchPipeline,
        Self::Policy,
        Self::ComponentTemplate,
        Self::IndexTemplate,
        Self::Template,
    ];

    /// As it is called in names of objects.
    pub(super) fn content(self) -> &'static str {
        match self {
            Self::Script => "script",
            Self::Pipeline => "pipeline",
            Self::SearchPipeline => "search_pipeline",
            Self::Policy => "policy",
            Self::ComponentTemplate => "component_template",
            Self::IndexTemplate => "index_template",
            Self::Template => "template",
        }
    }

    /// As a person would call it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Script => "stored script",
            Self::Pipeline => "ingest pipeline",
            Self::SearchPipeline => "search pipeline",
            Self::Policy => "lifecycle policy",
            Self::ComponentTemplate => "component template",
            Self::IndexTemplate => "index template",
            Self::Template => "legacy template",
        }
    }

    /// Whether servers of this family know it.
    pub(super) fn is_of(self, flavour: Flavour) -> bool {
        self != Self::SearchPipeline || flavour == Flavour::OpenSearch
    }

    /// Where one is read, written and deleted.
    pub(super) fn path(self, flavour: Flavour, name: &str) -> String {
        let folder = match (self, flavour) {
            (Self::Script, _) => "_scripts",
            (Self::Pipeline, _) => "_ingest/pipeline",
            (Self::SearchPipeline, _) => "_search/pipeline",
            (Self::Policy, Flavour::Elasticsearch) => "_ilm/policy",
            (Self::Policy, Flavour::OpenSearch) => "_plugins/_ism/policies",
            (Self::ComponentTemplate, _) => "_component_template",
            (Self::IndexTemplate, _) => "_index_template",
            (Self::Template, _) => "_template",
        };
        format!("/{folder}/{}", segment(name))
    }
}

/// Reads what `patterns` mean, and what belongs to the cluster.
pub(super) async fn read(
    client: &Client,
    server: &Server,
    patterns: &[String],
    hidden: bool,
    closed: bool,
) -> Result<Catalog> {
    let mut catalog = Catalog::default();
    let streams = streams(client, server).await?;
    let backing: BTreeSet<&str> = (streams.iter())
        .flat_map(|s| s.indices.iter().map(|i| i.index_name.as_str()))
        .collect();
    let listed = listed(client).await?;
    let quiet = quiet(client).await?;
    let mut found: Vec<Found> = (listed.iter())
        .filter(|(name, _)| !backing.contains(name.as_str()))
        .map(|(name, line)| Found {
            name: name.clone(),
            kind: Kind::Index,
            hidden: name.starts_with('.') || quiet.contains(name),
            closed: line.closed,
        })
        .collect();
    found.extend(streams.iter().map(|s| Found {
        name: s.name.clone(),
        kind: Kind::Stream,
        hidden: s.hidden || s.name.starts_with('.'),
        closed: false,
    }));
    let mut patterns = patterns.to_vec();
    for alias in choice::unknown(&found, &patterns.clone()) {
        patterns.extend(behind(client, alias).await?);
    }
    let chosen = choice::choose(&found, &patterns, hidden);

    let mut names = Vec::new();
    for one in chosen.iter().filter(|one| one.kind == Kind::Index) {
        if one.closed && !closed {
            catalog.problems.push(Problem {
                kind: ProblemKind::Unreadable,
                object: format!("index {}", one.name),
                message: "it is closed, so that its documents can't be read".into(),
                hint: Some(
                    "Dump it with --closed, which opens it meanwhile, or leave it out with --index -NAME."
                        .into(),
                ),
            });
            continue;
        }
        names.push(one.name.clone());
    }
    let newest = |name: &str| {
        let stream = streams.iter().find(|s| s.name == name)?;
        Some((stream, stream.indices.last()?.index_name.clone()))
    };
    let of_streams: Vec<_> = (chosen.iter())
        .filter(|one| one.kind == Kind::Stream)
        .filter_map(|one| newest(&one.name))
        .collect();
    let mut all = names.clone();
    all.extend(of_streams.iter().map(|(_, index)| index.clone()));
    let mut parts = parts(client, &all).await?;
    for name in names {
        // Deleted since it was listed: then it is not there, as if it had never been.
        let Some(part) = parts.remove(&name) else {
            continue;
        };
        let line = listed.get(&name).copied().unwrap_or_default();
        catalog.indices.push(Index {
            name,
            settings: part.settings,
            mappings: part.mappings,
            aliases: part.aliases,
            size: line.size,
            closed: line.closed,
        });
    }
    let mut aliases = match of_streams.is_empty() {
        true => BTreeMap::new(),
        false => aliases_of_streams(client).await?,
    };
    for (stream, index) in of_streams {
        let Some(part) = parts.remove(&index) else {
            continue;
        };
        let sizes = (stream.indices.iter()).filter_map(|i| Some(listed.get(&i.index_name)?.size));
        catalog.streams.push(Stream {
            name: stream.name.clone(),
            template: stream.template.clone(),
            definition: stream.definition.clone(),
            mappings: part.mappings,
            settings: part.settings,
            aliases: aliases.remove(&stream.name).unwrap_or_else(empty),
            size: sizes.fold(Size::default(), |sum, size| Size {
                documents: sum.documents + size.documents,
                bytes: sum.bytes + size.bytes,
            }),
        });
    }
    for kind in GlobalKind::ALL {
        match every(client, server, kind).await? {
            Ok(found) => catalog.globals.extend(own(kind, found)),
            Err(error) => catalog.problems.push(Problem {
                kind: ProblemKind::Unreadable,
                object: format!("every {}", kind.title()),
                message: error.to_string(),
                hint: error.advice().map(ToOwned::to_owned),
            }),
        }
    }
    catalog.problems.extend(sources(&catalog)?);
    Ok(catalog)
}

fn parse<T: DeserializeOwned>(what: &str, body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|cause| {
        Error::new(
            ErrorKind::Server,
            format!("{what}: the answer can't be read"),
        )
        .source(cause)
    })
}

fn empty() -> Box<RawValue> {
    RawValue::from_string("{}".into()).expect("valid")
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Line {
    size: Size,
    closed: bool,
}

/// Every index of the cluster, closed and hidden ones included.
pub(super) async fn listed(client: &Client) -> Result<BTreeMap<String, Line>> {
    #[derive(Deserialize)]
    struct Row {
        index: String,
        status: Option<String>,
        #[serde(rename = "docs.count")]
        documents: Option<String>,
        #[serde(rename = "pri.store.size")]
        bytes: Option<String>,
    }
    let path = "/_cat/indices?format=json&bytes=b&expand_wildcards=all&h=index,status,docs.count,pri.store.size";
    let rows: Vec<Row> = parse("list of indices", &client.get(path).await?)?;
    let number = |text: Option<String>| text.and_then(|t| t.parse().ok()).unwrap_or(0);
    Ok((rows.into_iter())
        .map(|row| {
            let line = Line {
                closed: row.status.as_deref() == Some("close"),
                size: Size {
                    documents: number(row.documents),
                    bytes: number(row.bytes),
                },
            };
            (row.index, line)
        })
        .collect())
}

/// Names of indices with the setting `index.hidden`.
async fn quiet(client: &Client) -> Result<Vec<String>> {
    let path = "/_all/_settings/index.hidden?flat_settings=true&expand_wildcards=all";
    let Some(body) = client.find(path).await? else {
        return Ok(Vec::new());
    };
    let found: BTreeMap<String, Value> = parse("hidden indices", &body)?;
    Ok((found.into_iter())
        .filter(|(_, v)| v["settings"]["index.hidden"] == "true")
        .map(|(name, _)| name)
        .collect())
}

/// The indices behind an alias.
async fn behind(client: &Client, alias: &str) -> Result<Vec<String>> {
    let path = format!("/_alias/{}", segment(alias));
    match client.find(&path).await? {
        Some(body) => {
            let found: BTreeMap<String, Value> = parse("alias", &body)?;
            Ok(found.into_keys().collect())
        }
        None => Err(Error::new(
            ErrorKind::Failed,
            format!("index {alias}: not found"),
        )
        .hint("See what there is with `curl CLUSTER/_cat/indices`; patterns such as logs-* may mean nothing.")),
    }
}

/// Aliases by the name of what they stand for; those of data streams are told nowhere else.
async fn aliases_of_streams(client: &Client) -> Result<BTreeMap<String, Box<RawValue>>> {
    #[derive(Deserialize)]
    struct Told {
        aliases: Box<RawValue>,
    }
    let Some(body) = client.find("/_alias?expand_wildcards=all").await? else {
        return Ok(BTreeMap::new());
    };
    let found: BTreeMap<String, Told> = parse("aliases", &body)?;
    Ok(found
        .into_iter()
        .map(|(name, told)| (name, told.aliases))
        .collect())
}

#[derive(Debug)]
pub(super) struct FoundStream {
    pub(super) name: String,
    template: Option<String>,
    hidden: bool,
    indices: Vec<Backing>,
    definition: Box<RawValue>,
}

#[derive(Debug, Deserialize)]
struct Backing {
    index_name: String,
}

pub(super) async fn streams(client: &Client, server: &Server) -> Result<Vec<FoundStream>> {
    #[derive(Deserialize)]
    struct Answer {
        data_streams: Vec<Box<RawValue>>,
    }
    #[derive(Deserialize)]
    struct Told {
        name: String,
        #[serde(default)]
        template: Option<String>,
        #[serde(default)]
        hidden: bool,
        #[serde(default)]
        indices: Vec<Backing>,
    }
    let Some(body) = client.find(server.data_streams()).await? else {
        return Ok(Vec::new());
    };
    let Answer { data_streams } = parse("data streams", &body)?;
    (data_streams.into_iter())
        .map(|definition| {
            let told: Told = parse("data stream", definition.get().as_bytes())?;
            Ok(FoundStream {
                name: told.name,
                template: told.template,
                hidden: told.hidden,
                indices: told.indices,
                definition,
            })
        })
        .collect()
}

#[derive(Debug, Deserialize)]
struct Parts {
    settings: Box<RawValue>,
    mappings: Box<RawValue>,
    aliases: Box<RawValue>,
}

async fn parts(client: &Client, names: &[String]) -> Result<BTreeMap<String, Parts>> {
    let mut parts = BTreeMap::new();
    let mut rest = names;
    while !rest.is_empty() {
        let mut length = 0;
        let many = (rest.iter())
            .take_while(|name| {
                length += segment(name).len() + 1;
                length <= NAMES
            })
            .count()
            .max(1);
        let (now, later) = rest.split_at(many);
        rest = later;
        let list: Vec<String> = now.iter().map(|n| segment(n)).collect();
        let path = format!(
            "/{}?ignore_unavailable=true&expand_wildcards=all",
            list.join(",")
        );
        if let Some(body) = client.find(&path).await? {
            let found: BTreeMap<String, Parts> = parse("definitions of indices", &body)?;
            parts.extend(found);
        }
    }
    Ok(parts)
}

/// Name and definition of everything of a kind; within, the refusal to list it.
pub(super) async fn every(
    client: &Client,
    server: &Server,
    kind: GlobalKind,
) -> Result<Result<Vec<(String, Box<RawValue>)>>> {
    if !kind.is_of(server.flavour) {
        return Ok(Ok(Vec::new()));
    }
    let folder = kind.path(server.flavour, "");
    let path = match (kind, server.flavour) {
        // There is no way to list scripts but the state of the cluster.
        (GlobalKind::Script, _) => {
            "/_cluster/state/metadata?filter_path=metadata.stored_scripts".to_owned()
        }
        (GlobalKind::Policy, Flavour::OpenSearch) => {
            format!("{}?size=10000", folder.trim_end_matches('/'))
        }
        _ => folder.trim_end_matches('/').to_owned(),
    };
    let reply = client.patiently(Method::GET, &path, None).await?;
    if reply.is_unknown() {
        return Ok(Ok(Vec::new()));
    }
    if reply.status == StatusCode::FORBIDDEN {
        return Ok(Err(reply.error(&path)));
    }
    let body = reply.good(&path)?;
    let what = format!("every {}", kind.title());
    Ok(Ok(match (kind, server.flavour) {
        (GlobalKind::Script, _) => {
            #[derive(Deserialize, Default)]
            struct State {
                #[serde(default)]
                metadata: Metadata,
            }
            #[derive(Deserialize, Default)]
            struct Metadata {
                #[serde(default)]
                stored_scripts: BTreeMap<String, Box<RawValue>>,
            }
            parse::<State>(&what, &body)?
                .metadata
                .stored_scripts
                .into_iter()
                .collect()
        }
        (GlobalKind::ComponentTemplate | GlobalKind::IndexTemplate, _) => {
            #[derive(Deserialize)]
            struct Named {
                name: String,
                #[serde(alias = "component_template", alias = "index_template")]
                definition: Box<RawValue>,
            }
            #[derive(Deserialize)]
            struct Answer {
                #[serde(alias = "component_templates", alias = "index_templates")]
                templates: Vec<Named>,
            }
            let Answer { templates } = parse(&what, &body)?;
            templates
                .into_iter()
                .map(|t| (t.name, t.definition))
                .collect()
        }
        (GlobalKind::Policy, Flavour::OpenSearch) => {
            #[derive(Deserialize)]
            struct Named {
                #[serde(rename = "_id")]
                id: String,
                policy: Box<RawValue>,
            }
            #[derive(Deserialize)]
            struct Answer {
                policies: Vec<Named>,
            }
            let Answer { policies } = parse(&what, &body)?;
            policies.into_iter().map(|p| (p.id, p.policy)).collect()
        }
        (GlobalKind::Policy, Flavour::Elasticsearch) => {
            #[derive(Deserialize)]
            struct Told {
                policy: Box<RawValue>,
            }
            let found: BTreeMap<String, Told> = parse(&what, &body)?;
            found
                .into_iter()
                .map(|(name, told)| (name, told.policy))
                .collect()
        }
        _ => parse::<BTreeMap<String, Box<RawValue>>>(&what, &body)?
            .into_iter()
            .collect(),
    }))
}

/// Those of a kind that the server does not make itself.
fn own(kind: GlobalKind, found: Vec<(String, Box<RawValue>)>) -> Vec<Global> {
    let mut globals: Vec<Global> = (found.into_iter())
        .filter(|(name, definition)| !name.starts_with('.') && !is_managed(definition))
        .map(|(name, definition)| Global {
            kind,
            name,
            definition,
        })
        .collect();
    globals.sort_by(|a, b| a.name.cmp(&b.name));
    globals
}

/// What the server or its companions keep up themselves says so.
fn is_managed(definition: &RawValue) -> bool {
    #[derive(Deserialize, Default)]
    struct Told {
        #[serde(default, rename = "_meta")]
        meta: Value,
    }
    let told: Told = serde_json::from_str(definition.get()).unwrap_or_default();
    told.meta["managed"] == true
}

/// Documents are dumped by their `_source`: where that was never kept there is nothing to dump, and where fields are left out of
/// it they are lost.
fn sources(catalog: &Catalog) -> Result<Vec<Problem>> {
    #[derive(Deserialize, Default)]
    struct Told {
        #[serde(default, rename = "_source")]
        source: Source,
    }
    #[derive(Deserialize)]
    struct Source {
        #[serde(default = "yes")]
        enabled: bool,
        #[serde(default)]
        includes: Vec<String>,
        #[serde(default)]
        excludes: Vec<String>,
    }
    fn yes() -> bool {
        true
    }
    impl Default for Source {
        fn default() -> Self {
            Self {
                enabled: true,
                includes: Vec::new(),
                excludes: Vec::new(),
            }
        }
    }
    let mappings = (catalog
        .indices
        .iter()
        .map(|i| ("index", &i.name, &i.mappings)))
    .chain(
        catalog
            .streams
            .iter()
            .map(|s| ("data stream", &s.name, &s.mappings)),
    );
    let mut problems = Vec::new();
    for (kind, name, mappings) in mappings {
        let Told { source } = parse("mapping", mappings.get().as_bytes())?;
        if !source.enabled {
            return Err(Error::new(
                ErrorKind::Failed,
                format!("{kind} {name}: its _source is disabled, so that its documents can't be dumped"),
            )
            .hint(format!(
                "Leave it out with --index '*' --index -{name}, and snapshot it by the cluster's own means."
            )));
        }
        if !source.includes.is_empty() || !source.excludes.is_empty() {
            problems.push(Problem {
                kind: ProblemKind::Unreadable,
                object: format!("{kind} {name}"),
                message: "its _source leaves fields out, which can't be dumped".into(),
                hint: Some("Snapshot it by the cluster's own means, too.".into()),
            });
        }
    }
    Ok(problems)
}
