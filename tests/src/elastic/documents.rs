//! All documents of an index, read in a way of its own.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use serde_json::value::RawValue;

use super::{Elastic, Version};

/// What documents are, by id and routing: the text of the source without the white space between its tokens. Nothing else
/// of it is touched: numbers are written and keys ordered as they were.
pub type Documents = BTreeMap<(String, Option<String>), String>;

/// An object whose values stay texts.
type Object = BTreeMap<String, Box<RawValue>>;

/// By scrolling, which the dumper doesn't do.
pub(super) fn read(server: &Elastic, index: &str) -> Result<Documents> {
    server.post(&format!("/{index}/_refresh"), "")?;
    let mut all = Documents::new();
    let mut first = json!({"size": 500, "sort": ["_doc"]});
    if server.version() == Version::Es9 {
        // It keeps vectors apart from their sources, and gives them to who asks.
        first["_source"] = json!({"exclude_vectors": false});
    }
    let pipeline = match server.version().is_opensearch() {
        // An index may have one that hides documents from a search.
        true => "&search_pipeline=_none",
        false => "",
    };
    let mut page = page(
        server,
        &format!("/{index}/_search?scroll=1m{pipeline}"),
        &first,
    )?;
    while !page.hits.is_empty() {
        for hit in &page.hits {
            let id = text(hit.get("_id").context("a hit without an id")?)?;
            let routing = hit.get("_routing").map(|raw| text(raw)).transpose()?;
            let source = hit.get("_source").map_or("", |raw| raw.get());
            let key = (id, routing);
            if let Some(other) = all.insert(key.clone(), compact(source)) {
                bail!("{index}: {key:?} is there twice; one of them is {other}");
            }
        }
        let next = json!({"scroll": "1m", "scroll_id": page.scroll});
        page = self::page(server, "/_search/scroll", &next)?;
    }
    let (_, _) = server.try_request(
        "DELETE",
        "/_search/scroll",
        json!({"scroll_id": page.scroll}),
    )?;
    Ok(all)
}

struct Page {
    scroll: String,
    hits: Vec<Object>,
}

fn page(server: &Elastic, path: &str, body: &serde_json::Value) -> Result<Page> {
    let (status, answer) = server.try_request("POST", path, body)?;
    ensure!(status == 200, "POST {path}: {status} {answer}");
    let answer: Object = serde_json::from_str(&answer)?;
    let part = |name: &str| {
        answer
            .get(name)
            .with_context(|| format!("no {name} in a page"))
    };
    let shards: serde_json::Value = serde_json::from_str(part("_shards")?.get())?;
    ensure!(shards["failed"] == 0, "{path}: {shards}");
    let hits: Object = serde_json::from_str(part("hits")?.get())?;
    let hits = hits.get("hits").context("no hits in hits")?;
    Ok(Page {
        scroll: text(part("_scroll_id")?)?,
        hits: serde_json::from_str(hits.get())?,
    })
}

fn text(raw: &RawValue) -> Result<String> {
    Ok(serde_json::from_str(raw.get())?)
}

/// A JSON text without the white space between its tokens.
pub fn compact(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let (mut quoted, mut escaped) = (false, false);
    for c in json.chars() {
        if quoted {
            quoted = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if matches!(c, ' ' | '\t' | '\n' | '\r') {
            continue;
        } else {
            quoted = c == '"';
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn white_space_goes_where_it_means_nothing() {
        for (long, short) in [
            ("{ }", "{}"),
            ("{\n  \"a b\" : [ 1.0,\t2 ]\r\n}", r#"{"a b":[1.0,2]}"#),
            (
                r#"{"a\" b": "\\" , "c": " \\\" "}"#,
                r#"{"a\" b":"\\","c":" \\\" "}"#,
            ),
        ] {
            assert_eq!(super::compact(long), short);
        }
    }
}
