//! A document of a snapshot, or of a file by elasticdump: from its line to what a bulk request takes. Pure.

use ksnapshot_core::{Error, Result};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A document. Texts are where they were read.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Document<'a> {
    #[serde(borrow, default, rename = "_index")]
    pub(super) index: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "_id")]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "_routing", alias = "routing")]
    pub(super) routing: Option<&'a RawValue>,
    #[serde(borrow, rename = "_source")]
    pub(super) source: &'a RawValue,
}

impl<'a> Document<'a> {
    /// The documents of a text, one a line.
    pub(super) fn all(text: &'a [u8]) -> impl Iterator<Item = Result<Self>> {
        (text.split(|&b| b == b'\n'))
            .filter(|line| !line.trim_ascii().is_empty())
            .map(|line| {
                serde_json::from_slice(line)
                    .map_err(|e| Error::corrupt("a line is no document").source(e))
            })
    }

    /// Appends what a bulk request takes of it.
    pub(super) fn write(&self, action: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"");
        out.extend_from_slice(action.as_bytes());
        out.extend_from_slice(b"\":{");
        let mut first = true;
        for (name, value) in [("_id", self.id), ("routing", self.routing)] {
            let Some(value) = value.filter(|v| v.get() != "null") else {
                continue;
            };
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            out.extend_from_slice(format!("\"{name}\":{value}").as_bytes());
        }
        out.extend_from_slice(b"}}\n");
        super::compact::compact(self.source.get().as_bytes(), out);
        out.push(b'\n');
    }

    /// About how much [`Document::write`] appends.
    pub(super) fn size(&self) -> usize {
        let length = |value: Option<&RawValue>| value.map_or(0, |v| v.get().len());
        self.source.get().len() + length(self.id) + length(self.routing) + 40
    }

    /// The line again, with why it was refused.
    pub(super) fn rejected(&self, reason: &str) -> String {
        let mut line = String::from("{");
        for (name, value) in [
            ("_index", self.index),
            ("_id", self.id),
            ("_routing", self.routing),
            ("_source", Some(self.source)),
        ] {
            if let Some(value) = value {
                line += &format!("\"{name}\":{value},");
            }
        }
        line + &format!("\"error\":{}}}\n", serde_json::Value::from(reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_a_line_to_a_request() {
        let text = br#"{"_index":"a","_id":"1","_source":{"n":18446744073709551615,"x":1.0}}
{"_index":"a","_type":"_doc","_id":"\"","_score":1,"_source":{ "a" : 1 },"_routing":"r"}

{"_source":{}}
"#;
        let documents: Vec<_> = Document::all(text)
            .map(|d| d.expect("a document"))
            .collect();
        let mut body = Vec::new();
        documents.iter().for_each(|d| d.write("index", &mut body));
        assert_eq!(
            String::from_utf8(body).expect("UTF-8"),
            r#"{"index":{"_id":"1"}}
{"n":18446744073709551615,"x":1.0}
{"index":{"_id":"\"","routing":"r"}}
{"a":1}
{"index":{}}
{}
"#
        );
        assert_eq!(
            documents[1].rejected("no \"x\""),
            "{\"_index\":\"a\",\"_id\":\"\\\"\",\"_routing\":\"r\",\"_source\":{ \"a\" : 1 },\"error\":\"no \\\"x\\\"\"}\n"
        );
        assert!(
            Document::all(b"{\"_id\":\"1\"}")
                .next()
                .expect("a line")
                .is_err()
        );
    }
}
