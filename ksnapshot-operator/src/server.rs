//! stub
use std::sync::Arc;
#[derive(Debug, Default)]
pub(crate) struct Health;
impl Health {
    pub(crate) fn new() -> Self {
        Self
    }
    pub(crate) fn beat(&self) {}
    pub(crate) fn ready(&self) {}
}
pub(crate) async fn serve(
    _: std::net::SocketAddr,
    _: Arc<Health>,
    _: Arc<crate::metrics::Metrics>,
    c: ksnapshot_core::CancellationToken,
) -> ksnapshot_core::Result<()> {
    c.cancelled().await;
    Ok(())
}
