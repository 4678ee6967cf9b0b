//! What `event.from` answers.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{Map, ReadError, Reader, Wire, Writer};

use crate::event;

/// A batch of events, and the token that continues behind it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventBatch {
    /// The events: messages first, then additions, changes and deletions.
    pub events: Vec<event::Record>,
    /// How many objects of each class are alive, by lower-case class name. Tells whether a cache has drifted.
    pub valid_ref_counts: Map<String, i64>,
    /// Where to go on. Opaque; the empty text asks for everything.
    pub token: String,
}

impl Wire for EventBatch {
    fn read(reader: &mut dyn Reader) -> Result<Self, ReadError> {
        reader.begin_struct()?;
        let (mut batch, mut has_token, mut wrong) = (EventBatch::default(), false, None);
        while let Some(name) = reader.next_member()?.map(Cow::into_owned) {
            let result = match name.as_str() {
                "events" => Wire::read(reader).map(|it| batch.events = it),
                "valid_ref_counts" => Wire::read(reader).map(|it| batch.valid_ref_counts = it),
                "token" => {
                    has_token = true;
                    Wire::read(reader).map(|it| batch.token = it)
                }
                _ => reader.skip(),
            };
            match result {
                Ok(()) => {}
                Err(error) if error.is_fatal() => return Err(error.within(name)),
                // Read to the end all the same: the caller may go on behind the batch.
                Err(error) => drop(wrong.get_or_insert(error.within(name))),
            }
        }
        match wrong {
            Some(error) => Err(error),
            // Going on from the empty token would mean to be told everything again.
            None if !has_token => Err(ReadError::mismatch("a token beside the events", "none")),
            None => Ok(batch),
        }
    }

    fn write(&self, writer: &mut dyn Writer) {
        writer.begin_struct();
        writer.member("events");
        self.events.write(writer);
        writer.member("valid_ref_counts");
        writer.begin_struct();
        for (class, count) in self.valid_ref_counts.iter() {
            writer.member(class);
            writer.int32(i32::try_from(*count).unwrap_or(i32::MAX));
        }
        writer.end_struct();
        writer.member("token");
        writer.text(&self.token);
        writer.end_struct();
    }
}
