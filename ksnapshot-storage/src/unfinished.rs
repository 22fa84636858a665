//! Uploads to S3 that nobody finished: found and given up. `object_store` has no call for either.
//!
//! Addresses, credentials and settings of the connection are those of the library's own client for the bucket, so that there is
//! nothing here that could be set in another way.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use jiff::Timestamp;
use ksnapshot_core::Result;
use object_store::aws::{AmazonS3, AwsAuthorizer};
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpRequest, HttpRequestBody,
};
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{Error as StoreError, Result as StoreResult};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::failure::{Deed, explain, is_not_implemented, within};
use crate::patience::Patient;

/// For one request with its repetitions, or all pages of a listing.
const LIMIT: Duration = Duration::from_secs(120);

/// The pause after a failure, twice as long after each: about twenty seconds in all.
const PAUSE: Duration = Duration::from_millis(300);
const ATTEMPTS: u32 = 7;

/// What a signature leaves as it is.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The uploads of one bucket.
pub(crate) struct Uploads {
    store: Arc<AmazonS3>,
    options: ClientOptions,
    region: String,
}

/// An upload that was begun.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Begun {
    /// In the bucket, the place's prefix included.
    pub(crate) key: String,
    pub(crate) upload_id: String,
    pub(crate) initiated: Timestamp,
}

/// A page of the answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    #[serde(default)]
    upload: Vec<Begun>,
    #[serde(default)]
    is_truncated: bool,
    #[serde(default)]
    next_key_marker: String,
    #[serde(default)]
    next_upload_id_marker: String,
}

impl Uploads {
    /// Those of the bucket of `store`, which was built with these options and this region.
    pub(crate) fn new(store: Arc<AmazonS3>, options: ClientOptions, region: String) -> Self {
        Self {
            store,
            options,
            region,
        }
    }

    /// All of the bucket, the caller's and others'. Not asked for by a prefix, though S3 could: MinIO takes one for the whole name of
    /// an object.
    pub(crate) async fn list(&self, place: &str) -> Result<Vec<Begun>> {
        match within(LIMIT, place, self.pages()).await? {
            // Nothing to see means nothing to sweep.
            Err(error) if is_not_implemented(&error) => {
                tracing::debug!(place, "the store does not list unfinished uploads");
                Ok(Vec::new())
            }
            listed => listed.map_err(|error| explain(&error, Deed::ListUploads, place)),
        }
    }

    /// Gives up one after the other: where it is, its id, and its name for errors. What is gone already is success.
    pub(crate) async fn abort(&self, uploads: &[(Path, &str, String)]) -> Result<()> {
        let client = self.client();
        for (path, id, place) in uploads {
            let asked = async {
                let client = client
                    .as_ref()
                    .map_err(|error| generic(error.to_string()))?;
                let query = [("uploadId", *id)];
                self.ask(client, Method::DELETE, path, &query).await
            };
            match within(LIMIT, place, asked).await? {
                Ok(_) | Err(StoreError::NotFound { .. }) => {}
                Err(error) => return Err(explain(&error, Deed::AbortUpload, place)),
            }
        }
        Ok(())
    }

    async fn pages(&self) -> StoreResult<Vec<Begun>> {
        let client = self.client()?;
        let (mut key, mut upload) = (String::new(), String::new());
        let mut found = Vec::new();
        loop {
            let mut query = vec![("uploads", "")];
            if !key.is_empty() {
                query.push(("key-marker", &key));
                query.push(("upload-id-marker", &upload));
            }
            let answer = (self.ask(&client, Method::GET, &Path::default(), &query)).await?;
            let page: Page = parse(&answer)?;
            found.extend(page.upload);
            let ahead = page.next_key_marker != key || page.next_upload_id_marker != upload;
            // A store that repeats itself would be asked for ever.
            if !page.is_truncated || !ahead {
                return Ok(found);
            }
            (key, upload) = (page.next_key_marker, page.next_upload_id_marker);
        }
    }

    fn client(&self) -> StoreResult<HttpClient> {
        Patient.connect(&self.options)
    }

    /// Both requests may be repeated, and are.
    async fn ask(
        &self,
        client: &HttpClient,
        method: Method,
        path: &Path,
        query: &[(&str, &str)],
    ) -> StoreResult<Bytes> {
        let mut attempt = 1;
        loop {
            let failed = match self.once(client, method.clone(), path, query).await? {
                Ok((status, body)) if status.is_success() => return Ok(body),
                Ok((status, body)) => {
                    let again = status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED
                        || status == StatusCode::TOO_MANY_REQUESTS;
                    let error = refusal(&method, path, status, &body);
                    if !again {
                        return Err(error);
                    }
                    error
                }
                Err(error) => generic(error),
            };
            if attempt == ATTEMPTS {
                return Err(failed);
            }
            tracing::debug!(%path, error = %failed, "asking again");
            tokio::time::sleep(PAUSE * (1 << (attempt - 1))).await;
            attempt += 1;
        }
    }

    /// One signed request: the outer error is ours, the inner one the line's.
    async fn once(
        &self,
        client: &HttpClient,
        method: Method,
        path: &Path,
        query: &[(&str, &str)],
    ) -> StoreResult<Result<(StatusCode, Bytes), object_store::client::HttpError>> {
        // Only for the address: what is signed here says less than ours, and is not sent.
        let signed = self.store.signed_url(method.clone(), path, LIMIT);
        let mut url = signed.await?;
        let encode = |text| utf8_percent_encode(text, STRICT);
        let query: Vec<_> = query
            .iter()
            .map(|(key, value)| format!("{}={}", encode(key), encode(value)))
            .collect();
        url.set_query(Some(&query.join("&")));

        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = method;
        *request.uri_mut() = url.as_str().parse().map_err(generic)?;
        let credential = self.store.credentials().get_credential().await?;
        // In headers, not in the address, which ends up in logs.
        AwsAuthorizer::new(&credential, "s3", &self.region).try_authorize(&mut request, None)?;
        Ok(async {
            let (head, body) = client.execute(request).await?.into_parts();
            Ok((head.status, body.bytes().await?))
        }
        .await)
    }
}

/// The answer, as the library words those that it gets itself: whoever explains errors reads them alike.
fn refusal(method: &Method, path: &Path, status: StatusCode, body: &[u8]) -> StoreError {
    let source = format!(
        "Error performing {method} of uploads - Server returned non-2xx status code: {status}: {}",
        String::from_utf8_lossy(body)
    );
    match status {
        StatusCode::NOT_FOUND => StoreError::NotFound {
            path: path.to_string(),
            source: source.into(),
        },
        _ => generic(source),
    }
}

fn parse(answer: &[u8]) -> StoreResult<Page> {
    let text = std::str::from_utf8(answer).map_err(generic)?;
    quick_xml::de::from_str(text).map_err(generic)
}

fn generic(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::Generic {
        store: "S3",
        source: source.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;
    use crate::open_with;

    /// A store of two pages, which is asked for the second one by what the first one said; the first request fails once.
    #[tokio::test]
    async fn all_pages_are_asked_for_and_others_uploads_left_out() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let upload = |key: &str| {
            format!(
                "<Upload><Key>{key}</Key><UploadId>i</UploadId><Initiated>2026-11-21T00:00:00Z</Initiated></Upload>"
            )
        };
        let page = |content: String| {
            format!("<ListMultipartUploadsResult>{content}</ListMultipartUploadsResult>")
        };
        let more = "<IsTruncated>true</IsTruncated><NextKeyMarker>p/a b</NextKeyMarker><NextUploadIdMarker>i</NextUploadIdMarker>";
        let answers = [
            ("503 Slow Down", String::new()),
            ("200 OK", page(upload("other/x") + &upload("p/a b") + more)),
            ("200 OK", page(upload("p/c") + &upload("px/d"))),
        ];
        let server = std::thread::spawn(move || {
            let mut asked = Vec::new();
            for (status, body) in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    head.push(byte[0]);
                }
                let length = body.len();
                write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").unwrap();
                asked.push(String::from_utf8(head).unwrap());
            }
            asked
        });
        let env = |name: &str| match name {
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("x".to_owned()),
            "AWS_SESSION_TOKEN" => Some("hunter2".to_owned()),
            _ => None,
        };
        let storage = open_with(&format!("s3://b/p?endpoint={endpoint}"), &env).unwrap();
        let found = storage.unfinished().await.unwrap();
        let keys: Vec<_> = found
            .iter()
            .map(|u| u.key.as_ref().unwrap().as_str())
            .collect();
        assert_eq!(keys, ["a b", "c"]);
        let asked = server.join().unwrap();
        let lines: Vec<_> = asked
            .iter()
            .map(|head| head.lines().next().unwrap())
            .collect();
        assert_eq!(
            lines,
            [
                "GET /b/?uploads= HTTP/1.1",
                "GET /b/?uploads= HTTP/1.1",
                "GET /b/?uploads=&key-marker=p%2Fa%20b&upload-id-marker=i HTTP/1.1"
            ]
        );
        for head in &asked {
            let head = head.to_ascii_lowercase();
            assert!(head.contains("authorization: aws4-hmac-sha256"), "{head}");
            assert!(head.contains("x-amz-security-token: hunter2"), "{head}");
        }
    }

    #[test]
    fn a_page_is_read_whatever_else_is_in_it() {
        let page = parse(
            br#"<?xml version="1.0" encoding="UTF-8"?>
<ListMultipartUploadsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Bucket>b</Bucket><KeyMarker></KeyMarker>
<NextKeyMarker>p/a%2Fb</NextKeyMarker><NextUploadIdMarker>two</NextUploadIdMarker><MaxUploads>2</MaxUploads>
<IsTruncated>true</IsTruncated><Upload><Key>p/a &amp; b</Key><UploadId>one</UploadId><Initiator><ID>x</ID></Initiator>
<StorageClass>STANDARD</StorageClass><Initiated>2026-11-21T21:58:10.825Z</Initiated></Upload>
<Upload><Key>p/a%2Fb</Key><UploadId>two</UploadId><Initiated>2026-11-21T21:58:11.000Z</Initiated></Upload>
<CommonPrefixes><Prefix>q/</Prefix></CommonPrefixes></ListMultipartUploadsResult>"#,
        )
        .unwrap();
        let keys: Vec<_> = page.upload.iter().map(|u| u.key.as_str()).collect();
        assert_eq!(keys, ["p/a & b", "p/a%2Fb"]);
        assert_eq!(page.upload[0].upload_id, "one");
        assert_eq!(page.upload[0].initiated.as_millisecond() % 1000, 825);
        assert!(page.is_truncated);
        assert_eq!(
            (
                page.next_key_marker.as_str(),
                page.next_upload_id_marker.as_str()
            ),
            ("p/a%2Fb", "two")
        );
        let empty =
            parse(b"<ListMultipartUploadsResult><Bucket>b</Bucket></ListMultipartUploadsResult>")
                .unwrap();
        assert!(empty.upload.is_empty() && !empty.is_truncated);
        assert!(parse(b"<html>").is_err());
    }
}
