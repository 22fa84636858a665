//! The index of a dump, written from where its pieces lie: the dumper's outline, and what was streamed. Both may be large, so that
//! nothing is gathered first.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde::{Serialize, Serializer};

use super::upload::Written;
use crate::catalog::{CatalogModel, packed};
use crate::{
    DataStats, Error, ErrorKind, Frame, INDEX_VERSION, Item, Outline, Place, Problem, Result,
};

/// An [`Index`](crate::Index) that is not one yet.
pub(super) struct Draft<'a> {
    snapshot: &'a str,
    catalog: &'a CatalogModel,
    items: Items<'a>,
    frames: &'a [Frame],
    problems: &'a [Problem],
}

/// The outline's items, with where they are and what was counted.
struct Items<'a> {
    announced: &'a [Item],
    data: BTreeMap<u32, DataStats>,
    places: BTreeMap<u32, Place>,
}

impl<'a> Draft<'a> {
    /// Of items that are `missing` nothing was written.
    ///
    /// Errors: [`ErrorKind::Failed`] when the dumper wrote what it did not announce, or gave something up in the middle.
    pub(super) fn new(
        snapshot: &'a str,
        outline: &'a Outline,
        written: &'a Written,
        problems: &'a [Problem],
        missing: &BTreeSet<u32>,
    ) -> Result<Self> {
        let announced = |id: u32| {
            outline.items.get(id as usize).ok_or_else(|| {
                Error::new(
                    ErrorKind::Failed,
                    format!("the dumper wrote an item {id} that it did not announce"),
                )
            })
        };
        let mut data = BTreeMap::new();
        let parts = outline.objects.iter().flat_map(|object| &object.parts);
        for id in parts.flat_map(|part| &part.items) {
            announced(*id)?;
            if !missing.contains(id) {
                data.insert(*id, DataStats::default());
            }
        }
        for frame in &written.frames {
            let Some(id) = frame.item else { continue };
            let item = announced(id)?;
            let stats = data.get_mut(&id).ok_or_else(|| {
                Error::new(
                    ErrorKind::Failed,
                    format!("{}: given up after some of it was written", item.kind),
                )
            })?;
            *stats += DataStats {
                rows: frame.rows,
                hash: frame.hash,
            };
        }
        let places: BTreeMap<u32, Place> = written.places.iter().copied().collect();
        for id in places.keys() {
            announced(*id)?;
        }
        Ok(Self {
            snapshot,
            catalog: &outline.catalog,
            items: Items {
                announced: &outline.items,
                data,
                places,
            },
            frames: &written.frames,
            problems,
        })
    }

    /// The index as it is stored, before it is sealed.
    pub(super) fn pack(&self) -> Result<Vec<u8>> {
        packed(3, |words| self.write(words))
            .map_err(|cause| Error::new(ErrorKind::Failed, "index: can't be written").source(cause))
    }

    /// The JSON of an index. The model goes from its compressed text into this one a piece at a time.
    fn write(&self, to: &mut impl Write) -> io::Result<()> {
        write!(to, r#"{{"version":{INDEX_VERSION},"snapshot":"#)?;
        serde_json::to_writer(&mut *to, self.snapshot)?;
        write!(to, r#","catalog":"#)?;
        self.catalog.write(&mut *to)?;
        write!(to, r#","items":"#)?;
        serde_json::to_writer(&mut *to, &self.items)?;
        write!(to, r#","frames":"#)?;
        serde_json::to_writer(&mut *to, self.frames)?;
        write!(to, r#","problems":"#)?;
        serde_json::to_writer(&mut *to, self.problems)?;
        write!(to, "}}")
    }
}

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        to.collect_seq(self.announced.iter().map(|item| Item {
            place: self.places.get(&item.id).copied(),
            data: self.data.get(&item.id).copied(),
            ..item.clone()
        }))
    }
}
