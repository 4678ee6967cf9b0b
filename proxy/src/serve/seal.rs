//! Sessions in sealed cookies: the browser carries the session and cannot read it.
//!
//! There is no table of sessions. Whoever holds the key opens the cookies, so several proxies with one key serve the same browsers.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;

/// What stands in the browser, and in its calls, in place of the session.
pub const STAND_IN: &str = "OpaqueRef:session";

/// The first byte of what is sealed. Another layout gets another number.
const VERSION: u8 = 1;

/// References are 46 bytes; what is longer than this was not sealed here.
const LONGEST_SEALED: usize = 1024;

/// Seals sessions and opens what it has sealed. A seal holds for one pool.
pub struct Sealer {
    key: LessSafeKey,
    random: SystemRandom,
}

impl Sealer {
    /// A sealer with a key of its own, which ends with it: after a restart everyone logs in again.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn with_random_key() -> Result<Self, SealError> {
        let random = SystemRandom::new();
        let mut key = [0; KEY_BYTES];
        random.fill(&mut key).map_err(|_| SealError)?;
        Sealer::with_key(&key)
    }

    /// A sealer with a given key, for proxies that serve the same browsers.
    ///
    /// # Errors
    /// Never for a key of this length; the library that is used does not promise it.
    pub fn with_key(key: &[u8; KEY_BYTES]) -> Result<Self, SealError> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, key).map_err(|_| SealError)?;
        Ok(Sealer { key: LessSafeKey::new(key), random: SystemRandom::new() })
    }

    /// Seals a session for a pool, as text that fits a cookie.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn seal(&self, pool: &str, session: &str) -> Result<String, SealError> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| SealError)?;
        let mut text = session.as_bytes().to_vec();
        let context = Aad::from(context(pool));
        self.key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), context, &mut text).map_err(|_| SealError)?;
        let mut sealed = vec![VERSION];
        sealed.extend_from_slice(&nonce);
        sealed.append(&mut text);
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// The session in a cookie; none when the cookie was changed, or sealed for another pool or with another key.
    pub fn open(&self, pool: &str, cookie: &str) -> Option<String> {
        if cookie.len() > LONGEST_SEALED {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(cookie).ok()?;
        let (version, rest) = sealed.split_first()?;
        let (nonce, text) = rest.split_at_checked(NONCE_LEN)?;
        if *version != VERSION {
            return None;
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let session = self.key.open_in_place(nonce, Aad::from(context(pool)), &mut text).ok()?;
        core::str::from_utf8(session).ok().map(Into::into)
    }
}

fn context(pool: &str) -> Vec<u8> {
    [b"xenoxide session of pool ", pool.as_bytes()].concat()
}

/// The system gave no random numbers, or the library refused a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SealError;

impl core::fmt::Display for SealError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the system gives no random numbers, so sessions cannot be sealed")
    }
}

impl core::error::Error for SealError {}

/// The name of the cookie that holds a pool's session.
pub fn cookie_name(pool: &str) -> String {
    format!("xenoxide_session_{pool}")
}

/// The header that puts a sealed session in the browser. Scripts cannot read it, other sites cannot use it.
pub fn set_cookie(pool: &str, sealed: &str, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{}={sealed}; Path=/pools/{pool}/; HttpOnly; SameSite=Strict{secure}", cookie_name(pool))
}

/// The header that takes it out again.
pub fn clear_cookie(pool: &str, secure: bool) -> String {
    set_cookie(pool, "", secure) + "; Max-Age=0"
}

/// The values of the cookies of that name in a `Cookie` header. Browsers may send several from different paths.
pub fn cookies<'a>(header: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    header.split(';').filter_map(move |pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use proptest::prelude::*;

    use super::*;

    const SESSION: &str = "OpaqueRef:61d1d8d1-3c5f-4b8e-9a8e-5d2c0a4f7b11";

    #[test]
    fn what_was_sealed_opens_for_its_pool_alone() {
        let sealer = Sealer::with_random_key().unwrap();
        let sealed = sealer.seal("lab", SESSION).unwrap();
        assert_eq!(sealer.open("lab", &sealed).as_deref(), Some(SESSION));
        assert_eq!(sealer.open("lab2", &sealed), None);
        assert_eq!(Sealer::with_random_key().unwrap().open("lab", &sealed), None);
        assert!(!sealed.contains("61d1d8d1"));
    }

    #[test]
    fn every_change_of_a_byte_is_noticed() {
        let sealer = Sealer::with_key(&[7; KEY_BYTES]).unwrap();
        let sealed = URL_SAFE_NO_PAD.decode(sealer.seal("lab", SESSION).unwrap()).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(sealer.open("lab", &URL_SAFE_NO_PAD.encode(&changed)), None, "byte {at}");
            assert_eq!(sealer.open("lab", &URL_SAFE_NO_PAD.encode(&sealed[..at])), None, "cut at {at}");
        }
    }

    proptest! {
        #[test]
        fn any_session_of_any_pool_comes_back(pool in "[a-z._-]{1,20}", session in "\\PC{0,80}") {
            let sealer = Sealer::with_key(&[7; KEY_BYTES]).unwrap();
            let sealed = sealer.seal(&pool, &session).unwrap();
            prop_assert!(sealed.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')));
            prop_assert_eq!(sealer.open(&pool, &sealed), Some(session));
        }
    }

    #[test]
    fn nonsense_does_not_open() {
        let sealer = Sealer::with_random_key().unwrap();
        for cookie in ["", "AQ", "!!!", "é", &"A".repeat(5000)] {
            assert_eq!(sealer.open("lab", cookie), None);
        }
    }

    #[test]
    fn the_same_session_is_never_sealed_alike() {
        let sealer = Sealer::with_random_key().unwrap();
        assert_ne!(sealer.seal("lab", SESSION), sealer.seal("lab", SESSION));
    }

    #[test]
    fn cookies_are_found_among_others() {
        let header = "a=1; xenoxide_session_lab=first;b=2; xenoxide_session_lab2=other; xenoxide_session_lab=second";
        assert_eq!(cookies(header, "xenoxide_session_lab").collect::<Vec<_>>(), ["first", "second"]);
        assert_eq!(cookies("", "a").count(), 0);
    }
}
