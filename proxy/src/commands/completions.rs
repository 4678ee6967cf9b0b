//! `xenoxide completions`: what a shell needs to complete commands and options.

use clap::CommandFactory as _;

use crate::cli::{Cli, Completions, Exit};
use crate::output;

/// Runs the command.
pub(super) fn run(args: &Completions) -> Result<(), Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "xenoxide", &mut script);
    output::bytes(&script)
}
