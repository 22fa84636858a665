//! What a Job does: its environment read into the words of commands. Pure: nothing is run, connected to or looked up.
//!
//! A Job is `ksnapshot job`. It reads the variables of [`names::job`](crate::names::job), most of which the first ksnapshot
//! had, and runs the same program once for each [`Step`]. Secrets are no words: they go into the environment of these
//! programs.
//!
//! ```
//! use std::collections::BTreeMap;
//! use ksnapshot_operator::job::{JobPlan, Step};
//!
//! let env: BTreeMap<String, String> = [
//!     ("MYSQL_HOST", "db.shop.svc"), ("MYSQL_USER", "app"), ("MYSQL_PASSWORD", "secret"), ("MYSQL_DATABASE", "shop"),
//!     ("BACKEND_BUCKET", "backups"), ("BACKEND_S3_REGION", "eu-west-3"),
//! ].map(|(name, value)| (name.to_owned(), value.to_owned())).into();
//! let plan = JobPlan::from_env(&env)?;
//! let [Step::Dump(dump)] = &plan.steps[..] else { panic!("one dump") };
//! assert_eq!(dump.words.join(" "), "dump mysql://app@db.shop.svc:3306/shop \
//!     --to=s3://backups/ksnapshot?region=eu-west-3 --compression=gzip:6");
//! # Ok::<(), ksnapshot_core::Error>(())
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ksnapshot_core::Result;
use secrecy::SecretString;
use sha2::{Digest, Sha256};

use crate::names::job as name;
use crate::report::Task;

mod environment;
mod kind;
pub(crate) mod retention;
mod source;
mod store;
#[cfg(test)]
mod tests;
mod url;

use environment::Environment;
pub use kind::Kind;

/// The file that Kubernetes reads a termination message from, unless told otherwise.
pub const TERMINATION_LOG: &str = "/dev/termination-log";

/// What a Job is to do.
#[derive(Debug)]
pub struct JobPlan {
    /// Which of its tasks it has.
    pub task: Task,
    /// How long to wait before the first step: the same for the same series, each time.
    pub wait: Duration,
    /// What to run, one after the other. One that fails does not stop the next.
    pub steps: Vec<Step>,
    /// What the programs get in their environment beside what they keep of the Job's.
    pub variables: Vec<(&'static str, SecretString)>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A dump, and the proof of it.
    Dump(DumpStep),
    /// Words of `ksnapshot prune`.
    Prune(Vec<String>),
}

/// One dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DumpStep {
    /// What of the server is dumped, for people: a database, several with commas, `all`; empty for a cluster.
    pub database: String,
    /// Words of `ksnapshot dump`.
    pub words: Vec<String>,
    /// Where the snapshot goes, if it is to be verified there.
    verify: Option<String>,
}

impl DumpStep {
    /// Words of `ksnapshot verify` for the snapshot that the dump has made; none if it isn't asked for.
    pub fn verify(&self, id: &str) -> Option<Vec<String>> {
        let place = self.verify.as_ref()?;
        Some(vec![
            "verify".to_owned(),
            format!("{place}#{id}"),
            "--level=checksum".to_owned(),
        ])
    }
}

impl JobPlan {
    /// Reads the environment of a Job. A variable that is empty is one that is absent.
    ///
    /// Errors: [`ErrorKind::Usage`](ksnapshot_core::ErrorKind::Usage) for whatever is wrong with it, with the name of the
    /// variable and a hint. No value is repeated that may hold a secret.
    pub fn from_env(env: &BTreeMap<String, String>) -> Result<Self> {
        let env = Environment(env);
        let task = env.task()?;
        let store = store::read(&env)?;
        let mut variables = store.variables;
        let (steps, series) = match task {
            Task::Prune => {
                let series = env.required(
                    name::KSNAPSHOT_NAME,
                    "Set it to the name of the series whose snapshots are to go; `ksnapshot list` shows names.",
                )?;
                let keep = retention::read(&env)?;
                let mut words = vec!["prune".to_owned(), store.url, format!("--name={series}")];
                words.extend(keep);
                (vec![Step::Prune(words)], series.to_owned())
            }
            Task::Dump => {
                let source = source::read(&env)?;
                variables.extend(source.variables);
                let mut common = vec![format!("--to={}", store.url)];
                let series = env.get(name::KSNAPSHOT_NAME);
                common.extend(series.map(|series| format!("--name={series}")));
                common.push(format!("--compression={}", env.compression()?));
                common.extend(
                    (env.recipients()?).map(|recipient| format!("--recipient={recipient}")),
                );
                common.extend(source.choice);
                let place = env.verify()?.then_some(store.url);
                let dumps = source.urls.into_iter().map(|(database, url)| {
                    let mut words = vec!["dump".to_owned(), url];
                    words.extend(common.iter().cloned());
                    Step::Dump(DumpStep {
                        database,
                        words,
                        verify: place.clone(),
                    })
                });
                (dumps.collect(), series.unwrap_or(&source.host).to_owned())
            }
        };
        Ok(Self {
            task,
            wait: share(env.jitter()?, &series),
            steps,
            variables,
        })
    }

    /// Whether the programs keep this variable of the Job's own environment: where programs, certificates and time zones
    /// are found, how the outside is reached, and the pod's identity in its cloud. Where the bucket is, and whose key
    /// opens it if there is one, is the plan's alone.
    pub fn keeps(&self, variable: &str) -> bool {
        const ALWAYS: [&str; 13] = [
            "PATH",
            "HOME",
            "TZ",
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
            "KSNAPSHOT_LOG",
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "NO_PROXY",
            "ALL_PROXY",
            "http_proxy",
            "https_proxy",
            "no_proxy",
        ];
        const NEVER: [&str; 2] = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"];
        let set = |name: &str| self.variables.iter().any(|(set, _)| *set == name);
        // A token would make another key of the one that was given.
        let of_another_key = variable == "AWS_SESSION_TOKEN" && set("AWS_ACCESS_KEY_ID");
        let identity = ["AWS_", "GOOGLE_", "AZURE_"];
        ALWAYS.contains(&variable)
            || identity.iter().any(|prefix| variable.starts_with(prefix))
                && !NEVER.contains(&variable)
                && !of_another_key
                && !set(variable)
    }
}

/// Where the termination message goes. With true it was asked for; else it is only there in a pod.
pub fn termination_log(env: &BTreeMap<String, String>) -> (PathBuf, bool) {
    match Environment(env).get(name::KSNAPSHOT_TERMINATION_LOG) {
        Some(path) => (path.into(), true),
        None => (TERMINATION_LOG.into(), false),
    }
}

/// The part of `whole` that falls to a series: any, but always the same one.
fn share(whole: Duration, series: &str) -> Duration {
    let hash = Sha256::digest(series.as_bytes());
    let first = hash
        .iter()
        .take(4)
        .fold(0_u32, |n, &byte| n << 8 | u32::from(byte));
    // Below 1: the wait never is the whole.
    whole.mul_f64(f64::from(first) / (f64::from(u32::MAX) + 1.0))
}
