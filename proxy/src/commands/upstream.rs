//! The way to a pool over the network.

use core::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::BodyExt as _;
use xenapi_hyper::{Request, Target, Transport, TransportConfig, TransportError, TransportErrorKind, Trust};

use crate::cli::Exit;
use crate::serve::upstream::{Answer, Answering, Upstream, UpstreamError};

/// A server over the network.
pub(super) struct Remote {
    transport: Transport,
    answer_time: Duration,
}

impl Remote {
    /// The server at a target. Nothing is connected yet.
    pub(super) fn new(target: Target, trust: &Trust, answer_time: Duration) -> Result<Self, Exit> {
        let transport = Transport::new(target, trust, TransportConfig::default()).map_err(Exit::failure)?;
        Ok(Remote { transport, answer_time })
    }
}

impl Upstream for Remote {
    fn post(&self, body: Bytes, repeatable: bool) -> Answering<'_> {
        let request = Request { repeatable, ..Request::rpc(body, self.answer_time) };
        Box::pin(async {
            let response = self.transport.send(request).await.map_err(translate)?;
            let (head, body) = response.into_parts();
            let length = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
            Ok(Answer {
                status: head.status,
                content_type: head.headers.get(CONTENT_TYPE).cloned(),
                length,
                body: body.map_err(Into::into).boxed_unsync(),
            })
        })
    }
}

fn translate(error: TransportError) -> UpstreamError {
    let what = error.to_string();
    match error.kind() {
        TransportErrorKind::Untrusted(_) => UpstreamError::Untrusted(what),
        TransportErrorKind::Timeout { .. } => UpstreamError::Timeout(what),
        TransportErrorKind::Resolve(_) | TransportErrorKind::Connect(..) | TransportErrorKind::Tls(_) => {
            UpstreamError::Unreachable(what)
        }
        _ => UpstreamError::Broken(what),
    }
}
