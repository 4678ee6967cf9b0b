//! A compiler for targets that `rustup` does not install by itself.
//!
//! Three ways, the first that works: the target is there already; `rustup target add` brings it; Debian's `rustc-web`
//! builds the standard library from the sources of `rust-web-src`. The last needs nothing but Debian's archive, so
//! the workspace also builds where only package mirrors are reached.
//!
//! For programs that are downloaded there is a better way before those: the sources of the standard library (`rustup component add
//! rust-src`), built with the program and for size. Where they cannot be had, the program is a little larger.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::command::{self, Stop};
use crate::needs::{self, Need, Packages};
use crate::tools;
use crate::workspace::Workspace;

/// A target to build for, and what its standard library consists of where it has to be built too.
pub(crate) struct Target {
    pub(crate) triple: &'static str,
    /// The crates for `-Zbuild-std`.
    build_std: &'static str,
    /// Their features.
    std_features: &'static str,
    /// Whether building for it ends in linking.
    links: bool,
}

/// The browser.
/// Its programs are downloaded: std's own smaller variants of sorting and the like are what they want.
pub(crate) const WASM: Target = Target {
    triple: "wasm32-unknown-unknown",
    build_std: "std,panic_abort",
    std_features: "optimize_for_size",
    links: true,
};

/// A microcontroller without an operating system, and without 64-bit atomics.
pub(crate) const BARE: Target =
    Target { triple: "thumbv7em-none-eabihf", build_std: "core,alloc", std_features: "", links: false };

/// How long rustup may take: enough for a slow line, and not for ever where there is none.
const RUSTUP_LIMIT: Duration = Duration::from_secs(90);

/// The oldest Debian compiler that can build this workspace; the `rust-version` of the top `Cargo.toml`.
const OLDEST_MINOR: u32 = 90;

const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_SOURCES: &str = "/usr/lib/rustlib/src/rust/library/std/Cargo.toml";

const RUSTC_WEB: Need = Need {
    what: "a compiler for targets that rustup cannot get here",
    why: "it builds the console for the browser, and the crates without an operating system",
    present: debian_compiler_is_here,
    packages: Packages { apt: "rustc-web rust-web-src", dnf: "", pacman: "", brew: "" },
};

const LINKER: Need = Need {
    what: "a WebAssembly linker",
    why: "the Rust toolchain here lacks its rust-lld",
    present: || tools::find(&["wasm-ld"]).is_some(),
    packages: Packages { apt: "lld", dnf: "lld", pacman: "lld", brew: "lld" },
};

/// Which compiler builds for a target.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// The one that builds everything else; building the standard library as well, or with the one that comes with it.
    Own { builds_std: bool },
    /// Debian's, building the standard library as well; with a linker where one is needed.
    Debian { linker: Option<PathBuf> },
}

impl Toolchain {
    /// Finds, or installs, a compiler for `target`.
    pub(crate) fn ensure(workspace: &Workspace, target: &Target) -> Result<Self, Stop> {
        match std::env::var("XTASK_CROSS").as_deref() {
            Ok("debian") => return Self::debian(workspace, target),
            Ok("rustup") => return Self::own(workspace, target),
            Ok(other) => {
                return Err(Stop::usage(format!("XTASK_CROSS={other}: say `rustup` or `debian`, or leave it unset")));
            }
            Err(_) => {}
        }
        if !target.std_features.is_empty() && has_or_gets_sources(workspace) {
            return Ok(Self::Own { builds_std: true });
        }
        if has_target(target.triple) {
            return Ok(Self::Own { builds_std: false });
        }
        // Asking rustup again costs up to the whole limit; once it has failed and Debian's compiler is here, use that.
        let stamp = format!("rustup-cannot-{}", target.triple);
        let toolchain = toolchain_name();
        if workspace.stamps.holds(&stamp, &toolchain) && debian_compiler_is_here() {
            return Self::debian(workspace, target);
        }
        let refused = match Self::own(workspace, target) {
            Ok(own) => return Ok(own),
            Err(stop) => stop.message,
        };
        eprintln!("{refused}\nTrying Debian's compiler instead.");
        let debian = Self::debian(workspace, target).map_err(|stop| {
            let triple = target.triple;
            Stop::failed(format!("{}\nor, where rustup can download:\n  rustup target add {triple}", stop.message))
        })?;
        workspace.stamps.set(&stamp, &toolchain)?;
        Ok(debian)
    }

    fn own(workspace: &Workspace, target: &Target) -> Result<Self, Stop> {
        let triple = target.triple;
        if has_target(triple) {
            return Ok(Self::Own { builds_std: false });
        }
        if tools::find(&["rustup"]).is_none() {
            return Err(Stop::failed(format!("rustc has no library for {triple}, and there is no rustup to add it")));
        }
        let mut rustup = workspace.command("rustup");
        rustup.args(["target", "add", triple]);
        needs::may_install(workspace, &format!("Rust's standard library for {triple}"), &[&rustup])?;
        eprintln!("Installing Rust's standard library for {triple}, to compile for it:");
        eprintln!("  $ {}", command::describe(&rustup));
        command::run_within(&mut rustup, RUSTUP_LIMIT)?;
        if has_target(triple) {
            Ok(Self::Own { builds_std: false })
        } else {
            Err(Stop::failed(format!("rustup added {triple}, but rustc still has no library for it")))
        }
    }

    fn debian(workspace: &Workspace, target: &Target) -> Result<Self, Stop> {
        needs::ensure(workspace, &[&RUSTC_WEB])?;
        if !target.links {
            return Ok(Self::Debian { linker: None });
        }
        if let Some(linker) = rust_lld() {
            return Ok(Self::Debian { linker: Some(linker) });
        }
        needs::ensure(workspace, &[&LINKER])?;
        Ok(Self::Debian { linker: tools::find(&["wasm-ld"]) })
    }

    /// Whether it builds the standard library too, so that flags can be given which that has to know.
    pub(crate) fn builds_std(&self) -> bool {
        *self != Self::Own { builds_std: false }
    }

    /// `cargo COMMAND --target …` with this compiler, building into `target/FOLDER`: two compilers in one folder would
    /// throw away each other's work.
    pub(crate) fn cargo(&self, workspace: &Workspace, target: &Target, command: &str, folder: &str) -> Command {
        let mut cargo = workspace.cargo();
        cargo.arg(command).args(["--target", target.triple]);
        cargo.env("CARGO_TARGET_DIR", workspace.target.join(folder));
        if self.builds_std() {
            cargo.arg(format!("-Zbuild-std={}", target.build_std));
            if !target.std_features.is_empty() {
                cargo.arg(format!("-Zbuild-std-features={}", target.std_features));
            }
            // -Z options are for nightly compilers; this says that we know.
            cargo.env("RUSTC_BOOTSTRAP", "1");
        }
        if let Self::Debian { linker } = self {
            cargo.env("RUSTC", DEBIAN_RUSTC);
            // `cargo run` points this at rustup's libraries, which are not those of Debian's compiler.
            cargo.env_remove("LD_LIBRARY_PATH");
            if let Some(linker) = linker {
                let name = target.triple.to_uppercase().replace('-', "_");
                cargo.env(format!("CARGO_TARGET_{name}_LINKER"), linker);
            }
        }
        cargo
    }
}

/// Adds the formatter and the linter where Rust was installed without them.
pub(crate) fn ensure_components(workspace: &Workspace) -> Result<(), Stop> {
    let missing = || {
        let absent = |command: &str| !command::succeeds(workspace.cargo().args([command, "--version"]));
        let components = [("fmt", "rustfmt"), ("clippy", "clippy")].into_iter();
        components.filter(|(command, _)| absent(command)).map(|(_, component)| component).collect::<Vec<_>>()
    };
    let components = missing();
    if components.is_empty() {
        return Ok(());
    }
    let mut rustup = workspace.command("rustup");
    rustup.args(["component", "add"]).args(&components);
    let what = components.join(" and ");
    needs::may_install(workspace, &what, &[&rustup])?;
    if tools::find(&["rustup"]).is_none() {
        return Err(Stop::failed(format!(
            "this Rust lacks {what}, and there is no rustup to add it: install it as Rust was"
        )));
    }
    eprintln!("Installing {what}, which the tests check the code with:");
    eprintln!("  $ {}", command::describe(&rustup));
    command::run_within(&mut rustup, RUSTUP_LIMIT)?;
    if missing().is_empty() { Ok(()) } else { Err(Stop::failed(format!("rustup added {what}, but cargo does not find it"))) }
}

/// Rust's own compiler, as cargo finds it.
fn rustc() -> Command {
    Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

fn has_target(triple: &str) -> bool {
    command::output(rustc().args(["--print", "target-libdir", "--target", triple])).is_ok_and(|dir| Path::new(&dir).is_dir())
}

/// Whether the sources of the standard library are here. Asks rustup for them once; nothing is lost where it has none.
fn has_or_gets_sources(workspace: &Workspace) -> bool {
    const STAMP: &str = "rustup-cannot-rust-src";
    if has_sources() {
        return true;
    }
    let toolchain = toolchain_name();
    if tools::find(&["rustup"]).is_none() || workspace.stamps.holds(STAMP, &toolchain) {
        return false;
    }
    let mut rustup = workspace.command("rustup");
    rustup.args(["component", "add", "rust-src"]);
    let what = "the sources of Rust's standard library";
    if needs::may_install(workspace, what, &[&rustup]).is_err() {
        return false;
    }
    eprintln!("Installing {what}, to build the console as small as can be:");
    eprintln!("  $ {}", command::describe(&rustup));
    if let Err(stop) = command::run_within(&mut rustup, RUSTUP_LIMIT) {
        eprintln!("{}\nThe console is built without them, a little larger.", stop.message);
        // Asked again by another toolchain, or after `cargo clean`.
        let _ = workspace.stamps.set(STAMP, &toolchain);
    }
    has_sources()
}

fn has_sources() -> bool {
    let sysroot = command::output(rustc().args(["--print", "sysroot"])).unwrap_or_default();
    !sysroot.is_empty() && Path::new(&sysroot).join("lib/rustlib/src/rust/library/std/Cargo.toml").is_file()
}

/// What a stamp about rustup depends on: another toolchain may have the target.
fn toolchain_name() -> String {
    command::output(rustc().arg("--version")).unwrap_or_default()
}

/// The linker that comes with Rust's own compiler.
fn rust_lld() -> Option<PathBuf> {
    let sysroot = PathBuf::from(command::output(rustc().args(["--print", "sysroot"])).ok()?);
    let version = command::output(rustc().arg("-vV")).ok()?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "))?;
    let linker = sysroot.join("lib/rustlib").join(host).join("bin/rust-lld");
    linker.is_file().then_some(linker)
}

fn debian_compiler_is_here() -> bool {
    Path::new(DEBIAN_SOURCES).is_file()
        && Path::new(DEBIAN_RUSTC).is_file()
        && command::output(Command::new(DEBIAN_RUSTC).arg("--version").env_remove("LD_LIBRARY_PATH"))
            .is_ok_and(|version| minor_version(&version).is_some_and(|minor| minor >= OLDEST_MINOR))
}

/// The 96 of `rustc 1.96.0 (…)`.
fn minor_version(text: &str) -> Option<u32> {
    text.strip_prefix("rustc 1.")?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minor_version_of_rustc_is_read() {
        assert_eq!(minor_version("rustc 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball)"), Some(96));
        assert_eq!(minor_version("rustc 1.63.0"), Some(63));
        assert_eq!(minor_version("gcc 12"), None);
    }

    #[test]
    fn debians_compiler_builds_the_standard_library_in_a_folder_of_its_own() {
        let workspace = Workspace::open(false).expect("the tests run in the workspace");
        let toolchain = Toolchain::Debian { linker: Some("/lld".into()) };
        let cargo = command::describe(&toolchain.cargo(&workspace, &WASM, "build", "wasm"));
        assert!(cargo.contains("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=/lld"), "{cargo}");
        assert!(cargo.contains("RUSTC=/usr/bin/rustc"), "{cargo}");
        assert!(cargo.contains("-Zbuild-std=std,panic_abort"), "{cargo}");
        let own = |builds_std| command::describe(&Toolchain::Own { builds_std }.cargo(&workspace, &WASM, "build", "wasm"));
        assert!(!own(false).contains("RUSTC") && own(false).contains("target/wasm"), "{}", own(false));
        let built = own(true);
        assert!(built.contains("-Zbuild-std-features=optimize_for_size") && !built.contains("RUSTC="), "{built}");
    }

    #[test]
    fn the_oldest_debian_compiler_is_the_workspaces_rust_version() {
        let workspace = Workspace::open(false).expect("the tests run in the workspace");
        let manifest = std::fs::read_to_string(workspace.root.join("Cargo.toml")).expect("the top Cargo.toml");
        assert!(manifest.contains(&format!("rust-version = \"1.{OLDEST_MINOR}\"")));
    }
}
