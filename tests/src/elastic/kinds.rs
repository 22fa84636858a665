//! Everything that there is to be dumped: each type of field, each setting and kind of definition that a server knows, and
//! documents that are hard to hand on.
//!
//! The data is in `tests/elastic`: `fields.json` has types of fields with values, `indices.json` indices with documents,
//! `others.json` templates, pipelines and scripts. An entry is for the servers that it names (`on`), or for all. Texts of
//! sources reach the server as they are there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Elastic, Version, segment};

/// A document: an id, unless the server is to choose it; a routing; a source.
type Document = (Option<String>, Option<String>, Box<RawValue>);

/// What [`load`] has made, by name, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Indices, without those behind streams.
    pub indices: Vec<String>,
    /// Data streams.
    pub streams: Vec<String>,
    /// Index templates.
    pub templates: Vec<String>,
    /// Component templates.
    pub component_templates: Vec<String>,
    /// Index templates in the form from before 7.8.
    pub legacy_templates: Vec<String>,
    /// Ingest pipelines.
    pub pipelines: Vec<String>,
    /// Search pipelines.
    pub search_pipelines: Vec<String>,
    /// Stored scripts.
    pub scripts: Vec<String>,
}

impl Loaded {
    /// All that isn't an index or a stream: its kind, as paths have it, and its names. In this order one can be made after
    /// the other.
    pub fn definitions(&self) -> [(&'static str, &[String]); 6] {
        [
            ("_scripts", &self.scripts),
            ("_ingest/pipeline", &self.pipelines),
            ("_search/pipeline", &self.search_pipelines),
            ("_component_template", &self.component_templates),
            ("_index_template", &self.templates),
            ("_template", &self.legacy_templates),
        ]
    }

    /// Removes all of it; what isn't there anymore is fine.
    pub fn remove(&self, server: &Elastic) -> Result<()> {
        let remove = |path: String| -> Result<()> {
            let (status, answer) = server.try_request("DELETE", &path, "")?;
            ensure!(
                status < 400 || status == 404,
                "DELETE {path}: {status} {answer}"
            );
            Ok(())
        };
        for stream in &self.streams {
            remove(format!("/_data_stream/{}", segment(stream)))?;
        }
        for index in &self.indices {
            remove(format!("/{}", segment(index)))?;
        }
        for (kind, names) in self.definitions().into_iter().rev() {
            for name in names {
                remove(format!("/{kind}/{}", segment(name)))?;
            }
        }
        Ok(())
    }

    fn names_of(&mut self, kind: &str) -> Option<&mut Vec<String>> {
        Some(match kind {
            "_scripts" => &mut self.scripts,
            "_ingest/pipeline" => &mut self.pipelines,
            "_search/pipeline" => &mut self.search_pipelines,
            "_component_template" => &mut self.component_templates,
            "_index_template" => &mut self.templates,
            "_template" => &mut self.legacy_templates,
            _ => return None,
        })
    }
}

/// Makes all that the server knows, under names that begin with `prefix` and a hyphen. Takes one to three seconds.
///
/// All of it can be made again from what the server tells of it, documents with their ids included.
pub fn load(server: &Elastic, prefix: &str) -> Result<Loaded> {
    let mut loaded = Loaded::default();
    let kinds: BTreeMap<String, BTreeMap<String, Entry>> = read("others.json", prefix)?;
    for (kind, entries) in kinds {
        for (name, entry) in entries {
            if entry.is_on(server.version()) {
                server.put(&format!("/{kind}/{}", segment(&name)), &entry.body)?;
                loaded
                    .names_of(&kind)
                    .context("a kind that isn't known")?
                    .push(name);
            }
        }
    }
    let indices: BTreeMap<String, Entry> = read("indices.json", prefix)?;
    for (name, entry) in indices {
        if entry.is_on(server.version()) {
            entry.create(server, &name)?;
            loaded.indices.push(name);
        }
    }
    long(server, &format!("{prefix}-hostile"))?;
    loaded.indices.push(fields(server, prefix)?);
    loaded.indices.push(many(server, prefix)?);
    loaded.indices.sort();
    if server.version().has_data_streams() {
        loaded.streams = streams(server, prefix)?;
    }
    Ok(loaded)
}

/// Makes indices of which the server doesn't keep all: their sources can't be read back, or only in part. Gives their
/// names.
pub fn without_sources(server: &Elastic, prefix: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for (name, source) in [
        ("nothing", json!({"enabled": false})),
        (
            "part",
            json!({"includes": ["kept.*"], "excludes": ["kept.not"]}),
        ),
    ] {
        let name = format!("{prefix}-{name}-kept");
        server.put(
            &format!("/{name}"),
            json!({"mappings": {"_source": source}}),
        )?;
        server.bulk(&name, [("1", None, r#"{"kept":{"n":1,"not":2},"gone":3}"#)])?;
        names.push(name);
    }
    Ok(names)
}

/// Makes an index that takes no ids, so that its documents can't be made again with theirs, and gives its name; only
/// OpenSearch 3 has such.
pub fn append_only(server: &Elastic, prefix: &str) -> Result<String> {
    let name = format!("{prefix}-append-only");
    server.put(
        &format!("/{name}"),
        json!({"settings": {"append_only": {"enabled": true}}}),
    )?;
    server.post(&format!("/{name}/_doc?refresh=true"), r#"{"n":1}"#)?;
    Ok(name)
}

/// The names of all types of fields with the servers that know them, from `fields.json`, each with its mapping.
pub fn field_types() -> Result<Vec<(String, Vec<Version>, Value)>> {
    let fields: BTreeMap<String, Field> = read("fields.json", "")?;
    let fields = fields.into_iter().map(|(name, field)| {
        let known = Version::ALL
            .into_iter()
            .filter(|version| is_on(&field.on, *version));
        (name, known.collect(), field.mapping)
    });
    Ok(fields.collect())
}

/// Of `indices.json` and `others.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    on: Option<Vec<String>>,
    body: Box<RawValue>,
    /// Settings that are made once the documents are there.
    then: Option<Value>,
    #[serde(default)]
    documents: Vec<Document>,
}

/// Of `fields.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Field {
    on: Option<Vec<String>>,
    mapping: Value,
    values: Vec<Box<RawValue>>,
}

fn is_on(names: &Option<Vec<String>>, version: Version) -> bool {
    names
        .as_ref()
        .is_none_or(|names| names.iter().any(|name| name == version.name()))
}

fn read<T: DeserializeOwned>(file: &str, prefix: &str) -> Result<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("elastic")
        .join(file);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text.replace("PREFIX", prefix))
        .with_context(|| path.display().to_string())
}

impl Entry {
    fn is_on(&self, version: Version) -> bool {
        is_on(&self.on, version)
    }

    fn create(&self, server: &Elastic, name: &str) -> Result<()> {
        let index = segment(name);
        server.put(&format!("/{index}"), &self.body)?;
        for (id, routing, source) in &self.documents {
            index_one(
                server,
                &index,
                id.as_deref(),
                routing.as_deref(),
                source.get(),
            )?;
        }
        server.post(&format!("/{index}/_refresh"), "")?;
        if let Some(settings) = &self.then {
            server.put(&format!("/{index}/_settings"), settings)?;
        }
        Ok(())
    }
}

/// By itself, as white space and line feeds in its source are to be kept.
fn index_one(
    server: &Elastic,
    index: &str,
    id: Option<&str>,
    routing: Option<&str>,
    source: &str,
) -> Result<()> {
    let id = id.map_or(String::new(), segment);
    let routing = routing.map_or(String::new(), |routing| {
        format!("?routing={}", segment(routing))
    });
    let path = format!("/{index}/_doc/{id}{routing}");
    let made = if id.is_empty() {
        server.post(&path, source)
    } else {
        server.put(&path, source)
    };
    made.with_context(|| source.chars().take(100).collect::<String>())
        .map(drop)
}

/// All types of fields in one index, with a document for each value of each.
fn fields(server: &Elastic, prefix: &str) -> Result<String> {
    let name = format!("{prefix}-fields");
    let mut fields: BTreeMap<String, Field> = read("fields.json", prefix)?;
    fields.retain(|_, field| is_on(&field.on, server.version()));
    let properties: BTreeMap<_, _> = fields
        .iter()
        .map(|(name, field)| (name, &field.mapping))
        .collect();
    let body = json!({"settings": {"number_of_shards": 2}, "mappings": {"dynamic": "strict", "properties": properties}});
    server.put(&format!("/{name}"), body)?;
    let mut documents = Vec::new();
    for (field, Field { values, .. }) in &fields {
        for (number, value) in values.iter().enumerate() {
            let source = format!("{{\"{field}\": {}}}", value.get());
            documents.push((format!("{field}-{number}"), None, source));
        }
    }
    server.bulk(&name, documents)?;
    Ok(name)
}

/// Ids and routings of the greatest length, and sources of a megabyte.
fn long(server: &Elastic, index: &str) -> Result<()> {
    let (id, routing) = ("x".repeat(512), "r".repeat(3000));
    let text = |letter: &str| format!("{{\"t\":\"{}\"}}", letter.repeat((1 << 20) / letter.len()));
    let keys: Vec<_> = (0..60_000).map(|n| format!("\"key {n}\":{n}")).collect();
    let spaces = format!(
        "{{{}\"n\"{}:1.0\n}}",
        " ".repeat(1 << 20),
        "\t".repeat(1000)
    );
    let documents = [
        (id, Some(routing), r#"{"n":1}"#.to_owned()),
        ("é".repeat(256), None, r#"{"n":2}"#.to_owned()),
        ("\"\\\n".repeat(170), None, r#"{"n":3}"#.to_owned()),
        ("megabyte of a".to_owned(), None, text("a")),
        ("megabyte of quotes".to_owned(), None, text("\\\"")),
        (
            "megabyte of smiles".to_owned(),
            Some("r".to_owned()),
            text("😀"),
        ),
        (
            "megabyte of keys".to_owned(),
            None,
            format!("{{{}}}", keys.join(",")),
        ),
        ("megabyte of spaces".to_owned(), None, spaces),
    ];
    server.bulk(index, documents)
}

/// Many documents: some with a routing, some that were written twice, some that are gone again, all with others in them.
fn many(server: &Elastic, prefix: &str) -> Result<String> {
    let name = format!("{prefix}-many");
    let mapping = json!({"properties": {"n": {"type": "long"}, "in": {"type": "nested", "properties": {"m": {"type": "long"}}}}});
    let settings = json!({"number_of_shards": 3, "number_of_replicas": 0});
    server.put(
        &format!("/{name}"),
        json!({"settings": settings, "mappings": mapping}),
    )?;
    let document = |n: u32| {
        let routing = n.is_multiple_of(7).then(|| format!("r{}", n % 5));
        (
            format!("id {n}"),
            routing,
            format!("{{\"n\":{n},\"in\":[{{\"m\":{n}}},{{\"m\":1}}]}}"),
        )
    };
    server.bulk(&name, (0..1000).map(document))?;
    server.bulk(&name, (0..1000).step_by(11).map(document))?;
    let gone = (0..1000).step_by(13).map(document);
    let gone: String = gone
        .map(|(id, routing, _)| match routing {
            Some(routing) => json!({"delete": {"_id": id, "routing": routing}}),
            None => json!({"delete": {"_id": id}}),
        })
        .map(|line| format!("{line}\n"))
        .collect();
    let done = server.post(&format!("/{name}/_bulk?refresh=true"), gone)?;
    ensure!(done["errors"] == false, "{name}: {done}");
    Ok(name)
}

/// One with two indices behind it, and an empty one.
fn streams(server: &Elastic, prefix: &str) -> Result<Vec<String>> {
    let (full, empty) = (format!("{prefix}-stream"), format!("{prefix}-stream-empty"));
    server.put(&format!("/_data_stream/{empty}"), "")?;
    for (id, rolls) in [("1", false), ("2", true), ("é \"3\"", false)] {
        let source = format!(
            "{{ \"at\": \"2024-01-01T00:00:00Z\", \"message\": \"of {}\" }}",
            id.len()
        );
        server.put(
            &format!("/{full}/_create/{}?refresh=true", segment(id)),
            source,
        )?;
        if rolls {
            server.post(&format!("/{full}/_rollover"), "")?;
        }
    }
    Ok(vec![full, empty])
}
