//! The servers of MySQL and MariaDB, their clients, and their judges, which are judged here.

use std::time::Duration;

use ksnapshot_tests::mysql::{MySql, Options, Version};
use ksnapshot_tests::{Tls, testbed, tools};

#[test]
fn every_server_starts_and_tells_its_version() {
    for version in Version::ALL {
        let server = MySql::start(version).unwrap();
        let told = server
            .query("select version(), @@log_bin, @@port, user()")
            .unwrap();
        let [told] = &told[..] else {
            panic!("{version:?}: {told:?}");
        };
        assert!(told[0].contains(version.number()), "{version:?}: {told:?}");
        assert_eq!(told[1..3], ["1".to_owned(), server.port().to_string()]);
        assert_eq!(told[3], "root@127.0.0.1");
        assert_eq!(server.sessions().unwrap(), 0);
    }
}

#[test]
fn a_password_is_asked_for() {
    for version in Version::NEWEST {
        let server = MySql::shared(version).unwrap();
        server
            .create_user("limited", &["select on mysql.*"])
            .unwrap();
        let rows = server
            .query_with(&["-u", "limited"], "select current_user()")
            .unwrap();
        assert_eq!(rows, [["limited@%"]]);
        let run = server
            .client(&["-u", "limited", "--password=wrong"], "select 1")
            .unwrap();
        assert_eq!(run.code(), Some(1), "{run:?}");
        assert!(run.stderr.contains("Access denied"), "{run:?}");
        // By the socket without one.
        let mut client = server.program("mysql").unwrap();
        client
            .args(["--protocol=SOCKET", "--host=localhost", "--password=", "-S"])
            .arg(server.socket());
        tools::run(client.args(["-e", "select 1"]))
            .unwrap()
            .success()
            .unwrap();
    }
}

#[test]
fn settings_reach_the_server() {
    for version in Version::NEWEST {
        let server = Options::new(version)
            .without_binlog()
            .set("max-allowed-packet", "65536")
            .tls(Tls::Required)
            .start()
            .unwrap();
        let told = server
            .query("select @@log_bin, @@max_allowed_packet, @@require_secure_transport; show status like 'Ssl_cipher'")
            .unwrap();
        assert_eq!(told[0], ["0", "65536", "1"]);
        assert!(!told[1][1].is_empty(), "{told:?}");
        let plain = match version {
            Version::MariaDb118 => "--skip-ssl",
            _ => "--ssl-mode=DISABLED",
        };
        let run = server.client(&[plain], "select 1").unwrap();
        assert_eq!(run.code(), Some(1), "{run:?}");
    }
}

#[test]
fn a_killed_server_is_gone_at_once() {
    let server = MySql::start(Version::MariaDb118).unwrap();
    server.kill().unwrap();
    testbed::until(Duration::from_secs(5), "the end", || {
        Ok((!testbed::alive(server.pid())).then_some(()))
    })
    .unwrap();
    assert!(server.query("select 1").is_err());
    MySql::start(Version::MariaDb118).unwrap().stop().unwrap();
}
