//! The text that names a storage, parsed once, at the edge. Pure: nothing is opened or looked up here.

use std::fmt::{self, Display};
use std::num::NonZeroU16;
use std::path::PathBuf;

use ksnapshot_core::{Error, ErrorKind, Result};
use url::Url;

use crate::upload::{DEFAULT_PARTS, MOST_PARTS};

/// What the query of an `s3://` URL may say, in the order in which an error lists it.
const KEYS: [&str; 5] = ["endpoint", "region", "style", "ca", "max-parts"];

/// Where a storage is, as its user wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Folder(PathBuf),
    S3(S3Place),
}

/// A folder of a bucket, and how to get to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct S3Place {
    pub(crate) bucket: String,
    /// Without slashes at its ends; empty for the whole bucket.
    pub(crate) prefix: String,
    /// Where we talk; Amazon's own address for the region without one.
    pub(crate) endpoint: Option<Url>,
    /// What requests are signed for.
    pub(crate) region: Option<String>,
    pub(crate) style: Option<Style>,
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

impl Display for S3Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.bucket)?;
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
            Some(("s3", rest)) => S3Place::parse(rest).map(Self::S3),
            Some((scheme @ ("gs" | "az"), _)) => Err(usage(format!(
                "storage {scheme}://: not built yet"
            ))
            .hint("Use a folder or an s3:// bucket; many other stores also offer an S3 endpoint.")),
            Some((scheme, _)) => Err(usage(format!("storage {scheme}://: unknown scheme"))
                .hint("A storage is a folder, file:///folder, or s3://bucket/prefix.")),
        }
    }
}

impl S3Place {
    /// Bucket and prefix are taken literally, as the tools of S3 do: keys of ours contain percent signs. Only the
    /// query is decoded.
    fn parse(rest: &str) -> Result<Self> {
        if rest.contains('#') {
            return Err(usage("storage s3://: a '#' can't be part of a storage")
                .hint("Commands that read one snapshot take its id after a '#'; this place takes none."));
        }
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        if bucket.contains('@') {
            // Nothing of the text is repeated: it probably holds a secret.
            return Err(no_credentials("before an '@'"));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if bucket.is_empty() || !bucket.chars().all(plain) {
            return Err(usage(format!("storage s3://{bucket}: not the name of a bucket"))
                .hint("Write s3://bucket/prefix; the host of another server goes into ?endpoint=https://host."));
        }
        let prefix = prefix.trim_matches('/');
        let odd = |segment: &str| {
            matches!(segment, "" | "." | "..") || segment.chars().any(char::is_control)
        };
        if !prefix.is_empty() && prefix.split('/').any(odd) {
            return Err(usage(format!(
                "storage s3://{bucket}/{prefix:?}: the prefix has an empty or relative segment"
            ))
            .hint("Write the prefix as folder/folder."));
        }
        let mut place = Self {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            endpoint: None,
            region: None,
            style: None,
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
        Ok(place)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        if KEYS.contains(&key) && value.is_empty() {
            return Err(usage(format!("storage {self}: {key} has no value"))
                .hint(format!("Write {key}=…, or leave it away.")));
        }
        match key {
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
            "ca" => self.ca = Some(PathBuf::from(value)),
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
            // The value is never repeated: under an unknown key it may be a secret.
            _ if looks_secret(key) => return Err(no_credentials(&format!("as {key}"))),
            _ => {
                let near = KEYS.into_iter().find(|known| is_near(key, known));
                let guess = near
                    .map(|known| format!("Did you mean {known}? "))
                    .unwrap_or_default();
                return Err(usage(format!("storage {self}: unknown setting {key:?}"))
                    .hint(format!("{guess}Known settings are {}.", KEYS.join(", "))));
            }
        }
        Ok(())
    }
}

/// The address of a server, as the query or the environment variable `name` gives it.
pub(crate) fn parse_endpoint(name: &str, text: &str) -> Result<Url> {
    let hint = "Write it as https://host or https://host:port; http:// is taken too.";
    let url = Url::parse(text).map_err(|error| usage(format!("{name}: {error}")).hint(hint))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(no_credentials(&format!("in {name}")));
    }
    let plain = url.query().is_none() && url.fragment().is_none();
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !plain {
        return Err(usage(format!("{name}: not the address of a server")).hint(hint));
    }
    Ok(url)
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

/// One contains the other, or two letters differ: `endpoint_url`, `end-point`, `regoin`.
fn is_near(given: &str, known: &str) -> bool {
    let given = given.to_ascii_lowercase();
    given.contains(known)
        || (given.len() > 2 && known.contains(&given))
        || distance(&given, known) <= 2
}

/// Levenshtein's distance, a row at a time.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.chars().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

fn no_credentials(place: &str) -> Error {
    usage(format!("storage s3://: credentials are not taken from a URL ({place})")).hint(
        "URLs end up in logs and process lists; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use a \
         credentials file.",
    )
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
    fn s3(text: &str) -> S3Place {
        match Place::parse(text).unwrap() {
            Place::S3(place) => place,
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
        let plain = s3("s3://bucket");
        assert_eq!(
            (plain.bucket.as_str(), plain.prefix.as_str()),
            ("bucket", "")
        );
        assert_eq!(plain.to_string(), "s3://bucket");
        assert_eq!(s3("s3://bucket/").to_string(), "s3://bucket");
        assert_eq!(s3("s3://bucket/a/b/").to_string(), "s3://bucket/a/b");
        assert_eq!(
            s3("s3://bucket/a%2Fb").prefix,
            "a%2Fb",
            "the prefix is literal"
        );

        let full = s3(
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
        assert_eq!(s3("s3://b?style=path").style, Some(Style::Path));
        assert_eq!(
            s3("s3://b?endpoint=https%3A%2F%2Fhost%2Fs3")
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
            "AWS_ACCESS_KEY_ID",
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
            "Known settings are endpoint, region, style, ca, max-parts.",
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
        refused("gs://b/p", "not built yet", "S3");
        refused("az://b/p", "not built yet", "S3");
        refused("ftp://b/p", "unknown scheme", "s3://bucket/prefix");
        refused("http://b/p", "unknown scheme", "s3://bucket/prefix");
    }

    #[test]
    fn near_misses() {
        assert_eq!(distance("regoin", "region"), 2);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
        assert!(is_near("end-point", "endpoint"));
        assert!(is_near("cacert", "ca"));
        assert!(!is_near("zzz", "region"));
    }
}
