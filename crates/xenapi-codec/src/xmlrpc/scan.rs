//! The bytes below the scanner: a window of the document that is known to be sound, and what stands where in it.
//!
//! Nothing here reports an error. A step either finds what xapi writes and says where it ends, or finds something else and says
//! so with `None`; the reader then shows it more of the document ([`Scan::slide`]), and if that does not help, the general
//! reader takes over.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use memchr::{memchr, memchr3, memrchr};

use super::block::{BLOCK, find_markup, find_replaced, first_of};
use super::tag::{Tag, character, is_allowed};

/// How much of the document is checked at a time. Small enough that it is still in the cache when it is read.
const WINDOW: usize = 32 * 1024;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// A place in a document.
#[derive(Clone)]
pub(super) struct Scan<'a> {
    document: &'a [u8],
    /// A part of the document that is UTF-8 and holds no character that XML forbids.
    window: &'a str,
    /// Where the window begins in the document.
    base: usize,
    /// The place, in the window.
    pub(super) at: usize,
    /// Whether the window holds a carriage return, which reads as a line feed.
    returns: bool,
    text_limit: usize,
}

impl<'a> Scan<'a> {
    /// The start of a document, behind its byte order mark.
    pub(super) fn new(document: &'a [u8], text_limit: usize) -> Self {
        let base = if document.starts_with(BOM) { BOM.len() } else { 0 };
        let mut scan = Scan { document, window: "", base, at: 0, returns: false, text_limit };
        scan.slide();
        scan
    }

    /// The place in bytes from the start of the document.
    #[inline]
    pub(super) fn offset(&self) -> u64 {
        (self.base + self.at) as u64
    }

    /// Where the tag begins that was taken last, in bytes from the start of the document.
    pub(super) fn last_tag(&self) -> u64 {
        let taken = self.document.get(..self.base + self.at).unwrap_or_default();
        memrchr(b'<', taken).unwrap_or(taken.len()) as u64
    }

    /// The window as bytes.
    #[inline]
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.window.as_bytes()
    }

    /// Moves the window so that it begins at the place. Whether it shows more of the document now.
    #[cold]
    #[inline(never)]
    pub(super) fn slide(&mut self) -> bool {
        let start = self.base + self.at;
        let shown = self.base + self.window.len();
        // At least twice what was not enough, so that long texts are not checked over and over.
        let size = WINDOW.max((shown - start) * 2);
        let end = start.saturating_add(size).min(self.document.len());
        let Some(bytes) = self.document.get(start..end) else { return false };
        let (window, has_controls) = sound(bytes);
        if start + window.len() <= shown {
            return false;
        }
        (self.window, self.base, self.at) = (window, start, 0);
        self.returns = has_controls && memchr(b'\r', window.as_bytes()).is_some();
        true
    }

    /// Whether the document ends at that place.
    pub(super) fn is_end(&self, at: usize) -> bool {
        self.base + at == self.document.len()
    }

    /// Where that literal ends, if it stands there.
    #[inline(always)]
    pub(super) fn exact<const N: usize>(&self, at: usize, literal: &[u8; N]) -> Option<usize> {
        if self.bytes().get(at..)?.first_chunk::<N>()? == literal { Some(at + N) } else { None }
    }

    /// Where those bytes end, if they stand there.
    #[inline(always)]
    pub(super) fn same(&self, at: usize, bytes: &[u8]) -> Option<usize> {
        let end = at.checked_add(bytes.len())?;
        if self.bytes().get(at..end)? == bytes { Some(end) } else { None }
    }

    /// Where the blanks end that stand there, if any.
    pub(super) fn blanks(&self, at: usize) -> usize {
        let rest = self.bytes().get(at..).unwrap_or_default();
        at + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count()
    }

    /// Where that tag ends, if it stands there or behind blanks.
    #[inline]
    pub(super) fn tag<const N: usize>(&self, at: usize, literal: &[u8; N]) -> Option<usize> {
        self.exact(at, literal).or_else(|| self.same(self.blanks(at), literal))
    }

    /// The text that stands there, up to the next `<`, and where it ends.
    #[inline(always)]
    pub(super) fn text(&self, at: usize) -> Option<(Cow<'a, str>, usize)> {
        let rest = self.bytes().get(at..)?;
        let length = if self.returns { memchr3(b'<', b'&', b'\r', rest)? } else { find_markup(rest)? };
        let end = at + length;
        if self.bytes().get(end) != Some(&b'<') {
            return self.resolved(at, end);
        }
        if length > self.text_limit {
            return None;
        }
        Some((Cow::Borrowed(self.window.get(at..end)?), end))
    }

    /// How long a text may be in which there is no reference, if that is all that may be replaced in it.
    pub(super) fn longest_plain(&self) -> Option<usize> {
        if self.returns { None } else { Some(self.text_limit) }
    }

    /// Where the text ends that stands there, if it is right. Nothing is made of it.
    #[inline(always)]
    pub(super) fn pass_text(&self, at: usize) -> Option<usize> {
        let rest = self.bytes().get(at..)?;
        let length = if self.returns { memchr3(b'<', b'&', b'\r', rest)? } else { find_markup(rest)? };
        let end = at + length;
        if self.bytes().get(end) == Some(&b'<') {
            return if length > self.text_limit { None } else { Some(end) };
        }
        self.pass_resolved(length, end)
    }

    #[inline(never)]
    fn pass_resolved(&self, before: usize, first: usize) -> Option<usize> {
        let end = first + memchr(b'<', self.bytes().get(first..)?)?;
        let length = before + resolved_length(self.bytes().get(first..end)?)?;
        if length > self.text_limit { None } else { Some(end) }
    }

    /// Text with references or carriage returns in it, the first of which is at `first`.
    #[inline(never)]
    fn resolved(&self, at: usize, first: usize) -> Option<(Cow<'a, str>, usize)> {
        let end = first + memchr(b'<', self.bytes().get(first..)?)?;
        let mut text = Vec::with_capacity(end - at);
        text.extend_from_slice(self.bytes().get(at..first)?);
        resolve(self.bytes().get(first..end)?, &mut text)?;
        // Pieces between references of what is UTF-8, and characters.
        let mut text = String::from_utf8(text).ok()?;
        if text.len() > self.text_limit {
            return None;
        }
        // Every reference is longer than what it stands for, and this text may be kept for long.
        if text.capacity() - text.len() > text.len() / 8 {
            text.shrink_to_fit();
        }
        Some((Cow::Owned(text), end))
    }

    /// The opening tag of a scalar that stands there, where it ends, and its closing tag.
    pub(super) fn scalar_tag(&self, at: usize) -> Option<(Tag, usize, &'static [u8])> {
        let rest = self.bytes().get(at..)?;
        let known: &[(Tag, &[u8], &[u8])] = match rest.get(1)? {
            b'b' => &[(Tag::Boolean, b"<boolean>", b"</boolean>"), (Tag::Base64, b"<base64>", b"</base64>")],
            b'd' => {
                &[(Tag::Double, b"<double>", b"</double>"), (Tag::DateTime, b"<dateTime.iso8601>", b"</dateTime.iso8601>")]
            }
            b'i' => &[(Tag::Int32, b"<i4>", b"</i4>"), (Tag::Int, b"<int>", b"</int>"), (Tag::Int, b"<i8>", b"</i8>")],
            b's' => &[(Tag::String, b"<string>", b"</string>")],
            _ => &[],
        };
        let (tag, open, close) = known.iter().find(|(_, open, _)| rest.starts_with(open))?;
        Some((*tag, at + open.len(), close))
    }

    /// A decimal integer of up to 18 digits, and where it ends.
    #[inline]
    pub(super) fn integer(&self, at: usize) -> Option<(i64, usize)> {
        let rest = self.bytes().get(at..)?;
        let (negative, digits) = match rest.split_first()? {
            (b'-', digits) => (true, digits),
            _ => (false, rest),
        };
        let mut number: i64 = 0;
        let mut count = 0;
        for byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            // Too many digits are found out below; up to there nothing gets lost.
            number = number.wrapping_mul(10).wrapping_add(i64::from(digit));
            count += 1;
        }
        if count == 0 || count > 18 {
            return None;
        }
        Some((if negative { -number } else { number }, at + usize::from(negative) + count))
    }
}

/// The part from the start that is UTF-8 and holds no character that XML forbids, and whether there may be control characters in it.
fn sound(bytes: &[u8]) -> (&str, bool) {
    let text = match simdutf8::compat::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            bytes.get(..error.valid_up_to()).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or_default()
        }
    };
    // Without a way out of the loops, so that they go by many bytes at a time.
    if text.bytes().fold(u8::MAX, u8::min) >= b' ' {
        return (text, false);
    }
    let is_bad =
        |byte: u8| u8::from(byte < b' ') & u8::from(byte != b'\t') & u8::from(byte != b'\n') & u8::from(byte != b'\r');
    if text.bytes().fold(0, |bad, byte| bad | is_bad(byte)) == 0 {
        return (text, true);
    }
    let end = text.bytes().position(|byte| !is_allowed(byte)).unwrap_or(text.len());
    (text.get(..end).unwrap_or_default(), true)
}

/// How long the text is once its references are resolved and its line ends are line feeds.
#[inline(always)]
fn resolved_length(mut raw: &[u8]) -> Option<usize> {
    let mut length = 0;
    while let Some(at) = find_replaced(raw) {
        let (character, taken) = replaced(raw.get(at..)?)?;
        length += at + character.len_utf8();
        raw = raw.get(at + taken..)?;
    }
    Some(length + raw.len())
}

/// Adds the text with its references resolved and its line ends made line feeds. It gathers in a block, because references
/// stand close to each other, and small pieces are dear to append one by one.
#[inline(always)]
fn resolve(mut raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    const ENOUGH: usize = 480;
    let mut gathered = [0; ENOUGH + 2 * BLOCK];
    let mut filled = 0;
    while let Some((block, behind)) = raw.split_first_chunk::<BLOCK>() {
        if filled > ENOUGH {
            out.extend_from_slice(gathered.get(..filled)?);
            filled = 0;
        }
        let room = gathered.get_mut(filled..)?.first_chunk_mut::<{ BLOCK + 4 }>()?;
        room[..BLOCK].copy_from_slice(block);
        let Some(plain) = first_of(block, b'&', b'\r') else {
            filled += BLOCK;
            raw = behind;
            continue;
        };
        let plain = plain % BLOCK;
        let rest = raw.get(plain..)?;
        if let Some((byte, taken)) = rest.first_chunk::<8>().and_then(entity) {
            room[plain] = byte;
            filled += plain + 1;
            raw = rest.get(taken..)?;
            continue;
        }
        let (character, taken) = replaced(rest)?;
        filled += plain + character.encode_utf8(&mut room[plain..plain + 4]).len();
        raw = raw.get(plain + taken..)?;
    }
    out.extend_from_slice(gathered.get(..filled)?);
    while let Some((first, behind)) = raw.split_first() {
        if matches!(first, b'&' | b'\r') {
            let (character, taken) = replaced(raw)?;
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            raw = raw.get(taken..)?;
        } else {
            out.push(*first);
            raw = behind;
        }
    }
    Some(())
}

/// What the entity stands for that is there, and its length. As [`replaced`] says, only quicker.
#[inline(always)]
fn entity(bytes: &[u8; 8]) -> Option<(u8, usize)> {
    const fn text(text: &[u8; 8]) -> u64 {
        u64::from_le_bytes(*text)
    }
    const FOUR: u64 = 0xffff_ffff;
    const FIVE: u64 = 0xff_ffff_ffff;
    const SIX: u64 = 0xffff_ffff_ffff;
    let word = text(bytes);
    if word & SIX == text(b"&quot;\0\0") {
        return Some((b'"', 6));
    }
    match word & FOUR {
        short if short == text(b"&lt;\0\0\0\0") => Some((b'<', 4)),
        short if short == text(b"&gt;\0\0\0\0") => Some((b'>', 4)),
        _ if word & FIVE == text(b"&amp;\0\0\0") => Some((b'&', 5)),
        _ => None,
    }
}

/// What the reference or the line end stands for that is there, and its length.
#[inline(always)]
fn replaced(raw: &[u8]) -> Option<(char, usize)> {
    match raw {
        [b'&', b'l', b't', b';', ..] => Some(('<', 4)),
        [b'&', b'g', b't', b';', ..] => Some(('>', 4)),
        [b'&', b'q', b'u', b'o', b't', b';', ..] => Some(('"', 6)),
        [b'&', b'a', b'm', b'p', b';', ..] => Some(('&', 5)),
        [b'&', b'a', b'p', b'o', b's', b';', ..] => Some(('\'', 6)),
        [b'&', b'#', behind @ ..] => {
            // Longer ones may be right too, with zeros in front; the general reader knows.
            let length = behind.iter().take(11).position(|byte| *byte == b';')?;
            let number = core::str::from_utf8(raw.get(1..length + 2)?).ok()?;
            Some((character(number).ok()?, length + 3))
        }
        [b'\r', b'\n', ..] => Some(('\n', 2)),
        [b'\r', ..] => Some(('\n', 1)),
        _ => None,
    }
}
