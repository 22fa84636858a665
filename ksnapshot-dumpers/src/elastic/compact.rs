//! JSON without the whitespace between its tokens, everything else as it is: numbers, escapes, order and repeated keys. Pure.

/// Appends `json`, which is valid, to `out`, without whitespace between tokens. Afterwards it is one line: a string can't
/// hold a line feed but as an escape.
pub(super) fn compact(json: &[u8], out: &mut Vec<u8>) {
    let mut rest = json;
    loop {
        // Up to the next string, where whitespace means nothing.
        let quote = rest.iter().position(|&b| b == b'"').unwrap_or(rest.len());
        let (outside, string) = rest.split_at(quote);
        if outside.iter().any(u8::is_ascii_whitespace) {
            out.extend(outside.iter().filter(|b| !b.is_ascii_whitespace()));
        } else {
            out.extend_from_slice(outside);
        }
        let end = end_of_string(string);
        let (string, after) = string.split_at(end);
        out.extend_from_slice(string);
        if after.is_empty() {
            return;
        }
        rest = after;
    }
}

/// The length of the string at the beginning of `text`, quotes included.
fn end_of_string(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(step) = text
        .get(at..)
        .and_then(|rest| rest.iter().position(|&b| b == b'"' || b == b'\\'))
    {
        at += step;
        if text[at] == b'"' {
            return at + 1;
        }
        // An escape: the character after the backslash ends nothing.
        at += 2;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn compacted(json: &str) -> String {
        let mut out = Vec::new();
        compact(json.as_bytes(), &mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::from),
            "[ -~\\n\\t\"\\\\üß]{0,12}".prop_map(Value::String),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                proptest::collection::btree_map("[ -~\"\\\\]{0,6}", inner, 0..6)
                    .prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn only_whitespace_between_tokens_goes() {
        assert_eq!(
            compacted(
                "{ \"a b\" :\r\n [ 1.0 , 1e400,\t-0, 18446744073709551615 ] ,\"a b\": \"x \\\" \\\\\" }\n"
            ),
            "{\"a b\":[1.0,1e400,-0,18446744073709551615],\"a b\":\"x \\\" \\\\\"}"
        );
        assert_eq!(compacted("{}"), "{}");
        assert_eq!(compacted(" 1 "), "1");
        assert_eq!(compacted("\"\\\\\""), "\"\\\\\"");
    }

    proptest! {
        #[test]
        fn as_serde_writes_it(value in any_json()) {
            let pretty = serde_json::to_string_pretty(&value).expect("JSON");
            prop_assert_eq!(compacted(&pretty), value.to_string());
            prop_assert_eq!(compacted(&value.to_string()), value.to_string());
        }

        #[test]
        fn anything_ends(bytes: Vec<u8>) {
            compact(&bytes, &mut Vec::new());
        }
    }
}
