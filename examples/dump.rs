//! Dumps a PostgreSQL database into a folder or bucket: `dump postgres://USER@HOST/DATABASE STORAGE age1…`

#![allow(clippy::print_stdout)]

use std::sync::Arc;

use ksnapshot_core::age::AgeEncryptor;
use ksnapshot_core::pipeline::{DumpRequest, dump};
use ksnapshot_core::{Cx, Result};
use ksnapshot_dumpers::Access;
use ksnapshot_dumpers::postgres::Postgres;

#[tokio::main]
async fn main() -> Result<()> {
    let [url, place, recipient] = arguments();
    let source = Postgres::parse(&url, &Access::default())?;
    let storage = ksnapshot_storage::open(&place)?;
    let request = DumpRequest {
        encryptor: Some(Arc::new(AgeEncryptor::new(&[recipient])?)),
        ..DumpRequest::default()
    };
    let report = dump(&source, storage.as_ref(), &request, &Cx::default()).await?;
    println!(
        "{}: {} rows",
        report.manifest.id, report.manifest.counts.rows
    );
    Ok(())
}

fn arguments() -> [String; 3] {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    arguments.try_into().expect("three arguments")
}
