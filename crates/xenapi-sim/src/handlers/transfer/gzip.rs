//! Compressed archives.

use alloc::boxed::Box;
use alloc::vec::Vec;
#[cfg(feature = "bundles")]
use std::io::Write as _;

#[cfg(feature = "bundles")]
use flate2::write::{GzDecoder, GzEncoder};

use crate::handlers::Download;
#[cfg(feature = "bundles")]
use crate::{
    Sim,
    handlers::{Piece, Visit},
};

/// Compresses a stream. Nothing where this build cannot.
pub(super) fn compressed(inner: Box<dyn Download>) -> Option<Box<dyn Download>> {
    #[cfg(feature = "bundles")]
    {
        let encoder = Some(GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        Some(Box::new(Compressed { inner, encoder }))
    }
    #[cfg(not(feature = "bundles"))]
    {
        drop(inner);
        None
    }
}

#[cfg(feature = "bundles")]
struct Compressed {
    inner: Box<dyn Download>,
    encoder: Option<GzEncoder<Vec<u8>>>,
}

#[cfg(feature = "bundles")]
impl Download for Compressed {
    fn next(&mut self, sim: &mut Sim, visit: &mut Visit) -> Piece {
        loop {
            let bytes = match self.inner.next(sim, visit) {
                Piece::Bytes(bytes) => bytes,
                Piece::End => {
                    let last = self.encoder.take().map(GzEncoder::finish);
                    return last.map_or(Piece::End, |last| last.map_or(Piece::Broken, Piece::Bytes));
                }
                other => return other,
            };
            let Some(encoder) = &mut self.encoder else { return Piece::End };
            if encoder.write_all(&bytes).is_err() {
                return Piece::Broken;
            }
            let packed = core::mem::take(encoder.get_mut());
            if !packed.is_empty() {
                return Piece::Bytes(packed);
            }
        }
    }

    fn abandon(&mut self, sim: &mut Sim) {
        self.inner.abandon(sim);
    }
}

/// So many compressed bytes are unpacked at once, which makes at most about a thousand times as many.
#[cfg(feature = "bundles")]
const STEP: usize = 1024;

/// Unpacks what is packed, by its first bytes.
pub(super) enum Unpacker {
    /// Too little has come to tell.
    Unknown(Vec<u8>),
    Plain,
    #[cfg(feature = "bundles")]
    Gzip(Box<GzDecoder<Vec<u8>>>),
}

impl Unpacker {
    /// Takes bytes and hands on what they are unpacked.
    pub(super) fn push<E: From<&'static str>>(
        &mut self,
        bytes: &[u8],
        mut sink: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut all = Vec::new();
        let bytes = match self {
            Unpacker::Unknown(first) => {
                first.extend_from_slice(bytes);
                if first.len() < 2 {
                    return Ok(());
                }
                all.append(first);
                *self = match all.get(..2) {
                    #[cfg(feature = "bundles")]
                    Some([0x1f, 0x8b]) => Unpacker::Gzip(Box::new(GzDecoder::new(Vec::new()))),
                    #[cfg(not(feature = "bundles"))]
                    Some([0x1f, 0x8b]) => return Err("this build reads no compressed archives".into()),
                    Some([0x28, 0xb5]) => return Err("archives compressed with zstd are not read: use gzip or none".into()),
                    _ => Unpacker::Plain,
                };
                all.as_slice()
            }
            _ => bytes,
        };
        match self {
            #[cfg(feature = "bundles")]
            Unpacker::Gzip(decoder) => {
                for part in bytes.chunks(STEP) {
                    decoder.write_all(part).map_err(|_| "the compressed archive is damaged")?;
                    sink(&core::mem::take(decoder.get_mut()))?;
                }
                decoder.flush().map_err(|_| "the compressed archive is damaged")?;
                sink(&core::mem::take(decoder.get_mut()))
            }
            _ => sink(bytes),
        }
    }
}
