//! One view of an index, and all documents in it, page by page.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use ksnapshot_core::{Error, ErrorKind, Result};
use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::http::{Client, Reply, pause, segment};
use super::lock;
use super::page::{Answer, Hit, next_size};
use super::version::{self, Flavour, Server};

/// How long the server keeps a point in time that nobody asks for: it may have to wait for its turn. One in use is kept by every
/// page.
const KEEP: &str = "30m";

/// The same for a scroll, which never waits. One whose opening was under way when the dump was cancelled ends by this alone.
const KEEP_SCROLL: &str = "10m";

/// Bytes of an answer that pages grow or shrink to.
const AIM: usize = 6 << 20;

/// An answer beyond this is given up, and a smaller page asked for.
const LIMIT: usize = 24 << 20;

/// The most documents of a page, which is what a server gives at once unless its `index.max_result_window` says less.
pub(super) const MOST: usize = 10_000;

/// How long a cluster takes to forget an index.
const DELETING: Duration = Duration::from_millis(500);

/// How often a page is asked for that can be asked for again.
const TRIES: u32 = 6;

/// One view of an index.
pub(super) struct View {
    client: Client,
    server: Server,
    /// A name that the server resolves to one index or data stream.
    index: String,
    /// The point in time, where it is read by one. Each answer may name another id for it.
    point: Option<Mutex<String>>,
    /// Scrolls that are open.
    scrolls: Mutex<BTreeSet<String>>,
    /// Documents in the point in time.
    total: Option<u64>,
    /// The most documents that the server gives at once.
    most: usize,
}

impl View {
    /// Fixes the view, where one can be fixed before it is read, and counts what is in it. No page has more than `most`
    /// documents.
    pub(super) async fn open(
        client: &Client,
        server: &Server,
        index: &str,
        most: usize,
    ) -> Result<Self> {
        (Self::fix(client, server, index, most).await)
            .map_err(|e| e.context(format!("index {index}")))
    }

    async fn fix(client: &Client, server: &Server, index: &str, most: usize) -> Result<Self> {
        let mut view = Self {
            client: client.clone(),
            server: server.clone(),
            index: index.to_owned(),
            point: None,
            scrolls: Mutex::default(),
            total: None,
            most: most.clamp(1, MOST),
        };
        if server.method() == version::Method::PointInTime {
            view.open_point().await?;
            let counted = view.count().await;
            if counted.is_err() {
                view.close().await;
            }
            view.total = Some(counted?);
        }
        Ok(view)
    }

    async fn open_point(&mut self) -> Result<()> {
        #[derive(Deserialize)]
        struct Opened {
            #[serde(alias = "pit_id")]
            id: String,
        }
        let index = segment(&self.index);
        let path = match self.server.flavour {
            Flavour::Elasticsearch => format!("/{index}/_pit?keep_alive={KEEP}"),
            Flavour::OpenSearch => format!(
                "/{index}/_search/point_in_time?keep_alive={KEEP}&allow_partial_pit_creation=false"
            ),
        };
        let body = self.client.act(Method::POST, &path).await?;
        let opened: Opened = serde_json::from_slice(&body).map_err(|cause| {
            Error::new(ErrorKind::Server, "no point in time was opened").source(cause)
        })?;
        self.point = Some(Mutex::new(opened.id));
        Ok(())
    }

    /// How many documents the point in time holds. Keeps it alive, too.
    pub(super) async fn count(&self) -> Result<u64> {
        let Some(point) = &self.point else {
            return Ok(0);
        };
        let body = json!({
            "size": 0,
            "track_total_hits": true,
            "pit": { "id": &*lock(point), "keep_alive": KEEP },
        });
        let path = self.search_path();
        let sent = Bytes::from(body.to_string());
        let reply = self
            .client
            .patiently(Method::POST, &path, Some(sent))
            .await?;
        if !reply.status.is_success() {
            return Err(self.lost(&reply, &path).await);
        }
        Answer::parse(&reply.body)?.total()
    }

    fn search_path(&self) -> String {
        format!("/_search?{}", self.server.search_parameters())
    }

    /// Documents in the whole view, where it was fixed before it is read.
    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    /// Its documents, or those of one of several slices. Every document is in exactly one slice.
    pub(super) fn pages(&self, slice: Option<(u32, u32)>, size: usize) -> Pages<'_> {
        Pages {
            view: self,
            slice,
            size,
            after: None,
            scroll: None,
            expected: None,
            read: 0,
        }
    }

    /// Releases everything on the server. What can't be released ends by itself.
    pub(super) async fn close(&self) {
        let mut requests = Vec::new();
        if let Some(point) = &self.point {
            let id = lock(point).clone();
            requests.push(match self.server.flavour {
                Flavour::Elasticsearch => ("/_pit", json!({ "id": id })),
                Flavour::OpenSearch => ("/_search/point_in_time", json!({ "pit_id": [id] })),
            });
        }
        let scrolls: Vec<String> = std::mem::take(&mut *lock(&self.scrolls))
            .into_iter()
            .collect();
        if !scrolls.is_empty() {
            requests.push(("/_search/scroll", json!({ "scroll_id": scrolls })));
        }
        for (path, body) in requests {
            let body = Some(Bytes::from(body.to_string()));
            if let Err(error) = self.client.send(Method::DELETE, path, body, LIMIT).await {
                tracing::info!(index = self.index, "view not released: {error:#}");
            }
        }
    }

    /// What an answer means that is no page.
    async fn lost(&self, reply: &Reply, path: &str) -> Error {
        let gone = reply.status.as_u16() == 404;
        if !gone {
            return reply.error(path);
        }
        // While an index is deleted its views go first.
        tokio::time::sleep(DELETING).await;
        match self
            .client
            .find(&format!("/{}/_settings", segment(&self.index)))
            .await
        {
            Ok(None) => Error::new(ErrorKind::Failed, "deleted while it was dumped").hint(
                "Leave the index out with --index -NAME, or dump it while nobody deletes it.",
            ),
            _ => Error::new(
                ErrorKind::ViewLost,
                format!("the server has given up its view: {}", reply.reason()),
            )
            .hint("See that nobody closes points in time or scrolls on the cluster."),
        }
    }
}

/// Documents of a view, page by page.
pub(super) struct Pages<'a> {
    view: &'a View,
    slice: Option<(u32, u32)>,
    /// Documents to ask for next.
    size: usize,
    /// Behind which document the next page of a point in time begins.
    after: Option<Value>,
    scroll: Option<String>,
    /// How many a scroll has to give.
    expected: Option<u64>,
    read: u64,
}

impl Pages<'_> {
    /// Hands the documents of the next page to `each`; false when there are no more, and then there were as many as the
    /// server had counted.
    pub(super) async fn next(
        &mut self,
        each: impl FnMut(&Hit<'_>) -> Result<()> + Send,
    ) -> Result<bool> {
        let documents = match &self.view.point {
            Some(_) => self.page_of_point(each).await?,
            None => self.page_of_scroll(each).await?,
        };
        self.read += documents as u64;
        match self.expected {
            Some(expected) if documents == 0 && expected != self.read => Err(Error::new(
                ErrorKind::ViewLost,
                format!("the scroll gave {} of {expected} documents", self.read),
            )),
            _ => Ok(documents > 0),
        }
    }

    async fn page_of_point(
        &mut self,
        mut each: impl FnMut(&Hit<'_>) -> Result<()> + Send,
    ) -> Result<usize> {
        let path = self.view.search_path();
        let Some(point) = &self.view.point else {
            return Ok(0);
        };
        let mut tries = 0;
        loop {
            let mut body = self.search();
            body["pit"] = json!({ "id": &*lock(point), "keep_alive": KEEP });
            body["sort"] = json!([{ "_shard_doc": "asc" }]);
            body["track_total_hits"] = false.into();
            if let Some(after) = &self.after {
                body["search_after"] = after.clone();
            }
            let limit = if self.size > 1 { LIMIT } else { usize::MAX };
            let sent = Bytes::from(body.to_string());
            let reply = self
                .view
                .client
                .send(Method::POST, &path, Some(sent), limit)
                .await;
            tries += 1;
            // Asking for a page changes nothing, so that it can be asked for again, until it is whole.
            let (error, wait) = match reply {
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    self.size = (self.size / 8).max(1);
                    tries = 0;
                    continue;
                }
                Err(error) => (error, None),
                Ok(reply) if reply.is_busy() => (reply.error(&path), reply.retry_after),
                Ok(reply) if !reply.status.is_success() => {
                    return Err(self.view.lost(&reply, &path).await);
                }
                Ok(reply) => match Answer::parse(&reply.body) {
                    Err(error) => (error, None),
                    Ok(answer) => {
                        for hit in &answer.hits.hits {
                            each(hit)?;
                        }
                        if let Some(id) = answer.pit_id {
                            *lock(point) = text(id)?;
                        }
                        let documents = answer.hits.hits.len();
                        if let Some(last) = answer.hits.hits.last() {
                            self.after = Some(place(last)?);
                            self.size = next_size(documents, reply.body.len(), AIM, self.view.most);
                        }
                        return Ok(documents);
                    }
                },
            };
            if tries >= TRIES {
                return Err(error);
            }
            pause(tries, wait).await;
        }
    }

    async fn page_of_scroll(
        &mut self,
        mut each: impl FnMut(&Hit<'_>) -> Result<()> + Send,
    ) -> Result<usize> {
        let reply = match &self.scroll {
            None => {
                let path = format!(
                    "/{}/_search?scroll={KEEP_SCROLL}&{}",
                    segment(&self.view.index),
                    self.view.server.search_parameters()
                );
                let mut body = self.search();
                body["sort"] = json!(["_doc"]);
                body["track_total_hits"] = true.into();
                let sent = Some(Bytes::from(body.to_string()));
                let reply = self
                    .view
                    .client
                    .patiently(Method::POST, &path, sent)
                    .await?;
                if !reply.status.is_success() {
                    return Err(reply.error(&path));
                }
                reply
            }
            Some(id) => {
                const PATH: &str = "/_search/scroll";
                let body = json!({ "scroll": KEEP_SCROLL, "scroll_id": id });
                let sent = Some(Bytes::from(body.to_string()));
                // The server moves on whether or not its answer arrives: what is lost here can't be asked for again.
                let reply = (self
                    .view
                    .client
                    .send(Method::POST, PATH, sent, usize::MAX)
                    .await)
                    .map_err(|e| e.with_kind(ErrorKind::ViewLost))?;
                if !reply.status.is_success() {
                    let error = self.view.lost(&reply, PATH).await;
                    return Err(match error.kind() {
                        ErrorKind::Failed => error,
                        _ => error.with_kind(ErrorKind::ViewLost),
                    });
                }
                reply
            }
        };
        let answer = Answer::parse(&reply.body).map_err(|e| e.with_kind(ErrorKind::ViewLost))?;
        if let Some(id) = answer.scroll_id {
            let id = text(id)?;
            let mut open = lock(&self.view.scrolls);
            if let Some(before) = self.scroll.replace(id.clone()) {
                open.remove(&before);
            }
            open.insert(id);
        }
        if self.expected.is_none() {
            self.expected = Some(answer.total()?);
        }
        for hit in &answer.hits.hits {
            each(hit)?;
        }
        Ok(answer.hits.hits.len())
    }

    fn search(&self) -> Value {
        let mut body = json!({ "size": self.size.min(self.view.most) });
        body["_source"] = if self.view.server.hides_vectors() {
            json!({ "exclude_vectors": false })
        } else {
            true.into()
        };
        if let Some((id, max)) = self.slice {
            body["slice"] = json!({ "id": id, "max": max });
        }
        body
    }
}

fn text(json: &RawValue) -> Result<String> {
    serde_json::from_str(json.get())
        .map_err(|e| Error::new(ErrorKind::Server, "the id of a view is no text").source(e))
}

fn place(hit: &Hit<'_>) -> Result<Value> {
    let sort = hit.sort.map(RawValue::get).unwrap_or_default();
    serde_json::from_str(sort)
        .map_err(|e| Error::new(ErrorKind::Server, "a document does not tell its place").source(e))
}
