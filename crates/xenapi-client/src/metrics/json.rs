//! The JSON form. In some releases every scalar is a text, in others numbers are bare, `NaN` among them, which no parser of JSON reads.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::ReadError;

use super::{Draft, Row, Updates, number, whole};

/// How deep values that nobody wants may be.
const DEPTH: usize = 32;

struct Json<'a> {
    all: &'a str,
    at: usize,
}

impl<'a> Json<'a> {
    fn wrong(&self, expected: &'static str) -> ReadError {
        match self.all[self.at..].chars().next() {
            None => ReadError::truncated(expected),
            Some(c) => ReadError::syntax(expected, format!("{c:?}")).at(u64::try_from(self.at).ok()),
        }
    }

    fn peek(&mut self) -> Option<u8> {
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        self.at += self.all.as_bytes()[self.at..].iter().take_while(|byte| blank(byte)).count();
        self.all.as_bytes().get(self.at).copied()
    }

    /// Whether that comes next; then it is passed.
    fn takes(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), ReadError> {
        if self.takes(byte) { Ok(()) } else { Err(self.wrong(expected)) }
    }

    /// Goes through the members of an object.
    fn members(&mut self, mut each: impl FnMut(&mut Self, &str) -> Result<(), ReadError>) -> Result<(), ReadError> {
        self.expect(b'{', "an object")?;
        if self.takes(b'}') {
            return Ok(());
        }
        loop {
            self.peek();
            let name = self.quoted()?;
            self.expect(b':', "a colon")?;
            each(self, &name)?;
            if !self.takes(b',') {
                return self.expect(b'}', "a comma or the end of the object");
            }
        }
    }

    /// Goes through the items of an array.
    fn items(&mut self, mut each: impl FnMut(&mut Self) -> Result<(), ReadError>) -> Result<(), ReadError> {
        self.expect(b'[', "an array")?;
        if self.takes(b']') {
            return Ok(());
        }
        loop {
            each(self)?;
            if !self.takes(b',') {
                return self.expect(b']', "a comma or the end of the array");
            }
        }
    }

    fn quoted(&mut self) -> Result<Cow<'a, str>, ReadError> {
        self.expect(b'"', "a text")?;
        let rest = &self.all[self.at..];
        let end = rest.find(['"', '\\']).ok_or_else(|| ReadError::truncated("the end of a text"))?;
        self.at += end;
        if self.takes_raw(b'"') {
            return Ok(Cow::Borrowed(&rest[..end]));
        }
        let mut text = String::from(&rest[..end]);
        while !self.takes_raw(b'"') {
            let rest = &self.all[self.at..];
            let next = rest.chars().next().ok_or_else(|| ReadError::truncated("the end of a text"))?;
            self.at += next.len_utf8();
            text.push(if next == '\\' { self.escape()? } else { next });
        }
        Ok(Cow::Owned(text))
    }

    fn takes_raw(&mut self, byte: u8) -> bool {
        let found = self.all.as_bytes().get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn escape(&mut self) -> Result<char, ReadError> {
        let kind = *self.all.as_bytes().get(self.at).ok_or_else(|| ReadError::truncated("an escape"))?;
        let c = match kind {
            b'"' | b'\\' | b'/' => char::from(kind),
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => {
                let digits = self.all.get(self.at + 1..self.at + 5).ok_or_else(|| self.wrong("four digits"))?;
                let code = u32::from_str_radix(digits, 16).map_err(|_| self.wrong("four digits"))?;
                self.at += 4;
                // Halves of pairs do not stand in names of measurements.
                char::from_u32(code).unwrap_or('\u{fffd}')
            }
            _ => return Err(self.wrong("an escape")),
        };
        self.at += 1;
        Ok(c)
    }

    /// A text, or a number or word as it stands.
    fn scalar(&mut self) -> Result<Cow<'a, str>, ReadError> {
        if self.peek() == Some(b'"') {
            return self.quoted();
        }
        let rest = &self.all[self.at..];
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let end = rest.find(|c| !plain(c)).unwrap_or(rest.len());
        if end == 0 {
            return Err(self.wrong("a value"));
        }
        self.at += end;
        Ok(Cow::Borrowed(&rest[..end]))
    }

    fn skip(&mut self, depth: usize) -> Result<(), ReadError> {
        if depth == 0 {
            return Err(ReadError::limit("32 levels", "more"));
        }
        match self.peek() {
            Some(b'{') => self.members(|json, _| json.skip(depth - 1)),
            Some(b'[') => self.items(|json| json.skip(depth - 1)),
            _ => self.scalar().map(drop),
        }
    }
}

pub(super) fn read(text: &str) -> Result<Updates, ReadError> {
    let mut json = Json { all: text, at: 0 };
    let mut draft = Draft::default();
    json.members(|json, name| match name {
        "meta" => meta(json, &mut draft),
        "data" => json.items(|json| row(json, &mut draft)),
        _ => json.skip(DEPTH),
    })?;
    match json.peek() {
        None => Ok(draft.updates),
        Some(_) => Err(json.wrong("the end of the document")),
    }
}

fn meta(json: &mut Json<'_>, draft: &mut Draft) -> Result<(), ReadError> {
    json.members(|json, name| match name {
        "legend" => json.items(|json| {
            let entry = json.scalar()?;
            draft.column(&entry)
        }),
        "step" | "end" => {
            let text = json.scalar()?;
            draft.fact(name, &text)
        }
        _ => json.skip(DEPTH),
    })
}

fn row(json: &mut Json<'_>, draft: &mut Draft) -> Result<(), ReadError> {
    let mut row = Row { time: 0, values: Vec::with_capacity(draft.updates.columns.len()) };
    json.members(|json, name| match name {
        "t" => {
            row.time = whole(&json.scalar()?)?;
            Ok(())
        }
        "values" => json.items(|json| {
            let text = json.scalar()?;
            // A serialiser of JSON that knows no NaN writes this.
            let value = if text == "null" { f64::NAN } else { number(&text)? };
            draft.value(&mut row, value)
        }),
        _ => json.skip(DEPTH),
    })?;
    draft.updates.rows.push(row);
    Ok(())
}
