//! What has to hold for any bytes that somebody gives us. libFuzzer looks for bytes that break it; `make test` tries the
//! committed corpus.

#[path = "laws/age.rs"]
mod age;
#[path = "laws/formats.rs"]
mod formats;
#[path = "laws/frames.rs"]
mod frames;
#[path = "laws/snapshot.rs"]
mod snapshot;
#[path = "laws/texts.rs"]
mod texts;
#[path = "laws/urls.rs"]
mod urls;

/// Panics where the bytes break it.
pub(super) type Law = fn(&[u8]);

/// The laws by their names, which are also those of the folders of `corpus`.
pub(super) const LAWS: &[(&str, Law)] = &[
    ("age", age::law),
    ("databases", urls::databases),
    ("frames", frames::law),
    ("index", formats::index),
    ("manifest", formats::manifest),
    ("names", texts::names),
    ("patterns", texts::patterns),
    ("snapshot", snapshot::law),
    ("storages", urls::storages),
    ("words", texts::words),
];

/// The text before the first NUL byte, and the bytes after it.
fn text_and_bytes(data: &[u8]) -> Option<(&str, &[u8])> {
    let end = data.iter().position(|&b| b == 0).unwrap_or(data.len());
    let text = std::str::from_utf8(&data[..end]).ok()?;
    Some((text, data.get(end + 1..).unwrap_or_default()))
}

/// Lines of a text, each of them empty where there are no more.
fn lines<const N: usize>(data: &[u8]) -> Option<[&str; N]> {
    let mut lines = std::str::from_utf8(data).ok()?.splitn(N, '\n');
    Some(std::array::from_fn(|_| lines.next().unwrap_or_default()))
}
