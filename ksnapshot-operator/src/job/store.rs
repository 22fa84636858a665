//! Where snapshots go: `BACKEND_…`.

use ksnapshot_core::Result;
use secrecy::SecretString;

use super::environment::{Environment, wrong};
use super::url;
use crate::names::job as name;

/// A place for snapshots.
#[derive(Debug)]
pub(super) struct Store {
    /// `s3://bucket/path?endpoint=…`
    pub(super) url: String,
    /// The key, if it isn't the pod's own identity.
    pub(super) variables: Vec<(&'static str, SecretString)>,
}

pub(super) fn read(env: &Environment<'_>) -> Result<Store> {
    match env.get(name::BACKEND_TYPE) {
        None | Some("s3") => {}
        Some(other) => {
            return Err(wrong(
                name::BACKEND_TYPE,
                format_args!("{other:?} is not a type of store that a Job writes to"),
                "Set it to s3, for Amazon S3 or anything compatible, or leave it away.",
            ));
        }
    }
    let bucket = env.required(name::BACKEND_BUCKET, "Set it to the name of the bucket.")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if !bucket.chars().all(plain) {
        return Err(wrong(
            name::BACKEND_BUCKET,
            "not the name of a bucket",
            format!(
                "Set it to the name alone; folders go into {}, the address of a server into {}.",
                name::BACKEND_PATH,
                name::BACKEND_S3_ENDPOINT
            ),
        ));
    }
    let path = (env.get(name::BACKEND_PATH).unwrap_or("ksnapshot")).trim_matches('/');
    let odd = |folder: &str| {
        matches!(folder, "" | "." | "..")
            || folder.contains(|c: char| c.is_control() || "?#".contains(c))
    };
    if !path.is_empty() && path.split('/').any(odd) {
        return Err(wrong(
            name::BACKEND_PATH,
            format_args!("{path:?} is no path of folders"),
            "Write it as folder/folder, without '?', '#' and relative folders.",
        ));
    }
    let mut url = format!("s3://{bucket}");
    if !path.is_empty() {
        url = format!("{url}/{path}");
    }
    // Who names an endpoint is not at Amazon, whatever region is left over.
    if let Some(endpoint) = env.get(name::BACKEND_S3_ENDPOINT) {
        url = format!("{url}?endpoint={}", url::encode_value(address(endpoint)?));
    } else if let Some(region) = env.get(name::BACKEND_S3_REGION) {
        url = format!("{url}?region={}", url::encode_value(region));
    }
    Ok(Store {
        url,
        variables: key(env)?,
    })
}

/// The address of a server. It is not repeated when it is none: somebody may have put a key into it.
fn address(endpoint: &str) -> Result<&str> {
    let hint = "Write it as https://host or https://host:port; http:// is taken too.";
    let bad = |what: &str, hint: &str| Err(wrong(name::BACKEND_S3_ENDPOINT, what, hint));
    let Some(rest) =
        (endpoint.strip_prefix("https://")).or_else(|| endpoint.strip_prefix("http://"))
    else {
        return bad("not an address that begins with https:// or http://", hint);
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    if authority.contains('@') {
        return bad(
            "it holds credentials",
            "Set BACKEND_S3_ACCESS_KEY and BACKEND_S3_SECRET_KEY, and the address alone.",
        );
    }
    if path.contains(['?', '#']) {
        return bad("not the address of a server", hint);
    }
    let end = authority.rfind(']').map_or(0, |at| at + 1);
    let (host, port) = match authority[end..].rfind(':') {
        Some(at) => (&authority[..end + at], Some(&authority[end + at + 1..])),
        None => (authority, None),
    };
    let port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    match url::host(host) {
        // An address of version 6 without brackets has no port to tell from it.
        Some(host) if port && (host.starts_with('[') == authority.starts_with('[')) => Ok(endpoint),
        _ => bad("not the address of a server", hint),
    }
}

fn key(env: &Environment<'_>) -> Result<Vec<(&'static str, SecretString)>> {
    let (id, secret) = (name::BACKEND_S3_ACCESS_KEY, name::BACKEND_S3_SECRET_KEY);
    let half = |set, missing| {
        Err(wrong(
            missing,
            format_args!("not set, but {set} is"),
            "Set both, or neither to use the pod's own identity.",
        ))
    };
    match (env.get(id), env.get(secret)) {
        (None, None) => Ok(Vec::new()),
        (Some(_), None) => half(id, secret),
        (None, Some(_)) => half(secret, id),
        (Some(id), Some(secret)) => Ok(vec![
            ("AWS_ACCESS_KEY_ID", id.into()),
            ("AWS_SECRET_ACCESS_KEY", secret.into()),
        ]),
    }
}
