//! The commands.

mod call;
mod completions;
mod connection;
mod coverage;
mod events;
mod impact;
mod man;
mod password;
mod pool;
mod record;
mod schema;
mod serve;
mod sim;
mod topology;
mod trust;
mod upstream;

use std::env;

use crate::cli::{Cli, Command, Exit};

/// Runs a command to its end.
///
/// # Errors
/// When it did not succeed.
pub async fn run(cli: Cli) -> Result<(), Exit> {
    let color = cli.color;
    match cli.command {
        Command::Demo(args) => serve::demo(&args).await,
        Command::Serve(args) => serve::serve(&args.front).await,
        Command::Sim(args) => sim::run(&args).await,
        Command::Call(args) => call::run(&args).await,
        Command::Events(args) => events::run(&args, color).await,
        Command::Record(args) => record::run(&args).await,
        Command::Topology(args) => topology::run(&args).await,
        Command::Impact(args) => impact::run(&args, color).await,
        Command::Trust(args) => trust::run(&args).await,
        Command::Schema(args) => schema::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}

/// A variable of the environment.
fn variable(name: &str) -> Result<Option<String>, Exit> {
    match env::var(name) {
        Ok(text) => Ok(Some(text)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(Exit::usage(format!("the variable {name} is not UTF-8; set it anew"))),
    }
}

/// Waits until somebody wants the program to end: Ctrl-C, or SIGTERM.
async fn stopped() -> Result<(), Exit> {
    let failed = |error: std::io::Error| Exit::failure(format!("cannot listen for signals: {error}"));
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted.map_err(failed),
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.map_err(failed)
}
