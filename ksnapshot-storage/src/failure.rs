//! What a store's failure means to a backup, and what to do about it.

use std::error::Error as _;
use std::time::Duration;

use ksnapshot_core::{Error, ErrorKind, Result};
use object_store::Error as StoreError;
use object_store::client::{HttpError, HttpErrorKind};

/// What was being done, since the same answer means different things, and a right has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    Write,
    Read,
    List,
    Delete,
}

impl Deed {
    /// The rights in the words of a bucket's policy.
    fn right(self) -> &'static str {
        match self {
            Self::Write => "s3:PutObject (and s3:AbortMultipartUpload)",
            Self::Read => "s3:GetObject",
            Self::List => "s3:ListBucket",
            Self::Delete => "s3:DeleteObject",
        }
    }
}

/// The error for `place`, an object or a whole storage.
///
/// The library's own text is not handed on as a source: it repeats the server's whole XML.
pub(crate) fn explain(error: &StoreError, deed: Deed, place: &str) -> Error {
    let text = error.to_string();
    let code = element(&text, "Code").unwrap_or_default();
    let new = |kind, what: &str| Error::new(kind, format!("{place}: {what}"));
    let storage = |what: &str| new(ErrorKind::Storage, what);

    match code {
        "NoSuchBucket" => {
            return storage("no such bucket")
                .hint("Create the bucket, or correct its name; ksnapshot never creates one.");
        }
        "NoSuchUpload" => {
            return storage("the store no longer knows this upload").hint(
                "A clean-up rule of the bucket may have removed it (give it a day or more), or the store's last \
                 answer was lost.",
            );
        }
        "InvalidAccessKeyId" | "NotSignedUp" | "XAdminUserNotFound" => {
            return storage("the store does not know the access key").hint(
                "Check AWS_ACCESS_KEY_ID, or the profile of the credentials file (AWS_PROFILE).",
            );
        }
        "SignatureDoesNotMatch" => {
            return storage("the secret key is wrong")
                .hint("Check AWS_SECRET_ACCESS_KEY, or the profile of the credentials file (AWS_PROFILE).");
        }
        "ExpiredToken" | "InvalidToken" | "InvalidClientTokenId" => {
            return storage("the session token is expired or wrong")
                .hint("Renew AWS_SESSION_TOKEN, or use credentials that renew themselves (a web identity).");
        }
        "RequestTimeTooSkewed" => {
            return storage("this machine's clock and the store's are too far apart")
                .hint("Set the clock; signatures carry the time.");
        }
        "AuthorizationHeaderMalformed"
        | "PermanentRedirect"
        | "IllegalLocationConstraintException" => {
            let message = element(&text, "Message").unwrap_or("the bucket is in another region");
            return storage(message)
                .hint("Set region=… in the storage URL, or AWS_REGION, to the bucket's region.");
        }
        _ => {}
    }
    // With what the server said of itself, if it did.
    let said = |what: &str| match (code, element(&text, "Message").unwrap_or_default()) {
        ("", _) => storage(what),
        (code, "") => storage(&format!("{what}: {code}")),
        (code, message) => storage(&format!(
            "{what}: {code}, {}",
            message.trim_end_matches('.')
        )),
    };
    match error {
        StoreError::NotFound { .. } if deed == Deed::Read => {
            new(ErrorKind::NotFound, "no such object")
                .hint("List the storage to see what is there.")
        }
        StoreError::NotFound { .. } => said("the store answers 404").hint(
            "Check the name of the bucket, and that the endpoint is the S3 address of the server.",
        ),
        StoreError::AlreadyExists { .. } if deed == Deed::Write => {
            new(ErrorKind::AlreadyExists, "exists already").hint("Nothing was changed.")
        }
        StoreError::Precondition { .. } if deed == Deed::Read => new(
            ErrorKind::Corrupt,
            "the object was replaced while it was being read",
        )
        .hint("Try again; and find out who writes to this storage."),
        StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. } => {
            said("access denied").hint(format!(
                "Give the key (AWS_ACCESS_KEY_ID, or the role) the right {} here.",
                deed.right()
            ))
        }
        _ => match transport(error) {
            Some((kind, cause)) => unreachable(kind, &cause, place),
            None if text.contains("redirect without LOCATION") => {
                storage("the bucket is in another region")
                    .hint("Set region=… in the storage URL, or AWS_REGION, to the bucket's region.")
            }
            None => match status(&text) {
                Some(status) => said(&format!("the store answers {status}"))
                    .hint("It was asked several times; look at the server, and try again later."),
                None => {
                    storage(&innermost(error)).hint("Look at the server's log; then try again.")
                }
            },
        },
    }
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
    if cause.contains("certificate") {
        return storage(&format!("the store's certificate is not trusted: {cause}"))
            .hint("Name the authority's certificate with ca=/path.pem in the storage URL, or in AWS_CA_BUNDLE.");
    }
    match kind {
        HttpErrorKind::Connect => storage(&format!("the store can't be reached: {cause}"))
            .hint("Check the endpoint (endpoint=… or AWS_ENDPOINT_URL) and the network."),
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
