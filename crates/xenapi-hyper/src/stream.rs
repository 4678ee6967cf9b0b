//! Connections that are more than a request and its reply: consoles and uploads.

use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;

use bytes::{Buf, BytesMut};
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};

use crate::connect::Duplex;
use crate::error::{TransportError, TransportErrorKind};
use crate::target::Target;
use crate::transport::Transport;

/// How long the head of an answer may be.
const HEAD_LIMIT: usize = 16 << 10;
/// How many headers it may have.
const HEADERS: usize = 64;
/// How much of an error's page is read, and for how long.
const PAGE_LIMIT: u64 = 8 << 10;
const PAGE_TIME: Duration = Duration::from_secs(5);

/// A connection of one's own to a server.
pub(crate) struct Connection {
    target: Target,
    stream: Box<dyn Duplex>,
    /// What came behind the head of the answer.
    ahead: BytesMut,
}

/// The head of an answer.
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
}

impl Connection {
    /// Connects and sends the head of a request, without a body.
    pub(crate) async fn begin(
        transport: &Transport,
        method: &Method,
        path: &str,
        headers: &[(HeaderName, HeaderValue)],
    ) -> Result<Self, TransportError> {
        let target = transport.target().clone();
        let head = request_head(transport, method, path, headers)
            .map_err(|why| TransportError::new(&target, TransportErrorKind::Request(why)))?;
        let stream = transport.open().await?;
        let mut connection = Connection { target, stream, ahead: BytesMut::new() };
        let sent = async {
            connection.stream.write_all(&head).await?;
            connection.stream.flush().await
        };
        sent.await.map_err(|error| connection.broken(&error))?;
        Ok(connection)
    }

    fn broken(&self, error: &io::Error) -> TransportError {
        TransportError::new(&self.target, TransportErrorKind::Broken(error.to_string()))
    }

    /// The head of the answer, within `timeout`. May be given up and called again.
    pub(crate) async fn head(&mut self, timeout: Duration) -> Result<Head, TransportError> {
        let late = TransportErrorKind::Timeout { waiting_for: "the answer", after: timeout };
        match tokio::time::timeout(timeout, self.read_head()).await {
            Ok(head) => head,
            Err(_) => Err(TransportError::new(&self.target, late)),
        }
    }

    async fn read_head(&mut self) -> Result<Head, TransportError> {
        let wrong = |why: String| TransportError::new(&self.target, TransportErrorKind::Broken(why));
        loop {
            if let Some((head, length)) = parse(&self.ahead).map_err(wrong)? {
                self.ahead.advance(length);
                // An interim answer; the real one follows.
                if head.status.is_informational() && head.status != StatusCode::SWITCHING_PROTOCOLS {
                    continue;
                }
                return Ok(head);
            }
            if self.ahead.len() >= HEAD_LIMIT {
                return Err(wrong(format!("the head of the answer has more than {HEAD_LIMIT} bytes")));
            }
            self.ahead.reserve(4096);
            match self.stream.read_buf(&mut self.ahead).await {
                Ok(0) => return Err(wrong("the server closed it before it answered".into())),
                Ok(_) => {}
                Err(error) => return Err(self.broken(&error)),
            }
        }
    }

    /// The error that an answer with another status than 200 is.
    pub(crate) async fn refused(mut self, head: &Head) -> TransportError {
        let length = head.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        let mut page = self.ahead.split().freeze().to_vec();
        let left = length.unwrap_or(PAGE_LIMIT).min(PAGE_LIMIT).saturating_sub(page.len() as u64);
        // What came of it says more than nothing.
        let _ = tokio::time::timeout(PAGE_TIME, self.stream.take(left).read_to_end(&mut page)).await;
        TransportError::status(&self.target, head.status.as_u16(), &page)
    }

    /// The bytes that follow, both ways.
    pub(crate) fn into_stream(self) -> ByteStream {
        ByteStream { stream: self.stream, ahead: self.ahead }
    }

    /// Both sides, for a body that is sent while the answer may come.
    pub(crate) fn stream(&mut self) -> &mut Box<dyn Duplex> {
        &mut self.stream
    }
}

fn request_head(
    transport: &Transport,
    method: &Method,
    path: &str,
    headers: &[(HeaderName, HeaderValue)],
) -> Result<Vec<u8>, String> {
    if !path.starts_with('/') || path.bytes().any(|byte| !(0x21..0x7f).contains(&byte)) {
        return Err("its path does not begin with `/`, or holds what has to be written with `%`".into());
    }
    let mut head = format!("{method} {path} HTTP/1.0\r\n").into_bytes();
    let own = [(http::header::HOST, transport.host()), (http::header::USER_AGENT, &transport.config().user_agent)];
    for (name, value) in own.into_iter().chain(headers.iter().map(|(name, value)| (name.clone(), value))) {
        head.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    head.extend(b"\r\n");
    let limit = transport.config().header_limit;
    if head.len() > limit && !matches!(transport.target(), Target::Unix(_)) {
        return Err(format!("its headers have {} bytes, and the server takes {limit} at most", head.len()));
    }
    Ok(head)
}

/// The head of an answer and its length, once all of it is there.
fn parse(bytes: &[u8]) -> Result<Option<(Head, usize)>, String> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(format!("the answer is not HTTP: {error}")),
    };
    let status = StatusCode::from_u16(response.code.unwrap_or(0)).map_err(|error| error.to_string())?;
    let mut all = HeaderMap::new();
    for header in response.headers.iter() {
        // What cannot be a header is nothing that is looked for.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(header.name), HeaderValue::from_bytes(header.value)) {
            all.append(name, value);
        }
    }
    Ok(Some((Head { status, headers: all }, length)))
}

/// Bytes to and from a server. Dropped, the connection is closed.
pub struct ByteStream {
    stream: Box<dyn Duplex>,
    ahead: BytesMut,
}

impl core::fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ByteStream").finish_non_exhaustive()
    }
}

impl AsyncRead for ByteStream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let length = self.ahead.len().min(buffer.remaining());
        buffer.put_slice(&self.ahead.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ByteStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
