//! The part of `cargo xtask` that needs heavy dependencies: running wasm-bindgen as a library, so that nobody
//! installs its command by hand, and measuring how large the console is on the wire.
//!
//! It is a package of its own so that `cargo xtask` itself builds in seconds. `cargo xtask web` and `cargo xtask
//! size` call it; nobody needs to by hand.

#![allow(
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    reason = "a host tool that always has std: two crate roots for one import say nothing here"
)]

mod bindgen;
mod size;

use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
usage: xtask-web bindgen --input FILE.wasm --out DIR [--name STEM] [--keep-names]
       xtask-web size DIR";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["bindgen", "--input", input, "--out", out, options @ ..] => {
            let (name, options) = match options {
                ["--name", name, rest @ ..] => (*name, rest),
                rest => (bindgen::OUT_NAME, rest),
            };
            match options {
                [] => bindgen::run(&PathBuf::from(input), &PathBuf::from(out), name, false),
                ["--keep-names"] => bindgen::run(&PathBuf::from(input), &PathBuf::from(out), name, true),
                _ => Err(USAGE.to_owned()),
            }
        }
        ["size", dir] => size::run(&PathBuf::from(dir)),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
