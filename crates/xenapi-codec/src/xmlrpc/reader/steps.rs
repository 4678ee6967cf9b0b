//! The steps of the scanner through a document.

use alloc::borrow::Cow;

use xenapi_core::TextEntries;

use super::{Ending, Next, Open, Role, Scan, Shape, VALUE, XmlReader};
use crate::xmlrpc::block::{behind, behind_name, find_markup};
use crate::xmlrpc::tag::{Tag, is_blank};

/// The steps of the scanner. Each finds what xapi writes and takes it, or answers `None` and changes nothing.
impl<'a> XmlReader<'a> {
    /// Takes everything up to that place.
    #[inline(always)]
    pub(super) fn take(&mut self, end: usize) {
        if let Some(scan) = &mut self.scan {
            scan.at = end;
        }
    }

    /// Takes everything up to that place, which is behind a `<value>`.
    #[inline(always)]
    pub(super) fn take_value(&mut self, end: usize) {
        if let Some(scan) = &mut self.scan {
            scan.at = end;
            self.value_at = scan.offset() - VALUE;
        }
        self.next = Next::Value;
    }

    pub(super) fn scan_declaration(scan: &Scan<'a>) -> Option<usize> {
        let at = scan.at;
        if scan.exact(at, b"<?xml").is_none() {
            return Some(scan.blanks(at));
        }
        let ends = [
            scan.exact(at, b"<?xml version=\"1.0\"?>"),
            scan.exact(at, b"<?xml version='1.0'?>"),
            scan.exact(at, b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>"),
            scan.exact(at, b"<?xml version=\"1.0\" encoding=\"utf-8\"?>"),
            scan.exact(at, b"<?xml version='1.0' encoding='UTF-8'?>"),
            scan.exact(at, b"<?xml version='1.0' encoding='utf-8'?>"),
        ];
        ends.into_iter().flatten().next()
    }

    pub(super) fn scan_call_head(&mut self) -> Option<Cow<'a, str>> {
        let scan = self.scan.as_ref()?;
        let at = scan.tag(Self::scan_declaration(scan)?, b"<methodCall>")?;
        let at = scan.tag(at, b"<methodName>")?;
        let (method, at) = scan.text(at)?;
        let at = scan.tag(scan.exact(at, b"</methodName>")?, b"<params>")?;
        if method.is_empty() {
            return None;
        }
        self.take(at);
        Some(method)
    }

    pub(super) fn scan_param(&mut self) -> Option<bool> {
        let scan = self.scan.as_ref()?;
        let at = if self.in_param { scan.tag(scan.at, b"</param>")? } else { scan.at };
        if let Some(end) = scan.tag(at, b"</params>") {
            self.take(end);
            self.in_param = false;
            return Some(false);
        }
        let at = scan.tag(scan.tag(at, b"<param>")?, b"<value>")?;
        if !self.has_room() {
            return None;
        }
        self.counted();
        self.take_value(at);
        self.in_param = true;
        Some(true)
    }

    pub(super) fn scan_reply_head(&mut self) -> Option<()> {
        let scan = self.scan.as_ref()?;
        let at = scan.tag(Self::scan_declaration(scan)?, b"<methodResponse>")?;
        let at = scan.tag(scan.tag(at, b"<params>")?, b"<param>")?;
        let at = scan.tag(at, b"<value>")?;
        self.take_value(at);
        Some(())
    }

    pub(super) fn scan_value(&mut self) -> Option<()> {
        let scan = self.scan.as_ref()?;
        let at = scan.tag(scan.at, b"<value>")?;
        self.take_value(at);
        Some(())
    }

    pub(super) fn scan_finish(&mut self) -> Option<()> {
        let scan = self.scan.as_ref()?;
        let at = match self.ending {
            Ending::Value => scan.at,
            Ending::Call => scan.tag(scan.at, b"</methodCall>")?,
            Ending::Member => scan.tag(scan.at, b"</member>")?,
            Ending::Reply => {
                let at = scan.tag(scan.at, b"</param>")?;
                scan.tag(scan.tag(at, b"</params>")?, b"</methodResponse>")?
            }
            Ending::Fault => return None,
        };
        let end = scan.blanks(at);
        if !scan.is_end(end) {
            return None;
        }
        self.take(end);
        Some(())
    }

    pub(super) fn scan_begin(&mut self) -> Option<Next<'a>> {
        let scan = self.scan.as_ref()?;
        let (mut text, mut at) = scan.text(scan.at)?;
        let mut tag = Tag::String;
        if let Some(end) = scan.exact(at, b"</value>") {
            self.take(end);
            return Some(Next::Leaf(tag, text));
        }
        if !is_blank(&text) {
            return None;
        }
        for (literal, next) in [(&b"<array>"[..], Next::Array), (b"<struct>", Next::Struct)] {
            if let Some(end) = scan.same(at, literal) {
                self.take(end);
                return Some(next);
            }
        }
        if let Some(end) = scan.exact(at, b"<nil/>") {
            (tag, text, at) = (Tag::Nil, Cow::Borrowed(""), end);
        } else {
            let (found, open, close) = scan.scalar_tag(at)?;
            let (inner, end) = scan.text(open)?;
            (tag, text, at) = (found, inner, scan.same(end, close)?);
        }
        let end = scan.tag(at, b"</value>")?;
        self.take(end);
        Some(Next::Leaf(tag, text))
    }

    pub(super) fn scan_push(&mut self, shape: Shape, end: usize) -> Option<()> {
        if self.open.len() >= self.limits.depth {
            return None;
        }
        self.open.push(Open { shape, members: 0 });
        self.take(end);
        Some(())
    }

    pub(super) fn scan_data(&mut self) -> Option<()> {
        let scan = self.scan.as_ref()?;
        let end = scan.tag(scan.at, b"<data>")?;
        self.scan_push(Shape::Array, end)
    }

    pub(super) fn scan_struct(&mut self) -> Option<()> {
        let end = self.scan.as_ref()?.at;
        self.scan_push(Shape::Struct, end)
    }

    pub(super) fn scan_item(&mut self) -> Option<bool> {
        let scan = self.scan.as_ref()?;
        let at = scan.at;
        let end = match scan.exact(at, b"<value>") {
            Some(end) => end,
            None => {
                if let Some(end) = scan.exact(at, b"</data></array></value>") {
                    self.take(end);
                    self.open.pop();
                    return Some(false);
                }
                if let Some(end) = scan.tag(at, b"</data>") {
                    let end = scan.tag(scan.tag(end, b"</array>")?, b"</value>")?;
                    self.take(end);
                    self.open.pop();
                    return Some(false);
                }
                scan.tag(at, b"<value>")?
            }
        };
        if !self.has_room() {
            return None;
        }
        self.counted();
        self.take_value(end);
        Some(true)
    }

    pub(super) fn scan_member(&mut self) -> Option<Option<Cow<'a, str>>> {
        let scan = self.scan.as_ref()?;
        let within = self.open.last()?.shape == Shape::Member;
        let exact = match within {
            true => scan.exact(scan.at, b"</member><member><name>"),
            false => scan.exact(scan.at, b"<member><name>"),
        };
        let at = match exact {
            Some(at) => at,
            None => {
                let at = if within { scan.tag(scan.at, b"</member>")? } else { scan.at };
                if let Some(end) = scan.tag(at, b"</struct>") {
                    let end = scan.tag(end, b"</value>")?;
                    self.take(end);
                    self.open.pop();
                    return Some(None);
                }
                scan.tag(scan.tag(at, b"<member>")?, b"<name>")?
            }
        };
        let (name, at) = scan.text(at)?;
        let end = match scan.exact(at, b"</name><value>") {
            Some(end) => end,
            None => scan.tag(scan.exact(at, b"</name>")?, b"<value>")?,
        };
        if !self.has_room() || self.role == Role::Server && name.is_empty() {
            return None;
        }
        self.member_begun(end);
        Some(Some(name))
    }

    /// The next member or the end of the struct, without a blank between the tags.
    #[inline]
    pub(super) fn scan_member_at_once(&mut self) -> Option<Option<Cow<'a, str>>> {
        let (Some(scan), Next::Nothing) = (&mut self.scan, &self.next) else { return None };
        let open = self.open.last_mut()?;
        let at = match open.shape {
            Shape::Member => match scan.exact(scan.at, b"</member><member><name>") {
                Some(at) => at,
                None => {
                    scan.at = scan.exact(scan.at, b"</member></struct></value>")?;
                    return Some(self.left());
                }
            },
            Shape::Struct => match scan.exact(scan.at, b"<member><name>") {
                Some(at) => at,
                None => {
                    scan.at = scan.exact(scan.at, b"</struct></value>")?;
                    return Some(self.left());
                }
            },
            _ => return None,
        };
        let (name, at) = scan.text(at)?;
        let end = scan.exact(at, b"</name><value>")?;
        if self.members >= self.limits.members
            || open.members >= self.limits.records
            || self.role == Role::Server && name.is_empty()
        {
            return None;
        }
        self.members += 1;
        open.members += 1;
        open.shape = Shape::Member;
        scan.at = end;
        self.value_at = scan.offset() - VALUE;
        self.next = Next::Value;
        Some(Some(name))
    }

    /// Leaves a struct, and remembers its size.
    #[inline]
    pub(super) fn left<T>(&mut self) -> Option<T> {
        if let Some(open) = self.open.pop()
            && let Some(last) = self.last.get_mut(self.open.len())
        {
            *last = u32::try_from(open.members).unwrap_or(0).min(512);
        }
        None
    }

    #[inline(always)]
    pub(super) fn member_begun(&mut self, end: usize) {
        self.counted();
        if let Some(open) = self.open.last_mut() {
            open.shape = Shape::Member;
        }
        self.take_value(end);
    }

    /// The text of a value without a tag, where that is what comes next.
    #[inline(always)]
    pub(super) fn scan_text(&mut self) -> Option<Cow<'a, str>> {
        let (Some(scan), Next::Value) = (&mut self.scan, &self.next) else { return None };
        let (text, end) = scan.text(scan.at)?;
        scan.at = scan.exact(end, b"</value>")?;
        self.next = Next::Nothing;
        Some(text)
    }

    /// Passes over a value without a tag, which is text as it should be.
    #[inline(always)]
    pub(in crate::xmlrpc) fn scan_pass(&mut self) -> Option<()> {
        let (Some(scan), Next::Value) = (&mut self.scan, &self.next) else { return None };
        let end = scan.pass_text(scan.at)?;
        scan.at = scan.exact(end, b"</value>")?;
        self.next = Next::Nothing;
        Some(())
    }

    /// Passes over the next member of a struct whole, where its value has no tag.
    #[inline(always)]
    pub(in crate::xmlrpc) fn scan_pass_member(&mut self) -> Option<()> {
        let (Some(scan), Next::Nothing) = (&mut self.scan, &self.next) else { return None };
        let open = self.open.last_mut()?;
        let at = match open.shape {
            Shape::Member => scan.exact(scan.at, b"</member><member><name>")?,
            Shape::Struct => scan.exact(scan.at, b"<member><name>")?,
            _ => return None,
        };
        let end = scan.pass_text(at)?;
        // Whether a member may be without a name is known where they are taken one by one.
        if end == at || self.members >= self.limits.members || open.members >= self.limits.records {
            return None;
        }
        let end = scan.pass_text(scan.exact(end, b"</name><value>")?)?;
        scan.at = scan.exact(end, b"</value>")?;
        self.members += 1;
        open.members += 1;
        open.shape = Shape::Member;
        Some(())
    }

    /// Passes over the next item of an array whole, where it has no tag.
    #[inline(always)]
    pub(in crate::xmlrpc) fn scan_pass_item(&mut self) -> Option<()> {
        let (Some(scan), Next::Nothing) = (&mut self.scan, &self.next) else { return None };
        let open = self.open.last_mut()?;
        if open.shape != Shape::Array || self.members >= self.limits.members || open.members >= self.limits.records {
            return None;
        }
        let end = scan.pass_text(scan.exact(scan.at, b"<value>")?)?;
        scan.at = scan.exact(end, b"</value>")?;
        self.members += 1;
        open.members += 1;
        Some(())
    }

    /// Takes the members that come next whole, as long as they are text without references.
    pub(super) fn scan_text_members(&mut self, entries: &mut TextEntries) -> Option<()> {
        let (Some(scan), Next::Nothing) = (&mut self.scan, &self.next) else { return None };
        let open = self.open.last_mut()?;
        let may_be_empty = self.role == Role::Client;
        let room = self.limits.members.saturating_sub(self.members).min(self.limits.records.saturating_sub(open.members));
        let bytes = scan.bytes();
        let rest = bytes.get(scan.at..)?;
        let mut key = match open.shape {
            Shape::Member => behind(rest, b"</member><member><name>")?,
            Shape::Struct => behind(rest, b"<member><name>")?,
            _ => return None,
        };
        let longest = scan.longest_plain()?;
        let (mut behind_last, mut count) = (rest, 0);
        while count < room
            && let Some((key_length, value, length, end)) = text_member(key)
            && key_length.max(length) <= longest
            && (may_be_empty || key_length > 0)
        {
            entries.start_of(key, key_length);
            entries.start_of(value, length);
            count += 1;
            behind_last = end;
            match behind(end, b"</member><member><name>") {
                Some(next) => key = next,
                None => break,
            }
        }
        if count > 0 {
            scan.at = bytes.len() - behind_last.len();
            self.members += count;
            open.members += count;
            open.shape = Shape::Member;
            entries.counted(u32::try_from(count).unwrap_or(u32::MAX));
        }
        Some(())
    }

    /// The next item or the end of the array, without a blank between the tags.
    #[inline]
    pub(super) fn scan_item_at_once(&mut self) -> Option<bool> {
        let (Some(scan), Next::Nothing) = (&mut self.scan, &self.next) else { return None };
        let open = self.open.last_mut()?;
        if open.shape != Shape::Array {
            return None;
        }
        let Some(end) = scan.exact(scan.at, b"<value>") else {
            scan.at = scan.exact(scan.at, b"</data></array></value>")?;
            self.open.pop();
            return Some(false);
        };
        if self.members >= self.limits.members || open.members >= self.limits.records {
            return None;
        }
        self.members += 1;
        open.members += 1;
        scan.at = end;
        self.value_at = scan.offset() - VALUE;
        self.next = Next::Value;
        Some(true)
    }

    #[inline(always)]
    pub(super) fn scan_int(&mut self) -> Option<i64> {
        let (Some(scan), Next::Value) = (&mut self.scan, &self.next) else { return None };
        let (number, end) = scan.integer(scan.at)?;
        scan.at = scan.exact(end, b"</value>")?;
        self.next = Next::Nothing;
        Some(number)
    }

    #[inline(always)]
    pub(super) fn scan_bool(&mut self) -> Option<bool> {
        let (Some(scan), Next::Value) = (&mut self.scan, &self.next) else { return None };
        let (truth, end) = match scan.exact(scan.at, b"<boolean>0</boolean></value>") {
            Some(end) => (false, end),
            None => (true, scan.exact(scan.at, b"<boolean>1</boolean></value>")?),
        };
        scan.at = end;
        self.next = Next::Nothing;
        Some(truth)
    }

    /// Enters an array or struct, or takes the empty text that stands for one.
    #[inline(always)]
    pub(super) fn scan_enter<const N: usize>(&mut self, literal: &[u8; N], shape: Shape) -> Option<bool> {
        let (Some(scan), Next::Value) = (&self.scan, &self.next) else { return None };
        if let Some(end) = scan.exact(scan.at, literal) {
            self.scan_push(shape, end)?;
            self.next = Next::Nothing;
            return Some(true);
        }
        let end = scan.exact(scan.at, b"</value>")?;
        self.take(end);
        self.next = Next::Nothing;
        Some(false)
    }

    #[inline(always)]
    pub(in crate::xmlrpc) fn scan_member_is(&mut self, name: &str) -> Option<()> {
        let (Some(scan), Next::Nothing) = (&mut self.scan, &self.next) else { return None };
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
        if self.members >= self.limits.members || open.members >= self.limits.records || name.len() > self.limits.text {
            return None;
        }
        self.members += 1;
        open.members += 1;
        open.shape = Shape::Member;
        scan.at = end;
        self.value_at = scan.offset() - VALUE;
        self.next = Next::Value;
        Some(())
    }
}

/// Behind `<name>`: how long the key is; the value and what follows it, and how long it is; and what stands behind its closing tag, if both
/// are text with nothing in it to be replaced.
#[inline(always)]
fn text_member(key: &[u8]) -> Option<(usize, &[u8], usize, &[u8])> {
    let key_length = find_markup(key)?;
    let value = behind(key.get(key_length..)?, b"</name><value>")?;
    let length = find_markup(value)?;
    Some((key_length, value, length, behind(value.get(length..)?, b"</value>")?))
}
