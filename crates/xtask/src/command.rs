//! Running other programs, and what to say when they fail.

use std::io::{self, Write as _};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Why xtask gives up: what to tell the user, and the exit code (1: it failed, 2: wrong usage).
#[derive(Debug)]
pub(crate) struct Stop {
    pub(crate) message: String,
    pub(crate) code: u8,
}

impl Stop {
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 1 }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 2 }
    }
}

/// Prints what the user asked for. A reader that has seen enough, as `head` does, is no error.
pub(crate) fn print(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// Runs a command with the user's own terminal, and fails when it does.
pub(crate) fn run(command: &mut Command) -> Result<(), Stop> {
    let status = command.status().map_err(|error| cannot_start(command, &error))?;
    if status.success() { Ok(()) } else { Err(ended_badly(command, status)) }
}

/// Runs a command and gives its standard output without the last line break. Its errors go to the terminal.
pub(crate) fn output(command: &mut Command) -> Result<String, Stop> {
    let output =
        command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().map_err(|error| cannot_start(command, &error))?;
    if !output.status.success() {
        return Err(ended_badly(command, output.status));
    }
    match String::from_utf8(output.stdout) {
        Ok(text) => Ok(text.trim_end().to_owned()),
        Err(_) => Err(Stop::failed(format!("`{}` printed something that is not UTF-8", describe(command)))),
    }
}

/// Whether a command can be started and succeeds, without a word on the terminal.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Runs a command that may hang without a network: after `limit` it is ended and counts as failed.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> Result<(), Stop> {
    let mut child = command.stdin(Stdio::null()).spawn().map_err(|error| cannot_start(command, &error))?;
    let deadline = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(ended_badly(command, status)),
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(50)),
            Ok(None) => {
                // It may end by itself between the two calls; either way it is over, which is all that counts.
                let _ = child.kill();
                let _ = child.wait();
                let seconds = limit.as_secs();
                return Err(Stop::failed(format!("`{}` took longer than {seconds} s", describe(command))));
            }
            Err(error) => return Err(cannot_start(command, &error)),
        }
    }
}

fn cannot_start(command: &Command, error: &io::Error) -> Stop {
    Stop::failed(format!("cannot run `{}`: {error}", describe(command)))
}

fn ended_badly(command: &Command, status: ExitStatus) -> Stop {
    Stop::failed(format!("`{}` failed ({status})", describe(command)))
}

/// The command as one would type it, with the variables that xtask sets for it.
pub(crate) fn describe(command: &Command) -> String {
    let mut words = Vec::new();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            words.push(format!("{}={}", name.display(), quote(&value.to_string_lossy())));
        }
    }
    words.push(quote(&command.get_program().to_string_lossy()));
    words.extend(command.get_args().map(|arg| quote(&arg.to_string_lossy())));
    words.join(" ")
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_described_command_can_be_pasted_into_a_shell() {
        let mut command = Command::new("cargo");
        command.args(["test", "it's", ""]).env("KEY", "a b").env_remove("GONE");
        assert_eq!(describe(&command), r"KEY='a b' cargo test 'it'\''s' ''");
    }

    #[test]
    fn a_program_that_does_not_exist_is_named() {
        let stop = run(&mut Command::new("no-such-program-anywhere")).expect_err("it does not exist");
        assert!(stop.message.contains("no-such-program-anywhere"), "{}", stop.message);
        assert_eq!(stop.code, 1);
    }

    #[test]
    fn a_command_over_its_time_is_ended() {
        let started = Instant::now();
        let stop = run_within(Command::new("sleep").arg("60"), Duration::from_millis(100)).expect_err("it is too slow");
        assert!(stop.message.contains("took longer"), "{}", stop.message);
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_failing_command_says_how_it_ended() {
        let stop = run(&mut Command::new("false")).expect_err("false fails");
        assert_eq!(stop.message, "`false` failed (exit status: 1)");
    }
}
