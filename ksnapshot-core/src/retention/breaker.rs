//! How much one run may remove: a mistake in the rules must not empty a storage.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::str::FromStr;

use super::Decision;
use crate::{Error, ErrorKind, Result, Series};

/// How many snapshots of one series a single run may remove.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MaxDelete {
    /// Ten, or 30 % of the series if that is more.
    #[default]
    Usual,
    /// So many.
    Count(usize),
    /// So many of a hundred.
    Percent(u8),
}

impl MaxDelete {
    /// Whether `removed` snapshots of a series that has `all` may go.
    fn allows(self, removed: usize, all: usize) -> bool {
        let share = |percent: usize| removed.saturating_mul(100) <= all.saturating_mul(percent);
        match self {
            Self::Usual => removed <= 10 || share(30),
            Self::Count(most) => removed <= most,
            Self::Percent(percent) => share(percent.into()),
        }
    }
}

impl FromStr for MaxDelete {
    type Err = Error;

    /// `50` or `50%`.
    fn from_str(text: &str) -> Result<Self> {
        let parsed = match text.strip_suffix('%') {
            Some(percent) => percent
                .parse()
                .ok()
                .filter(|p| *p <= 100)
                .map(Self::Percent),
            None => text.parse().ok().map(Self::Count),
        };
        parsed.ok_or_else(|| {
            Error::new(ErrorKind::Usage, format!("{text:?} is no limit"))
                .hint("Write a number such as 50, or a share of a series such as 50%.")
        })
    }
}

impl Display for MaxDelete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usual => f.write_str("10, or 30 % if that is more"),
            Self::Count(most) => most.fmt(f),
            Self::Percent(percent) => write!(f, "{percent} %"),
        }
    }
}

/// Refuses to remove more of a series than `most` allows. `decided` are all snapshots.
pub fn check<'a>(
    decided: impl IntoIterator<Item = (&'a Series, &'a Decision)>,
    most: MaxDelete,
) -> Result<()> {
    let mut counts: BTreeMap<&Series, (usize, usize)> = BTreeMap::new();
    for (series, decision) in decided {
        let (removed, all) = counts.entry(series).or_default();
        *all += 1;
        *removed += usize::from(!decision.keeps());
    }
    counts.retain(|_, (removed, all)| !most.allows(*removed, *all));
    let Some(needed) = counts.values().map(|(removed, _)| *removed).max() else {
        return Ok(());
    };
    let list: Vec<_> = counts
        .iter()
        .map(|(series, (removed, all))| format!("  {series}: {removed} of {all}"))
        .collect();
    Err(Error::new(
        ErrorKind::Failed,
        format!(
            "more snapshots of a series would go than may at once ({most}):\n{}",
            list.join("\n")
        ),
    )
    .hint(format!(
        "Nothing was removed. Look at the table; if all of that is to go, say --max-delete {needed}."
    )))
}
