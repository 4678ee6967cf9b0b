//! `GET /pool/xmldbdump`: the pool's database in xapi's own form, as `Sim::from_database` reads it.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};

use xenapi_core::{Type, Value};

use super::{Download, Head, Piece, Reply, Request, Served, Visit};
use crate::Sim;
use crate::store::Row;

/// How much is made at once, in bytes.
const PIECE: usize = 64 << 10;

/// What xapi keeps beside its database, or not longer than it runs.
const NOT_KEPT: [&str; 4] = ["event", "message", "session", "task"];

/// Fields in groups: the group's name ends with two underscores in the database.
const GROUPS: [&str; 10] =
    ["name_", "VCPUs_", "memory_", "actions_", "PV_", "HVM_", "API_version_", "io_", "status_", "qos_"];

/// See the module.
pub(super) fn dump(_: &mut Sim, _: &Request, _: &mut Visit) -> Result<Served, Reply> {
    Ok(Served::Download(Head::ok("application/xml"), Box::new(Dump { table: 0, after: 0, begun: false, over: false })))
}

/// How far it got: rows that change meanwhile are written as they are then.
struct Dump {
    table: usize,
    /// The serial number of the last row written.
    after: u64,
    begun: bool,
    over: bool,
}

impl Download for Dump {
    fn next(&mut self, sim: &mut Sim, _: &mut Visit) -> Piece {
        if self.over {
            return Piece::End;
        }
        let mut out = String::new();
        if !core::mem::replace(&mut self.begun, true) {
            out += &format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<database><manifest><pair key=\"schema_major_vsn\" value=\"5\"/>\
                 <pair key=\"schema_minor_vsn\" value=\"780\"/><pair key=\"generation_count\" value=\"{}\"/></manifest>",
                sim.store.generation
            );
        }
        while out.len() < PIECE {
            let Some(table) = sim.store.tables.get(self.table) else {
                out += "</database>";
                self.over = true;
                break;
            };
            if NOT_KEPT.contains(&table.class.name) {
                self.table += 1;
                continue;
            }
            if self.after == 0 {
                out += &format!("<table name=\"{}\">", table.class.name);
            }
            match table.rows.range(self.after + 1..).next() {
                Some((serial, row)) => {
                    self.after = *serial;
                    write_row(&mut out, table.class, row);
                }
                None => {
                    out += "</table>";
                    (self.table, self.after) = (self.table + 1, 0);
                }
            }
        }
        Piece::Bytes(out.into_bytes())
    }
}

fn write_row(out: &mut String, class: &'static xenapi_core::ClassDesc, row: &Row) {
    let reference = escaped(row.reference.as_str());
    *out +=
        &format!("<row ref=\"{reference}\" __ctime=\"{}\" __mtime=\"{}\" _ref=\"{reference}\"", row.created, row.modified);
    for (field, value) in class.fields.iter().zip(row.fields.iter()) {
        // Of a relation one side is kept; the other is there, but empty.
        let is_kept = field.relation.is_none_or(|relation| relation.stored) || !matches!(field.ty, Type::Set(_));
        if is_kept {
            attribute(out, field.name, &text_of(value, &field.ty));
        } else {
            attribute(out, field.name, "()");
        }
    }
    for (name, value) in row.extra.iter().flat_map(|extra| extra.iter()) {
        if let Some(text) = value.as_text() {
            attribute(out, name, text);
        }
    }
    *out += "/>";
}

fn attribute(out: &mut String, name: &str, value: &str) {
    let group = GROUPS.iter().find(|group| name.len() > group.len() && name.starts_with(**group));
    out.push(' ');
    match group {
        Some(group) => *out += &format!("{group}_{}", &name[group.len()..]),
        None => *out += name,
    }
    *out += "=\"";
    *out += &escaped(&protected(value));
    out.push('"');
}

/// Blanks get through attributes unchanged only in disguise.
fn protected(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' ' => out += "%.",
            '\t' => out += "%t",
            '\n' => out += "%n",
            '\r' => out += "%r",
            '%' => out += "%%",
            c => out.push(c),
        }
    }
    out
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    super::metrics::escaped(&mut out, text);
    out
}

fn quoted(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        if matches!(c, '\'' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('\'');
    out
}

/// A value as text: sets and maps are lists in brackets, and what is inside of them is text once more.
fn text_of(value: &Value, ty: &Type) -> String {
    match (value, ty) {
        (value, Type::Option(inner)) => text_of(value, inner),
        (Value::Array(items), Type::Set(item)) => {
            let items = items.iter().map(|value| quoted(&text_of(value, item)));
            format!("({})", items.collect::<alloc::vec::Vec<_>>().join(" "))
        }
        (Value::Struct(members), Type::Map(_, of)) => {
            let pairs = members.iter().map(|(key, value)| format!("({} {})", quoted(key), quoted(&text_of(value, of))));
            format!("({})", pairs.collect::<alloc::vec::Vec<_>>().join(" "))
        }
        (Value::Bool(truth), _) => truth.to_string(),
        (Value::Int(number), _) => number.to_string(),
        (Value::Int32(number), _) => number.to_string(),
        (Value::Double(number), _) => number.to_string(),
        (Value::DateTime(time), _) => time.to_string(),
        (value, _) => value.as_text().unwrap_or_default().to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use alloc::vec::Vec;

    use xenapi_core::RawRef;

    use super::super::{Answer, Method};
    use super::*;
    use crate::{Config, Origin};

    fn dumped(sim: &mut Sim) -> Vec<u8> {
        let mut request = Request::new(Method::Get, "/pool/xmldbdump");
        request.origin = Origin::UnixSocket;
        let now = sim.now;
        let Answer::Download(_, mut exchange) = sim.http(&request, now) else { panic!() };
        let mut all = Vec::new();
        while let Piece::Bytes(bytes) = exchange.next(sim, now) {
            all.extend(bytes);
        }
        all
    }

    /// Compares all objects that are kept, but what a loaded pool says of itself.
    fn assert_same(one: &mut Sim, two: &mut Sim) {
        let pool = two.store.first("pool").unwrap();
        two.store.drop_key("pool", pool.as_str(), "other_config", "xenoxide:recorded-classes");
        for (a, b) in one.store.tables.iter().zip(&two.store.tables) {
            if NOT_KEPT.contains(&a.class.name) {
                continue;
            }
            assert_eq!(a.rows.len(), b.rows.len(), "{}", a.class.name);
            for row in a.rows.values() {
                let other = b.get(row.reference.as_str()).unwrap();
                for (at, field) in a.class.fields.iter().enumerate() {
                    let name = format!("{}.{}", a.class.name, field.name);
                    match (&row.fields[at], &other.fields[at]) {
                        // The other side of a relation has no order.
                        (Value::Array(x), Value::Array(y)) if field.relation.is_some() => {
                            let sorted = |items: &[Value]| {
                                let mut all: Vec<String> =
                                    items.iter().filter_map(|v| v.as_text().map(String::from)).collect();
                                all.sort();
                                all
                            };
                            assert_eq!(sorted(x), sorted(y), "{name}");
                        }
                        (x, y) => assert_eq!(x, y, "{name}"),
                    }
                }
            }
        }
    }

    #[test]
    fn a_dump_is_read_as_the_same_pool() {
        let mut sim = Sim::new(&Config { vms: 30, ..Config::default() });
        let bytes = dumped(&mut sim);
        let (mut again, notes) = Sim::from_database(&bytes, 0).unwrap();
        assert_eq!(notes, Vec::<String>::new());
        assert_same(&mut sim, &mut again);
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains(" name__label=\"web-01\"") && text.contains(" memory__static_max=\""));
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { cases: 24, failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_text_survives(label in "[ -~\\n\\t\\räß漢%'\\\\()\"<&]{0,40}", key in "[ -~ä'\\\\()%]{1,10}", tags in proptest::collection::vec("[ -~\\n'\\\\()%]{0,12}", 0..4)) {
            let mut sim = Sim::new(&Config { hosts: 1, vms: 1, ..Config::default() });
            let vm: RawRef = sim.store.all("VM").pop().unwrap();
            let of = vm.as_str();
            sim.store.put("VM", of, "name_label", label.as_str());
            sim.store.put_key("VM", of, "other_config", &key, label.as_str());
            sim.store.put("VM", of, "tags", tags.iter().map(|tag| Value::from(tag.as_str())).collect::<Vec<_>>());
            let bytes = dumped(&mut sim);
            let (mut again, _) = Sim::from_database(&bytes, 0).unwrap();
            assert_same(&mut sim, &mut again);
        }
    }
}
