//! For tests: a server that keeps objects as the API server does, on a real socket.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use kube::{Client, Config};
use serde_json::{Value, json};

/// Its objects are gone with it.
pub(crate) struct Fake {
    client: Client,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    objects: BTreeMap<String, Value>,
    version: u64,
    down: bool,
    asked: Vec<(String, String)>,
}

impl Fake {
    pub(crate) async fn start() -> Self {
        let kept = Arc::<Mutex<Kept>>::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().fallback(answer).with_state(Arc::clone(&kept));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let uri = format!("http://{address}").parse().expect("a URI");
        let client = Client::try_from(Config::new(uri)).expect("a client");
        Self { client, kept }
    }

    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    /// The object there, or null.
    pub(crate) fn object(&self, path: &str) -> Value {
        self.kept().objects.get(path).cloned().unwrap_or_default()
    }

    /// All objects below.
    pub(crate) fn objects(&self, path: &str) -> Vec<Value> {
        let kept = self.kept();
        let below = kept.objects.iter().filter(|(at, _)| at.starts_with(path));
        below.map(|(_, object)| object.clone()).collect()
    }

    pub(crate) fn delete(&self, path: &str) {
        self.kept().objects.remove(path);
    }

    /// While it is down, it answers that; by a code that kube doesn't try again by itself.
    pub(crate) fn set_down(&self, down: bool) {
        self.kept().down = down;
    }

    /// How often it was asked for this.
    pub(crate) fn asked(&self, method: &str, path: &str) -> usize {
        let kept = self.kept();
        let asked = kept.asked.iter().filter(|(m, p)| m == method && p == path);
        asked.count()
    }

    pub(crate) async fn until(&self, holds: impl Fn(&Self) -> bool) {
        let wait = async {
            while !holds(self) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(10), wait);
        waited.await.expect("it comes to hold");
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().expect("nothing panics with it")
    }
}

async fn answer(State(kept): State<Arc<Mutex<Kept>>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("a small body");
    let path = parts.uri.path().to_owned();
    let mut kept = kept.lock().expect("nothing panics with it");
    kept.asked.push((parts.method.to_string(), path.clone()));
    if kept.down {
        return failure(StatusCode::INTERNAL_SERVER_ERROR);
    }
    let mut object: Value = serde_json::from_slice(&body).unwrap_or_default();
    let there = kept.objects.get(&path);
    let at = match (parts.method, there) {
        (Method::GET, Some(there)) => return ok(there),
        (Method::GET | Method::PUT, None) => return failure(StatusCode::NOT_FOUND),
        (Method::POST, _) => {
            let name = object["metadata"]["name"].as_str().expect("a name");
            let at = format!("{path}/{name}");
            if kept.objects.contains_key(&at) {
                return failure(StatusCode::CONFLICT);
            }
            at
        }
        (Method::PUT, Some(there)) => {
            let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
            if version(there) != version(&object) {
                return failure(StatusCode::CONFLICT);
            }
            path
        }
        _ => return failure(StatusCode::METHOD_NOT_ALLOWED),
    };
    kept.version += 1;
    object["metadata"]["resourceVersion"] = kept.version.to_string().into();
    let answer = ok(&object);
    kept.objects.insert(at, object);
    answer
}

fn ok(object: &Value) -> Response {
    object.to_string().into_response()
}

fn failure(code: StatusCode) -> Response {
    let status = json!({
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": code.canonical_reason(),
        "message": code.to_string(),
        "code": code.as_u16(),
    });
    (code, status.to_string()).into_response()
}
