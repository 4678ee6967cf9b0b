//! Finding programs.

use std::path::{Path, PathBuf};

/// The first of `names` that `PATH` has.
pub(crate) fn find(names: &[&str]) -> Option<PathBuf> {
    names.iter().find_map(|name| find_all(name).into_iter().next())
}

/// Every program of this name on `PATH`, in its order.
pub(crate) fn find_all(name: &str) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|dir| dir.join(name)).filter(|file| is_program(file)).collect()
}

/// The program that the variable names, else the first of `names` that `PATH` has.
pub(crate) fn chosen(variable: &str, names: &[&str]) -> Option<PathBuf> {
    match std::env::var_os(variable) {
        Some(file) => Some(PathBuf::from(file)),
        None => find(names),
    }
}

#[cfg(unix)]
fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(file: &Path) -> bool {
    file.is_file()
}
