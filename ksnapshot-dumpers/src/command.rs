//! The output of any program as a snapshot, and a snapshot as the input of any program.
//!
//! A program that fails, or that is ended, makes no snapshot, however much it has written; and one that is to take a snapshot
//! never sees the end of its input before it had everything.

mod dump;
mod process;
mod restore;

use std::ffi::OsString;
use std::path::Path;

use process::Process;

/// A program and its arguments, as an option of the engine `command`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandLine(pub Vec<OsString>);

/// A program to be run. Its arguments are never printed: they may hold what nobody else is to read.
#[derive(Clone)]
pub struct Program {
    program: OsString,
    arguments: Vec<OsString>,
}

impl Program {
    /// The program of this line; none if the line is empty.
    pub fn new(CommandLine(mut words): CommandLine) -> Option<Self> {
        if words.is_empty() {
            return None;
        }
        let program = words.remove(0);
        Some(Self {
            program,
            arguments: words,
        })
    }

    /// What a person calls it: the file's name.
    fn name(&self) -> String {
        let path = Path::new(&self.program);
        let name = path.file_name().unwrap_or(&self.program);
        name.to_string_lossy().into_owned()
    }
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Program").field(&self.name()).finish()
    }
}
