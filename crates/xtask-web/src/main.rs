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
mod split;

use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
usage: xtask-web bindgen --input FILE.wasm --out DIR [--name STEM] [--keep-names] [--parts]
       xtask-web size DIR";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["bindgen", options @ ..] => match Bind::parse(options) {
            Some(bind) => bind.run(),
            None => Err(USAGE.to_owned()),
        },
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

/// What `bindgen` is asked for.
struct Bind {
    input: PathBuf,
    out: PathBuf,
    name: String,
    keep_names: bool,
    parts: bool,
}

impl Bind {
    fn parse(options: &[&str]) -> Option<Bind> {
        let mut bind = Bind {
            input: PathBuf::new(),
            out: PathBuf::new(),
            name: bindgen::OUT_NAME.to_owned(),
            keep_names: false,
            parts: false,
        };
        let mut options = options.iter();
        while let Some(option) = options.next() {
            match *option {
                "--input" => bind.input = options.next()?.into(),
                "--out" => bind.out = options.next()?.into(),
                "--name" => bind.name = (*options.next()?).to_owned(),
                "--keep-names" => bind.keep_names = true,
                "--parts" => bind.parts = true,
                _ => return None,
            }
        }
        let complete = bind.input.as_os_str().len().min(bind.out.as_os_str().len()) > 0;
        complete.then_some(bind)
    }

    fn run(&self) -> Result<(), String> {
        let input =
            if self.parts { split::run(&self.input, &self.out, &self.name, self.keep_names)? } else { self.input.clone() };
        bindgen::run(&input, &self.out, &self.name, self.keep_names, self.parts)
    }
}
