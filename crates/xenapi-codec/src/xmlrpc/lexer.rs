//! Where elements begin and end, found out as the bytes arrive.
//!
//! Knows tags, comments, CDATA sections, processing instructions and declarations, and counts how deep the elements are. What
//! they are called, and whether all of it is well-formed, is found out by whoever reads the parts that this cuts out.

use memchr::memchr;

/// What has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mark {
    /// An opening tag.
    Open,
    /// A closing tag, or an empty element.
    Close,
}

/// The place in a document of which a part is at hand. Offsets count from the start of that part.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lexer {
    /// Up to where the bytes have been looked at.
    at: usize,
    /// Where the markup begins that `at` is in.
    markup: Option<usize>,
    /// The quote that an attribute's value is in, or 0.
    quote: u8,
    /// How many elements are open.
    pub(super) depth: usize,
}

/// Markup that is not a tag, by how it begins, and how it ends.
const SECTIONS: [(&[u8], &[u8]); 4] = [(b"<!--", b"-->"), (b"<![CDATA[", b"]]>"), (b"<?", b"?>"), (b"<!", b">")];

impl Lexer {
    /// Finds the end of the next tag. `None` when the bytes at hand do not hold it; call again with the same and more.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Option<Mark> {
        loop {
            let start = match self.markup {
                Some(start) => start,
                None => {
                    let Some(found) = bytes.get(self.at..).and_then(|rest| memchr(b'<', rest)) else {
                        self.at = bytes.len();
                        return None;
                    };
                    let start = self.at + found;
                    self.at = start + 1;
                    self.markup = Some(start);
                    start
                }
            };
            let markup = bytes.get(start..)?;
            match markup.get(1)? {
                b'!' | b'?' => self.section(start, markup)?,
                b'/' => {
                    self.tag(bytes)?;
                    self.depth = self.depth.saturating_sub(1);
                    return Some(Mark::Close);
                }
                _ => {
                    self.tag(bytes)?;
                    if self.at.checked_sub(2).and_then(|at| bytes.get(at)) == Some(&b'/') {
                        return Some(Mark::Close);
                    }
                    self.depth += 1;
                    return Some(Mark::Open);
                }
            }
        }
    }

    /// Up to where the bytes have been looked at: behind the tag that was found last.
    pub(super) fn end(&self) -> usize {
        self.at
    }

    /// The first bytes, which have been looked at, are gone.
    pub(super) fn drop_front(&mut self, count: usize) {
        self.at = self.at.saturating_sub(count);
    }

    /// Finds the `>` of a tag.
    #[inline]
    fn tag(&mut self, bytes: &[u8]) -> Option<()> {
        let mut rest = bytes.get(self.at..)?;
        loop {
            let quote = self.quote;
            // Names are short, so this is quicker than setting out for many bytes at a time.
            let found = rest.iter().position(|byte| match quote {
                0 => matches!(byte, b'>' | b'"' | b'\''),
                quote => *byte == quote,
            });
            let Some(found) = found else {
                self.at = bytes.len();
                return None;
            };
            self.at += found + 1;
            match rest.get(found)? {
                b'>' if quote == 0 => {
                    self.markup = None;
                    return Some(());
                }
                byte => self.quote = if quote == 0 { *byte } else { 0 },
            }
            rest = rest.get(found + 1..)?;
        }
    }

    /// Passes over a comment, a section or a declaration.
    fn section(&mut self, start: usize, markup: &[u8]) -> Option<()> {
        let (open, close) = SECTIONS.iter().find(|(open, _)| markup.starts_with(open))?;
        // `<!` may still become a comment.
        if *open == b"<!" && SECTIONS.iter().any(|(longer, _)| longer.starts_with(markup)) {
            return None;
        }
        // The end may have begun where the bytes ended the last time, but not in the opening.
        let mut at = (self.at - start).saturating_sub(close.len() - 1).max(open.len());
        while let Some(found) = markup.get(at..).and_then(|rest| memchr(b'>', rest)) {
            at += found + 1;
            if at >= open.len() + close.len() && markup.get(..at).is_some_and(|taken| taken.ends_with(close)) {
                self.at = start + at;
                self.markup = None;
                return Some(());
            }
        }
        self.at = start + markup.len();
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const TEXT: &[u8] =
        b"\xef\xbb\xbf<?xml a='>'?><!DOCTYPE x><a b=\"<>\" c='>/'>x > y<!-- <c> -- > --><b/><![CDATA[<d>]] > ]]>\
                          <!----><b ></b ><?p <?></a>";

    #[test]
    fn any_chunks_give_the_same_marks() {
        let marks = |sizes: &mut dyn Iterator<Item = usize>| {
            let (mut lexer, mut shown, mut marks) = (Lexer::default(), 0, Vec::new());
            while shown < TEXT.len() {
                shown = (shown + sizes.next().unwrap()).min(TEXT.len());
                while let Some(mark) = lexer.next(&TEXT[..shown]) {
                    marks.push((mark, lexer.end(), lexer.depth));
                }
            }
            marks
        };
        let whole = marks(&mut core::iter::repeat(TEXT.len()));
        let kinds: Vec<(Mark, usize)> = whole.iter().map(|(mark, _, depth)| (*mark, *depth)).collect();
        use Mark::{Close, Open};
        assert_eq!(kinds, [(Open, 1), (Close, 1), (Open, 2), (Close, 1), (Close, 0)]);
        for size in 1..20 {
            assert_eq!(marks(&mut core::iter::repeat(size)), whole, "{size}");
        }
    }
}
