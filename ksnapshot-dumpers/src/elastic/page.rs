//! A page of documents: from the answer of a search to lines. Pure.

use ksnapshot_core::{Error, ErrorKind, Result, RowHash};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::compact::compact;

/// The answer of a search, as much of it as matters. Texts are where they arrived.
#[derive(Deserialize)]
pub(super) struct Answer<'a> {
    /// The point in time, which may change from page to page.
    #[serde(borrow, default)]
    pub(super) pit_id: Option<&'a RawValue>,
    /// The scroll, likewise.
    #[serde(borrow, default, rename = "_scroll_id")]
    pub(super) scroll_id: Option<&'a RawValue>,
    #[serde(default)]
    timed_out: bool,
    #[serde(default)]
    terminated_early: Option<bool>,
    #[serde(default, rename = "_shards")]
    shards: Shards,
    #[serde(borrow)]
    pub(super) hits: Hits<'a>,
}

#[derive(Deserialize, Default)]
struct Shards {
    #[serde(default)]
    failed: u64,
}

#[derive(Deserialize)]
pub(super) struct Hits<'a> {
    #[serde(default)]
    pub(super) total: Option<Total>,
    #[serde(borrow, default)]
    pub(super) hits: Vec<Hit<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Total {
    pub(super) value: u64,
    relation: String,
}

/// A document.
#[derive(Deserialize)]
pub(super) struct Hit<'a> {
    #[serde(borrow, rename = "_index")]
    index: &'a RawValue,
    #[serde(borrow, rename = "_id")]
    id: &'a RawValue,
    #[serde(borrow, default, rename = "_routing")]
    routing: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "_source")]
    source: Option<&'a RawValue>,
    /// Where the next page begins.
    #[serde(borrow, default)]
    pub(super) sort: Option<&'a RawValue>,
}

impl<'a> Answer<'a> {
    /// Reads an answer and sees that it is whole: a page of which a shard is missing looks like any other one.
    ///
    /// Errors: [`ErrorKind::ViewLost`] for a page that is not whole, [`ErrorKind::Server`] for what is no answer.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self> {
        let answer: Self = serde_json::from_slice(body).map_err(|cause| {
            Error::new(ErrorKind::Server, "the answer to a search can't be read").source(cause)
        })?;
        let broken = if answer.shards.failed > 0 {
            format!("{} shards failed", answer.shards.failed)
        } else if answer.timed_out {
            "it ran out of time".to_owned()
        } else if answer.terminated_early == Some(true) {
            "it was ended early".to_owned()
        } else {
            return Ok(answer);
        };
        Err(Error::new(
            ErrorKind::ViewLost,
            format!("a page of documents is not whole: {broken}"),
        )
        .hint("Look at the health of the cluster's shards."))
    }

    /// How many documents the whole view holds, where the server was asked to count all of them.
    pub(super) fn total(&self) -> Result<u64> {
        match &self.hits.total {
            Some(total) if total.relation == "eq" => Ok(total.value),
            _ => Err(Error::new(
                ErrorKind::Failed,
                "the server does not tell how many documents there are",
            )),
        }
    }
}

impl Hit<'_> {
    /// Appends the line of the document, and gives its hash: that of the line without `_index`, since a document is the same
    /// under another index's name.
    ///
    /// Errors: [`ErrorKind::Failed`] for a document without `_source`.
    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<RowHash> {
        let source = self.source.ok_or_else(|| {
            Error::new(
                ErrorKind::Failed,
                format!("document {}: has no _source, so that it can't be dumped", self.id),
            )
            .hint("Leave the index out with --index -NAME, and snapshot it by the cluster's own means.")
        })?;
        out.extend_from_slice(b"{\"_index\":");
        out.extend_from_slice(self.index.get().as_bytes());
        let start = out.len();
        out.extend_from_slice(b",\"_id\":");
        out.extend_from_slice(self.id.get().as_bytes());
        if let Some(routing) = self.routing {
            out.extend_from_slice(b",\"_routing\":");
            out.extend_from_slice(routing.get().as_bytes());
        }
        out.extend_from_slice(b",\"_source\":");
        compact(source.get().as_bytes(), out);
        out.push(b'}');
        let hash = RowHash::of(&out[start..]);
        out.push(b'\n');
        Ok(hash)
    }
}

/// How many documents to ask for next, when `documents` took `bytes`: as many as fill an answer of `aim` bytes, but neither
/// many more than last time nor more than the server gives.
pub(super) fn next_size(documents: usize, bytes: usize, aim: usize, most: usize) -> usize {
    let each = (bytes / documents.max(1)).max(1);
    (aim / each).clamp(1, most.max(1)).min(documents.max(1) * 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAGE: &str = r#"{"took":1,"timed_out":false,"pit_id":"p=","_shards":{"total":1,"successful":1,"skipped":0,"failed":0},
        "hits":{"total":{"value":2,"relation":"eq"},"max_score":null,"hits":[
        {"_index":"a","_id":"1","_score":null,"_source":{ "n" : 18446744073709551615, "x":1.0 },"sort":[7]},
        {"_index":"a","_id":"\u00e9\"","_score":null,"_routing":"r","_source":{},"sort":[8]}]}}"#;

    #[test]
    fn lines_keep_what_the_server_sent() {
        let answer = Answer::parse(PAGE.as_bytes()).expect("a page");
        assert_eq!(answer.total().expect("counted"), 2);
        assert_eq!(answer.pit_id.map(RawValue::get), Some("\"p=\""));
        assert_eq!(
            answer
                .hits
                .hits
                .last()
                .and_then(|h| h.sort)
                .map(RawValue::get),
            Some("[8]")
        );
        let mut out = Vec::new();
        let hashes: Vec<_> = (answer.hits.hits.iter())
            .map(|h| h.write(&mut out).expect("a line"))
            .collect();
        let expected = [
            r#"{"_index":"a","_id":"1","_source":{"n":18446744073709551615,"x":1.0}}"#,
            r#"{"_index":"a","_id":"\u00e9\"","_routing":"r","_source":{}}"#,
        ];
        assert_eq!(
            String::from_utf8(out).expect("UTF-8"),
            expected.join("\n") + "\n"
        );
        assert_eq!(
            hashes[0],
            RowHash::of(&expected[0].as_bytes()[r#"{"_index":"a""#.len()..])
        );
    }

    #[test]
    fn a_page_that_is_not_whole_is_no_page() {
        for (whole, broken) in [
            ("\"failed\":0", "\"failed\":1"),
            ("\"timed_out\":false", "\"timed_out\":true"),
            ("\"took\":1", "\"terminated_early\":true"),
        ] {
            let page = PAGE.replace(whole, broken);
            let error = Answer::parse(page.as_bytes()).err().expect(broken);
            assert_eq!(error.kind(), ErrorKind::ViewLost, "{broken}");
        }
        let cut = &PAGE[..PAGE.len() - 1];
        assert_eq!(
            Answer::parse(cut.as_bytes()).err().expect("cut").kind(),
            ErrorKind::Server
        );
        let counted = PAGE.replace("\"eq\"", "\"gte\"");
        assert!(
            Answer::parse(counted.as_bytes())
                .expect("a page")
                .total()
                .is_err()
        );
        let sourceless = PAGE.replace(",\"_source\":{}", "");
        let answer = Answer::parse(sourceless.as_bytes()).expect("a page");
        assert!(answer.hits.hits[1].write(&mut Vec::new()).is_err());
    }

    proptest! {
        #[test]
        fn pages_stay_within_their_bounds(documents in 0usize..20_000, bytes in 0usize..1 << 30, most in 1usize..10_000) {
            let next = next_size(documents, bytes, 4 << 20, most);
            prop_assert!((1..=most).contains(&next));
        }
    }
}
