//! Who asked a cluster for what, and whether they might.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

/// One request, as the API server saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Who: `system:serviceaccount:<namespace>:<name>` for a service account.
    pub user: String,
    /// As roles have it: `get`, `list`, `watch`, `create`, `patch`, …
    pub verb: String,
    /// Of the resource; empty for the core's.
    pub group: String,
    /// `pods`, or `pods/log`; empty for a path that is no resource's.
    pub resource: String,
    /// Empty for a request over all of them.
    pub namespace: String,
    /// Empty for a request over several.
    pub name: String,
    /// Path and query.
    pub uri: String,
    /// Of the answer; 0 if there was none.
    pub code: u16,
    /// What the roles said; none if nobody asked them, as for who isn't known at all.
    pub allowed: Option<bool>,
    /// It's the end of a watch whose beginning was told already.
    pub ended: bool,
}

impl Entry {
    /// Whether roles refused it.
    pub fn denied(&self) -> bool {
        self.allowed == Some(false)
    }
}

/// A line of the log.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    stage: String,
    #[serde(rename = "requestURI")]
    request_uri: String,
    verb: String,
    user: User,
    #[serde(default)]
    object_ref: Object,
    #[serde(default)]
    response_status: Status,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    username: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Object {
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
    api_group: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    code: u16,
}

/// All of a log that is being written to.
pub(super) fn read(log: &Path) -> Result<Vec<Entry>> {
    let text = fs::read_to_string(log).with_context(|| log.display().to_string())?;
    // The last line may be on its way.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(parse).collect()
}

fn parse(line: &str) -> Result<Entry> {
    let event: Event = serde_json::from_str(line).with_context(|| line.to_owned())?;
    let Object {
        mut resource,
        subresource,
        namespace,
        name,
        api_group,
    } = event.object_ref;
    if !subresource.is_empty() {
        resource = format!("{resource}/{subresource}");
    }
    let decision = event.annotations.get("authorization.k8s.io/decision");
    Ok(Entry {
        user: event.user.username,
        allowed: decision.map(|decision| decision == "allow"),
        ended: event.verb == "watch" && event.stage == "ResponseComplete",
        verb: event.verb,
        group: api_group,
        resource,
        namespace,
        name,
        uri: event.request_uri,
        code: event.response_status.code,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::parse;

    #[test]
    fn a_line_is_read() {
        let entry = parse(
            r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"1","stage":"ResponseComplete",
            "requestURI":"/api/v1/namespaces/a/pods/p/log?follow=true","verb":"get",
            "user":{"username":"system:serviceaccount:a:b","groups":[]},"sourceIPs":["10.244.0.1"],
            "objectRef":{"resource":"pods","namespace":"a","name":"p","apiVersion":"v1","subresource":"log"},
            "responseStatus":{"metadata":{},"status":"Failure","code":403},
            "annotations":{"authorization.k8s.io/decision":"forbid","authorization.k8s.io/reason":""}}"#,
        )
        .unwrap();
        assert_eq!(entry.user, "system:serviceaccount:a:b");
        assert_eq!((entry.verb.as_str(), entry.group.as_str()), ("get", ""));
        assert_eq!(entry.resource, "pods/log");
        assert_eq!((entry.namespace.as_str(), entry.name.as_str()), ("a", "p"));
        assert_eq!(
            (entry.code, entry.denied(), entry.ended),
            (403, true, false)
        );
    }

    #[test]
    fn who_is_not_known_is_not_denied_by_roles() {
        let entry = parse(
            r#"{"stage":"ResponseComplete","requestURI":"/readyz","verb":"get","user":{},"responseStatus":{"code":401}}"#,
        )
        .unwrap();
        assert_eq!((entry.allowed, entry.denied()), (None, false));
    }
}
