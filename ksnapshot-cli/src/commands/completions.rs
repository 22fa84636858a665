//! `ksnapshot completions`.

use clap::CommandFactory;
use ksnapshot_core::Result;

use crate::args::{Cli, CompletionsArgs};
use crate::output::to_stdout;

pub(crate) fn run(args: &CompletionsArgs) -> Result<u8> {
    let mut cli = Cli::command();
    let name = cli.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli, name, &mut script);
    to_stdout(&script)?;
    Ok(0)
}
