//! The text that names a storage, parsed once, at the edge. Pure: nothing is opened or looked up here.

use std::fmt::{self, Display};
use std::num::NonZeroU16;
use std::path::PathBuf;

use ksnapshot_core::{Error, ErrorKind, Result, near};
use url::{Host, Url};

use crate::client::is_loopback_name;
use crate::cloud::Cloud;
use crate::upload::{DEFAULT_PARTS, MOST_PARTS};

/// Where a storage is, as its user wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Folder(PathBuf),
    Bucket(BucketPlace),
}

/// A folder of a bucket (Azure calls it a container), and how to get to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BucketPlace {
    pub(crate) cloud: Cloud,
    /// Of the bucket.
    pub(crate) name: String,
    /// Without slashes at its ends; empty for the whole bucket.
    pub(crate) prefix: String,
    /// Where we talk; the cloud's own address without one.
    pub(crate) endpoint: Option<Url>,
    /// Of S3: what requests are signed for.
    pub(crate) region: Option<String>,
    /// Of S3.
    pub(crate) style: Option<Style>,
    /// Of S3: whether objects are sent with a checksum of their own, besides the signature.
    pub(crate) checksum: Option<bool>,
    /// Of Azure: whose container it is.
    pub(crate) account: Option<String>,
    /// A file of certificates to trust besides the system's.
    pub(crate) ca: Option<PathBuf>,
    /// How many parts an object may have, where the store takes fewer or more than usual.
    pub(crate) max_parts: Option<NonZeroU16>,
}

/// Where a request names the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `https://host/bucket/key`
    Path,
    /// `https://bucket.host/key`
    Virtual,
}

impl Display for BucketPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.cloud.scheme(), self.name)?;
        if self.prefix.is_empty() {
            Ok(())
        } else {
            write!(f, "/{}", self.prefix)
        }
    }
}

impl Place {
    /// Everything without `scheme://` is the path of a folder, colons included.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        match split_scheme(text) {
            None if text.is_empty() => Err(usage("storage: no place given")
                .hint("Name a folder, or a bucket as s3://bucket/prefix.")),
            None => Ok(Self::Folder(PathBuf::from(text))),
            Some(("file", _)) => parse_file(text).map(Self::Folder),
            Some((scheme, rest)) => match Cloud::of_scheme(scheme) {
                Some(cloud) => BucketPlace::parse(cloud, rest).map(Self::Bucket),
                None => Err(usage(format!("storage {scheme}://: unknown scheme")).hint(
                    "A storage is a folder, file:///folder, s3://bucket/prefix, gs://bucket/prefix or \
                     az://container/prefix.",
                )),
            },
        }
    }
}

impl BucketPlace {
    /// Bucket and prefix are taken literally, as the tools of the clouds do: keys of ours contain percent signs. Only the
    /// query is decoded.
    fn parse(cloud: Cloud, rest: &str) -> Result<Self> {
        let (scheme, container) = (cloud.scheme(), cloud.container());
        if rest.contains('#') {
            return Err(usage(format!(
                "storage {scheme}://: a '#' can't be part of a storage"
            ))
            .hint(
                "Commands that read one snapshot take its id after a '#'; this place takes none.",
            ));
        }
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (name, prefix) = place.split_once('/').unwrap_or((place, ""));
        if name.contains('@') {
            // Nothing of the text is repeated: it probably holds a secret.
            return Err(no_credentials(cloud, "before an '@'"));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if name.is_empty() || !name.chars().all(plain) {
            return Err(usage(format!("storage {scheme}://{name}: not the name of a {container}"))
                .hint(format!(
                    "Write {scheme}://{container}/prefix; the host of another server goes into ?endpoint=https://host."
                )));
        }
        let prefix = prefix.trim_matches('/');
        let odd = |segment: &str| {
            matches!(segment, "" | "." | "..") || segment.chars().any(char::is_control)
        };
        if !prefix.is_empty() && prefix.split('/').any(odd) {
            return Err(usage(format!(
                "storage {scheme}://{name}/{prefix:?}: the prefix has an empty or relative segment"
            ))
            .hint("Write the prefix as folder/folder."));
        }
        let mut place = Self {
            cloud,
            name: name.to_owned(),
            prefix: prefix.to_owned(),
            endpoint: None,
            region: None,
            style: None,
            checksum: None,
            account: None,
            ca: None,
            max_parts: None,
        };
        let mut seen = Vec::new();
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if seen.contains(&key) {
                return Err(usage(format!("storage {place}: {key} is given twice"))
                    .hint("Give each setting once."));
            }
            place.set(&key, &value)?;
            seen.push(key);
        }
        // A signature of S3 gives nothing away; a token is as good as a password to whoever listens.
        let exposed = |url: &Url| url.scheme() == "http" && !is_this_machine(url);
        if cloud != Cloud::S3 && place.endpoint.as_ref().is_some_and(exposed) {
            return Err(usage(format!(
                "storage {place}: endpoint is not an https:// address"
            ))
            .hint(
                "Requests carry a token; http:// is taken for an emulator on this machine only.",
            ));
        }
        Ok(place)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let known = self.cloud.settings();
        if known.contains(&key) && value.is_empty() {
            return Err(usage(format!("storage {self}: {key} has no value"))
                .hint(format!("Write {key}=…, or leave it away.")));
        }
        match key {
            _ if !known.contains(&key) => return Err(self.unknown(key)),
            "endpoint" => self.endpoint = Some(parse_endpoint("endpoint", value)?),
            "region" => self.region = Some(value.to_owned()),
            "style" => {
                self.style = Some(match value {
                    "path" => Style::Path,
                    "virtual" => Style::Virtual,
                    _ => {
                        return Err(usage(format!("storage {self}: style {value:?} is unknown"))
                            .hint("style is path (https://host/bucket) or virtual (https://bucket.host)."));
                    }
                });
            }
            "checksum" => {
                self.checksum = Some(match value {
                    "sha256" => true,
                    "none" => false,
                    _ => {
                        return Err(usage(format!(
                            "storage {self}: checksum {value:?} is unknown"
                        ))
                        .hint("checksum is sha256 or none."));
                    }
                });
            }
            "max-parts" => {
                let parts = value.parse().ok().filter(|&parts: &NonZeroU16| {
                    (2..=MOST_PARTS).contains(&usize::from(parts.get()))
                });
                self.max_parts = Some(parts.ok_or_else(|| {
                    usage(format!(
                        "storage {self}: max-parts {value:?} is out of range"
                    ))
                    .hint(format!(
                        "Write a number from 2 to {MOST_PARTS}; without it, it is {DEFAULT_PARTS}."
                    ))
                })?);
            }
            "account" => {
                if !value
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
                {
                    return Err(usage(format!("storage {self}: not the name of an account"))
                        .hint("An account's name has small letters and digits alone."));
                }
                self.account = Some(value.to_owned());
            }
            _ => self.ca = Some(PathBuf::from(value)),
        }
        Ok(())
    }

    /// The value is never repeated: under an unknown key it may be a secret.
    fn unknown(&self, key: &str) -> Error {
        if looks_secret(key) {
            return no_credentials(self.cloud, &format!("as {key}"));
        }
        let known = self.cloud.settings();
        let guess = meant(key, known)
            .map(|known| format!("Did you mean {known}? "))
            .unwrap_or_default();
        usage(format!("storage {self}: unknown setting {key:?}"))
            .hint(format!("{guess}Known settings are {}.", known.join(", ")))
    }
}

/// The address of a server, as the query or the environment variable `name` gives it.
pub(crate) fn parse_endpoint(name: &str, text: &str) -> Result<Url> {
    let hint = "Write it as https://host or https://host:port; http:// is taken too.";
    let url = Url::parse(text).map_err(|error| usage(format!("{name}: {error}")).hint(hint))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(usage(format!("{name}: credentials are not taken from a URL"))
            .hint("URLs end up in logs and process lists; use the cloud's variables of the environment."));
    }
    let plain = url.query().is_none() && url.fragment().is_none();
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !plain {
        return Err(usage(format!("{name}: not the address of a server")).hint(hint));
    }
    Ok(url)
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_loopback_name(name),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn parse_file(text: &str) -> Result<PathBuf> {
    let hint = "Write file:///folder with three slashes, or the path alone.";
    let url =
        Url::parse(text).map_err(|error| usage(format!("storage {text}: {error}")).hint(hint))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(usage(format!("storage {text}: a file:// URL takes no settings"))
            .hint("Write '?' as %3F and '#' as %23 if they belong to the path, or give the path alone."));
    }
    url.to_file_path().map_err(|()| {
        usage(format!(
            "storage {text}: not an absolute path of this machine"
        ))
        .hint(hint)
    })
}

/// `Some((scheme, rest))` when `text` starts as a URL does. `./a://b` and `host:folder` do not.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let mut letters = scheme.chars();
    let first = letters.next()?.is_ascii_alphabetic();
    let others = letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    (first && others).then_some((scheme, rest))
}

fn looks_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["key", "secret", "token", "password", "credential", "user"]
        .iter()
        .any(|word| key.contains(word))
}

/// The setting that was meant: it is spelt nearly so, or one contains the other: `endpoint_url`, `cacert`.
fn meant(given: &str, known: &'static [&'static str]) -> Option<&'static str> {
    let given = given.to_ascii_lowercase();
    let mut known = known.iter().copied();
    near(&given, known.clone())
        .or_else(|| known.find(|k| given.contains(k) || (given.len() > 2 && k.contains(&given))))
}

fn no_credentials(cloud: Cloud, place: &str) -> Error {
    usage(format!(
        "storage {}://: credentials are not taken from a URL ({place})",
        cloud.scheme()
    ))
    .hint(format!(
        "URLs end up in logs and process lists; {}.",
        cloud.credentials()
    ))
}

fn usage(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Usage, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn folder(text: &str, path: &str) {
        assert_eq!(
            Place::parse(text).unwrap(),
            Place::Folder(PathBuf::from(path)),
            "{text}"
        );
    }

    #[track_caller]
    fn bucket(text: &str) -> BucketPlace {
        match Place::parse(text).unwrap() {
            Place::Bucket(place) => place,
            Place::Folder(path) => panic!("{text} became the folder {}", path.display()),
        }
    }

    #[track_caller]
    fn refused(text: &str, message: &str, hint: &str) {
        let error = Place::parse(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{text}");
        assert!(error.to_string().contains(message), "{text}: {error}");
        assert!(
            error.advice().unwrap().contains(hint),
            "{text}: {:?}",
            error.advice()
        );
        for secret in ["hunter2", "AKIA"] {
            assert!(
                !format!("{error:?} {:?}", error.advice()).contains(secret),
                "{text} leaks"
            );
        }
    }

    #[test]
    fn whatever_has_no_scheme_is_a_folder() {
        folder("/var/backups", "/var/backups");
        folder("backups", "backups");
        folder("./a://b", "./a://b");
        folder("host:folder", "host:folder");
        folder("C:/x", "C:/x");
        folder("with space", "with space");
        folder("file:///var/my%20backups", "/var/my backups");
        folder("file://localhost/var", "/var");
        refused("", "no place", "folder");
        refused("file://folder/x", "not an absolute path", "three slashes");
        refused("file:///a?b=c", "takes no settings", "%3F");
    }

    #[test]
    fn a_bucket_has_a_prefix_and_settings() {
        let plain = bucket("s3://bucket");
        assert_eq!((plain.name.as_str(), plain.prefix.as_str()), ("bucket", ""));
        assert_eq!(plain.to_string(), "s3://bucket");
        assert_eq!(bucket("s3://bucket/").to_string(), "s3://bucket");
        assert_eq!(bucket("s3://bucket/a/b/").to_string(), "s3://bucket/a/b");
        assert_eq!(
            bucket("s3://bucket/a%2Fb").prefix,
            "a%2Fb",
            "the prefix is literal"
        );

        let full = bucket(
            "s3://my.bucket/p?endpoint=http://127.0.0.1:9000&region=eu-west-3&style=virtual&ca=/etc/ca%20x.pem&max-parts=1000",
        );
        assert_eq!(
            full.endpoint.as_ref().map(Url::as_str),
            Some("http://127.0.0.1:9000/")
        );
        assert_eq!(full.region.as_deref(), Some("eu-west-3"));
        assert_eq!(full.style, Some(Style::Virtual));
        assert_eq!(full.ca, Some(PathBuf::from("/etc/ca x.pem")));
        assert_eq!(full.max_parts, NonZeroU16::new(1000));
        assert_eq!(
            full.to_string(),
            "s3://my.bucket/p",
            "settings are not part of the name"
        );
        assert_eq!(bucket("s3://b?style=path").style, Some(Style::Path));
        assert_eq!(
            bucket("s3://b?endpoint=https%3A%2F%2Fhost%2Fs3")
                .endpoint
                .unwrap()
                .path(),
            "/s3"
        );
    }

    #[test]
    fn mistakes_are_named_and_secrets_are_not_repeated() {
        refused("s3://", "not the name of a bucket", "s3://bucket/prefix");
        refused(
            "s3:///prefix",
            "not the name of a bucket",
            "s3://bucket/prefix",
        );
        refused(
            "s3://host:9000/bucket",
            "not the name of a bucket",
            "endpoint=",
        );
        refused(
            "s3://AKIA:hunter2@bucket/p",
            "credentials",
            "AWS_ACCESS_KEY_ID",
        );
        refused(
            "s3://b?endpoint=https://AKIA:hunter2@host",
            "credentials",
            "variables of the environment",
        );
        refused(
            "s3://b?secret_access_key=hunter2",
            "credentials",
            "AWS_SECRET_ACCESS_KEY",
        );
        refused(
            "s3://b?password=hunter2",
            "credentials",
            "AWS_SECRET_ACCESS_KEY",
        );
        refused(
            "s3://b?regoin=hunter2",
            "unknown setting \"regoin\"",
            "Did you mean region?",
        );
        refused(
            "s3://b?endpoint_url=x",
            "unknown setting",
            "Did you mean endpoint?",
        );
        refused(
            "s3://b?zzz=hunter2",
            "unknown setting",
            "Known settings are endpoint, region, style, checksum, max-parts, ca.",
        );
        refused("s3://b?region=a&region=b", "twice", "once");
        refused("s3://b?region=", "no value", "region=");
        refused("s3://b?style=dns", "style", "virtual");
        for parts in ["1", "0", "10001", "-2", "many", "99999999999"] {
            let url = format!("s3://b?max-parts={parts}");
            refused(&url, "max-parts", "from 2 to 10000");
        }
        refused("s3://b?endpoint=host:9000", "endpoint", "https://host");
        refused("s3://b?endpoint=ftp://host", "endpoint", "https://host");
        refused("s3://b/a//b", "empty or relative", "folder/folder");
        refused("s3://b/../c", "empty or relative", "folder/folder");
        refused("s3://b/p#abc", "'#'", "snapshot");
        refused("s3://b?checksum=md5", "checksum", "sha256");
        refused("s3://b?account=a", "unknown setting", "Known settings");
        refused("ftp://b/p", "unknown scheme", "s3://bucket/prefix");
        refused("http://b/p", "unknown scheme", "s3://bucket/prefix");
    }

    #[test]
    fn other_clouds_have_settings_of_their_own() {
        let google = bucket("gs://b/p?endpoint=http://127.0.0.1:4443&ca=/x.pem");
        assert_eq!(
            (google.cloud, google.to_string().as_str()),
            (Cloud::Gcs, "gs://b/p")
        );
        let azure = bucket("az://c/p/q?account=shop1");
        assert_eq!(
            (azure.cloud, azure.account.as_deref()),
            (Cloud::Azure, Some("shop1"))
        );
        assert_eq!(azure.to_string(), "az://c/p/q");
        refused("gs://b?region=x", "unknown setting", "endpoint, ca.");
        refused("gs://", "not the name of a bucket", "gs://bucket/prefix");
        refused(
            "gs://b?token=hunter2",
            "credentials",
            "GOOGLE_APPLICATION_CREDENTIALS",
        );
        refused(
            "az://",
            "not the name of a container",
            "az://container/prefix",
        );
        refused(
            "az://c?acount=x",
            "unknown setting",
            "Did you mean account?",
        );
        refused(
            "az://c?account=hunter2.blob",
            "name of an account",
            "small letters",
        );
        refused(
            "az://c?account_key=hunter2",
            "credentials",
            "AZURE_STORAGE_KEY",
        );
        refused(
            "az://c?sas_token=hunter2",
            "credentials",
            "AZURE_STORAGE_SAS_TOKEN",
        );
        refused("az://hunter2@c", "credentials", "AZURE_STORAGE_KEY");
    }

    #[test]
    fn tokens_travel_by_tls_or_not_at_all() {
        for host in ["127.0.0.1:4443", "localhost", "b.localhost:1", "[::1]:1"] {
            bucket(&format!("gs://b?endpoint=http://{host}"));
            bucket(&format!("az://c?endpoint=http://{host}/account"));
        }
        for host in ["10.0.0.1", "localhost.example.org", "example.org"] {
            refused(
                &format!("gs://b?endpoint=http://{host}"),
                "not an https",
                "token",
            );
            refused(
                &format!("az://c?endpoint=http://{host}"),
                "not an https",
                "token",
            );
            bucket(&format!("gs://b?endpoint=https://{host}"));
            bucket(&format!("s3://b?endpoint=http://{host}"));
        }
    }

    #[test]
    fn near_misses() {
        let known = Cloud::S3.settings();
        for (given, expected) in [
            ("regoin", Some("region")),
            ("end-point", Some("endpoint")),
            ("endpoint_url", Some("endpoint")),
            ("cacert", Some("ca")),
            ("zzz", None),
        ] {
            assert_eq!(meant(given, known), expected, "{given}");
        }
    }
}
