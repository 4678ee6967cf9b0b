//! Uuids: the lasting identity of an object.

use alloc::string::String;
use alloc::sync::Arc;
use core::borrow::Borrow;
use core::fmt;

/// The uuid of an object, as the server wrote it.
///
/// Servers write 36 lower-case characters, but old hosts and recordings hold others, so a record keeps whatever came.
/// Use [`Uuid::parse`] for what people type.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Uuid(Arc<str>);

impl Uuid {
    /// Takes the text as it came from a server, unchecked.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Uuid(text.into())
    }

    /// Reads a uuid in its usual form (8-4-4-4-12 hexadecimal digits, any case) and makes it lower case.
    ///
    /// # Errors
    /// When the text has another form.
    pub fn parse(text: &str) -> Result<Self, InvalidUuid> {
        let ok = text.len() == 36
            && text.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            });
        if ok { Ok(Uuid(Arc::from(text.to_ascii_lowercase()))) } else { Err(InvalidUuid(text.into())) }
    }

    /// Writes 16 random bytes as a version 4 uuid.
    pub fn from_random(mut bytes: [u8; 16]) -> Self {
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let mut text = String::with_capacity(36);
        for (at, byte) in bytes.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
        }
        Uuid(Arc::from(text))
    }

    /// The text as it came.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is no uuid at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for Uuid {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Uuid {
    fn from(text: &str) -> Self {
        Uuid::new(text)
    }
}

/// Text that is not a uuid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidUuid(String);

impl fmt::Display for InvalidUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a uuid: {:?} (expected 8-4-4-4-12 hexadecimal digits)", self.0)
    }
}

impl core::error::Error for InvalidUuid {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_usual_form_only() {
        let text = "A534859A-903a-77b2-f9da-5e59eb79e906";
        assert_eq!(Uuid::parse(text).map(|u| u.as_str().len()), Ok(36));
        assert_eq!(Uuid::parse(text).map(|u| u == Uuid::new("a534859a-903a-77b2-f9da-5e59eb79e906")), Ok(true));
        for bad in ["", "x", "a534859a903a77b2f9da5e59eb79e906", "a534859a-903a-77b2-f9da-5e59eb79e90g"] {
            assert!(Uuid::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn random_bytes_make_a_uuid_that_parses() {
        let made = Uuid::from_random([0xff; 16]);
        assert_eq!(Uuid::parse(made.as_str()), Ok(made));
    }
}
