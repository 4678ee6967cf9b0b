//! What manifests must say. They are read line by line: the few lines that matter have one usual spelling.

use std::path::Path;

/// The one package with lints of its own. The macro that declares what other modules of the console hold writes `unsafe`, and forbidding
/// is for whole packages: so it denies, and one file allows.
const WITH_UNSAFE: &str = "web/Cargo.toml";
/// That file.
pub(crate) const UNSAFE_FILE: &str = "web/src/parts.rs";

/// The breach of a package that does not take the workspace's lints.
pub(crate) fn inherits_lints(manifest: &Path, text: &str) -> Option<String> {
    if manifest == Path::new(WITH_UNSAFE) {
        return (value(text, "lints.rust", "unsafe_code") != Some("\"deny\"")).then(|| {
            format!("{WITH_UNSAFE}: [lints.rust] lacks `unsafe_code = \"deny\"`, which only {UNSAFE_FILE} may allow")
        });
    }
    (value(text, "lints", "workspace") != Some("true")).then(|| {
        format!("{}: lacks `[lints] workspace = true`; every crate keeps the workspace's lints", manifest.display())
    })
}

/// The breach of a workspace whose lints let unsafe code in.
pub(crate) fn forbids_unsafe(top_manifest: &str) -> Option<String> {
    (value(top_manifest, "workspace.lints.rust", "unsafe_code") != Some("\"forbid\""))
        .then(|| "Cargo.toml: [workspace.lints.rust] lacks `unsafe_code = \"forbid\"`; no crate has unsafe code".to_owned())
}

/// The breach of a source file that allows unsafe code without being the one that may.
pub(crate) fn allows_unsafe(file: &Path, text: &str) -> Option<String> {
    let allows = text.lines().any(|line| line.trim_start().starts_with("#") && line.contains("allow(unsafe_code"));
    (allows && file != Path::new(UNSAFE_FILE))
        .then(|| format!("{}: allows unsafe code, which only {UNSAFE_FILE} may", file.display()))
}

/// The breach of a lock file in which wasm-bindgen and the library that runs it differ: they speak a private format.
pub(crate) fn bindgen_versions(lock: &str) -> Option<String> {
    let library = locked(lock, "wasm-bindgen")?;
    match locked(lock, "wasm-bindgen-cli-support") {
        Some(support) if support == library => None,
        support => Some(format!(
            "Cargo.lock: wasm-bindgen is {library}, wasm-bindgen-cli-support is {}; set the latter to \"={library}\" in \
             crates/xtask-web/Cargo.toml",
            support.unwrap_or("absent")
        )),
    }
}

/// The text right of `key =` in a section, without comments.
fn value<'a>(text: &'a str, section: &str, key: &str) -> Option<&'a str> {
    let mut inside = false;
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            inside = name.trim() == section;
        } else if inside
            && let Some((name, value)) = line.split_once('=')
            && name.trim() == key
        {
            return Some(value.trim());
        }
    }
    None
}

/// The version of a package in a lock file.
fn locked<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines();
    lines.find(|line| *line == name)?;
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;

    #[test]
    fn a_package_without_the_workspaces_lints_is_named() {
        let file = Path::new("crates/a/Cargo.toml");
        assert_eq!(inherits_lints(file, "[package]\nname = \"a\"\n\n[lints]\nworkspace = true # yes\n"), None);
        for text in ["[package]\n", "[lints]\nworkspace = false\n", "[dependencies]\nworkspace = true\n[lints]\n"] {
            let found = inherits_lints(file, text).unwrap();
            assert!(found.starts_with("crates/a/Cargo.toml: lacks `[lints]"), "{found}");
        }
    }

    #[test]
    fn unsafe_code_is_allowed_in_one_file_alone() {
        let web = Path::new("web/Cargo.toml");
        assert_eq!(inherits_lints(web, "[lints.rust]\nunsafe_code = \"deny\"\n"), None);
        assert!(inherits_lints(web, "[lints]\nworkspace = false\n").is_some());
        let allow = "//! Parts.\n\n#![allow(unsafe_code, reason = \"why\")]\n";
        assert_eq!(allows_unsafe(Path::new(UNSAFE_FILE), allow), None);
        assert!(allows_unsafe(Path::new("web/src/app.rs"), allow).is_some());
        assert_eq!(allows_unsafe(Path::new("web/src/app.rs"), "// allow(unsafe_code) is for others\n"), None);
    }

    #[test]
    fn unsafe_code_must_be_forbidden_not_denied() {
        assert_eq!(forbids_unsafe("[workspace.lints.rust]\nunsafe_code = \"forbid\"\n"), None);
        assert!(forbids_unsafe("[workspace.lints.rust]\nunsafe_code = \"deny\"\n").is_some());
        assert!(forbids_unsafe("[workspace.lints.rust]\n[workspace.lints.clippy]\nunsafe_code = \"forbid\"\n").is_some());
    }

    #[test]
    fn two_versions_of_wasm_bindgen_are_a_breach_that_says_the_right_one() {
        let lock = |library: &str, support: &str| {
            format!(
                "[[package]]\nname = \"wasm-bindgen\"\nversion = \"{library}\"\n\n\
                 [[package]]\nname = \"wasm-bindgen-cli-support\"\nversion = \"{support}\"\n"
            )
        };
        assert_eq!(bindgen_versions(&lock("0.2.130", "0.2.130")), None);
        let found = bindgen_versions(&lock("0.2.131", "0.2.130")).unwrap();
        assert!(found.contains("\"=0.2.131\" in crates/xtask-web/Cargo.toml"), "{found}");
        let found = bindgen_versions("[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.131\"\n").unwrap();
        assert!(found.contains("is absent"), "{found}");
        assert_eq!(bindgen_versions(""), None);
    }
}
