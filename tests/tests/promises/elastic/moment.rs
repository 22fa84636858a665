//! Documents that are written and deleted meanwhile: what is dumped is what the view held, no more and no less.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use ksnapshot_tests::Ksnapshot;
use ksnapshot_tests::elastic::fault::{Gate, Rule};
use ksnapshot_tests::elastic::{Elastic, Version};
use serde_json::{Value, json};

use super::Dumped;

/// Documents that nobody touches.
const STILL: u64 = 3_000;

/// `runs` dumps under a writer and a deleter. Each has as many documents as the server itself counts in the view that the dump
/// read, each of them once, and all that nobody touched.
pub(crate) fn counts_agree(version: Version, runs: usize) {
    let server = Arc::new(Elastic::start(version).unwrap());
    let body = json!({ "settings": { "number_of_shards": 2, "number_of_replicas": 0, "refresh_interval": "20ms" } });
    server.put("/busy", body).unwrap();
    let still = (0..STILL).map(|n| (format!("still-{n}"), None, format!("{{\"n\":{n}}}")));
    server.bulk("busy", still).unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let writer = thread::spawn({
        let (server, done) = (Arc::clone(&server), Arc::clone(&done));
        move || {
            let mut n = 0_u64;
            while !done.load(Ordering::Relaxed) {
                let lines: String = (n..n + 50)
                    .map(|n| {
                        let old = n.saturating_sub(400);
                        format!(
                            "{{\"index\":{{\"_id\":\"w-{n}\"}}}}\n{{\"n\":{n}}}\n{{\"delete\":{{\"_id\":\"w-{old}\"}}}}\n"
                        )
                    })
                    .collect();
                server.post("/busy/_bulk", lines).unwrap();
                n += 50;
            }
            n
        }
    });
    for run in 0..runs {
        one(&server, run);
    }
    done.store(true, Ordering::Relaxed);
    assert!(writer.join().unwrap() > 0, "nothing was written meanwhile");
    assert_eq!(server.open_contexts().unwrap(), 0);
}

fn one(server: &Arc<Elastic>, run: usize) {
    let gate = Gate::open(server).unwrap();
    let counted = Arc::new(AtomicU64::new(0));
    let points = Arc::new(Mutex::new(0));
    // Whichever point in time is opened is counted by the test, too, before a document is read from it.
    for path in ["/_pit", "/_search/point_in_time"] {
        let (server, counted, points) = (
            Arc::clone(server),
            Arc::clone(&counted),
            Arc::clone(&points),
        );
        gate.add(Rule::on("POST", path).turn_answer(move |answer: Value| {
            let id = [&answer["id"], &answer["pit_id"]]
                .into_iter()
                .find(|id| id.is_string())
                .unwrap();
            let body = json!({ "size": 0, "track_total_hits": true, "pit": { "id": id } });
            let found = server.post("/_search", body).unwrap();
            counted.fetch_add(
                found["hits"]["total"]["value"].as_u64().unwrap(),
                Ordering::SeqCst,
            );
            *points.lock().unwrap() += 1;
            answer
        }));
    }
    // A scroll can be counted by nobody else, but its first page tells.
    let scrolled = Arc::clone(&counted);
    gate.add(
        Rule::on("POST", "/_search?scroll").turn_answer(move |answer: Value| {
            let total = answer["hits"]["total"]["value"].as_u64().unwrap();
            scrolled.fetch_add(total, Ordering::SeqCst);
            answer
        }),
    );
    let dumped = Dumped::of(&gate.url(), &["--page-size", "100", "--slices", "2"]);
    assert_eq!(dumped.run.code(), Some(0), "{:?}", dumped.run);
    let counted = counted.load(Ordering::SeqCst);
    assert_eq!(dumped.rows(), counted, "run {run}");
    assert!(counted > STILL, "run {run}: {counted}");
    let claim = match *points.lock().unwrap() {
        0 => "scroll-per-slice",
        _ => "point-in-time-per-shard",
    };
    assert_eq!(dumped.manifest["consistency"]["claim"], claim);

    let text = Ksnapshot::new(["cat"]).arg(dumped.path()).run().unwrap();
    assert_eq!(text.code(), Some(0), "{text:?}");
    let mut ids: Vec<String> = (text.text().lines())
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["_id"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    ids.sort();
    let all = ids.len();
    ids.dedup();
    assert_eq!((ids.len(), ids.len() as u64), (all, counted), "run {run}");
    let still = ids.iter().filter(|id| id.starts_with("still-")).count();
    assert_eq!(still as u64, STILL, "run {run}");
}
