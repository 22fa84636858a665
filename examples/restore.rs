//! Restores the newest snapshot of a storage into a new database: `restore STORAGE IDENTITY-FILE postgres://USER@HOST/DATABASE`

#![allow(clippy::print_stdout)]

use std::sync::Arc;

use ksnapshot_core::age::AgeDecryptor;
use ksnapshot_core::pipeline::{RestoreRequest, Snapshot, restore};
use ksnapshot_core::{Choice, Cx, Decryptor, Formats, Result};
use ksnapshot_dumpers::Access;
use ksnapshot_dumpers::postgres::Postgres;

#[tokio::main]
async fn main() -> Result<()> {
    let [place, identity, url] = arguments();
    let storage = ksnapshot_storage::open(&place)?;
    let snapshot = Snapshot::find(&storage, &Formats::default(), &Choice::default()).await?;
    let identity = std::fs::read_to_string(identity).expect("an identity file");
    let identity: Arc<dyn Decryptor> =
        Arc::new(AgeDecryptor::from_identity_file(&identity.into())?);
    let target = Postgres::parse(&url, &Access::default())?;
    let mut request = RestoreRequest::default();
    request.options.create = true;
    let report = restore(
        &snapshot,
        Some(&identity),
        &target,
        &request,
        &Cx::default(),
    )
    .await?;
    println!("{} rows", report.rows);
    Ok(())
}

fn arguments() -> [String; 3] {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    arguments.try_into().expect("three arguments")
}
