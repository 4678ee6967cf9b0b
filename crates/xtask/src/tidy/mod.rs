//! `cargo xtask tidy`: house rules that no compiler checks.
//!
//! Every rule is a pure function from what it looks at to the list of breaches, each naming the file and the rule.

mod dependencies;
mod files;
mod manifests;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{self, Stop};
use crate::metadata;
use crate::tools;
use crate::workspace::Workspace;

/// Checks every rule and reports all breaches at once.
pub(crate) fn run(workspace: &Workspace) -> Result<(), Stop> {
    let files = repository_files(workspace)?;
    let packages = metadata::packages(workspace)?;
    let mut breaches = files::top_level(&files);
    for file in &files {
        if !files::has_length_limit(file) {
            continue;
        }
        let path = workspace.root.join(file);
        let bytes = fs::read(&path).map_err(|error| Stop::failed(format!("read {}: {error}", path.display())))?;
        breaches.extend(files::length(file, &bytes));
        if file.extension().is_some_and(|it| it == "rs") {
            breaches.extend(manifests::allows_unsafe(file, &String::from_utf8_lossy(&bytes)));
        }
        if words::is_markup(file) {
            breaches.extend(words::words(file, &String::from_utf8_lossy(&bytes)));
        }
    }
    breaches.extend(dependencies::check(&packages));
    breaches.extend(manifests::forbids_unsafe(&read(&workspace.root.join("Cargo.toml"))?));
    for package in &packages {
        let shown = package.manifest.strip_prefix(&workspace.root).unwrap_or(&package.manifest);
        breaches.extend(manifests::inherits_lints(shown, &read(&package.manifest)?));
    }
    breaches.extend(manifests::bindgen_versions(&read(&workspace.root.join("Cargo.lock"))?));
    if breaches.is_empty() {
        eprintln!("tidy: {} files and {} packages keep the house rules", files.len(), packages.len());
        return Ok(());
    }
    let count = if breaches.len() == 1 { "one breach".to_owned() } else { format!("{} breaches", breaches.len()) };
    Err(Stop::failed(format!("{count} of the house rules:\n  {}", breaches.join("\n  "))))
}

/// Stops where wasm-bindgen and what binds it are of two versions, which would end in an obscure message.
pub(crate) fn check_bindgen_versions(workspace: &Workspace) -> Result<(), Stop> {
    match manifests::bindgen_versions(&read(&workspace.root.join("Cargo.lock"))?) {
        Some(breach) => Err(Stop::failed(breach)),
        None => Ok(()),
    }
}

fn read(path: &Path) -> Result<String, Stop> {
    fs::read_to_string(path).map_err(|error| Stop::failed(format!("read {}: {error}", path.display())))
}

/// Every file that belongs to the repository, or would with the next commit, relative to its top.
fn repository_files(workspace: &Workspace) -> Result<Vec<PathBuf>, Stop> {
    let mut files = match known_to_git(workspace) {
        Some(files) => files,
        None => {
            let mut files = Vec::new();
            walk(&workspace.root, &workspace.root, &mut files)?;
            files
        }
    };
    files.sort();
    files.dedup();
    Ok(files)
}

/// None where git cannot say: in an unpacked archive, or in a clone that belongs to somebody else.
fn known_to_git(workspace: &Workspace) -> Option<Vec<PathBuf>> {
    if !workspace.root.join(".git").exists() || tools::find(&["git"]).is_none() {
        return None;
    }
    let mut git = workspace.command("git");
    git.args(["-c", "core.quotePath=false", "ls-files", "--cached", "--others", "--exclude-standard"]);
    let listed = command::output(&mut git).ok()?;
    // What was deleted and not yet committed is listed too.
    Some(listed.lines().map(PathBuf::from).filter(|file| workspace.root.join(file).exists()).collect())
}

/// The files of an unpacked archive, which has no git to ask.
fn walk(root: &Path, dir: &Path, files: &mut Vec<PathBuf>) -> Result<(), Stop> {
    let failed = |error: std::io::Error| Stop::failed(format!("read {}: {error}", dir.display()));
    for entry in fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let Ok(relative) = path.strip_prefix(root) else {
            continue;
        };
        let skipped = path.file_name().is_some_and(|name| name == "target" || name == "node_modules" || name == ".git");
        if skipped {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, files)?;
        } else {
            files.push(relative.to_path_buf());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;
    use crate::workspace::scratch;

    #[test]
    fn an_archive_is_walked_without_what_is_built() {
        let root = scratch("walk");
        for file in ["Cargo.toml", "crates/a/src/lib.rs", "target/debug/a", "tests/node/node_modules/b/c.js", ".git/HEAD"] {
            let file = root.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        let mut files = Vec::new();
        walk(&root, &root, &mut files).unwrap();
        files.sort();
        assert_eq!(files, ["Cargo.toml", "crates/a/src/lib.rs"].map(PathBuf::from));
    }

    #[test]
    fn this_workspace_keeps_its_rules() {
        run(&Workspace::open(false).unwrap()).unwrap();
    }
}
