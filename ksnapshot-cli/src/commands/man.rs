//! `ksnapshot man`.

use clap::CommandFactory;
use clap_mangen::Man;
use ksnapshot_core::{Error, ErrorKind, Result};

use crate::args::{Cli, ManArgs};
use crate::output::to_stdout;

pub(crate) fn run(args: &ManArgs) -> Result<u8> {
    let mut cli = Cli::command();
    // Names such as `ksnapshot-dump` and what all commands share are filled in by this.
    cli.build();
    if let Some(folder) = &args.output {
        let written =
            std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(cli, folder));
        written.map_err(|cause| {
            Error::new(
                ErrorKind::Failed,
                format!("{}: can't be written", folder.display()),
            )
            .hint("Choose another folder.")
            .source(cause)
        })?;
        return Ok(0);
    }
    let page = match &args.command {
        None => cli,
        Some(name) => match cli.find_subcommand(name) {
            Some(command) => command.clone(),
            None => {
                return Err(
                    Error::new(ErrorKind::Usage, format!("{name}: no such command"))
                        .hint("See `ksnapshot --help` for all of them."),
                );
            }
        },
    };
    let mut text = Vec::new();
    Man::new(page).render(&mut text).map_err(|cause| {
        Error::new(ErrorKind::Failed, "the page can't be rendered").source(cause)
    })?;
    to_stdout(&text)?;
    Ok(0)
}
