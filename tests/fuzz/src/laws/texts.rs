//! Names, patterns and single words.

use ksnapshot_core::age::{AgeDecryptor, AgeEncryptor};
use ksnapshot_core::layout::{Form, Names, continues};
use ksnapshot_core::pattern::{Letters, Pattern};
use ksnapshot_core::{Encryptor, ErrorKind, Formats, Key, Series};

use super::lines;

/// Keys, and the names of a snapshot of any series: name, type, database, content.
pub(super) fn names(data: &[u8]) {
    let Some([name, kind, database, part]) = lines::<4>(data) else {
        return;
    };
    for text in [name, kind, database, part] {
        let Ok(key) = Key::parse(text) else { continue };
        assert_eq!(key.as_str(), text);
        assert!(text.split('/').all(|s| !matches!(s, "" | "." | "..")));
        assert!(!text.contains(char::is_control) && !key.file_name().contains('/'));
        let other = key.sibling("other").expect("a name");
        assert_eq!(
            other.as_str().matches('/').count(),
            text.matches('/').count()
        );
    }
    let series = Series {
        name: name.into(),
        kind: kind.into(),
        database: database.into(),
    };
    let time = "2026-11-21T23:59:58Z".parse().expect("a time");
    for form in [Form::Sql, Form::JsonLines] {
        let names = Names::new(&series, form, time, "ab12cd34");
        let Ok(manifest) = names.manifest() else {
            // Only a type is a folder of its own, and may be none.
            assert!(matches!(kind, "" | "." | ".."), "{series:?}");
            continue;
        };
        let data = |piece| {
            names
                .data(part, piece, ".zst", ".age")
                .expect("as the manifest")
        };
        let (first, second) = (data(1), data(2));
        let keys = [
            &manifest,
            &names.index("").expect("as the manifest"),
            &first,
            &second,
        ];
        for (n, key) in keys.iter().enumerate() {
            assert!(
                key.as_str().is_ascii() && key.as_str().split('/').count() == 5,
                "{key}"
            );
            assert!(!keys[..n].contains(key), "two objects of one name: {key}");
            assert!(key.file_name().contains("-20261121235958-ab12cd34"));
        }
        assert_eq!(Form::of(first.file_name()), form);
        assert_eq!(Form::of(second.file_name()), form);
        assert!(continues(first.file_name(), second.file_name()));
        assert!(!continues(second.file_name(), first.file_name()));
    }
}

/// A pattern, a schema, a name.
pub(super) fn patterns(data: &[u8]) {
    let Some([text, schema, name]) = lines::<3>(data) else {
        return;
    };
    let whole = Pattern::whole(text);
    let (wanted, found): (Vec<char>, Vec<char>) = (text.chars().collect(), name.chars().collect());
    if wanted.len() * found.len() < 10_000 {
        let expected = glob(&wanted, &found);
        assert_eq!(
            whole.matches(Letters::Whole, None, name),
            expected,
            "{text:?} {name:?}"
        );
    }
    let Ok(pattern) = Pattern::parse(text) else {
        return;
    };
    assert_eq!(pattern.as_str(), text);
    for letters in [Letters::Folded, Letters::AsWritten, Letters::Whole] {
        if pattern.matches(letters, Some(schema), name) && !text.contains('.') {
            assert!(
                pattern.matches(letters, None, name),
                "without a schema it means every one"
            );
        }
    }
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    if !name.is_empty() && !schema.is_empty() {
        let exact = Pattern::parse(&format!("{}.{}", quoted(schema), quoted(name)));
        let exact = exact.expect("quotes keep everything as it is");
        for letters in [Letters::Folded, Letters::AsWritten] {
            assert!(exact.matches(letters, Some(schema), name));
            assert!(!exact.matches(letters, Some(schema), &format!("{name}x")));
        }
    }
}

/// The same by the book, in squared time.
fn glob(wanted: &[char], found: &[char]) -> bool {
    let mut reached = vec![false; found.len() + 1];
    reached[0] = true;
    for &token in wanted {
        let mut next = vec![false; found.len() + 1];
        for at in 0..=found.len() {
            let step = at > 0 && reached[at - 1] && (token == '?' || token == found[at - 1]);
            next[at] = match token {
                '*' => reached[at] || (at > 0 && next[at - 1]),
                _ => step,
            };
        }
        reached = next;
    }
    reached[found.len()]
}

/// A codec, a recipient, an identity file.
pub(super) fn words(data: &[u8]) {
    let Some([codec, recipient, identity]) = lines::<3>(data) else {
        return;
    };
    let formats = Formats::default();
    if let Ok(compressor) = formats.compressor(codec) {
        let again = formats.compressor(&compressor.name()).expect("its name");
        assert_eq!(again.name(), compressor.name());
        let of_name = formats.compressor_of(&format!("x{}", compressor.extension()));
        assert_eq!(of_name.extension(), compressor.extension());
    }
    let is_secret = |text: &str| text.to_ascii_uppercase().contains("AGE-SECRET-KEY-");
    match AgeEncryptor::new(&[recipient]) {
        Ok(encryptor) => {
            assert_eq!(encryptor.recipients(), [recipient.trim().to_lowercase()]);
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Usage);
            let told = format!("{error:#} {error:?} {:?}", error.advice());
            assert!(
                !is_secret(recipient) || !told.contains(recipient),
                "a secret is repeated"
            );
        }
    }
    let given = identity.to_owned().into();
    if let Err(error) = AgeDecryptor::from_identity_file(&given) {
        assert_eq!(error.kind(), ErrorKind::Identity);
        let told = format!("{error:#}");
        let long = |line: &&str| line.len() > 20 && is_secret(line);
        assert!(
            !identity
                .lines()
                .filter(long)
                .any(|line| told.contains(line))
        );
    }
}
