//! What the arguments get wrong is said before anything is read, and before anybody is asked.

use ksnapshot_tests::hold::Doorbell;
use ksnapshot_tests::{Minio, tools};

use super::*;

/// A database URL at which nobody may ring.
fn url_of(bell: &Doorbell) -> String {
    format!("postgres://postgres@127.0.0.1:{}/db", bell.port())
}

#[test]
fn a_bad_recipient_is_told_before_anything_is_read() {
    let bell = Doorbell::start().unwrap();
    let good = key().recipient();
    let cut = &good[..good.len() - 1];
    for bad in [
        "",
        "age1",
        "nonsense",
        cut,
        "ssh-ed25519 AAAA",
        &good.replace("age1", "age2"),
    ] {
        let place = Place::new();
        let run = Ksnapshot::new(["dump", &url_of(&bell), "--to"])
            .arg(place.store())
            .args(["--recipient", good, "--recipient", bad])
            .run()
            .unwrap();
        fails(
            run,
            2,
            &["recipient", "hint: Pass a key that starts with age1"],
        );
        assert!(!place.store().exists(), "{bad}");
    }
    assert_eq!(bell.rings(), 0);
}

#[test]
fn a_secret_key_given_as_recipient_is_not_repeated() {
    let bell = Doorbell::start().unwrap();
    let text = fs::read_to_string(key().identity()).unwrap();
    let secret = text.lines().find(|l| l.starts_with("AGE-")).unwrap();
    let forms = [
        secret.to_owned(),
        secret.to_lowercase(),
        format!(" {secret}"),
        format!("{secret}\n"),
        format!("key={secret}"),
        secret[..40].to_owned(),
    ];
    for form in forms {
        let place = Place::new();
        let run = Ksnapshot::new(["dump", &url_of(&bell), "--recipient", &form, "--to"])
            .arg(place.store())
            .run()
            .unwrap();
        let run = fails(run, 2, &["secret key", "hint: Pass the public key"]);
        let said = run.stderr.to_uppercase();
        assert!(!said.contains(&secret[20..40]), "{form}: {run:?}");
        assert!(!place.store().exists());
    }
    assert_eq!(bell.rings(), 0);
}

#[test]
fn unknown_schemes() {
    let bell = Doorbell::start().unwrap();
    for to in ["ftp://host/folder", "gcs://bucket", "s4://bucket"] {
        let run = dump(&url_of(&bell), to).run().unwrap();
        let scheme = to.split_once("://").unwrap().0;
        fails(run, 2, &[&format!("storage {scheme}://"), "hint: "]);
        let run = restore(to, &url_of(&bell)).run().unwrap();
        fails(run, 2, &[&format!("storage {scheme}://"), "hint: "]);
    }
    let place = Place::with_snapshot();
    for url in ["oracle://host/db", "mysql:/host", "host/db", ""] {
        let run = dump(url, place.store()).run().unwrap();
        fails(run, 2, &["hint: ", "postgres://USER@HOST:PORT/DATABASE"]);
        let run = restore(place.store(), url).run().unwrap();
        fails(run, 2, &["hint: ", "postgres://USER@HOST:PORT/DATABASE"]);
    }
    assert_eq!(bell.rings(), 0);
    assert_eq!(
        place
            .entries()
            .iter()
            .filter(|e| e.ends_with(".json"))
            .count(),
        1
    );
}

#[test]
fn unknown_parameters() {
    let bell = Doorbell::start().unwrap();
    let place = Place::new();
    let run = dump(&format!("{}?sslmod=require", url_of(&bell)), place.store());
    fails(
        run.run().unwrap(),
        2,
        &["sslmod", "hint: Known parameters are"],
    );
    let run = dump(&url_of(&bell), "s3://bucket?regoin=x");
    fails(
        run.run().unwrap(),
        2,
        &["regoin", "hint: Did you mean region?"],
    );
    assert_eq!(bell.rings(), 0);
    assert!(!place.store().exists());
}

#[test]
fn several_series_and_no_choice() {
    let bell = Doorbell::start().unwrap();
    let place = Place::new();
    for name in ["blue", "green"] {
        let run = dump(&shop().url(), place.store()).args(["--name", name]);
        run.run().unwrap().success().unwrap();
    }
    let both = [
        &*format!("postgresql blue/{}", shop().name),
        &*format!("postgresql green/{}", shop().name),
        "hint: Choose one with --name",
    ];
    fails(
        restore(place.store(), &url_of(&bell)).run().unwrap(),
        2,
        &both,
    );
    for verb in ["verify", "cat", "inspect"] {
        fails(read(verb, place.store()).run().unwrap(), 2, &both);
    }
    assert_eq!(bell.rings(), 0);
    let chosen = read("inspect", place.store()).args(["--name", "green"]);
    assert!(
        chosen
            .run()
            .unwrap()
            .success()
            .unwrap()
            .text()
            .contains("green")
    );
}

#[test]
fn no_such_snapshot_is_told_before_the_target_is_opened() {
    let bell = Doorbell::start().unwrap();
    let minio = Minio::shared().unwrap();
    minio.bucket("nothing-here").unwrap();
    let missing = Place::new();
    let hollow = Place::new();
    fs::create_dir(hollow.store()).unwrap();
    let full = Place::with_snapshot();
    let wrong_id = format!("{}#00000000", full.store().display());
    for from in [
        missing.store().display().to_string(),
        hollow.store().display().to_string(),
        wrong_id,
        minio.url("nothing-here", "prefix"),
    ] {
        let run = restore(&from, &url_of(&bell)).credentials(minio);
        fails(run.run().unwrap(), 10, &["hint: "]);
        for verb in ["verify", "cat", "inspect"] {
            let run = read(verb, &from).credentials(minio);
            fails(run.run().unwrap(), 10, &["hint: "]);
        }
    }
    let old = restore(full.store(), &url_of(&bell)).args(["--at", "2001-01-01T00:00:00Z"]);
    fails(old.run().unwrap(), 10, &["hint: "]);
    for place in [&missing, &hollow] {
        let list = Ksnapshot::new(["list"]).arg(place.store());
        fails(list.run().unwrap(), 10, &["hint: "]);
    }
    assert_eq!(bell.rings(), 0);
    assert!(!missing.store().exists(), "reading makes no folder");
}

#[test]
fn a_table_that_is_not_in_the_snapshot() {
    let bell = Doorbell::start().unwrap();
    let place = Place::with_snapshot();
    let run = restore(place.store(), &url_of(&bell)).args(["--table", "shop.none"]);
    fails(
        run.run().unwrap(),
        2,
        &["shop.none", "hint: See its tables"],
    );
    let run = read("cat", place.store()).args(["--table", "shop.none"]);
    fails(
        run.run().unwrap(),
        2,
        &["shop.none", "hint: See its tables"],
    );
    assert_eq!(bell.rings(), 0);
}

#[test]
fn a_key_is_never_overwritten() {
    let place = Place::new();
    let file = place.folder.path().join("key");
    let make = || {
        Ksnapshot::new(["keygen", "--output"])
            .arg(&file)
            .run()
            .unwrap()
    };
    make().success().unwrap();
    let before = fs::read(&file).unwrap();
    fails(make(), 1, &["can't be written", "hint: "]);
    assert_eq!(fs::read(&file).unwrap(), before);
    tools::run(
        std::process::Command::new("age-keygen")
            .arg("-y")
            .arg(&file),
    )
    .unwrap()
    .success()
    .unwrap();
}
