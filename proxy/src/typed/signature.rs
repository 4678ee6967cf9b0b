//! Methods by their names: what they take, and what was meant by a name that does not exist.

use xenapi_core::Method;

use crate::serve::policy::{self, Known};

/// What a method takes and answers: `VM.start(vm: VM ref, start_paused: bool, force: bool) -> void`.
pub fn signature(method: &Method) -> String {
    let params: Vec<String> = method
        .params()
        .iter()
        .map(|param| {
            let optional = if param.required { "" } else { "?" };
            format!("{}{optional}: {}", param.name, param.ty)
        })
        .collect();
    format!("{}({}) -> {}", method.name(), params.join(", "), method.result())
}

/// A method by its name.
///
/// # Errors
/// That there is none, with the names that come nearest.
pub fn find(name: &str) -> Result<Known, String> {
    if let Some(known) = policy::look_up(name) {
        if known.is_async && !known.method.has_async() {
            return Err(format!("{} has no Async. form", known.method.name()));
        }
        return Ok(known);
    }
    let name = name.strip_prefix("Async.").unwrap_or(name);
    let all = xenapi_model::CLASSES.iter().flat_map(|class| Method::all(class));
    let names: Vec<String> = all.map(|method| method.name()).collect();
    let near = nearest(name, names.iter().map(String::as_str), 3);
    let near = if near.is_empty() {
        "`xenoxide schema` lists the classes".to_owned()
    } else {
        format!("did you mean {}?", near.join(", "))
    };
    Err(format!("there is no method {name}; {near}"))
}

/// The names that are most like a given one, the best first; none when nothing is like it. Case does not count.
pub fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>, most: usize) -> Vec<&'n str> {
    let wanted = name.to_ascii_lowercase();
    let tolerance = wanted.len().div_ceil(3).max(1);
    let mut near: Vec<(usize, &str)> = names
        .map(|name| (strsim::damerau_levenshtein(&wanted, &name.to_ascii_lowercase()), name))
        .filter(|(distance, _)| *distance <= tolerance)
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(most).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;

    #[test]
    fn a_method_shows_what_it_takes() {
        let known = find("VM.start").unwrap();
        let shown = signature(&known.method);
        assert!(
            shown.starts_with("VM.start(") && shown.contains("start_paused: bool") && shown.ends_with("-> void"),
            "{shown}"
        );
        assert!(find("Async.VM.start").unwrap().is_async);
    }

    #[test]
    fn a_name_that_does_not_exist_brings_the_nearest_ones() {
        assert!(find("vm.start").unwrap_err().contains("did you mean VM.start"));
        assert!(find("VM.strat").unwrap_err().contains("VM.start"));
        assert!(find("VM.get_by_namelabel").unwrap_err().contains("VM.get_by_name_label"));
        assert!(find("Async.VM.strat").unwrap_err().contains("VM.start"));
        assert!(find("xyzzy").unwrap_err().contains("xenoxide schema"));
        assert!(find("Async.VM.get_all").unwrap_err().contains("no Async. form"));
    }
}
