//! What a certificate says of itself, without judging it.

use core::fmt;
use core::str::FromStr;

use ring::digest::{SHA256, digest};

/// The SHA-256 of a certificate as it came (DER).
///
/// As text in hexadecimal, with or without colons, as `openssl x509 -fingerprint -sha256` and the API's `Certificate.fingerprint` have it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// That of a certificate in DER.
    pub fn of(der: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, der).as_ref());
        Fingerprint(bytes)
    }

    /// In lower case without colons.
    pub fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl From<[u8; 32]> for Fingerprint {
    fn from(bytes: [u8; 32]) -> Self {
        Fingerprint(bytes)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02X}", if at == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text that is not a [`Fingerprint`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvalidFingerprint(String);

impl fmt::Display for InvalidFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no SHA-256 fingerprint: write its 64 hexadecimal digits, with or without colons", self.0)
    }
}

impl core::error::Error for InvalidFingerprint {}

impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Self, InvalidFingerprint> {
        let wrong = || InvalidFingerprint(text.into());
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
        let digit = |byte: u8| (byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        if digits.len() != 64 {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0]).ok_or_else(wrong)? << 4 | digit(pair[1]).ok_or_else(wrong)?;
        }
        Ok(Fingerprint(bytes))
    }
}

/// A certificate that a server showed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeenCertificate {
    /// Whom it names: the common name of its subject, or its whole subject in short, or empty.
    pub subject: String,
    /// Its SHA-256.
    pub fingerprint: Fingerprint,
}

impl SeenCertificate {
    /// What a certificate in DER says of itself. One that cannot be read still has its fingerprint.
    pub fn of(der: &[u8]) -> Self {
        SeenCertificate { subject: subject(der).unwrap_or_default(), fingerprint: Fingerprint::of(der) }
    }
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_ID: u8 = 0x06;
const VERSION: u8 = 0xa0;
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// The next element of DER: its tag, its content, what follows. `None` when the bytes do not hold one.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // Up to three bytes of length: 16 MiB, more than any certificate.
        0x81..=0x83 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn expect(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    element(bytes).filter(|(found, ..)| *found == tag).map(|(_, content, rest)| (content, rest))
}

/// The common name of the subject, or else its first attribute.
fn subject(der: &[u8]) -> Option<String> {
    let (certificate, _) = expect(SEQUENCE, der)?;
    let (mut fields, _) = expect(SEQUENCE, certificate)?;
    if let Some((_, rest)) = expect(VERSION, fields) {
        fields = rest;
    }
    // Serial number, signature algorithm, issuer, validity.
    for _ in 0..4 {
        fields = element(fields)?.2;
    }
    let (mut names, _) = expect(SEQUENCE, fields)?;
    let mut first = None;
    while !names.is_empty() {
        let (set, rest) = expect(SET, names)?;
        names = rest;
        let (attribute, _) = expect(SEQUENCE, set)?;
        let (id, value) = expect(OBJECT_ID, attribute)?;
        let text = printable(element(value)?.1);
        if id == COMMON_NAME {
            return Some(text);
        }
        first = first.or(Some(text));
    }
    first
}

/// Text from a certificate goes to terminals and pages: no control characters, and not endless.
fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_written() {
        let fingerprint = Fingerprint::of(b"abc");
        assert!(fingerprint.to_string().starts_with("BA:78:16:BF:"));
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        assert_eq!(fingerprint.to_hex().parse(), Ok(fingerprint));
        for wrong in ["", "ba78", &fingerprint.to_hex().replace('b', "x"), &format!("{fingerprint}00")] {
            assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong}");
        }
    }

    /// A tag with its content, short form.
    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![tag, u8::try_from(content.len()).unwrap()];
        bytes.extend(content);
        bytes
    }

    fn certificate(names: &[(&[u8], &str)]) -> Vec<u8> {
        let name = |(id, text): &(&[u8], &str)| {
            tlv(SET, &tlv(SEQUENCE, &[tlv(OBJECT_ID, id), tlv(0x0c, text.as_bytes())].concat()))
        };
        let names: Vec<u8> = names.iter().flat_map(name).collect();
        let other = tlv(SEQUENCE, &[]);
        let fields = [tlv(VERSION, &[2, 1, 2]), tlv(2, &[7]), other.clone(), other.clone(), other, tlv(SEQUENCE, &names)];
        tlv(SEQUENCE, &tlv(SEQUENCE, &fields.concat()))
    }

    #[test]
    fn the_subject_is_the_common_name() {
        let organisation: &[u8] = &[0x55, 0x04, 0x0a];
        let both = certificate(&[(organisation, "Example"), (COMMON_NAME, "xs1.lab\u{1b}[31m")]);
        assert_eq!(SeenCertificate::of(&both).subject, "xs1.lab[31m");
        assert_eq!(SeenCertificate::of(&certificate(&[(organisation, "Example")])).subject, "Example");
        assert_eq!(SeenCertificate::of(&certificate(&[])).subject, "");
    }

    #[test]
    fn a_broken_certificate_has_no_subject() {
        let whole = certificate(&[(COMMON_NAME, "xs1")]);
        for end in 0..whole.len() {
            assert_eq!(SeenCertificate::of(&whole[..end]).subject, "");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_may_stand_for_a_certificate(bytes: Vec<u8>, at: usize, to: u8) {
            assert!(SeenCertificate::of(&bytes).subject.chars().count() <= 200);
            // Nearly right is where mistakes are.
            let mut nearly = certificate(&[(COMMON_NAME, "xs1")]);
            let at = at % nearly.len();
            nearly[at] = to;
            assert!(SeenCertificate::of(&nearly).subject.chars().count() <= 200);
        }
    }
}
