//! The operator as a whole: settings, log, health and metrics, one leader, and the loop while leading.

use std::collections::BTreeMap;
use std::sync::Arc;

use ksnapshot_core::{CancellationToken, Error, ErrorKind, Result};
use kube::{Client, Config};

use crate::cluster::Cluster;
use crate::controller::{Controller, SILENCE};
use crate::events::Events;
use crate::lease::{Election, Lead};
use crate::log;
use crate::metrics::Metrics;
use crate::server::{Health, Server};
use crate::settings::{Mode, Settings};

/// Runs the operator with the settings of `env` until `cancel`.
///
/// Errors: [`ErrorKind::Usage`] for settings that make no sense, [`ErrorKind::Server`] when no cluster is known,
/// [`ErrorKind::Failed`] when it can't listen. A cluster that can't be reached is no error: it is waited for.
pub async fn run(env: &BTreeMap<String, String>, cancel: &CancellationToken) -> Result<()> {
    let settings = Settings::from_env(env)?;
    let filter = env.get("KSNAPSHOT_LOG").map(String::as_str);
    log::init(settings.log_level, settings.log_format, filter)?;
    let mut config = config(settings.mode).await?;
    // The loop tries again by itself, and looks first whether it still leads and what is still to be done.
    config.default_retry = false;
    let client = Client::try_from(config).map_err(|cause| {
        Error::new(
            ErrorKind::Server,
            "the cluster's configuration can't be used",
        )
        .hint("`kubectl get pods` must work with it.")
        .source(cause)
    })?;
    let server = Server::bind(settings.listen).await?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        namespaces = settings.watch_namespaces.join(","),
        control_namespace = settings.control_namespace,
        listens = %server.address(),
        "begins"
    );
    let metrics = Metrics::default();
    let health = Arc::new(Health::new(SILENCE));
    // The lease is handed back when nothing acts any more, and health is told until then.
    let acted = CancellationToken::new();
    let election = settings.leader_election.then(|| {
        let (namespace, lease) = (&settings.control_namespace, &settings.lease_name);
        Election::new(client.clone(), namespace, lease, &settings.identity)
    });
    let lead = election.as_ref().map_or_else(Lead::always, Election::lead);
    let electing = async {
        if let Some(election) = election {
            election.run(acted.clone()).await;
        }
    };
    let acting = async {
        act(&client, &settings, lead, &metrics, &health, cancel).await;
        acted.cancel();
    };
    let serving = server.run(Arc::clone(&health), metrics.clone(), acted.clone());
    tokio::join!(electing, acting, serving);
    tracing::info!("ends");
    Ok(())
}

/// Works while it leads. What it knew is forgotten with the lead.
async fn act(
    client: &Client,
    settings: &Settings,
    mut lead: Lead,
    metrics: &Metrics,
    health: &Arc<Health>,
    cancel: &CancellationToken,
) {
    if settings.leader_election {
        // Standing by is what this replica is for.
        health.ready();
    }
    loop {
        while !lead.holds() {
            tokio::select! {
                () = cancel.cancelled() => return,
                _ = lead.turned() => {}
                () = tokio::time::sleep(SILENCE / 3) => health.beat(),
            }
        }
        metrics.set_leader(true);
        let cluster = Cluster {
            client: client.clone(),
            control: settings.control_namespace.clone(),
        };
        let events = Events::new(client.clone(), &settings.identity);
        let controller = Controller::new(
            cluster,
            settings.clone(),
            events,
            metrics.clone(),
            Arc::clone(health),
        );
        let stop = cancel.child_token();
        let mut lost = lead.clone();
        tokio::select! {
            () = controller.run(&stop) => {}
            () = async { while lost.holds() { lost.turned().await; } } => {}
        }
        metrics.set_leader(false);
        metrics.set_plans(&[]);
        metrics.set_unprotected(&[]);
        if cancel.is_cancelled() {
            return;
        }
    }
}

async fn config(mode: Mode) -> Result<Config> {
    match mode {
        Mode::Cluster => Config::incluster().map_err(|cause| {
            Error::new(ErrorKind::Server, "this is no pod of a cluster")
                .hint("Set MODE=local to use the kubeconfig.")
                .source(cause)
        }),
        Mode::Local => Config::infer().await.map_err(|cause| {
            Error::new(ErrorKind::Server, "no cluster is known")
                .hint("Set KUBECONFIG, or make ~/.kube/config: `kubectl get pods` must work.")
                .source(cause)
        }),
    }
}
