//! Maps from text to text, which every class has, in one piece of memory.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::error::ReadError;
use crate::secret::{REDACTED, is_secret_key};
use crate::wire::{Reader, Wire, Writer};

/// A map of the API from text to text, in stored order: `other_config`, `platform`, `sm_config`. Lookups scan: such maps hold a
/// handful of entries.
///
/// All of it is one piece of memory, and an empty map needs none. That is what makes records small and quick to read: most of
/// the texts of a VM stand in such maps.
///
/// ```
/// use xenapi_core::TextMap;
///
/// let mut config: TextMap = [("folder", "/web"), ("auto_poweron", "true")].into_iter().collect();
/// config.push("folder", "/shop");
/// assert_eq!(config.get("auto_poweron"), Some("true"));
/// // Of a key that came twice, the last.
/// assert_eq!(config.get("folder"), Some("/shop"));
/// assert_eq!(config.iter().next(), Some(("folder", "/web")));
/// assert_eq!(config.len(), 3);
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct TextMap {
    /// Entry by entry the length of the key, the key, the length of the value, the value. Lengths are written in characters of
    /// six bits each, the lowest first, with 64 on each but the last.
    text: Box<str>,
    count: u32,
}

const MORE: u8 = 0x40;

impl TextMap {
    /// No entries.
    pub fn new() -> Self {
        TextMap::default()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The entries in order.
    pub fn iter(&self) -> TextMapIter<'_> {
        TextMapIter { text: &self.text, at: 0, left: self.len() }
    }

    /// The keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.iter().map(|(key, _)| key)
    }

    /// The values in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &str> {
        self.iter().map(|(_, value)| value)
    }

    /// The value of that key; of a key that came twice, the last.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter().filter(|(known, _)| *known == key).last().map(|(_, value)| value)
    }

    /// Whether there is such a key.
    pub fn contains_key(&self, key: &str) -> bool {
        self.iter().any(|(known, _)| known == key)
    }

    /// Adds an entry at the end. If the key was there, [`TextMap::get`] answers the new one. Whoever adds many collects them instead,
    /// since the memory always fits.
    pub fn push(&mut self, key: impl AsRef<str>, value: impl AsRef<str>) {
        self.extend([(key, value)]);
    }
}

impl<K: AsRef<str>, V: AsRef<str>> Extend<(K, V)> for TextMap {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        let bytes = core::mem::take(&mut self.text).into_string().into_bytes();
        let mut all = TextEntries { filled: bytes.len(), bytes, count: self.count };
        for (key, value) in entries {
            all.text(key.as_ref());
            all.text(value.as_ref());
            all.count += 1;
        }
        *self = all.to_map();
    }
}

impl<K: AsRef<str>, V: AsRef<str>> FromIterator<(K, V)> for TextMap {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut all = TextMap::new();
        all.extend(entries);
        all
    }
}

impl<K: AsRef<str>, V: AsRef<str>, const N: usize> From<[(K, V); N]> for TextMap {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<'m> IntoIterator for &'m TextMap {
    type Item = (&'m str, &'m str);
    type IntoIter = TextMapIter<'m>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for TextMap {
    /// Without what [looks like](is_secret_key) a secret, which must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (key, value) in self {
            match is_secret_key(key) {
                true => map.entry(&key, &format_args!("{REDACTED}")),
                false => map.entry(&key, &value),
            };
        }
        map.finish()
    }
}

/// The entries of a [`TextMap`] in order.
#[derive(Clone, Debug)]
pub struct TextMapIter<'m> {
    text: &'m str,
    at: usize,
    left: usize,
}

impl<'m> TextMapIter<'m> {
    #[inline(always)]
    fn text(&mut self) -> Option<&'m str> {
        let length = *self.text.as_bytes().get(self.at)?;
        let (start, length) = if length < MORE { (self.at + 1, usize::from(length)) } else { self.long()? };
        self.at = start + length;
        self.text.get(start..self.at)
    }

    /// Where a long text begins, and its length.
    #[cold]
    fn long(&self) -> Option<(usize, usize)> {
        let (mut length, mut shift, mut start) = (0, 0, self.at);
        for byte in self.text.as_bytes().get(self.at..)? {
            length |= usize::from(byte & (MORE - 1)) << shift;
            shift += 6;
            start += 1;
            if byte & MORE == 0 {
                return Some((start, length));
            }
        }
        None
    }
}

impl<'m> Iterator for TextMapIter<'m> {
    type Item = (&'m str, &'m str);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        Some((self.text()?, self.text()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for TextMapIter<'_> {}

/// Entries of a [`TextMap`] that is read. A [`Reader`] keeps one and lends it, so that maps are gathered in memory that is there, and get
/// as much of their own as they need.
#[derive(Clone, Default)]
#[doc(hidden)]
pub struct TextEntries {
    /// As a [`TextMap`] has them, and room for more, so that a text is written without a question for memory.
    bytes: Vec<u8>,
    filled: usize,
    count: u32,
}

/// Memory that is kept for the next map, at most.
const KEPT: usize = 16 * 1024;

/// Most texts are short: a block of fixed length, of which only the start counts, costs less than setting out for so many bytes.
const BLOCK: usize = 32;

impl TextEntries {
    /// Adds a text: a key, and then its value.
    #[inline]
    fn text(&mut self, text: &str) {
        self.start_of(text.as_bytes(), text.len());
    }

    /// Adds the first `length` bytes of those, which are text: a key, and then its value.
    #[inline(always)]
    pub fn start_of(&mut self, bytes: &[u8], length: usize) {
        let room = self.bytes.get_mut(self.filled..).and_then(|room| room.first_chunk_mut::<{ 1 + BLOCK }>());
        match (room, bytes.first_chunk::<BLOCK>()) {
            (Some(room), Some(block)) if length <= BLOCK => {
                #[allow(clippy::cast_possible_truncation, reason = "no more than a block")]
                let (first, rest) = (length as u8, &mut room[1..]);
                rest.copy_from_slice(block);
                room[0] = first;
                self.filled += 1 + length;
            }
            _ => self.any(bytes.get(..length).unwrap_or_default()),
        }
    }

    /// Adds a text that is long, or stands at an end.
    #[inline(never)]
    fn any(&mut self, text: &[u8]) {
        self.bytes.truncate(self.filled);
        let mut length = text.len();
        #[allow(clippy::cast_possible_truncation, reason = "six bits")]
        loop {
            let low = length as u8 & (MORE - 1);
            length >>= 6;
            if length == 0 {
                self.bytes.push(low);
                break;
            }
            self.bytes.push(low | MORE);
        }
        self.bytes.extend_from_slice(text);
        self.filled = self.bytes.len();
        // Room for the next ones: all of what there is.
        self.bytes.reserve(512);
        self.bytes.resize(self.bytes.capacity(), 0);
    }

    /// Counts so many entries that were added.
    #[inline]
    pub fn counted(&mut self, count: u32) {
        self.count += count;
    }

    /// No entries, in the same memory.
    #[inline]
    pub fn clear(&mut self) {
        (self.filled, self.count) = (0, 0);
        if self.bytes.len() > KEPT {
            self.bytes = Vec::new();
        }
    }

    /// The map, in memory of its own.
    fn to_map(&self) -> TextMap {
        let bytes = self.bytes.get(..self.filled).unwrap_or_default();
        let text = match core::str::from_utf8(bytes) {
            Ok(text) => text.into(),
            // Only pieces of text were added.
            Err(_) => String::from_utf8_lossy(bytes).into(),
        };
        TextMap { text, count: self.count }
    }
}

impl Wire for TextMap {
    fn read(reader: &mut dyn Reader) -> Result<Self, ReadError> {
        if !reader.enter_struct()? {
            return Ok(TextMap::new());
        }
        let mut entries = reader.lend_entries();
        let result = read_entries(&mut entries, reader).map(|()| entries.to_map());
        entries.clear();
        reader.take_entries(entries);
        result
    }

    fn write(&self, writer: &mut dyn Writer) {
        writer.begin_struct();
        for (key, value) in self {
            writer.text_member(key, value);
        }
        writer.end_struct();
    }
}

fn read_entries(entries: &mut TextEntries, reader: &mut dyn Reader) -> Result<(), ReadError> {
    let mut wrong = None;
    loop {
        reader.text_members(entries);
        let Some(name) = reader.next_member()? else { break };
        let before = entries.filled;
        entries.text(&name);
        match reader.text("text") {
            Ok(value) => {
                entries.text(&value);
                entries.count += 1;
            }
            Err(error) => {
                let key = String::from_utf8_lossy(entries.bytes.get(before..entries.filled).unwrap_or_default());
                let key = TextMapIter { text: &key, at: 0, left: 1 }.text().unwrap_or_default();
                let error = error.within(alloc::format!("[{key}]"));
                entries.filled = before;
                if error.is_fatal() {
                    return Err(error);
                }
                // Read to the end all the same: the caller may go on behind this map.
                wrong.get_or_insert(error);
            }
        }
    }
    wrong.map_or(Ok(()), Err)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::{Value, from_value, to_value};

    #[test]
    fn texts_of_any_length_come_back() {
        let lengths = [0, 1, 31, 32, 33, 63, 64, 65, 4095, 4096, 300_000];
        let texts: Vec<String> =
            lengths.iter().flat_map(|length| ["a", "é", "\u{1F600}"].map(|one| one.repeat(*length))).collect();
        let entries: Vec<(&str, &str)> = texts
            .iter()
            .flat_map(|key| texts.iter().rev().map(move |value| (key.as_str(), value.as_str())))
            .take(200)
            .collect();
        let map: TextMap = entries.iter().copied().collect();
        assert_eq!(map.iter().collect::<Vec<_>>(), entries);
        assert_eq!((map.len(), map.iter().len()), (entries.len(), entries.len()));
        let mut pushed = TextMap::new();
        for (key, value) in &entries[..20] {
            pushed.push(key, value);
        }
        assert_eq!(pushed, entries[..20].iter().copied().collect());
        assert_eq!(from_value::<TextMap>(&to_value(&map)).unwrap(), map);
    }

    #[test]
    fn the_last_of_a_key_counts_and_secrets_are_not_shown() {
        let map = TextMap::from([("a", "1"), ("", ""), ("a", "2"), ("password", "hidden")]);
        assert_eq!((map.get("a"), map.get(""), map.get("b")), (Some("2"), Some(""), None));
        assert!(map.contains_key("password") && !map.contains_key("1"));
        let shown = format!("{map:?}");
        assert!(shown.starts_with(r#"{"a": "1", "": "", "a": "2", "password": "#) && !shown.contains("hidden"), "{shown}");
        assert_eq!(map.keys().zip(map.values()).collect::<Vec<_>>(), map.iter().collect::<Vec<_>>());
        assert_ne!(TextMap::from([("a", "bc")]), TextMap::from([("ab", "c")]));
    }

    #[test]
    fn a_value_of_a_wrong_type_is_named() {
        let value =
            Value::Struct([("a", Value::from("1")), ("b", Value::Bool(true)), ("c", Value::Nil)].into_iter().collect());
        let error = from_value::<TextMap>(&value).unwrap_err();
        assert!(format!("{error}").contains("[b]"), "{error}");
    }
}
