//! One connection: requests come off it, replies go onto it, each within its time.

use core::time::Duration;
use std::io;

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout};

use super::ServerTimes;
use crate::connect::Duplex;

/// How much is read ahead of what is asked for.
const AHEAD: usize = 64 << 10;
/// Replies up to this size go out with their head in one piece.
const ONE_PIECE: usize = 16 << 10;
/// Longer ones in pieces of this size, each of which has its time.
const PIECE: usize = 64 << 10;
/// A reader has to take so many bytes a second on average once the time for a piece is over, or it holds the reply's memory for too long.
const LEAST_RATE: u64 = 16 << 10;
/// How much of a refused request is read so that its sender gets to see the page: closing with unread bytes would reset the connection
/// under it.
const DRAIN: u64 = 64 << 20;
/// How long that may take.
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// One connection.
pub(super) struct Wire {
    stream: Box<dyn Duplex>,
    buffer: BytesMut,
    pub(super) times: ServerTimes,
    /// No request came on it yet.
    fresh: bool,
}

/// Why there is no head.
pub(super) enum NoHead {
    /// The client closed the connection, or it broke.
    Closed,
    /// It took too long.
    Late,
    /// It is longer than the limit.
    TooLong,
    /// It begins with what no method begins with, as TLS does.
    Garbage,
}

impl Wire {
    pub(super) fn new(stream: Box<dyn Duplex>, times: ServerTimes) -> Self {
        Wire { stream, buffer: BytesMut::new(), times, fresh: true }
    }

    /// Reads some bytes into the buffer. Nothing at the end of the stream.
    async fn fill(&mut self) -> io::Result<usize> {
        self.buffer.reserve(4096);
        self.stream.read_buf(&mut self.buffer).await
    }

    /// The bytes of the next head, with the empty line at its end.
    pub(super) async fn head(&mut self, limit: usize) -> Result<BytesMut, NoHead> {
        let mut began = Instant::now();
        let mut searched = 0;
        let fresh = core::mem::replace(&mut self.fresh, false);
        loop {
            if searched == 0 {
                // Empty lines before a request are nobody's.
                while matches!(self.buffer.first(), Some(b'\r' | b'\n')) {
                    self.buffer.advance(1);
                }
            }
            if self.buffer.first().is_some_and(|byte| !byte.is_ascii_alphabetic()) {
                return Err(NoHead::Garbage);
            }
            if let Some(end) = end_of_head(&self.buffer, searched) {
                return if end <= limit { Ok(self.buffer.split_to(end)) } else { Err(NoHead::TooLong) };
            }
            if self.buffer.len() > limit {
                return Err(NoHead::TooLong);
            }
            searched = self.buffer.len().saturating_sub(3);
            let waits = self.buffer.is_empty();
            let time = if waits && !fresh {
                self.times.idle
            } else {
                self.times.head_read.min(self.times.head.saturating_sub(began.elapsed()))
            };
            match timeout(time, self.fill()).await {
                Ok(Ok(1..)) => {}
                Ok(_) => return Err(NoHead::Closed),
                Err(_) if waits && !fresh => return Err(NoHead::Closed),
                Err(_) => return Err(NoHead::Late),
            }
            if waits {
                began = Instant::now();
            }
        }
    }

    /// The next `length` bytes.
    pub(super) async fn body(&mut self, length: usize) -> io::Result<BytesMut> {
        let read = async {
            while self.buffer.len() < length {
                let missing = length - self.buffer.len();
                self.buffer.reserve(missing);
                if self.stream.read_buf(&mut self.buffer).await? == 0 {
                    return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
                }
            }
            Ok(())
        };
        timeout(self.times.body, read).await??;
        Ok(self.buffer.split_to(length))
    }

    /// The next bytes, at most `most` of them, as they come; none at the end of the stream.
    pub(super) async fn some(&mut self, most: u64) -> io::Result<BytesMut> {
        if self.buffer.is_empty() {
            self.buffer.reserve(PIECE);
            self.stream.read_buf(&mut self.buffer).await?;
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(self.buffer.len());
        Ok(self.buffer.split_to(most))
    }

    /// Returns when the client closed the connection. Reads a little ahead to notice.
    pub(super) async fn closed(&mut self) {
        while self.buffer.len() < AHEAD {
            match self.fill().await {
                Ok(1..) => {}
                _ => return,
            }
        }
        core::future::pending().await
    }

    /// Sends a head and a body.
    pub(super) async fn send(&mut self, mut head: Vec<u8>, body: &[u8]) -> io::Result<()> {
        if body.len() <= ONE_PIECE {
            head.extend_from_slice(body);
            return self.write(&head).await;
        }
        self.write(&head).await?;
        self.write(body).await
    }

    /// Sends bytes. A reader that is too slow is an error.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let began = Instant::now();
        let mut sent = 0;
        for piece in bytes.chunks(PIECE) {
            timeout(self.times.stall, self.stream.write_all(piece)).await??;
            sent += piece.len() as u64;
            let patience = self.times.stall + Duration::from_secs(sent / LEAST_RATE);
            if began.elapsed() > patience {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        timeout(self.times.stall, self.stream.flush()).await?
    }

    /// Sends bytes at so many a second.
    pub(super) async fn write_slowly(&mut self, bytes: &[u8], rate: u64) -> io::Result<()> {
        const TICK: u64 = 100;
        let piece = usize::try_from(rate.saturating_mul(TICK) / 1000).unwrap_or(usize::MAX).max(1);
        // Fewer than ten bytes a second: longer pauses.
        let pause = Duration::from_millis((piece as u64).saturating_mul(1000) / rate.max(1));
        for piece in bytes.chunks(piece) {
            self.write(piece).await?;
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }

    /// Ends the connection after a reply, so that the client sees it even where it is still sending.
    pub(super) async fn close(mut self) {
        if timeout(self.times.stall, self.stream.shutdown()).await.is_err() {
            return;
        }
        let drain = async {
            let mut drained = 0;
            while drained < DRAIN {
                self.buffer.clear();
                match self.fill().await {
                    Ok(read @ 1..) => drained += read as u64,
                    _ => return,
                }
            }
        };
        // Who goes on sending after that is cut off.
        let _ = timeout(DRAIN_TIME, drain).await;
    }
}

/// Where the head ends, if it does: behind an empty line.
fn end_of_head(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(line) = bytes.get(at..)?.iter().position(|byte| *byte == b'\n') {
        at += line + 1;
        match bytes.get(at..)? {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_head_ends_at_its_empty_line() {
        assert_eq!(end_of_head(b"GET / HTTP/1.1\r\nhost: x\r\n\r\nrest", 0), Some(27));
        assert_eq!(end_of_head(b"GET / HTTP/1.1\nhost: x\n\nrest", 0), Some(24));
        assert_eq!(end_of_head(b"GET / HTTP/1.1\r\nhost: x\r\n", 0), None);
        assert_eq!(end_of_head(b"", 0), None);
    }

    #[tokio::test]
    async fn a_reader_that_takes_nothing_does_not_hold_the_reply() {
        let (_client, server) = tokio::io::duplex(1000);
        let times = ServerTimes { stall: Duration::from_millis(20), ..ServerTimes::default() };
        let mut wire = Wire::new(Box::new(server), times);
        let error = wire.send(b"head".to_vec(), &[0; 100_000]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_head_may_come_in_any_pieces() {
        let head = b"POST / HTTP/1.1\r\nhost: x\r\n\r\n";
        for cut in 1..head.len() {
            let (mut client, server) = tokio::io::duplex(64);
            let mut wire = Wire::new(Box::new(server), ServerTimes::default());
            let sent = tokio::spawn(async move {
                client.write_all(&head[..cut]).await.unwrap();
                tokio::task::yield_now().await;
                client.write_all(&head[cut..]).await.unwrap();
                client.write_all(b"next").await.unwrap();
            });
            assert_eq!(wire.head(100).await.ok().unwrap(), &head[..]);
            assert_eq!(wire.body(4).await.unwrap(), &b"next"[..]);
            sent.await.unwrap();
        }
    }
}
