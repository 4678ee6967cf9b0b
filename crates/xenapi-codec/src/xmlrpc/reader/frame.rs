//! What stands around values: calls, replies, and the ends of both.

use alloc::borrow::Cow;

use xenapi_core::ReadError;

use super::{Counts, Ending, XmlReader};
use crate::xmlrpc::tag::{Stop, Tag};

impl<'a> XmlReader<'a> {
    /// Checks that the document is complete behind the value, and that nothing follows. A value that was not read is passed over.
    ///
    /// # Errors
    /// When the document is broken, ends too early or goes on.
    pub fn finish(mut self) -> Result<(), ReadError> {
        self.guard()?;
        let result = self.finish_inner();
        self.keep(result)
    }

    /// Checks that a part of a document is complete, and says what has been counted with it.
    pub(in crate::xmlrpc) fn finish_part(&mut self) -> Result<Counts, ReadError> {
        self.guard()?;
        let result = self.finish_inner();
        self.keep(result)?;
        Ok(self.counts())
    }

    pub(super) fn finish_inner(&mut self) -> Result<(), ReadError> {
        self.pass_pending()?;
        self.leave(self.floor)?;
        if self.scanned(Self::scan_finish)?.is_some() {
            return Ok(());
        }
        for _ in 0..self.ending.count() {
            self.source()?.expect_close("a closing tag")?;
        }
        self.source()?.expect_end()
    }

    /// Takes the start of a call up to its parameters, and answers the method.
    pub(in crate::xmlrpc) fn call_head(&mut self) -> Result<Cow<'a, str>, ReadError> {
        let method = match self.scanned(Self::scan_call_head)? {
            Some(method) => method,
            None => {
                let source = self.source()?;
                source.expect_open(Tag::MethodCall)?;
                source.expect_open(Tag::MethodName)?;
                let method = source.text_to_close(Tag::MethodName)?;
                if method.is_empty() {
                    return Err(ReadError::syntax("the name of a method", "an empty <methodName>"));
                }
                source.expect_open(Tag::Params)?;
                method
            }
        };
        self.ending = Ending::Call;
        Ok(method)
    }

    /// Enters the next parameter of a call, if there is one.
    pub(in crate::xmlrpc) fn next_param(&mut self) -> Result<bool, ReadError> {
        self.pass_pending()?;
        if let Some(more) = self.scanned(Self::scan_param)? {
            return Ok(more);
        }
        if core::mem::take(&mut self.in_param) {
            self.source()?.expect_close("</param>")?;
        }
        let source = self.source()?;
        match source.structure("<param> or </params>")? {
            Stop::Open(Tag::Param) => {}
            Stop::Open(tag) => return Err(ReadError::syntax("<param> or </params>", source.found(tag))),
            Stop::Close => return Ok(false),
        }
        self.count_member()?;
        self.enter_value()?;
        self.in_param = true;
        Ok(true)
    }

    /// Takes the start of a reply up to its value. Whether that is the value of a fault.
    pub(in crate::xmlrpc) fn reply_head(&mut self) -> Result<bool, ReadError> {
        if self.scanned(Self::scan_reply_head)?.is_some() {
            self.ending = Ending::Reply;
            return Ok(false);
        }
        let source = self.source()?;
        source.expect_open(Tag::MethodResponse)?;
        let is_fault = match source.structure("<params> or <fault>")? {
            Stop::Open(Tag::Params) => {
                source.expect_open(Tag::Param)?;
                false
            }
            Stop::Open(Tag::Fault) => true,
            Stop::Open(tag) => return Err(ReadError::syntax("<params> or <fault>", source.found(tag))),
            Stop::Close => return Err(ReadError::syntax("<params> or <fault>", "</methodResponse>")),
        };
        self.ending = if is_fault { Ending::Fault } else { Ending::Reply };
        self.enter_value()?;
        Ok(is_fault)
    }

    /// Takes the opening tag of a lone value.
    pub(in crate::xmlrpc) fn value_head(&mut self) -> Result<(), ReadError> {
        match self.scanned(Self::scan_value)? {
            Some(()) => Ok(()),
            None => self.enter_value(),
        }
    }
}
