//! Lifecycle policies. No build of a server that can be had knows them, so that their interface is made up here: what is read,
//! what is written, and when.

use ksnapshot_tests::elastic::fault::{Gate, Rule};
use ksnapshot_tests::elastic::{Elastic, Version};
use ksnapshot_tests::tools;
use serde_json::{Value, json};

use super::{Dumped, restore};

/// Through a gate that knows the policy `p` at `folder`, as `told` by a GET of all.
fn there_and_back(version: Version, folder: &'static str, told: Value, expected: Value) {
    let server = Elastic::shared(version).unwrap();
    let index = server.fresh("policy");
    server.bulk(&index, [("1", None, "{}")]).unwrap();
    let gate = Gate::open(server).unwrap();
    gate.add(Rule::on("GET", folder).answer(200, &told));
    let with_lifecycle = index.clone();
    gate.add(
        Rule::on("GET", &format!("/{index}?")).turn_answer(move |mut answer| {
            answer[&with_lifecycle]["settings"]["index"]["lifecycle"] = json!({ "name": "p" });
            answer
        }),
    );
    let dumped = Dumped::of(&gate.url(), &["--index", &index]);
    assert_eq!(dumped.run.code(), Some(0), "{:?}", dumped.run);
    let file = Dumped::file(dumped.path(), "-policy.jsonl.zst");
    let text: String = serde_json::from_slice(&tools::open(&file, None).unwrap()).unwrap();
    // As elasticdump reads it: by name, the policy alone.
    let written: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(written.as_object().unwrap().len(), 1, "{written}");
    assert!(written["p"]["policy"].is_object(), "{written}");

    server.delete(&format!("/{index}")).unwrap();
    let gate = Gate::open(server).unwrap();
    gate.add(Rule::on("GET", folder).answer(404, "{}"));
    gate.add(Rule::on("PUT", folder).answer(200, "{}"));
    gate.add(
        Rule::on("PUT", "_settings")
            .when(|seen| seen.body.contains("index.lifecycle.name"))
            .answer(200, json!({ "acknowledged": true })),
    );
    let run = restore(dumped.path(), &gate.url(), &[]).run().unwrap();
    assert_eq!(run.code(), Some(0), "{run:?}");
    let requests = gate.requests();
    let at = |method: &str, path: &str| {
        (requests.iter())
            .position(|seen| seen.method == method && seen.target.contains(path))
            .unwrap_or_else(|| panic!("no {method} {path}: {requests:?}"))
    };
    let [policy, made, filled, attached] = [
        at("PUT", folder),
        at("PUT", &format!("/{index}")),
        at("POST", "/_bulk"),
        at("PUT", "_settings"),
    ];
    assert!(policy < made && made < filled && filled < attached);
    assert!(
        requests[policy].target.ends_with("/p"),
        "{}",
        requests[policy].target
    );
    let put: Value = serde_json::from_str(&requests[policy].body).unwrap();
    assert_eq!(put, json!({ "policy": expected }));
    // An index that a policy acts on is not made until its documents are in.
    assert!(
        !requests[made].body.contains("lifecycle"),
        "{}",
        requests[made].body
    );
}

#[test]
fn of_elasticsearch() {
    let policy =
        json!({ "phases": { "delete": { "min_age": "30d", "actions": { "delete": {} } } } });
    let managed = json!({ "phases": {}, "_meta": { "managed": true } });
    let told = json!({
        "p": { "version": 3, "modified_date": "2026-01-01T00:00:00.000Z", "policy": &policy, "in_use_by": {} },
        "logs": { "version": 1, "policy": managed },
    });
    there_and_back(Version::NEWEST[0], "/_ilm/policy", told, policy);
}

#[test]
fn of_opensearch() {
    let told = json!({ "total_policies": 1, "policies": [{
        "_id": "p", "_seq_no": 7, "_primary_term": 1,
        "policy": {
            "policy_id": "p", "description": "keeps", "last_updated_time": 1_700_000_000_000_u64, "schema_version": 21,
            "error_notification": null, "default_state": "hot", "states": [{ "name": "hot", "actions": [], "transitions": [] }],
        },
    }]});
    let policy = json!({
        "description": "keeps", "default_state": "hot", "states": [{ "name": "hot", "actions": [], "transitions": [] }],
    });
    there_and_back(Version::NEWEST[1], "/_plugins/_ism/policies", told, policy);
}
