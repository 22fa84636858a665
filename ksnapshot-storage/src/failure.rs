//! What a store's failure means to a backup, and what to do about it.

use std::error::Error as _;
use std::time::Duration;

use ksnapshot_core::{Error, ErrorKind, Result};
use object_store::Error as StoreError;
use object_store::client::{HttpError, HttpErrorKind};

use crate::cloud::Cloud;

/// What was being done, since the same answer means different things, and a right has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    Write,
    Read,
    List,
    Delete,
    ListUploads,
    AbortUpload,
}

impl Deed {
    /// The right in the words of the cloud's policies.
    fn right(self, cloud: Cloud) -> &'static str {
        match (cloud, self) {
            (Cloud::S3, Self::Write) => "s3:PutObject (and s3:AbortMultipartUpload)",
            (Cloud::S3, Self::Read) => "s3:GetObject",
            (Cloud::S3, Self::List) => "s3:ListBucket",
            (Cloud::S3, Self::Delete) => "s3:DeleteObject",
            (Cloud::Gcs, Self::Write) => {
                "storage.objects.create (and storage.multipartUploads.abort)"
            }
            (Cloud::Gcs, Self::Read) => "storage.objects.get",
            (Cloud::Gcs, Self::List) => "storage.objects.list",
            (Cloud::Gcs, Self::Delete) => "storage.objects.delete",
            (Cloud::Azure, Self::Write) => "to write blobs (SAS: c and w)",
            (Cloud::Azure, Self::Read) => "to read blobs (SAS: r)",
            (Cloud::Azure, Self::List) => "to list blobs (SAS: l)",
            (Cloud::Azure, Self::Delete) => "to delete blobs (SAS: d)",
            // Only S3 is asked about uploads that nobody finished.
            (_, Self::ListUploads) => "s3:ListBucketMultipartUploads",
            (_, Self::AbortUpload) => "s3:AbortMultipartUpload",
        }
    }
}

/// The error for `place`, an object or a whole storage.
///
/// The library's own text is not handed on as a source: it repeats the server's whole XML.
pub(crate) fn explain(error: &StoreError, deed: Deed, place: &str) -> Error {
    let text = error.to_string();
    let cloud = Cloud::of_place(place);
    let storage = |what: &str| Error::new(ErrorKind::Storage, format!("{place}: {what}"));
    if is_about_a_token(&text) {
        let why = element(&text, "Message").map_or_else(|| innermost(error), plain);
        let clock = if is_about_a_clock(&text) { CLOCK } else { "" };
        return storage(&format!("no credentials from the token service: {why}"))
            .hint(format!("Check {}.{clock}", cloud.token_sources()));
    }
    let code = element(&text, "Code").unwrap_or_default();
    let message = element(&text, "Message").map(plain).unwrap_or_default();
    if is_about_a_clock(&text) {
        return storage("this machine's clock and the store's are too far apart")
            .hint("Set the clock; signatures carry the time.");
    }
    if let Some((what, hint)) = known(code, &message) {
        return storage(what).hint(hint);
    }
    // With what the server said of itself, if it did.
    let said = |what: &str| match (code, message.as_str()) {
        ("", _) => storage(what),
        (code, "") => storage(&format!("{what}: {code}")),
        (code, message) => storage(&format!("{what}: {code}, {message}")),
    };
    match error {
        StoreError::NotFound { .. } if deed == Deed::Read => {
            Error::new(ErrorKind::NotFound, format!("{place}: no such object"))
                .hint("List the storage to see what is there.")
        }
        StoreError::NotFound { .. } => said("the store answers 404").hint(format!(
            "Check the name of the {}, and that the endpoint is the address of the server's {} interface.",
            cloud.container(),
            cloud.name()
        )),
        StoreError::AlreadyExists { .. } if deed == Deed::Write => {
            Error::new(ErrorKind::AlreadyExists, format!("{place}: exists already"))
                .hint("Nothing was changed.")
        }
        StoreError::Precondition { .. } if deed == Deed::Read => Error::new(
            ErrorKind::Corrupt,
            format!("{place}: the object was replaced while it was being read"),
        )
        .hint("Try again; and find out who writes to this storage."),
        _ if is_denied(error, &text) => said("access denied").hint(format!(
            "Give {} the right {} here.",
            cloud.identity(),
            deed.right(cloud)
        )),
        _ => match (transport(error), status(&text)) {
            (Some((kind, cause)), _) => unreachable(kind, &cause, place),
            (None, Some(status)) if status.starts_with('5') || status.starts_with("429") => {
                said(&format!("the store answers {status}"))
                    .hint("It was asked several times; look at the server, and try again later.")
            }
            (None, Some(status)) => said(&format!("the store answers {status}")).hint(format!(
                "Check that the endpoint is the address of the server's {} interface, and look at its log.",
                cloud.name()
            )),
            (None, None) if text.contains("redirect without LOCATION") => {
                storage("the bucket is in another region").hint(SET_REGION)
            }
            (None, None) => {
                storage(&innermost(error)).hint("Look at the server's log; then try again.")
            }
        },
    }
}

/// A request for a token failed, not the one for the object: the address of a token service is the only one that the
/// library hides or names so.
fn is_about_a_token(text: &str) -> bool {
    [
        " REDACTED ",
        "token file",
        "token request",
        "token response",
    ]
    .iter()
    .any(|words| text.contains(words))
}

/// Amazon and whoever speaks like it, Google's tokens, Azure, in this order.
fn is_about_a_clock(text: &str) -> bool {
    [
        "RequestTimeTooSkewed",
        "RequestExpired",
        "Signature expired",
        "Signature not yet current",
        "reasonable timeframe",
        "Request date header too old",
    ]
    .iter()
    .any(|words| text.contains(words))
}

const CLOCK: &str = " And set the clock: tokens carry the time.";

/// The library has names for these answers, but doesn't use them for listings.
fn is_denied(error: &StoreError, text: &str) -> bool {
    matches!(
        error,
        StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. }
    ) || status(text).is_some_and(|status| status.starts_with("403") || status.starts_with("401"))
}

const SET_REGION: &str = "Set region=… in the storage URL, or AWS_REGION, to the bucket's region.";

/// What S3's own word for a failure means, and the way out.
fn known<'a>(code: &str, message: &'a str) -> Option<(&'a str, &'static str)> {
    Some(match code {
        "NoSuchBucket" => (
            "no such bucket",
            "Create the bucket, or correct its name; ksnapshot never creates one.",
        ),
        "ContainerNotFound" => (
            "no such container",
            "Create the container, or correct its name; ksnapshot never creates one.",
        ),
        "NoSuchUpload" => (
            "the store no longer knows this upload",
            "A clean-up rule of the bucket may have removed it (give it a day or more), or the store's last answer \
             was lost.",
        ),
        "InvalidAccessKeyId" | "NotSignedUp" | "XAdminUserNotFound" => (
            "the store does not know the access key",
            "Check AWS_ACCESS_KEY_ID, or the profile of the credentials file (AWS_PROFILE).",
        ),
        "SignatureDoesNotMatch" => (
            "the secret key is wrong",
            "Check AWS_SECRET_ACCESS_KEY, or the profile of the credentials file (AWS_PROFILE).",
        ),
        "ExpiredToken" | "InvalidToken" | "InvalidClientTokenId" => (
            "the session token is expired or wrong",
            "Renew AWS_SESSION_TOKEN, or use credentials that renew themselves (a web identity).",
        ),
        _ if message.contains("failed to authenticate the request") => (
            "the store does not accept the credentials",
            "Check the account's name, and AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN: the wrong ones, or a token \
             that has expired.",
        ),
        "InvalidRequest" if message.contains("x-amz-checksum") => (
            "the bucket has an object lock and wants checksums",
            "Add checksum=sha256 to the storage URL.",
        ),
        "MissingContentMD5" => (
            "the bucket has an object lock and wants checksums",
            "Add checksum=sha256 to the storage URL.",
        ),
        "AuthorizationHeaderMalformed"
        | "PermanentRedirect"
        | "IllegalLocationConstraintException" => (message, SET_REGION),
        _ => return None,
    })
}

/// Gives `work` at most `limit`; every wait has a deadline.
pub(crate) async fn within<T>(
    limit: Duration,
    place: &str,
    work: impl Future<Output = T>,
) -> Result<T> {
    tokio::time::timeout(limit, work)
        .await
        .map_err(|_| silent(limit, place))
}

/// The error for a store that takes a request and says nothing.
pub(crate) fn silent(limit: Duration, place: &str) -> Error {
    Error::new(
        ErrorKind::Storage,
        format!("{place}: no answer within {} s", limit.as_secs()),
    )
    .hint("Look at the server and the network between; then try again.")
}

/// Whether the request was not understood because the server lacks the feature.
pub(crate) fn is_not_implemented(error: &StoreError) -> bool {
    let text = error.to_string();
    matches!(
        error,
        StoreError::NotImplemented { .. } | StoreError::NotSupported { .. }
    ) || element(&text, "Code") == Some("NotImplemented")
        || status(&text).is_some_and(|status| status.starts_with("501"))
}

/// Whether a read asked for bytes beyond the end.
pub(crate) fn is_beyond_the_end(error: &StoreError) -> bool {
    let text = error.to_string();
    element(&text, "Code") == Some("InvalidRange")
        || status(&text).is_some_and(|status| status.starts_with("416"))
        // The words of the library itself, for stores without a server.
        || text.contains("Wanted range starting at")
}

fn unreachable(kind: HttpErrorKind, cause: &str, place: &str) -> Error {
    let storage = |what: &str| Error::new(ErrorKind::Storage, format!("{place}: {what}"));
    if cause.contains("not valid for name") {
        return storage(&format!("the store's certificate is another's: {cause}")).hint(
            "Use a name that the certificate holds; with style=path the bucket is not part of it.",
        );
    }
    if cause.contains("expired") || cause.contains("not valid yet") {
        return storage(&format!(
            "the store's certificate is of another time: {cause}"
        ))
        .hint(
            "Set this machine's clock; if it is right, the store's certificate has to be renewed.",
        );
    }
    if cause.contains("certificate") {
        return storage(&format!("the store's certificate is not trusted: {cause}"))
            .hint("Name the authority's certificate with ca=/path.pem in the storage URL, or in AWS_CA_BUNDLE.");
    }
    match kind {
        HttpErrorKind::Connect => {
            storage(&format!("the store can't be reached: {cause}")).hint(format!(
                "Check the endpoint ({}) and the network.",
                Cloud::of_place(place).endpoint()
            ))
        }
        HttpErrorKind::Timeout => storage("the store does not answer in time")
            .hint("Look at the server and the network between; then try again."),
        _ => storage(&format!("the connection to the store broke: {cause}"))
            .hint("It was tried several times; look at the server and the network between."),
    }
}

fn transport(error: &StoreError) -> Option<(HttpErrorKind, String)> {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(http) = inner.downcast_ref::<HttpError>() {
            return Some((http.kind(), innermost(http)));
        }
        cause = inner.source();
    }
    None
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// The library keeps status and body of an answer to itself but prints both: this reads them back.
fn status(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("status code: ")?;
    Some(rest.split(':').next().unwrap_or(rest).trim())
}

/// A server's message as a piece of ours: its first line, without entities and full stop.
fn plain(message: &str) -> String {
    // Azure goes on with numbers and times on lines of their own.
    let message = message.lines().next().unwrap_or_default();
    let message = message.replace("&#39;", "'").replace("&apos;", "'");
    let message = message.replace("&#34;", "\"").replace("&quot;", "\"");
    message
        .replace("&amp;", "&")
        .trim_end_matches('.')
        .to_owned()
}

fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once("</").map(|(value, _)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: &str, code: &str) -> Box<dyn std::error::Error + Send + Sync> {
        format!(
            "Error performing PUT http://h/b/k in 1ms - Server returned non-2xx status code: {status}: \
             <Error><Code>{code}</Code><Message>Some words.</Message></Error>"
        )
        .into()
    }

    fn generic(status: &str, code: &str) -> StoreError {
        StoreError::Generic {
            store: "S3",
            source: answer(status, code),
        }
    }

    fn missing(code: &str) -> StoreError {
        StoreError::NotFound {
            path: "k".into(),
            source: answer("404 Not Found", code),
        }
    }

    fn denied(code: &str) -> StoreError {
        StoreError::PermissionDenied {
            path: "k".into(),
            source: answer("403 Forbidden", code),
        }
    }

    #[track_caller]
    fn check(error: &StoreError, deed: Deed, kind: ErrorKind, message: &str, hint: &str) {
        let error = explain(error, deed, "s3://b/k");
        assert_eq!(error.kind(), kind, "{error:?}");
        assert_eq!(format!("{error:#}"), format!("s3://b/k: {message}"));
        assert!(
            error.advice().unwrap().contains(hint),
            "{:?}",
            error.advice()
        );
    }

    #[test]
    fn answers_become_kinds_with_advice() {
        use ErrorKind::{AlreadyExists, NotFound, Storage};
        check(
            &missing("NoSuchKey"),
            Deed::Read,
            NotFound,
            "no such object",
            "List",
        );
        check(
            &missing("NoSuchBucket"),
            Deed::Read,
            Storage,
            "no such bucket",
            "Create the bucket",
        );
        check(
            &missing("NoSuchBucket"),
            Deed::List,
            Storage,
            "no such bucket",
            "Create the bucket",
        );
        check(
            &missing("NoSuchUpload"),
            Deed::Write,
            Storage,
            "the store no longer knows this upload",
            "clean-up",
        );
        let wrong = "the store does not know the access key";
        check(
            &denied("InvalidAccessKeyId"),
            Deed::Write,
            Storage,
            wrong,
            "AWS_ACCESS_KEY_ID",
        );
        check(
            &denied("SignatureDoesNotMatch"),
            Deed::Write,
            Storage,
            "the secret key is wrong",
            "AWS_SECRET_ACCESS_KEY",
        );
        let apart = "this machine's clock and the store's are too far apart";
        check(
            &denied("RequestTimeTooSkewed"),
            Deed::Write,
            Storage,
            apart,
            "Set the clock",
        );
        let denied = denied("AccessDenied");
        check(
            &denied,
            Deed::Write,
            Storage,
            "access denied: AccessDenied, Some words",
            "s3:PutObject",
        );
        check(
            &denied,
            Deed::List,
            Storage,
            "access denied: AccessDenied, Some words",
            "s3:ListBucket",
        );
        check(
            &generic("403 Forbidden", "AccessDenied"),
            Deed::List,
            Storage,
            "access denied: AccessDenied, Some words",
            "s3:ListBucket",
        );
        let busy = generic("503 Service Unavailable", "SlowDown");
        let said = "the store answers 503 Service Unavailable: SlowDown, Some words";
        check(&busy, Deed::Write, Storage, said, "try again later");
        let taken = StoreError::AlreadyExists {
            path: "k".into(),
            source: answer("412", "PreconditionFailed"),
        };
        check(
            &taken,
            Deed::Write,
            AlreadyExists,
            "exists already",
            "Nothing",
        );
    }

    #[test]
    fn each_cloud_is_told_of_in_its_own_words() {
        let check = |place: &str, hint: &str| {
            let error = explain(&denied("AuthorizationFailure"), Deed::List, place);
            assert!(
                error.advice().unwrap().contains(hint),
                "{error:?} {:?}",
                error.advice()
            );
        };
        check("s3://b/k", "s3:ListBucket");
        check("gs://b/k", "service account the right storage.objects.list");
        check("az://c/k", "to list blobs");
        check("a stranger's", "s3:ListBucket");
        let error = explain(&missing("ContainerNotFound"), Deed::Read, "az://c/k");
        assert_eq!(error.to_string(), "az://c/k: no such container");
    }

    #[test]
    fn certificates_are_told_by_what_is_wrong_with_them() {
        let check = |cause: &str, message: &str, hint: &str| {
            let error = unreachable(HttpErrorKind::Connect, cause, "s3://b/k");
            assert!(error.to_string().contains(message), "{error}");
            assert!(error.advice().unwrap().contains(hint), "{error:?}");
        };
        let invalid = "invalid peer certificate: ";
        check(
            &format!("{invalid}certificate expired"),
            "of another time",
            "clock",
        );
        check(
            &format!("{invalid}certificate not valid yet"),
            "of another time",
            "clock",
        );
        check(&format!("{invalid}UnknownIssuer"), "not trusted", "ca=");
        check("connection refused", "can't be reached", "AWS_ENDPOINT_URL");
    }

    #[test]
    fn special_answers_are_recognised() {
        assert!(is_not_implemented(&generic(
            "501 Not Implemented",
            "NotImplemented"
        )));
        assert!(!is_not_implemented(&generic(
            "503 Service Unavailable",
            "SlowDown"
        )));
        assert!(is_beyond_the_end(&generic(
            "416 Requested Range Not Satisfiable",
            "InvalidRange"
        )));
        assert!(!is_beyond_the_end(&missing("NoSuchKey")));
    }
}
