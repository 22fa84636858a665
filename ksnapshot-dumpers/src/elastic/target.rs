//! Names in the target, and what is there already.

use ksnapshot_core::{Error, ErrorKind, Index, Result};
use reqwest::Method;
use serde_json::Value;

use super::catalog::{self, GlobalKind};
use super::connect::Elastic;
use super::http::{Client, segment};
use super::script::{INDEX, STREAM};
use super::version::Server;

/// The longest name of an index, in bytes.
const LONGEST: usize = 255;

/// What things of a snapshot are called in the target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names {
    renames: Vec<(String, String)>,
    /// Before every name, in a drill.
    prefix: Option<String>,
}

impl Names {
    /// Names of a snapshot's `items` in `target`.
    ///
    /// Errors: [`ErrorKind::Usage`] for a new name of nothing, for two things of one name, and when the URL names an index but
    /// the items are several.
    pub(super) fn new(target: &Elastic, index: &Index, items: &[u32]) -> Result<Self> {
        let names: Vec<&str> = (items.iter().map(|&id| &index.items[id as usize]))
            .filter(|i| i.kind == INDEX || i.kind == STREAM)
            .map(|i| i.name.as_str())
            .collect();
        let mut renames = target.restore.renames.clone();
        if let (Some(path), false) = (&target.path, items.is_empty()) {
            let [name] = names[..] else {
                return Err(Error::new(
                    ErrorKind::Usage,
                    format!(
                        "index {path}: the URL names one, and {} would go there",
                        names.len()
                    ),
                )
                .hint("Choose one with --index, or leave the name out of the URL."));
            };
            renames.push((name.to_owned(), path.clone()));
        }
        if !items.is_empty()
            && let Some((from, _)) = renames
                .iter()
                .find(|(from, _)| !names.contains(&from.as_str()))
        {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("index {from}: to be renamed, but not among what is restored"),
            ));
        }
        let found = Self {
            renames,
            prefix: target.scratch.clone(),
        };
        let mut new: Vec<String> = names.iter().map(|n| found.of(n)).collect();
        new.sort_unstable();
        if let Some(twice) = new.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::new(
                ErrorKind::Usage,
                format!(
                    "index {}: two of the snapshot would get this name",
                    twice[0]
                ),
            ));
        }
        if let Some(long) = new.iter().find(|name| name.len() > LONGEST) {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("index {long}: the name is longer than {LONGEST} bytes"),
            ));
        }
        Ok(found)
    }

    /// Names of what a file holds: as `target` renames them.
    pub(super) fn of_files(target: &Elastic) -> Self {
        Self {
            renames: target.restore.renames.clone(),
            prefix: None,
        }
    }

    /// The name of an index or data stream.
    pub(super) fn of(&self, name: &str) -> String {
        match self.renames.iter().find(|(from, _)| from == name) {
            Some((_, to)) => to.clone(),
            None => self.beside(name),
        }
    }

    /// The name of anything else: its own, but in a drill.
    pub(super) fn beside(&self, name: &str) -> String {
        match &self.prefix {
            Some(prefix) => format!("{prefix}-{name}"),
            None => name.to_owned(),
        }
    }

    /// A definition of `kind` with the names that it mentions.
    pub(super) fn within(&self, kind: GlobalKind, mut definition: Value) -> Value {
        if self.prefix.is_none() {
            return definition;
        }
        let lists: &[&str] = match kind {
            GlobalKind::IndexTemplate => &[
                "index_patterns",
                "composed_of",
                "ignore_missing_component_templates",
            ],
            GlobalKind::Template => &["index_patterns"],
            _ => &[],
        };
        for list in lists {
            let names = definition.get_mut(*list).and_then(Value::as_array_mut);
            for name in names.into_iter().flatten() {
                if let Some(text) = name.as_str() {
                    *name = self.beside(text).into();
                }
            }
        }
        if kind == GlobalKind::IndexTemplate
            && let Some(map) = definition.as_object_mut()
        {
            // An alias in a template is one of the whole cluster.
            if let Some(template) = map.get_mut("template").and_then(Value::as_object_mut) {
                template.remove("aliases");
            }
        }
        definition
    }
}

/// What already has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum There {
    Nothing,
    Index,
    Stream,
    /// An alias, which may stand for anything.
    Alias,
}

pub(super) async fn there(client: &Client, name: &str) -> Result<There> {
    let path = format!(
        "/{}?expand_wildcards=all&filter_path=*.data_stream,*.settings.index.uuid",
        segment(name)
    );
    let Some(body) = client.find(&path).await? else {
        return Ok(There::Nothing);
    };
    let found: Value = serde_json::from_slice(&body).unwrap_or_default();
    let Some((index, told)) = found.as_object().and_then(|m| m.iter().next()) else {
        return Ok(There::Nothing);
    };
    Ok(if index == name {
        There::Index
    } else if told["data_stream"] == name {
        There::Stream
    } else {
        There::Alias
    })
}

/// Sees that nothing of `names` is there, or with `clean` deletes it: each is an index or a data stream of the snapshot, under
/// its name in the target.
///
/// Errors: [`ErrorKind::TargetNotEmpty`].
pub(super) async fn make_room(
    client: &Client,
    names: &[(String, bool)],
    clean: bool,
) -> Result<()> {
    for (name, is_stream) in names {
        let found = there(client, name).await?;
        match found {
            There::Nothing => {}
            There::Index if clean && !is_stream => {
                delete(client, &format!("/{}", segment(name))).await?
            }
            There::Stream if clean && *is_stream => {
                delete(client, &format!("/_data_stream/{}", segment(name))).await?;
            }
            found => {
                let what = match found {
                    There::Alias => "alias",
                    There::Stream => "data stream",
                    _ => "index",
                };
                return Err(Error::new(
                    ErrorKind::TargetNotEmpty,
                    format!("{what} {name}: exists already on the target"),
                )
                .hint(
                    "Restore it under another name with --rename OLD=NEW, or delete first what the snapshot holds with --clean; \
                     an alias, or another kind of thing of that name, has to go by hand.",
                ));
            }
        }
    }
    Ok(())
}

/// Deletes; a missing one is success.
pub(super) async fn delete(client: &Client, path: &str) -> Result<()> {
    let reply = client.patiently(Method::DELETE, path, None).await?;
    if reply.is_unknown() {
        return Ok(());
    }
    reply.good(path).map(|_| ())
}

/// Deletes everything of a drill: what has a name that begins with `prefix`.
pub(super) async fn drop_scratch(client: &Client, server: &Server, prefix: &str) -> Result<()> {
    let prefix = format!("{prefix}-");
    let ours = |name: &&String| name.starts_with(&prefix);
    let streams = catalog::streams(client, server).await?;
    for name in streams.iter().map(|s| &s.name).filter(ours) {
        delete(client, &format!("/_data_stream/{}", segment(name))).await?;
    }
    for name in catalog::listed(client).await?.keys().filter(ours) {
        delete(client, &format!("/{}", segment(name))).await?;
    }
    // Index templates before the components that they are made of.
    for kind in GlobalKind::ALL.into_iter().rev() {
        let found = catalog::every(client, server, kind).await??;
        for name in found.iter().map(|(name, _)| name).filter(ours) {
            delete(client, &kind.path(server.flavour, name)).await?;
        }
    }
    Ok(())
}

/// Puts settings. Nothing to put is nothing to do.
pub(super) async fn put_settings(client: &Client, name: &str, settings: &Value) -> Result<()> {
    if settings.as_object().is_none_or(serde_json::Map::is_empty) {
        return Ok(());
    }
    let path = format!("/{}/_settings?expand_wildcards=all", segment(name));
    client.ask(Method::PUT, &path, settings).await?;
    Ok(())
}

/// How many documents there are, once they can be searched.
pub(super) async fn count(client: &Client, name: &str) -> Result<u64> {
    let name = segment(name);
    client
        .act(Method::POST, &format!("/{name}/_refresh"))
        .await?;
    let body = client.get(&format!("/{name}/_count")).await?;
    let told: Value = serde_json::from_slice(&body).unwrap_or_default();
    match (told["count"].as_u64(), told["_shards"]["failed"].as_u64()) {
        (Some(count), Some(0)) => Ok(count),
        _ => Err(
            Error::new(ErrorKind::Server, "the documents can't be counted")
                .hint("Look at the health of the cluster's shards."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_drill_has_names_of_its_own() {
        let names = Names {
            renames: vec![("a".into(), "b".into())],
            prefix: None,
        };
        assert_eq!((names.of("a").as_str(), names.of("c").as_str()), ("b", "c"));
        let template = json!({ "index_patterns": ["x-*"], "composed_of": ["c"], "template": { "aliases": { "all": {} } } });
        assert_eq!(
            names.within(GlobalKind::IndexTemplate, template.clone()),
            template
        );
        let drill = Names {
            renames: Vec::new(),
            prefix: Some("v".into()),
        };
        assert_eq!(drill.of(".a"), "v-.a");
        assert_eq!(
            drill.within(GlobalKind::IndexTemplate, template),
            json!({ "index_patterns": ["v-x-*"], "composed_of": ["v-c"], "template": {} })
        );
    }
}
