//! Manifests, held against what Kubernetes itself says its objects look like.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ksnapshot_tests::testbed;
use serde_json::{Map, Value, json};

/// The documents of a YAML text, without empty ones.
pub(crate) fn parse(text: &str) -> Vec<Value> {
    let all: Vec<Value> =
        serde_saphyr::from_multiple(text).unwrap_or_else(|e| panic!("{e}:\n{text}"));
    all.into_iter().filter(|value| !value.is_null()).collect()
}

/// What names an object: `Role default/ksnapshot-watch`.
pub(crate) fn name(object: &Value) -> String {
    let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
    let (kind, name) = (text("/kind").unwrap(), text("/metadata/name").unwrap());
    match text("/metadata/namespace") {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    }
}

/// Fails for an object of Kubernetes' own that has a field that there is not, lacks one that there must be, or has one of
/// another type.
#[track_caller]
pub(crate) fn known_to_kubernetes(object: &Value) {
    let kind = (&object["apiVersion"], &object["kind"]);
    let kind = format!("{} {}", kind.0.as_str().unwrap(), kind.1.as_str().unwrap());
    let definition = (API.kinds.get(&kind)).unwrap_or_else(|| panic!("no kind {kind}"));
    let schema = json!({ "$ref": definition, "definitions": API.definitions });
    let schema = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<String> = (schema.iter_errors(object))
        .map(|e| format!("{}: {e}", e.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{}: {wrong:#?}", name(object));
}

struct Api {
    definitions: Map<String, Value>,
    /// `apps/v1 Deployment` → its place among the definitions.
    kinds: BTreeMap<String, String>,
}

/// As `tests/testbed/kubernetes-api` has fetched it, made strict.
static API: LazyLock<Api> = LazyLock::new(|| {
    let file = testbed::home()
        .unwrap()
        .join("lib/kubernetes-api-v1.36.json");
    testbed::require(&file).unwrap();
    let mut api: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let Value::Object(mut definitions) = api["definitions"].take() else {
        panic!("no definitions")
    };
    let mut kinds = BTreeMap::new();
    for (name, definition) in &mut definitions {
        for kind in definition["x-kubernetes-group-version-kind"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let text = |key: &str| kind[key].as_str().unwrap().to_owned();
            let version = match text("group") {
                core if core.is_empty() => text("version"),
                group => format!("{group}/{}", text("version")),
            };
            let kind = format!("{version} {}", text("kind"));
            kinds.insert(kind, format!("#/definitions/{name}"));
        }
        // A field that isn't there is a mistake here, as it is for an apiserver that is asked to be strict.
        if definition.get("properties").is_some() {
            definition["additionalProperties"] = false.into();
        }
        // These two are said to be texts, and numbers are taken as well.
        if name.ends_with(".IntOrString") || name.ends_with(".Quantity") {
            definition["type"] = json!(["string", "number"]);
        }
    }
    Api { definitions, kinds }
});

#[test]
fn a_manifest_that_kubernetes_would_refuse_is_refused() {
    let good = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": "s" },
        "spec": { "ports": [{ "port": 1, "targetPort": "http" }] },
    });
    known_to_kubernetes(&good);
    for (pointer, value) in [
        ("/spec/ports/0", json!({ "port": 1, "targetport": 2 })),
        ("/spec/ports/0", json!({ "name": "http" })),
        ("/spec/ports/0/port", json!("1")),
        ("/metadata", json!({ "name": "s", "namepsace": "n" })),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = value.clone();
        let refused = std::panic::catch_unwind(|| known_to_kubernetes(&bad));
        assert!(refused.is_err(), "{pointer} = {value}");
    }
}
