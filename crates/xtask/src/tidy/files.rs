//! Which files there are, and how long they may be.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// What the top of the repository holds, beside files and folders whose names start with a dot.
const TOP_LEVEL: [&str; 13] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "benches",
    "crates",
    "proxy",
    "tests",
    "web",
];

/// How many lines a file may have that people read and write.
const MOST_LINES: usize = 1000;

/// Names at the top that are not in the list.
pub(crate) fn top_level(files: &[PathBuf]) -> Vec<String> {
    let tops: BTreeSet<&str> = files
        .iter()
        .filter_map(|file| match file.components().next() {
            Some(Component::Normal(name)) => name.to_str(),
            _ => None,
        })
        .collect();
    tops.into_iter()
        .filter(|name| !name.starts_with('.') && *name != "target" && !TOP_LEVEL.contains(name))
        .map(|name| format!("{name}: the top level holds only {}", TOP_LEVEL.join(", ")))
        .collect()
}

/// Whether the limit of lines holds for a file: for what people write, not for what is generated, locked or recorded. The list of
/// errors is as long as xapi makes it: two lines an error.
pub(crate) fn has_length_limit(file: &Path) -> bool {
    const WRITTEN_BY_HAND: [&str; 12] = ["rs", "toml", "md", "py", "js", "mjs", "ts", "css", "html", "sh", "schema", "ftl"];
    let generated = file.components().any(|part| part.as_os_str() == "generated");
    let list = file.ends_with("schema/errors.schema");
    !generated && !list && file.extension().is_some_and(|ending| WRITTEN_BY_HAND.iter().any(|known| ending == *known))
}

/// The breach of a file that is too long.
pub(crate) fn length(file: &Path, bytes: &[u8]) -> Option<String> {
    let breaks = bytes.iter().filter(|byte| **byte == b'\n').count();
    let lines = breaks + usize::from(bytes.last().is_some_and(|last| *last != b'\n'));
    (lines > MOST_LINES)
        .then(|| format!("{}: {lines} lines; a file has at most {MOST_LINES}: split it by meaning", file.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;

    #[test]
    fn a_stray_name_at_the_top_is_a_breach_and_is_named_once() {
        let files = ["README.md", ".gitignore", ".ci/run", "crates/a/b.rs", "docs/a.md", "docs/b.md"].map(PathBuf::from);
        let found = top_level(&files);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("docs: the top level holds only"), "{found:?}");
    }

    #[test]
    fn one_line_over_the_limit_is_a_breach() {
        let file = Path::new("crates/a/src/lib.rs");
        assert_eq!(length(file, "x\n".repeat(MOST_LINES).as_bytes()), None);
        let mut text = "x\n".repeat(MOST_LINES);
        text.push('x');
        let found = length(file, text.as_bytes()).unwrap();
        assert!(found.starts_with("crates/a/src/lib.rs: 1001 lines"), "{found}");
        assert_eq!(length(file, b""), None);
    }

    #[test]
    fn generated_locked_and_recorded_files_may_be_long() {
        assert!(has_length_limit(Path::new("web/src/main.rs")));
        assert!(!has_length_limit(Path::new("crates/xenapi-model/src/generated/vm.rs")));
        assert!(!has_length_limit(Path::new("crates/xenapi-model/schema/errors.schema")));
        assert!(has_length_limit(Path::new("crates/xenapi-model/schema/VM.schema")));
        assert!(!has_length_limit(Path::new("Cargo.lock")));
        assert!(!has_length_limit(Path::new("tests/data/VM.get_all_records.xml")));
    }
}
