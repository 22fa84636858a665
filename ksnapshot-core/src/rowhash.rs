//! The row hash: XXH3-128 of each row's canonical text, summed modulo 2^128. Free of order, so that rows dumped
//! in parallel and rows read back after a restore compare equal.
//!
//! Source of the algorithm: xxHash's specification, XXH3 with 128-bit output and seed 0.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xxhash_rust::xxh3::xxh3_128;

/// The sum of the hashes of some rows. Adding in any order gives the same sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RowHash(u128);

impl RowHash {
    /// The hash of one row's canonical text.
    pub fn of(row: &[u8]) -> Self {
        Self(xxh3_128(row))
    }

    /// The sum over `lines`, where every row ends with one line feed that is not part of its text.
    /// Returns the number of rows, too.
    pub fn of_lines(lines: &[u8]) -> (u64, Self) {
        let mut rows = 0;
        let mut sum = Self::default();
        for line in lines.split_inclusive(|&b| b == b'\n') {
            sum += Self::of(line.strip_suffix(b"\n").unwrap_or(line));
            rows += 1;
        }
        (rows, sum)
    }
}

impl Add for RowHash {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }
}

impl AddAssign for RowHash {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for RowHash {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::default(), Self::add)
    }
}

impl fmt::Display for RowHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for RowHash {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(Self)
    }
}

impl Serialize for RowHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RowHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn order_and_grouping_do_not_matter(mut rows: Vec<Vec<u8>>, at in 0usize..100) {
            for row in &mut rows { row.retain(|&b| b != b'\n'); }
            let whole: RowHash = rows.iter().map(|r| RowHash::of(r)).sum();
            let cut = at.min(rows.len());
            rows.rotate_left(cut);
            let text: Vec<u8> = rows.iter().flat_map(|r| r.iter().copied().chain([b'\n'])).collect();
            prop_assert_eq!(RowHash::of_lines(&text), (rows.len() as u64, whole));
        }

        #[test]
        fn a_changed_row_changes_the_sum(row: Vec<u8>, other: Vec<u8>) {
            prop_assume!(row != other);
            prop_assert_ne!(RowHash::of(&row), RowHash::of(&other));
        }
    }

    #[test]
    fn text_and_back() {
        let hash = RowHash::of(b"a\tb");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(
            RowHash::of(b"").to_string(),
            "99aa06d3014798d86001c324468d497f"
        );
    }
}
