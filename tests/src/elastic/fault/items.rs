//! Items of a bulk request that don't reach the server, and the answer that tells so.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::Answer;

/// One item of a bulk request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its place in the request, from 0.
    pub number: usize,
    /// `index`, `create`, `update` or `delete`.
    pub action: String,
    /// Where it goes.
    pub index: String,
    /// Empty if the server is to choose it.
    pub id: String,
    /// The text of its source, as it was sent; empty for `delete`.
    pub source: String,
}

/// What became of each item of a request: none where the server is asked.
#[derive(Debug)]
pub(super) struct Split {
    refused: Vec<Option<Value>>,
}

impl Split {
    /// The body without the items that are refused, and which those are.
    pub(super) fn of(
        body: &str,
        target: &str,
        refuse: impl Fn(&Item) -> Option<u16>,
    ) -> Result<(String, Self)> {
        let path = target.split('?').next().unwrap_or_default();
        let of_path = path
            .trim_matches('/')
            .strip_suffix("_bulk")
            .context("not a bulk request")?;
        let (mut rest, mut refused) = (String::new(), Vec::new());
        let mut lines = body.lines();
        while let Some(line) = lines.next() {
            if line.is_empty() {
                continue;
            }
            let head: Value = serde_json::from_str(line).context("an action of a bulk request")?;
            let Some((action, about)) = head.as_object().and_then(|head| head.iter().next()) else {
                bail!("not an action of a bulk request: {line}");
            };
            let source = if action == "delete" {
                None
            } else {
                Some(lines.next().context("an action without a source")?)
            };
            let text = |name: &str| about[name].as_str().unwrap_or_default().to_owned();
            let mut item = Item {
                number: refused.len(),
                action: action.clone(),
                index: text("_index"),
                id: text("_id"),
                source: source.unwrap_or_default().to_owned(),
            };
            if item.index.is_empty() {
                item.index = of_path.trim_matches('/').to_owned();
            }
            refused.push(refuse(&item).map(|status| refusal(&item, status)));
            if let Some(None) = refused.last() {
                for line in [Some(line), source].into_iter().flatten() {
                    rest.push_str(line);
                    rest.push('\n');
                }
            }
        }
        Ok((rest, Self { refused }))
    }

    /// Whether the server has nothing left to do.
    pub(super) fn takes_all(&self) -> bool {
        self.refused.iter().all(Option::is_some)
    }

    /// What a server would say that refuses all.
    pub(super) fn answer_alone(&self) -> Answer {
        let items: Vec<_> = self.refused.iter().flatten().collect();
        Answer::made_up(
            200,
            "",
            &json!({"took": 0, "errors": true, "items": items}).to_string(),
        )
    }

    /// The server's answer, with what is refused in its places.
    pub(super) fn join(&self, answer: &[u8]) -> Result<Vec<u8>> {
        let mut answer: Value =
            serde_json::from_slice(answer).context("an answer to a bulk request")?;
        let Some(items) = answer["items"].as_array_mut() else {
            // It was refused as a whole.
            return Ok(answer.to_string().into_bytes());
        };
        let mut done = std::mem::take(items).into_iter();
        for refused in &self.refused {
            let item = refused.clone().or_else(|| done.next());
            items.push(item.context("the server answers fewer items than it was sent")?);
        }
        if self.refused.iter().any(Option::is_some) {
            answer["errors"] = true.into();
        }
        Ok(answer.to_string().into_bytes())
    }
}

fn refusal(item: &Item, status: u16) -> Value {
    let kind = match status {
        400 => "document_parsing_exception",
        403 => "cluster_block_exception",
        404 => "index_not_found_exception",
        409 => "version_conflict_engine_exception",
        429 => "es_rejected_execution_exception",
        _ => "unavailable_shards_exception",
    };
    let error = json!({"type": kind, "reason": "made up by the gate"});
    let (action, index, id) = (&item.action, &item.index, &item.id);
    json!({action: {"_index": index, "_id": id, "status": status, "error": error}})
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const BODY: &str = "{\"index\":{\"_id\":\"a\"}}\n{\"n\":1}\n\n{\"delete\":{\"_index\":\"other\",\"_id\":\"b\"}}\n\
                        {\"create\":{\"_id\":\"c\"}}\n{\"n\":3}\n";

    #[test]
    fn what_is_refused_is_not_sent_and_told_in_its_place() {
        let refuse = |item: &Item| (item.number != 1).then_some(429);
        let (rest, split) = Split::of(BODY, "/books/_bulk?x=1", refuse).unwrap();
        assert_eq!(rest, "{\"delete\":{\"_index\":\"other\",\"_id\":\"b\"}}\n");
        let answer = json!({"errors": false, "items": [{"delete": {"_id": "b", "status": 200}}]});
        let joined: Value =
            serde_json::from_slice(&split.join(answer.to_string().as_bytes()).unwrap()).unwrap();
        assert_eq!(joined["errors"], true);
        assert_eq!(joined["items"][0]["index"]["status"], 429);
        assert_eq!(joined["items"][0]["index"]["_index"], "books");
        assert_eq!(joined["items"][1]["delete"]["status"], 200);
        assert_eq!(joined["items"][2]["create"]["_id"], "c");

        let (rest, split) = Split::of(BODY, "/_bulk", |_: &Item| Some(503)).unwrap();
        assert!(rest.is_empty() && split.takes_all());
        let (rest, split) = Split::of(BODY, "/_bulk", |_: &Item| None).unwrap();
        assert_eq!(rest, BODY.replace("\n\n", "\n"));
        assert!(!split.takes_all());
        assert!(Split::of(BODY, "/_search", |_: &Item| None).is_err());
    }
}
