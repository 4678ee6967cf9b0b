//! `cargo xtask fuzz`: libFuzzer on the targets of `crates/xenapi-fuzz`, with the stable compiler.
//!
//! Everything lives in `target/fuzz`: the build, because its flags would throw away the ordinary one; in `corpus/TARGET` the
//! inputs that reached something new, which the next run starts from; in `artifacts/TARGET` those that broke something.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{self, Stop};
use crate::needs::{self, CPLUSPLUS};
use crate::workspace::Workspace;

const PACKAGE: &str = "crates/xenapi-fuzz";

/// Makes the compiler count which branches an input takes, as libFuzzer wants it; the checks of debug builds stay on.
const RUSTFLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Cdebug-assertions -Cdebuginfo=1 --cfg fuzzing";

/// Seconds, if nobody says otherwise.
const USUAL: u64 = 60;

/// The longest input: room for the record of a VDI. What longer ones have more of takes time and shows nothing new.
const LONGEST: &str = "-max_len=6144";

/// `cargo xtask fuzz ARGS`.
pub(crate) fn run(workspace: &Workspace, args: &[&str]) -> Result<(), Stop> {
    match parse(args)? {
        Asked::List => list(workspace),
        Asked::Search { target, seconds } => {
            let fuzzer = Fuzzer::build(workspace)?;
            let chosen = fuzzer.chosen(target)?;
            let each = (seconds / chosen.len() as u64).max(1);
            // A target that breaks does not keep the others from their time.
            let broken: Vec<Stop> = chosen.iter().filter_map(|target| fuzzer.search(target, each).err()).collect();
            command::print(&fuzzer.summary(&chosen)?);
            let Some(first) = broken.first() else { return Ok(()) };
            let messages: Vec<&str> = broken.iter().map(|stop| stop.message.as_str()).collect();
            Err(Stop { message: messages.join("\n\n"), code: first.code })
        }
        Asked::Replay { target, file } => {
            let fuzzer = Fuzzer::build(workspace)?;
            fuzzer.replay(&fuzzer.chosen(target)?.concat(), Path::new(file))
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Asked<'a> {
    List,
    Search { target: &'a str, seconds: u64 },
    Replay { target: &'a str, file: &'a str },
}

fn parse<'a>(args: &[&'a str]) -> Result<Asked<'a>, Stop> {
    match *args {
        ["--list"] => Ok(Asked::List),
        [target, "--replay", file] if target != "all" && !target.starts_with('-') => Ok(Asked::Replay { target, file }),
        [target] if !target.starts_with('-') => Ok(Asked::Search { target, seconds: USUAL }),
        [target, seconds] if !target.starts_with('-') => match seconds.parse() {
            Ok(seconds) if seconds > 0 => Ok(Asked::Search { target, seconds }),
            _ => Err(Stop::usage(format!("`{seconds}` is not a number of seconds: cargo xtask fuzz {target} 60"))),
        },
        _ => Err(Stop::usage("usage: cargo xtask fuzz TARGET [SECS] | TARGET --replay FILE | --list; TARGET may be `all`")),
    }
}

fn list(workspace: &Workspace) -> Result<(), Stop> {
    for (name, about) in write_seeds(workspace)? {
        command::print(&format!("{name:<10} {about}"));
    }
    Ok(())
}

/// Writes the generated seeds into `target/fuzz/seeds`, and answers the targets' names and what each asserts.
fn write_seeds(workspace: &Workspace) -> Result<Vec<(String, String)>, Stop> {
    let mut cargo = workspace.cargo();
    cargo.args(["run", "--quiet", "--package", "xenapi-fuzz", "--bin", "seeds", "--"]);
    let text = command::output(cargo.arg(workspace.target.join("fuzz/seeds")))?;
    Ok(text.lines().filter_map(|line| line.split_once('\t')).map(|(name, about)| (name.into(), about.into())).collect())
}

struct Fuzzer<'a> {
    workspace: &'a Workspace,
    program: PathBuf,
    targets: Vec<(String, String)>,
}

impl<'a> Fuzzer<'a> {
    fn build(workspace: &'a Workspace) -> Result<Self, Stop> {
        needs::ensure(workspace, &[&CPLUSPLUS])?;
        let targets = write_seeds(workspace)?;
        let host = host()?;
        let mut cargo = workspace.cargo();
        // With `--target`, the flags are not for build scripts and macros, which could not be linked with them.
        cargo.args([
            "build",
            "--release",
            "--package",
            "xenapi-fuzz",
            "--bin",
            "fuzz",
            "--features",
            "libfuzzer",
            "--target",
        ]);
        cargo.arg(&host).env("RUSTFLAGS", RUSTFLAGS).env("CARGO_TARGET_DIR", workspace.target.join("fuzz/build"));
        cargo.env("CARGO_PROFILE_RELEASE_STRIP", "none");
        command::run(&mut cargo)?;
        let program = workspace.target.join("fuzz/build").join(host).join("release/fuzz");
        Ok(Fuzzer { workspace, program, targets })
    }

    /// The targets of that name: one, or all.
    fn chosen(&self, name: &str) -> Result<Vec<String>, Stop> {
        let names: Vec<String> = self.targets.iter().map(|(name, _)| name.clone()).collect();
        if name == "all" {
            Ok(names)
        } else if names.iter().any(|known| known == name) {
            Ok(vec![name.to_owned()])
        } else {
            Err(Stop::usage(format!("there is no target `{name}`; there are {}, and `all`", names.join(", "))))
        }
    }

    fn folder(&self, kind: &str, target: &str) -> Result<PathBuf, Stop> {
        let folder = self.workspace.target.join("fuzz").join(kind).join(target);
        fs::create_dir_all(&folder).map_err(|error| Stop::failed(format!("create {}: {error}", folder.display())))?;
        Ok(folder)
    }

    fn command(&self, target: &str) -> Command {
        let mut command = self.workspace.command(&self.program);
        command.env("XENAPI_FUZZ_TARGET", target).args(["-timeout=20", "-rss_limit_mb=2048", LONGEST]);
        command
    }

    fn search(&self, target: &str, seconds: u64) -> Result<(), Stop> {
        let artifacts = self.folder("artifacts", target)?;
        let mut prefix = OsString::from("-artifact_prefix=");
        prefix.push(artifacts.join("")); // With a separator at the end: libFuzzer puts the name right behind it.
        let mut dictionary = OsString::from("-dict=");
        dictionary.push(self.workspace.root.join(PACKAGE).join("dictionary.txt"));
        let mut fuzzer = self.command(target);
        fuzzer
            .arg(format!("-max_total_time={seconds}"))
            .arg("-print_final_stats=1")
            .arg("-verbosity=1")
            .args([prefix, dictionary]);
        fuzzer.arg(self.folder("corpus", target)?).arg(self.folder("seeds", target)?);
        let checked_in = self.workspace.root.join(PACKAGE).join("seeds").join(target);
        if checked_in.is_dir() {
            fuzzer.arg(checked_in);
        }
        eprintln!("Fuzzing `{target}` for {seconds} s.");
        command::run(&mut fuzzer).map_err(|stop| found(target, &artifacts, &stop))
    }

    fn replay(&self, target: &str, file: &Path) -> Result<(), Stop> {
        let file = std::path::absolute(file).map_err(|error| Stop::failed(format!("{}: {error}", file.display())))?;
        if !file.is_file() {
            return Err(Stop::usage(format!("{} is not a file", file.display())));
        }
        command::run(self.command(target).arg(&file))?;
        command::print(&format!("{} no longer breaks `{target}`", file.display()));
        Ok(())
    }

    /// How many inputs each corpus holds now.
    fn summary(&self, targets: &[String]) -> Result<String, Stop> {
        let mut text = String::from("The corpus holds now:");
        for target in targets {
            let folder = self.folder("corpus", target)?;
            let files = fs::read_dir(&folder).map_err(|error| Stop::failed(format!("{}: {error}", folder.display())))?;
            text.push_str(&format!("\n  {target:<10} {:>6} inputs in {}", files.count(), folder.display()));
        }
        Ok(text)
    }
}

/// What to tell whoever found a fault: the newest artifact, and how to try it again.
fn found(target: &str, artifacts: &Path, stop: &Stop) -> Stop {
    let files = fs::read_dir(artifacts).into_iter().flatten().flatten();
    let newest = files.max_by_key(|file| file.metadata().and_then(|data| data.modified()).ok()).map(|file| file.path());
    match newest {
        Some(file) => Stop::failed(format!(
            "`{target}` breaks on {0}; the reason stands above.\nTry it again with:\n  cargo xtask fuzz {target} --replay {0}\n\
             When it is mended, keep it: cp {0} {PACKAGE}/seeds/{target}/",
            file.display()
        )),
        None => Stop::failed(stop.message.clone()),
    }
}

fn host() -> Result<String, Stop> {
    let version = command::output(Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| Stop::failed("`rustc -vV` names no host"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;
    use crate::workspace::scratch;

    #[test]
    fn what_is_asked_is_understood() {
        assert_eq!(parse(&["bytes"]).unwrap(), Asked::Search { target: "bytes", seconds: USUAL });
        assert_eq!(parse(&["all", "3600"]).unwrap(), Asked::Search { target: "all", seconds: 3600 });
        assert_eq!(parse(&["bytes", "--replay", "x"]).unwrap(), Asked::Replay { target: "bytes", file: "x" });
        assert_eq!(parse(&["--list"]).unwrap(), Asked::List);
        for wrong in [["bytes", "soon"].as_slice(), &["bytes", "0"], &[], &["--fast"], &["all", "--replay", "x"]] {
            assert_eq!(parse(wrong).unwrap_err().code, 2, "{wrong:?}");
        }
    }

    #[test]
    fn a_fault_is_told_with_its_file_and_the_way_to_repeat_it() {
        let dir = scratch("artifacts");
        let stop = Stop::failed("`fuzz` failed");
        assert_eq!(found("bytes", &dir, &stop).message, "`fuzz` failed");
        fs::write(dir.join("crash-1"), "x").unwrap();
        let message = found("bytes", &dir, &stop).message;
        assert!(message.contains("cargo xtask fuzz bytes --replay") && message.contains("crash-1"), "{message}");
    }
}
