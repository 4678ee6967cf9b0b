//! Pixels in the form that a client of RFB asks for.

use alloc::vec::Vec;

/// How a pixel is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Format {
    bytes: usize,
    big_endian: bool,
    /// The greatest value of red, green and blue, and where its bits begin.
    colours: [(u16, u8); 3],
}

impl Default for Format {
    fn default() -> Self {
        Format { bytes: 4, big_endian: false, colours: [(255, 16), (255, 8), (255, 0)] }
    }
}

impl Format {
    /// The sixteen bytes of `PIXEL_FORMAT`.
    pub(super) fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[0] = u8::try_from(self.bytes * 8).unwrap_or(32);
        (bytes[1], bytes[2], bytes[3]) = (24, u8::from(self.big_endian), 1);
        for (at, (most, shift)) in self.colours.iter().enumerate() {
            bytes[4 + 2 * at..][..2].copy_from_slice(&most.to_be_bytes());
            bytes[10 + at] = *shift;
        }
        bytes
    }

    /// Reads what a client wants; nothing for what this server cannot write: colour maps, and other sizes than 8, 16 and 32 bits.
    pub(super) fn parse(bytes: &[u8; 16]) -> Option<Format> {
        let size = match bytes[0] {
            8 => 1,
            16 => 2,
            32 => 4,
            _ => return None,
        };
        let most = |at: usize| u16::from_be_bytes([bytes[4 + 2 * at], bytes[5 + 2 * at]]);
        let colours = [0, 1, 2].map(|at| (most(at), bytes[10 + at]));
        let fits = colours.iter().all(|(most, shift)| usize::from(*shift) < size * 8 && *most > 0);
        (bytes[3] != 0 && fits).then_some(Format { bytes: size, big_endian: bytes[2] != 0, colours })
    }

    /// Adds a pixel.
    fn put(self, out: &mut Vec<u8>, colour: u32) {
        let parts = [colour >> 16 & 0xff, colour >> 8 & 0xff, colour & 0xff];
        let mut value = 0_u32;
        for ((most, shift), part) in self.colours.iter().zip(parts) {
            value |= ((part * u32::from(*most) + 127) / 255).wrapping_shl(u32::from(*shift));
        }
        if self.big_endian {
            out.extend_from_slice(&value.to_be_bytes()[4 - self.bytes..]);
        } else {
            out.extend_from_slice(&value.to_le_bytes()[..self.bytes]);
        }
    }
}

/// A part of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Area {
    /// What it has in common with the whole picture.
    pub(super) fn within(self, size: (usize, usize)) -> Area {
        let (x, y) = (self.x.min(size.0), self.y.min(size.1));
        Area { x, y, width: self.width.min(size.0 - x), height: self.height.min(size.1 - y) }
    }

    pub(super) fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    fn lines(self, pixels: &[u32], stride: usize) -> impl Iterator<Item = &[u32]> {
        (self.y..self.y + self.height).filter_map(move |y| pixels.get(y * stride + self.x..)?.get(..self.width))
    }
}

/// Adds an area pixel by pixel.
pub(super) fn raw(out: &mut Vec<u8>, format: Format, pixels: &[u32], stride: usize, area: Area) {
    for line in area.lines(pixels, stride) {
        line.iter().for_each(|pixel| format.put(out, *pixel));
    }
}

const RAW: u8 = 1;
const BACKGROUND: u8 = 2;
const FOREGROUND: u8 = 4;
const SUBRECTS: u8 = 8;

/// Adds an area as Hextile: tiles of sixteen pixels, most of which have one colour or two.
pub(super) fn hextile(out: &mut Vec<u8>, format: Format, pixels: &[u32], stride: usize, area: Area) {
    for y in (area.y..area.y + area.height).step_by(16) {
        for x in (area.x..area.x + area.width).step_by(16) {
            let (width, height) = ((area.x + area.width - x).min(16), (area.y + area.height - y).min(16));
            tile(out, format, pixels, stride, Area { x, y, width, height });
        }
    }
}

fn tile(out: &mut Vec<u8>, format: Format, pixels: &[u32], stride: usize, area: Area) {
    let all: Vec<&[u32]> = area.lines(pixels, stride).collect();
    let background = all.first().and_then(|line| line.first()).copied().unwrap_or(0);
    let mut others = all.iter().flat_map(|line| line.iter()).copied().filter(|pixel| *pixel != background);
    let Some(foreground) = others.next() else {
        out.push(BACKGROUND);
        return format.put(out, background);
    };
    let mut runs = Vec::new();
    if others.all(|pixel| pixel == foreground) {
        for (y, line) in all.iter().enumerate() {
            let mut x = 0;
            for run in line.chunk_by(|a, b| a == b) {
                if run.first() == Some(&foreground) {
                    let byte = |high: usize, low: usize| u8::try_from(high << 4 | low).unwrap_or(0);
                    runs.push([byte(x, y), byte(run.len() - 1, 0)]);
                }
                x += run.len();
            }
        }
    }
    let (plain, short) = (area.width * area.height * format.bytes, 2 * format.bytes + 1 + runs.len() * 2);
    match u8::try_from(runs.len()) {
        Ok(count @ 1..) if short < plain => {
            out.push(BACKGROUND | FOREGROUND | SUBRECTS);
            format.put(out, background);
            format.put(out, foreground);
            out.push(count);
            out.extend(runs.iter().flatten());
        }
        _ => {
            out.push(RAW);
            raw(out, format, pixels, stride, area);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn formats_are_read_and_written() {
        let format = Format::default();
        assert_eq!(Format::parse(&format.to_bytes()), Some(format));
        let mut out = Vec::new();
        format.put(&mut out, 0x0012_3456);
        assert_eq!(out, [0x56, 0x34, 0x12, 0]);
        let small = Format { bytes: 2, big_endian: true, colours: [(31, 11), (63, 5), (31, 0)] };
        out.clear();
        small.put(&mut out, 0x00ff_0000);
        assert_eq!(out, [0xf8, 0]);
        let tiny = Format { bytes: 1, big_endian: false, colours: [(7, 0), (7, 3), (3, 6)] };
        out.clear();
        tiny.put(&mut out, 0x00ff_ffff);
        assert_eq!(out, [0xff]);
        let mut mapped = format.to_bytes();
        mapped[3] = 0;
        assert_eq!(Format::parse(&mapped), None);
        let mut odd = format.to_bytes();
        odd[0] = 24;
        assert_eq!(Format::parse(&odd), None);
        let mut far = format.to_bytes();
        far[10] = 32;
        assert_eq!(Format::parse(&far), None);
    }

    /// Reads Hextile by the standard's text.
    pub(in super::super) fn read(bytes: &mut &[u8], size: usize, width: usize, height: usize) -> Vec<Vec<u8>> {
        let mut picture = vec![Vec::new(); width * height];
        let mut take = |count: usize| {
            let (head, rest) = bytes.split_at(count);
            *bytes = rest;
            head.to_vec()
        };
        let (mut background, mut foreground) = (Vec::new(), Vec::new());
        for top in (0..height).step_by(16) {
            for left in (0..width).step_by(16) {
                let (w, h) = ((width - left).min(16), (height - top).min(16));
                let kind = take(1)[0];
                if kind & RAW != 0 {
                    for y in 0..h {
                        for x in 0..w {
                            picture[(top + y) * width + left + x] = take(size);
                        }
                    }
                    continue;
                }
                if kind & BACKGROUND != 0 {
                    background = take(size);
                }
                if kind & FOREGROUND != 0 {
                    foreground = take(size);
                }
                for y in 0..h {
                    for x in 0..w {
                        picture[(top + y) * width + left + x] = background.clone();
                    }
                }
                let count = if kind & SUBRECTS != 0 { take(1)[0] } else { 0 };
                for _ in 0..count {
                    let place = take(2);
                    let (x, y) = (usize::from(place[0] >> 4), usize::from(place[0] & 15));
                    let (w, h) = (usize::from(place[1] >> 4) + 1, usize::from(place[1] & 15) + 1);
                    for y in y..y + h {
                        for x in x..x + w {
                            picture[(top + y) * width + left + x] = foreground.clone();
                        }
                    }
                }
            }
        }
        picture
    }

    #[test]
    fn hextile_and_raw_are_the_same_picture() {
        let (width, height) = (50, 37);
        let pixels: Vec<u32> = (0..width * height)
            .map(|at| {
                let (x, y) = (at % width, at / width);
                if x < 20 {
                    0
                } else if y < 20 {
                    u32::from(x * y % 7 == 0) * 0xffff
                } else {
                    u32::try_from(at).unwrap()
                }
            })
            .collect();
        let area = Area { x: 3, y: 2, width: 45, height: 33 };
        let (mut plain, mut tiled) = (Vec::new(), Vec::new());
        raw(&mut plain, Format::default(), &pixels, width, area);
        hextile(&mut tiled, Format::default(), &pixels, width, area);
        assert!(tiled.len() < plain.len());
        let mut rest = tiled.as_slice();
        assert_eq!(read(&mut rest, 4, 45, 33).concat(), plain);
        assert!(rest.is_empty());
    }
}
