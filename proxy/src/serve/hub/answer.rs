//! Questions to the stream and answers from it, as XML-RPC.

use alloc::sync::Arc;
use core::time::Duration;

use http::HeaderValue;
use xenapi_codec::xmlrpc::XmlWriter;
use xenapi_core::{RawCall, Value, Writer as _};

use super::lean::{PLANS, place};
use super::store::{Pace, Page};

/// The longest that a question waits.
const MOST_HOLD: Duration = Duration::from_secs(30);

/// What somebody wants to know.
pub(in crate::serve) struct Ask {
    /// By the places of the classes: which of them.
    pub(super) wanted: Vec<bool>,
    /// Where he is.
    pub(super) token: String,
    /// How long to wait for something to tell.
    pub(super) hold: Duration,
    /// In which steps what exists is to come.
    pub(super) pace: Pace,
}

impl Ask {
    /// Everything that is shared, from a token on.
    pub(super) fn all(token: String, hold: Duration) -> Self {
        Ask { wanted: vec![true; PLANS.len()], token, hold, pace: Pace::Whole }
    }

    /// Reads a call of `event.from`. `None` for one that the stream does not answer: about single objects, or no such call.
    /// Classes that are not shared are passed over.
    pub(in crate::serve) fn of(call: &RawCall, pace: Pace) -> Option<Ask> {
        let [_session, Value::Array(classes), token, timeout] = call.params.as_slice() else { return None };
        let mut wanted = vec![false; PLANS.len()];
        for class in classes {
            match class.as_text()? {
                "*" => wanted.fill(true),
                name if name.contains('/') => return None,
                name => {
                    if let Some(at) = place(name) {
                        wanted[at] = true;
                    }
                }
            }
        }
        let seconds = match timeout {
            Value::Double(seconds) => *seconds,
            other => other.as_text()?.parse().ok()?,
        };
        let hold = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(MOST_HOLD).min(MOST_HOLD);
        Some(Ask { wanted, token: token.as_text()?.into(), hold, pace })
    }
}

impl Page {
    /// The answer to `event.from`. Events have a class, an operation, a reference and a snapshot; no number and no time.
    pub(in crate::serve) fn to_xml(&self) -> Vec<u8> {
        let mut writer = XmlWriter::reusing(Vec::with_capacity(self.events.len() + 4096));
        writer.begin_success();
        writer.begin_struct();
        writer.field("events");
        writer.begin_array();
        if !self.events.is_empty() {
            writer.encoded(&self.events);
        }
        writer.end_array();
        writer.field("valid_ref_counts");
        writer.begin_struct();
        for (class, count) in &self.counts {
            writer.field(&PLANS[*class].event_name);
            writer.int32(i32::try_from(*count).unwrap_or(i32::MAX));
        }
        writer.end_struct();
        writer.field("token");
        writer.text(&self.token.to_string());
        writer.end_struct();
        writer.end_success();
        writer.into_bytes()
    }

    /// The objects that changed, `class/reference` each, or `*` where they are too many; none where nothing did.
    pub(in crate::serve) fn touched(&self) -> Option<HeaderValue> {
        if self.touched.as_ref().is_some_and(Vec::is_empty) {
            return None;
        }
        let names = self.touched.as_ref().map(|touched| {
            let name = |(class, reference): &(usize, Arc<str>)| format!("{}/{reference}", PLANS[*class].class.name);
            touched.iter().map(name).collect::<Vec<_>>().join(" ")
        });
        // References are opaque text; one that no header can hold is as good as too many.
        Some(names.and_then(|names| names.try_into().ok()).unwrap_or(HeaderValue::from_static("*")))
    }
}
