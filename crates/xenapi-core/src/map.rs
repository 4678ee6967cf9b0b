//! Maps that keep the order in which the server stores them.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::class::Class;
use crate::reference::Ref;
use crate::secret::{REDACTED, is_secret_key};

/// A map of the API, in stored order. Lookups scan: such maps hold a handful of entries.
#[derive(Clone, PartialEq, Eq)]
pub struct Map<K, V>(Vec<(K, V)>);

impl<K: Key + fmt::Debug, V: fmt::Debug> fmt::Debug for Map<K, V> {
    /// Without what [looks like](is_secret_key) a secret, which must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (key, value) in self.iter() {
            match is_secret_key(&key.to_key()) {
                true => map.entry(key, &format_args!("{REDACTED}")),
                false => map.entry(key, value),
            };
        }
        map.finish()
    }
}

impl<K, V> Map<K, V> {
    /// No entries.
    pub const fn new() -> Self {
        Map(Vec::new())
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> + ExactSizeIterator {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// Adds an entry at the end. If the key was there, [`Map::get`] answers the new one.
    pub fn push(&mut self, key: K, value: V) {
        self.0.push((key, value));
    }

    /// The value of that key; of a key that came twice, the last.
    pub fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: core::borrow::Borrow<Q>,
        Q: PartialEq + ?Sized,
    {
        self.0.iter().rev().find(|(k, _)| k.borrow() == key).map(|(_, value)| value)
    }
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Map::new()
    }
}

impl<K, V> FromIterator<(K, V)> for Map<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Map(entries.into_iter().collect())
    }
}

impl<K, V> IntoIterator for Map<K, V> {
    type Item = (K, V);
    type IntoIter = alloc::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A type that can be the key of a map. On the wire every key is text.
pub trait Key: Sized {
    /// Reads a key.
    ///
    /// # Errors
    /// What was expected, when the text is none.
    fn from_key(text: &str) -> Result<Self, &'static str>;

    /// Writes the key.
    fn to_key(&self) -> Cow<'_, str>;
}

impl Key for String {
    fn from_key(text: &str) -> Result<Self, &'static str> {
        Ok(text.to_string())
    }

    fn to_key(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl Key for i64 {
    fn from_key(text: &str) -> Result<Self, &'static str> {
        crate::integer::parse_int(text).ok_or("an integer as the name")
    }

    fn to_key(&self) -> Cow<'_, str> {
        Cow::Owned(self.to_string())
    }
}

impl<C: Class> Key for Ref<C> {
    fn from_key(text: &str) -> Result<Self, &'static str> {
        Ok(Ref::new(text))
    }

    fn to_key(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.as_str())
    }
}
