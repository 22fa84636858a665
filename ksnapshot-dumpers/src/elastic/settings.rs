//! Which settings of an index are made anew, which are for its creation, and which wait until its documents are in. Pure.

use serde_json::{Map, Value, json};

/// Settings that the target makes itself, or that mean something on the source only.
const NEVER: [&str; 16] = [
    "creation_date",
    "creation_date_string",
    "frozen",
    "history.uuid",
    "lifecycle.indexing_complete",
    "lifecycle.step",
    "mapper.dynamic",
    "provided_name",
    "remote_store.enabled",
    "replication.type",
    "search.throttled",
    "store.type",
    "transport_version",
    "uuid",
    "verified_before_close",
    "version",
];

/// … and whole families of them.
const NEVER_BELOW: [&str; 11] = [
    "plugins.index_state_management.",
    "remote_store.",
    "resize.",
    "routing.allocation.exclude.",
    "routing.allocation.include.",
    "routing.allocation.initial_recovery.",
    "routing.allocation.require.",
    "shrink.source.",
    "split.source.",
    "store.snapshot.",
    "version.",
];

/// Settings that would slow the load down, change documents, or act on a half-filled index.
const LATER: [&str; 6] = [
    "auto_expand_replicas",
    "default_pipeline",
    "final_pipeline",
    "number_of_replicas",
    "refresh_interval",
    "search.default_pipeline",
];

/// Settings of an index, by when they are put. Keys are whole, `index.refresh_interval`; none means the server's default.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Settings {
    /// With the index.
    pub(super) create: Map<String, Value>,
    /// When its documents are in.
    pub(super) later: Map<String, Value>,
    /// When everything is done: from then on it may not be changed.
    pub(super) last: Map<String, Value>,
}

/// Divides the settings of an index, as the server tells them.
pub(super) fn divide(settings: &Value) -> Settings {
    let mut divided = Settings::default();
    let mut flat = Vec::new();
    flatten("", &settings["index"], &mut flat);
    for (key, value) in flat {
        if NEVER.contains(&key.as_str()) || NEVER_BELOW.iter().any(|p| key.starts_with(p)) {
            continue;
        }
        let map = if key.starts_with("blocks.") {
            &mut divided.last
        } else if LATER.contains(&key.as_str()) || key.starts_with("lifecycle.") {
            &mut divided.later
        } else {
            &mut divided.create
        };
        map.insert(format!("index.{key}"), value);
    }
    // What isn't set is the server's default, to which it has to go back.
    for key in ["index.refresh_interval", "index.auto_expand_replicas"] {
        divided.later.entry(key).or_insert(Value::Null);
    }
    divided
}

/// What holds for an index while it is filled.
pub(super) fn while_loading() -> Value {
    json!({
        "index.refresh_interval": "-1",
        "index.number_of_replicas": "0",
        "index.auto_expand_replicas": "false",
    })
}

fn flatten(path: &str, value: &Value, out: &mut Vec<(String, Value)>) {
    match value {
        // Names in these are the user's own and may hold dots.
        Value::Object(map) if path != "analysis" && path != "similarity" => {
            for (key, value) in map {
                let path = match path {
                    "" => key.clone(),
                    path => format!("{path}.{key}"),
                };
                flatten(&path, value, out);
            }
        }
        Value::Null => {}
        value => out.push((path.to_owned(), value.clone())),
    }
}

/// The setting that the server refuses, out of what it says of it: `unknown setting [index.x] please check …`.
pub(super) fn refused(reason: &str, settings: &Map<String, Value>) -> Option<String> {
    settings
        .keys()
        .find(|key| reason.contains(&format!("[{key}]")) || reason.contains(&format!("[{key}.")))
        .cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_has_its_time() {
        let divided = divide(&json!({ "index": {
            "uuid": "x", "version": { "created": "8" }, "creation_date": "1", "provided_name": "a",
            "routing": { "allocation": { "include": { "_tier_preference": "data_content" } } },
            "number_of_shards": "3", "number_of_replicas": "2", "sort": { "field": ["a", "b"] },
            "analysis": { "analyzer": { "my.own": { "type": "custom" } } },
            "blocks": { "write": "true" }, "lifecycle": { "name": "p", "rollover_alias": "r" },
            "hidden": "true", "final_pipeline": "f",
        }}));
        assert_eq!(
            Value::from(divided.create),
            json!({
                "index.number_of_shards": "3", "index.sort.field": ["a", "b"], "index.hidden": "true",
                "index.analysis": { "analyzer": { "my.own": { "type": "custom" } } },
            })
        );
        assert_eq!(
            Value::from(divided.later),
            json!({
                "index.number_of_replicas": "2", "index.refresh_interval": null, "index.auto_expand_replicas": null, "index.final_pipeline": "f",
                "index.lifecycle.name": "p", "index.lifecycle.rollover_alias": "r",
            })
        );
        assert_eq!(
            Value::from(divided.last),
            json!({ "index.blocks.write": "true" })
        );
    }

    #[test]
    fn a_refused_setting_is_found_in_what_the_server_says() {
        let settings = divide(&json!({ "index": { "knn": "true", "codec": "zstd" } })).create;
        let told =
            "unknown setting [index.knn] please check that any required plugins are installed";
        assert_eq!(refused(told, &settings).as_deref(), Some("index.knn"));
        assert_eq!(refused("no such codec", &settings), None);
    }
}
