//! The servers of Elasticsearch and OpenSearch, and what stands in front of them, which are judged here.

use std::time::Duration;

use ksnapshot_tests::elastic::{Elastic, Version};
use ksnapshot_tests::testbed;
use serde_json::json;

#[test]
fn every_server_starts_and_tells_its_version() {
    for version in Version::ALL {
        let server = Elastic::start(version).unwrap();
        let told = server.get("/").unwrap();
        let number = told["version"]["number"].as_str().unwrap();
        assert!(number.starts_with(version.number()), "{version:?}: {told}");
        let distribution = told["version"]["distribution"] == "opensearch";
        assert_eq!(distribution, version.is_opensearch(), "{version:?}: {told}");
        assert_eq!(server.open_contexts().unwrap(), 0);
        let error = server.get("/nothing").unwrap_err();
        assert!(format!("{error}").contains("404"), "{error}");
        server.kill().unwrap();
        testbed::until(Duration::from_secs(5), "the end", || {
            Ok((!testbed::alive(server.pid())).then_some(()))
        })
        .unwrap();
        assert!(server.get("/").is_err());
    }
}

#[test]
fn documents_are_read_as_they_were_written() {
    let sources = [
        (
            "1",
            None,
            r#"{"z":1,"a":18446744073709551615,"m":-9223372036854775808}"#,
        ),
        (
            "two words",
            Some("r/1"),
            r#"{ "n" : 1.0 ,"e":1e2,  "b":"a  b" }"#,
        ),
        ("3\"\\", None, "{\n  \"text\": \"a\\nb\",\n  \"é\": [ ]\n}"),
    ];
    for version in Version::NEWEST {
        let server = Elastic::shared(version).unwrap();
        let index = server.fresh("documents");
        server
            .put(
                &format!("/{index}"),
                json!({"mappings": {"enabled": false}}),
            )
            .unwrap();
        server.bulk(&index, sources).unwrap();
        let found = server.documents(&index).unwrap();
        let expected = [
            (
                "1",
                None,
                r#"{"z":1,"a":18446744073709551615,"m":-9223372036854775808}"#,
            ),
            ("3\"\\", None, r#"{"text":"a\nb","é":[]}"#),
            ("two words", Some("r/1"), r#"{"n":1.0,"e":1e2,"b":"a  b"}"#),
        ];
        let expected = expected.map(|(id, routing, source)| {
            (
                (id.to_owned(), routing.map(str::to_owned)),
                source.to_owned(),
            )
        });
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            expected,
            "{version:?}"
        );
        assert_eq!(server.count(&index).unwrap(), 3);
    }
}
