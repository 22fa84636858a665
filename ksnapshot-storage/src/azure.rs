//! A container of Azure's Blob Storage.

use std::fmt::{self, Debug};
use std::sync::Arc;

use ksnapshot_core::{Error, ErrorKind, Result};
use object_store::azure::{AzureConfigKey as Setting, MicrosoftAzureBuilder};
use secrecy::{ExposeSecret, SecretString};

use crate::adapter::Adapter;
use crate::patience::Patient;
use crate::place::BucketPlace;
use crate::{Env, client};

/// Makes the client of a container. Reads certificates, but does not talk to anyone yet.
pub(crate) fn open(place: &BucketPlace, env: Env<'_>) -> Result<Adapter> {
    let get = |name: &str| env(name).filter(|value| !value.is_empty());
    let endpoint = place.endpoint.as_ref();
    let account = (place.account.clone())
        .or_else(|| get("AZURE_STORAGE_ACCOUNT_NAME"))
        .or_else(|| get("AZURE_STORAGE_ACCOUNT"))
        .ok_or_else(|| {
            Error::new(
                ErrorKind::Usage,
                format!("storage {place}: no account given"),
            )
            .hint("Write az://container/prefix?account=NAME, or set AZURE_STORAGE_ACCOUNT_NAME.")
        })?;
    let mut builder = MicrosoftAzureBuilder::new()
        .with_account(account)
        .with_container_name(&place.name)
        .with_client_options(client::options(place, endpoint, None)?)
        .with_retry(client::retries())
        .with_http_connector(Patient);
    if let Some(url) = endpoint {
        builder = builder.with_endpoint(url.as_str().trim_end_matches('/').to_owned());
    }
    let store = Credentials::find(&get, place)?
        .into_settings()
        .into_iter()
        .filter_map(|(setting, value)| Some((setting, value?)))
        .fold(builder, |builder, (setting, value)| builder.with_config(setting, value))
        .build()
        // The library's text may repeat a part of a key that it can't decode.
        .map_err(|_| {
            Error::new(ErrorKind::Storage, format!("{place}: the credentials make no sense"))
                .hint("Check the AZURE_STORAGE_… variables: a key is base64, a SAS token reads sv=…&sig=….")
        })?;
    Adapter::new(Arc::new(store), place.to_string(), &place.prefix)
}

/// Where the right to talk to a container comes from.
enum Credentials {
    Key(SecretString),
    Sas(SecretString),
    /// A token in a file, renewed by the cluster, that is exchanged for another one.
    Workload {
        client: String,
        tenant: String,
        file: String,
        authority: Option<String>,
    },
    Secret {
        client: String,
        tenant: String,
        secret: SecretString,
        authority: Option<String>,
    },
    /// The machine's own identity, or the one of several that has this id.
    Managed {
        client: Option<String>,
    },
}

impl Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key(_) => "Key",
            Self::Sas(_) => "Sas",
            Self::Workload { .. } => "Workload",
            Self::Secret { .. } => "Secret",
            Self::Managed { .. } => "Managed",
        })
    }
}

impl Credentials {
    /// The first of: the account's key, a SAS token, a workload identity, a service principal's secret; and for Azure
    /// itself, the machine's identity.
    fn find(get: &dyn Fn(&str) -> Option<String>, place: &BucketPlace) -> Result<Self> {
        if let Some(key) = get("AZURE_STORAGE_KEY").or_else(|| get("AZURE_STORAGE_ACCOUNT_KEY")) {
            return Ok(Self::Key(key.into()));
        }
        if let Some(token) = get("AZURE_STORAGE_SAS_TOKEN") {
            return Ok(Self::Sas(token.into()));
        }
        let client = get("AZURE_CLIENT_ID");
        let authority = get("AZURE_AUTHORITY_HOST");
        if let (Some(client), Some(tenant)) = (client.clone(), get("AZURE_TENANT_ID")) {
            if let Some(file) = get("AZURE_FEDERATED_TOKEN_FILE") {
                return Ok(Self::Workload {
                    client,
                    tenant,
                    file,
                    authority,
                });
            }
            if let Some(secret) = get("AZURE_CLIENT_SECRET") {
                let secret = secret.into();
                return Ok(Self::Secret {
                    client,
                    tenant,
                    secret,
                    authority,
                });
            }
        }
        if place.endpoint.is_some() {
            return Err(
                Error::new(ErrorKind::Storage, format!("{place}: no credentials found"))
                    .hint("Set AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, or provide a workload identity."),
            );
        }
        Ok(Self::Managed { client })
    }

    fn into_settings(self) -> Vec<(Setting, Option<String>)> {
        let open = |secret: &SecretString| Some(secret.expose_secret().to_owned());
        // The library chooses by what is there; named, so that its choice is ours.
        let of = |kind: &str| (Setting::CredentialType, Some(kind.to_owned()));
        match self {
            Self::Key(key) => vec![of("access_key"), (Setting::AccessKey, open(&key))],
            Self::Sas(token) => vec![of("sas_token"), (Setting::SasKey, open(&token))],
            Self::Workload {
                client,
                tenant,
                file,
                authority,
            } => vec![
                of("workload_identity"),
                (Setting::ClientId, Some(client)),
                (Setting::AuthorityId, Some(tenant)),
                (Setting::FederatedTokenFile, Some(file)),
                (Setting::AuthorityHost, authority),
            ],
            Self::Secret {
                client,
                tenant,
                secret,
                authority,
            } => vec![
                of("client_secret"),
                (Setting::ClientId, Some(client)),
                (Setting::AuthorityId, Some(tenant)),
                (Setting::ClientSecret, open(&secret)),
                (Setting::AuthorityHost, authority),
            ],
            Self::Managed { client } => vec![of("managed_identity"), (Setting::ClientId, client)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open_with;
    use crate::place::Place;

    #[track_caller]
    fn check(url: &str, vars: &[&str], expected: &str) {
        let Place::Bucket(place) = Place::parse(url).unwrap() else {
            panic!("{url}")
        };
        let get = |name: &str| vars.contains(&name).then(|| "x".to_owned());
        let found = Credentials::find(&get, &place);
        let found = found.map_or_else(|error| error.to_string(), |found| format!("{found:?}"));
        assert!(found.contains(expected), "{vars:?}: {found}");
    }

    #[test]
    fn credentials_have_an_order() {
        let principal = ["AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET"];
        check(
            "az://c",
            &["AZURE_STORAGE_KEY", "AZURE_STORAGE_SAS_TOKEN"],
            "Key",
        );
        check(
            "az://c",
            &["AZURE_STORAGE_SAS_TOKEN", "AZURE_CLIENT_ID"],
            "Sas",
        );
        check("az://c", &principal, "Secret");
        let mut workload = principal.to_vec();
        workload.push("AZURE_FEDERATED_TOKEN_FILE");
        check("az://c", &workload, "Workload");
        check("az://c", &["AZURE_CLIENT_ID"], "Managed");
        check("az://c", &[], "Managed");
        check(
            "az://c?endpoint=http://127.0.0.1:1/a",
            &[],
            "no credentials found",
        );
    }

    #[test]
    fn mistakes_are_told_and_secrets_are_not() {
        let key = |name: &str| (name == "AZURE_STORAGE_KEY").then(|| "hunter2!".to_owned());
        let error = open_with("az://c/p", &key).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.advice().unwrap().contains("account="), "{error:?}");
        let error = open_with("az://c/p?account=a", &key).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Storage);
        assert!(!format!("{error:#}").contains("hunter"), "{error:#}");
    }
}
