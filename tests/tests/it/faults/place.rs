//! The storage is no place to write to, or none to read from: exit 14, nothing left.

use std::time::Instant;

use ksnapshot_tests::{Minio, binary, testbed, tools};

use super::*;

#[test]
fn an_unwritable_folder() {
    use std::os::unix::fs::PermissionsExt;
    let db = own_shop();
    let place = Place::new();
    fs::create_dir(place.store()).unwrap();
    fs::set_permissions(place.store(), fs::Permissions::from_mode(0o555)).unwrap();
    // root is only held back by rights once it has lost the right to ignore them.
    let bounded = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
    let below = place.store().join("further/down");
    for to in [&place.store(), &below] {
        let run = dump(&db.url(), to).under(&bounded).run().unwrap();
        let store = to.display().to_string();
        fails(run, 14, &[&store, "ermission denied", "hint: Let the user"]);
        assert!(place.entries().is_empty(), "{:?}", place.entries());
        no_session_in(&db);
    }
}

#[test]
fn a_file_in_the_way() {
    let db = own_shop();
    let place = Place::new();
    fs::write(place.store(), "a file").unwrap();
    for to in [place.store(), place.store().join("below")] {
        let run = dump(&db.url(), &to).run().unwrap();
        let store = to.display().to_string();
        fails(
            run,
            14,
            &[&store, "not a directory", "hint: A storage is a folder"],
        );
    }
    // A file is a single object, which this target does not take.
    let run = restore(place.store(), &db.url()).run().unwrap();
    fails(run, 2, &["single object", "hint: Print the object"]);
    assert_eq!(fs::read_to_string(place.store()).unwrap(), "a file");
}

/// A file system of 1 MB in a mount namespace that ends with the shell; where the machine doesn't allow one, a limit
/// on the size of files, which the kernel tells in other words.
#[test]
fn a_full_disk() {
    let db = own_shop();
    let own = ["unshare", "-m", "true"];
    let may_mount = tools::run(std::process::Command::new(own[0]).args(&own[1..])).unwrap();
    let limit = if may_mount.code() == Some(0) {
        "exec unshare -m bash -c 'mount -t tmpfs -o size=1m none \"$1\" && shift || exit 99
             \"$@\"; code=$?; find . | sort >&2; cd /; find \"${@: -1}\" -mindepth 1 | sort >&2; exit $code' bash \"$@\""
    } else {
        "trap '' XFSZ; ulimit -f 1000; shift; \"$@\"; code=$?; find \"${@: -1}\" -mindepth 1 >&2; exit $code"
    };
    let place = Place::new();
    fs::create_dir(place.store()).unwrap();
    let mut bash = tools::bash(
        limit,
        &[place.store().as_os_str(), binary().unwrap().as_os_str()],
    );
    let store = place.store();
    bash.env("PGPASSWORD", ksnapshot_tests::PASSWORD)
        .current_dir(place.folder.path());
    bash.args(["dump", &db.url(), "--recipient", key().recipient(), "--to"])
        .arg(&store);
    let run = tools::run(&mut bash).unwrap();
    let store = store.display().to_string();
    let run = fails(
        run,
        14,
        &[&store, "the disk is full", "hint: Free some space"],
    );
    let left: Vec<_> = run
        .stderr
        .lines()
        .filter(|l| l.starts_with(&store))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(place.entries().is_empty(), "{:?}", place.entries());
    no_session_in(&db);
}

#[test]
fn a_missing_bucket() {
    let db = own_shop();
    let minio = Minio::shared().unwrap();
    let url = minio.url("there-is-none", "prefix");
    let says = [
        "s3://there-is-none/prefix",
        "no such bucket",
        "hint: Create the bucket",
    ];
    let run = dump(&db.url(), &url).credentials(minio).run().unwrap();
    fails(run, 14, &says);
    no_session_in(&db);
    for verb in ["verify", "cat", "inspect"] {
        fails(
            read(verb, &url).credentials(minio).run().unwrap(),
            14,
            &says,
        );
    }
    let run = restore(&url, &db.url()).credentials(minio);
    fails(run.run().unwrap(), 14, &says);
    let run = Ksnapshot::new(["list", &url]).credentials(minio);
    fails(run.run().unwrap(), 14, &says);
}

#[test]
fn wrong_keys() {
    let db = own_shop();
    let minio = Minio::shared().unwrap();
    minio.bucket("wrong-keys").unwrap();
    let url = minio.url("wrong-keys", "");
    for (name, value, says) in [
        (
            "AWS_ACCESS_KEY_ID",
            "nobody",
            "does not know the access key",
        ),
        (
            "AWS_SECRET_ACCESS_KEY",
            "wrong-wrong",
            "the secret key is wrong",
        ),
    ] {
        let hint = format!("hint: Check {name}");
        let with = |run: Ksnapshot| run.credentials(minio).env(name, value).run().unwrap();
        let run = fails(with(dump(&db.url(), &url)), 14, &[says, &hint]);
        assert!(!run.stderr.contains("wrong-wrong"), "{run:?}");
        fails(with(restore(&url, &db.url())), 14, &[says, &hint]);
        fails(with(read("verify", &url)), 14, &[says, &hint]);
    }
    let run = dump(&db.url(), &url).run().unwrap();
    fails(run, 14, &["credentials", "hint: ", "AWS_ACCESS_KEY_ID"]);
    assert!(minio.list("wrong-keys").unwrap().is_empty());
    no_session_in(&db);
}

#[test]
fn a_store_that_is_down() {
    let db = own_shop();
    let minio = Minio::shared().unwrap();
    let port = testbed::free_port().unwrap();
    let url = Minio::url_at(&format!("http://127.0.0.1:{port}"), "bucket", "");
    let says = ["can't be reached", "hint: Check the endpoint"];
    let begun = Instant::now();
    // Both wait for it to come back, which takes its time.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let run = dump(&db.url(), &url).credentials(minio).run().unwrap();
            fails(run, 14, &says);
        });
        scope.spawn(|| {
            let run = restore(&url, &db.url()).credentials(minio);
            fails(run.run().unwrap(), 14, &says);
        });
    });
    assert!(begun.elapsed() < Duration::from_secs(70));
    no_session_in(&db);
}
