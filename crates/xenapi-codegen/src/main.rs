//! `xenapi-codegen [--check | import FILE]`: see `cargo xtask gen`.
#![allow(clippy::std_instead_of_core, reason = "a tool for maintainers, never built for a bare target")]

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let top = xenapi_codegen::workspace();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => xenapi_codegen::write(&top).map(|written| {
            for path in written {
                println!("wrote {}", path.display());
            }
        }),
        ["--check"] => xenapi_codegen::stale(&top).and_then(|stale| match stale.first() {
            None => Ok(()),
            Some(first) => Err(format!("{} and {} more are stale: run `cargo xtask gen`", first.display(), stale.len() - 1)),
        }),
        ["import", file] => xenapi_codegen::write_schema(&top, Path::new(file)),
        _ => {
            eprintln!("usage: xenapi-codegen [--check | import FILE]");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
