//! No words of a person's language within the console's markup: they belong to `xenapi_console::text`, where languages find them.

use std::path::Path;

/// The attributes that people read or hear.
const READ: [&str; 7] =
    ["title=", "aria-label=", "aria-description=", "aria-roledescription=", "aria-valuetext=", "placeholder=", "alt="];

/// Whether the rule holds for a file: what draws the console, without its tests.
pub(crate) fn is_markup(file: &Path) -> bool {
    file.starts_with("web/src") && file.extension().is_some_and(|it| it == "rs") && !file.ends_with("tests.rs")
}

/// The breaches of a file: literals that are read by people, with their lines.
pub(crate) fn words(file: &Path, text: &str) -> Vec<String> {
    let mut breaches = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let code = line.split("// ").next().unwrap_or(line);
        for literal in literals(code) {
            let before = &code[..literal.start];
            if is_read(before) && has_word(&code[literal.start + 1..literal.end]) {
                breaches.push(format!(
                    "{}:{}: “{}” is read by people: make it a Text",
                    file.display(),
                    at + 1,
                    &code[literal.start + 1..literal.end]
                ));
            }
        }
    }
    breaches
}

/// Whether a literal after this is a node of the markup, or the value of an attribute that people read.
fn is_read(before: &str) -> bool {
    let before = before.strip_suffix("format!(").unwrap_or(before);
    if READ.iter().any(|it| before.ends_with(it) || before.strip_suffix('{').is_some_and(|before| before.ends_with(it))) {
        return true;
    }
    // The block of a condition is one of the program, that of a node follows a tag or another node.
    let block = before.strip_suffix("{ ").map(str::trim_end);
    block.is_some_and(|block| block.is_empty() || block.ends_with(['>', '}']))
}

/// The places of the literals of a line, quotes included.
fn literals(line: &str) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    let mut escaped = false;
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b'\\' if start.is_some() => escaped = !escaped,
            b'"' if !escaped => match start.take() {
                Some(start) => found.push(start..at),
                None => start = Some(at),
            },
            _ => escaped = false,
        }
    }
    found
}

/// Whether there are two letters in a row outside of placeholders.
fn has_word(literal: &str) -> bool {
    let mut depth = 0_usize;
    let mut letters = 0;
    for character in literal.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            _ if character.is_alphabetic() => {
                letters += 1;
                if letters > 1 {
                    return true;
                }
                continue;
            }
            _ => {}
        }
        letters = 0;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(line: &str) -> usize {
        words(Path::new("web/src/a.rs"), line).len()
    }

    #[test]
    fn words_within_markup_are_found() {
        assert_eq!(count(r#"html! { <p title="Close it">{ "Hello" }</p> }"#), 2);
        assert_eq!(count(r#"<td>{ format!("{count} VMs") }</td>"#), 1);
        assert_eq!(count(r#"<input placeholder="Filter" class="field wide" />"#), 1);
    }

    #[test]
    fn what_nobody_reads_is_left_alone() {
        assert_eq!(count(r#"<p class="boot" data-testid="x" title={Text::Close.get()}>{ " · " }</p>"#), 0);
        assert_eq!(count(r#"<p data-drawer={if drawer { "open" } else { "closed" }}>"#), 0);
        assert_eq!(count(r#"let key = format!("vm-{at}");"#), 0);
        assert_eq!(count(r#"<b>{ format!("{:.0} %", share) }</b> // title="Close it""#), 0);
        assert!(!is_markup(Path::new("web/src/tests.rs")) && is_markup(Path::new("web/src/pages/shell.rs")));
    }
}
