//! The command line as a library: parse, call the engine, print. Thin on purpose: everything that it does can be done
//! with `ksnapshot-core` and the two crates beside it.

mod args;
mod commands;
mod interrupt;
mod output;
mod place;
mod progress;

use std::process::ExitCode;

use clap::Parser;
use ksnapshot_core::ErrorKind;

use args::{Cli, Command};
use output::Output;

/// Runs the command line of this process. `exit` ends the process at once, for the second Ctrl-C.
pub fn run(exit: impl Fn(i32) + Send + Sync + 'static) -> ExitCode {
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
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let output = Output::new(cli.json);
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
        interrupt::listen(cx.cancel.clone(), exit);
        match cli.command {
            Command::Dump(args) => commands::dump::run(args, &output, &cx).await,
            Command::List(args) => commands::list::run(args, &output, &cx).await,
            Command::Inspect(args) => commands::inspect::run(args, &output, &cx).await,
            Command::Restore(args) => commands::restore::run(args, &output, &cx).await,
            Command::Verify(args) => commands::verify::run(args, &output, &cx).await,
            Command::Cat(args) => commands::cat::run(args, &output, &cx).await,
            Command::Prune(args) => commands::prune::run(args, &output, &cx).await,
            Command::Keygen(args) => commands::keygen::run(&args, &output),
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
