//! The stream as one long answer: `text/event-stream`, as browsers and `curl -N` read it.

use alloc::sync::Arc;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt as _;
use tokio::sync::mpsc;
use xenapi_codec::{Limits, xmlrpc};
use xenapi_core::{Type, Value, Wire as _};

use super::{Ask, Hub, Pace, Trouble};
use crate::serve::{Body, BoxError};
use crate::typed::json::to_json;

/// How long nothing may come before a sign of life does.
const HOLD: Duration = Duration::from_secs(5);

/// Between two attempts when the pool cannot be asked.
const RETRY: Duration = Duration::from_secs(1);

impl Hub {
    /// Everything, then what changes, until the reader hangs up or his session ends. Each batch is the JSON of what `event.from` answers,
    /// with its token as the id, from which a reader may go on later. Between them stand lines that only say that the pool is there.
    pub(in crate::serve) fn listen(self: &Arc<Self>, session: String, last: String) -> Body {
        // One batch waits for the reader, not all of them.
        let (send, receive) = mpsc::channel(1);
        tokio::spawn(Arc::clone(self).tell(session, last, send));
        Channel(receive).boxed_unsync()
    }

    async fn tell(self: Arc<Self>, session: String, last: String, to: mpsc::Sender<Bytes>) {
        let mut token = last;
        loop {
            let ask = Ask { pace: Pace::Eager, ..Ask::all(token.clone(), HOLD) };
            let said = tokio::select! {
                said = self.batch(&session, &ask) => said,
                () = to.closed() => return,
            };
            let (text, wait) = match said {
                Ok(page) if page.is_empty => (": the pool is there\n\n".into(), Duration::ZERO),
                Ok(page) => {
                    token = page.token.to_string();
                    (format!("event: batch\nid: {token}\ndata: {}\n\n", json(&page.to_xml())), Duration::ZERO)
                }
                Err(Trouble::Failure(failure)) if failure.code == "EVENTS_LOST" => {
                    token.clear();
                    ("event: lost\ndata: {}\n\n".into(), Duration::ZERO)
                }
                Err(Trouble::Failure(failure)) => {
                    // The session itself is nobody's business.
                    let text = format!("event: end\ndata: {}\n\n", serde_json::json!({ "code": failure.code }));
                    let _ = to.send(text.into()).await;
                    return;
                }
                Err(Trouble::Refusal(refusal)) => {
                    let data = serde_json::json!({ "code": refusal.code.word(), "message": refusal.message });
                    (format!("event: trouble\ndata: {data}\n\n"), RETRY)
                }
            };
            if to.send(text.into()).await.is_err() {
                return;
            }
            tokio::time::sleep(wait).await;
        }
    }
}

/// An answer as JSON, by the types of the schema.
fn json(xml: &[u8]) -> serde_json::Value {
    match xmlrpc::read_result(xml, &Limits::reply(), Value::read) {
        Ok(Ok(batch)) => to_json(&Type::EventBatch, &batch),
        // It was written here.
        Ok(Err(_)) | Err(_) => serde_json::Value::Null,
    }
}

struct Channel(mpsc::Receiver<Bytes>);

impl http_body::Body for Channel {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}
