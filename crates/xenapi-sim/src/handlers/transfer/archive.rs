//! Tar, as far as exported VMs need it: plain files in the order in which they are read.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

const BLOCK: usize = 512;
/// The description of the VMs is never longer.
const MOST_TEXT: u64 = 16 << 20;

/// Adds a file.
pub(super) fn file(out: &mut Vec<u8>, name: &str, bytes: &[u8]) {
    let mut head = [0_u8; BLOCK];
    let mut put = |at: usize, text: &str| head[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name.get(..100).unwrap_or(name));
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &alloc::format!("{:011o}", bytes.len()));
    put(136, "00000000000");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar");
    put(263, "00");
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    head[148..156].copy_from_slice(alloc::format!("{sum:06o}\0 ").as_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(BLOCK), 0);
}

/// Adds the end.
pub(super) fn end(out: &mut Vec<u8>) {
    out.resize(out.len() + 2 * BLOCK, 0);
}

/// Reads files out of bytes that come in any pieces.
#[derive(Default)]
pub(super) struct Files {
    pending: Vec<u8>,
    /// The name and length of the file that is read.
    current: Option<(String, usize)>,
    pub(super) ended: bool,
}

/// What a header says.
enum Header {
    End,
    File(String, usize),
}

impl Files {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        // Padding behind the end is of no interest.
        if !self.ended {
            self.pending.extend_from_slice(bytes);
        }
    }

    /// The next whole file, or what is wrong.
    pub(super) fn next(&mut self) -> Result<Option<(String, Vec<u8>)>, &'static str> {
        loop {
            if self.ended {
                return Ok(None);
            }
            let Some((name, length)) = &self.current else {
                let Some(head) = self.pending.get(..BLOCK) else { return Ok(None) };
                match header(head)? {
                    Header::End => (self.ended, self.pending) = (true, Vec::new()),
                    Header::File(name, length) => {
                        self.pending.drain(..BLOCK);
                        self.current = Some((name, length));
                    }
                }
                continue;
            };
            let padded = length.next_multiple_of(BLOCK);
            if self.pending.len() < padded {
                return Ok(None);
            }
            let rest = self.pending.split_off(padded);
            let mut bytes = core::mem::replace(&mut self.pending, rest);
            bytes.truncate(*length);
            let name = name.clone();
            self.current = None;
            return Ok(Some((name, bytes)));
        }
    }
}

fn header(head: &[u8]) -> Result<Header, &'static str> {
    if head.iter().all(|byte| *byte == 0) {
        return Ok(Header::End);
    }
    let text = |from: usize, to: usize| {
        let part = head.get(from..to).unwrap_or_default();
        let part = part.split(|byte| *byte == 0).next().unwrap_or_default();
        core::str::from_utf8(part).map(|text| text.trim().to_string()).map_err(|_| "a name in the archive is not UTF-8")
    };
    let sum = u32::from_str_radix(&text(148, 156)?, 8).map_err(|_| "a header in the archive has no checksum")?;
    let found = head.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) });
    if found.sum::<u32>() != sum {
        return Err("a header in the archive is damaged");
    }
    let length = u64::from_str_radix(&text(124, 136)?, 8).map_err(|_| "a file in the archive has no length")?;
    if length > MOST_TEXT {
        return Err("a file in the archive is too long");
    }
    Ok(Header::File(text(0, 100)?, usize::try_from(length).unwrap_or(usize::MAX)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn files_come_back_in_any_pieces() {
        let mut bytes = Vec::new();
        file(&mut bytes, "ova.xml", b"<value/>");
        file(&mut bytes, "Ref:1/00000000", &[7; 1024]);
        file(&mut bytes, "empty", b"");
        end(&mut bytes);
        for size in [1, 100, 512, 10_000] {
            let (mut files, mut names) = (Files::default(), Vec::new());
            for piece in bytes.chunks(size) {
                files.push(piece);
                while let Some((name, bytes)) = files.next().unwrap() {
                    names.push((name, bytes.len()));
                }
            }
            assert!(files.ended);
            assert_eq!(names, [("ova.xml".into(), 8), ("Ref:1/00000000".into(), 1024), ("empty".into(), 0)]);
        }
        #[cfg(feature = "bundles")]
        {
            let mut archive = tar::Archive::new(bytes.as_slice());
            let sizes: Vec<u64> = archive.entries().unwrap().map(|entry| entry.unwrap().size()).collect();
            assert_eq!(sizes, [8, 1024, 0]);
        }
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        for bytes in [[b'x'; 512].as_slice(), &[1; 512]] {
            let mut files = Files::default();
            files.push(bytes);
            assert!(files.next().is_err());
        }
    }
}
