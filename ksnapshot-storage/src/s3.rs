//! A bucket of S3 or of one of the many servers that speak its language.

use std::sync::Arc;

use ksnapshot_core::{Error, ErrorKind, Result};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, Checksum};
use secrecy::ExposeSecret;
use url::Url;

use crate::adapter::Adapter;
use crate::credentials::Credentials;
use crate::patience::Patient;
use crate::place::{BucketPlace, Style, parse_endpoint};
use crate::unfinished::Uploads;
use crate::{Env, client};

/// Signed for when nothing else is said. Most servers of others accept any region, and expect this one.
const DEFAULT_REGION: &str = "us-east-1";

/// Makes the client of a bucket. Reads the credentials file and certificates, but does not talk to anyone yet.
pub(crate) fn open(place: &BucketPlace, env: Env<'_>) -> Result<Adapter> {
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

    let bundle = get("AWS_CA_BUNDLE").map(|file| ("AWS_CA_BUNDLE", file));
    let mut options = client::options(place, endpoint.as_ref(), bundle)?;
    let plain = endpoint.as_ref().is_some_and(|url| url.scheme() == "http");
    if plain && !matches!(credentials, Credentials::WebIdentity { .. }) {
        // Without TLS there is nothing to trust, and an image without certificates must not fail for it.
        options = options.with_no_system_certificates(true);
    }

    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&place.name)
        .with_region(&region)
        .with_retry(client::retries())
        .with_http_connector(Patient);
    // Amazon wants the bucket in the host; a bucket with dots has no certificate there. A server of one's own
    // seldom has the names that this takes.
    let dotted = place.name.contains('.');
    let default = if endpoint.is_some() || dotted {
        Style::Path
    } else {
        Style::Virtual
    };
    let style = place.style.unwrap_or(default);
    builder = builder.with_virtual_hosted_style_request(style == Style::Virtual);
    // Amazon wants one beside the signature in a bucket with a lock; some of the others know no such headers.
    if place.checksum.unwrap_or(endpoint.is_none()) {
        builder = builder.with_checksum_algorithm(Checksum::SHA256);
    }
    if let Some(url) = &endpoint {
        builder = builder.with_endpoint(address(url, &place.name, style));
    }
    let store = with_credentials(builder, credentials)
        .with_client_options(options.clone())
        .build()
        .map_err(|error| {
            storage(format!("{name}: {error}"))
                .hint("Check the AWS_… variables and the storage URL.")
        })?;
    let store = Arc::new(store);
    let uploads = Uploads::new(Arc::clone(&store), options, region);
    let adapter = Adapter::new(store, name, &place.prefix)?.with_uploads(uploads);
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
        Credentials::Profile(profile) => return builder.with_credentials(Arc::new(profile)),
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
