//! A third party's scheme of encryption: teams are recipients by name, and what they get is age all the same.

use std::io::Read;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use ksnapshot_core::age::{AgeDecryptor, AgeEncryptor, keygen};
use ksnapshot_core::conformance::Keys;
use ksnapshot_core::{Decryptor, Encryptor, Error, ErrorKind, Result, Scheme, Seal};
use secrecy::{ExposeSecret, SecretString};

/// The one team, its secret and its public key; a real one would ask a directory of keys.
static NIGHT: LazyLock<(SecretString, String)> =
    LazyLock::new(|| keygen("2026-11-21T00:00:00Z".parse().unwrap()));

/// What the identity files of this scheme begin with.
const HEAD: &str = "# a team's key\n";

pub(super) fn keys() -> Keys {
    let file = |secret: &SecretString| format!("{HEAD}{}", secret.expose_secret()).into();
    let stranger = keygen("2026-11-21T00:00:00Z".parse().unwrap()).0;
    Keys {
        recipients: vec!["team:night".into()],
        identity: file(&NIGHT.0),
        stranger: file(&stranger),
    }
}

#[derive(Debug)]
pub(super) struct Teams;

impl Scheme for Teams {
    fn name(&self) -> &'static str {
        "teams"
    }

    fn extension(&self) -> &'static str {
        ".team"
    }

    fn takes_recipient(&self, recipient: &str) -> bool {
        recipient.starts_with("team:")
    }

    fn takes_identity(&self, identity: &SecretString) -> bool {
        identity.expose_secret().starts_with(HEAD)
    }

    fn encryptor(&self, recipients: &[String]) -> Result<Arc<dyn Encryptor>> {
        if recipients != ["team:night"] {
            return Err(Error::new(ErrorKind::Usage, "no such team"));
        }
        Ok(Arc::new(Sealing(AgeEncryptor::new(&[&NIGHT.1])?)))
    }

    fn decryptor(&self, identity: &SecretString) -> Result<Arc<dyn Decryptor>> {
        Ok(Arc::new(Opening(AgeDecryptor::from_identity_file(
            identity,
        )?)))
    }
}

#[derive(Debug)]
struct Sealing(AgeEncryptor);

impl Encryptor for Sealing {
    fn name(&self) -> &'static str {
        Teams.name()
    }

    fn extension(&self) -> &'static str {
        Teams.extension()
    }

    fn recipients(&self) -> Vec<String> {
        vec!["team:night".into()]
    }

    fn seal(&self, out: &mut Vec<u8>) -> Result<Box<dyn Seal>> {
        self.0.seal(out)
    }
}

#[derive(Debug)]
struct Opening(AgeDecryptor);

impl Decryptor for Opening {
    fn name(&self) -> &'static str {
        Teams.name()
    }

    fn open<'a>(&self, sealed: Box<dyn Read + Send + 'a>) -> Result<Box<dyn Read + Send + 'a>> {
        self.0.open(sealed)
    }

    fn window(&self, header: u64, plain: Range<u64>) -> Range<u64> {
        self.0.window(header, plain)
    }

    fn open_window(&self, header: &[u8], window: &[u8], plain: Range<u64>) -> Result<Vec<u8>> {
        self.0.open_window(header, window, plain)
    }
}
