//! stub
pub(crate) async fn lead<F: Future<Output = ()>>(
    _: &kube::Client,
    _: &crate::settings::Settings,
    _: &crate::server::Health,
    c: &ksnapshot_core::CancellationToken,
    work: impl Fn(ksnapshot_core::CancellationToken) -> F,
) {
    work(c.clone()).await;
}
