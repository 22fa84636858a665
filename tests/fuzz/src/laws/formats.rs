//! Manifest and index: what is read is what is written, and names no place outside of the snapshot.

use ksnapshot_core::layout::continues;
use ksnapshot_core::pipeline::{RestoreRequest, select};
use ksnapshot_core::{
    Choice, Index, Key, Manifest, Place, RestoreOptions, choose, pattern::Pattern,
};

/// A text as it is, and, where it has the shape of a manifest, with the checksum that belongs to it.
pub(super) fn manifest(data: &[u8]) {
    if let Ok(manifest) = Manifest::parse(data) {
        assert_eq!(
            manifest.to_json(),
            data,
            "the text is the manifest's only one"
        );
    }
    let Ok(shaped) = serde_json::from_slice::<Manifest>(data) else {
        return;
    };
    let json = shaped.to_json();
    let Ok(manifest) = Manifest::parse(&json) else {
        return;
    };
    assert_eq!(manifest.to_json(), json);
    assert!(manifest.data().next().is_some() && manifest.index().is_some());
    let beside = Key::parse("2026/11/21/x.manifest.json").expect("a key");
    for object in &manifest.objects {
        if let Ok(key) = beside.sibling(&object.name) {
            assert_eq!(key.as_str(), format!("2026/11/21/{}", object.name));
            assert_eq!(
                key.file_name(),
                object.name,
                "an object is beside its manifest"
            );
        }
        assert!(!continues(&object.name, &object.name));
    }
    let _ = (manifest.stored_bytes(), manifest.outcome.to_string());
    let chosen = choose(std::slice::from_ref(&manifest), &Choice::default());
    assert_eq!(chosen.expect("the only one").id, manifest.id);
}

/// An index that is taken does not contradict itself, whatever is chosen from it.
pub(super) fn index(data: &[u8]) {
    let Ok(index) = Index::parse(data) else {
        return;
    };
    let json = serde_json::to_vec(&index).expect("an index has string keys only");
    let again = Index::parse(&json).expect("what was written");
    assert_eq!(again, index);

    let _ = index.totals();
    let inside = |place: Place| {
        let frame = &index.frames[place.frame as usize];
        place.offset + place.length <= frame.plain
    };
    assert!(index.items.iter().filter_map(|i| i.place).all(inside));
    let frames: usize = index.data_frames().values().map(Vec::len).sum();
    assert!(frames <= index.frames.len());

    let mut request = everything();
    let all = select(&index, &request).expect("everything can be had");
    assert_eq!(all.items.len(), index.items.len());
    (request.no_owner, request.no_privileges) = (true, true);
    for item in index.items.iter().take(20) {
        request.tables = vec![Pattern::whole(&item.name), Pattern::whole("*")];
        let Ok(selection) = select(&index, &request) else {
            continue;
        };
        let mut last = None;
        for &id in &selection.items {
            assert!(
                (id as usize) < index.items.len() && last < Some(id),
                "once, in order"
            );
            last = Some(id);
        }
    }
}

pub(super) fn everything() -> RestoreRequest {
    RestoreRequest {
        tables: Vec::new(),
        no_owner: false,
        no_privileges: false,
        jobs: std::num::NonZeroUsize::MIN,
        options: RestoreOptions::default(),
    }
}
