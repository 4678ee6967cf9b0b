//! Writes the generated part of `xenapi-model` from its schema.
//!
//! [`generate`] is a pure function of the schema's files. The files it makes are checked in, so nobody needs this crate to build.
// A tool for maintainers, never built for a bare target.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

pub mod emit;
pub mod import;
pub mod names;
pub mod schema;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use emit::Schema;

/// Where the schema is, from the top of the workspace.
pub const SCHEMA: &str = "crates/xenapi-model/schema";
/// Where the generated files are, from the top of the workspace.
pub const GENERATED: &str = "crates/xenapi-model/src/generated";

/// Reads the schema's folder.
///
/// # Errors
/// The file, the line, and what is wrong.
pub fn read_schema(folder: &Path) -> Result<Schema, String> {
    let read = |name: &str| fs::read_to_string(folder.join(name)).map_err(|error| format!("{name}: {error}"));
    let mut classes = Vec::new();
    for name in read("ORDER")?.lines() {
        let file = format!("{name}.schema");
        let class = schema::parse(&read(&file)?).map_err(|error| format!("{file}: {error}"))?;
        if class.name != name {
            return Err(format!("{file}: describes the class {}", class.name));
        }
        classes.push(class);
    }
    let file = |name: &str| read(name).map(|text| (name.to_string(), text));
    let wrong = |name: String| move |error: String| format!("{name}: {error}");
    let (name, text) = file("errors.schema")?;
    let errors = schema::parse_errors(&text).map_err(wrong(name))?;
    let (name, text) = file("releases.schema")?;
    let releases = schema::parse_releases(&text).map_err(wrong(name))?;
    let (name, text) = file("relations.schema")?;
    let relations = schema::parse_relations(&text).map_err(wrong(name))?;
    Ok(Schema { classes, errors, releases, relations })
}

/// The generated files, formatted: path from the top of the workspace, and content.
///
/// # Errors
/// What is wrong with the schema, or that `rustfmt` could not run.
pub fn generate(top: &Path) -> Result<Vec<(PathBuf, String)>, String> {
    let schema = read_schema(&top.join(SCHEMA))?;
    let files = emit::files(&schema)?;
    let formatted = |(name, text): (String, String)| {
        let text = if name.ends_with(".rs") { format(top, &text)? } else { text };
        Ok((Path::new(GENERATED).join(name), text))
    };
    files.into_iter().map(formatted).collect()
}

fn format(top: &Path, text: &str) -> Result<String, String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(top)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot run rustfmt: {error} (`rustup component add rustfmt` installs it)"))?;
    let mut input = child.stdin.take().ok_or("rustfmt has no standard input")?;
    let text = text.to_owned();
    let feed = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().map_err(|error| format!("rustfmt: {error}"))?;
    let fed = feed.join().is_ok_and(|result| result.is_ok());
    if !output.status.success() || !fed {
        return Err("rustfmt refused the generated code, see its message above".into());
    }
    String::from_utf8(output.stdout).map_err(|error| format!("rustfmt: {error}"))
}

/// The generated files that differ from what the schema says now, are missing, or should not be there.
///
/// # Errors
/// As [`generate`].
pub fn stale(top: &Path) -> Result<Vec<PathBuf>, String> {
    let files = generate(top)?;
    let mut stale: Vec<PathBuf> = Vec::new();
    for (path, text) in &files {
        if fs::read_to_string(top.join(path)).ok().as_ref() != Some(text) {
            stale.push(path.clone());
        }
    }
    for folder in ["", "desc"] {
        let folder = Path::new(GENERATED).join(folder);
        for entry in fs::read_dir(top.join(&folder)).into_iter().flatten().flatten() {
            let path = folder.join(entry.file_name());
            if entry.path().is_file() && !files.iter().any(|(known, _)| *known == path) {
                stale.push(path);
            }
        }
    }
    Ok(stale)
}

/// Writes the generated files, and takes away those that should not be there.
///
/// # Errors
/// As [`generate`], or what could not be written.
pub fn write(top: &Path) -> Result<Vec<PathBuf>, String> {
    let files = generate(top)?;
    let stale = stale(top)?;
    for path in &stale {
        let full = top.join(path);
        let done = match files.iter().find(|(known, _)| known == path) {
            Some((_, text)) => full.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&full, text)),
            None => fs::remove_file(&full),
        };
        done.map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(stale)
}

/// Writes the schema from a description of xapi's data model. Sentences that stand in the schema stay.
///
/// # Errors
/// What is wrong with the description, or could not be written.
pub fn write_schema(top: &Path, description: &Path) -> Result<(), String> {
    let folder = top.join(SCHEMA);
    let text = fs::read_to_string(description).map_err(|error| format!("{}: {error}", description.display()))?;
    let json = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", description.display()))?;
    let mut imported = import::import(&json)?;
    keep_sentences(&folder, &mut imported);
    let put = |name: &str, text: String| fs::write(folder.join(name), text).map_err(|error| format!("{name}: {error}"));
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for class in &imported.classes {
        put(&format!("{}.schema", class.name), schema::print(class))?;
    }
    put("ORDER", imported.classes.iter().map(|class| class.name.clone() + "\n").collect())?;
    put("errors.schema", schema::print_errors(&imported.errors))?;
    put("relations.schema", schema::print_relations(&imported.relations))?;
    put("releases.schema", schema::print_releases(&imported.releases))
}

/// Takes over the sentences of the schema that is there.
fn keep_sentences(folder: &Path, imported: &mut Schema) {
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
    for class in &mut imported.classes {
        if let Ok(old) = schema::parse(&read(&format!("{}.schema", class.name))) {
            keep_sentences_of(class, &old);
        }
    }
    let old = schema::parse_errors(&read("errors.schema")).unwrap_or_default();
    for error in &mut imported.errors {
        if let Some(old) = old.iter().find(|old| old.code == error.code) {
            error.doc.clone_from(&old.doc);
        }
    }
}

fn keep_sentences_of(class: &mut schema::Class, old: &schema::Class) {
    class.doc.clone_from(&old.doc);
    for field in &mut class.fields {
        if let Some(old) = old.fields.iter().find(|old| old.name == field.name) {
            field.doc.clone_from(&old.doc);
        }
    }
    for message in &mut class.messages {
        if let Some(old) = old.messages.iter().find(|old| old.name == message.name) {
            message.doc.clone_from(&old.doc);
        }
    }
}

/// The top of the workspace, as the build knows it.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_path_buf()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_generated_files_are_fresh() {
        let stale = super::stale(&super::workspace()).expect("the schema is right");
        assert!(stale.is_empty(), "stale: {stale:?}; `cargo xtask gen` writes them");
    }
}
