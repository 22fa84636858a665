//! The operator as a whole: settings, log, health and metrics, one leader, and the loop while leading.

use std::collections::BTreeMap;
use std::sync::Arc;

use ksnapshot_core::{CancellationToken, Error, ErrorKind, Result};
use kube::{Client, Config};

use crate::cluster::Cluster;
use crate::controller::Controller;
use crate::events::Events;
use crate::lease;
use crate::log;
use crate::metrics::Metrics;
use crate::server::{self, Health};
use crate::settings::{Mode, Settings};

/// Runs the operator with the settings of `env` until `cancel`.
///
/// Errors: [`ErrorKind::Usage`] for settings that make no sense, [`ErrorKind::Server`] when no cluster is known,
/// [`ErrorKind::Failed`] when it can't listen. A cluster that can't be reached is no error: it is waited for.
pub async fn run(env: &BTreeMap<String, String>, cancel: &CancellationToken) -> Result<()> {
    let settings = Settings::from_env(env)?;
    log::begin(settings.log_level, settings.log_format);
    let config = config(&settings).await?;
    let client = Client::try_from(config).map_err(|cause| {
        Error::new(
            ErrorKind::Server,
            "the cluster's configuration can't be used",
        )
        .hint("`kubectl get pods` must work with it.")
        .source(cause)
    })?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        namespaces = settings.watch_namespaces.join(","),
        control_namespace = settings.control_namespace,
        "begins"
    );
    let metrics = Arc::new(Metrics::default());
    let health = Arc::new(Health::new());
    let serving = server::serve(
        settings.listen,
        Arc::clone(&health),
        Arc::clone(&metrics),
        cancel.clone(),
    );
    let leading = lead(&client, &settings, &metrics, &health, cancel);
    let ((), served) = tokio::join!(leading, async {
        let served = serving.await;
        // Without health it would be ended sooner or later; sooner is better.
        cancel.cancel();
        served
    });
    served
}

/// Works while it leads; what it knew is forgotten with the lead.
async fn lead(
    client: &Client,
    settings: &Settings,
    metrics: &Arc<Metrics>,
    health: &Arc<Health>,
    cancel: &CancellationToken,
) {
    let work = |cancel: CancellationToken| async move {
        let cluster = Cluster {
            client: client.clone(),
            control: settings.control_namespace.clone(),
        };
        let events = Events::new(client.clone(), &settings.identity);
        let controller = Controller::new(
            cluster,
            settings.clone(),
            events,
            Arc::clone(metrics),
            Arc::clone(health),
        );
        metrics.set_leader(true);
        controller.run(&cancel).await;
        metrics.set_leader(false);
    };
    if settings.leader_election {
        lease::lead(client, settings, health, cancel, work).await;
    } else {
        work(cancel.clone()).await;
    }
}

async fn config(settings: &Settings) -> Result<Config> {
    let config = match settings.mode {
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
    };
    config
}
