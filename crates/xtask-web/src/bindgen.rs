//! wasm-bindgen as a library, after the module was cut into parts.

use std::path::Path;

use wasm_bindgen_cli_support::Bindgen;

/// The stem of the written files unless another is asked for: `xenoxide_web.js` and `xenoxide_web_bg.wasm`.
pub(crate) const OUT_NAME: &str = "xenoxide_web";

/// Reads the module that rustc made at `input` and writes the module and its JavaScript for browsers into `out`, named after `name`.
///
/// `keep_names` keeps function names, for readable traces in a development build; they are a third of the size.
///
/// `parts` says that the module is the first of several, which find what they share among its exports.
pub(crate) fn run(input: &Path, out: &Path, name: &str, keep_names: bool, parts: bool) -> Result<(), String> {
    let mut bindgen = Bindgen::new();
    let prepared = bindgen
        .input_path(input)
        .out_name(name)
        .typescript(false)
        .remove_name_section(!keep_names)
        .remove_producers_section(true)
        // So that `init()` without arguments finds the module beside its JavaScript, as from wasm-bindgen's command.
        .omit_default_module_path(false)
        .keep_lld_exports(parts)
        .web(true);
    prepared
        .and_then(|bindgen| bindgen.generate(out))
        .map_err(|error| format!("wasm-bindgen on {}: {error:#}", input.display()))
}
