//! Cutting the linked module into the first part and those that are loaded when they are needed.

use std::fs;
use std::path::{Path, PathBuf};

use wasm_split_cli_support::{Options, transform};
use wasmparser::{Parser, Payload};

/// Cuts the module at `input`, which was linked with `--emit-relocs`. What is loaded later goes to `out`, with the script that loads it;
/// gives the first part, which still wants wasm-bindgen. `name` is the stem that wasm-bindgen will use; `keep_names` keeps the names of
/// functions.
pub(crate) fn run(input: &Path, out: &Path, name: &str, keep_names: bool) -> Result<PathBuf, String> {
    let failed = |error: &dyn std::fmt::Display| format!("cut {}: {error}", input.display());
    let bytes = fs::read(input).map_err(|error| failed(&error))?;
    // Beside the input, since what is in `out` is delivered.
    let first = input.with_extension("first.wasm");
    let main_module = format!("./{name}.js");
    let link_name = format!("./{name}_parts.js");
    let mut options = Options::new(&bytes);
    options.output_dir = out;
    options.main_out_path = &first;
    options.main_module = &main_module;
    options.link_name = &link_name;
    options.emit_dwarf = false;
    let done = transform(options).map_err(|error| failed(&format!("{error:#}")))?;
    if done.split_modules.is_empty() {
        return Err(failed(&"it has no parts; was it linked with --emit-relocs?"));
    }
    if !keep_names {
        for part in &done.split_modules {
            let bytes = fs::read(part).map_err(|error| failed(&error))?;
            let bare = without_remarks(&bytes).map_err(|error| failed(&error))?;
            fs::write(part, bare).map_err(|error| failed(&error))?;
        }
    }
    Ok(first)
}

/// A module without its custom sections: the names of functions and who made it, which are a third of its size.
fn without_remarks(module: &[u8]) -> wasmparser::Result<Vec<u8>> {
    let mut bare = Vec::with_capacity(module.len());
    // The magic number and the version are before the first section; each section ends where the next one begins.
    let mut from = 0_u64;
    // A module that is in memory is no longer than memory.
    let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        let is_custom = matches!(payload, Payload::CustomSection(_));
        let end = match &payload {
            Payload::Version { range, .. } => range.end,
            Payload::CustomSection(section) => section.range().end,
            Payload::End(end) => *end,
            payload => payload.as_section().map_or(from, |(_, range)| range.end),
        };
        if !is_custom && end > from {
            bare.extend_from_slice(module.get(at(from)..at(end)).unwrap_or_default());
        }
        from = from.max(end);
    }
    Ok(bare)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;

    #[test]
    fn a_module_loses_its_remarks_and_nothing_else() {
        let head = b"\0asm\x01\0\0\0".as_slice();
        // A type section with `() -> ()`, a function of that type, and its body that returns.
        let (types, functions, code) =
            (b"\x01\x04\x01\x60\0\0".as_slice(), b"\x03\x02\x01\0".as_slice(), b"\x0a\x04\x01\x02\0\x0b".as_slice());
        let remark = b"\0\x05\x04name".as_slice();
        let bare = [head, types, functions, code].concat();
        assert_eq!(without_remarks(&bare).unwrap(), bare);
        let remarked = [head, remark, types, functions, remark, code, remark].concat();
        assert_eq!(without_remarks(&remarked).unwrap(), bare);
        assert!(without_remarks(&remarked[..remarked.len() - 1]).is_err());
    }

    #[test]
    fn a_module_without_parts_is_refused() {
        let dir = std::env::temp_dir().join(format!("xtask-web-split-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let input = dir.join("a.wasm");
        fs::write(&input, b"\0asm\x01\0\0\0").unwrap();
        assert!(run(&input, &dir, "a", false).unwrap_err().contains("a.wasm"));
        fs::remove_dir_all(&dir).unwrap();
    }
}
