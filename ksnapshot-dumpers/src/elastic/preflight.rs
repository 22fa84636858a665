//! What a dump would reach.

use ksnapshot_core::{Preflight, Result};

use super::catalog;
use super::connect::Elastic;
use super::session::{consistency, source_info};

/// Looks at everything that a dump looks at before it reads documents.
pub(super) async fn preflight(source: &Elastic) -> Result<Preflight> {
    let (client, server) = source.connect().await?;
    let scope = &source.scope;
    let patterns = source.patterns();
    let catalog = catalog::read(&client, &server, &patterns, scope.hidden, scope.closed).await?;
    Ok(Preflight {
        source: source_info(&server),
        consistency: consistency(&server),
        problems: catalog.problems,
        // What these servers let a user do can't be asked without the right to ask it.
        missing: Vec::new(),
    })
}
