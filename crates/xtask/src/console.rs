//! Building the console: from `web/` to the files that a server serves, in `target/web/dist`.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::command::{self, Stop};
use crate::stamps::key_of_files;
use crate::tidy;
use crate::toolchain::{Toolchain, WASM};
use crate::workspace::Workspace;

/// How the console is compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As small as can be: what is delivered and tested.
    Small,
    /// Quickly, with function names in traces.
    Dev,
}

/// Flags for the compiler of the console.
const RUSTFLAGS: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS";

/// A program of the console.
struct Module {
    /// As cargo knows it.
    bin: &'static str,
    /// The stem of its files.
    name: &'static str,
    /// What says that it was bound.
    stamp: &'static str,
    /// Whether it is cut into parts that are loaded when they are needed.
    parts: bool,
}

/// The console, and the pool within the browser, which only those download who want one.
const MODULES: [Module; 2] = [
    Module { bin: "xenoxide-web", name: "xenoxide_web", stamp: "bindgen", parts: true },
    Module { bin: "xenoxide-sim", name: "xenoxide_sim", stamp: "bindgen-sim", parts: false },
];

/// Builds the console and gives the folder of its files. What has not changed is not done again.
pub(crate) fn build(workspace: &Workspace, mode: Mode) -> Result<PathBuf, Stop> {
    let web = workspace.target.join("web");
    let bindings = web.join("bindgen");
    let dist = web.join("dist");
    let built = compile(workspace, mode)?;
    let mut files = BTreeMap::new();
    for module in &MODULES {
        let bindings = bindings.join(module.name);
        bind(workspace, mode, module, &built.join(module.bin).with_extension("wasm"), &bindings)?;
        list(&bindings, Path::new(""), &mut files)?;
    }
    list(&workspace.root.join("web/static"), Path::new(""), &mut files)?;
    let index = workspace.root.join("web/index.html");
    if !index.is_file() {
        return Err(Stop::failed(format!("{} is missing: the console starts from it", index.display())));
    }
    files.insert("index.html".into(), index);
    files.insert("api.json".into(), catalogue(workspace, &web)?);
    mirror(&files, &dist)?;
    Ok(dist)
}

/// Writes what the console's explorer loads when somebody opens it, and gives the file.
fn catalogue(workspace: &Workspace, web: &Path) -> Result<PathBuf, Stop> {
    let file = web.join("api.json");
    let mut cargo = workspace.cargo();
    cargo.args(["run", "--quiet", "--package", "xenapi-model", "--example", "catalogue", "--"]).arg(&file);
    command::run(&mut cargo)?;
    Ok(file)
}

/// Compiles `web/` and gives the folder of the modules that rustc made.
fn compile(workspace: &Workspace, mode: Mode) -> Result<PathBuf, Stop> {
    const FOLDER: &str = "wasm";
    let toolchain = Toolchain::ensure(workspace, &WASM)?;
    for module in &MODULES {
        let mut cargo = toolchain.cargo(workspace, &WASM, "rustc", FOLDER);
        cargo.args(["--package", "xenoxide-web", "--bin", module.bin]);
        if mode == Mode::Small {
            cargo.args(["--profile", "web"]);
            if toolchain.builds_std() {
                // A panic stops the program at once, and the page says so: the code that would make a message of it is a tenth of what
                // everybody downloads. A build for development has the messages.
                cargo.args(["-Zpanic-immediate-abort", "--config", "profile.web.panic=\"immediate-abort\""]);
                cargo.env(RUSTFLAGS, "-Zlocation-detail=none");
            }
        }
        if module.parts {
            // What refers to what, for cutting it. Said to this one program alone, so that both are made of the same libraries.
            cargo.args(["--", "-Clink-arg=--emit-relocs"]);
        }
        command::run(&mut cargo)?;
    }
    let profile = if mode == Mode::Small { "web" } else { "debug" };
    Ok(workspace.target.join(FOLDER).join(WASM.triple).join(profile))
}

/// Turns rustc's module into one with its JavaScript, in `out`, unless that was done with the same module.
fn bind(workspace: &Workspace, mode: Mode, program: &Module, module: &Path, out: &Path) -> Result<(), Stop> {
    let sources = workspace.root.join("crates/xtask-web");
    let inputs = ["Cargo.toml", "src/main.rs", "src/bindgen.rs", "src/split.rs"].map(|file| sources.join(file));
    let mut read: Vec<&Path> = inputs.iter().map(PathBuf::as_path).collect();
    read.push(module);
    let key = format!("{} {}", key_of_files(&read)?, if mode == Mode::Dev { "names" } else { "no-names" });
    let produced = out.join(format!("{}_bg.wasm", program.name));
    let script = out.join(format!("{}.js", program.name));
    if workspace.stamps.holds(program.stamp, &key) && produced.is_file() && script.is_file() {
        return Ok(());
    }
    tidy::check_bindgen_versions(workspace)?;
    workspace.stamps.clear(program.stamp)?;
    // Snippets and parts of a former build must not stay.
    remove_dir(out)?;
    let mut bindgen = workspace.xtask_web();
    bindgen.args([OsStr::new("bindgen"), OsStr::new("--input"), module.as_os_str()]);
    bindgen.args([OsStr::new("--out"), out.as_os_str(), OsStr::new("--name"), OsStr::new(program.name)]);
    if mode == Mode::Dev {
        bindgen.arg("--keep-names");
    }
    if program.parts {
        bindgen.arg("--parts");
    }
    command::run(&mut bindgen)?;
    workspace.stamps.set(program.stamp, &key)
}

fn remove_dir(dir: &Path) -> Result<(), Stop> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Stop::failed(format!("remove {}: {error}", dir.display())))
        }
        _ => Ok(()),
    }
}

/// Adds every file under `dir` to `files`, by its place below it. A folder that does not exist has none.
fn list(dir: &Path, below: &Path, files: &mut BTreeMap<PathBuf, PathBuf>) -> Result<(), Stop> {
    let failed = |error: io::Error| Stop::failed(format!("read {}: {error}", dir.display()));
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let Some(name) = path.file_name() else {
            continue;
        };
        let place = below.join(name);
        if path.is_dir() {
            list(&path, &place, files)?;
        } else {
            files.insert(place, path);
        }
    }
    Ok(())
}

/// Makes `dist` hold exactly `files`. A file that is right already keeps its time; one that is not is replaced at
/// once, so that a server that is running never sends half of it.
fn mirror(files: &BTreeMap<PathBuf, PathBuf>, dist: &Path) -> Result<(), Stop> {
    for (place, source) in files {
        let target = dist.join(place);
        copy_if_different(source, &target)
            .map_err(|error| Stop::failed(format!("copy {} to {}: {error}", source.display(), target.display())))?;
    }
    let mut present = BTreeMap::new();
    list(dist, Path::new(""), &mut present)?;
    for (place, path) in present {
        if !files.contains_key(&place) {
            fs::remove_file(&path).map_err(|error| Stop::failed(format!("remove {}: {error}", path.display())))?;
        }
    }
    Ok(())
}

fn copy_if_different(source: &Path, target: &Path) -> io::Result<()> {
    let bytes = fs::read(source)?;
    if fs::read(target).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    if let Some(dir) = target.parent() {
        fs::create_dir_all(dir)?;
    }
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = target.with_file_name(name);
    fs::write(&fresh, bytes)?;
    fs::rename(&fresh, target)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;
    use crate::workspace::scratch;

    fn put(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn files_of(dir: &Path) -> BTreeMap<PathBuf, PathBuf> {
        let mut files = BTreeMap::new();
        list(dir, Path::new(""), &mut files).unwrap();
        files
    }

    #[test]
    fn dist_becomes_exactly_the_sources() {
        let dir = scratch("mirror");
        let (source, dist) = (dir.join("static"), dir.join("dist"));
        put(&source.join("app.css"), "a{}");
        put(&source.join("icons/vm.svg"), "<svg/>");
        put(&dist.join("icons/old.svg"), "<svg/>");
        put(&dist.join("app.css"), "b{}");
        mirror(&files_of(&source), &dist).unwrap();
        let places: Vec<PathBuf> = files_of(&dist).into_keys().collect();
        assert_eq!(places, [PathBuf::from("app.css"), PathBuf::from("icons/vm.svg")]);
        assert_eq!(fs::read_to_string(dist.join("app.css")).unwrap(), "a{}");
    }

    #[test]
    fn a_file_that_is_right_is_left_alone() {
        let dir = scratch("untouched");
        let (source, dist) = (dir.join("static"), dir.join("dist"));
        put(&source.join("app.css"), "a{}");
        mirror(&files_of(&source), &dist).unwrap();
        let written = fs::metadata(dist.join("app.css")).unwrap().modified().unwrap();
        mirror(&files_of(&source), &dist).unwrap();
        assert_eq!(fs::metadata(dist.join("app.css")).unwrap().modified().unwrap(), written);
    }

    #[test]
    fn a_source_that_vanished_is_named() {
        let dir = scratch("vanished");
        let files = BTreeMap::from([(PathBuf::from("a.css"), dir.join("gone.css"))]);
        let stop = mirror(&files, &dir.join("dist")).unwrap_err();
        assert!(stop.message.contains("gone.css"), "{}", stop.message);
    }
}
