//! `ksnapshot` that knows `sqlite:///path/to/file`, too.

use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    let mut registry = ksnapshot_cli::registry();
    registry.add_engine(Arc::new(ksnapshot_sqlite::SqliteEngine));
    ksnapshot_cli::run(&registry, |code| std::process::exit(code))
}
