//! Stored bytes are not what was written: exit 15, whoever reads them.

use ksnapshot_core::Manifest;
use ksnapshot_tests::hold::Doorbell;

use super::*;

const CORRUPT: i32 = 15;

/// Bytes of a sealed chunk.
const CHUNK: usize = 64 * 1024 + 16;

/// Places of an object at which a flipped bit must be found, with a name for each.
fn places(bytes: &[u8], header: usize) -> Vec<(&'static str, usize)> {
    let last = bytes.len() - 1;
    let mut places = vec![
        ("the first byte", 0),
        ("the recipient's line in the header", 40),
        ("the wrapped key in the header", 90),
        ("the header's own check", header - 20),
        ("the nonce", header - 1),
        ("the first chunk", header),
        ("the first chunk's tag", (header + CHUNK - 1).min(last)),
        ("the middle", header + (last - header) / 2),
        ("the last chunk", last - 40),
        ("the last byte", last),
    ];
    places.retain(|&(_, at)| at <= last);
    places
}

/// The byte with one bit flipped, by which a letter of a header stays one that a header may have: else the header no longer
/// reads, and that is a fault of another kind.
fn flipped(byte: u8) -> u8 {
    byte ^ match byte {
        b'A'..=b'Z' | b'a'..=b'z' => 0x20,
        b'0'..=b'9' => 0x01,
        b'+' | b'/' => 0x04,
        _ => 0x10,
    }
}

/// Runs what reads the snapshot; all of it must find the damage. A restore may find it late, and then says so.
#[track_caller]
fn found(place: &Place, what: &str, verbs: &[&str]) {
    for verb in verbs {
        let target = empty();
        let run = match *verb {
            "decode" => read("verify", place.store()).args(["--level", "decode"]),
            "restore" => restore(place.store(), &target.url()),
            verb => read(verb, place.store()),
        };
        let run = run.run().unwrap();
        assert_eq!(run.code(), Some(CORRUPT), "{what}: {run:?}");
        explains(&run, &["hint: "]);
        if *verb == "restore" {
            untouched_or_partial(&run, &target);
        }
        target.drop().unwrap();
    }
}

/// Either nothing is in the target, or the user is told that a part is.
#[track_caller]
fn untouched_or_partial(run: &Run, target: &Db<'_>) {
    let sql = "select count(*) from pg_namespace where nspname = 'shop'";
    let told = run.stderr.contains("now holds a part of the snapshot");
    let touched = target.psql(sql).unwrap() != "0";
    assert!(told || !touched, "{run:?}");
}

#[test]
fn flipped_data() {
    let place = Place::with_snapshot();
    let file = place.object(".sql.zst.age");
    let header = usize::try_from(manifest(&place).data().next().unwrap().header).unwrap();
    let good = fs::read(&file).unwrap();
    assert!(good.len() > header + 3 * CHUNK, "several chunks");
    for (what, at) in places(&good, header) {
        let mut bad = good.clone();
        bad[at] = flipped(bad[at]);
        fs::write(&file, bad).unwrap();
        found(&place, what, &["verify", "decode", "cat", "restore"]);
    }
    fs::write(&file, good).unwrap();
    is_whole(place.store(), |run| run);
}

/// What is not sealed is checked, too: by the sums in the index.
#[test]
fn flipped_data_that_is_not_sealed() {
    for (codec, suffix) in [
        ("none", ".sql"),
        ("gzip:1", ".sql.gz"),
        ("zstd:3", ".sql.zst"),
    ] {
        let place = Place::new();
        Ksnapshot::new(["dump", &shop().url(), "--compression", codec, "--to"])
            .arg(place.store())
            .password()
            .run()
            .unwrap()
            .success()
            .unwrap();
        let file = place.object(suffix);
        let good = fs::read(&file).unwrap();
        for at in [
            0,
            300,
            good.len() / 3,
            good.len() / 2,
            good.len() - 300,
            good.len() - 2,
        ] {
            let mut bad = good.clone();
            bad[at] ^= 0x01;
            fs::write(&file, bad).unwrap();
            // A gzip member's time and flags mean nothing to its content.
            found(&place, codec, &["verify", "decode"]);
        }
        let mut bad = good.clone();
        bad[good.len() / 2] ^= 0x01;
        fs::write(&file, bad).unwrap();
        found(&place, codec, &["cat", "restore"]);
    }
}

#[test]
fn flipped_index() {
    let place = Place::with_snapshot();
    let bell = Doorbell::start().unwrap();
    let url = format!("postgres://postgres@127.0.0.1:{}/db", bell.port());
    let file = place.object(".index.zst.age");
    let header = usize::try_from(manifest(&place).index().unwrap().header).unwrap();
    let good = fs::read(&file).unwrap();
    for (what, at) in places(&good, header) {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        fs::write(&file, bad).unwrap();
        found(&place, what, &["inspect", "verify", "decode", "cat"]);
        let run = restore(place.store(), &url).run().unwrap();
        fails(
            run,
            CORRUPT,
            &["its SHA-256 is not the manifest's", "hint: "],
        );
    }
    assert_eq!(bell.rings(), 0, "the target is not even asked");
}

/// Every single bit of a manifest counts.
#[test]
fn flipped_manifest() {
    let place = Place::with_snapshot();
    let file = place.object(".manifest.json");
    let good = fs::read(&file).unwrap();
    let version = good
        .windows(12)
        .position(|w| w == b"\"version\": 1")
        .unwrap()
        + 11;
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            let error = Manifest::parse(&bad).expect_err(&format!("byte {at}, bit {bit}"));
            let code = i32::from(error.kind().exit_code());
            // A flipped version may look like a newer one, and nobody can know better.
            assert!(code == CORRUPT || code == 1 && at == version, "{error:?}");
        }
    }
    let bell = Doorbell::start().unwrap();
    let url = format!("postgres://postgres@127.0.0.1:{}/db", bell.port());
    let name = file.file_name().unwrap().to_str().unwrap();
    for at in [0, good.len() / 3, good.len() / 2, good.len() - 2] {
        let mut bad = good.clone();
        bad[at] ^= 0x04;
        fs::write(&file, bad).unwrap();
        found(&place, "manifest", &["verify", "decode", "cat", "inspect"]);
        let run = restore(place.store(), &url).run().unwrap();
        fails(run, CORRUPT, &[name, "hint: "]);
        let run = Ksnapshot::new(["list"]).arg(place.store()).run().unwrap();
        assert_eq!(run.code(), Some(CORRUPT), "{run:?}");
        assert!(
            run.stderr.contains(name) && run.stderr.contains("hint: "),
            "{run:?}"
        );
    }
    assert_eq!(bell.rings(), 0);
}

#[test]
fn truncated() {
    let place = Place::with_snapshot();
    let bell = Doorbell::start().unwrap();
    let url = format!("postgres://postgres@127.0.0.1:{}/db", bell.port());
    for suffix in [".sql.zst.age", ".index.zst.age", ".manifest.json"] {
        let file = place.object(suffix);
        let name = file.file_name().unwrap().to_str().unwrap();
        let good = fs::read(&file).unwrap();
        for length in [0, 1, 100, good.len() / 2, good.len() - 16, good.len() - 1] {
            fs::write(&file, &good[..length]).unwrap();
            found(&place, suffix, &["verify", "decode", "cat"]);
            for flag in [&[][..], &["--plan"]] {
                let run = restore(place.store(), &url).args(flag).run().unwrap();
                fails(run, CORRUPT, &[name, "hint: "]);
            }
        }
        let longer = [good.as_slice(), b"\0"].concat();
        fs::write(&file, longer).unwrap();
        found(&place, suffix, &["verify", "decode", "cat"]);
        fs::write(&file, good).unwrap();
    }
    assert_eq!(bell.rings(), 0);
}

/// Cut where a chunk and a frame end: what `zstd` alone would take for whole.
#[test]
fn truncated_with_a_manifest_that_fits() {
    let place = Place::with_snapshot();
    let file = place.object(".sql.zst.age");
    let mut manifest = manifest(&place);
    let header = usize::try_from(manifest.data().next().unwrap().header).unwrap();
    let good = fs::read(&file).unwrap();
    let cut = &good[..header + 2 * CHUNK];
    fs::write(&file, cut).unwrap();
    manifest.objects[0].bytes = cut.len() as u64;
    fs::write(place.object(".manifest.json"), manifest.to_json()).unwrap();
    found(&place, "cut", &["verify", "decode", "cat", "restore"]);
    // By its own name, without a manifest: age's last chunk is missing.
    let run = read("cat", &file).run().unwrap();
    assert_eq!(run.code(), Some(CORRUPT), "{run:?}");
    explains(&run, &["cut short", "hint: "]);
}

#[test]
fn missing() {
    let bell = Doorbell::start().unwrap();
    let url = format!("postgres://postgres@127.0.0.1:{}/db", bell.port());
    for suffix in [".sql.zst.age", ".index.zst.age"] {
        let place = Place::with_snapshot();
        let file = place.object(suffix);
        let name = file.file_name().unwrap().to_str().unwrap();
        fs::remove_file(&file).unwrap();
        let says = [name, "named by the manifest, and not there", "hint: "];
        for run in [
            read("verify", place.store()),
            read("verify", place.store()).args(["--level", "decode"]),
            read("cat", place.store()),
            restore(place.store(), &url),
            restore(place.store(), &url).arg("--plan"),
        ] {
            fails(run.run().unwrap(), CORRUPT, &says);
        }
    }
    // Without its manifest it isn't a snapshot.
    let place = Place::with_snapshot();
    fs::remove_file(place.object(".manifest.json")).unwrap();
    let run = restore(place.store(), &url).run().unwrap();
    fails(run, 10, &["hint: See what is there"]);
    assert_eq!(bell.rings(), 0);
}

/// Each object is whole, but they are not of one snapshot.
#[test]
fn objects_of_another_snapshot() {
    let (place, other) = (Place::with_snapshot(), Place::with_snapshot());
    for suffix in [".sql.zst.age", ".index.zst.age"] {
        let file = place.object(suffix);
        let good = fs::read(&file).unwrap();
        fs::copy(other.object(suffix), &file).unwrap();
        found(&place, suffix, &["verify", "decode", "cat", "restore"]);
        fs::write(&file, good).unwrap();
    }
}

/// A restore that finds the damage only among the rows says that the target holds a part.
#[test]
fn a_corrupt_frame_in_the_middle_of_a_restore() {
    let place = Place::with_snapshot();
    let file = place.object(".sql.zst.age");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&file, bytes).unwrap();
    let target = empty();
    let run = restore(place.store(), &target.url()).run().unwrap();
    let part = format!("database {} now holds a part of the snapshot", target.name);
    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
    fails(run, CORRUPT, &[&name, &part, "hint: "]);
    no_session_in(&target);
    let tables = target.psql("select count(*) from pg_tables where schemaname = 'shop'");
    assert_eq!(tables.unwrap(), "2", "it was found late");
    // What it says can be done: the same snapshot of another place, with --clean.
    let good = Place::with_snapshot();
    let run = restore(good.store(), &target.url()).arg("--clean");
    run.run().unwrap().success().unwrap();
    target.drop().unwrap();
}

fn manifest(place: &Place) -> Manifest {
    Manifest::parse(&fs::read(place.object(".manifest.json")).unwrap()).unwrap()
}
