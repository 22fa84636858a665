//! The identity is missing, wrong or no identity: exit 12, before the target is opened.

use ksnapshot_tests::hold::Doorbell;
use ksnapshot_tests::tools::{self, Key};

use super::*;

/// Everything that opens what is sealed, without an identity.
fn readers(place: &Place, bell: &Doorbell) -> Vec<Ksnapshot> {
    let url = format!("postgres://postgres@127.0.0.1:{}/db", bell.port());
    let verb = |verb: &str| Ksnapshot::new([verb]).arg(place.store());
    vec![
        verb("restore").args(["--into", &url]),
        verb("restore").args(["--into", &url, "--plan"]),
        verb("verify").args(["--level", "decode"]),
        verb("verify").args(["--level", "restore", "--scratch", &url]),
        verb("cat"),
        Ksnapshot::new(["cat"]).arg(place.object(".sql.zst.age")),
    ]
}

#[test]
fn missing() {
    let (place, bell) = (Place::with_snapshot(), Doorbell::start().unwrap());
    for run in readers(&place, &bell) {
        fails(
            run.run().unwrap(),
            12,
            &["encrypted", "hint: Pass --identity"],
        );
    }
    assert_eq!(bell.rings(), 0);
    // Whoever has no key may still ask whether everything is there.
    for verb in ["verify", "inspect"] {
        let run = Ksnapshot::new([verb]).arg(place.store());
        run.run().unwrap().success().unwrap();
    }
}

#[test]
fn wrong() {
    let (place, bell) = (Place::with_snapshot(), Doorbell::start().unwrap());
    let other = Key::generate().unwrap();
    let inspect = Ksnapshot::new(["inspect"]).arg(place.store());
    for run in readers(&place, &bell).into_iter().chain([inspect]) {
        let run = run.arg("--identity").arg(other.identity());
        let says = ["none of the identities opens it", "hint: Pass the file"];
        fails(run.run().unwrap(), 12, &says);
    }
    assert_eq!(bell.rings(), 0);
}

#[test]
fn no_identity_at_all() {
    let (place, bell) = (Place::with_snapshot(), Doorbell::start().unwrap());
    let file = place.folder.path().join("file");
    let secret = fs::read_to_string(key().identity()).unwrap();
    let secret = secret.lines().find(|l| l.starts_with("AGE-")).unwrap();
    let texts = [
        "",
        "# only a comment\n",
        "nonsense\n",
        &secret[..50],
        key().recipient(),
    ];
    for text in texts {
        fs::write(&file, text).unwrap();
        for run in readers(&place, &bell) {
            let run = run.arg("--identity").arg(&file).run().unwrap();
            let run = fails(run, 12, &["identity file", "hint: Pass a file"]);
            assert!(!run.stderr.contains(&secret[20..40]), "{run:?}");
        }
    }
    fs::remove_file(&file).unwrap();
    for run in readers(&place, &bell) {
        let run = run.arg("--identity").arg(&file).run().unwrap();
        fails(run, 12, &["can't be read", "hint: Pass the file"]);
    }
    assert_eq!(bell.rings(), 0);
}

#[test]
fn of_a_foreign_object() {
    let place = Place::new();
    let folder = place.folder.path();
    fs::write(folder.join("plain"), "select 1;\n").unwrap();
    let seal = format!(
        "gzip -c plain | age -r {} > foreign.sql.gz.age",
        key().recipient()
    );
    let mut bash = tools::bash(&seal, &[]);
    tools::run(bash.current_dir(folder))
        .unwrap()
        .success()
        .unwrap();
    let object = folder.join("foreign.sql.gz.age");
    let open = |identity: &Path| {
        let run = Ksnapshot::new(["cat"]).arg(&object).arg("--identity");
        run.arg(identity).run().unwrap()
    };
    let other = Key::generate().unwrap();
    fails(
        open(&other.identity()),
        12,
        &["foreign.sql.gz.age", "hint: "],
    );
    assert_eq!(
        open(&key().identity()).success().unwrap().text(),
        "select 1;\n"
    );
}
