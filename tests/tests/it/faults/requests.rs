//! The storage fails, at each request in turn: exit 14 and nothing left, or survived.

use std::net::SocketAddr;
use std::thread;

use ksnapshot_tests::Minio;
use ksnapshot_tests::proxy::{Fault, Proxy, Request, What};

use super::*;

/// A MinIO of a test's own, since unfinished uploads are counted per server, behind a proxy.
pub(super) struct Store {
    pub(super) minio: Minio,
    pub(super) proxy: Proxy,
}

impl Store {
    pub(super) fn start() -> Self {
        let minio = Minio::start().unwrap();
        let proxy = Self::proxy(&minio);
        Self { minio, proxy }
    }

    fn proxy(minio: &Minio) -> Proxy {
        let address = SocketAddr::from(([127, 0, 0, 1], minio.port()));
        Proxy::start(address, Fault::none()).unwrap()
    }

    /// The URL of a new bucket, by the proxy.
    pub(super) fn bucket(&self, name: &str) -> String {
        self.bucket_by(&self.proxy, name)
    }

    fn bucket_by(&self, proxy: &Proxy, name: &str) -> String {
        self.minio.bucket(name).unwrap();
        Minio::url_at(&proxy.endpoint(), name, "p")
    }

    /// A dump that needs three parts.
    pub(super) fn dump(&self, to: &str) -> Ksnapshot {
        let run = dump(&heap().url(), to).args(["--compression", "none"]);
        run.credentials(&self.minio)
    }

    /// How many requests `run` makes when all is well.
    pub(super) fn requests(&self, run: Ksnapshot) -> Vec<Request> {
        let before = self.proxy.requests().len();
        self.proxy.set(Fault::none());
        run.run().unwrap().success().unwrap();
        self.proxy.requests().split_off(before)
    }

    #[track_caller]
    pub(super) fn holds_nothing(&self, bucket: &str) {
        let left = self.minio.list(bucket).unwrap();
        assert!(left.is_empty(), "{left:?}");
    }
}

fn is_manifest(request: &Request) -> bool {
    request.path.ends_with(".manifest.json")
}

fn is_deletion(request: &Request) -> bool {
    request.has("delete") || request.method == "DELETE" && !request.has("uploadId")
}

#[test]
fn each_write_refused() {
    let store = Store::start();
    let good = store.requests(store.dump(&store.bucket("good")));
    assert!(good.iter().all(Request::is_write_only), "{good:#?}");
    assert!(good.iter().filter(|r| r.is_part()).count() > 3, "{good:#?}");
    assert!(good.last().is_some_and(is_manifest), "{good:#?}");
    for n in 1..=good.len() {
        let name = format!("refused-{n}");
        let to = store.bucket(&name);
        let fault = Fault::always(What::Answer(403)).nth(n as u64);
        store.proxy.set(fault);
        let run = store.dump(&to).run().unwrap();
        let place = format!("s3://{name}/p/");
        let says = [
            &place,
            "access denied",
            "hint: Give the key",
            "s3:PutObject",
        ];
        fails(run, 14, &says);
        store.holds_nothing(&name);
        assert_eq!(
            store.minio.uploads().unwrap(),
            0,
            "request {n}: {:?}",
            good[n - 1]
        );
    }
}

#[test]
fn each_write_fails_once_and_is_survived() {
    let store = Store::start();
    let good = store.requests(store.dump(&store.bucket("good")));
    for n in 1..=good.len() {
        let name = format!("busy-{n}");
        let to = store.bucket(&name);
        store
            .proxy
            .set(Fault::always(What::Answer(503)).nth(n as u64));
        store.dump(&to).run().unwrap().success().unwrap();
        assert_eq!(store.minio.list(&name).unwrap().len(), 3);
        is_whole(&to, |run| run.credentials(&store.minio));
    }
    let to = store.bucket("slow");
    store.proxy.set(Fault::always(What::Slow(8_000_000)));
    store.dump(&to).run().unwrap().success().unwrap();
    store.proxy.set(Fault::none());
    is_whole(&to, |run| run.credentials(&store.minio));
    assert_eq!(store.minio.uploads().unwrap(), 0);
}

#[test]
fn writes_that_fail_for_good() {
    let store = Store::start();
    let begins = |request: &Request| request.has("uploads");
    let always = Fault::always;
    let faults = [
        ("begin", always(What::Answer(503)).on(begins), "503"),
        (
            "part",
            always(What::Answer(503)).on(Request::is_part).from(2),
            "503",
        ),
        (
            "completion",
            always(What::Answer(500)).on(Request::is_completion),
            "500",
        ),
        ("manifest", always(What::Answer(503)).on(is_manifest), "503"),
        (
            "cut-part",
            always(What::CutRequest(1_000_000))
                .on(Request::is_part)
                .from(2),
            "broke",
        ),
        (
            "cut-manifest",
            always(What::CutRequest(100)).on(is_manifest),
            "broke",
        ),
        (
            "reset-completion",
            always(What::Reset).on(Request::is_completion),
            "broke",
        ),
        (
            "lost-completion",
            always(What::LoseAnswer).on(Request::is_completion),
            "",
        ),
        (
            "lost-manifest",
            always(What::LoseAnswer).on(is_manifest),
            "broke",
        ),
    ];
    // They wait for most of their time: all at once.
    thread::scope(|scope| {
        for (name, fault, says) in faults {
            let proxy = Store::proxy(&store.minio);
            let to = store.bucket_by(&proxy, name);
            proxy.set(fault);
            let store = &store;
            scope.spawn(move || {
                let run = store.dump(&to).run().unwrap();
                fails(run, 14, &[&format!("s3://{name}/p/"), says, "hint: "]);
                store.holds_nothing(name);
                drop(proxy);
            });
        }
    });
    assert_eq!(store.minio.uploads().unwrap(), 0);
}

/// The right to delete is none that a backup needs: what can't be taken back is no snapshot.
#[test]
fn what_may_not_be_deleted_is_an_orphan() {
    let store = Store::start();
    let to = store.bucket("write-only");
    let refused = |request: &Request| is_manifest(request) || is_deletion(request);
    store
        .proxy
        .set(Fault::always(What::Answer(403)).on(refused));
    let run = store.dump(&to).run().unwrap();
    let run = fails(run, 14, &[".manifest.json", "access denied"]);
    assert!(
        run.stderr.contains("left behind without being a snapshot"),
        "{run:?}"
    );
    let left = store.minio.list("write-only").unwrap();
    assert_eq!(left.len(), 2, "{left:?}");
    store.proxy.set(Fault::none());
    for run in [
        Ksnapshot::new(["list", &to]),
        read("verify", &to),
        read("cat", &to),
    ] {
        fails(
            run.credentials(&store.minio).run().unwrap(),
            10,
            &["hint: "],
        );
    }
}

#[test]
fn each_read_refused_or_failing_once() {
    let store = Store::start();
    let from = store.bucket("reads");
    let run = dump(&shop().url(), &from).credentials(&store.minio);
    run.run().unwrap().success().unwrap();
    let back = |target: &Db<'_>| restore(&from, &target.url()).credentials(&store.minio);
    let good = store.requests(back(&empty()));
    assert!(good.len() > 5, "{good:#?}");
    for n in 1..=good.len() as u64 {
        let target = empty();
        store.proxy.set(Fault::always(What::Answer(403)).nth(n));
        let run = back(&target).run().unwrap();
        let says = [
            "s3://reads/p",
            "access denied",
            "hint: Give the key",
            "right s3:",
        ];
        let run = fails(run, 14, &says);
        let touched = "select count(*) from pg_namespace where nspname = 'shop'";
        let touched = target.psql(touched).unwrap() != "0";
        let told = run.stderr.contains("now holds a part of the snapshot");
        assert!(told || !touched, "request {n}: {run:?}");
        target.drop().unwrap();

        let target = empty();
        store.proxy.set(Fault::always(What::Answer(503)).nth(n));
        back(&target).run().unwrap().success().unwrap();
        assert_eq!(
            target.psql("select count(*) from shop.orders").unwrap(),
            "25000"
        );
        target.drop().unwrap();

        store.proxy.set(Fault::always(What::Answer(403)).nth(n));
        let proof = read("verify", &from).args(["--level", "decode"]);
        let proof = proof.credentials(&store.minio).run().unwrap();
        // It makes fewer requests than a restore.
        if proof.code() != Some(0) {
            fails(proof, 14, &["access denied", "hint: Give the key"]);
        } else {
            assert!(n > 5, "request {n}: {proof:?}");
        }
    }
}

#[test]
fn reads_that_break_go_on() {
    let store = Store::start();
    let from = store.bucket("breaks");
    let run = dump(&shop().url(), &from).credentials(&store.minio);
    run.run().unwrap().success().unwrap();
    let gets = |request: &Request| request.method == "GET" && !request.has("list-type");
    for what in [What::CutResponse(1000), What::CutResponse(0), What::Reset] {
        let target = empty();
        for n in [2, 4] {
            store.proxy.set(Fault::always(what).on(gets).nth(n));
            is_whole(&from, |run| run.credentials(&store.minio));
        }
        store.proxy.set(Fault::always(what).on(gets).nth(4));
        let run = restore(&from, &target.url()).credentials(&store.minio);
        run.run().unwrap().success().unwrap();
        assert_eq!(
            target.psql("select count(*) from shop.orders").unwrap(),
            "25000"
        );
        target.drop().unwrap();
    }
}
