//! Replies that are too big to be held as a whole.

use xenapi_core::{DateTime, Writer};

use super::write::XmlWriter;

/// Hands out what was written whenever there is enough of it.
struct Pieces<'a> {
    writer: XmlWriter,
    size: usize,
    sink: &'a mut dyn FnMut(&[u8]),
}

impl Pieces<'_> {
    fn hand_out(&mut self, least: usize) {
        if self.writer.bytes().len() >= least.max(1) {
            self.writer.drain(|bytes| (self.sink)(bytes));
        }
    }
}

/// Forwards every call to the writer; values may end a piece.
macro_rules! forward {
    ($($name:ident($($arg:ident: $ty:ty),*)),* $(,)?) => {
        $(fn $name(&mut self $(, $arg: $ty)*) {
            Writer::$name(&mut self.writer $(, $arg)*);
            self.hand_out(self.size);
        })*
    };
}

impl Writer for Pieces<'_> {
    forward! {
        text(text: &str),
        int(number: i64),
        int32(number: i32),
        bool(truth: bool),
        double(number: f64),
        date_time(time: &DateTime),
        bytes(bytes: &[u8]),
        nil(),
        begin_array(),
        end_array(),
        begin_struct(),
        member(name: &str),
        end_struct(),
    }
}

/// The reply to a call that succeeded, handed out in pieces of about `size` bytes, with a result that writes itself: exactly one value.
/// The pieces are the same bytes as those of [`write_success_with`](super::write_success_with), so that a first round can count them.
///
/// ```
/// use xenapi_codec::xmlrpc;
/// use xenapi_core::Value;
///
/// let mut bytes = Vec::new();
/// let items = vec![Value::from("a"); 100];
/// xmlrpc::write_success_in_pieces(
///     |writer| xenapi_core::Wire::write(&items, writer),
///     64,
///     &mut |piece| bytes.extend_from_slice(piece),
/// );
/// assert_eq!(bytes, xmlrpc::write_success(&Value::Array(items)));
/// ```
pub fn write_success_in_pieces(write: impl FnOnce(&mut dyn Writer), size: usize, sink: &mut dyn FnMut(&[u8])) {
    let mut pieces = Pieces { writer: XmlWriter::new(), size, sink };
    pieces.writer.begin_success();
    write(&mut pieces);
    pieces.writer.end_success();
    pieces.hand_out(1);
}
