//! Where things are.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use crate::command::Stop;
use crate::stamps::Stamps;

/// The workspace that xtask works on, and the permission to install things for it.
pub(crate) struct Workspace {
    /// The folder of the top `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Where cargo builds: `target`, or what `CARGO_TARGET_DIR` says.
    pub(crate) target: PathBuf,
    /// What was done already.
    pub(crate) stamps: Stamps,
    /// Whether missing things are installed, or only named.
    pub(crate) install: bool,
}

impl Workspace {
    /// Finds the workspace from this crate's place in it.
    pub(crate) fn open(install: bool) -> Result<Self, Stop> {
        // The variable at run time is right even for a workspace that was moved with its target folder.
        let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let here = PathBuf::from(here);
        let root = here
            .ancestors()
            .find(|dir| dir.join("Cargo.lock").is_file())
            .ok_or_else(|| Stop::failed(format!("no Cargo.lock in {} or above it", here.display())))?
            .to_path_buf();
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(dir) => std::path::absolute(&dir)
                .map_err(|error| Stop::failed(format!("CARGO_TARGET_DIR={}: {error}", dir.display())))?,
            None => root.join("target"),
        };
        let stamps = Stamps::new(target.join("xtask"));
        Ok(Self { root, target, stamps, install })
    }

    /// The cargo that runs xtask, at the top of the workspace.
    pub(crate) fn cargo(&self) -> Command {
        self.command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// A program run at the top of the workspace.
    pub(crate) fn command(&self, program: impl Into<OsString>) -> Command {
        let mut command = Command::new(program.into());
        command.current_dir(&self.root);
        command
    }

    /// The heavy half of xtask.
    pub(crate) fn xtask_web(&self) -> Command {
        let mut cargo = self.cargo();
        cargo.args(["run", "--package", "xtask-web", "--"]);
        cargo
    }
}

/// An empty folder for a test, named after it; the process id keeps two runs apart.
#[cfg(test)]
pub(crate) fn scratch(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("xtask-test-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).expect("the temporary folder takes new folders");
    dir
}
