//! Dynamic values, whose members come in the same order again and again.

use alloc::borrow::Cow;
use alloc::format;
use alloc::vec::Vec;

use xenapi_core::{Name, ReadError, Reader, Struct, Value, Wire};

use super::{Next, Shape, VALUE, XmlReader};
use crate::xmlrpc::block::{behind, behind_name};
use crate::xmlrpc::names::{Place, Way};

/// Room for as many members or items as there were the last time, but no more than that: a document may say anything.
const ROOM: usize = 16;

impl XmlReader<'_> {
    /// The value that comes next, which has that name, if it has one and is as xapi mostly writes it. `None` takes nothing.
    pub(super) fn usual(&mut self, of: Place) -> Option<Result<Value, ReadError>> {
        let (Some(scan), Next::Value) = (&mut self.scan, &self.next) else { return None };
        let rest = scan.bytes().get(scan.at..)?;
        if *rest.first()? != b'<' {
            let (text, end) = scan.text(scan.at)?;
            scan.at = scan.exact(end, b"</value>")?;
            self.next = Next::Nothing;
            return Some(Ok(Value::Text(text.into_owned())));
        }
        match rest.get(1)? {
            b'/' => {
                scan.at = scan.exact(scan.at, b"</value>")?;
                self.next = Next::Nothing;
                Some(Ok(Value::VOID))
            }
            b's' => {
                let end = scan.exact(scan.at, b"<struct>")?;
                self.scan_push(Shape::Struct, end)?;
                self.next = Next::Nothing;
                Some(self.members_of(of).map(Value::Struct))
            }
            b'a' => {
                let end = scan.exact(scan.at, b"<array><data>")?;
                self.scan_push(Shape::Array, end)?;
                self.next = Next::Nothing;
                Some(self.items_of(of).map(Value::Array))
            }
            b'b' => self.scan_bool().map(|truth| Ok(Value::Bool(truth))),
            _ => None,
        }
    }

    fn dynamic(&mut self, of: Place) -> Result<Value, ReadError> {
        match self.usual(of) {
            Some(value) => value,
            None => Value::read(self),
        }
    }

    /// The members of the struct that was entered, which has that name.
    fn members_of(&mut self, of: Place) -> Result<Struct, ReadError> {
        // Records are alike, and so are maps of one name.
        let likely = if of.is_known() { self.names.size(of).min(ROOM) } else { self.likely_members() };
        let (mut members, mut wrong, mut way) = (Struct::new(), None, Way::Into(of));
        while let Some((name, place)) = self.dynamic_name(way)? {
            way = Way::Behind(place);
            match self.dynamic(place) {
                Ok(value) => {
                    if members.is_empty() {
                        members = Struct::with_capacity(likely);
                    }
                    members.push_name(name, value);
                }
                Err(error) if error.is_fatal() => return Err(error.within(Cow::from(name))),
                // Read to the end all the same: the caller may go on behind this struct.
                Err(error) => drop(wrong.get_or_insert(error.within(Cow::from(name)))),
            }
        }
        self.names.has_size(of, members.len());
        wrong.map_or(Ok(members), Err)
    }

    /// The items of the array that was entered, which has that name.
    fn items_of(&mut self, of: Place) -> Result<Vec<Value>, ReadError> {
        let (mut items, mut wrong) = (Vec::new(), None);
        while self.next_item()? {
            match self.dynamic(Place::UNKNOWN) {
                Ok(item) => {
                    if items.is_empty() {
                        items.reserve_exact(self.names.size(of).clamp(1, ROOM));
                    }
                    items.push(item);
                }
                Err(error) if error.is_fatal() => return Err(error.within(format!("[{}]", items.len()))),
                Err(error) => drop(wrong.get_or_insert(error.within(format!("[{}]", items.len())))),
            }
        }
        self.names.has_size(of, items.len());
        wrong.map_or(Ok(items), Err)
    }

    fn dynamic_name(&mut self, way: Way) -> Result<Option<(Name, Place)>, ReadError> {
        if let Some(expected) = self.expected_name(way) {
            return Ok(Some(expected));
        }
        let Some(name) = self.borrowed_member()? else { return Ok(None) };
        let (name, place) = self.names.keep(name, self.document.len());
        self.names.leads_to(way, place);
        Ok(Some((name, place)))
    }

    /// The name that came here the last time, if it comes again.
    #[inline(always)]
    fn expected_name(&mut self, way: Way) -> Option<(Name, Place)> {
        let (Some(scan), Next::Nothing) = (&mut self.scan, &self.next) else { return None };
        let (name, place) = self.names.expected(way)?;
        let open = self.open.last_mut()?;
        let bytes = scan.bytes();
        let rest = bytes.get(scan.at..)?;
        let rest = match open.shape {
            Shape::Member => behind(rest, b"</member><member><name>")?,
            Shape::Struct => behind(rest, b"<member><name>")?,
            _ => return None,
        };
        let rest = behind(behind_name(rest, name.as_bytes())?, b"</name><value>")?;
        let end = bytes.len() - rest.len();
        if self.members >= self.limits.members || open.members >= self.limits.records {
            return None;
        }
        self.members += 1;
        open.members += 1;
        open.shape = Shape::Member;
        scan.at = end;
        self.value_at = scan.offset() - VALUE;
        self.next = Next::Value;
        Some((Name::Shared(name.clone()), place))
    }
}
