//! TLS as the source's settings ask for it, and as the driver does it for the other connections.

use std::io;
use std::sync::Arc;

use mysql_async::DriverError;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::stream::Stream;
use crate::mysql::tls::{SslMode, Tls};

/// Secures what comes by `stream`, as far as `tls` asks.
///
/// Errors: of TLS, or of the kind [`io::ErrorKind::InvalidData`] for what the handshake finds wrong.
pub(super) async fn secure<S: Stream>(
    stream: S,
    host: &str,
    tls: &Tls,
) -> mysql_async::Result<TlsStream<S>> {
    let name = ServerName::try_from(host.to_owned()).map_err(invalid)?;
    let connector = TlsConnector::from(Arc::new(config(tls)?));
    Ok(connector.connect(name, stream).await?)
}

fn config(tls: &Tls) -> mysql_async::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    match &tls.authorities {
        Some(authorities) => certificates(authorities)?
            .into_iter()
            .try_for_each(|authority| roots.add(authority))?,
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    let roots = Arc::new(roots);
    let config = ClientConfig::builder().with_root_certificates(Arc::clone(&roots));
    let mut config = match &tls.identity {
        Some((certificate, key)) => {
            config.with_client_auth_cert(certificates(certificate)?, private_key(key)?)?
        }
        None => config.with_no_client_auth(),
    };
    let verifier = Verifier {
        mode: tls.mode,
        strict: WebPkiServerVerifier::builder(roots)
            .build()
            .map_err(invalid)?,
    };
    config
        .dangerous()
        .set_certificate_verifier(Arc::new(verifier));
    Ok(config)
}

/// All of a file in PEM, or the one that is the file.
fn certificates(file: &[u8]) -> Result<Vec<CertificateDer<'static>>, pem::Error> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(file).collect::<Result<_, _>>()?;
    Ok(if found.is_empty() {
        vec![CertificateDer::from(file.to_vec())]
    } else {
        found
    })
}

fn private_key(file: &[u8]) -> mysql_async::Result<PrivateKeyDer<'static>> {
    match PrivateKeyDer::from_pem_slice(file) {
        Err(pem::Error::NoItemsFound) => {
            PrivateKeyDer::try_from(file.to_vec()).map_err(|_| DriverError::NoKeyFound.into())
        }
        key => Ok(key?),
    }
}

fn invalid(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, cause)
}

/// Looks at a server's certificate no closer than asked.
#[derive(Debug)]
struct Verifier {
    mode: SslMode,
    strict: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if matches!(self.mode, SslMode::Preferred | SslMode::Required) {
            return Ok(ServerCertVerified::assertion());
        }
        let found = self
            .strict
            .verify_server_cert(certificate, intermediates, name, ocsp, now);
        match found {
            // Whose it is comes last: everything else was right.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.mode == SslMode::VerifyCa => Ok(ServerCertVerified::assertion()),
            found => found,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.strict.supported_verify_schemes()
    }
}
