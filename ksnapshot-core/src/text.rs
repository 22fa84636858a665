//! Texts of definitions, which are kept for as long as a dump or a restore takes.

use std::borrow::Cow;

/// From this length on a text is kept compressed: what the planner knows of one table may be as long as the definitions of
/// hundreds, but most definitions are shorter than what the codec needs to say about them.
const LONG: usize = 1 << 10;

/// Of zstd: fast.
const LEVEL: i32 = 1;

/// The text of a definition. A long one is kept compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(Kept);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kept {
    AsItIs(Box<str>),
    Packed { bytes: Box<[u8]>, length: usize },
}

impl Text {
    /// Its length in bytes, unpacked.
    pub fn len(&self) -> usize {
        match &self.0 {
            Kept::AsItIs(text) => text.len(),
            Kept::Packed { length, .. } => *length,
        }
    }

    /// Whether it is the empty text.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text itself.
    pub fn read(&self) -> Cow<'_, str> {
        match &self.0 {
            Kept::AsItIs(text) => Cow::Borrowed(text),
            Kept::Packed { bytes, length } => {
                let text = ::zstd::bulk::decompress(bytes, *length).expect("compressed here");
                Cow::Owned(String::from_utf8(text).expect("a text when it was compressed"))
            }
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        if text.len() >= LONG
            && let Ok(bytes) = ::zstd::bulk::compress(text.as_bytes(), LEVEL)
        {
            return Self(Kept::Packed {
                bytes: bytes.into(),
                length: text.len(),
            });
        }
        Self(Kept::AsItIs(text.into()))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        match text.len() < LONG {
            true => Self(Kept::AsItIs(text.into())),
            false => Self::from(&*text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_what_it_was(text in "(.{0,3}){0,1200}") {
            let kept = Text::from(&*text);
            prop_assert_eq!(kept.len(), text.len());
            prop_assert_eq!(kept.read(), &*text);
            prop_assert_eq!(Text::from(text), kept);
        }
    }

    #[test]
    fn a_long_one_takes_less() {
        let text = "0.0033333334,".repeat(1000);
        let Text(Kept::Packed { bytes, .. }) = Text::from(&*text) else {
            panic!("long");
        };
        assert!(bytes.len() < text.len() / 100);
    }
}
