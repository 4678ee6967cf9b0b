//! One request and its reply.

use core::time::Duration;

use bytes::Bytes;
use xenapi_codec::xmlrpc;
use xenapi_core::{Failure, RawCall, Value};
use xenapi_sim::Shared;
use xenapi_sim::faults::{Effects, Ending, Meeting};
use xenapi_sim::handlers::{Method, Reply};

use super::head::{self, BadHead, Head};
use super::hub::{Answered, Hub};
use super::rpc::{self, Form, NoCall};
use super::wire::{NoHead, Wire};
use super::{Answer, Backend, Origin, Place, page, stream};

/// What a call's body may have.
const BODY_LIMIT: u64 = 300 * 1024;
/// What request line and headers may have together over TCP.
const HEAD_LIMIT: usize = 1024 - 18;
/// And on the Unix socket.
const LOCAL_HEAD_LIMIT: usize = 16 << 10;

/// Answers that take more than about this many bytes are not held as a whole.
const WHOLE: usize = 8 << 20;
/// They are sent in pieces of this size.
const PIECE: usize = 256 << 10;

/// How a connection goes on.
pub(super) enum Next {
    /// With the next request.
    Stay,
    /// It is closed after what was sent.
    Close,
    /// It is cut.
    Cut,
}

/// Serves one connection to its end.
pub(super) async fn converse<B: Backend>(mut wire: Wire, place: &Place, hub: &Hub<B>) {
    loop {
        let limit = if place.origin == Origin::UnixSocket { LOCAL_HEAD_LIMIT } else { HEAD_LIMIT };
        let head = tokio::select! {
            head = wire.head(limit) => head,
            () = hub.stopped() => return,
        };
        let head = match head {
            Ok(bytes) => head::parse(&bytes, place).map_err(|BadHead(status, why)| Reply::error(status, &why)),
            Err(NoHead::Closed) => return,
            Err(NoHead::Late) => Err(Reply::error(408, "The headers of the request did not come in time.")),
            Err(NoHead::Garbage) => Err(Reply::error(400, "This is not HTTP.")),
            Err(NoHead::TooLong) => Err(Reply::error(431, "The headers of the request are too long.")),
        };
        let next = match head {
            Ok(head) => serve(&mut wire, hub, place, head).await,
            Err(reply) => send_reply(&mut wire, false, false, &reply).await,
        };
        match next {
            Next::Stay => {}
            Next::Close => return wire.close().await,
            Next::Cut => return,
        }
    }
}

async fn serve<B: Backend>(wire: &mut Wire, hub: &Hub<B>, place: &Place, head: Head) -> Next {
    let request = &head.request;
    match request.method {
        Method::Options => {
            let asked = request.header("access-control-request-headers");
            sent(wire.send(page::options(head.old, head.keep, asked), &[]).await, head.keep)
        }
        Method::Post if !hub.with_quietly(|backend| backend.serves(Method::Post, &request.path)) => {
            call(wire, hub, place, &head).await
        }
        _ => {
            let meeting = Meeting { path: &request.path, method: None, session: None, via: place.host.as_ref() };
            let effects = hub.meet(&meeting);
            tokio::time::sleep(Duration::from_millis(effects.delay.0)).await;
            match &effects.end {
                None | Some(Ending::DropAnswer) => stream::handle(wire, hub, head, &effects).await,
                Some(Ending::Drop) => Next::Cut,
                Some(Ending::Status(status)) => {
                    send_reply(wire, head.old, false, &Reply::error(*status, "This fault was asked for.")).await
                }
                Some(Ending::Failure(failure)) => {
                    send_reply(wire, head.old, false, &Reply::error(500, &failure.to_string())).await
                }
            }
        }
    }
}

/// What a sent reply means for the connection.
fn sent(result: std::io::Result<()>, keep: bool) -> Next {
    match result {
        Ok(()) if keep => Next::Stay,
        Ok(()) => Next::Close,
        // Whoever does not take its reply is gone, or as good as.
        Err(_) => Next::Cut,
    }
}

/// Sends a whole reply. After an error, the connection closes.
pub(super) async fn send_reply(wire: &mut Wire, old: bool, keep: bool, reply: &Reply) -> Next {
    let keep = keep && reply.status() < 400;
    sent(wire.send(page::reply(old, keep, reply), &reply.body).await, keep)
}

/// A call.
async fn call<B: Backend>(wire: &mut Wire, hub: &Hub<B>, place: &Place, head: &Head) -> Next {
    let body = match body(wire, head).await {
        Ok(body) => body,
        Err(Some(reply)) => return send_reply(wire, head.old, false, &reply).await,
        Err(None) => return Next::Cut,
    };
    let read = rpc::read(rpc::is_json(&head.request.path), &body);
    drop(body);
    let (call, form) = match read {
        Ok(read) => read,
        Err(NoCall::Page(why)) => return send_reply(wire, head.old, false, &Reply::error(500, &why)).await,
        Err(NoCall::Refused(body, form)) => {
            let text = page::answer(head.old, head.keep, body.len(), form.content_type(), None);
            return sent(wire.send(text, &body).await, head.keep);
        }
    };
    let effects = hub.meet(&Meeting {
        path: &head.request.path,
        method: Some(&call.method),
        session: call.params.first().and_then(Value::as_text),
        via: place.host.as_ref(),
    });
    if effects.delay.0 > 0 {
        tokio::time::sleep(Duration::from_millis(effects.delay.0)).await;
    }
    let answered = match &effects.end {
        Some(Ending::Drop) => return Next::Cut,
        Some(Ending::Status(status)) => {
            return send_reply(wire, head.old, false, &Reply::error(*status, "This fault was asked for.")).await;
        }
        Some(Ending::Failure(failure)) => Answered::With(Answer::Failure(failure.clone())),
        None | Some(Ending::DropAnswer) => answered(wire, hub, place, head, call).await,
    };
    match answered {
        Answered::With(_) if effects.end == Some(Ending::DropAnswer) => Next::Cut,
        Answered::With(answer) => send_answer(wire, hub, head, &form, &answer, &effects).await,
        Answered::Stopping => send_reply(wire, head.old, false, &Reply::error(503, "The server is stopping.")).await,
        Answered::Never => Next::Cut,
    }
}

/// The answer to a call; never, if the client hangs up first.
async fn answered<B: Backend>(wire: &mut Wire, hub: &Hub<B>, place: &Place, head: &Head, call: RawCall) -> Answered {
    match hub.begin(call, place, &head.request) {
        Ok(answer) => Answered::With(answer),
        Err(waiting) => tokio::select! {
            answered = waiting.answer() => answered,
            () = wire.closed() => Answered::Never,
        },
    }
}

async fn send_answer<B: Backend>(
    wire: &mut Wire,
    hub: &Hub<B>,
    head: &Head,
    form: &Form,
    answer: &Answer,
    effects: &Effects,
) -> Next {
    let thumbprint = match answer {
        Answer::Failure(failure) => thumbprint(hub, head, failure),
        _ => None,
    };
    if let (Form::Xml, Answer::Shared(shared)) = (form, answer)
        && effects.truncate.is_none()
        && effects.slow.is_none()
        && shared.weight() > WHOLE
    {
        return send_in_pieces(wire, head, shared, form.content_type()).await;
    }
    let body = form.write(answer);
    let text = page::answer(head.old, head.keep, body.len(), form.content_type(), thumbprint.as_deref());
    send_body(wire, text, &body, effects, head.keep).await
}

/// Sends an answer that is too big to be held as a whole: written once to be counted, because replies say their length first, and once
/// to be sent, no faster than the client reads.
async fn send_in_pieces(wire: &mut Wire, head: &Head, shared: &Shared, content_type: &str) -> Next {
    let counted = shared.clone();
    let counted = tokio::task::spawn_blocking(move || {
        let mut length = 0;
        let count = &mut |piece: &[u8]| length += piece.len();
        xmlrpc::write_success_in_pieces(|writer| counted.write(writer), PIECE, count);
        length
    });
    let Ok(length) = counted.await else { return Next::Cut };
    let text = page::answer(head.old, head.keep, length, content_type, None);
    if wire.write(&text).await.is_err() {
        return Next::Cut;
    }
    let (sender, mut pieces) = tokio::sync::mpsc::channel::<Vec<u8>>(2);
    let written = shared.clone();
    tokio::task::spawn_blocking(move || {
        // A client that hung up closes the channel; the rest is written for nobody.
        let send = &mut |piece: &[u8]| drop(sender.blocking_send(piece.to_vec()));
        xmlrpc::write_success_in_pieces(|writer| written.write(writer), PIECE, send);
    });
    let mut sent = 0;
    while let Some(piece) = pieces.recv().await {
        sent += piece.len();
        if wire.write(&piece).await.is_err() {
            return Next::Cut;
        }
    }
    if sent == length && head.keep { Next::Stay } else { Next::Close }
}

/// Sends head and body, as far and as fast as the faults let it.
pub(super) async fn send_body(wire: &mut Wire, text: Vec<u8>, body: &[u8], effects: &Effects, keep: bool) -> Next {
    let part =
        effects.truncate.map(|bytes| bytes.map_or(body.len() / 2, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX)));
    let shown = &body[..part.unwrap_or(usize::MAX).min(body.len())];
    let result = match effects.slow {
        Some(rate) => match wire.write(&text).await {
            Ok(()) => wire.write_slowly(shown, rate).await,
            failed => failed,
        },
        None => wire.send(text, shown).await,
    };
    if part.is_some() { Next::Cut } else { sent(result, keep) }
}

/// Who is sent to the master may ask for the certificate that the master will show.
fn thumbprint<B: Backend>(hub: &Hub<B>, head: &Head, failure: &Failure) -> Option<String> {
    if failure.code != "HOST_IS_SLAVE" {
        return None;
    }
    let sha1 = match head.request.header("x-xenapi-request-host-certificate-thumbprint")? {
        "sha-256:master" => false,
        "sha-1:master" => true,
        _ => return None,
    };
    hub.with_quietly(|backend| backend.thumbprint(sha1))
}

/// The body of a call, or the page that refuses it, or nothing when the client is gone.
async fn body(wire: &mut Wire, head: &Head) -> Result<Bytes, Option<Reply>> {
    let internal = |why: &str| Err(Some(Reply::error(500, why)));
    if head.chunked {
        return internal("Chunked request bodies are not supported: send Content-Length.");
    }
    let Some(length) = head.length else { return internal("The request has no Content-Length.") };
    if length > BODY_LIMIT {
        return internal(&format!("The body has {length} bytes; {BODY_LIMIT} are allowed."));
    }
    match wire.body(usize::try_from(length).unwrap_or(usize::MAX)).await {
        Ok(body) => Ok(body.freeze()),
        Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {
            Err(Some(Reply::error(408, "The body of the request did not come in time.")))
        }
        Err(_) => Err(None),
    }
}
