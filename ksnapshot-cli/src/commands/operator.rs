//! `ksnapshot operator`.

use ksnapshot_core::{Cx, Result};

/// Runs until it is told to end. All that it is told comes from the environment, as a Deployment gives it.
pub(crate) async fn run(cx: &Cx) -> Result<u8> {
    let env = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    ksnapshot_operator::run(&env.collect(), &cx.cancel).await?;
    Ok(0)
}
