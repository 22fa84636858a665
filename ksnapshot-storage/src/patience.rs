//! A store that is busy may say how long it wants to be left alone (`Retry-After`). It is, which `object_store` does not do.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use ksnapshot_core::async_trait;
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};

/// No longer than this, whatever is asked for: MinIO asks for a minute with each 503, and a small request has two for all of
/// its repetitions.
const MOST: Duration = Duration::from_secs(20);

/// Makes clients that hand over the answer of a busy store when it may be asked again. The library's own pause comes on top.
#[derive(Debug)]
pub(crate) struct Patient;

impl HttpConnector for Patient {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Waiting(client)))
    }
}

#[derive(Debug)]
struct Waiting(HttpClient);

#[async_trait]
impl HttpService for Waiting {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = self.0.execute(request).await?;
        if let Some(pause) = pause(answer.status(), answer.headers()) {
            tracing::debug!(status = %answer.status(), ?pause, "the store asks for time");
            tokio::time::sleep(pause).await;
        }
        Ok(answer)
    }
}

/// What a busy store asks for, in seconds. A date is not looked at: it would be by another clock than ours.
fn pause(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    let busy = [
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::SERVICE_UNAVAILABLE,
    ];
    if !busy.contains(&status) {
        return None;
    }
    let asked = headers.get(RETRY_AFTER)?.to_str().ok()?;
    let seconds = asked.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, asked: Option<&'static str>, expect: Option<u64>) {
        let mut headers = HeaderMap::new();
        if let Some(asked) = asked {
            headers.insert(RETRY_AFTER, asked.parse().unwrap());
        }
        let status = StatusCode::from_u16(status).unwrap();
        let expect = expect.map(Duration::from_secs);
        assert_eq!(pause(status, &headers), expect, "{status} {asked:?}");
    }

    #[test]
    fn a_busy_store_gets_the_time_that_it_asks_for() {
        check(503, Some("1"), Some(1));
        check(429, Some(" 7 "), Some(7));
        check(503, Some("0"), Some(0));
        check(503, Some("60"), Some(20));
        check(503, None, None);
        check(503, Some("-1"), None);
        check(503, Some("soon"), None);
        check(429, Some("Sun, 29 Nov 2026 13:00:00 GMT"), None);
        check(200, Some("1"), None);
        check(500, Some("1"), None);
    }
}
