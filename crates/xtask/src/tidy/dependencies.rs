//! Which package may know which.

use crate::metadata::Package;

/// A package of the workspace, and what it must not depend on although it stands below it, or comes from outside.
struct Row {
    name: &'static str,
    must_not_know: &'static [&'static str],
}

const fn row(name: &'static str, must_not_know: &'static [&'static str]) -> Row {
    Row { name, must_not_know }
}

/// A row depends only on rows above it. ARCHITECTURE.md has the reasons.
const ROWS: [Row; 21] = [
    row("xenapi-core", &["quick-xml", "serde_json", "hyper", "http", "tokio"]),
    row("xenapi-model", &["quick-xml", "serde_json", "hyper", "http", "tokio"]),
    row("xenapi-codec", &["xenapi-model", "hyper", "http", "tokio"]),
    row("xenapi-client", &["xenapi-codec", "hyper", "http", "tokio", "futures", "futures-util", "futures-core"]),
    row("xenapi-topology", &["hyper", "tokio", "yew", "web-sys"]),
    row("xenapi-sim", &["xenapi-client", "xenapi-topology", "hyper", "http", "tokio"]),
    row("xenapi-hyper", &["xenapi-topology", "yew", "web-sys"]),
    row("xenapi", &[]),
    row("xenapi-console", &["yew", "web-sys", "hyper", "tokio", "xenapi-hyper", "xenapi"]),
    row("xenapi-testkit", &[]),
    row("xenapi-corpus", &["xenapi-client", "xenapi-sim"]),
    row("xenapi-fuzz", &["xenapi-client", "xenapi-sim"]),
    row("xenapi-codegen", &["xenapi-model"]),
    row("xenoxide", &["yew", "web-sys"]),
    row("xenoxide-web", &["hyper", "tokio", "xenapi-hyper", "xenapi", "xenoxide"]),
    row("xenoxide-benches", &[]),
    row("xenoxide-bench-client", &[]),
    row("xenoxide-bench-web", &[]),
    row("xenoxide-tests", &[]),
    row("xtask-web", &[]),
    row("xtask", &[]),
];

/// Packages for tests and automation, which nothing that is delivered is built with.
const ONLY_FOR_TESTS: [&str; 3] = ["xenapi-testkit", "xenapi-corpus", "xenapi-fuzz"];
const MAY_USE_TEST_PACKAGES: [&str; 3] = ["xenoxide-tests", "xenoxide-benches", "xenapi-fuzz"];
const ON_THEIR_OWN: [&str; 2] = ["xtask-web", "xtask"];

/// Checks the packages' dependencies against the table.
pub(crate) fn check(packages: &[Package]) -> Vec<String> {
    packages.iter().flat_map(check_package).collect()
}

fn check_package(package: &Package) -> Vec<String> {
    let name = package.name.as_str();
    let Some(at) = place(name) else {
        return vec![format!(
            "{}: `{name}` is not in the table of crates/xtask/src/tidy/dependencies.rs; give it a row there and in \
             ARCHITECTURE.md",
            package.manifest.display()
        )];
    };
    let breach = |dependency: &str, rule: String| {
        format!("{}: `{name}` depends on `{dependency}`; {rule}", package.manifest.display())
    };
    let mut breaches = Vec::new();
    for dependency in &package.dependencies {
        let dependency = dependency.as_str();
        if ROWS[at].must_not_know.contains(&dependency) {
            breaches.push(breach(dependency, format!("`{name}` must not know it")));
        } else if ONLY_FOR_TESTS.contains(&dependency) && !MAY_USE_TEST_PACKAGES.contains(&name) {
            breaches.push(breach(dependency, "it is for dev-dependencies only".to_owned()));
        } else if place(dependency).is_some() && ON_THEIR_OWN.contains(&name) {
            breaches.push(breach(dependency, "automation builds before, and without, the rest".to_owned()));
        } else if place(dependency).is_some_and(|place| place >= at) {
            breaches.push(breach(dependency, "a row depends only on rows above it".to_owned()));
        }
    }
    breaches
}

fn place(name: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(name: &str, dependencies: &[&str]) -> Vec<String> {
        check(&[Package {
            name: name.to_owned(),
            manifest: format!("crates/{name}/Cargo.toml").into(),
            dependencies: dependencies.iter().map(|&dependency| dependency.to_owned()).collect(),
        }])
    }

    #[test]
    fn rows_above_and_outside_packages_are_fine() {
        assert_eq!(breaches("xenapi-client", &["xenapi-core", "xenapi-model", "hashbrown"]), [""; 0]);
        assert_eq!(breaches("xenapi-core", &[]), [""; 0]);
    }

    #[test]
    fn a_row_below_is_a_breach_that_names_the_file_and_the_rule() {
        let found = breaches("xenapi-core", &["xenapi-model"]);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("crates/xenapi-core/Cargo.toml: `xenapi-core` depends on `xenapi-model`"), "{found:?}");
        assert!(found[0].ends_with("a row depends only on rows above it"), "{found:?}");
    }

    #[test]
    fn what_a_package_must_not_know_is_a_breach_even_above_it() {
        assert_eq!(breaches("xenapi-codec", &["xenapi-core", "xenapi-model"]).len(), 1);
        assert_eq!(breaches("xenapi-sim", &["xenapi-client"]).len(), 1);
        assert_eq!(breaches("xenapi-client", &["xenapi-codec"]).len(), 1);
        assert_eq!(breaches("xenapi-client", &["tokio"]).len(), 1);
    }

    #[test]
    fn the_testkit_is_for_tests() {
        assert_eq!(breaches("xenoxide", &["xenapi-testkit"]).len(), 1);
        assert_eq!(breaches("xenoxide-tests", &["xenapi-testkit"]), [""; 0]);
    }

    #[test]
    fn automation_depends_on_nothing_it_builds() {
        assert_eq!(breaches("xtask", &["xenapi-codegen", "serde_json"]).len(), 1);
    }

    #[test]
    fn a_package_without_a_row_is_a_breach() {
        let found = breaches("xenapi-extra", &[]);
        assert!(found[0].contains("`xenapi-extra` is not in the table"), "{found:?}");
    }

    #[test]
    fn no_row_appears_twice() {
        for (at, row) in ROWS.iter().enumerate() {
            assert_eq!(place(row.name), Some(at));
        }
    }
}
