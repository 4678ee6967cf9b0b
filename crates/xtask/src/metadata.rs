//! What cargo says about the workspace's packages.

use std::path::PathBuf;

use serde_json::Value;

use crate::command::{self, Stop};
use crate::workspace::Workspace;

/// A package of this workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Its `Cargo.toml`.
    pub(crate) manifest: PathBuf,
    /// The packages that its library or program is built with, on any target and with any feature; neither those of
    /// its tests nor those of its build script.
    pub(crate) dependencies: Vec<String>,
}

/// Every package of the workspace.
pub(crate) fn packages(workspace: &Workspace) -> Result<Vec<Package>, Stop> {
    let mut cargo = workspace.cargo();
    cargo.args(["metadata", "--format-version", "1", "--no-deps"]);
    parse(&command::output(&mut cargo)?)
}

fn parse(json: &str) -> Result<Vec<Package>, Stop> {
    let unlike = |what: &str| Stop::failed(format!("`cargo metadata` printed something unexpected: {what}"));
    let metadata: Value = serde_json::from_str(json).map_err(|error| unlike(&error.to_string()))?;
    let packages = metadata["packages"].as_array().ok_or_else(|| unlike("no packages"))?;
    packages.iter().map(|package| self::package(package).ok_or_else(|| unlike("a package without name"))).collect()
}

fn package(package: &Value) -> Option<Package> {
    let normal = package["dependencies"].as_array()?.iter().filter(|dependency| dependency["kind"].is_null());
    let mut dependencies: Vec<String> =
        normal.map(|dependency| dependency["name"].as_str().map(str::to_owned)).collect::<Option<_>>()?;
    dependencies.sort();
    dependencies.dedup();
    Some(Package {
        name: package["name"].as_str()?.to_owned(),
        manifest: package["manifest_path"].as_str()?.into(),
        dependencies,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;

    #[test]
    fn only_normal_dependencies_count_and_each_once() {
        let json = r#"{"packages":[{"name":"b","manifest_path":"/w/b/Cargo.toml","dependencies":[
            {"name":"z","kind":null,"target":"cfg(unix)"},{"name":"a","kind":null},{"name":"a","kind":null},
            {"name":"t","kind":"dev"},{"name":"c","kind":"build"}]}]}"#;
        let packages = parse(json).unwrap();
        assert_eq!(packages.len(), 1);
        assert_eq!(packages[0].dependencies, ["a", "z"]);
        assert_eq!(packages[0].manifest, PathBuf::from("/w/b/Cargo.toml"));
    }

    #[test]
    fn something_else_than_metadata_is_refused() {
        assert!(parse("{}").unwrap_err().message.contains("no packages"));
        assert!(parse("nothing").unwrap_err().message.contains("cargo metadata"));
        assert!(parse(r#"{"packages":[{}]}"#).is_err());
    }
}
