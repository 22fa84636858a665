//! How every cloud is talked to: patience, repetitions, certificates, names of this machine.

use std::net::{IpAddr, Ipv4Addr, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ksnapshot_core::{Error, ErrorKind, Result};
use object_store::client::{DnsFuture, DnsResolver};
use object_store::{BackoffConfig, Certificate, ClientOptions, HeaderValue, RetryConfig};
use tokio::task::JoinSet;
use url::Url;

use crate::place::BucketPlace;

/// The longest silence of a server. While a part is sent the server is silent, so a part of 32 MiB must fit in:
/// five minutes let a link of 110 kB/s pass. A limit on the whole request would end every long read instead.
const SILENCE: Duration = Duration::from_secs(300);

/// Long enough for a lost packet or two on the way.
const CONNECT: Duration = Duration::from_secs(10);

/// About twenty seconds in all: a server that restarts is back by then, and a person still waits that long to be
/// told that it is down. The library draws each pause between the first one and `base` times the last; a large
/// base makes the sum steady.
pub(crate) fn retries() -> RetryConfig {
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

/// What the client of `place` is to be like. `endpoint` is none for the cloud itself; `ca_bundle` is the environment's
/// file of certificates, where the cloud's own tools know one. Reads the certificates, talks to nobody.
pub(crate) fn options(
    place: &BucketPlace,
    endpoint: Option<&Url>,
    ca_bundle: Option<(&str, String)>,
) -> Result<ClientOptions> {
    let mut options = ClientOptions::new()
        .with_connect_timeout(CONNECT)
        .with_timeout_disabled()
        .with_read_timeout(SILENCE)
        .with_user_agent(HeaderValue::from_static(concat!(
            "ksnapshot/",
            env!("CARGO_PKG_VERSION")
        )));
    if let Some(url) = endpoint.filter(|url| url.scheme() == "http") {
        options = options.with_allow_http(true);
        tracing::debug!(endpoint = %url, "no TLS towards the storage, as asked");
    }
    if endpoint
        .and_then(Url::host_str)
        .is_some_and(is_loopback_name)
    {
        options = options.with_dns_resolver(Arc::new(Loopback));
    }
    for certificate in certificates(place, ca_bundle)? {
        options = options.with_root_certificate(certificate);
    }
    Ok(options)
}

/// They are trusted besides the system's, since the token service may be the cloud's while the bucket is at home.
fn certificates(place: &BucketPlace, bundle: Option<(&str, String)>) -> Result<Vec<Certificate>> {
    let (file, named_in) = match (&place.ca, bundle) {
        (Some(file), _) => (file.clone(), "ca"),
        (None, Some((variable, file))) => (file.into(), variable),
        (None, None) => return Ok(Vec::new()),
    };
    let bad = |why: String| {
        Error::new(
            ErrorKind::Storage,
            format!("{place}: {named_in} {}: {why}", Path::new(&file).display()),
        )
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

pub(crate) fn is_loopback_name(host: &str) -> bool {
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
