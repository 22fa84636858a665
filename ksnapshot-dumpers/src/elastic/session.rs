//! A dump's view of a cluster: one view an index, all opened before a document is read.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use ksnapshot_core::catalog::CatalogModel;
use ksnapshot_core::layout::Form;
use ksnapshot_core::{
    Consistency, Cx, DataPart, DumpSession, Error, ErrorKind, Event, ObjectPlan, Outline, PartSink,
    Result, RowBlock, RowHash, SourceInfo, async_trait,
};
use reqwest::Method;
use serde_json::json;

use super::catalog::{self, Catalog, Size};
use super::connect::Elastic;
use super::http::{Client, segment};
use super::lock;
use super::page::Hit;
use super::script::{DATA, Script, Source, script};
use super::version::{self, Server};
use super::view::View;

/// Views that are opened at once.
const AT_ONCE: usize = 8;

/// How long a view may wait for its turn before it's asked to stay: a fraction of what it is kept for.
const TOUCH: Duration = Duration::from_secs(300);

/// An index of fewer documents and bytes is read by one reader.
const SMALL: Size = Size {
    documents: 20_000,
    bytes: 8 << 20,
};

/// A dump's view of the source.
pub(super) struct Session {
    client: Client,
    outline: Outline,
    sources: Vec<Source>,
    /// Those of `sources`, in their order.
    views: Vec<View>,
    work: Vec<Work>,
    page_size: usize,
    /// Documents read so far, of each source.
    read: Mutex<Vec<u64>>,
    touched: Mutex<Instant>,
    /// Indices to close again.
    opened: Vec<String>,
}

/// What a part consists of; the part with the same number tells the core about it.
struct Work {
    source: usize,
    slice: Option<(u32, u32)>,
}

/// Which claim a way of reading reaches.
pub(super) fn consistency(server: &Server) -> Consistency {
    let claim = match server.method() {
        version::Method::PointInTime => "point-in-time-per-shard",
        version::Method::Scroll => "scroll-per-slice",
    };
    Consistency {
        claim: claim.into(),
        position: BTreeMap::new(),
    }
}

pub(super) fn source_info(server: &Server) -> SourceInfo {
    SourceInfo {
        kind: server.flavour.kind().into(),
        server_version: server.text.clone(),
    }
}

impl Session {
    pub(super) async fn open(source: &Elastic, workers: NonZeroUsize, cx: &Cx) -> Result<Self> {
        let (client, server) = source.connect().await?;
        let scope = &source.scope;
        let patterns = source.patterns();
        let catalog =
            catalog::read(&client, &server, &patterns, scope.hidden, scope.closed).await?;
        for problem in &catalog.problems {
            cx.emit(&Event::Problem(problem));
        }
        let Script {
            items,
            objects,
            sources,
        } = script(&catalog);
        let (work, parts) = plan(&sources, scope.slices, workers);
        let mut objects: Vec<ObjectPlan> = (objects.into_iter())
            .map(|object| ObjectPlan {
                name: object.content.into(),
                definitions: object.definitions,
                parts: Vec::new(),
            })
            .collect();
        objects.push(ObjectPlan {
            name: DATA.into(),
            definitions: Vec::new(),
            parts,
        });
        let mut session = Self {
            outline: Outline {
                source: source_info(&server),
                consistency: consistency(&server),
                form: Form::JsonLines,
                catalog: model(&server, &catalog)?,
                items,
                objects,
                problems: catalog.problems,
            },
            read: Mutex::new(vec![0; sources.len()]),
            sources,
            views: Vec::new(),
            work,
            page_size: scope.page_size.map_or(1_000, |n| n.get() as usize),
            touched: Mutex::new(Instant::now()),
            opened: Vec::new(),
            client,
        };
        let closed: Vec<String> = (catalog.indices.into_iter())
            .filter(|index| index.closed)
            .map(|index| index.name)
            .collect();
        match session.fix(&server, closed).await {
            Ok(()) => Ok(session),
            Err(error) => {
                session.leave().await.ok();
                Err(error)
            }
        }
    }

    /// Opens what is closed, and one view after the other.
    async fn fix(&mut self, server: &Server, closed: Vec<String>) -> Result<()> {
        for index in closed {
            let path = format!("/{}/_open", segment(&index));
            self.opened.push(index);
            self.client.act(Method::POST, &path).await?;
        }
        let mut opening = Vec::new();
        for source in &self.sources {
            opening.push(View::open(
                &self.client,
                server,
                &source.name,
                source.window,
            ));
        }
        let mut views = stream::iter(opening).buffered(AT_ONCE);
        while let Some(view) = views.try_next().await? {
            self.views.push(view);
        }
        Ok(())
    }

    /// Keeps the views alive that wait for their turn.
    async fn touch(&self) -> Result<()> {
        {
            let mut touched = lock(&self.touched);
            if touched.elapsed() < TOUCH {
                return Ok(());
            }
            *touched = Instant::now();
        }
        for view in &self.views {
            view.count().await?;
        }
        Ok(())
    }

    async fn leave(&self) -> Result<()> {
        stream::iter(&self.views)
            .for_each_concurrent(AT_ONCE, View::close)
            .await;
        let mut done = Ok(());
        for index in &self.opened {
            let path = format!("/{}/_close", segment(index));
            if let Err(error) = self.client.act(Method::POST, &path).await {
                done = Err(error.context(format!("index {index}: not closed again")));
            }
        }
        done
    }
}

/// What the index of the snapshot tells of the cluster.
fn model(server: &Server, catalog: &Catalog) -> Result<CatalogModel> {
    let indices: Vec<&str> = catalog.indices.iter().map(|i| i.name.as_str()).collect();
    let streams: Vec<&str> = catalog.streams.iter().map(|s| s.name.as_str()).collect();
    let model = json!({ "indices": indices, "data_streams": streams });
    CatalogModel::new(server.flavour.kind(), 1, &model)
}

/// The parts, the largest first: an index in slices when it is worth it.
fn plan(
    sources: &[Source],
    slices: Option<NonZeroUsize>,
    workers: NonZeroUsize,
) -> (Vec<Work>, Vec<DataPart>) {
    let mut order: Vec<usize> = (0..sources.len()).collect();
    order.sort_by_key(|&n| std::cmp::Reverse(sources[n].size.bytes));
    let mut work = Vec::new();
    let mut parts = Vec::new();
    for number in order {
        let source = &sources[number];
        let size = source.size;
        let max = match slices {
            Some(slices) => slices.get(),
            None if size.documents < SMALL.documents && size.bytes < SMALL.bytes => 1,
            None => workers.get(),
        };
        let max = u32::try_from(max).unwrap_or(u32::MAX);
        for slice in 0..max {
            let name = match max {
                1 => format!("index {}", source.name),
                _ => format!("index {}, slice {} of {max}", source.name, slice + 1),
            };
            parts.push(DataPart {
                id: u32::try_from(work.len()).unwrap_or(u32::MAX),
                name,
                estimate: size.bytes / u64::from(max),
                items: vec![source.item],
            });
            work.push(Work {
                source: number,
                slice: (max > 1).then_some((slice, max)),
            });
        }
    }
    (work, parts)
}

/// Lines on their way into blocks.
#[derive(Default)]
struct Lines {
    text: Vec<u8>,
    rows: u64,
    hash: RowHash,
    ready: Vec<RowBlock>,
}

impl Lines {
    /// Adds a document. A block of `size` bytes is cut before the document that would make it larger.
    fn push(&mut self, hit: &Hit<'_>, size: usize) -> Result<()> {
        let start = self.text.len();
        let hash = hit.write(&mut self.text)?;
        if self.rows > 0 && self.text.len() > size {
            let rest = self.text.split_off(start);
            self.cut(size);
            self.text.extend_from_slice(&rest);
        }
        self.rows += 1;
        self.hash += hash;
        Ok(())
    }

    fn cut(&mut self, size: usize) {
        if self.rows > 0 {
            self.ready.push(RowBlock {
                text: std::mem::replace(&mut self.text, Vec::with_capacity(size)),
                rows: std::mem::take(&mut self.rows),
                hash: std::mem::take(&mut self.hash),
            });
        }
    }
}

#[async_trait]
impl DumpSession for Session {
    fn outline(&self) -> &Outline {
        &self.outline
    }

    async fn dump(&self, part: &DataPart, out: &mut PartSink) -> Result<()> {
        let work = &self.work[part.id as usize];
        let (source, view) = (&self.sources[work.source], &self.views[work.source]);
        let size = out.block_size();
        let mut lines = Lines::default();
        let mut pages = view.pages(work.slice, self.page_size);
        let mut read = 0;
        loop {
            let more = pages
                .next(|hit| {
                    read += 1;
                    lines.push(hit, size)
                })
                .await?;
            if !more {
                lines.cut(size);
            }
            for block in lines.ready.drain(..) {
                out.rows(source.item, block).await?;
            }
            if !more {
                break;
            }
            self.touch().await?;
        }
        lock(&self.read)[work.source] += read;
        Ok(())
    }

    /// Counts: as many documents were read as each view holds. Where a view is a scroll, each slice has counted already.
    async fn confirm(&self) -> Result<()> {
        let read = lock(&self.read).clone();
        for ((source, view), read) in self.sources.iter().zip(&self.views).zip(read) {
            match view.total() {
                Some(total) if total != read => {
                    return Err(Error::new(
                        ErrorKind::ViewLost,
                        format!(
                            "index {}: {read} of {total} documents were read",
                            source.name
                        ),
                    )
                    .hint("Look at the health of the cluster's shards."));
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn close(&self) -> Result<()> {
        self.leave().await
    }
}
