//! Websockets as xapi's proxy of consoles has them: binary frames, small ones, and only `close` means anything.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf as _, BytesMut};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use xenapi_sim::handlers::Request;

/// What every websocket's answer is made of, by its standard.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// The longest payload that xapi understands.
const LONGEST: usize = 65_535;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 8;
const MASKED: u8 = 0x80;

/// The value of `Sec-WebSocket-Accept`, if the request asks for a websocket.
pub(super) fn accept(request: &Request) -> Option<String> {
    let has = |name: &str, word: &str| {
        let value = request.header(name).unwrap_or_default();
        value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word))
    };
    if !has("upgrade", "websocket") || !has("connection", "upgrade") {
        return None;
    }
    let key = request.header("sec-websocket-key").filter(|key| !key.is_empty())?;
    Some(STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{GUID}").as_bytes())))
}

/// Bytes as frames, unmasked as a server's are.
pub(super) fn frames(bytes: &[u8]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(bytes.len() + 4);
    for part in bytes.chunks(32 << 10) {
        framed.push(BINARY);
        match u8::try_from(part.len()) {
            Ok(length @ 0..=125) => framed.push(length),
            _ => {
                framed.push(126);
                framed.extend(u16::try_from(part.len()).unwrap_or(u16::MAX).to_be_bytes());
            }
        }
        framed.extend_from_slice(part);
    }
    framed
}

/// The frame that ends it.
pub(super) const CLOSING: [u8; 2] = [0x80 | CLOSE, 0];

/// Frames of a client, which come in any pieces.
#[derive(Default)]
pub(super) struct Frames {
    pending: BytesMut,
}

/// What a client's frame is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// Bytes for the console. A ping's are, too.
    Bytes(Vec<u8>),
    /// The end, asked for or by a frame that cannot be understood.
    Close,
}

impl Frames {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// The next whole frame.
    pub(super) fn next(&mut self) -> Option<Frame> {
        let (&first, &second) = (self.pending.first()?, self.pending.get(1)?);
        let masked = second & MASKED != 0;
        let (length, head) = match second & !MASKED {
            126 => (usize::from(u16::from_be_bytes([*self.pending.get(2)?, *self.pending.get(3)?])), 4),
            // Longer than what xapi understands.
            127 => return Some(Frame::Close),
            length => (usize::from(length), 2),
        };
        debug_assert!(length <= LONGEST);
        let start = head + if masked { 4 } else { 0 };
        if self.pending.len() < start + length {
            return None;
        }
        let mut frame = self.pending.split_to(start + length);
        let mask: [u8; 4] =
            frame.get(head..head + 4).filter(|_| masked).and_then(|mask| mask.try_into().ok()).unwrap_or_default();
        frame.advance(start);
        if first & 0x0f == CLOSE {
            return Some(Frame::Close);
        }
        for (at, byte) in frame.iter_mut().enumerate() {
            *byte ^= mask[at % 4];
        }
        Some(Frame::Bytes(frame.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use xenapi_sim::handlers::Method;

    use super::*;

    #[test]
    fn the_standards_example_is_accepted() {
        let request =
            Request::new(Method::Get, "/console").with("Upgrade", "websocket").with("Connection", "keep-alive, Upgrade");
        assert_eq!(accept(&request), None);
        let request = request.with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accept(&request).as_deref(), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    }

    fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            length @ 0..126 => frame.push(MASKED | u8::try_from(length).unwrap()),
            length => {
                frame.push(MASKED | 126);
                frame.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
        }
        frame.extend([1, 2, 3, 4]);
        frame.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ [1, 2, 3, 4][at % 4]));
        frame
    }

    #[test]
    fn frames_come_in_any_pieces() {
        let long = vec![7; 300];
        let bytes = [masked(2, b"hello"), masked(1, &long), masked(9, b"ping"), masked(8, b"")].concat();
        for size in [1, 2, 7, 1000] {
            let (mut frames, mut got) = (Frames::default(), Vec::new());
            for piece in bytes.chunks(size) {
                frames.push(piece);
                while let Some(frame) = frames.next() {
                    got.push(frame);
                }
            }
            let expected = [b"hello".to_vec(), long.clone(), b"ping".to_vec()].map(Frame::Bytes);
            assert_eq!((&got[..3], &got[3]), (&expected[..], &Frame::Close));
        }
    }

    #[test]
    fn what_xapi_cannot_read_ends_it() {
        let mut frames = Frames::default();
        frames.push(&[0x82, 0xff]);
        assert_eq!(frames.next(), Some(Frame::Close));
    }

    #[test]
    fn a_servers_frames_are_not_masked() {
        assert_eq!(frames(b"ab"), b"\x82\x02ab");
        assert_eq!(frames(&[0; 200])[..4], [0x82, 126, 0, 200]);
        assert_eq!(frames(&[0; 40_000]).len(), 40_000 + 8);
        assert!(frames(b"").is_empty());
    }
}
