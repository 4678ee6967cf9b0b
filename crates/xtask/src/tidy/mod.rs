//! `cargo xtask tidy`: house rules that no compiler checks.
//!
//! Every rule is a pure function from what it looks at to the list of breaches, each naming the file and the rule.

mod dependencies;
mod files;
mod manifests;

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
        // A file that git knows and that was just deleted has no length.
        if let Ok(bytes) = fs::read(workspace.root.join(file)) {
            breaches.extend(files::length(file, &bytes));
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
    let mut files = Vec::new();
    if workspace.root.join(".git").exists() && tools::find(&["git"]).is_some() {
        let mut git = workspace.command("git");
        git.args(["-c", "core.quotePath=false", "ls-files", "--cached", "--others", "--exclude-standard"]);
        files.extend(command::output(&mut git)?.lines().map(PathBuf::from));
        files.retain(|file| workspace.root.join(file).exists());
    } else {
        walk(&workspace.root, &workspace.root, &mut files)?;
    }
    files.sort();
    files.dedup();
    Ok(files)
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
