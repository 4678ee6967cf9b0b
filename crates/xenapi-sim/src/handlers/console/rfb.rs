//! The server's side of RFB 3.8 and its older versions: bytes in, bytes out.
//!
//! It speaks first. There is no security of its own, as with xapi: who came this far has logged in over HTTP.

use alloc::string::String;
use alloc::vec::Vec;

use super::pixels::{self, Area, Format};
use super::screen::Screen;
use super::shell::Key;

/// What the server says first.
pub(super) const VERSION: &[u8] = b"RFB 003.008\n";
/// A client that names more encodings than this is no client.
const MOST_ENCODINGS: usize = 1024;
/// The longest text that a client may cut.
const MOST_CUT: usize = 1 << 20;

const RAW: i32 = 0;
const HEXTILE: i32 = 5;
const DESKTOP_SIZE: i32 = -223;

/// Why the server ends the conversation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong(pub(super) &'static str);

enum Phase {
    Version,
    Security,
    Init,
    Running,
}

/// The conversation with one client.
pub(super) struct Rfb {
    name: String,
    phase: Phase,
    /// 3, 7 or 8.
    minor: u8,
    input: Vec<u8>,
    /// So many bytes of the input are of no interest.
    skip: usize,
    format: Format,
    encoding: i32,
    follows_size: bool,
    /// What the client thinks that the picture's size is.
    size: (usize, usize),
    /// What the client shows; nothing where it has to be told all.
    shown: Vec<u32>,
    seen: Option<u64>,
    /// The area that the client wants to be told of, and whether it wants changes only.
    wanted: Option<(Area, bool)>,
    control: bool,
}

impl Rfb {
    pub(super) fn new(name: String) -> Self {
        Rfb {
            name,
            phase: Phase::Version,
            minor: 8,
            input: Vec::new(),
            skip: 0,
            format: Format::default(),
            encoding: RAW,
            follows_size: false,
            size: (0, 0),
            shown: Vec::new(),
            seen: None,
            wanted: None,
            control: false,
        }
    }

    /// Takes bytes of the client. What there is to say before an end stands in `out` even then.
    pub(super) fn receive(
        &mut self,
        bytes: &[u8],
        screen: &mut Screen,
        uptime: i64,
        out: &mut Vec<u8>,
    ) -> Result<(), Wrong> {
        // Piece by piece, so that little has to be moved behind each message.
        for piece in bytes.chunks(1024) {
            self.input.extend_from_slice(piece);
            while let Some(used) = self.step(screen, uptime, out)? {
                self.input.drain(..used);
            }
        }
        self.update(screen, out);
        Ok(())
    }

    /// The next message, if it is there as a whole: how many bytes it has.
    fn step(&mut self, screen: &mut Screen, uptime: i64, out: &mut Vec<u8>) -> Result<Option<usize>, Wrong> {
        if self.skip > 0 {
            let skipped = self.skip.min(self.input.len());
            self.skip -= skipped;
            return Ok((skipped > 0).then_some(skipped));
        }
        match self.phase {
            Phase::Version => self.version(out),
            Phase::Security => self.security(out),
            Phase::Init => Ok(self.init(screen, out)),
            Phase::Running => self.message(screen, uptime),
        }
    }

    fn version(&mut self, out: &mut Vec<u8>) -> Result<Option<usize>, Wrong> {
        let Some(version) = self.input.get(..12) else {
            let is_one = VERSION.starts_with(&self.input[..self.input.len().min(4)]);
            return if is_one { Ok(None) } else { Err(Wrong("the client does not speak RFB")) };
        };
        self.minor = match version {
            b"RFB 003.003\n" | b"RFB 003.005\n" => 3,
            b"RFB 003.007\n" => 7,
            b"RFB 003.008\n" => 8,
            _ => {
                let reason = b"This server speaks RFB 3.3, 3.7 and 3.8.";
                out.push(0);
                out.extend(u32::try_from(reason.len()).unwrap_or(0).to_be_bytes());
                out.extend_from_slice(reason);
                return Err(Wrong("the client's version of RFB is unknown"));
            }
        };
        if self.minor == 3 {
            // Here the server decides.
            out.extend([0, 0, 0, 1]);
            self.phase = Phase::Init;
        } else {
            out.extend([1, 1]);
            self.phase = Phase::Security;
        }
        Ok(Some(12))
    }

    fn security(&mut self, out: &mut Vec<u8>) -> Result<Option<usize>, Wrong> {
        let Some(kind) = self.input.first() else { return Ok(None) };
        if *kind != 1 {
            let reason = b"There is no security here but None.";
            out.extend([0, 0, 0, 1]);
            if self.minor >= 8 {
                out.extend(u32::try_from(reason.len()).unwrap_or(0).to_be_bytes());
                out.extend_from_slice(reason);
            }
            return Err(Wrong("the client wants security of its own"));
        }
        if self.minor >= 8 {
            out.extend([0; 4]);
        }
        self.phase = Phase::Init;
        Ok(Some(1))
    }

    /// Whether others may watch is not asked: they may.
    fn init(&mut self, screen: &Screen, out: &mut Vec<u8>) -> Option<usize> {
        self.input.first()?;
        self.size = screen.size;
        for length in [self.size.0, self.size.1] {
            out.extend(u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
        }
        out.extend(self.format.to_bytes());
        let name: Vec<u8> = self.name.bytes().take(200).collect();
        out.extend(u32::try_from(name.len()).unwrap_or(0).to_be_bytes());
        out.extend(name);
        self.phase = Phase::Running;
        Some(1)
    }

    fn number(&self, at: usize) -> Option<usize> {
        Some(usize::from(u16::from_be_bytes([*self.input.get(at)?, *self.input.get(at + 1)?])))
    }

    /// One message, if it is there as a whole: its length.
    fn message(&mut self, screen: &mut Screen, uptime: i64) -> Result<Option<usize>, Wrong> {
        let Some(kind) = self.input.first() else { return Ok(None) };
        Ok(match kind {
            0 => self.set_format()?,
            2 => self.set_encodings()?,
            3 => self.request(),
            4 => self.key(screen, uptime),
            5 => self.pointer(screen),
            6 => self.cut()?,
            _ => return Err(Wrong("the client sent a message of an unknown type")),
        })
    }

    fn set_format(&mut self) -> Result<Option<usize>, Wrong> {
        let Some(bytes) = self.input.get(4..20).and_then(|bytes| <&[u8; 16]>::try_from(bytes).ok()) else { return Ok(None) };
        self.format =
            Format::parse(bytes).ok_or(Wrong("the client's pixels are neither of 8, 16 nor 32 bits with true colours"))?;
        self.shown.clear();
        Ok(Some(20))
    }

    fn set_encodings(&mut self) -> Result<Option<usize>, Wrong> {
        let Some(count) = self.number(2) else { return Ok(None) };
        if count > MOST_ENCODINGS {
            return Err(Wrong("the client names too many encodings"));
        }
        let Some(list) = self.input.get(4..4 + 4 * count) else { return Ok(None) };
        let all: Vec<i32> = list.chunks_exact(4).filter_map(|c| c.try_into().ok().map(i32::from_be_bytes)).collect();
        self.encoding = all.iter().copied().find(|kind| [RAW, HEXTILE].contains(kind)).unwrap_or(RAW);
        self.follows_size = all.contains(&DESKTOP_SIZE);
        Ok(Some(4 + 4 * count))
    }

    fn request(&mut self) -> Option<usize> {
        let incremental = *self.input.get(1)? != 0;
        let area = Area { x: self.number(2)?, y: self.number(4)?, width: self.number(6)?, height: self.number(8)? };
        // Who asked for all before is told all.
        let changes = incremental && self.wanted.is_none_or(|(_, changes)| changes);
        self.wanted = Some((area, changes));
        Some(10)
    }

    fn key(&mut self, screen: &mut Screen, uptime: i64) -> Option<usize> {
        let is_down = *self.input.get(1)? != 0;
        let symbol = u32::from_be_bytes(self.input.get(4..8)?.try_into().ok()?);
        let key = match symbol {
            0xffe3 | 0xffe4 => {
                self.control = is_down;
                None
            }
            0xff0d | 0xff8d => Some(Key::Enter),
            0xff08 => Some(Key::Backspace),
            0x20..=0x7e => char::from_u32(symbol)
                .map(|c| if self.control { Key::Control(c.to_ascii_lowercase()) } else { Key::Text(c) }),
            // Digits and signs of the number pad.
            0xffaa..=0xffb9 => char::from_u32(symbol - 0xff80).map(Key::Text),
            _ => None,
        };
        if let Some(key) = key.filter(|_| is_down) {
            screen.key(key, uptime);
        }
        Some(8)
    }

    fn pointer(&self, screen: &mut Screen) -> Option<usize> {
        let (x, y) = (self.number(2)?, self.number(4)?);
        screen.point(x, y);
        Some(6)
    }

    fn cut(&mut self) -> Result<Option<usize>, Wrong> {
        let Some(length) = self.input.get(4..8).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes) else {
            return Ok(None);
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > MOST_CUT {
            return Err(Wrong("the client's clipboard is too big"));
        }
        // The simulated guest has no clipboard.
        self.skip = length;
        Ok(Some(8))
    }

    /// Tells the client what it waits for, if there is anything to tell.
    pub(super) fn update(&mut self, screen: &Screen, out: &mut Vec<u8>) {
        let Some((area, changes_only)) = self.wanted else { return };
        if changes_only && self.seen == Some(screen.version) && !self.shown.is_empty() {
            return;
        }
        if self.follows_size && self.size != screen.size {
            self.size = screen.size;
            (self.shown, self.wanted, self.seen) = (Vec::new(), None, None);
            let whole = Area { x: 0, y: 0, width: self.size.0, height: self.size.1 };
            out.extend([0, 0, 0, 1]);
            rectangle(out, whole, DESKTOP_SIZE);
            return;
        }
        let pixels = screen.paint(self.size);
        let area = area.within(self.size);
        if area.is_empty() {
            self.wanted = None;
            return;
        }
        let areas = if changes_only && self.shown.len() == pixels.len() {
            changes(&self.shown, &pixels, self.size.0, area)
        } else {
            Vec::from([area])
        };
        // Nothing is said of what is not asked for, and remembered as not said.
        if self.shown.len() == pixels.len() {
            for area in &areas {
                for y in area.y..area.y + area.height {
                    let span = y * self.size.0 + area.x..y * self.size.0 + area.x + area.width;
                    self.shown[span.clone()].copy_from_slice(&pixels[span]);
                }
            }
        } else if area == (Area { x: 0, y: 0, width: self.size.0, height: self.size.1 }) {
            self.shown.clone_from(&pixels);
        }
        if areas.is_empty() {
            // Nothing to see in the area; there may be elsewhere, which another request asks for.
            return;
        }
        self.seen = (self.shown == pixels).then_some(screen.version);
        self.wanted = None;
        out.extend([0, 0]);
        out.extend(u16::try_from(areas.len()).unwrap_or(u16::MAX).to_be_bytes());
        for area in areas {
            rectangle(out, area, self.encoding);
            if self.encoding == HEXTILE {
                pixels::hextile(out, self.format, &pixels, self.size.0, area);
            } else {
                pixels::raw(out, self.format, &pixels, self.size.0, area);
            }
        }
    }
}

fn rectangle(out: &mut Vec<u8>, area: Area, encoding: i32) {
    for number in [area.x, area.y, area.width, area.height] {
        out.extend(u16::try_from(number).unwrap_or(u16::MAX).to_be_bytes());
    }
    out.extend(encoding.to_be_bytes());
}

/// What differs within an area: in each band of sixteen lines, from the first column that does to the last.
fn changes(old: &[u32], new: &[u32], stride: usize, area: Area) -> Vec<Area> {
    let mut all = Vec::new();
    for y in (area.y..area.y + area.height).step_by(16) {
        let height = (area.y + area.height - y).min(16);
        let (mut left, mut right) = (usize::MAX, 0);
        for line in y..y + height {
            let span = line * stride + area.x..line * stride + area.x + area.width;
            let (Some(old), Some(new)) = (old.get(span.clone()), new.get(span)) else { continue };
            let differs = || old.iter().zip(new).map(|(old, new)| old != new);
            if let Some(first) = differs().position(|differs| differs) {
                let last = old.iter().zip(new).rposition(|(old, new)| old != new).unwrap_or(first);
                (left, right) = (left.min(first), right.max(last));
            }
        }
        if left <= right {
            all.push(Area { x: area.x + left, y, width: right - left + 1, height });
        }
    }
    all
}

#[cfg(test)]
mod tests;
