//! What a dump by this role would reach.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use ksnapshot_core::{Consistency, Cx, DumpSession, MissingRight, Preflight, ProblemKind, Result};

use super::connect::Postgres;
use super::quote;
use super::session::Session;

/// Opens a session as a dump does, with one reader, and leaves again: its locks are those of a SELECT.
pub(super) async fn preflight(server: &Postgres, cx: &Cx) -> Result<Preflight> {
    let session = Session::open(server, NonZeroUsize::MIN, cx).await?;
    let closed = session.close().await;
    let outline = session.outline();
    let unreadable = (outline.problems.iter())
        .filter(|p| p.kind == ProblemKind::Unreadable)
        .count();
    let mut missing = Vec::new();
    if unreadable > 0 {
        missing.push(MissingRight {
            right: "pg_read_all_data".into(),
            adds: format!("{unreadable} of the objects that this role can't read"),
            grant: format!(
                "GRANT pg_read_all_data TO {}",
                quote::ident(server.user_name())
            ),
        });
    }
    closed?;
    Ok(Preflight {
        source: outline.source.clone(),
        consistency: Consistency {
            claim: outline.consistency.claim.clone(),
            position: BTreeMap::new(),
        },
        problems: outline.problems.clone(),
        missing,
    })
}
