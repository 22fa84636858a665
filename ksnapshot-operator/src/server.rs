//! `/healthz`, `/readyz` and `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use ksnapshot_core::{Error, ErrorKind, Result};
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

/// How the loop is. It tells, and the kubelet asks.
#[derive(Debug)]
pub struct Health {
    start: Instant,
    /// How long the loop may say nothing.
    deadline: Duration,
    /// Of the last beat, in milliseconds since the start.
    beat: AtomicU64,
    ready: AtomicBool,
}

impl Health {
    /// Of a loop that begins now, and beats within each `deadline`. One that waits long for changes still has a resync.
    pub fn new(deadline: Duration) -> Self {
        Self {
            start: Instant::now(),
            deadline,
            beat: AtomicU64::new(0),
            ready: AtomicBool::new(false),
        }
    }

    /// The loop has ended a pass, or taken in an event.
    pub fn beat(&self) {
        let now = self.start.elapsed().as_millis();
        let now = u64::try_from(now).unwrap_or(u64::MAX);
        self.beat.fetch_max(now, Ordering::Relaxed);
    }

    /// All that is watched has been seen once. A replica that stands by is ready, too: it could act.
    pub fn ready(&self) {
        self.ready.store(true, Ordering::Relaxed);
    }

    /// Whether [`Health::ready`] was called.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// Whether the loop has beaten within its deadline.
    pub fn is_alive(&self) -> bool {
        self.silence() <= self.deadline
    }

    /// How long ago the last beat was.
    fn silence(&self) -> Duration {
        let beat = Duration::from_millis(self.beat.load(Ordering::Relaxed));
        self.start.elapsed().saturating_sub(beat)
    }
}

/// Listens, and answers once it runs.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

/// What OpenMetrics is served as.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Who asks for longer after the end has no answer.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

impl Server {
    /// Listens at the address; port 0 is any that is free.
    ///
    /// Errors: [`ErrorKind::Failed`], naming the address, where it is taken or isn't this machine's.
    pub async fn bind(address: SocketAddr) -> Result<Self> {
        let bound = async {
            let listener = TcpListener::bind(address).await?;
            let address = listener.local_addr()?;
            Ok::<_, std::io::Error>(Self { listener, address })
        };
        bound.await.map_err(|error| {
            Error::new(ErrorKind::Failed, format!("{address}: can't listen there"))
                .hint("Set LISTEN_ADDRESS to an address of this machine, with a port that is free.")
                .source(error)
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop`, and what was asked before it for a moment more.
    pub async fn run(self, health: Arc<Health>, metrics: Metrics, stop: CancellationToken) {
        let router = Router::new()
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .with_state(health)
            .merge(
                Router::new()
                    .route("/metrics", get(open_metrics))
                    .with_state(metrics),
            );
        let serving = axum::serve(self.listener, router)
            .with_graceful_shutdown(stop.clone().cancelled_owned())
            .into_future();
        let mut serving = std::pin::pin!(serving);
        tokio::select! {
            // It has no errors: those of a connection are the connection's.
            _ = &mut serving => {}
            () = stop.cancelled() => drop(timeout(LAST_ANSWERS, serving).await),
        }
    }
}

async fn healthz(State(health): State<Arc<Health>>) -> (StatusCode, String) {
    if health.is_alive() {
        return (StatusCode::OK, "ok\n".into());
    }
    let seconds = health.silence().as_secs();
    let silent = format!("the loop has done nothing for {seconds} s\n");
    (StatusCode::SERVICE_UNAVAILABLE, silent)
}

async fn readyz(State(health): State<Arc<Health>>) -> (StatusCode, &'static str) {
    if health.is_ready() {
        return (StatusCode::OK, "ok\n");
    }
    let early = "not all that is watched has been seen yet\n";
    (StatusCode::SERVICE_UNAVAILABLE, early)
}

async fn open_metrics(
    State(metrics): State<Metrics>,
) -> ([(axum::http::HeaderName, &'static str); 1], String) {
    ([(CONTENT_TYPE, OPEN_METRICS)], metrics.encode())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::task::JoinHandle;

    struct Running {
        address: SocketAddr,
        health: Arc<Health>,
        metrics: Metrics,
        stop: CancellationToken,
        task: JoinHandle<()>,
    }

    async fn start(deadline: Duration) -> Running {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = Server::bind(any).await.expect("a free port");
        let address = server.address();
        let (health, metrics) = (Arc::new(Health::new(deadline)), Metrics::default());
        let stop = CancellationToken::new();
        let task = server.run(Arc::clone(&health), metrics.clone(), stop.clone());
        let task = tokio::spawn(task);
        Running {
            address,
            health,
            metrics,
            stop,
            task,
        }
    }

    /// The whole answer, head and body.
    async fn ask(address: SocketAddr, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        let request =
            format!("{method} {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n");
        stream
            .write_all(request.as_bytes())
            .await
            .expect("it reads");
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .await
            .expect("it answers");
        answer
    }

    async fn code(running: &Running, path: &str) -> u16 {
        let answer = ask(running.address, "GET", path).await;
        answer[9..12].parse().expect("a code")
    }

    #[tokio::test]
    async fn it_is_ready_when_all_was_seen() {
        let running = start(Duration::from_secs(60)).await;
        assert_eq!(code(&running, "/readyz").await, 503);
        running.health.ready();
        assert_eq!(code(&running, "/readyz").await, 200);
    }

    #[tokio::test]
    async fn it_is_well_while_the_loop_goes_round() {
        let running = start(Duration::from_secs(1)).await;
        assert_eq!(code(&running, "/healthz").await, 200, "it has just begun");
        while running.health.is_alive() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let answer = ask(running.address, "GET", "/healthz").await;
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert!(
            answer.ends_with("the loop has done nothing for 1 s\n"),
            "{answer}"
        );
        running.health.beat();
        assert_eq!(code(&running, "/healthz").await, 200);
    }

    #[tokio::test]
    async fn metrics_are_served_as_what_they_are() {
        let running = start(Duration::from_secs(60)).await;
        running.metrics.set_leader(true);
        let answer = ask(running.address, "GET", "/metrics").await;
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        assert!(
            head.contains(
                "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"
            )
        );
        assert_eq!(body, running.metrics.encode());
        assert_eq!(code(&running, "/secrets").await, 404);
        let posted = ask(running.address, "POST", "/metrics").await;
        assert!(posted.starts_with("HTTP/1.1 405"), "{posted}");
    }

    #[tokio::test]
    async fn it_ends_when_told_though_somebody_holds_on() {
        let running = start(Duration::from_secs(60)).await;
        let mut idle = TcpStream::connect(running.address)
            .await
            .expect("it listens");
        idle.write_all(b"GET /met").await.expect("it reads");
        code(&running, "/healthz").await;
        running.stop.cancel();
        let ended = timeout(Duration::from_secs(10), running.task);
        ended.await.expect("in time").expect("in peace");
        let again = TcpStream::connect(running.address).await;
        again.expect_err("nobody listens any more");
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_told() {
        let running = start(Duration::from_secs(60)).await;
        let error = Server::bind(running.address).await.expect_err("taken");
        let told = format!("{}: can't listen there", running.address);
        assert_eq!(error.to_string(), told);
        assert!(
            error
                .advice()
                .is_some_and(|hint| hint.contains("LISTEN_ADDRESS"))
        );
    }
}
