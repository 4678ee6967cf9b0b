//! The body of a reply, as it comes.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use crate::error::{TransportError, TransportErrorKind};
use crate::target::Target;
use crate::transport::Lease;

/// The body of a reply, as it comes. Read to its end, its connection is used again; dropped before, it is closed.
///
/// Ends with an error when it grows over the transport's limit or when nothing comes for as long as the request may take.
pub struct ReplyBody {
    incoming: Incoming,
    lease: Option<Lease>,
    target: Target,
    limit: u64,
    left: u64,
    patience: Duration,
    idle: Pin<Box<Sleep>>,
}

impl ReplyBody {
    pub(crate) fn new(incoming: Incoming, lease: Lease, target: Target, limit: u64, patience: Duration) -> Self {
        let mut body = ReplyBody {
            incoming,
            lease: Some(lease),
            target,
            limit,
            left: limit,
            patience,
            idle: Box::pin(tokio::time::sleep(patience)),
        };
        body.settle();
        body
    }

    /// The whole body.
    ///
    /// # Errors
    /// As the stream: over the limit, too slow, broken.
    pub async fn collect_all(mut self) -> Result<Bytes, TransportError> {
        let declared = self.incoming.size_hint().exact().unwrap_or(0).min(self.limit);
        if self.incoming.size_hint().lower() > self.limit {
            return Err(self.failed(TransportErrorKind::ReplyTooLarge { limit: self.limit }));
        }
        // What the server declares is not believed beyond a MiB before it comes.
        let mut whole = BytesMut::with_capacity(usize::try_from(declared).unwrap_or(0).min(1 << 20));
        while let Some(frame) = self.frame().await {
            if let Ok(data) = frame?.into_data() {
                if whole.capacity() - whole.len() < data.len() {
                    // Four times as much as has come, and no more than was declared: little is copied, and little is believed.
                    let declared = usize::try_from(declared).unwrap_or(0).saturating_sub(whole.len());
                    whole.reserve(declared.min(whole.len().saturating_mul(3)).max(data.len()));
                }
                whole.extend_from_slice(&data);
            }
        }
        Ok(whole.freeze())
    }

    fn failed(&self, kind: TransportErrorKind) -> TransportError {
        TransportError::new(&self.target, kind)
    }

    /// Gives the connection back when all was read.
    fn settle(&mut self) {
        if self.incoming.is_end_stream()
            && let Some(lease) = self.lease.take()
        {
            lease.give_back();
        }
    }

    fn count(&mut self, frame: &Frame<Bytes>) -> Result<(), TransportErrorKind> {
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        self.left = self.left.checked_sub(length).ok_or(TransportErrorKind::ReplyTooLarge { limit: self.limit })?;
        Ok(())
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let this = self.get_mut();
        let Poll::Ready(frame) = Pin::new(&mut this.incoming).poll_frame(context) else {
            ready!(this.idle.as_mut().poll(context));
            this.lease = None;
            let late = TransportErrorKind::Timeout { waiting_for: "the rest of the answer", after: this.patience };
            return Poll::Ready(Some(Err(this.failed(late))));
        };
        this.idle.as_mut().reset(Instant::now() + this.patience);
        let read = match frame {
            None => Ok(None),
            Some(Err(error)) => Err(TransportErrorKind::Broken(error.to_string())),
            Some(Ok(frame)) => this.count(&frame).map(|()| Some(frame)),
        };
        match read {
            Ok(frame) => {
                if frame.is_none()
                    && let Some(lease) = this.lease.take()
                {
                    lease.give_back();
                }
                this.settle();
                Poll::Ready(frame.map(Ok))
            }
            Err(kind) => {
                this.lease = None;
                Poll::Ready(Some(Err(this.failed(kind))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
