//! What handlers serve: replies, streams, consoles.

use core::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use xenapi_core::Millis;
use xenapi_sim::faults::{Effects, Ending};
use xenapi_sim::handlers::{self, Method, Piece, Reply, Turn};

use super::exchange::{Next, send_body, send_reply};
use super::head::Head;
use super::hub::Hub;
use super::websocket::{self, Frame, Frames};
use super::wire::Wire;
use super::{Backend, page};

/// A client may take this long to send the next bytes of a transfer.
const UPLOAD_PAUSE: Duration = Duration::from_secs(600);

/// A transfer that is told when its client is gone.
struct Attended<'a, B: Backend> {
    hub: &'a Hub<B>,
    exchange: B::Exchange,
}

impl<B: Backend> Attended<'_, B> {
    fn with<R>(&mut self, work: impl FnOnce(&mut B, &mut B::Exchange, Millis) -> R) -> R {
        self.hub.with(|backend, now| work(backend, &mut self.exchange, now))
    }
}

impl<B: Backend> Drop for Attended<'_, B> {
    fn drop(&mut self) {
        // Does nothing after an end.
        self.with(B::abandon_exchange);
    }
}

/// Answers a request that is not a call.
pub(super) async fn handle<B: Backend>(wire: &mut Wire, hub: &Hub<B>, head: Head, effects: &Effects) -> Next {
    let answer = hub.with(|backend, now| backend.http(&head.request, now));
    match answer {
        handlers::Answer::Reply(reply) => {
            if effects.end == Some(Ending::DropAnswer) {
                return Next::Cut;
            }
            // A body that nobody asked for would be taken for the next request.
            let keep = head.keep && reply.status() < 400 && !head.chunked && head.length.is_none_or(|length| length == 0);
            let text = page::reply(head.old, keep, &reply);
            send_body(wire, text, &reply.body, effects, keep).await
        }
        handlers::Answer::Download(start, exchange) => {
            download(wire, Attended { hub, exchange }, page::stream(&start), effects).await
        }
        handlers::Answer::Upload(start, exchange) => {
            upload(wire, Attended { hub, exchange }, &head, start.map(|start| page::stream(&start)), effects).await
        }
        handlers::Answer::Duplex(start, exchange) => {
            let attended = Attended { hub, exchange };
            if head.request.method == Method::Connect {
                return duplex(wire, attended, page::connected(&start), None).await;
            }
            match websocket::accept(&head.request) {
                Some(accept) => duplex(wire, attended, page::switching(&accept), Some(Frames::default())).await,
                None => send_reply(wire, head.old, false, &Reply::error(501, "This is for websockets only.")).await,
            }
        }
    }
}

async fn download<B: Backend>(wire: &mut Wire, mut transfer: Attended<'_, B>, start: Vec<u8>, effects: &Effects) -> Next {
    if wire.write(&start).await.is_err() {
        return Next::Cut;
    }
    let mut left = effects.truncate.map(|bytes| bytes.unwrap_or(0));
    loop {
        match transfer.with(B::next_piece) {
            Piece::Bytes(bytes) => {
                let shown = left.map_or(bytes.len(), |left| usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len()));
                let result = match effects.slow {
                    Some(rate) => wire.write_slowly(&bytes[..shown], rate).await,
                    None => wire.write(&bytes[..shown]).await,
                };
                if result.is_err() || shown < bytes.len() {
                    return Next::Cut;
                }
                left = left.map(|left| left - shown as u64);
            }
            Piece::Wait(until) => {
                tokio::select! {
                    () = sleep_until(transfer.hub.instant(until)) => {}
                    () = transfer.hub.stopped() => return Next::Cut,
                    () = wire.closed() => return Next::Cut,
                }
            }
            Piece::End => return Next::Close,
            Piece::Broken => return Next::Cut,
        }
    }
}

async fn upload<B: Backend>(
    wire: &mut Wire,
    mut transfer: Attended<'_, B>,
    head: &Head,
    start: Option<Vec<u8>>,
    effects: &Effects,
) -> Next {
    let early = start.is_some();
    if head.chunked {
        let refused = Reply::error(500, "Chunked request bodies are not supported: send Content-Length.");
        return if early { Next::Cut } else { send_reply(wire, head.old, false, &refused).await };
    }
    if let Some(start) = start
        && wire.write(&start).await.is_err()
    {
        return Next::Cut;
    }
    let reply = match take_body(wire, &mut transfer, head.length).await {
        Some(reply) => reply,
        None => return Next::Cut,
    };
    if effects.end == Some(Ending::DropAnswer) {
        return Next::Cut;
    }
    if early { Next::Close } else { send_reply(wire, head.old, head.keep && head.length.is_some(), &reply).await }
}

/// Gives the whole body to the machine; its reply, or nothing when the connection broke.
async fn take_body<B: Backend>(wire: &mut Wire, transfer: &mut Attended<'_, B>, length: Option<u64>) -> Option<Reply> {
    let mut left = length.unwrap_or(u64::MAX);
    while left > 0 {
        let bytes = tokio::select! {
            bytes = tokio::time::timeout(UPLOAD_PAUSE, wire.some(left)) => bytes.ok()?.ok()?,
            () = transfer.hub.stopped() => return None,
        };
        if bytes.is_empty() {
            break;
        }
        left -= bytes.len() as u64;
        if let Err(reply) = transfer.with(|backend, exchange, now| backend.take_bytes(exchange, &bytes, now)) {
            return Some(reply);
        }
    }
    let whole = length.is_none() || left == 0;
    Some(transfer.with(|backend, exchange, now| backend.finish(exchange, whole, now)))
}

/// Connects a client with a console until one of them ends it.
async fn duplex<B: Backend>(
    wire: &mut Wire,
    mut transfer: Attended<'_, B>,
    start: Vec<u8>,
    mut frames: Option<Frames>,
) -> Next {
    if wire.write(&start).await.is_err() {
        return Next::Cut;
    }
    let mut turn = transfer.with(B::open);
    loop {
        if say(wire, &turn, frames.is_some()).await.is_err() {
            return Next::Cut;
        }
        if turn.close {
            return Next::Close;
        }
        let wake = turn.wake.and_then(|wake| transfer.hub.instant(wake));
        let heard = tokio::select! {
            bytes = wire.some(u64::MAX) => Some(bytes),
            () = sleep_until(wake) => None,
            () = transfer.hub.stopped() => return Next::Cut,
        };
        turn = match heard {
            None => transfer.with(B::wake),
            Some(Ok(bytes)) if !bytes.is_empty() => match frames.as_mut() {
                None => transfer.with(|backend, exchange, now| backend.receive(exchange, &bytes, now)),
                Some(frames) => unwrap(&mut transfer, frames, bytes.freeze(), turn.wake),
            },
            Some(_) => return Next::Cut,
        };
    }
}

/// What a console says to the frames that came.
fn unwrap<B: Backend>(transfer: &mut Attended<'_, B>, frames: &mut Frames, bytes: Bytes, wake: Option<Millis>) -> Turn {
    frames.push(&bytes);
    let mut all = Turn { wake, ..Turn::default() };
    while let Some(frame) = frames.next() {
        let turn = match frame {
            Frame::Bytes(bytes) => transfer.with(|backend, exchange, now| backend.receive(exchange, &bytes, now)),
            Frame::Close => Turn { close: true, ..Turn::default() },
        };
        all.bytes.extend(turn.bytes);
        (all.wake, all.close) = (turn.wake, turn.close);
        if all.close {
            break;
        }
    }
    all
}

async fn say(wire: &mut Wire, turn: &Turn, framed: bool) -> std::io::Result<()> {
    if !framed {
        return if turn.bytes.is_empty() { Ok(()) } else { wire.write(&turn.bytes).await };
    }
    let mut bytes = websocket::frames(&turn.bytes);
    if turn.close {
        bytes.extend(websocket::CLOSING);
    }
    if bytes.is_empty() { Ok(()) } else { wire.write(&bytes).await }
}

async fn sleep_until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => core::future::pending().await,
    }
}
