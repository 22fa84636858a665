//! Whether two servers hold the same, by what they tell themselves.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::kinds::Loaded;
use super::{Elastic, segment};

/// What each index has for itself.
const OWN: [&str; 4] = ["creation_date", "provided_name", "uuid", "version"];

/// When a definition was made.
const DATES: [&str; 4] = [
    "created_date",
    "created_date_millis",
    "modified_date",
    "modified_date_millis",
];

/// Fails, with what differs first, unless definitions and documents of all that is named are the same on both. The indices
/// behind streams may differ.
pub fn same(a: &Elastic, b: &Elastic, named: &Loaded) -> Result<()> {
    let (left, right) = (definitions(a, named)?, definitions(b, named)?);
    for (name, left) in &left {
        let right = right.get(name).unwrap_or(&Value::Null);
        if left != right {
            bail!("{name} differs:\n{left:#}\n{right:#}");
        }
    }
    named
        .indices
        .iter()
        .chain(&named.streams)
        .try_for_each(|index| same_documents(a, b, index))
}

/// Fails, with what differs first, unless the documents of an index are the same on both: ids, routings, and the texts of
/// the sources.
pub fn same_documents(a: &Elastic, b: &Elastic, index: &str) -> Result<()> {
    let path = segment(index);
    let (left, right) = (a.documents(&path)?, b.documents(&path)?);
    for key in left.keys().chain(right.keys()) {
        let (left, right) = (left.get(key), right.get(key));
        if left != right {
            let short = |source: Option<&String>| -> String {
                source.map_or("nothing".to_owned(), |source| {
                    source.chars().take(1000).collect()
                })
            };
            bail!(
                "{index}: {key:?} differs:\n{}\n{}",
                short(left),
                short(right)
            );
        }
    }
    Ok(())
}

/// What is defined by each name, without what every copy has for itself: `index books`, `_index_template books`, …
pub fn definitions(server: &Elastic, named: &Loaded) -> Result<BTreeMap<String, Value>> {
    let mut all = BTreeMap::new();
    for name in &named.indices {
        let mut told = server.get(&format!("/{}", segment(name)))?;
        let mut index = told[name].take();
        if let Some(settings) = index["settings"]["index"].as_object_mut() {
            settings.retain(|key, _| !OWN.contains(&key.as_str()));
        }
        all.insert(format!("index {name}"), index);
    }
    for name in &named.streams {
        let told = server.get(&format!("/_data_stream/{}", segment(name)))?;
        let stream = &told["data_streams"][0];
        let kept = json!({"field": stream["timestamp_field"], "template": stream["template"]});
        all.insert(format!("stream {name}"), kept);
    }
    for (kind, names) in named.definitions() {
        for name in names {
            let path = format!("/{kind}/{}", segment(name));
            let mut told = server
                .get(&path)
                .with_context(|| format!("{kind} {name}"))?;
            without_dates(&mut told);
            all.insert(format!("{kind} {name}"), told);
        }
    }
    Ok(all)
}

fn without_dates(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|key, _| !DATES.contains(&key.as_str()));
            map.values_mut().for_each(without_dates);
        }
        Value::Array(values) => values.iter_mut().for_each(without_dates),
        _ => {}
    }
}
