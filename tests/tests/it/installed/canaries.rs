//! Secrets that must appear nowhere but where they are kept.

use anyhow::{Result, ensure};
use ksnapshot_tests::Cluster;

use super::bench::{BUCKET, Bench};

/// Every password of the databases holds this word; the bucket's key is the other one.
const WORD: &str = "canary";

/// Looks for them in logs, events, status, metrics, manifests and termination messages; and in what is written of objects
/// other than Secrets.
pub(super) fn appear_nowhere(bench: &Bench) -> Result<()> {
    let [_, (_, bucket_key)] = bench.minio.credentials();
    let cluster: &Cluster = bench.cluster;
    let mut places: Vec<(String, String)> = Vec::new();
    let kinds =
        "cronjobs,jobs,pods,configmaps,deployments,leases.coordination.k8s.io,events.events.k8s.io";
    places.push((
        "objects of the operator's namespace".to_owned(),
        cluster.kubectl(["get", kinds, "-n", &bench.control, "-o", "json"])?,
    ));
    places.push((
        "events of the watched namespace".to_owned(),
        cluster.kubectl([
            "get",
            "events.events.k8s.io",
            "-n",
            &bench.shop,
            "-o",
            "json",
        ])?,
    ));
    places.push(("logs of the operator".to_owned(), bench.operator_logs()));
    places.push(("metrics".to_owned(), bench.metrics()?));
    for job in bench.finished_jobs(1)?.keys() {
        let log = bench.logs_of(job);
        ensure!(log.contains("ksnapshot"), "no log of {job}: {log}");
        places.push((format!("log of {job}"), log));
    }
    let folder = tempfile::tempdir()?;
    for name in bench.objects("", ".manifest.json")? {
        let file = bench.minio.get(BUCKET, &name, folder.path())?;
        places.push((name, std::fs::read_to_string(file)?));
    }
    for verdict in bench.explain(&["-n", &bench.shop])? {
        places.push(("explain".to_owned(), verdict.to_string()));
    }
    for (place, text) in &places {
        ensure!(!text.is_empty(), "{place}: nothing there");
        for secret in [WORD, bucket_key] {
            ensure!(!text.contains(secret), "{place}: holds {secret}:\n{text}");
        }
    }
    // They are where they are kept: the search does find them.
    let secrets = cluster.kubectl([
        "get",
        "secrets",
        "-n",
        &bench.control,
        "-o",
        "jsonpath={.items[*].data.*}",
    ])?;
    let opened = secrets
        .split_whitespace()
        .filter_map(decode)
        .any(|text| text.contains(WORD));
    ensure!(opened, "no credentials in {secrets}");
    Ok(())
}

fn decode(base64: &str) -> Option<String> {
    let run = ksnapshot_tests::tools::run(&mut ksnapshot_tests::tools::bash(
        "base64 -d <<<\"$1\"",
        &[base64.as_ref()],
    ));
    Some(run.ok()?.text())
}
