//! Where something is in a document, for people.

use alloc::string::String;

use memchr::{memchr_iter, memrchr};

/// How much is shown before and behind the place.
const BEFORE: usize = 24;
const BEHIND: usize = 56;

/// Lines counted so far. Errors come in the order in which a document is read, so that it is gone through once for all of them.
#[derive(Clone, Default)]
pub(super) struct Lines {
    counted: usize,
    ends: u64,
}

impl Lines {
    /// Line and column of that offset, from 1, if it is not on the first line.
    pub(super) fn at(&mut self, document: &[u8], offset: usize) -> Option<(u64, u64)> {
        let (from, ends) = if offset < self.counted { (0, 0) } else { (self.counted, self.ends) };
        let fresh = document.get(from..offset)?;
        let ends = ends + memchr_iter(b'\n', fresh).count() as u64;
        // An error that points back is rare, and its count is of no use for the next one.
        if offset >= self.counted {
            (self.counted, self.ends) = (offset, ends);
        }
        let start = memrchr(b'\n', document.get(..offset)?)?;
        Some((ends + 1, (offset - start) as u64))
    }
}

/// What stands around that offset, on one line. References are left out, since a session's is as good as a password; `hide` leaves
/// out all text, which in a call may be a password.
pub(super) fn excerpt(document: &[u8], offset: usize, hide: bool) -> String {
    let offset = offset.min(document.len());
    let whole = |at: &usize| document.get(*at).is_none_or(|byte| byte & 0xc0 != 0x80);
    let start = (offset.saturating_sub(BEFORE)..=offset).find(whole).unwrap_or(offset);
    let end = (offset..=(offset + BEHIND).min(document.len())).rev().find(whole).unwrap_or(offset);
    let text = String::from_utf8_lossy(document.get(start..end).unwrap_or_default());
    let mut out = String::from(if start > 0 { "`…" } else { "`" });
    // Whether the excerpt begins in text is known by the first bracket.
    let mut in_text = match text.find(['<', '>']) {
        Some(at) => text.as_bytes().get(at) == Some(&b'<'),
        None => true,
    };
    let mut rest = &*text;
    while let Some(character) = rest.chars().next() {
        if in_text && hide && character != '<' {
            let length = rest.find('<').unwrap_or(rest.len());
            out.push('…');
            rest = rest.get(length..).unwrap_or_default();
            continue;
        }
        if let Some(reference) = rest.strip_prefix("OpaqueRef:") {
            out.push_str("OpaqueRef:…");
            rest = reference.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '-');
            continue;
        }
        in_text = match character {
            '<' => false,
            '>' => true,
            _ => in_text,
        };
        out.push(if character.is_control() { ' ' } else { character });
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
    }
    out.push_str(if end < document.len() { "…`" } else { "`" });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_one() {
        let text = b"a\nbc\n\nd";
        let mut lines = Lines::default();
        let places = [(0, None), (3, Some((2, 2))), (5, Some((3, 1))), (6, Some((4, 1))), (3, Some((2, 2)))];
        for (offset, place) in places {
            assert_eq!(lines.at(text, offset), place, "{offset}");
        }
    }

    #[test]
    fn an_excerpt_is_short_and_tells_no_secret() {
        let text = "<value>OpaqueRef:1234-abcd</value>\n<value>pass&amp;word</value><value>é</value><value>é</value><value>é</value>";
        let at = text.find("pass").unwrap_or(0);
        let shown = excerpt(text.as_bytes(), at, false);
        assert!(shown.starts_with("`…") && shown.contains("pass&amp;word") && shown.ends_with("…`"), "{shown}");
        assert!(!excerpt(text.as_bytes(), 0, false).contains("1234"));
        let hidden = excerpt(text.as_bytes(), at, true);
        assert!(!hidden.contains("word") && hidden.contains("<value>…</value>"), "{hidden}");
        assert_eq!(excerpt(b"", 5, false), "``");
    }
}
