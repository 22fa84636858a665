//! Which snapshot an object belongs to, by its name alone. Pure.

use jiff::civil::DateTime;

use super::MANIFEST_SUFFIX;
use crate::Key;

/// What all names of one snapshot share: the folder, the time and the id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stem {
    /// `YYYY/MM/DD/<type>`.
    folder: String,
    /// `<YYYYMMDDHHMMSS>-<id>`.
    tail: String,
}

impl Stem {
    /// That of an object of ours; none for any other, however alike. What is taken for ours may be deleted one day, so each part of
    /// the name must be as [`super::Names`] writes it, with a codec and a seal that come with this crate.
    pub fn of(key: &Key) -> Option<Self> {
        let (folder, file) = key.as_str().rsplit_once('/')?;
        let [year, month, day, kind] = folder.split('/').collect::<Vec<_>>().try_into().ok()?;
        let body = file.strip_prefix("dump-")?;
        if !is_encoded(kind) || !is_encoded(body) {
            return None;
        }
        let (names, tail) = split_tail(without_suffix(body)?)?;
        let (time, _) = tail.split_once('-')?;
        let is_day = time.starts_with(&format!("{year}{month}{day}"))
            && (year.len(), month.len(), day.len()) == (4, 2, 2);
        let is_time = DateTime::strptime("%Y%m%d%H%M%S", time).is_ok();
        (!names.is_empty() && is_day && is_time).then(|| Self {
            folder: folder.to_owned(),
            tail: tail.to_owned(),
        })
    }
}

/// What stands before what says which object of the snapshot it is, and how it is packed.
fn without_suffix(name: &str) -> Option<&str> {
    if let Some(names) = name.strip_suffix(MANIFEST_SUFFIX) {
        return Some(names);
    }
    let opened = name.strip_suffix(".age").unwrap_or(name);
    if let Some(names) = opened.strip_suffix(".index.zst") {
        return Some(names);
    }
    let plain = (opened.strip_suffix(".zst"))
        .or_else(|| opened.strip_suffix(".gz"))
        .unwrap_or(opened);
    if let Some(lines) = plain.strip_suffix(".jsonl") {
        let (names, content) = without_number(lines).rsplit_once('-')?;
        let is_content = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        return (!content.is_empty() && content.bytes().all(is_content)).then_some(names);
    }
    let text = (plain.strip_suffix(".sql")).or_else(|| plain.strip_suffix(".out"))?;
    Some(without_number(text))
}

/// The number of an object that goes on with another one: `.002`, of three digits or more.
fn without_number(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((before, number))
            if number.len() >= 3 && number.bytes().all(|b| b.is_ascii_digit()) =>
        {
            before
        }
        _ => name,
    }
}

/// Divides `<names>-<time>-<id>`.
fn split_tail(name: &str) -> Option<(&str, &str)> {
    let at = name.len().checked_sub("YYYYMMDDHHMMSS-12345678".len())?;
    let (names, tail) = name.split_at_checked(at)?;
    let (time, id) = tail.split_once('-')?;
    let is_tail = time.len() == 14
        && time.bytes().all(|b| b.is_ascii_digit())
        && id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    is_tail.then_some(())?;
    Some((names.strip_suffix('-')?, tail))
}

/// Whether nothing but what names may hold is in it: the rest is percent-encoded.
fn is_encoded(text: &str) -> bool {
    let mut pieces = text.split('%');
    let plain = |piece: &str| {
        piece
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    };
    let coded = |piece: &str| {
        piece.len() >= 2
            && piece
                .bytes()
                .take(2)
                .all(|b| b.is_ascii_digit() || matches!(b, b'A'..=b'F'))
    };
    !text.is_empty() && pieces.next().is_some_and(plain) && pieces.all(|p| coded(p) && plain(p))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::Series;
    use crate::layout::{Form, Names, new_id};

    fn stem(key: &str) -> Option<Stem> {
        Stem::of(&Key::parse(key).expect("a key"))
    }

    #[test]
    fn objects_of_one_snapshot_share_a_stem() {
        let all = [
            "2026/11/21/mysql/dump-db.example.org-shop-20261121030000-ab12cd34.sql.zst.age",
            "2026/11/21/mysql/dump-db.example.org-other-20261121030000-ab12cd34.sql",
            "2026/11/21/mysql/dump-db.example.org-shop-20261121030000-ab12cd34.002.sql.gz",
            "2026/11/21/mysql/dump-db.example.org-shop-20261121030000-ab12cd34.1000.sql.zst",
            "2026/11/21/mysql/dump-db.example.org-all-20261121030000-ab12cd34.index.zst.age",
            "2026/11/21/mysql/dump-db.example.org-all-20261121030000-ab12cd34.manifest.json",
            "2026/11/21/mysql/dump-search-20261121030000-ab12cd34-component_template.jsonl.gz.age",
            "2026/11/21/mysql/dump-search-20261121030000-ab12cd34-data.002.jsonl.zst",
            "2026/11/21/mysql/dump-job%2F1-20261121030000-ab12cd34.out",
        ];
        let stems: Vec<_> = all.into_iter().map(|key| stem(key).expect(key)).collect();
        assert!(stems.windows(2).all(|pair| pair[0] == pair[1]), "{stems:?}");
    }

    #[test]
    fn what_is_only_alike_is_foreign() {
        let good = "2026/11/21/mysql/dump-h-db-20261121030000-ab12cd34.sql.zst.age";
        assert!(stem(good).is_some());
        for (from, to) in [
            ("2026/11/21/mysql/", ""),
            ("2026/", ""),
            ("2026/11/21", "2026/11/22"),
            ("2026/11/21", "2026/112/1"),
            ("mysql/", "mysql/deeper/"),
            ("mysql", "my sql"),
            ("dump-", "copy-of-dump-"),
            ("dump-", "Dump-"),
            ("-h-db", ""),
            ("h-db", "h/db"),
            ("h-db", "h db"),
            ("h-db", "h%2fdb"),
            ("h-db", "h%zz"),
            ("20261121030000", "20261121250000"),
            ("20261121030000", "2026112103000"),
            ("ab12cd34", "ab12cd3"),
            ("ab12cd34", "AB12CD34"),
            ("-ab12cd34", ""),
            (".sql", ""),
            (".sql", ".SQL"),
            (".sql", ".02.sql"),
            (".sql", ".xml"),
            (".sql", "-data.sql"),
            (".sql", ".jsonl"),
            (".zst", ".lz4"),
            (".age", ".age.bak"),
            (".age", ".gpg"),
            (".age", ".age~"),
            (".sql.zst.age", ".index.gz"),
            (".sql.zst.age", ".manifest.json.zst"),
            (".sql.zst.age", ".sql.zst.gz"),
        ] {
            let other = good.replacen(from, to, 1);
            assert_ne!(other, good);
            assert_eq!(stem(&other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn every_name_of_ours_is_known(
            name: String, database: String, part: String, seconds in 0_i64..4_000_000_000, lines: bool, content in "[a-z0-9_]{1,20}",
            codec in prop::sample::select(vec!["", ".gz", ".zst"]), seal in prop::sample::select(vec!["", ".age"]),
        ) {
            prop_assume!(!name.is_empty());
            let series = Series { name, kind: "postgresql".into(), database };
            let time = Timestamp::from_second(seconds).expect("a time");
            let (form, part) = if lines { (Form::JsonLines, content) } else { (Form::Sql, part) };
            let names = Names::new(&series, form, time, &new_id());
            let manifest = Stem::of(&names.manifest().expect("a key"));
            prop_assert!(manifest.is_some());
            for key in [
                names.data(&part, 1, codec, seal),
                names.data(&part, 2, codec, seal),
                names.index(seal),
            ] {
                prop_assert_eq!(&Stem::of(&key.expect("a key")), &manifest);
            }
        }

        #[test]
        fn nothing_else_is_and_nothing_panics(key in "[0-9/]{0,12}[a-z%-]{0,6}/dump-\\PC{0,40}") {
            if let Ok(key) = Key::parse(key) {
                prop_assert_eq!(Stem::of(&key), None);
            }
        }
    }
}
