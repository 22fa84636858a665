//! 200 dumps, each met by a fault of its own: whatever the exit code says is true, and `prune` leaves nothing that no snapshot
//! names.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use ksnapshot_tests::proxy::{Fault, Proxy, TcpProxy, What};
use ksnapshot_tests::tools::{self, Key, Run};
use ksnapshot_tests::{Ksnapshot, Minio, Options, Postgres, Version, binary};
use serde_json::Value;

const ROUNDS: u64 = 200;

/// A small generator with a seed that a failure names, so that its round can be had again.
struct Dice(u64);

impl Dice {
    /// A number below `sides`. xorshift64*, as described by Vigna (2014).
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }
}

/// What is there for all rounds.
struct Field {
    server: Postgres,
    minio: Minio,
    key: Key,
    /// An undisturbed dump takes about so long.
    usual: Duration,
}

impl Field {
    fn start() -> Self {
        let server = Options::new(Version::V18)
            .tpch("0.05")
            .unwrap()
            .start()
            .unwrap();
        let mut field = Self {
            server,
            minio: Minio::start().unwrap(),
            key: Key::generate().unwrap(),
            usual: Duration::ZERO,
        };
        let folder = tempfile::tempdir().unwrap();
        let began = Instant::now();
        let run = field.dump(folder.path().to_str().unwrap(), None);
        run.run().unwrap().success().unwrap();
        field.usual = began.elapsed();
        field
    }

    /// A dump to `to`, from the server itself or from what stands in front of it. Large enough parts, and no codec that makes
    /// them small: an upload has several.
    fn dump(&self, to: &str, port: Option<u16>) -> Ksnapshot {
        let mut url = self.server.url("tpch");
        if let Some(port) = port {
            url = url.replace(&self.server.port().to_string(), &port.to_string());
        }
        Ksnapshot::new(["dump", &url, "--compression", "none", "--to", to])
            .args(["--recipient", self.key.recipient()])
            .password()
            .credentials(&self.minio)
    }

    /// At any moment of a dump, and a little after it.
    fn moment(&self, dice: &mut Dice) -> Duration {
        let most = u64::try_from(self.usual.as_millis()).unwrap_or(u64::MAX) * 5 / 4;
        Duration::from_millis(dice.roll(most.max(1)))
    }

    fn ours(&self, args: &[&str]) -> Run {
        Ksnapshot::new(args).credentials(&self.minio).run().unwrap()
    }
}

#[test]
fn whatever_happens_the_exit_code_is_true_and_prune_leaves_nothing() {
    let field = Field::start();
    let (mut complete, mut failed, mut killed) = (0, 0, 0);
    for round in 0..ROUNDS {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ (round + 1));
        let code = match round % 6 {
            0 => killed_to_a_bucket(&field, &mut dice, round),
            1 => killed_to_a_folder(&field, &mut dice),
            2 => cut_from_the_server(&field, &mut dice),
            3 => request_that_fails(&field, &mut dice, round),
            4 => store_that_is_cut(&field, &mut dice, round),
            _ => full_disk(&field, &mut dice),
        };
        match code {
            Some(0) => complete += 1,
            Some(_) => failed += 1,
            None => killed += 1,
        }
    }
    println!(
        "{ROUNDS} rounds: {complete} complete, {failed} failed, {killed} killed; each as it said, nothing left after prune"
    );
    assert!(complete > 0 && failed > 0 && killed > 0);
}

fn killed_after(run: Ksnapshot, moment: Duration) -> Run {
    let mut running = run.spawn().unwrap();
    let moment = Instant::now() + moment;
    while Instant::now() < moment && !running.ended().unwrap() {
        thread::sleep(Duration::from_millis(1));
    }
    running.kill().unwrap();
    running.wait().unwrap()
}

fn killed_to_a_bucket(field: &Field, dice: &mut Dice, round: u64) -> Option<i32> {
    let to = bucket(field, round);
    let run = killed_after(field.dump(&to, None), field.moment(dice));
    judge(field, &to, run, "killed, bucket", round)
}

fn killed_to_a_folder(field: &Field, dice: &mut Dice) -> Option<i32> {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("store");
    let run = killed_after(field.dump(to.to_str().unwrap(), None), field.moment(dice));
    let code = judge(field, to.to_str().unwrap(), run, "killed, folder", 0);
    nothing_strange_in(&to);
    code
}

fn cut_from_the_server(field: &Field, dice: &mut Dice) -> Option<i32> {
    let server = SocketAddr::from((Ipv4Addr::LOCALHOST, field.server.port()));
    let proxy = TcpProxy::start(server).unwrap();
    // TPC-H at this scale is some 50 MB on the wire.
    proxy.cut_after(dice.roll(60 << 20));
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("store");
    let run = field.dump(to.to_str().unwrap(), Some(proxy.addr().port()));
    let code = judge(
        field,
        to.to_str().unwrap(),
        run.run().unwrap(),
        "source cut",
        0,
    );
    nothing_strange_in(&to);
    code
}

fn request_that_fails(field: &Field, dice: &mut Dice, round: u64) -> Option<i32> {
    let minio = SocketAddr::from((Ipv4Addr::LOCALHOST, field.minio.port()));
    let what = match dice.roll(6) {
        0 => What::Reset,
        1 => What::CutRequest(dice.roll(9 << 20)),
        2 => What::LoseAnswer,
        3 => What::Answer(403),
        4 => What::Answer(503),
        _ => What::Answer(500),
    };
    let nth = 1 + dice.roll(20);
    let fault = match dice.roll(2) {
        0 => Fault::always(what).nth(nth),
        _ => Fault::always(what).from(nth),
    };
    let proxy = Proxy::start(minio, fault).unwrap();
    let to = bucket(field, round);
    let through = Minio::url_at(&proxy.endpoint(), &format!("round-{round}"), "");
    let run = field.dump(&through, None).run().unwrap();
    judge(field, &to, run, &format!("request {nth}: {what:?}"), round)
}

fn store_that_is_cut(field: &Field, dice: &mut Dice, round: u64) -> Option<i32> {
    let minio = SocketAddr::from((Ipv4Addr::LOCALHOST, field.minio.port()));
    let proxy = TcpProxy::start(minio).unwrap();
    let to = bucket(field, round);
    let endpoint = format!("http://{}", proxy.addr());
    let through = Minio::url_at(&endpoint, &format!("round-{round}"), "");
    let mut running = field.dump(&through, None).spawn().unwrap();
    let moment = Instant::now() + field.moment(dice);
    while Instant::now() < moment && !running.ended().unwrap() {
        thread::sleep(Duration::from_millis(1));
    }
    // Either every connection breaks once, or the store is gone for good.
    match dice.roll(2) {
        0 => proxy.cut(),
        _ => proxy.go_down(),
    }
    let run = running.wait().unwrap();
    judge(field, &to, run, "store cut", round)
}

fn full_disk(field: &Field, dice: &mut Dice) -> Option<i32> {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    fs::create_dir(&store).unwrap();
    let size = format!("{}k", 64 + dice.roll(70_000));
    // A disk of its own, and what is on it afterwards copied off: it goes with its namespace.
    let script = "
        mount -t tmpfs -o size=\"$1\" none \"$2\"
        code=0; \"${@:4}\" || code=$?
        cp -a \"$2/.\" \"$3\"; exit $code";
    let kept = folder.path().join("kept");
    fs::create_dir(&kept).unwrap();
    let mut command = std::process::Command::new("unshare");
    tools::clean(&mut command);
    command.args(["-m", "bash", "-euc", script, "bash", &size]);
    command.args([&store, &kept]).arg(binary().unwrap());
    command.args(["dump", &field.server.url("tpch"), "--compression", "none"]);
    command
        .args(["--recipient", field.key.recipient(), "--to"])
        .arg(&store);
    command.env("PGPASSWORD", ksnapshot_tests::PASSWORD);
    let run = tools::run(&mut command).unwrap();
    if run.code() != Some(0) {
        assert!(run.stderr.contains("the disk is full"), "{size}: {run:?}");
        assert!(
            tools::files(&kept).unwrap().is_empty(),
            "{size}: a failed dump left something"
        );
    }
    judge(
        field,
        kept.to_str().unwrap(),
        run,
        &format!("disk of {size}"),
        0,
    )
}

fn bucket(field: &Field, round: u64) -> String {
    let name = format!("round-{round}");
    field.minio.bucket(&name).unwrap();
    field.minio.url(&name, "")
}

/// What the exit code says is what is there, before and after `prune`.
fn judge(field: &Field, to: &str, run: Run, what: &str, round: u64) -> Option<i32> {
    let code = run.code();
    println!("{what}: {}", run.status);
    let list = field.ours(&["--json", "list", to]);
    let lines: Vec<Value> = (list.text().lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let ids: Vec<&str> = (lines.iter())
        .filter(|line| line["message_type"] == "snapshot")
        .filter_map(|line| line["id"].as_str())
        .collect();
    match code {
        Some(0) => assert_eq!(ids, [run.text().trim()], "{what}: {run:?}"),
        // Killed, it may just have committed. Failed, it must not have: but the answer to the manifest may be lost for good.
        None => assert!(ids.len() <= 1),
        Some(_) => assert!(
            ids.is_empty() || run.stderr.contains("may be"),
            "{what}: failed, and {ids:?} is there: {run:?}"
        ),
    }
    let identity = field.key.identity();
    let identity = identity.to_str().unwrap();
    if !ids.is_empty() {
        let verify = ["verify", to, "--level", "decode", "--identity", identity];
        field.ours(&verify).success().unwrap();
    }
    let prune = ["prune", to, "--keep-last", "1", "--orphans-after", "0s"];
    let pruned = field.ours(&prune);
    // A storage that nothing ever came to is none.
    assert!(matches!(pruned.code(), Some(0 | 10)), "{what}: {pruned:?}");
    if to.starts_with("s3://") {
        let left = field.minio.list(&format!("round-{round}")).unwrap();
        assert_eq!(left.len(), 3 * ids.len(), "{what}: {left:?}");
        assert_eq!(field.minio.uploads().unwrap(), 0, "{what}");
    } else {
        let left = tools::files(Path::new(to)).unwrap();
        assert_eq!(left.len(), 3 * ids.len(), "{what}: {left:?}");
    }
    if !ids.is_empty() {
        let verify = ["verify", to, "--level", "decode", "--identity", identity];
        field.ours(&verify).success().unwrap();
    }
    code
}

fn nothing_strange_in(store: &Path) {
    for file in tools::files(store).unwrap() {
        let name = file.display().to_string();
        assert!(!name.contains(".partial"), "{name}");
    }
}
