//! The text of definitions, in the shape in which elasticdump writes and reads each type: one JSON document a file. Of most types
//! it is a JSON string that holds the document's text. Pure.
//!
//! Every definition is a piece of that document which stands alone: a member of an object, or an element of a list.

use ksnapshot_core::{Error, Result};
use serde_json::Value;

use super::compact::compact;

/// How the file of a type reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// The document is the text of a JSON string.
    quoted: bool,
    /// Definitions are elements of the list of this name, else members of the document.
    list: Option<&'static str>,
}

impl Shape {
    /// Members of an object.
    pub(super) const PLAIN: Self = Self {
        quoted: false,
        list: None,
    };
    /// The same as a string.
    pub(super) const QUOTED: Self = Self {
        quoted: true,
        list: None,
    };

    /// Elements of a list, in a document that is a string.
    pub(super) const fn listed(list: &'static str) -> Self {
        Self {
            quoted: true,
            list: Some(list),
        }
    }

    /// What stands before the first definition.
    pub(super) fn open(self) -> String {
        let open = match self.list {
            Some(list) => format!("{{\"{list}\":["),
            None => "{".to_owned(),
        };
        if self.quoted {
            format!("\"{}", escaped(&open))
        } else {
            open
        }
    }

    /// What stands behind the last definition.
    pub(super) fn close(self) -> &'static str {
        match (self.list, self.quoted) {
            (Some(_), true) => "]}\"\n",
            (Some(_), false) => "]}\n",
            (None, true) => "}\"\n",
            (None, false) => "}\n",
        }
    }

    /// The text of one definition; `first` of its file or not.
    pub(super) fn piece(self, name: &str, json: &str, first: bool) -> String {
        let mut text = Vec::new();
        if !first {
            text.push(b',');
        }
        if self.list.is_none() {
            text.extend_from_slice(Value::from(name).to_string().as_bytes());
            text.push(b':');
        }
        compact(json.as_bytes(), &mut text);
        let text = String::from_utf8_lossy(&text);
        if self.quoted {
            escaped(&text)
        } else {
            text.into_owned()
        }
    }

    /// The JSON of a definition, from its text.
    pub(super) fn json(self, text: &str) -> Result<String> {
        let broken = |cause: serde_json::Error| {
            Error::corrupt("a definition can't be read as JSON").source(cause)
        };
        let text = text.strip_prefix(',').unwrap_or(text);
        let plain = if self.quoted {
            serde_json::from_str(&format!("\"{text}\"")).map_err(broken)?
        } else {
            text.to_owned()
        };
        if self.list.is_some() {
            return Ok(plain);
        }
        // A member: its name is a string, and the colon follows.
        let mut parts = serde_json::Deserializer::from_str(&plain).into_iter::<String>();
        let name = parts.next().transpose().map_err(broken)?;
        let rest = plain.get(parts.byte_offset()..).unwrap_or_default();
        match (name, rest.strip_prefix(':')) {
            (Some(_), Some(json)) => Ok(json.to_owned()),
            _ => Err(Error::corrupt("a definition is no member of an object")),
        }
    }
}

/// The text of a JSON string without its quotes.
fn escaped(text: &str) -> String {
    let string = Value::from(text).to_string();
    string[1..string.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHAPES: [Shape; 4] = [
        Shape::PLAIN,
        Shape::QUOTED,
        Shape::listed("stored_scripts"),
        Shape {
            quoted: false,
            list: Some("x"),
        },
    ];

    #[test]
    fn as_elasticdump_writes_it() {
        let file = |shape: Shape| {
            let pieces = [("a", r#"{ "x" : 1.0 }"#), ("b\"", "{}")];
            let mut text = shape.open();
            for (n, (name, json)) in pieces.iter().enumerate() {
                text += &shape.piece(name, json, n == 0);
            }
            text + shape.close()
        };
        assert_eq!(file(Shape::PLAIN), "{\"a\":{\"x\":1.0},\"b\\\"\":{}}\n");
        assert_eq!(
            file(Shape::QUOTED),
            "\"{\\\"a\\\":{\\\"x\\\":1.0},\\\"b\\\\\\\"\\\":{}}\"\n"
        );
        assert_eq!(
            file(Shape::listed("l")),
            "\"{\\\"l\\\":[{\\\"x\\\":1.0},{}]}\"\n"
        );
    }

    proptest! {
        #[test]
        fn every_piece_comes_back_and_the_file_is_json(names in proptest::collection::btree_set(".{0,8}", 1..5), value in ".{0,12}") {
            let json = serde_json::json!({ "k": value }).to_string();
            for shape in SHAPES {
                let mut text = shape.open();
                for (n, name) in names.iter().enumerate() {
                    let piece = shape.piece(name, &json, n == 0);
                    prop_assert_eq!(&shape.json(&piece).expect("readable"), &json);
                    text += &piece;
                }
                text += shape.close();
                prop_assert_eq!(text.matches('\n').count(), 1);
                let mut document: Value = serde_json::from_str(&text).expect("JSON");
                if let Value::String(inner) = &document {
                    document = serde_json::from_str(inner).expect("JSON");
                }
                let length = match shape.list {
                    Some(list) => document[list].as_array().map(Vec::len),
                    None => document.as_object().map(serde_json::Map::len),
                };
                prop_assert_eq!(length, Some(names.len()));
            }
        }
    }
}
