//! `xenoxide man`: the pages of the manual, out of what the command line is defined by.

use std::fs;
use std::io;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::cli::{self, Cli, Exit, VARIABLES, exit};
use crate::output;

/// Runs the command.
pub(super) fn run(args: &cli::Man) -> Result<(), Exit> {
    let failed = |error: io::Error| Exit::failure(format!("the manual cannot be made: {error}"));
    let all = pages().map_err(failed)?;
    let Some(folder) = &args.out else {
        return all.first().map_or(Ok(()), |(_, page)| output::bytes(page));
    };
    let cannot =
        |what: &std::path::Path, error: io::Error| Exit::failure(format!("cannot write {}: {error}", what.display()));
    fs::create_dir_all(folder).map_err(|error| cannot(folder, error))?;
    for (name, page) in &all {
        let path = folder.join(format!("{name}.1"));
        fs::write(&path, page).map_err(|error| cannot(&path, error))?;
    }
    output::line(&format!("{} pages written into {}", all.len(), folder.display()))
}

/// The page of the program, and one for each command, by name.
fn pages() -> io::Result<Vec<(String, Vec<u8>)>> {
    // The page has its own sections for what the help says at its end.
    let mut program = Cli::command().after_help("").disable_help_subcommand(true);
    program.build();
    let mut pages = vec![(program.get_name().to_owned(), page(&program)?)];
    for command in program.get_subcommands().filter(|command| !command.is_hide_set()) {
        // Built commands know the name of their page, and how they are typed.
        let name = command.get_display_name().unwrap_or_else(|| command.get_name());
        pages.push((name.to_owned(), page(command)?));
    }
    Ok(pages)
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let man =
        Man::new(command.clone()).section("1").manual("Xenoxide").source(format!("xenoxide {}", env!("CARGO_PKG_VERSION")));
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    if command.get_after_help().or(command.get_after_long_help()).is_some_and(|text| !text.to_string().is_empty()) {
        man.render_extra_section(&mut page)?;
    }
    ending().to_writer(&mut page)?;
    Ok(page)
}

/// What is the same on every page.
fn ending() -> Roff {
    let mut roff = Roff::new();
    let entry = |roff: &mut Roff, name: String, about: &str| {
        roff.control("TP", []).text([bold(name)]).text([roman(about.to_owned())]);
    };
    roff.control("SH", ["EXIT STATUS"]);
    for code in exit::CODES {
        entry(&mut roff, code.number.to_string(), code.about);
    }
    roff.control("SH", ["ENVIRONMENT"]);
    for (name, about) in VARIABLES {
        entry(&mut roff, name.into(), about);
    }
    roff
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;

    #[test]
    fn every_command_has_a_page_with_its_exit_codes() {
        let pages = pages().unwrap();
        let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names[0], "xenoxide");
        assert!(names.contains(&"xenoxide-call") && names.contains(&"xenoxide-man"), "{names:?}");
        for (name, page) in &pages {
            let text = String::from_utf8(page.clone()).unwrap();
            assert!(text.contains("EXIT STATUS") && text.contains("XENOXIDE_PASSWORD"), "{name}");
            assert_eq!(text.matches(".TH ").count(), 1, "{name}");
            assert!(name == "xenoxide" || text.contains(".SH DESCRIPTION"), "{name}");
        }
    }
}
