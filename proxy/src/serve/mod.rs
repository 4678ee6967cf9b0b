//! The proxy: the console's files, and the way from the browser to the pools.

pub mod errors;
pub mod gate;
mod hub;
mod listen;
mod patient;
pub mod policy;
pub mod router;
mod rpc;
pub mod seal;
pub mod static_files;
mod stream;
pub mod upstream;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;

pub use listen::{ListenError, Running, Server, listen, local_url};

/// Any error of a body on its way.
pub type BoxError = Box<dyn core::error::Error + Send + Sync>;

/// A body that arrives piece by piece.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// Why there is no whole body.
enum CollectError {
    /// It is over the limit.
    TooLong,
    /// It broke off.
    Broken(BoxError),
}

/// A whole body of at most so many bytes.
async fn collect(mut body: Body, limit: usize) -> Result<Bytes, CollectError> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(CollectError::Broken)?.into_data() else { continue };
        if whole.len() + data.len() > limit {
            return Err(CollectError::TooLong);
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

/// Whether the client takes an encoding.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|offer| {
        let mut parts = offer.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        let refused = parts.any(|part| part.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()) == Some(0.0));
        named && !refused
    })
}
