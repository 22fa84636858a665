//! TLS as the stock clients' `ssl-mode` and its companions ask for it.

use ksnapshot_core::{Error, ErrorKind, Result};
use mysql_async::{ClientIdentity, SslOpts};

/// How much of TLS is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SslMode {
    Disabled,
    /// TLS if the server has it. Nobody's certificate is looked at.
    Preferred,
    Required,
    VerifyCa,
    VerifyIdentity,
}

impl SslMode {
    /// In the words of either family: `verify-ca`, `VERIFY_CA`.
    pub(super) fn parse(text: &str) -> Result<Self> {
        match text.to_lowercase().replace('_', "-").as_str() {
            "disabled" => Ok(Self::Disabled),
            "preferred" => Ok(Self::Preferred),
            "required" => Ok(Self::Required),
            "verify-ca" => Ok(Self::VerifyCa),
            "verify-identity" => Ok(Self::VerifyIdentity),
            _ => Err(Error::new(
                ErrorKind::Usage,
                format!("database URL: ssl-mode {text:?} is not known"),
            )
            .hint("Known modes are disabled, preferred, required, verify-ca and verify-identity.")),
        }
    }
}

/// How to secure a connection.
#[derive(Clone)]
pub(super) struct Tls {
    pub(super) mode: SslMode,
    /// PEM of the authorities; else those that browsers trust.
    pub(super) authorities: Option<Vec<u8>>,
    /// Files of our own certificate and its key.
    pub(super) identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl Tls {
    /// Reads the files. An authority that is named is asked for the server's certificate, as the stock clients do.
    pub(super) fn new(
        mode: Option<SslMode>,
        ca: Option<String>,
        cert: Option<String>,
        key: Option<String>,
    ) -> Result<Self> {
        let default = if ca.is_some() {
            SslMode::VerifyCa
        } else {
            SslMode::Preferred
        };
        let read = |name: &str, file: &String| {
            std::fs::read(file).map_err(|cause| {
                Error::new(
                    ErrorKind::Usage,
                    format!("database URL: {name} {file} can't be read"),
                )
                .hint("Name a file in PEM that this user may read.")
                .source(cause)
            })
        };
        let identity = match (&cert, &key) {
            (Some(cert), Some(key)) => Some((read("ssl-cert", cert)?, read("ssl-key", key)?)),
            (None, None) => None,
            _ => {
                return Err(Error::new(
                    ErrorKind::Usage,
                    "database URL: ssl-cert and ssl-key belong together",
                )
                .hint("Name both, or none of them."));
            }
        };
        Ok(Self {
            mode: mode.unwrap_or(default),
            authorities: ca.as_ref().map(|ca| read("ssl-ca", ca)).transpose()?,
            identity,
        })
    }

    /// Whether a connection without TLS is as good.
    pub(super) fn may_go_without(&self) -> bool {
        self.mode == SslMode::Preferred
    }

    /// Whether a connection is to be secured.
    pub(super) fn wanted(&self) -> bool {
        self.mode != SslMode::Disabled
    }

    /// What the driver has to do; none is no TLS.
    pub(super) fn options(&self) -> Option<SslOpts> {
        if self.mode == SslMode::Disabled {
            return None;
        }
        let mut options = SslOpts::default()
            .with_danger_accept_invalid_certs(matches!(
                self.mode,
                SslMode::Preferred | SslMode::Required
            ))
            .with_danger_skip_domain_validation(self.mode != SslMode::VerifyIdentity);
        if let Some(authorities) = &self.authorities {
            options = options
                .with_disable_built_in_roots(true)
                .with_root_certs(vec![authorities.clone().into()]);
        }
        if let Some((cert, key)) = &self.identity {
            let identity = ClientIdentity::new(cert.clone().into(), key.clone().into());
            options = options.with_client_identity(Some(identity));
        }
        Some(options)
    }
}
