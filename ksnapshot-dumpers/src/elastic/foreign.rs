//! Files that elasticdump has written, or single objects of a snapshot: each line says itself what it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use ksnapshot_core::{Bytes, Cx, Error, ErrorKind, ForeignSession, Loaded, Result, async_trait};
use reqwest::Method;
use serde_json::{Map, Value};

use super::bulk::Action;
use super::catalog::GlobalKind;
use super::connect::Elastic;
use super::http::{Client, segment};
use super::line::Document;
use super::lock;
use super::rejected::Rejected;
use super::restore;
use super::settings::{self, Settings};
use super::target::{self, Names, There};

/// A target for lines.
pub(super) struct Session {
    client: Client,
    /// Where all documents go; else each says it.
    index: Option<String>,
    names: Names,
    clean: bool,
    restore: restore::Session,
    /// Indices that may be written to.
    ready: Mutex<BTreeMap<String, Action>>,
    /// Indices that lines of this file have made.
    made: Mutex<BTreeSet<String>>,
}

/// What a line is.
#[derive(Debug, PartialEq)]
enum Line {
    Document,
    /// Settings, mappings and aliases, as far as they are there, by index.
    Indices(Map<String, Value>),
    /// Things of the cluster, by name.
    Globals(GlobalKind, Vec<(String, Value)>),
}

impl Session {
    pub(super) async fn open(target: &Elastic, clean: bool, cx: &Cx) -> Result<Self> {
        let rejected = Rejected::new(target.restore.rejected.as_deref())?;
        let (client, server) = target.connect().await?;
        // Each name is looked up here, and then is that of the target.
        let names = Names::default();
        let restore =
            restore::Session::new(target, client.clone(), server, names, clean, rejected, cx);
        Ok(Self {
            client,
            index: target.path.clone(),
            names: Names::of_files(target),
            clean,
            restore,
            ready: Mutex::default(),
            made: Mutex::default(),
        })
    }

    fn target(&self, name: &str) -> String {
        (self.index.clone()).unwrap_or_else(|| self.names.of(name))
    }

    /// How documents get into `index`. One that is not there is not made by writing to it: its fields would become whatever the
    /// first document looks like.
    async fn action(&self, index: &str) -> Result<Action> {
        // The lock is let go before anything is asked.
        let known = lock(&self.ready).get(index).copied();
        if let Some(action) = known {
            return Ok(action);
        }
        let action = match target::there(&self.client, index).await? {
            There::Index | There::Alias => Action::Index,
            There::Stream => Action::Create,
            There::Nothing => {
                return Err(Error::new(
                    ErrorKind::Failed,
                    format!("index {index}: not there"),
                )
                .hint("Restore the file of its mapping or of the index first, or create it by hand."));
            }
        };
        lock(&self.ready).insert(index.to_owned(), action);
        Ok(action)
    }

    async fn documents(&self, text: &[u8]) -> Result<Loaded> {
        let mut by_index: BTreeMap<String, Vec<Document<'_>>> = BTreeMap::new();
        for document in Document::all(text) {
            let document = document?;
            let name: String = match (&self.index, document.index) {
                (Some(index), _) => index.clone(),
                (None, Some(name)) => {
                    self.target(&serde_json::from_str::<String>(name.get()).unwrap_or_default())
                }
                (None, None) => {
                    return Err(
                        Error::new(ErrorKind::Failed, "a document does not say its index")
                            .hint("Name the index in the URL: elasticsearch://HOST:PORT/INDEX."),
                    );
                }
            };
            by_index.entry(name).or_default().push(document);
        }
        let mut sum = Loaded::default();
        for (index, documents) in by_index {
            let action = self.action(&index).await?;
            sum += self.restore.write(&index, action, documents).await?;
        }
        Ok(sum)
    }

    /// Makes an index, or adds to one that is there what can be added: a mapping and aliases.
    async fn index(&self, name: &str, json: &Value) -> Result<()> {
        let target = self.target(name);
        let has = |part: &str| json[part].as_object().is_some_and(|map| !map.is_empty());
        if has("settings") || has("mappings") {
            let there = target::there(&self.client, &target).await?;
            let ours = lock(&self.made).contains(&target);
            if there == There::Nothing || (there == There::Index && self.clean && !ours) {
                target::make_room(&self.client, &[(target.clone(), false)], self.clean).await?;
                self.restore.create(&target, json).await?;
                lock(&self.made).insert(target.clone());
                let Settings {
                    mut later, last, ..
                } = settings::divide(&json["settings"]);
                later
                    .entry("index.number_of_replicas")
                    .or_insert(Value::Null);
                self.restore.settle(u32::MAX, &target, later).await?;
                target::put_settings(&self.client, &target, &last.into()).await?;
            } else if has("settings") {
                return Err(Error::new(
                    ErrorKind::TargetNotEmpty,
                    format!("index {target}: exists already on the target"),
                )
                .hint("Name another one in the URL, or delete it first with --clean."));
            } else {
                let path = format!("/{}/_mapping", segment(&target));
                self.client
                    .ask(Method::PUT, &path, &json["mappings"])
                    .await?;
            }
        }
        if has("aliases") {
            self.restore.alias(&target, json).await?;
        }
        Ok(())
    }

    async fn line(&self, line: Line) -> Result<()> {
        match line {
            Line::Document => Ok(()),
            Line::Indices(indices) => {
                for (name, json) in indices {
                    (self.index(&name, &json).await)
                        .map_err(|e| e.context(format!("index {name}")))?;
                }
                Ok(())
            }
            Line::Globals(kind, all) => {
                for (name, json) in all {
                    (self.restore.global(kind, &name, &json).await)
                        .map_err(|e| e.context(format!("{} {name}", kind.title())))?;
                }
                Ok(())
            }
        }
    }
}

/// Finds out what a line is.
///
/// Errors: [`ErrorKind::Failed`] for what nobody knows.
fn read(line: &[u8]) -> Result<Line> {
    let unknown = || {
        Error::new(
            ErrorKind::Failed,
            "a line is neither a document nor a definition that is known",
        )
        .hint("Restore files as elasticdump writes them, one type a file.")
    };
    let mut json: Value = serde_json::from_slice(line).map_err(|e| unknown().source(e))?;
    // elasticdump writes most definitions as a string that holds JSON.
    if let Value::String(text) = &json {
        json = serde_json::from_str(text).map_err(|e| unknown().source(e))?;
    }
    if json["_source"].is_object() {
        return Ok(Line::Document);
    }
    for (kind, list, name) in [
        (GlobalKind::Script, "stored_scripts", "_id"),
        (GlobalKind::ComponentTemplate, "component_templates", "name"),
        (GlobalKind::IndexTemplate, "index_templates", "name"),
    ] {
        if let Some(items) = json[list].as_array() {
            let named = items.iter().map(|item| {
                let name = item[name].as_str().ok_or_else(unknown)?;
                Ok((name.to_owned(), item.clone()))
            });
            return Ok(Line::Globals(kind, named.collect::<Result<_>>()?));
        }
    }
    let Value::Object(members) = json else {
        return Err(unknown());
    };
    let every = |key: &str| members.values().all(|v| !v[key].is_null());
    let kind = if every("index_patterns") {
        GlobalKind::Template
    } else if every("policy") {
        GlobalKind::Policy
    } else if every("processors") {
        GlobalKind::Pipeline
    } else if (members.values()).all(|v| {
        ["request_processors", "response_processors"]
            .iter()
            .any(|k| v[*k].is_array())
    }) {
        GlobalKind::SearchPipeline
    } else if (members.values()).all(|v| {
        ["settings", "mappings", "aliases"]
            .iter()
            .any(|k| v[*k].is_object())
    }) {
        return Ok(Line::Indices(members));
    } else {
        return Err(unknown());
    };
    Ok(Line::Globals(kind, members.into_iter().collect()))
}

#[async_trait]
impl ForeignSession for Session {
    async fn take(&self, lines: Bytes) -> Result<Loaded> {
        // A file is of one type, so that its first line tells of all.
        let first = (lines.split(|&b| b == b'\n')).find(|line| !line.trim_ascii().is_empty());
        let Some(first) = first else {
            return Ok(Loaded::default());
        };
        if read(first)? == Line::Document {
            return self.documents(&lines).await;
        }
        for line in lines.split(|&b| b == b'\n') {
            if !line.trim_ascii().is_empty() {
                self.line(read(line)?).await?;
            }
        }
        Ok(Loaded::default())
    }

    async fn close(&self, succeeded: bool) -> Result<()> {
        self.restore.tell_rejected()?;
        if !succeeded {
            return Ok(());
        }
        let ready = std::mem::take(&mut *lock(&self.ready));
        for index in ready.into_keys() {
            let path = format!("/{}/_refresh", segment(&index));
            self.client.act(Method::POST, &path).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Line) {
        assert_eq!(read(line.as_bytes()).expect(line), expected);
    }

    #[test]
    fn a_line_says_what_it_is() {
        let one = |json: Value| json.as_object().cloned().unwrap_or_default();
        check(
            r#"{"_index":"a","_id":"1","_score":1,"_source":{}}"#,
            Line::Document,
        );
        let mapping = json!({ "a": { "mappings": { "properties": {} } } });
        check(&mapping.to_string(), Line::Indices(one(mapping.clone())));
        // As elasticdump writes settings: a string.
        check(
            &Value::from(mapping.to_string()).to_string(),
            Line::Indices(one(mapping)),
        );
        check(
            r#"{"t":{"order":0,"index_patterns":["x*"],"settings":{}}}"#,
            Line::Globals(
                GlobalKind::Template,
                vec![(
                    "t".into(),
                    json!({ "order": 0, "index_patterns": ["x*"], "settings": {} }),
                )],
            ),
        );
        let template = json!({ "name": "c", "component_template": {} });
        check(
            &json!({ "component_templates": [template] }).to_string(),
            Line::Globals(GlobalKind::ComponentTemplate, vec![("c".into(), template)]),
        );
        check(
            r#"{"p":{"processors":[]}}"#,
            Line::Globals(
                GlobalKind::Pipeline,
                vec![("p".into(), json!({ "processors": [] }))],
            ),
        );
        for unknown in ["1", "{\"a\":1}", "\"x\"", "{\"_id\":\"1\"}", "[]", "{"] {
            assert!(read(unknown.as_bytes()).is_err(), "{unknown}");
        }
    }
}
