//! Writing a snapshot back.

use std::collections::BTreeMap;
use std::sync::Mutex;

use ksnapshot_core::{
    Bytes, Cx, DataStats, Error, ErrorKind, Event, Frame, Index, Item, Loaded, RestoreOptions,
    RestoreSession, Result, async_trait,
};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::bulk::{self, Action, Pace};
use super::catalog::GlobalKind;
use super::connect::Elastic;
use super::http::{Client, segment};
use super::line::Document;
use super::lock;
use super::rejected::Rejected;
use super::script::{ALIAS, ANALYZER, INDEX, MAPPING, SETTINGS, STREAM, global_definition, shape};
use super::settings::{self, Settings};
use super::target::{self, Names};
use super::version::Server;
use super::view::View;

/// How many settings of one index a target may refuse one after the other.
const REFUSALS: usize = 64;

/// What a server adds to definitions by itself, and takes from nobody.
const STAMPS: [&str; 8] = [
    "created_date",
    "created_date_millis",
    "error_notification",
    "last_updated_time",
    "modified_date",
    "modified_date_millis",
    "policy_id",
    "schema_version",
];

/// A target that is being written to.
pub(super) struct Session {
    client: Client,
    server: Server,
    names: Names,
    clean: bool,
    drill: bool,
    pace: Pace,
    rejected: Rejected,
    /// Documents of each index or data stream, as dumped; by the id of its definition.
    expected: BTreeMap<u32, u64>,
    refused: Mutex<BTreeMap<u32, u64>>,
    /// Settings that the target does not know, by the index's name.
    unknown: Mutex<BTreeMap<String, Vec<String>>>,
    /// What has to wait until everything else is done.
    last: Mutex<Vec<Last>>,
    cx: Cx,
}

/// Settings to put at the end.
struct Last {
    /// The definition's id, of a data stream, whose documents are counted then, too.
    stream: Option<u32>,
    name: String,
    settings: Map<String, Value>,
}

/// As an error that lets the restore go on.
fn refused(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Refused, message)
}

impl Session {
    pub(super) async fn open(
        target: &Elastic,
        index: &Index,
        items: &[u32],
        options: RestoreOptions,
        cx: &Cx,
    ) -> Result<Self> {
        if options.create {
            return Err(Error::new(
                ErrorKind::Usage,
                "a cluster has no database that --create could make",
            )
            .hint("Leave --create away: indices are always made."));
        }
        let names = Names::new(target, index, items)?;
        let rejected = Rejected::new(target.restore.rejected.as_deref())?;
        let (client, server) = target.connect().await?;
        let wanted: Vec<(String, bool)> = (items.iter().map(|&id| &index.items[id as usize]))
            .filter(|i| i.kind == INDEX || i.kind == STREAM)
            .map(|i| (names.of(&i.name), i.kind == STREAM))
            .collect();
        target::make_room(&client, &wanted, options.clean).await?;
        Ok(Self {
            expected: (index.items.iter())
                .filter_map(|item| Some((item.table?, item.data?.rows)))
                .collect(),
            ..Self::new(target, client, server, names, options.clean, rejected, cx)
        })
    }

    pub(super) fn new(
        target: &Elastic,
        client: Client,
        server: Server,
        names: Names,
        clean: bool,
        rejected: Rejected,
        cx: &Cx,
    ) -> Self {
        Self {
            client,
            server,
            names,
            clean,
            drill: target.scratch.is_some(),
            pace: Pace::new(),
            rejected,
            expected: BTreeMap::new(),
            refused: Mutex::default(),
            unknown: Mutex::default(),
            last: Mutex::default(),
            cx: cx.clone(),
        }
    }

    /// Makes an index without what would be in the way of its documents.
    pub(super) async fn create(&self, name: &str, json: &Value) -> Result<()> {
        let target = self.names.of(name);
        let path = format!("/{}", segment(&target));
        let mut settings = settings::divide(&json["settings"]).create;
        for _ in 0..REFUSALS {
            let mut all = settings.clone();
            all.extend(
                settings::while_loading()
                    .as_object()
                    .cloned()
                    .unwrap_or_default(),
            );
            let body = json!({ "settings": all, "mappings": json["mappings"] });
            let Err(error) = self.client.ask(Method::PUT, &path, &body).await else {
                return Ok(());
            };
            let told = error.to_string();
            // Sent twice because an answer was lost, it meets itself; the room was empty before.
            if told.contains("resource_already_exists_exception") {
                return Ok(());
            }
            match settings::refused(&told, &settings) {
                Some(key) if error.kind() == ErrorKind::Refused => {
                    settings.remove(&key);
                    lock(&self.unknown)
                        .entry(name.to_owned())
                        .or_default()
                        .push(key);
                }
                _ => return Err(error),
            }
        }
        Err(refused(
            "the target refuses its settings one after the other",
        ))
    }

    /// Compares what the target has made with what was asked for: a template of the target, or another version, may have made
    /// something else of it.
    async fn compare(&self, name: &str, what: &str, wanted: &Value, path: &[&str]) -> Result<()> {
        let target = self.names.of(name);
        let body = self
            .client
            .get(&format!("/{}/_{what}", segment(&target)))
            .await?;
        let found: Value = serde_json::from_slice(&body).unwrap_or_default();
        let at = |value: &Value| path.iter().fold(value.clone(), |v, key| v[*key].clone());
        if at(&found[&target]) == at(wanted) {
            return Ok(());
        }
        Err(refused("the target has made something else of it").hint(
            "Compare them with `ksnapshot cat` and the cluster's own: its version or one of its templates makes the difference.",
        ))
    }

    async fn stream(&self, item: &Item, json: &Value) -> Result<()> {
        let target = self.names.of(&item.name);
        let path = format!("/_data_stream/{}", segment(&target));
        match self.client.act(Method::PUT, &path).await {
            Ok(_) => {}
            Err(error)
                if error
                    .to_string()
                    .contains("resource_already_exists_exception") => {}
            Err(error) => return Err(error),
        }
        let mapping = format!("/{}/_mapping", segment(&target));
        self.client
            .ask(Method::PUT, &mapping, &json["mappings"])
            .await?;
        let Settings { mut later, .. } = settings::divide(&json["settings"]);
        for key in ["index.default_pipeline", "index.final_pipeline"] {
            later.entry(key).or_insert(Value::Null);
        }
        let mut loading = settings::while_loading();
        // A final pipeline can't be told to stay away by a bulk request.
        loading["index.final_pipeline"] = "_none".into();
        target::put_settings(&self.client, &target, &loading).await?;
        lock(&self.last).push(Last {
            stream: Some(item.id),
            name: item.name.clone(),
            settings: later,
        });
        Ok(())
    }

    /// Ends the load of an index: everything is searchable and counted, and the settings are those of the source.
    pub(super) async fn settle(
        &self,
        table: u32,
        name: &str,
        mut later: Map<String, Value>,
    ) -> Result<()> {
        let target = self.names.of(name);
        // Counted first: a search pipeline, which is a setting, may hide documents.
        let refused_rows = lock(&self.refused).get(&table).copied().unwrap_or(0);
        if let Some(expected) = self.expected.get(&table) {
            let found = target::count(&self.client, &target).await?;
            if found + refused_rows != *expected {
                return Err(Error::new(
                    ErrorKind::Failed,
                    format!("{found} documents are there, {expected} were dumped"),
                )
                .hint("Somebody else writes to the index, or deletes from it."));
            }
        }
        let mut unknown = lock(&self.unknown).remove(name).unwrap_or_default();
        for _ in 0..REFUSALS {
            let put = target::put_settings(&self.client, &target, &later.clone().into()).await;
            let Err(error) = put else { break };
            match settings::refused(&error.to_string(), &later) {
                Some(key) if error.kind() == ErrorKind::Refused => {
                    later.remove(&key);
                    unknown.push(key);
                }
                _ => return Err(error),
            }
        }
        if unknown.is_empty() {
            return Ok(());
        }
        Err(
            refused(format!("not known to the target: {}", unknown.join(", ")))
                .hint("Its version, flavour or plugins differ from the source's."),
        )
    }

    /// Aliases with their filters, routings and flags, all at once.
    pub(super) async fn alias(&self, name: &str, json: &Value) -> Result<()> {
        let target = self.names.of(name);
        let mut actions = Vec::new();
        for (alias, options) in json["aliases"].as_object().into_iter().flatten() {
            let mut add = options.clone();
            add["index"] = target.clone().into();
            add["alias"] = self.names.beside(alias).into();
            actions.push(json!({ "add": add }));
        }
        self.client
            .ask(Method::POST, "/_aliases", &json!({ "actions": actions }))
            .await?;
        Ok(())
    }

    /// A template, pipeline, policy or script. One that is there already stays, unless it's to be replaced.
    pub(super) async fn global(&self, kind: GlobalKind, name: &str, json: &Value) -> Result<()> {
        if !kind.is_of(self.server.flavour) {
            return Err(refused(format!(
                "a {} is nothing that the target knows",
                kind.title()
            )));
        }
        let definition = global_definition(kind, json).clone();
        let definition = stampless(self.names.within(kind, definition));
        let name = self.names.beside(name);
        let path = kind.path(self.server.flavour, &name);
        if let Some(body) = self.client.find(&path).await? {
            let found: Value = serde_json::from_slice(&body).unwrap_or_default();
            let found = stampless(found_definition(kind, &found, &name).clone());
            if found == definition {
                return Ok(());
            }
            if !found.is_null() && !self.clean {
                return Err(
                    refused("the target has another one of this name, which stays")
                        .hint("Replace it with --clean, or compare them and decide."),
                );
            }
        }
        let body = match kind {
            GlobalKind::Script => json!({ "script": definition }),
            GlobalKind::Policy => json!({ "policy": definition }),
            _ => definition,
        };
        self.client.ask(Method::PUT, &path, &body).await?;
        Ok(())
    }

    /// Writes documents to the index or data stream `target`, and keeps those that are refused.
    pub(super) async fn write(
        &self,
        target: &str,
        action: Action,
        documents: Vec<Document<'_>>,
    ) -> Result<Loaded> {
        let path = format!(
            "/{}/_bulk?pipeline=_none&filter_path=items.*.status,items.*.error",
            segment(target)
        );
        let written = bulk::write(&self.client, &path, action, documents, &self.pace)
            .await
            .map_err(|e| match e.kind() {
                ErrorKind::Refused => e.with_kind(ErrorKind::Failed),
                _ => e,
            })?;
        self.rejected.keep(&written.refused)?;
        Ok(Loaded {
            rows: written.rows,
            refused: written.refused.len() as u64,
        })
    }

    /// Tells of documents that were refused.
    pub(super) fn tell_rejected(&self) -> Result<()> {
        if let Some(told) = self.rejected.finish()? {
            self.cx.emit(&Event::Warning(&told));
        }
        Ok(())
    }
}

/// A definition without what servers add to it.
fn stampless(mut definition: Value) -> Value {
    if let Some(map) = definition.as_object_mut() {
        map.retain(|key, _| !STAMPS.contains(&key.as_str()));
    }
    definition
}

/// The definition of a thing out of what the server tells of it.
fn found_definition<'a>(kind: GlobalKind, found: &'a Value, name: &str) -> &'a Value {
    match kind {
        GlobalKind::Script => &found["script"],
        GlobalKind::ComponentTemplate => &found["component_templates"][0]["component_template"],
        GlobalKind::IndexTemplate => &found["index_templates"][0]["index_template"],
        // Elasticsearch tells it under its name, OpenSearch alone.
        GlobalKind::Policy if found["policy"].is_object() => &found["policy"],
        GlobalKind::Policy => &found[name]["policy"],
        GlobalKind::Pipeline | GlobalKind::SearchPipeline | GlobalKind::Template => &found[name],
    }
}

#[async_trait]
impl RestoreSession for Session {
    async fn define(&self, item: &Item, text: &str) -> Result<()> {
        let json = shape(&item.kind).json(text)?;
        let json: Value = serde_json::from_str(&json)
            .map_err(|e| Error::corrupt("a definition is no JSON").source(e))?;
        match item.kind.as_str() {
            INDEX => self.create(&item.name, &json).await,
            STREAM => self.stream(item, &json).await,
            MAPPING => {
                self.compare(&item.name, "mapping", &json, &["mappings"])
                    .await
            }
            ANALYZER => {
                let path = ["settings", "index", "analysis"];
                self.compare(&item.name, "settings", &json, &path).await
            }
            SETTINGS => {
                let Settings { later, last, .. } = settings::divide(&json["settings"]);
                let later = match self.drill {
                    // In a drill nothing is to happen by itself, nor to need more than one node.
                    true => Map::from_iter([("index.refresh_interval".into(), Value::Null)]),
                    false => later,
                };
                if !last.is_empty() && !self.drill {
                    lock(&self.last).push(Last {
                        stream: None,
                        name: item.name.clone(),
                        settings: last,
                    });
                }
                let table = item.table.unwrap_or(item.id);
                self.settle(table, &item.name, later).await
            }
            ALIAS => self.alias(&item.name, &json).await,
            kind => match GlobalKind::ALL.into_iter().find(|k| k.title() == kind) {
                Some(kind) => self.global(kind, &item.name, &json).await,
                None => Err(refused(format!(
                    "a {kind} is nothing that this build can restore"
                ))),
            },
        }
    }

    async fn load(&self, item: &Item, _: &[Frame], blocks: Vec<Bytes>) -> Result<Loaded> {
        let table = item.table.unwrap_or(item.id);
        let stream = (lock(&self.last).iter()).any(|last| last.stream == Some(table));
        let target = self.names.of(&item.name);
        let action = match stream {
            true => Action::Create,
            false => Action::Index,
        };
        let documents: Vec<Document<'_>> = (blocks.iter())
            .flat_map(|block| Document::all(block))
            .collect::<Result<_>>()?;
        let loaded = self.write(&target, action, documents).await?;
        *lock(&self.refused).entry(table).or_default() += loaded.refused;
        Ok(loaded)
    }

    async fn measure(&self, item: &Item) -> Result<DataStats> {
        let target = self.names.of(&item.name);
        target::count(&self.client, &target).await?;
        let view = View::open(&self.client, &self.server, &target, 1_000).await?;
        let mut stats = DataStats::default();
        let mut line = Vec::new();
        let read = async {
            let mut pages = view.pages(None, 1_000);
            while pages
                .next(|hit| {
                    line.clear();
                    stats += DataStats {
                        rows: 1,
                        hash: hit.write(&mut line)?,
                    };
                    Ok(())
                })
                .await?
            {}
            Ok(())
        };
        let read = read.await;
        view.close().await;
        read.map(|()| stats)
    }

    async fn close(&self, succeeded: bool) -> Result<()> {
        self.tell_rejected()?;
        if !succeeded {
            return Ok(());
        }
        let last = std::mem::take(&mut *lock(&self.last));
        for Last {
            stream,
            name,
            settings,
        } in last
        {
            let done = match stream {
                Some(table) => self.settle(table, &name, settings).await,
                None => {
                    let target = self.names.of(&name);
                    target::put_settings(&self.client, &target, &settings.into()).await
                }
            };
            done.map_err(|e| e.context(format!("settings {name}")))?;
        }
        Ok(())
    }
}
