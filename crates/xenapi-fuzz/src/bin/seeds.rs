//! Writes the generated seeds of every target below a folder, and names the targets: `seeds DIR`.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a program that always has std")]

use std::path::Path;
use std::process::ExitCode;

use xenapi_fuzz::{TARGETS, generated};

fn main() -> ExitCode {
    let Some(dir) = std::env::args_os().nth(1) else {
        eprintln!("usage: seeds DIR");
        return ExitCode::from(2);
    };
    match write(Path::new(&dir)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}: {error}", dir.display());
            ExitCode::FAILURE
        }
    }
}

fn write(dir: &Path) -> std::io::Result<()> {
    for target in &TARGETS {
        let folder = dir.join(target.name);
        std::fs::create_dir_all(&folder)?;
        for (number, seed) in generated(target.input).iter().enumerate() {
            std::fs::write(folder.join(format!("generated-{number:02}")), seed)?;
        }
        println!("{}\t{}", target.name, target.about);
    }
    Ok(())
}
