//! A bucket of S3 or of one of the many servers that speak its language.

use std::net::{IpAddr, Ipv4Addr, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ksnapshot_core::{Error, ErrorKind, Result};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::{DnsFuture, DnsResolver};
use object_store::{BackoffConfig, Certificate, ClientOptions, HeaderValue, RetryConfig};
use secrecy::ExposeSecret;
use tokio::task::JoinSet;
use url::Url;

use crate::Env;
use crate::adapter::Adapter;
use crate::credentials::Credentials;
use crate::place::{S3Place, Style, parse_endpoint};

/// Signed for when nothing else is said. Most servers of others accept any region, and expect this one.
const DEFAULT_REGION: &str = "us-east-1";

/// The longest silence of a server. While a part is sent the server is silent, so a part of 32 MiB must fit in:
/// five minutes let a link of 110 kB/s pass. A limit on the whole request would end every long read instead.
const SILENCE: Duration = Duration::from_secs(300);

/// Long enough for a lost packet or two on the way.
const CONNECT: Duration = Duration::from_secs(10);

/// About twenty seconds in all: a server that restarts is back by then, and a person still waits that long to be
/// told that it is down. The library draws each pause between the first one and `base` times the last; a large
/// base makes the sum steady.
fn retries() -> RetryConfig {
    RetryConfig {
        max_retries: 8,
        retry_timeout: Duration::from_secs(60),
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(4),
            base: 10.,
        },
    }
}

/// Makes the client of a bucket. Reads the credentials file and certificates, but does not talk to anyone yet.
pub(crate) fn open(place: &S3Place, env: Env<'_>) -> Result<Adapter> {
    let name = place.to_string();
    let get = |key: &str| env(key).filter(|value| !value.is_empty());
    let endpoint = match &place.endpoint {
        Some(url) => Some(url.clone()),
        None => ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]
            .into_iter()
            .find_map(|key| get(key).map(|value| parse_endpoint(key, &value)))
            .transpose()?,
    };
    let region = (place.region.clone())
        .or_else(|| get("AWS_REGION"))
        .or_else(|| get("AWS_DEFAULT_REGION"))
        .unwrap_or_else(|| DEFAULT_REGION.to_owned());
    let credentials = Credentials::find(env, &name, endpoint.is_some())?;
    if let Credentials::WebIdentity { sts: Some(sts), .. } = &credentials {
        let variable = "AWS_ENDPOINT_URL_STS";
        if parse_endpoint(variable, sts)?.scheme() != "https" {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("{variable}: not an https:// address"),
            )
            .hint("A token is as good as a password; the token service is asked over TLS only."));
        }
    }

    let mut options = ClientOptions::new()
        .with_connect_timeout(CONNECT)
        .with_timeout_disabled()
        .with_read_timeout(SILENCE)
        .with_user_agent(HeaderValue::from_static(concat!(
            "ksnapshot/",
            env!("CARGO_PKG_VERSION")
        )));
    if let Some(url) = endpoint.as_ref().filter(|url| url.scheme() == "http") {
        options = options.with_allow_http(true);
        // Without TLS there is nothing to trust, and an image without certificates must not fail for it.
        if !matches!(credentials, Credentials::WebIdentity { .. }) {
            options = options.with_no_system_certificates(true);
        }
        tracing::debug!(endpoint = %url, "no TLS towards the storage, as asked");
    }
    if endpoint
        .as_ref()
        .and_then(Url::host_str)
        .is_some_and(is_loopback_name)
    {
        options = options.with_dns_resolver(Arc::new(Loopback));
    }
    for certificate in certificates(place, &get)? {
        options = options.with_root_certificate(certificate);
    }

    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&place.bucket)
        .with_region(region)
        .with_retry(retries());
    // Amazon wants the bucket in the host; a bucket with dots has no certificate there. A server of one's own
    // seldom has the names that this takes.
    let dotted = place.bucket.contains('.');
    let default = if endpoint.is_some() || dotted {
        Style::Path
    } else {
        Style::Virtual
    };
    let style = place.style.unwrap_or(default);
    builder = builder.with_virtual_hosted_style_request(style == Style::Virtual);
    if let Some(url) = &endpoint {
        builder = builder.with_endpoint(address(url, &place.bucket, style));
    }
    let store = with_credentials(builder, credentials)
        .with_client_options(options)
        .build()
        .map_err(|error| {
            storage(format!("{name}: {error}"))
                .hint("Check the AWS_… variables and the storage URL.")
        })?;
    let adapter = Adapter::new(Arc::new(store), name, &place.prefix)?;
    Ok(match place.max_parts {
        Some(parts) => adapter.max_parts(parts),
        None => adapter,
    })
}

fn with_credentials(builder: AmazonS3Builder, credentials: Credentials) -> AmazonS3Builder {
    use AmazonS3ConfigKey as Setting;
    let settings = match credentials {
        Credentials::Key { id, secret, token } => {
            let builder = builder
                .with_access_key_id(id)
                .with_secret_access_key(secret.expose_secret());
            return match token {
                Some(token) => builder.with_token(token.expose_secret()),
                None => builder,
            };
        }
        Credentials::WebIdentity {
            token_file,
            role,
            session,
            sts,
        } => vec![
            (Setting::WebIdentityTokenFile, Some(token_file)),
            (Setting::RoleArn, Some(role)),
            (
                Setting::RoleSessionName,
                session.or_else(|| Some("ksnapshot".to_owned())),
            ),
            (Setting::StsEndpoint, sts),
        ],
        Credentials::Container {
            relative,
            full,
            token_file,
        } => vec![
            (Setting::ContainerCredentialsRelativeUri, relative),
            (Setting::ContainerCredentialsFullUri, full),
            (Setting::ContainerAuthorizationTokenFile, token_file),
        ],
        Credentials::Machine => Vec::new(),
    };
    settings
        .into_iter()
        .fold(builder, |builder, (setting, value)| match value {
            Some(value) => builder.with_config(setting, value),
            None => builder,
        })
}

/// With the bucket in the host the whole address is ours to write.
fn address(url: &Url, bucket: &str, style: Style) -> String {
    let text = url.as_str().trim_end_matches('/');
    match style {
        Style::Path => text.to_owned(),
        Style::Virtual => text.replacen("://", &format!("://{bucket}."), 1),
    }
}

/// They are trusted besides the system's, since the token service may be Amazon's while the bucket is at home.
fn certificates(place: &S3Place, get: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Certificate>> {
    let (file, named_in) = match (&place.ca, get("AWS_CA_BUNDLE")) {
        (Some(file), _) => (file.clone(), "ca"),
        (None, Some(file)) => (file.into(), "AWS_CA_BUNDLE"),
        (None, None) => return Ok(Vec::new()),
    };
    let bad = |why: String| {
        storage(format!(
            "{place}: {named_in} {}: {why}",
            Path::new(&file).display()
        ))
        .hint("Name a readable file with the certificate of the authority in PEM form.")
    };
    let pem = std::fs::read(&file).map_err(|error| bad(error.to_string()))?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|error| bad(error.to_string()))?;
    if found.is_empty() {
        Err(bad("no certificate in it".to_owned()))
    } else {
        Ok(found)
    }
}

fn is_loopback_name(host: &str) -> bool {
    host.ends_with(".localhost") || host == "localhost"
}

/// Names under `.localhost` are this machine (RFC 6761, 6.3), but not every resolver knows, and
/// `bucket.localhost` is what a server on one's own machine is asked for.
#[derive(Debug)]
struct Loopback;

impl DnsResolver for Loopback {
    fn resolve(&self, host: &str) -> DnsFuture {
        let host = host.to_owned();
        Box::pin(async move {
            if host.ends_with(".localhost") {
                return Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]);
            }
            // The look-up blocks; a set instead of a bare task, so that a dropped call takes it along.
            let mut task = JoinSet::new();
            task.spawn_blocking(move || (host.as_str(), 0).to_socket_addrs());
            match task.join_next().await {
                Some(found) => Ok(found??.map(|address| address.ip()).collect()),
                None => Ok(Vec::new()),
            }
        })
    }
}

fn storage(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Storage, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open_with;

    #[test]
    fn the_bucket_is_named_where_the_style_says() {
        let check = |url: &str, style, expected: &str| {
            assert_eq!(address(&Url::parse(url).unwrap(), "b", style), expected);
        };
        check(
            "http://127.0.0.1:9000",
            Style::Path,
            "http://127.0.0.1:9000",
        );
        check("https://host/s3/", Style::Path, "https://host/s3");
        check(
            "https://localhost:9000",
            Style::Virtual,
            "https://b.localhost:9000",
        );
    }

    #[test]
    fn opening_reads_the_environment_and_shows_no_secret() {
        let env = |name: &str| match name {
            "AWS_ACCESS_KEY_ID" => Some("AKIAEXAMPLE".to_owned()),
            "AWS_SECRET_ACCESS_KEY" => Some("hunter2".to_owned()),
            "AWS_ENDPOINT_URL_S3" => Some("http://127.0.0.1:1".to_owned()),
            _ => None,
        };
        let storage = open_with("s3://bucket/prefix?region=x", &env).unwrap();
        assert_eq!(storage.to_string(), "s3://bucket/prefix");
        let debug = format!("{storage:?}");
        assert!(
            !debug.contains("hunter2") && !debug.contains("AKIA"),
            "{debug}"
        );
    }

    #[test]
    fn a_broken_setting_is_an_error_at_once() {
        let env = |name: &str| match name {
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("x".to_owned()),
            _ => None,
        };
        let error = open_with("s3://b?ca=/nowhere.pem", &env).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Storage);
        assert!(error.to_string().contains("ca /nowhere.pem"), "{error}");
        let endpoint = |name: &str| {
            if name == "AWS_ENDPOINT_URL" {
                Some("nonsense".to_owned())
            } else {
                env(name)
            }
        };
        let error = open_with("s3://b", &endpoint).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains("AWS_ENDPOINT_URL"), "{error}");
    }
}
