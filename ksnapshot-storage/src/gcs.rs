//! A bucket of Google Cloud Storage, by its XML interface: the one that has uploads in parts.

use std::sync::Arc;

use ksnapshot_core::{Error, ErrorKind, Result};
use object_store::gcp::GoogleCloudStorageBuilder;

use crate::adapter::Adapter;
use crate::patience::Patient;
use crate::place::BucketPlace;
use crate::{Env, client};

/// Makes the client of a bucket. Reads the key file and certificates, but does not talk to anyone yet.
///
/// Credentials are Google's application default ones: the file that `GOOGLE_APPLICATION_CREDENTIALS` names, what
/// `gcloud auth application-default login` left in the home folder, or the machine's own identity.
pub(crate) fn open(place: &BucketPlace, env: Env<'_>) -> Result<Adapter> {
    let endpoint = place.endpoint.as_ref();
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(&place.name)
        .with_client_options(client::options(place, endpoint, None)?)
        .with_retry(client::retries())
        .with_http_connector(Patient);
    if let Some(url) = endpoint {
        builder = builder.with_base_url(url.as_str().trim_end_matches('/'));
    }
    if let Some(file) = env("GOOGLE_APPLICATION_CREDENTIALS").filter(|file| !file.is_empty()) {
        builder = builder.with_application_credentials(file);
    }
    let store = builder.build().map_err(|error| {
        // Such an error names the file, and of its text no more than a kind and a place.
        Error::new(ErrorKind::Storage, format!("{place}: {error}")).hint(
            "Name a service account's key file in GOOGLE_APPLICATION_CREDENTIALS (other kinds of files, of external \
             accounts for one, are not understood), or run where the machine has an identity.",
        )
    })?;
    Adapter::new(Arc::new(store), place.to_string(), &place.prefix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open_with;

    #[test]
    fn a_key_file_that_makes_no_sense_is_an_error_at_once() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap().to_owned();
        for (text, name) in [
            ("", path.clone()),
            (r#"{"type":"external_account","secret":"hunter2"}"#, path),
            ("", "/nowhere.json".to_owned()),
        ] {
            std::fs::write(file.path(), text).unwrap();
            let env = |key: &str| (key == "GOOGLE_APPLICATION_CREDENTIALS").then(|| name.clone());
            let error = open_with("gs://b/p", &env).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Storage);
            assert!(error.advice().unwrap().contains("GOOGLE_APPLICATION"));
            assert!(!format!("{error:#}").contains("hunter2"), "{error:#}");
        }
    }
}
