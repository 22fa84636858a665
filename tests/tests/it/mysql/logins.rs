//! Logins: every plugin that we know, over each way to a server.

use ksnapshot_tests::mysql::{MySql, Options, Version};
use ksnapshot_tests::{PASSWORD, Tls};

use super::{Dumped, dump};

/// What makes a user of each plugin that this version has.
fn plugins(version: Version) -> Vec<(&'static str, String)> {
    let with = |plugin: &str| format!("identified with {plugin} by '{PASSWORD}'");
    let native = ("native", with("mysql_native_password"));
    let sha2 = ("sha2", with("caching_sha2_password"));
    match version {
        Version::MySql57 => vec![native],
        Version::MySql80 => vec![native, sha2],
        Version::MySql97 => vec![sha2],
        Version::MariaDb105 | Version::MariaDb1011 | Version::MariaDb118 => {
            // Servers of the testbed have no plugin for ed25519; who is asked for it first may come by the other.
            let native =
                format!("identified via mysql_native_password using password('{PASSWORD}')");
            let either = format!("{native} or unix_socket");
            vec![("native", native), ("either", either)]
        }
    }
}

fn server(version: Version) -> MySql {
    let server = MySql::start_with(Options::new(version).tls(Tls::Offered)).unwrap();
    server
        .run("create database d; create table d.t (id int primary key, t text); insert into d.t values (1, 'a'), (2, 'b')")
        .unwrap();
    server
}

#[test]
fn every_plugin_over_every_way() {
    for version in [
        Version::MySql57,
        Version::MySql80,
        Version::MySql97,
        Version::MariaDb105,
        Version::MariaDb118,
    ] {
        let server = server(version);
        // Of the older servers one has no TLS, and another only ciphers that are none any more: then it goes without.
        for way in ["ssl-mode=disabled", "ssl-mode=preferred"] {
            for (name, identified) in plugins(version) {
                server
                    .run(&format!(
                        "create user '{name}'@'%' {identified}; grant select, show view, trigger, event, lock tables on *.* to '{name}'@'%'"
                    ))
                    .unwrap();
                let url = format!("{}?{way}", server.url_as(name, "d"));
                let dumped = Dumped::of(&url, &["--jobs", "3"]);
                assert_eq!(dumped.manifest["counts"]["rows"], 2, "{version:?} {url}");
                server.run(&format!("drop user '{name}'@'%'")).unwrap();
            }
        }
    }
}

#[test]
fn users_without_a_password_and_by_a_socket() {
    for version in Version::NEWEST {
        let server = server(version);
        server
            .run(&format!(
                "create user open@'%'; grant select, lock tables on *.* to open@'%'; \
                 create user closed@'%' identified by '{PASSWORD}'; grant select, lock tables on *.* to closed@'%'"
            ))
            .unwrap();
        let by_socket = |user: &str| {
            let socket = server.socket();
            let url = server.url_as(user, "d");
            format!("{url}?socket={}", socket.to_str().unwrap())
        };
        for url in [server.url_as("open", "d"), by_socket("open")] {
            let folder = tempfile::tempdir().unwrap();
            let run = dump(&url, folder.path(), &[]).env("MYSQL_PWD", "").run();
            let code = run.unwrap().code();
            assert!(matches!(code, Some(0 | 3)), "{version:?} {url} {code:?}");
        }
        Dumped::of(&by_socket("closed"), &[]);
    }
}

#[test]
fn users_who_have_to_come_by_tls() {
    for version in Version::NEWEST {
        let server = server(version);
        server
            .run(&format!(
                "create user safe@'%' identified by '{PASSWORD}' require ssl; grant select, lock tables on *.* to safe@'%'"
            ))
            .unwrap();
        let url = server.url_as("safe", "d");
        Dumped::of(&url, &[]);
        let folder = tempfile::tempdir().unwrap();
        let plain = dump(&format!("{url}?ssl-mode=disabled"), folder.path(), &[]);
        let refused = plain.run().unwrap().exits(13).unwrap();
        assert!(refused.stderr.contains("login refused"), "{refused:?}");
    }
}

#[test]
fn a_plugin_that_we_do_not_know_is_named() {
    let server = server(Version::MySql80);
    server
        .run(&format!(
            "create user old@'%' identified with sha256_password by '{PASSWORD}'"
        ))
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let run = dump(&server.url_as("old", "d"), folder.path(), &[]).run();
    let refused = run.unwrap().exits(13).unwrap();
    assert!(refused.stderr.contains("sha256_password"), "{refused:?}");
}
