//! `ksnapshot keygen`.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use jiff::Timestamp;
use ksnapshot_core::age::keygen;
use ksnapshot_core::{Error, ErrorKind, Result};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::args::KeygenArgs;
use crate::output::{Output, to_stderr};

pub(crate) fn run(args: &KeygenArgs, output: &Output) -> Result<u8> {
    let (secret, public) = keygen(Timestamp::now());
    let Some(path) = &args.output else {
        if output.json {
            return Err(
                Error::new(ErrorKind::Usage, "keygen: --json needs --output FILE")
                    .hint("The secret key is only written as the identity file that it is."),
            );
        }
        to_stderr(&format!("Public key: {public}"));
        output.text(secret.expose_secret())?;
        return Ok(0);
    };
    let failed = |cause: std::io::Error| {
        Error::new(ErrorKind::Failed, format!("{}: can't be written", path.display()))
            .hint("Choose a file that does not exist, in a folder that you may write to: a key is never overwritten.")
            .source(cause)
    };
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    file.write_all(secret.expose_secret().as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(failed)?;
    if output.json {
        output.line(&json!({ "message_type": "summary", "public_key": public, "file": path }))?;
    } else {
        output.text(&format!("{public}\n"))?;
    }
    Ok(0)
}
