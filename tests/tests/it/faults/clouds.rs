//! Google's and Azure's clouds, by emulators: a snapshot goes there and comes back, and refusals are told in their words.

use ksnapshot_tests::proxy::{Fault, Proxy, Request, What};
use ksnapshot_tests::{Azurite, Gcs};

use super::*;

/// There and back: dump, list, verify, restore, each with these variables of the environment.
#[track_caller]
fn there_and_back(url: &str, with: &dyn Fn(Ksnapshot) -> Ksnapshot) {
    let run = |run: Ksnapshot| with(run).run().unwrap().success().unwrap();
    let id = run(dump(&heap().url(), url).args(["--compression", "none"])).text();
    let listed = run(Ksnapshot::new(["list", url])).text();
    assert!(listed.contains(id.trim()), "{listed}");
    run(read("verify", url).args(["--level", "decode"]));
    let target = empty();
    run(restore(url, &target.url()));
    let count = target.psql("select count(*) from heap").unwrap();
    assert_eq!(count, "20000");
    target.drop().unwrap();
}

#[test]
fn azure_there_and_back() {
    let azurite = Azurite::shared().unwrap();
    azurite.container("there-and-back").unwrap();
    let url = Azurite::url_at(azurite.addr(), "there-and-back", "p/q");
    there_and_back(&url, &|run| run.envs(azurite.credentials()));
    assert_eq!(azurite.list("there-and-back").unwrap().len(), 3);
}

#[test]
fn azure_refuses() {
    let azurite = Azurite::shared().unwrap();
    azurite.container("refuses").unwrap();
    let db = own_shop();
    let url = Azurite::url_at(azurite.addr(), "refuses", "p");
    let missing = Azurite::url_at(azurite.addr(), "there-is-none", "p");
    let says = ["no such container", "hint: Create the container"];
    for run in [
        dump(&db.url(), &missing),
        read("verify", &missing),
        Ksnapshot::new(["list", &missing]),
    ] {
        let run = run.envs(azurite.credentials()).run().unwrap();
        fails(run, 14, &says);
    }
    let wrong = "d3Jvbmctd3Jvbmc=";
    let run = dump(&db.url(), &url).env("AZURE_STORAGE_KEY", wrong);
    let run = run.run().unwrap();
    let says = [
        "does not accept the credentials",
        "hint: ",
        "AZURE_STORAGE_KEY",
    ];
    let run = fails(run, 14, &says);
    assert!(!run.stderr.contains(wrong), "{run:?}");
    let run = dump(&db.url(), &url).run().unwrap();
    fails(run, 14, &["no credentials", "hint: ", "AZURE_STORAGE_KEY"]);

    // A block of the data, and the last request of all.
    let proxy = Proxy::start(azurite.addr(), Fault::none()).unwrap();
    let url = Azurite::url_at(proxy.addr(), "refuses", "p");
    let block = |request: &Request| request.query.contains("comp=block&");
    let manifest = |request: &Request| request.path.ends_with(".manifest.json");
    for fault in [
        Fault::always(What::Answer(403)).on(block).nth(2),
        Fault::always(What::Answer(403)).on(manifest),
    ] {
        proxy.set(fault);
        let run = dump(&heap().url(), &url).args(["--compression", "none"]);
        let run = run.envs(azurite.credentials()).run().unwrap();
        let says = [
            "az://refuses/p/",
            "access denied",
            "hint: Give the identity",
        ];
        fails(run, 14, &says);
        assert_eq!(azurite.list("refuses").unwrap(), [""; 0]);
    }
    no_session_in(&db);
}

#[test]
fn google_there_and_back() {
    let gcs = Gcs::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let key = gcs.key_file(folder.path()).unwrap();
    gcs.bucket("bykey").unwrap();
    there_and_back(&gcs.url("bykey", "p"), &|run| {
        run.env("GOOGLE_APPLICATION_CREDENTIALS", &key)
    });
    gcs.bucket("bymachine").unwrap();
    there_and_back(&gcs.url("bymachine", "p"), &|run| run.envs(gcs.machine()));
    assert_eq!(gcs.list("bymachine").unwrap().len(), 3);
    assert_eq!(gcs.uploads().unwrap(), 0);
}

#[test]
fn google_refuses() {
    let gcs = Gcs::start().unwrap();
    gcs.bucket("refuses").unwrap();
    let db = own_shop();
    let (url, missing) = (gcs.url("refuses", "p"), gcs.url("thereisnone", "p"));
    // The stand-in keeps it to itself whether a bucket is there.
    for run in [dump(&db.url(), &missing), read("verify", &missing)] {
        let run = run.envs(gcs.machine()).run().unwrap();
        fails(run, 14, &["gs://thereisnone/p", "hint: "]);
    }
    let down = [
        ("GCE_METADATA_HOST", "127.0.0.1:1"),
        ("GCE_METADATA_IP", "127.0.0.1:1"),
        ("HOME", "/nonexistent"),
    ];
    let run = dump(&db.url(), &url).envs(down).run().unwrap();
    let says = [
        "no credentials from the token service",
        "hint: ",
        "GOOGLE_APPLICATION_CREDENTIALS",
    ];
    fails(run, 14, &says);
    // Its client spells a dot as %2E.
    let manifest = |request: &Request| request.method == "PUT" && request.path.contains("manifest");
    for fault in [
        Fault::always(What::Answer(403)).on(Request::is_part).nth(2),
        Fault::always(What::Answer(403)).on(manifest),
    ] {
        gcs.proxy.set(fault);
        let run = dump(&heap().url(), &url).args(["--compression", "none"]);
        let run = run.envs(gcs.machine()).run().unwrap();
        let says = ["gs://refuses/p/", "access denied", "storage.objects.create"];
        fails(run, 14, &says);
        assert_eq!(gcs.list("refuses").unwrap(), [""; 0]);
        assert_eq!(gcs.uploads().unwrap(), 0);
    }
    no_session_in(&db);
}
