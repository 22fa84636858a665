//! The command line as a library: parse, call the engine, print. Thin on purpose: everything that it does can be done
//! with `ksnapshot-core` and the two crates beside it.
//!
//! A program of your own knows one more kind of database, storage, codec or encryption and is the same command line
//! otherwise:
//!
//! ```no_run
//! # use std::process::ExitCode;
//! # use std::sync::Arc;
//! # #[derive(Debug)]
//! # struct Tapes;
//! # impl ksnapshot_core::registry::Store for Tapes {
//! #     fn schemes(&self) -> &'static [&'static str] { &["tape"] }
//! #     fn form(&self) -> &'static str { "tape://drive" }
//! #     fn open(&self, place: &str) -> ksnapshot_core::Result<Arc<dyn ksnapshot_core::Storage>> {
//! #         ksnapshot_storage::open("/dev/null")
//! #     }
//! # }
//! fn main() -> ExitCode {
//!     let mut registry = ksnapshot_cli::registry();
//!     registry.add_store(Arc::new(Tapes));
//!     ksnapshot_cli::run(&registry, |code| std::process::exit(code))
//! }
//! ```

mod args;
mod commands;
mod deadline;
mod interrupt;
mod output;
mod parent;
mod place;
mod progress;

use std::process::ExitCode;

use clap::Parser;
use ksnapshot_core::{ErrorKind, Registry};

use args::{Cli, Command};
use output::Output;

/// Everything that comes with ksnapshot.
pub fn registry() -> Registry {
    let mut registry = Registry::default();
    ksnapshot_dumpers::register(&mut registry);
    ksnapshot_storage::register(&mut registry);
    registry
}

/// Runs the command line of this process with what `registry` knows. `exit` ends the process at once, for the second Ctrl-C.
pub fn run(registry: &Registry, exit: impl Fn(i32) + Send + Sync + 'static) -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; clap prints them to the right place.
            let code = if error.use_stderr() {
                ErrorKind::Usage.exit_code()
            } else {
                0
            };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("KSNAPSHOT_LOG")
        .unwrap_or_else(|_| "error".into());
    // The operator logs in its own way.
    if !matches!(cli.command, Command::Operator(_)) {
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .init();
    }
    let output = Output::new(cli.json);
    if let Err(error) = parent::follow() {
        output.failed(&error);
        return ExitCode::from(error.kind().exit_code());
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(cause) => {
            output.failed(
                &ksnapshot_core::Error::new(ErrorKind::Failed, "can't start").source(cause),
            );
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(async {
        let cx = output.context();
        // A Job hands signals on to what it runs, which does this.
        if !matches!(cli.command, Command::Job(_)) {
            interrupt::listen(cx.cancel.clone(), exit);
        }
        match cli.command {
            Command::Dump(args) => commands::dump::run(args, registry, &output, &cx).await,
            Command::List(args) => commands::list::run(args, registry, &output, &cx).await,
            Command::Inspect(args) => commands::inspect::run(args, registry, &output, &cx).await,
            Command::Restore(args) => commands::restore::run(args, registry, &output, &cx).await,
            Command::Verify(args) => commands::verify::run(args, registry, &output, &cx).await,
            Command::Cat(args) => commands::cat::run(args, registry, &cx).await,
            Command::Prune(args) => commands::prune::run(args, registry, &output, &cx).await,
            Command::Explain(args) => commands::explain::run(args, &output, &cx).await,
            Command::Operator(_) => commands::operator::run(&cx).await,
            Command::Job(args) => commands::job::run(&args, &output).await,
            Command::Keygen(args) => commands::keygen::run(&args, &output),
            Command::Completions(args) => commands::completions::run(&args),
            Command::Man(args) => commands::man::run(&args),
        }
    });
    // Blocking readers of an input that never ends must not hold up the exit.
    runtime.shutdown_background();
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output.failed(&error);
            ExitCode::from(error.kind().exit_code())
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_make_sense() {
        super::args::Cli::command().debug_assert();
    }
}
