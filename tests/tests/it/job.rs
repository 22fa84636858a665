//! `ksnapshot job`: by the environment that the first ksnapshot had, on real servers, into a bucket.

#[path = "job/engines.rs"]
mod engines;
#[path = "job/faults.rs"]
mod faults;
#[path = "job/secrets.rs"]
mod secrets;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ksnapshot_tests::tools::{self, Key, Run};
use ksnapshot_tests::{Db, Ksnapshot, Minio, PASSWORD, Postgres, Running, Version, testbed};
use serde_json::Value;

/// As long as it takes a loaded machine.
const SOON: Duration = Duration::from_secs(60);

/// A Job with a bucket of its own and a file for its message.
struct Job {
    minio: &'static Minio,
    bucket: String,
    folder: tempfile::TempDir,
    env: Vec<(&'static str, String)>,
}

impl Job {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let minio = Minio::shared().unwrap();
        let bucket = format!("job-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        minio.bucket(&bucket).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let [(_, id), (_, secret)] = minio.credentials();
        let log = folder.path().join("termination-log");
        let job = Self {
            minio,
            bucket,
            folder,
            env: Vec::new(),
        };
        job.set("BACKEND_TYPE", "s3")
            .with("BACKEND_BUCKET", |job| job.bucket.clone())
            .with("BACKEND_S3_ENDPOINT", |job| job.minio.endpoint())
            .set("BACKEND_S3_ACCESS_KEY", id)
            .set("BACKEND_S3_SECRET_KEY", secret)
            .set("KSNAPSHOT_TERMINATION_LOG", log.to_str().unwrap())
    }

    /// One for a database of PostgreSQL, by the address of the server or of what stands before it.
    fn of_postgres(db: &Db<'_>, port: u16) -> Self {
        Self::new()
            .set("POSTGRESQL_HOST", "127.0.0.1")
            .set("POSTGRESQL_PORT", port.to_string())
            .set("POSTGRESQL_USERNAME", "postgres")
            .set("POSTGRESQL_PASSWORD", PASSWORD)
            .set("POSTGRESQL_DATABASE", &db.name)
    }

    fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.env.retain(|(other, _)| *other != name);
        self.env.push((name, value.into()));
        self
    }

    fn with(self, name: &'static str, value: impl FnOnce(&Self) -> String) -> Self {
        let value = value(&self);
        self.set(name, value)
    }

    fn command(&self, args: &[&str]) -> Ksnapshot {
        let env = self.env.iter().map(|(name, value)| (*name, value.as_str()));
        Ksnapshot::new(["job"]).args(args).envs(env)
    }

    fn spawn(&self) -> Running {
        self.command(&[]).spawn().unwrap()
    }

    /// Runs it to this exit code, and gives its report.
    #[track_caller]
    fn run(&self, code: i32) -> (Run, Value) {
        let run = self.command(&[]).run().unwrap().exits(code).unwrap();
        let report = self.report(&run);
        (run, report)
    }

    /// What it said of its run: as its result, and where Kubernetes reads it.
    #[track_caller]
    fn report(&self, run: &Run) -> Value {
        let text = run.text();
        let line = text.strip_suffix('\n').unwrap();
        assert!(!line.contains('\n') && line.len() <= 4096, "{run:?}");
        let message = std::fs::read_to_string(self.message()).unwrap();
        assert_eq!(message, line, "{run:?}");
        serde_json::from_str(line).unwrap()
    }

    fn message(&self) -> PathBuf {
        self.folder.path().join("termination-log")
    }

    /// Names of the objects.
    fn objects(&self) -> Vec<String> {
        self.minio.list(&self.bucket).unwrap()
    }

    /// The one object whose name ends so, on disk.
    #[track_caller]
    fn object(&self, end: &str) -> PathBuf {
        let objects = self.objects();
        let found: Vec<_> = objects.iter().filter(|name| name.ends_with(end)).collect();
        assert_eq!(found.len(), 1, "{end} in {objects:?}");
        (self.minio.get(&self.bucket, found[0], self.folder.path())).unwrap()
    }

    /// Nothing was stored.
    #[track_caller]
    fn left_nothing(&self) {
        assert_eq!(self.objects(), Vec::<String>::new());
    }
}

fn server() -> &'static Postgres {
    Postgres::shared(Version::V15).unwrap()
}

/// A database that tests only read: some blocks of rows, so that a dump can be held in the middle of it.
fn shop() -> Db<'static> {
    static NAME: OnceLock<String> = OnceLock::new();
    let name = NAME.get_or_init(|| {
        let db = server().fresh_db("job_shop").unwrap();
        db.psql_file(&testbed::sql("shop.sql")).unwrap();
        db.psql(
            "create table heap as select n, md5(n::text) || md5((-n)::text) as t from generate_series(1, 40000) n",
        )
        .unwrap();
        db.name
    });
    server().db(name)
}

/// The folder of today, or of yesterday for a test around midnight.
fn in_a_folder_of_a_day(object: &str, path: &str, kind: &str) -> bool {
    let rest = object.strip_prefix(&format!("{path}/"));
    let parts: Vec<&str> = rest.unwrap_or_default().split('/').collect();
    let [year, month, day, folder, name] = parts[..] else {
        return false;
    };
    let number =
        |text: &str, digits| text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    number(year, 4)
        && number(month, 2)
        && number(day, 2)
        && folder == kind
        && name.starts_with("dump-")
}

#[test]
fn the_help_names_every_variable() {
    let names = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ksnapshot-operator/src/names.rs");
    let names = std::fs::read_to_string(names).unwrap();
    let job = names.split("pub mod job {").nth(1).unwrap();
    let job = job.split("\n}").next().unwrap();
    let variables: Vec<&str> = (job.split("pub const ").skip(1))
        .filter_map(|rest| rest.split(':').next())
        .collect();
    assert!(variables.len() > 30, "{variables:?}");
    let help = Ksnapshot::new(["job", "--help"])
        .run()
        .unwrap()
        .success()
        .unwrap()
        .text();
    for variable in variables {
        let known = help
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .any(|word| word == variable);
        assert!(known, "{variable}");
    }
}

/// Every line of `--json` is as its schema says, and the last one is the end.
#[test]
fn a_program_reads_it_as_any_other_command() {
    let job = Job::of_postgres(&shop(), server().port()).set("KSNAPSHOT_VERIFY", "checksum");
    let run = job.command(&["--json"]).run().unwrap().success().unwrap();
    let lines: Vec<Value> = run
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    lines.iter().for_each(crate::json::keeps_to_the_schema);
    let last = lines.last().unwrap();
    assert_eq!(
        (&last["message_type"], &last["report"]["outcome"]),
        (&"summary".into(), &"complete".into())
    );
    // The one warning is that nobody needs a key.
    assert_eq!(lines[0]["message_type"], "warning");
    let ends = lines
        .iter()
        .filter(|line| line["message_type"] == "summary");
    assert_eq!(ends.count(), 1, "{lines:?}");

    let job = job.set("POSTGRESQL_DATABASE", "nowhere");
    let run = job.command(&["--json"]).run().unwrap().exits(13).unwrap();
    let text = run.text();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    crate::json::keeps_to_the_schema(&last);
    assert_eq!(
        (&last["code"], &last["report"]["code"]),
        (&13.into(), &13.into())
    );
}
