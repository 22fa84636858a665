//! Snapshots that follow one another, and which of them is meant.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Manifest, Outcome, Result, near};

/// Snapshots of the same thing. Retention, "newest" and anomaly checks work per series, never across.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// The user's name for the source; its host unless said otherwise.
    pub name: String,
    /// `postgresql`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// The database.
    pub database: String,
}

impl std::fmt::Display for Series {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.name)?;
        match self.database.as_str() {
            "" => Ok(()),
            database => write!(f, "/{database}"),
        }
    }
}

/// How a caller says which snapshot it means. Everything left open means the newest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// The id.
    pub id: Option<String>,
    /// The series' name.
    pub name: Option<String>,
    /// The series' database.
    pub database: Option<String>,
    /// The newest one that was started at this time or before.
    pub at: Option<Timestamp>,
}

/// Finds the snapshot that `choice` means: pure, so that every caller finds the same one.
///
/// Errors: [`ErrorKind::NoSuchSnapshot`] when nothing fits, [`ErrorKind::Usage`] when several series fit.
pub fn choose<'a>(manifests: &'a [Manifest], choice: &Choice) -> Result<&'a Manifest> {
    let fits = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|w| w == found);
    let candidates: Vec<&Manifest> = manifests
        .iter()
        .filter(|m| fits(&choice.id, &m.id))
        .filter(|m| {
            fits(&choice.name, &m.series.name) && fits(&choice.database, &m.series.database)
        })
        .filter(|m| choice.at.is_none_or(|at| m.started <= at))
        .collect();
    let mut series: Vec<&Series> = candidates.iter().map(|m| &m.series).collect();
    series.sort_unstable();
    series.dedup();
    if series.len() > 1 {
        let list: Vec<String> = series.iter().map(|s| format!("  {s}")).collect();
        return Err(Error::new(
            ErrorKind::Usage,
            format!(
                "{} series fit, and nothing says which one is meant:\n{}",
                series.len(),
                list.join("\n")
            ),
        )
        .hint("Choose one with --name, --database or STORAGE#ID."));
    }
    // Named by its id, a snapshot with problems is as good as any; as "the newest" it is only taken when the
    // series has no complete one.
    candidates
        .into_iter()
        .max_by_key(|m| (m.outcome == Outcome::Complete, m.started))
        .ok_or_else(|| nothing_fits(manifests, choice))
}

/// Says what was nearly meant, as far as that can be known.
fn nothing_fits(manifests: &[Manifest], choice: &Choice) -> Error {
    const LIST: &str = "See what is there with `ksnapshot list STORAGE`.";
    if let Some(id) = &choice.id {
        return Error::new(
            ErrorKind::NoSuchSnapshot,
            format!("snapshot {id}: not found"),
        )
        .hint(LIST);
    }
    let words = [
        (
            choice.name.as_deref(),
            (|s| &s.name) as fn(&Series) -> &String,
        ),
        (choice.database.as_deref(), |s| &s.database),
    ];
    let meant = words.into_iter().find_map(|(word, of)| {
        let known = manifests.iter().map(|m| of(&m.series).as_str());
        near(word?, known).filter(|meant| Some(*meant) != word)
    });
    let error = Error::new(ErrorKind::NoSuchSnapshot, "no snapshot fits");
    match meant {
        Some(meant) => error.hint(format!("Did you mean {meant}? {LIST}")),
        None => error.hint(LIST),
    }
}
