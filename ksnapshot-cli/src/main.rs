//! `ksnapshot`: snapshots of databases, compressed and encrypted into object storage, proved and restored.

use std::process::ExitCode;

fn main() -> ExitCode {
    ksnapshot_cli::run(&ksnapshot_cli::registry(), |code| std::process::exit(code))
}
