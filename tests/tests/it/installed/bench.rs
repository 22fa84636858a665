//! An installed operator, and what a test does with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use ksnapshot_tests::tools::{self, Key};
use ksnapshot_tests::{Cluster, Ksnapshot, Minio, cluster};
use serde_json::Value;

/// The key of the bucket must appear nowhere.
pub(super) const BUCKET: &str = "backups";

/// An operator in a namespace of its own, which watches another one.
pub(super) struct Bench {
    pub(super) cluster: &'static Cluster,
    pub(super) minio: Minio,
    pub(super) key: Key,
    /// Where the operator runs.
    pub(super) control: String,
    /// What it watches.
    pub(super) shop: String,
}

impl Bench {
    /// Installs the chart, as README says, and waits until it is ready.
    pub(super) fn install(more: &[&str]) -> Result<Self> {
        Self::install_in(Cluster::shared()?, more)
    }

    /// The same in a cluster that the test breaks.
    pub(super) fn install_in(cluster: &'static Cluster, more: &[&str]) -> Result<Self> {
        let minio = Minio::within(cluster)?;
        minio.bucket(BUCKET)?;
        let bench = Self {
            cluster,
            key: Key::generate()?,
            control: cluster.namespace("ksnapshot")?,
            shop: cluster.namespace("shop")?,
            minio,
        };
        let [(id, user), (secret, password)] = bench.minio.credentials();
        for name in ["ksnapshot-secret", "ksnapshot-retention-secret"] {
            let (user, password) = (
                format!("--from-literal={id}={user}"),
                format!("--from-literal={secret}={password}"),
            );
            bench.cluster.kubectl([
                "create",
                "secret",
                "generic",
                name,
                "-n",
                &bench.control,
                &user,
                &password,
            ])?;
        }
        let (repository, tag) = cluster::KSNAPSHOT.rsplit_once(':').context("an image")?;
        let chart = chart();
        let mut args: Vec<String> = ["install", "ksnapshot"].map(str::to_owned).into();
        args.push(chart.to_str().context("a path")?.to_owned());
        args.extend([
            "-n".to_owned(),
            bench.control.clone(),
            "--wait".to_owned(),
            "--timeout=60s".to_owned(),
        ]);
        for set in [
            format!("image.repository={repository}"),
            format!("image.tag={tag}"),
            "image.pullPolicy=Never".to_owned(),
            "backupJob.imagePullPolicy=Never".to_owned(),
            format!("s3.bucket={BUCKET}"),
            format!("s3.endpoint={}", bench.minio.endpoint_within()?),
            format!("rbac.watchNamespaces={{{}}}", bench.shop),
            "encryption.enabled=true".to_owned(),
            format!("encryption.recipient={}", bench.key.recipient()),
        ] {
            // A tag of digits is no number.
            let how = if set.starts_with("image.tag=") {
                "--set-string"
            } else {
                "--set"
            };
            args.extend([how.to_owned(), set]);
        }
        args.extend(more.iter().map(|&word| word.to_owned()));
        bench
            .cluster
            .helm(&args)
            .with_context(|| bench.operator_logs())?;
        Ok(bench)
    }

    /// Applies manifests in the watched namespace.
    pub(super) fn apply(&self, yaml: &str) -> Result<()> {
        self.cluster.apply(&self.shop, yaml)
    }

    /// Annotates all pods of an app: `key=value`, or `key-`.
    pub(super) fn annotate(&self, app: &str, annotation: &str) -> Result<()> {
        let (label, annotation) = (
            format!("app={app}"),
            format!("ksnapshot.clickandmortar.fr/{annotation}"),
        );
        self.cluster.kubectl([
            "annotate",
            "pod",
            "-n",
            &self.shop,
            "-l",
            &label,
            "--overwrite",
            &annotation,
        ])?;
        Ok(())
    }

    /// The one pod of an app.
    pub(super) fn pod(&self, app: &str) -> Result<String> {
        let label = format!("app={app}");
        let pods = self.cluster.get(["pods", "-n", &self.shop, "-l", &label])?;
        Ok(super::text(&pods, "/items/0/metadata/name").to_owned())
    }

    /// Runs a program in the pod of an app, with this on its stdin.
    pub(super) fn exec(&self, app: &str, stdin: Option<&Path>, program: &[&str]) -> Result<String> {
        let pod = self.pod(app)?;
        let args = ["exec", "-i", "-n", &self.shop, &pod, "--"];
        let Some(stdin) = stdin else {
            return self.cluster.kubectl(args.iter().chain(program));
        };
        let kubectl = ksnapshot_tests::testbed::home()?.join("cluster/bin/kubectl");
        let mut command = Command::new(kubectl);
        tools::clean(&mut command);
        command
            .env("KUBECONFIG", self.cluster.kubeconfig())
            .args(args)
            .args(program);
        command.stdin(std::fs::File::open(stdin)?);
        let output = command.output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{program:?}: {said}");
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// A run out of turn, as `kubectl` makes it.
    pub(super) fn run_now(&self, cron_job: &str) -> Result<()> {
        let from = format!("--from=cronjob/{cron_job}");
        self.cluster
            .kubectl(["create", "job", "by-hand", &from, "-n", &self.control])?;
        Ok(())
    }

    /// What so many Jobs said at their end, by their names.
    pub(super) fn finished_jobs(&self, count: usize) -> Result<BTreeMap<String, Value>> {
        let probe = || {
            let pods = self.cluster.get([
                "pods",
                "-n",
                &self.control,
                "-l",
                "app.kubernetes.io/managed-by=ksnapshot",
            ])?;
            let ended: BTreeMap<String, Value> = (pods["items"].as_array().context("pods")?.iter())
                .filter_map(|pod| {
                    let message = pod
                        .pointer("/status/containerStatuses/0/state/terminated/message")?
                        .as_str()?;
                    let name = super::text(pod, "/metadata/labels/batch.kubernetes.io~1job-name");
                    Some((name.to_owned(), serde_json::from_str(message).ok()?))
                })
                .collect();
            Ok((ended.len() >= count).then_some(ended))
        };
        Cluster::until(Duration::from_secs(120), "the Jobs", probe).with_context(|| {
            let args = ["get", "jobs,pods,events", "-n", &self.control];
            self.cluster.kubectl(args).unwrap_or_default() + &self.operator_logs()
        })
    }

    /// What the pod of a Job wrote.
    pub(super) fn logs_of(&self, job: &str) -> String {
        let job = format!("job/{job}");
        self.cluster
            .kubectl(["logs", "-n", &self.control, &job])
            .unwrap_or_default()
    }

    /// What all replicas of the operator wrote.
    pub(super) fn operator_logs(&self) -> String {
        let args = [
            "logs",
            "-n",
            &self.control,
            "-l",
            "app.kubernetes.io/name=ksnapshot",
            "--tail=-1",
        ];
        self.cluster.kubectl(args).unwrap_or_default()
    }

    /// The lines of `ksnapshot explain --json`, as the administrator sees it.
    pub(super) fn explain(&self, args: &[&str]) -> Result<Vec<Value>> {
        let run = Ksnapshot::new(["explain", "--json", "--control-namespace", &self.control])
            .args(args)
            .env("KUBECONFIG", self.cluster.kubeconfig())
            .run()?;
        let text = run.success()?.text();
        text.lines()
            .map(|line| Ok(serde_json::from_str(line)?))
            .collect()
    }

    /// What Prometheus would scrape of the replica that leads.
    pub(super) fn metrics(&self) -> Result<String> {
        let pods = self.cluster.get([
            "pods",
            "-n",
            &self.control,
            "-l",
            "app.kubernetes.io/name=ksnapshot",
        ])?;
        for pod in pods["items"].as_array().context("pods")? {
            let name = super::text(pod, "/metadata/name");
            let forward = self.cluster.forward_to_pod(&self.control, name, 8080)?;
            let url = format!("http://{}/metrics", forward.addr());
            let text = tools::run(Command::new("curl").args(["-sS", "--fail", &url]))?
                .success()?
                .text();
            if text.lines().any(|line| line == "ksnapshot_leader 1") {
                return Ok(text);
            }
        }
        anyhow::bail!("nobody leads")
    }

    /// Objects of the bucket, by the end of their names.
    pub(super) fn objects(&self, series: &str, end: &str) -> Result<Vec<String>> {
        let mut names = self.minio.list(BUCKET)?;
        names.retain(|name| name.contains(series) && name.ends_with(end));
        Ok(names)
    }
}

fn chart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/chart")
}
