//! Secrets are never printed and never stored.

use ksnapshot_tests::hold::Doorbell;
use ksnapshot_tests::proxy::{Fault, What};
use ksnapshot_tests::{Minio, PASSWORD, tools};

use super::*;

/// The servers' password as a URL carries it.
const IN_URL: &str = "correct%20horse";

/// No secret of the tests in what a run said.
#[track_caller]
fn is_discreet(run: &Run) {
    let secret = fs::read_to_string(key().identity()).unwrap();
    let secret = secret.lines().find(|l| l.starts_with("AGE-")).unwrap();
    let said = format!("{}\n{}", run.text(), run.stderr);
    for word in [PASSWORD, IN_URL, "hunter2", "testsecret123", &secret[..50]] {
        assert!(!said.contains(word), "{word}: {run:?}");
    }
}

/// With every word that the libraries below would say, too.
fn loudly(run: Ksnapshot) -> Ksnapshot {
    run.env("KSNAPSHOT_LOG", "trace")
}

#[test]
fn a_password_in_a_url_is_warned_of_and_never_shown() {
    let url = shop()
        .url()
        .replace("postgres@", &format!("postgres:{IN_URL}@"));
    let query = format!("{}?password={IN_URL}", shop().url());
    for url in [&url, &query] {
        let place = Place::new();
        let run = Ksnapshot::new(["dump", url, "--recipient", key().recipient(), "--to"]);
        let run = run.arg(place.store()).run().unwrap().success().unwrap();
        assert!(
            run.stderr.contains("warning: the URL carries a password"),
            "{run:?}"
        );
        is_discreet(&run);
        is_discreet(&read("inspect", place.store()).run().unwrap());

        let target = empty();
        let into = url.replace(&shop().name, &target.name);
        let back = read("restore", place.store())
            .env("PGPASSWORD", "")
            .args(["--into", &into]);
        let back = back.run().unwrap().success().unwrap();
        assert!(
            back.stderr.contains("warning: the URL carries a password"),
            "{back:?}"
        );
        is_discreet(&back);
        target.drop().unwrap();
    }
}

#[test]
fn errors_show_no_secret() {
    let place = Place::new();
    let bell = Doorbell::start().unwrap();
    let shop = shop();
    let host = format!("127.0.0.1:{}", bell.port());
    for url in [
        format!(
            "postgres://postgres:hunter2@127.0.0.1:{}/{}",
            server().port(),
            shop.name
        ),
        format!("postgres://postgres:hunter2@{host}/db"),
        format!("postgres://postgres:hunter2@{host}/db?sslmode=nonsense"),
        format!("postgres://postgres:hunter2@{host}/db?unknown=hunter2"),
        format!("postgres://postgres@{host}/db?pasword=hunter2"),
        "postgres://postgres:hunter2@127.0.0.1:notaport/db".to_owned(),
        "postgres://postgres:hun/ter2@host/db".to_owned(),
        "postgres:postgres:hunter2@host/db".to_owned(),
        "oracle://postgres:hunter2@host/db".to_owned(),
        "postgres:hunter2@host/db".to_owned(),
    ] {
        let run = loudly(dump(&url, place.store()))
            .env("PGPASSWORD", "")
            .run()
            .unwrap();
        assert!(matches!(run.code(), Some(2 | 13)), "{run:?}");
        explains(&run, &["hint: "]);
        is_discreet(&run);
    }
    for to in [
        "s3://id:hunter2@bucket/prefix",
        "s3://bucket?secret=hunter2",
        "s3://bucket?endpoint=http://id:hunter2@127.0.0.1:9",
        "s3://bucket?aws_secret_access_key=hunter2",
        "https://id:hunter2@host/bucket",
    ] {
        let run = loudly(dump(&shop.url(), to)).run().unwrap();
        fails(run.clone(), 2, &["hint: "]);
        is_discreet(&run);
    }
}

/// A whole round with everything said aloud: neither the output nor what is stored, opened by stock tools, has a word.
#[test]
fn nothing_printed_or_stored_holds_a_secret() {
    let minio = Minio::shared().unwrap();
    minio.bucket("discreet").unwrap();
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], minio.port()));
    // A retry is when a client talks most.
    let fault = Fault::always(What::Answer(503)).nth(2);
    let proxy = ksnapshot_tests::proxy::Proxy::start(address, fault).unwrap();
    let url = Minio::url_at(&proxy.endpoint(), "discreet", "");
    let run = loudly(dump(&shop().url(), &url))
        .credentials(minio)
        .arg("--json");
    let run = run.run().unwrap().success().unwrap();
    assert!(
        run.stderr.contains("DEBUG") || run.stderr.contains("TRACE"),
        "not loud: {run:?}"
    );
    is_discreet(&run);
    let target = empty();
    for run in [
        restore(&url, &target.url()),
        read("verify", &url).args(["--level", "restore", "--scratch", &target.url()]),
        read("inspect", &url),
        read("inspect", &url).arg("--json"),
        Ksnapshot::new(["list", &url]),
    ] {
        let run = loudly(run)
            .credentials(minio)
            .run()
            .unwrap()
            .success()
            .unwrap();
        is_discreet(&run);
    }
    target.drop().unwrap();

    let folder = tempfile::tempdir().unwrap();
    let names = minio.list("discreet").unwrap();
    assert_eq!(names.len(), 3, "{names:?}");
    for name in names {
        let file = minio.get("discreet", &name, folder.path()).unwrap();
        let plain = tools::open(&file, Some(key())).unwrap();
        let plain = String::from_utf8_lossy(&plain);
        for word in [PASSWORD, IN_URL, "testsecret123", "testkey", "AGE-SECRET"] {
            assert!(!plain.contains(word), "{name} holds {word}");
        }
        if name.ends_with(".manifest.json") {
            assert!(!plain.contains("orders"), "the manifest names no table");
        }
    }
}

/// A role's password is in its server's catalogs, which a superuser reads; it is none of our business.
#[test]
fn a_key_is_made_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let file = place.folder.path().join("key");
    let run = Ksnapshot::new(["keygen", "--output"])
        .arg(&file)
        .run()
        .unwrap();
    let run = run.success().unwrap();
    assert!(!format!("{run:?}").contains("AGE-SECRET"), "{run:?}");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
