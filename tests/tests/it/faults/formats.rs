//! A snapshot of a newer format is refused by its number, before its content is looked at.

use ksnapshot_core::Manifest;
use ksnapshot_tests::hold::Doorbell;
use ksnapshot_tests::tools;
use serde_json::Value;

use super::*;

/// A snapshot without encryption, so that a test can write what a newer build would.
fn in_the_clear() -> Place {
    let place = Place::new();
    let run = Ksnapshot::new(["dump", &shop().url(), "--to"]);
    let run = run.arg(place.store()).password().run().unwrap();
    run.success().unwrap();
    place
}

fn manifest(place: &Place) -> Manifest {
    Manifest::parse(&fs::read(place.object(".manifest.json")).unwrap()).unwrap()
}

/// Changes the index by stock tools, and makes the manifest fit it again.
fn change_index(place: &Place, change: impl FnOnce(&mut Value)) {
    let file = place.object(".index.zst");
    let mut index: Value = serde_json::from_slice(&tools::open(&file, None).unwrap()).unwrap();
    change(&mut index);
    let plain = place.folder.path().join("index.json");
    fs::write(&plain, index.to_string()).unwrap();
    let pack = "zstd -qf -o \"$2\" \"$1\"; sha256sum \"$2\" | cut -d ' ' -f 1";
    let mut bash = tools::bash(pack, &[plain.as_os_str(), file.as_os_str()]);
    let sum = tools::run(&mut bash).unwrap().success().unwrap().text();
    let mut manifest = manifest(place);
    let entry = manifest.objects.last_mut().unwrap();
    entry.sha256 = sum.trim().to_owned();
    entry.bytes = fs::metadata(&file).unwrap().len();
    fs::write(place.object(".manifest.json"), manifest.to_json()).unwrap();
}

/// All that would read the index fails by `code`, saying this, and leaves the target alone.
#[track_caller]
fn refused(place: &Place, code: i32, says: &[&str], verbs: &[&str]) {
    let bell = Doorbell::start().unwrap();
    let url = format!("postgres://postgres@127.0.0.1:{}/db", bell.port());
    for verb in verbs {
        let run = match *verb {
            "decode" => read("verify", place.store()).args(["--level", "decode"]),
            "restore" => restore(place.store(), &url),
            "plan" => restore(place.store(), &url).arg("--plan"),
            "list" => Ksnapshot::new(["list"]).arg(place.store()),
            verb => read(verb, place.store()),
        };
        fails(run.run().unwrap(), code, says);
    }
    assert_eq!(bell.rings(), 0);
}

#[test]
fn a_newer_manifest() {
    let place = in_the_clear();
    let file = place.object(".manifest.json");
    let mut json: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    json["version"] = 2.into();
    json["something new"] = true.into();
    fs::write(&file, json.to_string()).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    let says = [
        name,
        "format 2 is newer than this build",
        "hint: Use a ksnapshot at least as new",
    ];
    let verbs = [
        "list", "inspect", "verify", "decode", "cat", "plan", "restore",
    ];
    refused(&place, 1, &says, &verbs);
}

#[test]
fn a_newer_index() {
    let place = in_the_clear();
    change_index(&place, |index| {
        index["version"] = 2.into();
        index["something new"] = true.into();
    });
    let file = place.object(".index.zst");
    let name = file.file_name().unwrap().to_str().unwrap();
    let says = [
        name,
        "format 2 is newer than this build",
        "hint: Use a ksnapshot at least as new",
    ];
    refused(
        &place,
        1,
        &says,
        &["inspect", "decode", "cat", "plan", "restore"],
    );
    // Whether all bytes are there doesn't depend on what they mean.
    read("verify", place.store())
        .run()
        .unwrap()
        .success()
        .unwrap();
}

#[test]
fn a_newer_catalog_model() {
    let place = in_the_clear();
    change_index(&place, |index| index["catalog"]["version"] = 99.into());
    let says = [
        "catalog model postgresql 99 is not known",
        "hint: Use a ksnapshot at least as new",
    ];
    refused(&place, 1, &says, &["restore"]);
    // One from before the first release is read if it happens to be the same.
    let place = in_the_clear();
    change_index(&place, |index| index["catalog"]["version"] = 1.into());
    read("restore", place.store())
        .args(["--into", &empty().url()])
        .run()
        .unwrap()
        .success()
        .unwrap();
    change_index(&place, |index| {
        index["catalog"]["model"]["catalog"]["large_objects"] = vec![7].into()
    });
    let says = [
        "catalog model 1 is of a build before the first release",
        "hint: Restore the text",
    ];
    refused(&place, 1, &says, &["restore"]);
}

#[test]
fn an_index_that_contradicts_itself_or_its_manifest() {
    let says = ["index", "hint: Restore another snapshot"];
    let broken: [fn(&mut Value); 5] = [
        |index| index["snapshot"] = "00000000".into(),
        |index| index["items"][1]["id"] = 0.into(),
        |index| index["items"][0]["depends"] = vec![4_000_000].into(),
        |index| index["frames"][0]["item"] = 4_000_000.into(),
        |index| index["something new"] = true.into(),
    ];
    for change in broken {
        let place = in_the_clear();
        change_index(&place, change);
        refused(&place, 15, &says, &["inspect", "decode", "cat", "restore"]);
    }
    // Rows that the index counts and the manifest doesn't.
    let place = in_the_clear();
    let mut changed = manifest(&place);
    changed.counts.rows += 1;
    fs::write(place.object(".manifest.json"), changed.to_json()).unwrap();
    refused(&place, 15, &["rows, the manifest", "hint: "], &["decode"]);
}
