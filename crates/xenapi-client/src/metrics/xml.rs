//! `<xport>`: the older form.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;

use xenapi_core::ReadError;

use super::{Draft, Row, Updates, number, whole};

/// A tag or the text before one.
enum Token<'a> {
    Open(&'a str),
    Close(&'a str),
    /// `<x/>`
    Empty,
    Text(&'a str),
}

struct Tokens<'a> {
    all: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    fn next(&mut self) -> Result<Option<Token<'a>>, ReadError> {
        let rest = &self.all[self.at..];
        if rest.is_empty() {
            return Ok(None);
        }
        let Some(tag) = rest.strip_prefix('<') else {
            let length = rest.find('<').unwrap_or(rest.len());
            self.at += length;
            return Ok(Some(Token::Text(&rest[..length])));
        };
        for (start, end) in [("!--", "-->"), ("?", "?>")] {
            if let Some(inside) = tag.strip_prefix(start) {
                let length = inside.find(end).ok_or_else(|| ReadError::truncated(end))?;
                self.at += 1 + start.len() + length + end.len();
                return self.next();
            }
        }
        if tag.starts_with('!') {
            return Err(self.wrong("a tag", "a declaration"));
        }
        let length = tag.find('>').ok_or_else(|| ReadError::truncated("the end of a tag"))?;
        let inside = &tag[..length];
        self.at += length + 2;
        let name = |text: &'a str| text.split_ascii_whitespace().next().unwrap_or_default();
        Ok(Some(if let Some(inside) = inside.strip_prefix('/') {
            Token::Close(name(inside))
        } else if inside.ends_with('/') {
            Token::Empty
        } else {
            Token::Open(name(inside))
        }))
    }

    fn wrong(&self, expected: &'static str, found: &'static str) -> ReadError {
        ReadError::syntax(expected, found).at(u64::try_from(self.at).ok())
    }

    /// The text up to the end of the element that was opened.
    fn text(&mut self, name: &str) -> Result<Cow<'a, str>, ReadError> {
        let mut whole = Cow::Borrowed("");
        loop {
            match self.next()? {
                Some(Token::Text(part)) if whole.is_empty() => whole = plain(part)?,
                Some(Token::Text(part)) => whole.to_mut().push_str(&plain(part)?),
                Some(Token::Close(closed)) if closed == name => return Ok(whole),
                Some(_) => return Err(self.wrong("text", "a tag")),
                None => return Err(ReadError::truncated(format!("</{name}>"))),
            }
        }
    }
}

/// Text with its entities read.
fn plain(text: &str) -> Result<Cow<'_, str>, ReadError> {
    if !text.contains('&') {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let wrong = || ReadError::syntax("an entity", "a lone &");
        let (name, after) = after.split_once(';').ok_or_else(wrong)?;
        out.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let digits = name.strip_prefix('#').ok_or_else(wrong)?;
                let code = match digits.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16),
                    None => digits.parse(),
                };
                code.ok().and_then(char::from_u32).ok_or_else(wrong)?
            }
        });
        rest = after;
    }
    out.push_str(rest);
    Ok(Cow::Owned(out))
}

pub(super) fn read(text: &str) -> Result<Updates, ReadError> {
    let mut tokens = Tokens { all: text, at: 0 };
    let mut draft = Draft::default();
    let mut row: Option<Row> = None;
    let mut complete = false;
    while let Some(token) = tokens.next()? {
        match (token, &mut row) {
            (Token::Open("v"), Some(row)) => {
                let value = number(&tokens.text("v")?)?;
                draft.value(row, value)?;
            }
            (Token::Open("t"), Some(row)) => row.time = whole(&tokens.text("t")?)?,
            (Token::Open("row"), None) => {
                row = Some(Row { time: 0, values: alloc::vec::Vec::with_capacity(draft.updates.columns.len()) });
            }
            (Token::Close("row"), row @ Some(_)) => draft.updates.rows.extend(row.take()),
            (Token::Open("entry"), None) => {
                let entry = tokens.text("entry")?;
                draft.column(&entry)?;
            }
            (Token::Open(name @ ("step" | "end" | "start" | "rows" | "columns")), None) => {
                let text = tokens.text(name)?;
                draft.fact(name, &text)?;
            }
            (Token::Open("xport" | "meta" | "legend" | "data") | Token::Empty | Token::Close(_), None) => {}
            (Token::Text(blank), _) if blank.trim().is_empty() => {}
            (Token::Open(name), _) => {
                return Err(ReadError::syntax("an element of metrics", format!("<{}>", shortened(name))));
            }
            _ => return Err(tokens.wrong("metrics", "something else")),
        }
        complete = text[..tokens.at].ends_with("</xport>");
    }
    if complete { Ok(draft.updates) } else { Err(ReadError::truncated("</xport>")) }
}

fn shortened(name: &str) -> &str {
    name.get(..40).unwrap_or(name)
}
