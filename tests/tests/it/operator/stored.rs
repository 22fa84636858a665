//! What the API server makes of what is applied.

use anyhow::Result;
use k8s_openapi::ByteString;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::seen::CONTROL;

/// An object as it is read back after it was applied, by the only one who does: what is empty is dropped, quantities are written
/// anew, defaults are filled in, and annotations of others stay.
pub(super) fn applied<K: Serialize + DeserializeOwned>(
    there: Option<&K>,
    wanted: &Value,
    at: &str,
) -> Result<K> {
    let mut value = wanted.clone();
    drop_empty(&mut value);
    let before = there
        .map(serde_json::to_value)
        .transpose()?
        .unwrap_or_default();
    let kind = value["kind"].as_str().unwrap_or_default().to_owned();
    match kind.as_str() {
        "Secret" => encode(&mut value)?,
        "CronJob" => complete_job(&mut value["spec"]["jobTemplate"]["spec"]),
        _ => complete_job(&mut value["spec"]),
    }
    let name = value["metadata"]["name"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let mut stored = json!({
        "metadata": {
            "annotations": before["metadata"]["annotations"],
            "creationTimestamp": at,
            "generation": 1,
            "namespace": CONTROL,
            "resourceVersion": "1",
            "uid": format!("uid-of-{name}"),
        },
    });
    if let Some(since) = before["metadata"].get("creationTimestamp") {
        stored["metadata"]["creationTimestamp"] = since.clone();
    }
    if kind == "CronJob" {
        stored["status"] = json!({});
    }
    merge(&mut stored, &value);
    Ok(serde_json::from_value(stored)?)
}

/// A merge patch: null removes.
pub(super) fn merge(value: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *value = patch.clone();
        return;
    };
    if !value.is_object() {
        *value = json!({});
    }
    for (key, patch) in fields {
        match patch {
            Value::Null => _ = value.as_object_mut().and_then(|map| map.remove(key)),
            patch => merge(&mut value[key], patch),
        }
    }
}

/// Go's `omitempty`, in fields of which most are.
fn drop_empty(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(drop_empty);
            map.retain(|key, value| match value {
                Value::Null => false,
                Value::Array(list) => !list.is_empty(),
                Value::String(text) => !text.is_empty(),
                // `resources: {}` and `emptyDir: {}` are written.
                Value::Object(map) => !map.is_empty() || key == "resources" || key == "emptyDir",
                _ => true,
            });
        }
        Value::Array(list) => list.iter_mut().for_each(drop_empty),
        _ => {}
    }
}

/// Text of a Secret is stored as bytes.
fn encode(secret: &mut Value) -> Result<()> {
    let Some(text) = secret
        .as_object_mut()
        .and_then(|map| map.remove("stringData"))
    else {
        return Ok(());
    };
    for (key, value) in text.as_object().into_iter().flatten() {
        let bytes = ByteString(value.as_str().unwrap_or_default().into());
        secret["data"][key] = serde_json::to_value(bytes)?;
    }
    Ok(())
}

/// Defaults of a Job's spec, as far as it is one of ours.
fn complete_job(spec: &mut Value) {
    let pod = &mut spec["template"]["spec"];
    for (key, default) in [
        ("dnsPolicy", json!("ClusterFirst")),
        ("schedulerName", json!("default-scheduler")),
        ("terminationGracePeriodSeconds", json!(30)),
        ("serviceAccount", pod["serviceAccountName"].clone()),
    ] {
        pod[key] = default;
    }
    for container in pod["containers"].as_array_mut().into_iter().flatten() {
        container["terminationMessagePath"] = json!("/dev/termination-log");
        container["terminationMessagePolicy"] = json!("File");
        for part in ["limits", "requests"] {
            let amounts = container["resources"]
                .get_mut(part)
                .and_then(Value::as_object_mut);
            for amount in amounts.into_iter().flat_map(|map| map.values_mut()) {
                *amount = canonical(amount.as_str().unwrap_or_default()).into();
            }
        }
    }
}

/// A quantity in the way in which the API server writes it, for those that tests use.
fn canonical(quantity: &str) -> String {
    match quantity {
        "1000m" => "1",
        "0.5" => "500m",
        "1.5" => "1500m",
        "1024Mi" => "1Gi",
        "0.5Gi" => "512Mi",
        "1000M" => "1G",
        other => other,
    }
    .to_owned()
}
