//! Pools out of xapi's own database, which support bundles hold.
//!
//! The database is one XML document: a `manifest`, then a `table` for each class with a `row` for each object, whose attributes are the
//! fields. Fields in groups are named with two underscores (`name__label`); blanks inside of values are written `%.`, `%t`, `%n` and `%r`;
//! sets and maps are lists in brackets of quoted texts, as in `(('key' 'value'))`. Of each relation only one side is kept.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use xenapi_core::{ClassDesc, RawRef, Struct, Type, Value};

use crate::Sim;
use crate::records::{Error, Loader};

/// Makes a pool of a file.
pub(crate) fn load(file: &[u8], wall_clock: u64) -> Result<(Sim, Vec<String>), Error> {
    #[cfg(feature = "bundles")]
    let file = crate::bundle::unpack(file).map_err(Error::NoDatabase)?;
    let mut loader = Loader::new(wall_clock, Vec::new());
    read(&file, &mut loader).map_err(Error::NoDatabase)?;
    Ok(loader.finish())
}

fn read(bytes: &[u8], loader: &mut Loader) -> Result<(), String> {
    let text = core::str::from_utf8(bytes).map_err(|error| {
        format!("it is not XML in UTF-8 (at byte {}), nor an archive that holds such", error.valid_up_to())
    })?;
    let mut reader = Reader::from_str(text);
    let mut state = State { loader, depth: 0, table: None, rows: 0, is_database: false };
    loop {
        let at = reader.buffer_position();
        let event = reader.read_event().map_err(|error| format!("the XML is broken at byte {at}: {error}"))?;
        match event {
            Event::Start(tag) => {
                state.open(&tag, at)?;
                state.depth += 1;
            }
            Event::Empty(tag) => state.open(&tag, at)?,
            Event::End(_) => state.depth = state.depth.saturating_sub(1),
            Event::DocType(_) => return Err(format!("a document type declaration is not taken (at byte {at})")),
            Event::Eof => break,
            _ => {}
        }
    }
    if !state.is_database {
        return Err("the document has no element <database>".into());
    }
    if state.depth > 0 {
        return Err("the document ends too early".into());
    }
    if state.rows == 0 {
        return Err("it has no rows".into());
    }
    Ok(())
}

struct State<'a> {
    loader: &'a mut Loader,
    depth: usize,
    /// The class of the table that is read, if it is known.
    table: Option<&'static ClassDesc>,
    rows: usize,
    is_database: bool,
}

impl State<'_> {
    fn open(&mut self, tag: &BytesStart<'_>, at: u64) -> Result<(), String> {
        match (self.depth, tag.local_name().as_ref()) {
            (0, "database") => self.is_database = true,
            (0, other) => {
                return Err(format!("<database> is expected, found <{other}> (at byte {at})"));
            }
            (1, "table") => {
                let name = attributes(tag, at)?.into_iter().find(|(name, _)| name == "name").map(|(_, value)| value);
                // Tables that no class of the schema has hold what the API does not show.
                self.table = name.and_then(|name| xenapi_model::class(&name));
                if let Some(class) = self.table {
                    self.loader.all_of(class);
                }
            }
            (2, "row") => {
                self.rows += 1;
                if let Some(class) = self.table {
                    let (reference, members) = row(class, attributes(tag, at)?);
                    let reference = reference.ok_or_else(|| format!("a row of {} has no ref (at byte {at})", class.name))?;
                    self.loader.record(class, RawRef::from(reference), members);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn attributes(tag: &BytesStart<'_>, at: u64) -> Result<Vec<(String, String)>, String> {
    let wrong = |what: String| format!("an attribute is broken at byte {at}: {what}");
    let mut all = Vec::new();
    // A million attributes in one tag must not be compared with each other.
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| wrong(error.to_string()))?;
        let name = attribute.key.local_name().as_ref().to_string();
        let value = quick_xml::escape::unescape(&attribute.value).map_err(|error| wrong(error.to_string()))?;
        all.push((name, value.into_owned()));
    }
    Ok(all)
}

/// The reference of a row, and its fields by their names in the API.
fn row(class: &'static ClassDesc, attributes: Vec<(String, String)>) -> (Option<String>, Struct) {
    let mut reference = None;
    let mut members = Struct::new();
    for (name, value) in attributes {
        match name.as_str() {
            // Rows may have a second one, which is older.
            "ref" | "_ref" => drop(reference.get_or_insert(value)),
            "__ctime" | "__mtime" => {}
            _ => {
                let name = name.replace("__", "_");
                let value = unprotect(&value);
                match class.field(&name) {
                    Some(field) => members.push(Cow::Borrowed(field.name), typed(&value, &field.ty)),
                    None => members.push(name, value.into_owned()),
                }
            }
        }
    }
    (reference, members)
}

/// Resolves what stands for blanks.
fn unprotect(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let mut ahead = chars.clone();
        let blank = match (c, ahead.next()) {
            ('%', Some('.')) => " ",
            // Written by old releases.
            ('%', Some('_')) => "  ",
            ('%', Some('t')) => "\t",
            ('%', Some('n')) => "\n",
            ('%', Some('r')) => "\r",
            ('%', Some('%')) => "%",
            _ => {
                out.push(c);
                continue;
            }
        };
        out.push_str(blank);
        chars = ahead;
    }
    Cow::Owned(out)
}

/// The value as a server would send it; what has another form than its type stays text.
fn typed(text: &str, ty: &Type) -> Value {
    let list = match ty {
        Type::Set(_) | Type::Map(..) => List::parse(text),
        Type::Option(inner) if !text.is_empty() => return typed(text, inner),
        Type::Option(_) => return Value::Nil,
        _ => None,
    };
    match list {
        Some(list) => list.typed(ty),
        None => Value::from(text),
    }
}

/// Lists inside of each other. The types of the API need three.
const MOST_LISTS: usize = 16;

/// A text, or a list in brackets.
#[derive(Debug, PartialEq)]
enum List {
    Text(String),
    List(Vec<List>),
}

impl List {
    /// Reads one list and nothing behind it.
    fn parse(text: &str) -> Option<List> {
        let mut open: Vec<Vec<List>> = Vec::new();
        let mut chars = text.chars().peekable();
        loop {
            let done = match chars.next()? {
                c if c.is_ascii_whitespace() => continue,
                '(' if open.len() < MOST_LISTS => {
                    open.push(Vec::new());
                    continue;
                }
                '(' => return None,
                ')' => List::List(open.pop()?),
                quote @ ('\'' | '"') => {
                    let mut out = String::new();
                    loop {
                        match chars.next()? {
                            '\\' => out.push(chars.next()?),
                            c if c == quote => break,
                            c => out.push(c),
                        }
                    }
                    List::Text(out)
                }
                first => {
                    let mut out = String::from(first);
                    while let Some(c) = chars.next_if(|c| !c.is_ascii_whitespace() && !"()'\"".contains(*c)) {
                        out.push(c);
                    }
                    List::Text(out)
                }
            };
            match open.last_mut() {
                Some(around) => around.push(done),
                None => return chars.all(|c| c.is_ascii_whitespace()).then_some(done),
            }
        }
    }

    fn typed(self, ty: &Type) -> Value {
        match (ty, self) {
            (Type::Set(item), List::List(items)) => Value::Array(items.into_iter().map(|it| it.typed(item)).collect()),
            (Type::Map(_, of), List::List(pairs)) => {
                let mut members = Struct::new();
                for pair in pairs {
                    if let List::List(pair) = pair
                        && let Ok([List::Text(key), value]) = <[List; 2]>::try_from(pair)
                    {
                        members.push(key, value.typed(of));
                    }
                }
                Value::Struct(members)
            }
            // Sets inside of maps are quoted once more.
            (_, List::Text(text)) => typed(&text, ty),
            (_, List::List(_)) => Value::from(""),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_resolved() {
        assert_eq!(unprotect("a%.b%n%t%r100%%%_x%z%"), "a b\n\t\r100%  x%z%");
        assert_eq!(unprotect("plain"), "plain");
    }

    #[test]
    fn sets_and_maps_are_read() {
        static TEXTS: Type = Type::Set(&Type::String);
        static MAP: Type = Type::Map(&Type::String, &Type::String);
        static SETS: Type = Type::Map(&Type::String, &TEXTS);
        let texts = |items: &[&str]| Value::Array(items.iter().map(|item| Value::from(*item)).collect());
        assert_eq!(typed("()", &TEXTS), texts(&[]));
        assert_eq!(typed(r"('a b' 'it\'s' '\\' c)", &TEXTS), texts(&["a b", "it's", "\\", "c"]));
        let pairs = |pairs: &[(&'static str, &str)]| {
            Value::Struct(pairs.iter().map(|(key, value)| (*key, Value::from(*value))).collect())
        };
        assert_eq!(typed("(('k' 'v')  ('' ''))", &MAP), pairs(&[("k", "v"), ("", "")]));
        let nested = Value::Struct([("k", texts(&["a", "b"]))].into_iter().collect());
        assert_eq!(typed("(('k' ('a' 'b')))", &SETS), nested);
        assert_eq!(typed(r"(('k' '(\'a\' \'b\')'))", &SETS), nested);
        for broken in ["", "(", "('a'", "('a", "()x", ")", "('a\\"] {
            assert_eq!(typed(broken, &TEXTS), Value::from(broken), "stays what it is");
        }
    }
}
