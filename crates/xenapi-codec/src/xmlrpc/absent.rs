//! What stands for the general reader where it is not built in: nothing, with the reason.

use alloc::borrow::Cow;
use core::convert::Infallible;
use core::marker::PhantomData;

use xenapi_core::ReadError;

use super::tag::{Stop, Tag};

/// There is none.
#[derive(Clone)]
pub(super) struct Source<'a>(Infallible, PhantomData<&'a [u8]>);

impl<'a> Source<'a> {
    pub(super) fn new(_: &'a [u8], _: usize) -> Result<Self, ReadError> {
        Err(ReadError::syntax(
            "XML-RPC as xapi writes it",
            "something else, which only the general reader can tell (the feature `std` of xenapi-codec)",
        ))
    }

    pub(super) fn replay(&mut self, _: u64) -> Result<(), ReadError> {
        match self.0 {}
    }

    pub(super) fn at(&self) -> u64 {
        match self.0 {}
    }

    pub(super) fn end(&self) -> u64 {
        match self.0 {}
    }

    pub(super) fn found(&self, _: Tag) -> Cow<'static, str> {
        match self.0 {}
    }

    pub(super) fn structure(&mut self, _: &'static str) -> Result<Stop, ReadError> {
        match self.0 {}
    }

    pub(super) fn expect_open(&mut self, _: Tag) -> Result<(), ReadError> {
        match self.0 {}
    }

    pub(super) fn expect_close(&mut self, _: &'static str) -> Result<(), ReadError> {
        match self.0 {}
    }

    pub(super) fn text(&mut self) -> Result<(Cow<'a, str>, Stop), ReadError> {
        match self.0 {}
    }

    pub(super) fn text_to_close(&mut self, _: Tag) -> Result<Cow<'a, str>, ReadError> {
        match self.0 {}
    }

    pub(super) fn expect_end(&mut self) -> Result<(), ReadError> {
        match self.0 {}
    }
}
