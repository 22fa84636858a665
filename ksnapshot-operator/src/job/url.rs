//! Writing URLs.

use std::net::Ipv6Addr;

/// A part of a URL: every byte but letters, digits and `- . _ ~` as `%XX`.
pub(super) fn encode(text: &str) -> String {
    encode_but(text, "-._~")
}

/// The same for a value of a query, in which the signs of an address need no escape.
pub(super) fn encode_value(text: &str) -> String {
    encode_but(text, "-._~:/[]@,")
}

fn encode_but(text: &str, plain: &str) -> String {
    use std::fmt::Write;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || plain.contains(c) {
            encoded.push(c);
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// A host as URLs write it: a name, an address, or one of version 6 between brackets. None: it is something else.
pub(super) fn host(text: &str) -> Option<String> {
    let address = (text.strip_prefix('['))
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    if let Ok(address) = address.parse::<Ipv6Addr>() {
        return Some(format!("[{address}]"));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let name = text.trim_end_matches('.');
    (!name.is_empty() && !name.starts_with(['-', '.']) && text.chars().all(plain))
        .then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_plain_stays() {
        assert_eq!(encode("a-b._~Z9"), "a-b._~Z9");
        assert_eq!(encode("ü/ @:%?#+"), "%C3%BC%2F%20%40%3A%25%3F%23%2B");
        assert_eq!(
            encode_value("http://h:1/?a&b=c+"),
            "http://h:1/%3Fa%26b%3Dc%2B"
        );
    }

    #[test]
    fn hosts() {
        for (text, written) in [
            ("db", Some("db")),
            (
                "db.shop.svc.cluster.local.",
                Some("db.shop.svc.cluster.local."),
            ),
            ("my_db-1", Some("my_db-1")),
            ("10.0.0.7", Some("10.0.0.7")),
            ("fd00::7", Some("[fd00::7]")),
            ("[FD00::7]", Some("[fd00::7]")),
            ("::ffff:10.0.0.7", Some("[::ffff:10.0.0.7]")),
            ("db:3306", None),
            ("mysql://db", None),
            ("a b", None),
            ("a/b", None),
            ("u@db", None),
            ("fe80::1%eth0", None),
            ("[db]", None),
            (".", None),
            ("-x", None),
        ] {
            assert_eq!(host(text).as_deref(), written, "{text}");
        }
    }
}
