//! What the tests and the console need from the system beside Rust, and how it gets here.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::command::{self, Stop};
use crate::tools;
use crate::workspace::Workspace;

/// Something a system package brings.
pub(crate) struct Need {
    /// Its name, as a person calls it.
    pub(crate) what: &'static str,
    /// What fails without it.
    pub(crate) why: &'static str,
    /// Whether it is here. Asked again after an installation.
    pub(crate) present: fn() -> bool,
    /// The packages that bring it, by package manager.
    pub(crate) packages: Packages,
}

/// Names of packages, separated by spaces; empty where the system has none.
#[derive(Default)]
pub(crate) struct Packages {
    pub(crate) apt: &'static str,
    pub(crate) dnf: &'static str,
    pub(crate) pacman: &'static str,
    pub(crate) brew: &'static str,
}

/// The browser that the end-to-end tests drive.
pub(crate) const CHROMIUM: Need = Need {
    what: "Chromium",
    why: "the browser tests run the console in it",
    present: || chromium().is_some(),
    packages: Packages { apt: "chromium", dnf: "chromium", pacman: "chromium", brew: "--cask chromium" },
};

/// The letters of the approved pictures.
pub(crate) const FONTS: Need = Need {
    what: "the DejaVu fonts",
    why: "pictures of the console are compared to approved ones, which are written in them",
    present: || {
        command::output(Command::new("fc-match").args(["-f", "%{family}", "DejaVu Sans"]))
            .map_or(true, |it| it.contains("DejaVu Sans"))
    },
    packages: Packages {
        apt: "fonts-dejavu-core",
        dnf: "dejavu-sans-fonts dejavu-sans-mono-fonts",
        pacman: "ttf-dejavu",
        brew: "--cask font-dejavu",
    },
};

/// What steers the browser.
pub(crate) const CHROMEDRIVER: Need = Need {
    what: "chromedriver",
    why: "the browser tests steer Chromium with it",
    present: || chromedriver().is_some(),
    packages: Packages { apt: "chromium-driver", dnf: "chromedriver", pacman: "chromium", brew: "--cask chromedriver" },
};

/// What makes the Python environment of the tests.
pub(crate) const PYTHON: Need = Need {
    what: "Python 3 with venv and pip",
    why: "the official Python SDK is tested against the servers, in an environment of its own",
    present: || python().is_some(),
    packages: Packages {
        apt: "python3 python3-venv python3-pip",
        dnf: "python3 python3-pip",
        pacman: "python",
        brew: "python",
    },
};

/// What runs and installs the JavaScript clients of the tests.
pub(crate) const NODE: Need = Need {
    what: "Node.js with npm",
    why: "the JavaScript clients of tests/node are tested against the servers",
    present: || node().is_some() && tools::find(&["npm"]).is_some(),
    packages: Packages { apt: "nodejs npm", dnf: "nodejs npm", pacman: "nodejs npm", brew: "node" },
};

/// What builds libFuzzer, which is written in C++.
pub(crate) const CPLUSPLUS: Need = Need {
    what: "a C++ compiler",
    why: "libFuzzer is built from its sources",
    present: || tools::find(&["c++", "g++", "clang++"]).is_some(),
    packages: Packages { apt: "g++", dnf: "gcc-c++", pacman: "gcc", brew: "llvm" },
};

pub(crate) fn chromium() -> Option<PathBuf> {
    tools::chosen("XENOXIDE_CHROMIUM", &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"])
}

pub(crate) fn chromedriver() -> Option<PathBuf> {
    tools::chosen("XENOXIDE_CHROMEDRIVER", &["chromedriver"])
}

pub(crate) fn node() -> Option<PathBuf> {
    tools::chosen("XENOXIDE_NODE", &["node"])
}

/// The first Python that can make virtual environments. Debian splits that off into a package of its own.
pub(crate) fn python() -> Option<PathBuf> {
    let mut found = tools::find_all("python3");
    found.extend(tools::find_all("python"));
    found.into_iter().find(|python| {
        command::succeeds(
            Command::new(python).args(["-c", "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))"]),
        )
    })
}

/// Whether system packages can be installed here, as far as one can tell without trying.
pub(crate) fn can_install(workspace: &Workspace) -> bool {
    workspace.install && Root::for_apt().is_some()
}

/// Installs those of `needs` that are missing, or says how to.
pub(crate) fn ensure(workspace: &Workspace, needs: &[&'static Need]) -> Result<(), Stop> {
    let missing: Vec<&Need> = needs.iter().copied().filter(|need| !(need.present)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let Some(root) = Root::for_apt().filter(|_| workspace.install) else {
        return Err(Stop::failed(by_hand(&missing, Manager::of_this_system(), tools::find(&["sudo"]).is_some())));
    };
    eprintln!("Installing Debian packages with apt-get:");
    for need in &missing {
        eprintln!("  {} ({}): {}", need.what, need.packages.apt, need.why);
    }
    let mut update = root.command(workspace);
    update.args(["apt-get", "update", "--quiet"]);
    if let Err(stop) = show_and_run(&mut update) {
        // One broken third-party source must not stop what the others can deliver.
        eprintln!("warning: {}; going on with the package lists that are here", stop.message);
    }
    let mut install = root.command(workspace);
    install.args(["apt-get", "install", "--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=600"]);
    install.args(packages(&missing, |packages| packages.apt));
    show_and_run(&mut install)?;
    let still: Vec<&str> = missing.iter().filter(|need| !(need.present)()).map(|need| need.what).collect();
    if still.is_empty() {
        Ok(())
    } else {
        Err(Stop::failed(format!(
            "apt-get succeeded, but {} cannot be used afterwards: is it too old, or PATH ({}) incomplete?",
            still.join(" and "),
            std::env::var_os("PATH").unwrap_or_default().display()
        )))
    }
}

/// Runs a command that installs something, after showing it.
pub(crate) fn show_and_run(command: &mut Command) -> Result<(), Stop> {
    eprintln!("  $ {}", command::describe(command));
    command::run(command.stdin(Stdio::null()))
}

/// Stops where nothing may be installed, naming what is missing and the commands for it.
pub(crate) fn may_install(workspace: &Workspace, what: &str, commands: &[&Command]) -> Result<(), Stop> {
    if workspace.install {
        return Ok(());
    }
    let commands: Vec<String> = commands.iter().map(|command| format!("  {}", command::describe(command))).collect();
    Err(Stop::failed(format!("missing: {what}. Install with:\n{}", commands.join("\n"))))
}

/// How xtask gets the rights to run apt-get.
enum Root {
    Already,
    Sudo { ask: bool },
}

impl Root {
    /// None where apt-get is not Debian's, or the rights cannot be had.
    fn for_apt() -> Option<Self> {
        if !is_debian(Path::new("/etc/os-release")) || tools::find(&["apt-get"]).is_none() {
            return None;
        }
        if command::output(Command::new("id").arg("-u")).is_ok_and(|id| id == "0") {
            return Some(Self::Already);
        }
        tools::find(&["sudo"])?;
        // Without a terminal nobody can type a password: sudo has to know already.
        let ask = std::io::IsTerminal::is_terminal(&std::io::stdin());
        (ask || command::succeeds(Command::new("sudo").args(["-n", "true"]))).then_some(Self::Sudo { ask })
    }

    fn command(&self, workspace: &Workspace) -> Command {
        match self {
            Self::Already => {
                let mut command = workspace.command("env");
                command.arg("DEBIAN_FRONTEND=noninteractive");
                command
            }
            Self::Sudo { ask } => {
                let mut command = workspace.command("sudo");
                if !ask {
                    command.arg("-n");
                }
                command.args(["env", "DEBIAN_FRONTEND=noninteractive"]);
                command
            }
        }
    }
}

fn is_debian(os_release: &Path) -> bool {
    // Only Debian itself: Ubuntu's chromium package, for one, is a stub that asks for a snap.
    std::fs::read_to_string(os_release)
        .is_ok_and(|text| text.lines().any(|line| matches!(line, "ID=debian" | "ID=\"debian\"")))
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Manager {
    Apt,
    Dnf,
    Pacman,
    Brew,
    Unknown,
}

impl Manager {
    fn of_this_system() -> Self {
        let known = [("apt-get", Self::Apt), ("dnf", Self::Dnf), ("pacman", Self::Pacman), ("brew", Self::Brew)];
        known.into_iter().find(|(program, _)| tools::find(&[program]).is_some()).map_or(Self::Unknown, |(_, it)| it)
    }

    /// What one types before the packages; SUDO stands for the way to root's rights.
    fn command(self) -> &'static str {
        match self {
            Self::Apt => "SUDO apt-get update && SUDO apt-get install",
            Self::Dnf => "SUDO dnf install",
            Self::Pacman => "SUDO pacman -S",
            Self::Brew => "brew install",
            Self::Unknown => "",
        }
    }

    fn of(self, packages: &Packages) -> &'static str {
        match self {
            Self::Apt => packages.apt,
            Self::Dnf => packages.dnf,
            Self::Pacman => packages.pacman,
            Self::Brew => packages.brew,
            Self::Unknown => "",
        }
    }
}

fn packages(needs: &[&Need], of: impl Fn(&Packages) -> &'static str) -> Vec<&'static str> {
    let mut names: Vec<&str> = Vec::new();
    for name in needs.iter().flat_map(|need| of(&need.packages).split_whitespace()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// What to tell somebody on whose system xtask cannot install.
fn by_hand(missing: &[&Need], manager: Manager, sudo: bool) -> String {
    let mut text = String::from("missing:");
    for need in missing {
        text.push_str(&format!("\n  {}: {}", need.what, need.why));
    }
    let names = packages(missing, |packages| manager.of(packages));
    if names.is_empty() {
        text.push_str("\nInstall that with your system's package manager, so that it is found on PATH.");
        return text;
    }
    let as_root = if sudo || manager == Manager::Brew { "" } else { " as root" };
    let command = manager.command().replace("SUDO ", if sudo { "sudo " } else { "" });
    text.push_str(&format!("\nInstall{as_root} with:\n  {command} {}", names.join(" ")));
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;
    use crate::workspace::scratch;

    #[test]
    fn what_cannot_be_installed_is_named_with_its_command() {
        let text = by_hand(&[&CHROMIUM, &CHROMEDRIVER], Manager::Apt, true);
        assert!(text.contains("Chromium: the browser tests run"), "{text}");
        assert!(text.ends_with("sudo apt-get update && sudo apt-get install chromium chromium-driver"), "{text}");
        // One package may bring two needs; it is named once.
        let text = by_hand(&[&CHROMIUM, &CHROMEDRIVER], Manager::Pacman, false);
        assert!(text.ends_with("Install as root with:\n  pacman -S chromium"), "{text}");
    }

    #[test]
    fn an_unknown_system_gets_no_made_up_command() {
        let text = by_hand(&[&NODE], Manager::Unknown, true);
        assert!(text.contains("Node.js") && text.contains("your system's package manager"), "{text}");
    }

    #[test]
    fn only_debian_itself_is_debian() {
        let dir = scratch("os-release");
        let file = dir.join("os-release");
        std::fs::write(&file, "NAME=\"Debian GNU/Linux\"\nID=debian\n").unwrap();
        assert!(is_debian(&file));
        std::fs::write(&file, "NAME=Ubuntu\nID=ubuntu\nID_LIKE=debian\n").unwrap();
        assert!(!is_debian(&file));
        assert!(!is_debian(&dir.join("absent")));
    }
}
