//! What the three clouds call things: the scheme of their places, the settings of their URLs, rights and credentials in
//! errors.

/// Whose bucket it is. A server of one's own that speaks like S3 is [`Cloud::S3`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cloud {
    S3,
    Gcs,
    Azure,
}

impl Cloud {
    /// The cloud of a scheme; none when nobody has it.
    pub(crate) fn of_scheme(scheme: &str) -> Option<Self> {
        [Self::S3, Self::Gcs, Self::Azure]
            .into_iter()
            .find(|cloud| cloud.scheme() == scheme)
    }

    /// The cloud whose words fit an error about `place`. A stranger's store is told of in those of S3.
    pub(crate) fn of_place(place: &str) -> Self {
        place
            .split_once("://")
            .and_then(|(scheme, _)| Self::of_scheme(scheme))
            .unwrap_or(Self::S3)
    }

    /// What stands before `://`.
    pub(crate) fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Gcs => "gs",
            Self::Azure => "az",
        }
    }

    /// What its interface is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::S3 => "S3",
            Self::Gcs => "Cloud Storage",
            Self::Azure => "blob",
        }
    }

    /// What the query of its URLs may say, in the order in which an error lists it.
    pub(crate) fn settings(self) -> &'static [&'static str] {
        match self {
            Self::S3 => &["endpoint", "region", "style", "checksum", "max-parts", "ca"],
            Self::Gcs => &["endpoint", "ca"],
            Self::Azure => &["account", "endpoint", "ca"],
        }
    }

    /// What holds the objects.
    pub(crate) fn container(self) -> &'static str {
        match self {
            Self::S3 | Self::Gcs => "bucket",
            Self::Azure => "container",
        }
    }

    /// Where credentials come from instead of a URL.
    pub(crate) fn credentials(self) -> &'static str {
        match self {
            Self::S3 => {
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use a credentials file"
            }
            Self::Gcs => {
                "name a key file in GOOGLE_APPLICATION_CREDENTIALS, or use a workload identity"
            }
            Self::Azure => {
                "set AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, or use a workload identity"
            }
        }
    }

    /// Who is given a right.
    pub(crate) fn identity(self) -> &'static str {
        match self {
            Self::S3 => "the key (AWS_ACCESS_KEY_ID, or the role)",
            Self::Gcs => "the service account",
            Self::Azure => "the identity (or the SAS token)",
        }
    }

    /// What to look at when no token can be had.
    pub(crate) fn token_sources(self) -> &'static str {
        match self {
            Self::S3 => "AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN and AWS_ENDPOINT_URL_STS",
            Self::Gcs => "GOOGLE_APPLICATION_CREDENTIALS, or the workload identity of this machine",
            Self::Azure => {
                "AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_FEDERATED_TOKEN_FILE, or the managed identity of this machine"
            }
        }
    }

    /// The setting, or variable, that says where a server is.
    pub(crate) fn endpoint(self) -> &'static str {
        match self {
            Self::S3 => "endpoint=… or AWS_ENDPOINT_URL",
            Self::Gcs => "endpoint=…",
            Self::Azure => "account=…, endpoint=… or AZURE_STORAGE_ACCOUNT_NAME",
        }
    }
}
