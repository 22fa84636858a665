//! Quoting: the only way by which a name or a text gets into SQL.

/// A name between backticks.
pub(super) fn name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A name with its database.
pub(super) fn qualified(database: &str, object: &str) -> String {
    format!("{}.{}", name(database), name(object))
}

/// A text between single quotes, for a session in utf8mb4 without `NO_BACKSLASH_ESCAPES`. Holds no line feed.
pub(super) fn literal(text: &str) -> String {
    let mut quoted = Vec::with_capacity(text.len() + 2);
    escape(text.as_bytes(), &mut quoted);
    String::from_utf8(quoted).unwrap_or_default()
}

/// Appends valid UTF-8 as a text between single quotes. Every byte that is escaped is ASCII, so no character is cut.
pub(super) fn escape(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'\'');
    let mut rest = text;
    while let Some(at) = rest
        .iter()
        .position(|b| matches!(b, b'\'' | b'\\' | b'\n' | b'\r' | 0 | 0x1a))
    {
        out.extend_from_slice(&rest[..at]);
        out.push(b'\\');
        out.push(match rest[at] {
            b'\n' => b'n',
            b'\r' => b'r',
            0 => b'0',
            0x1a => b'Z',
            other => other,
        });
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'\'');
}

/// A text for a comment of one line: nothing in it ends the line.
pub(super) fn in_comment(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
                '?'
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_keep_to_themselves() {
        assert_eq!(qualified("a`b", "c"), "`a``b`.`c`");
        assert_eq!(literal("it's\n\\\0\u{1a}ü"), "'it\\'s\\n\\\\\\0\\Zü'");
    }
}
