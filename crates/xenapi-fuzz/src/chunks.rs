//! A streamed reply, cut anywhere.

use std::fmt::Debug;

use xenapi_codec::Limits;
use xenapi_codec::xmlrpc::{Engine, ReplyStream, read_result};
use xenapi_core::{ReadError, Value, Wire};
use xenapi_model::{EventBatch, event, vm};

use crate::checks::split;

/// What a stream hands out.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Values,
    Records,
    Items,
    Events,
}

fn limits() -> Limits {
    Limits { depth: 12, members: 400, records: 60, text: 2000, ..Limits::default() }
}

pub(crate) fn same(bytes: &[u8]) {
    let (choices, document) = split(bytes);
    for kind in [Kind::Values, Kind::Records, Kind::Items, Kind::Events] {
        let whole = outcome(kind, &[document], Engine::Auto);
        for cut in [pieces(document, choices), document.chunks(1).collect()] {
            assert_eq!(outcome(kind, &cut, Engine::Auto), whole, "{kind:?} in {} pieces", cut.len());
        }
        assert_eq!(outcome(kind, &pieces(document, choices), Engine::General), whole, "{kind:?} by the general reader");
    }
    as_read_whole(document);
}

/// The document in pieces as long as the choices say, again and again.
fn pieces<'d>(mut document: &'d [u8], choices: &[u8]) -> Vec<&'d [u8]> {
    let mut pieces = Vec::new();
    for choice in choices.iter().cycle() {
        if document.is_empty() {
            break;
        }
        // Small ones mostly, empty ones sometimes, and now and then one that holds whole records.
        let length = if *choice > 240 { usize::from(*choice) * 40 } else { usize::from(*choice) / 4 };
        let (piece, rest) = document.split_at(length.min(document.len()));
        pieces.push(piece);
        document = rest;
        if pieces.len() > 20_000 {
            pieces.push(document);
            break;
        }
    }
    pieces
}

/// Everything that comes out, as text, because no number is equal to NaN.
fn outcome(kind: Kind, pieces: &[&[u8]], engine: Engine) -> Vec<String> {
    match kind {
        Kind::Values => each(ReplyStream::members(&limits()).with_engine(engine), pieces, <()>::read, |stream, chunk| {
            stream.next_member(chunk, Value::read)
        }),
        Kind::Records => each(ReplyStream::members(&limits()).with_engine(engine), pieces, <()>::read, |stream, chunk| {
            stream.next_record::<vm::Record>(chunk)
        }),
        Kind::Items => each(ReplyStream::items(&limits()).with_engine(engine), pieces, <()>::read, |stream, chunk| {
            stream.next_item(chunk, Value::read)
        }),
        Kind::Events => {
            let stream = ReplyStream::items_of("events", &limits()).with_engine(engine);
            each(stream, pieces, EventBatch::read, |stream, chunk| stream.next_item(chunk, event::Record::read))
        }
    }
}

fn each<T: Debug, R: Debug>(
    mut stream: ReplyStream,
    pieces: &[&[u8]],
    rest: xenapi_core::ReadResult<R>,
    next: impl Fn(&mut ReplyStream, &mut &[u8]) -> Result<Option<T>, ReadError>,
) -> Vec<String> {
    let mut out = Vec::new();
    for piece in pieces {
        let mut chunk = *piece;
        loop {
            match next(&mut stream, &mut chunk) {
                Ok(Some(part)) => out.push(format!("{part:?}")),
                Ok(None) => {
                    assert!(chunk.is_empty(), "asked for more with {} bytes left", chunk.len());
                    break;
                }
                Err(error) => {
                    out.push(format!("{error:?}"));
                    return out;
                }
            }
        }
    }
    out.push(format!("{:?}", stream.finish(rest)));
    out
}

/// A reply that can be read whole as a struct gives its members when it is streamed.
fn as_read_whole(document: &[u8]) {
    let Ok(Ok(Value::Struct(members))) = read_result(document, &limits(), Value::read) else { return };
    let mut stream = ReplyStream::members(&limits());
    let mut chunk = document;
    for (name, value) in members.iter() {
        let part = stream.next_member(&mut chunk, Value::read).expect("it was read whole");
        let (streamed, part) = part.unwrap_or_else(|| panic!("`{name}` did not come"));
        assert_eq!((streamed.as_str(), format!("{part:?}")), (name, format!("{:?}", Ok::<_, ReadError>(value))));
    }
    assert_eq!(stream.next_member(&mut chunk, Value::read).map(|it| it.is_none()), Ok(true), "more came than there is");
    assert_eq!(stream.finish(<()>::read), Ok(Ok(())));
}
