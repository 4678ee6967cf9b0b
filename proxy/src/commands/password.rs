//! Where passwords come from: a file, the environment, or whoever sits at the terminal. Never the command line.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::Path;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use xenapi_hyper::Target;

use super::{pool, variable};
use crate::cli::{self, Exit};
use crate::config;

/// Longer lines are no passwords.
const LONGEST: u64 = 4096;

/// The password for a server.
pub(super) async fn find(who: &cli::Who, user: &str, target: &Target) -> Result<String, Exit> {
    match &who.password_file {
        Some(path) if path == Path::new("-") => return from_standard_input(),
        Some(path) => return config::read_password(path),
        None => {}
    }
    match variable("XENOXIDE_PASSWORD")? {
        Some(password) => Ok(password),
        // Whoever may open the socket is root without a word.
        None if matches!(target, Target::Unix(_)) => Ok(String::new()),
        None if io::stdin().is_terminal() && io::stderr().is_terminal() => ask(user, target).await,
        None => Err(Exit::usage(format!(
            "{target} asks for a password: set XENOXIDE_PASSWORD, or give --password-file FILE (`-` for standard input);\n\
             on a terminal you would be asked (a simulated pool's is {})",
            pool::PASSWORD
        ))),
    }
}

fn from_standard_input() -> Result<String, Exit> {
    let line =
        read_line().map_err(|error| Exit::failure(format!("cannot read the password from standard input: {error}")))?;
    if line.is_empty() {
        return Err(Exit::failure("the first line of standard input must be the password, and is empty"));
    }
    Ok(line)
}

fn read_line() -> io::Result<String> {
    let mut line = String::new();
    let length = io::stdin().lock().take(LONGEST).read_line(&mut line)?;
    if length as u64 >= LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("the line is longer than {LONGEST} bytes")));
    }
    Ok(line.trim_end_matches(['\n', '\r']).into())
}

/// Asks on the terminal, without showing what is typed.
async fn ask(user: &str, target: &Target) -> Result<String, Exit> {
    let failed = |error: io::Error| Exit::failure(format!("cannot ask for the password: {error}"));
    let hidden = Hidden::new().map_err(failed)?;
    let interrupted =
        |stopped: Result<(), Exit>| Err(stopped.err().unwrap_or_else(|| Exit::interrupted("interrupted; nobody was asked")));
    // Listened for before the question is there: who answers it by Ctrl-C must not find nobody who listens.
    let mut stopped = core::pin::pin!(super::stopped());
    tokio::select! {
        biased;
        stopped = &mut stopped => return interrupted(stopped),
        () = core::future::ready(()) => {}
    }
    {
        let mut out = io::stderr().lock();
        write!(out, "Password of {user} at {target}: ").and_then(|()| out.flush()).map_err(failed)?;
    }
    // Ctrl-C must give the terminal back as it was, so nothing here may wait without listening for it.
    let typed = tokio::select! {
        typed = tokio::task::spawn_blocking(read_line) => typed.map_err(Exit::failure)?.map_err(failed),
        stopped = &mut stopped => interrupted(stopped),
    };
    drop(hidden);
    if typed.is_err() {
        crate::output::say("");
    }
    match typed {
        Ok(password) if password.is_empty() => Err(Exit::usage("no password was typed; nobody was asked")),
        other => other,
    }
}

/// The terminal on standard input, not showing what is typed, until this is dropped.
struct Hidden {
    before: Termios,
}

impl Hidden {
    fn new() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut without = before.clone();
        without.local_modes.remove(LocalModes::ECHO);
        // The end of the line is shown, so that what follows begins on its own.
        without.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(io::stdin(), OptionalActions::Now, &without)?;
        Ok(Hidden { before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // There is nothing to do where the terminal has gone away.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}
