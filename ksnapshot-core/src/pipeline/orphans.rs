//! What belongs to no snapshot: found by names, manifests and age. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::read::Listed;
use crate::layout::Stem;
use crate::{Key, ObjectInfo, Result, Unfinished};

/// What manifests lay claim to.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// Objects that a manifest names.
    named: BTreeSet<Key>,
    /// All that is of one snapshot, named or not.
    stems: BTreeSet<Stem>,
    /// All in the folder of a manifest of which neither text nor name says what belongs to it.
    folders: BTreeSet<String>,
}

impl Claims {
    pub(super) fn of<'a>(manifests: impl IntoIterator<Item = &'a Listed>) -> Result<Self> {
        let mut claims = Self::default();
        for listed in manifests {
            let stem = Stem::of(&listed.key);
            match &listed.manifest {
                Ok(manifest) => {
                    for object in &manifest.objects {
                        claims.named.insert(listed.key.sibling(&object.name)?);
                    }
                }
                Err(_) if stem.is_none() => {
                    claims.folders.insert(folder(&listed.key).to_owned());
                }
                Err(_) => {}
            }
            claims.stems.extend(stem);
        }
        Ok(claims)
    }

    /// Of manifests of which only the names are known.
    pub(super) fn by_name<'a>(manifests: impl IntoIterator<Item = &'a Key>) -> Self {
        Self {
            stems: manifests.into_iter().filter_map(Stem::of).collect(),
            ..Self::default()
        }
    }

    /// Whether a manifest names it, or might if only it could be read.
    pub(super) fn holds(&self, key: &Key) -> bool {
        self.named.contains(key)
            || self.folders.contains(folder(key))
            || Stem::of(key).is_some_and(|stem| self.stems.contains(&stem))
    }
}

fn folder(key: &Key) -> &str {
    key.as_str()
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder)
}

/// Objects of our own naming that no manifest lays claim to, and of whose snapshot nothing was written after `limit`: neither a
/// finished object nor one in the making. Where a store tells no time, nothing is an orphan.
pub(super) fn orphans(
    objects: &[ObjectInfo],
    unfinished: &[Unfinished],
    claims: &Claims,
    limit: Timestamp,
) -> Vec<ObjectInfo> {
    let mut newest: BTreeMap<Stem, Timestamp> = BTreeMap::new();
    let mut seen = |stem: Option<Stem>, at: Timestamp| {
        if let Some(stem) = stem {
            let newest = newest.entry(stem).or_insert(at);
            *newest = at.max(*newest);
        }
    };
    for object in objects {
        seen(
            Stem::of(&object.key),
            object.modified.unwrap_or(Timestamp::MAX),
        );
    }
    for begun in unfinished {
        seen(begun.key.as_ref().and_then(Stem::of), begun.touched);
    }
    let mut found: Vec<_> = objects
        .iter()
        .filter(|object| {
            let newest = Stem::of(&object.key).and_then(|stem| newest.get(&stem));
            newest.is_some_and(|newest| *newest <= limit) && !claims.holds(&object.key)
        })
        .cloned()
        .collect();
    found.sort_by(|a, b| a.key.cmp(&b.key));
    found
}

/// Of what was begun and not finished, what is ours and was not touched after `limit`. Where the store can't tell the name, all that
/// it tells of is ours.
pub(super) fn forgotten(unfinished: Vec<Unfinished>, limit: Timestamp) -> Vec<Unfinished> {
    let mut found: Vec<_> = unfinished
        .into_iter()
        .filter(|begun| begun.touched <= limit)
        .filter(|begun| begun.key.as_ref().is_none_or(|key| Stem::of(key).is_some()))
        .collect();
    found.sort_by(|a, b| (&a.key, &a.id).cmp(&(&b.key, &b.id)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEM: &str = "2026/11/01/mysql/dump-db-shop-20261101000000-";

    fn key(name: &str) -> Key {
        Key::parse(format!("{STEM}{name}")).expect("a key")
    }

    fn object(name: &str, modified: Option<i64>) -> ObjectInfo {
        ObjectInfo {
            key: key(name),
            size: 1,
            modified: modified.map(|at| Timestamp::from_second(at).expect("a time")),
        }
    }

    fn begun(name: &str, touched: i64) -> Unfinished {
        Unfinished {
            key: Some(key(name)),
            touched: Timestamp::from_second(touched).expect("a time"),
            id: name.to_owned(),
        }
    }

    /// The youngest sign of a snapshot counts for all of it.
    #[test]
    fn one_young_object_or_writer_protects_the_others() {
        let check = |objects: &[ObjectInfo], unfinished: &[Unfinished], expected: usize| {
            let limit = Timestamp::from_second(100).expect("a time");
            let found = orphans(objects, unfinished, &Claims::default(), limit);
            assert_eq!(found.len(), expected, "{objects:?} {unfinished:?}");
        };
        let old = object("aaaaaaaa.sql", Some(100));
        check(std::slice::from_ref(&old), &[], 1);
        check(
            &[old.clone(), object("aaaaaaaa.index.zst", Some(7))],
            &[],
            2,
        );
        check(
            &[old.clone(), object("aaaaaaaa.index.zst", Some(101))],
            &[],
            0,
        );
        check(&[old.clone(), object("aaaaaaaa.index.zst", None)], &[], 0);
        check(
            &[old.clone(), object("bbbbbbbb.index.zst", Some(101))],
            &[],
            1,
        );
        check(
            std::slice::from_ref(&old),
            &[begun("aaaaaaaa.002.sql", 101)],
            0,
        );
        check(
            std::slice::from_ref(&old),
            &[begun("aaaaaaaa.002.sql", 99)],
            1,
        );
        check(&[old], &[begun("bbbbbbbb.sql", 101)], 1);
    }
}
