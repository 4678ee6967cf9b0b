//! Xenoxide's services: the proxy with the console's files, the simulated pool, and the command line over both.
//!
//! - [`serve`] forwards calls from browsers and programs to pools, and keeps sessions out of the browser.
//! - [`commands`] are the commands, [`cli`] is what can be typed.
//! - [`typed`] turns arguments into values and values into JSON, by the schema.
//! - [`config`] is the proxy's configuration file.

extern crate alloc;

pub mod cli;
pub mod commands;
pub mod config;
pub mod output;
pub mod serve;
pub mod typed;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;
use cli::{Cli, Exit, When};

/// Runs a command line and says how it ended.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    // As long as the words are not understood, this is how it is known who reads the answer.
    let is_for_programs = args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--json");
    if let Err(exit) = cli::refuse_passwords(&args) {
        output::complain(&exit, When::Auto, is_for_programs);
        return ExitCode::from(exit.code);
    }
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) if is_for_programs && error.use_stderr() => {
            let exit = Exit::usage(error.to_string().trim_end());
            output::complain(&exit, When::Auto, true);
            return ExitCode::from(exit.code);
        }
        Err(error) => {
            // Help and version are such errors, too. There is nothing to do when they cannot be printed.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let (color, is_for_programs) = (cli.color, cli.command.is_for_programs());
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Exit::failure(format!("cannot start: {error}")))
        .and_then(|runtime| {
            let done = runtime.block_on(commands::run(cli));
            // What still runs, such as packing the console's files, need not be waited for.
            runtime.shutdown_background();
            done
        });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => {
            output::complain(&exit, color, is_for_programs);
            ExitCode::from(exit.code)
        }
    }
}
