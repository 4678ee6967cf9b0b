//! Notes of what was done already, one small file each under `target/xtask`.

use std::fs;
use std::hash::{DefaultHasher, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};

use crate::command::Stop;

/// The folder of stamps. A stamp holds a key; work with the same key need not be done again.
pub(crate) struct Stamps {
    dir: PathBuf,
}

impl Stamps {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Whether the work called `name` was done with this key.
    pub(crate) fn holds(&self, name: &str, key: &str) -> bool {
        fs::read_to_string(self.dir.join(name)).is_ok_and(|found| found == key)
    }

    /// Remembers that the work called `name` is done.
    pub(crate) fn set(&self, name: &str, key: &str) -> Result<(), Stop> {
        let path = self.dir.join(name);
        fs::create_dir_all(&self.dir)
            .and_then(|()| fs::write(&path, key))
            .map_err(|error| Stop::failed(format!("write {}: {error}", path.display())))
    }

    /// Forgets a stamp, before work starts that may stop half-way.
    pub(crate) fn clear(&self, name: &str) -> Result<(), Stop> {
        let path = self.dir.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Stop::failed(format!("remove {}: {error}", path.display())))
            }
            _ => Ok(()),
        }
    }
}

/// A key of the contents of files. The hash may change with the compiler, which costs one needless repetition.
pub(crate) fn key_of_files(paths: &[&Path]) -> Result<String, Stop> {
    let mut hasher = DefaultHasher::new();
    for path in paths {
        let bytes = fs::read(path).map_err(|error| Stop::failed(format!("read {}: {error}", path.display())))?;
        hasher.write_usize(bytes.len());
        hasher.write(&bytes);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;
    use crate::workspace::scratch;

    #[test]
    fn a_stamp_holds_for_its_key_until_cleared() {
        let dir = scratch("stamps");
        let stamps = Stamps::new(dir.join("deep/er"));
        assert!(!stamps.holds("venv", "1"));
        stamps.set("venv", "1").unwrap();
        assert!(stamps.holds("venv", "1"));
        assert!(!stamps.holds("venv", "2"));
        stamps.clear("venv").unwrap();
        stamps.clear("venv").unwrap();
        assert!(!stamps.holds("venv", "1"));
    }

    #[test]
    fn the_key_tells_where_one_file_ends_and_the_next_begins() {
        let dir = scratch("keys");
        let write = |name: &str, text: &str| {
            let path = dir.join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let (a, bc) = (write("a", "a"), write("bc", "bc"));
        let (ab, c) = (write("ab", "ab"), write("c", "c"));
        let one = key_of_files(&[&a, &bc]).unwrap();
        assert_eq!(one, key_of_files(&[&a, &bc]).unwrap());
        assert_ne!(one, key_of_files(&[&ab, &c]).unwrap());
        assert!(key_of_files(&[&dir.join("absent")]).unwrap_err().message.contains("absent"));
    }
}
