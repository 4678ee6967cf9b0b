//! The browser, Python and Node.js of the end-to-end tests. What they install stays in folders of their own.

use std::path::{Path, PathBuf};

use crate::command::Stop;
use crate::needs::{self, CHROMEDRIVER, CHROMIUM, FONTS, NODE, Need, PYTHON};
use crate::stamps::key_of_files;
use crate::workspace::Workspace;

/// The interpreters of the tests' clients; none where the tests have no such client.
pub(crate) struct Environments {
    /// Has the packages of `tests/python/requirements.txt`.
    pub(crate) python: Option<PathBuf>,
    /// The packages of `tests/node/package.json` are beside that file.
    pub(crate) node: Option<PathBuf>,
}

impl Environments {
    /// Installs what the end-to-end tests need and is missing.
    pub(crate) fn ensure(workspace: &Workspace) -> Result<Self, Stop> {
        let python = Python::of(workspace)?;
        let node = Node::of(workspace)?;
        // All system packages at once: whoever has to install them by hand does so once.
        let mut system: Vec<&'static Need> = vec![&CHROMIUM, &CHROMEDRIVER, &FONTS];
        if python.as_ref().is_some_and(|python| !python.ready(workspace)) {
            system.push(&PYTHON);
        }
        if node.is_some() {
            system.push(&NODE);
        }
        needs::ensure(workspace, &system)?;
        let own_python = std::env::var_os("XENOXIDE_PYTHON").map(PathBuf::from);
        Ok(Self {
            python: match (own_python, python) {
                (Some(own), _) => Some(own),
                (None, Some(python)) => Some(python.ensure(workspace)?),
                (None, None) => None,
            },
            node: match node {
                Some(node) => Some(node.ensure(workspace)?),
                None => None,
            },
        })
    }
}

/// The virtual environment in `target/venv`.
struct Python {
    requirements: PathBuf,
    key: String,
    venv: PathBuf,
}

impl Python {
    const STAMP: &str = "venv";

    /// None if the tests need no Python, or the user brings one.
    fn of(workspace: &Workspace) -> Result<Option<Self>, Stop> {
        let requirements = workspace.root.join("tests/python/requirements.txt");
        if !requirements.is_file() || std::env::var_os("XENOXIDE_PYTHON").is_some() {
            return Ok(None);
        }
        let key = key_of_files(&[&requirements])?;
        Ok(Some(Self { requirements, key, venv: workspace.target.join("venv") }))
    }

    fn interpreter(&self) -> PathBuf {
        self.venv.join("bin/python")
    }

    fn ready(&self, workspace: &Workspace) -> bool {
        // The interpreter is a link: it leads nowhere when the system's Python was upgraded away.
        workspace.stamps.holds(Self::STAMP, &self.key) && self.interpreter().exists()
    }

    fn ensure(&self, workspace: &Workspace) -> Result<PathBuf, Stop> {
        const WHAT: &str = "the Python packages of tests/python/requirements.txt";
        let interpreter = self.interpreter();
        if self.ready(workspace) {
            return Ok(interpreter);
        }
        let base = needs::python().ok_or_else(|| Stop::failed("python3 vanished while xtask ran"))?;
        let mut create = workspace.command(base);
        create.args(["-m", "venv", "--clear"]).arg(&self.venv);
        let mut fill = workspace.command(&interpreter);
        fill.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--requirement"]);
        fill.arg(&self.requirements);
        needs::may_install(workspace, WHAT, &[&create, &fill])?;
        announce(WHAT, &self.venv);
        workspace.stamps.clear(Self::STAMP)?;
        needs::show_and_run(&mut create)?;
        needs::show_and_run(&mut fill)?;
        workspace.stamps.set(Self::STAMP, &self.key)?;
        Ok(interpreter)
    }
}

/// The npm packages in `tests/node/node_modules`.
struct Node {
    dir: PathBuf,
    manifest: PathBuf,
    lock: PathBuf,
}

impl Node {
    const STAMP: &str = "node";

    /// None if the tests need no Node.js.
    fn of(workspace: &Workspace) -> Result<Option<Self>, Stop> {
        let dir = workspace.root.join("tests/node");
        let (manifest, lock) = (dir.join("package.json"), dir.join("package-lock.json"));
        if !manifest.is_file() {
            return Ok(None);
        }
        if !lock.is_file() {
            return Err(Stop::failed(format!(
                "{} is missing: without it everybody tests with other versions; `npm install --package-lock-only` in {} \
                 writes it",
                lock.display(),
                dir.display()
            )));
        }
        Ok(Some(Self { dir, manifest, lock }))
    }

    fn ensure(&self, workspace: &Workspace) -> Result<PathBuf, Stop> {
        const WHAT: &str = "the npm packages of tests/node/package.json";
        let node = needs::node().ok_or_else(|| Stop::failed("node vanished while xtask ran"))?;
        let key = key_of_files(&[&self.manifest, &self.lock])?;
        let modules = self.dir.join("node_modules");
        if workspace.stamps.holds(Self::STAMP, &key) && modules.is_dir() {
            return Ok(node);
        }
        let mut npm = workspace.command("npm");
        npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(&self.dir);
        needs::may_install(workspace, WHAT, &[&npm])?;
        announce(WHAT, &modules);
        workspace.stamps.clear(Self::STAMP)?;
        needs::show_and_run(&mut npm)?;
        workspace.stamps.set(Self::STAMP, &key)?;
        Ok(node)
    }
}

fn announce(what: &str, folder: &Path) {
    eprintln!("Installing {what} into {}:", folder.display());
    eprintln!("  the tests drive the servers with them; nothing outside that folder changes");
}
