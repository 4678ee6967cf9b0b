//! Streams without async.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::io::{self, Read, Write};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};

use super::Client;
use crate::call_error::Error;

/// [`crate::ByteStream`] without async. Reading waits until something comes.
#[derive(Debug)]
pub struct ByteStream {
    stream: crate::ByteStream,
    client: Client,
}

impl ByteStream {
    pub(super) fn new(stream: crate::ByteStream, client: Client) -> Self {
        ByteStream { stream, client }
    }
}

impl Read for ByteStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.client.wait(self.stream.read(buffer))
    }
}

impl Write for ByteStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.client.wait(self.stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.client.wait(self.stream.flush())
    }
}

/// [`crate::Download`] without async.
#[derive(Debug)]
pub struct Download {
    download: crate::Download,
    client: Client,
}

impl Download {
    pub(super) fn new(download: crate::Download, client: Client) -> Self {
        Download { download, client }
    }

    /// [`crate::Download::finish`].
    ///
    /// # Errors
    /// When the server failed on the way, or the stream was not read to its end.
    pub fn finish(self) -> Result<(), Error> {
        self.client.wait(self.download.finish())
    }
}

impl Read for Download {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.client.wait(self.download.read(buffer))
    }
}

/// A reader or writer that waits where it must not, but there is nobody else on the runtime.
pub(super) struct Waiting<'a, T>(pub(super) &'a mut T);

impl<T: Read> AsyncRead for Waiting<'_, T> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let length = self.0.read(buffer.initialize_unfilled())?;
        buffer.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl<T: Write> AsyncWrite for Waiting<'_, T> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.0.write(bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.flush())
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}
