//! Where elements begin and end, found out as the bytes arrive.
//!
//! Knows tags, comments, CDATA sections, processing instructions and declarations, and counts how deep the elements are. What
//! they are called, and whether all of it is well-formed, is found out by whoever reads the parts that this cuts out.

use memchr::memchr;

use super::block::{behind, find_tag};

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
            if self.markup.is_none()
                && let Some(mark) = self.short_tag(bytes)
            {
                return Some(mark);
            }
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

    /// The tag that stands next, if it is near and ends within 16 bytes, as nearly all do.
    #[inline(always)]
    fn short_tag(&mut self, bytes: &[u8]) -> Option<Mark> {
        let rest = bytes.get(self.at..)?;
        // Behind a tag there often is another.
        let skipped = if rest.first() == Some(&b'<') { 0 } else { memchr(b'<', rest)? };
        let start = self.at + skipped;
        let tag = bytes.get(start..)?.first_chunk::<16>()?;
        if matches!(tag[1], b'!' | b'?') {
            return None;
        }
        let both = u128::from_le_bytes(*tag);
        #[allow(clippy::cast_possible_truncation, reason = "the low half")]
        let (low, high) = (tag_ends_in(both as u64), tag_ends_in((both >> 64) as u64));
        let last = if low != 0 { low.trailing_zeros() / 8 } else { 8 + high.trailing_zeros() / 8 } as usize;
        // Nothing found, or a quote.
        if tag.get(last) != Some(&b'>') {
            return None;
        }
        self.at = start + last + 1;
        if tag[1] == b'/' {
            self.depth = self.depth.saturating_sub(1);
            return Some(Mark::Close);
        }
        if tag[last.saturating_sub(1)] == b'/' {
            return Some(Mark::Close);
        }
        self.depth += 1;
        Some(Mark::Open)
    }

    /// Passes over what xapi writes, as far as it is at hand: members and items whole, where a container begins, and where one ends, as
    /// long as the depth stays above `floor`. So nothing is passed over at whose end the depth is `floor` or less.
    #[inline]
    pub(super) fn pass_usual(&mut self, bytes: &[u8], floor: usize) {
        if self.markup.is_some() {
            return;
        }
        let Some(mut rest) = bytes.get(self.at..) else { return };
        while let Some((depth, next)) = usual(rest, self.depth, floor) {
            self.depth = depth;
            rest = next;
        }
        self.at = bytes.len() - rest.len();
    }

    /// At the start of bytes, in which nothing has been looked at, with so many elements around them.
    pub(super) fn within(depth: usize) -> Self {
        Lexer { depth, ..Lexer::default() }
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

/// What stands behind the member, the item or the ends of a container, and the depth there.
#[inline(always)]
fn usual(bytes: &[u8], depth: usize, floor: usize) -> Option<(usize, &[u8])> {
    if let Some(name) = behind(bytes, b"<member><name>") {
        let value = text_and(name, b"</name><value>")?;
        return match value.first()? {
            b'<' => container(value, depth + 2, b"</value></member>").filter(|(after, _)| *after > depth || depth > floor),
            _ if depth > floor => Some((depth, text_and(value, b"</value></member>")?)),
            _ => None,
        };
    }
    if let Some(value) = behind(bytes, b"<value>") {
        return match value.first()? {
            b'<' => container(value, depth + 1, b"</value>").filter(|(after, _)| *after > depth || depth > floor),
            _ if depth > floor => Some((depth, text_and(value, b"</value>")?)),
            _ => None,
        };
    }
    // The end of a container, and of the member or the item that it is.
    let (closed, rest) = match behind(bytes, b"</struct></value>") {
        Some(rest) => (2, rest),
        None => (3, behind(bytes, b"</data></array></value>")?),
    };
    let (closed, rest) = match behind(rest, b"</member>") {
        Some(rest) => (closed + 1, rest),
        // An item of an array; what else may follow is for others to see.
        None => behind(rest, b"<value>").map(|_| (closed, rest))?,
    };
    if depth > floor + closed { Some((depth - closed, rest)) } else { None }
}

/// Behind `<value>`, inside of which the depth is `inside`: the first tag of a container; or all of an empty value, a container or a
/// truth value, with the tags that close it.
#[inline(always)]
fn container<'b, const N: usize>(value: &'b [u8], inside: usize, close: &[u8; N]) -> Option<(usize, &'b [u8])> {
    let outside = inside - if N == b"</value>".len() { 1 } else { 2 };
    match value.get(1)? {
        b'b' => {
            let (_, rest) = behind(value, b"<boolean>")?.split_first_chunk::<1>()?;
            Some((outside, behind(behind(rest, b"</boolean>")?, close)?))
        }
        b's' => {
            let rest = behind(value, b"<struct>")?;
            match behind(rest, b"</struct>") {
                Some(rest) => Some((outside, behind(rest, close)?)),
                None => Some((inside + 1, rest)),
            }
        }
        b'a' => {
            let rest = behind(value, b"<array><data>")?;
            match behind(rest, b"</data></array>") {
                Some(rest) => Some((outside, behind(rest, close)?)),
                None => Some((inside + 2, rest)),
            }
        }
        b'd' => {
            let rest = text_and(behind(value, b"<dateTime.iso8601>")?, b"</dateTime.iso8601>")?;
            Some((outside, behind(rest, close)?))
        }
        _ => Some((outside, behind(value, close)?)),
    }
}

/// What stands behind the next tags, if they are those.
#[inline(always)]
fn text_and<'b, const N: usize>(bytes: &'b [u8], tags: &[u8; N]) -> Option<&'b [u8]> {
    behind(bytes.get(find_tag(bytes)?..)?, tags)
}

/// The high bit of each byte that is `>`, `"` or `'`. Bytes above the first one found may be wrong.
#[inline(always)]
fn tag_ends_in(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let is = |byte: u8| zeros(word ^ (ONES * u64::from(byte)));
    (is(b'>') | is(b'"') | is(b'\'')) & HIGHS
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

    #[test]
    fn what_is_passed_over_changes_no_other_mark() {
        const INNER: &str = "<member><name>x</name><value>one &lt; two</value></member><member><name></name><value></value></member>\
             <member><name>s</name><value><struct><member><name>y</name><value> </value></member></struct></value></member>\
             <member><name>e</name><value><struct></struct></value></member><member><name>b</name><value><boolean>1</boolean></value>\
             </member><member><name>a</name><value><array><data><value>1</value><value><struct></struct></value><value><array><data>\
             <value><struct><member><name>z</name><value/></member></struct></value><value><boolean>0</boolean></value></data></array>\
             </value><value></value></data></array></value></member><member><name>t</name><value><dateTime.iso8601>2</dateTime.iso8601>\
             </value></member><member><name>!</name><value><!-- </value> --><i4>3</i4></value></member><value>4</value ><value>\
             <array><data></data></array></value>";
        let text = alloc::format!("<a><b>{INNER}</b>{INNER}<c/></a>").into_bytes();
        for floor in 0..6 {
            let outer = |pass: bool, size: usize| {
                let (mut lexer, mut marks) = (Lexer::default(), Vec::new());
                for shown in (1..=text.len()).filter(|shown| shown % size == 0 || *shown == text.len()) {
                    loop {
                        if pass && lexer.depth >= floor {
                            lexer.pass_usual(&text[..shown], floor);
                        }
                        let Some(mark) = lexer.next(&text[..shown]) else { break };
                        // Where something begins may be passed over, where it ends not.
                        if lexer.depth <= floor && mark == Mark::Close {
                            marks.push((lexer.depth, lexer.end()));
                        }
                    }
                }
                (marks, lexer.depth)
            };
            let plain = outer(false, 1);
            assert!(plain.1 == 0 && !plain.0.is_empty(), "{plain:?}");
            for size in [1, 2, 7, 30, 1000, text.len()] {
                assert_eq!(outer(true, size), plain, "{size}, {floor}");
            }
        }
    }
}
