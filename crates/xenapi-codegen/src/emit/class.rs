//! The module of a class: marker, record, fields, what `create` takes, calls.

use std::fmt::Write as _;

use super::types::{argument_type, default, field_type, rust_type};
use super::words::{article, call_lines, field_facts, lifecycle_words, sentence};
use super::{HEADER, Homes};
use crate::names::{constant, snake, type_name, variant};
use crate::schema::{Class, Creation, Enum, Field, Message, Param, Type};

pub(super) fn file(class: &Class, homes: &Homes) -> String {
    let marker = type_name(&class.name);
    let about = if class.doc.is_empty() { String::new() } else { format!(": {}", class.doc) };
    let mut out = format!("//! `{}`{about}\n//!\n//! {}", class.name, capital(&class.place));
    if class.secret {
        out.push_str("; its references are kept out of logs");
    }
    let _ = write!(out, ". {}\n{HEADER}", lifecycle_words(&class.lifecycle));
    out.push_str(
        "#[allow(unused_imports, reason = \"what a class needs depends on its fields\")]\nuse crate::support::*;\n\n",
    );
    let _ =
        writeln!(out, "pub use super::desc::{0}::CLASS;\npub(crate) use super::desc::{0}::RECORD;\n", snake(&class.name));
    let _ = writeln!(out, "/// The class `{}`{about}\n#[derive(Clone, Copy, Debug)]\npub struct {marker};\n", class.name);
    for it in class.enums.iter().filter(|it| !it.values.is_empty()) {
        enumeration(&mut out, it);
    }
    record(&mut out, class, homes);
    if class.implicit.iter().any(|part| part == "get_all" || part == "get_record") {
        fields(&mut out, class, homes);
    }
    if has_own_creation(class) {
        let _ = writeln!(out, "pub use super::{}_new::New;\n", snake(&class.name));
    } else if class.create.is_some() {
        creation(&mut out, class, homes);
    }
    for (at, message) in class.messages.iter().enumerate() {
        call(&mut out, class, message, at, homes);
    }
    out
}

/// Whether what `create` takes has a file of its own, because that of the class would be too long to read.
pub(super) fn has_own_creation(class: &Class) -> bool {
    class.create.is_some() && class.fields.len() > 80
}

/// The file with what `create` takes. See [`has_own_creation`].
pub(super) fn creation_file(class: &Class, homes: &Homes) -> String {
    let mut out = format!("//! What `{}.create` takes.\n{HEADER}", class.name);
    let _ = writeln!(out, "use super::{}::*;\nuse crate::support::*;\n", snake(&class.name));
    creation(&mut out, class, homes);
    out
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(word.len().min(1));
    first.to_ascii_uppercase() + rest
}

fn enumeration(out: &mut String, it: &Enum) {
    let _ = writeln!(
        out,
        "open_enum! {{\n/// `{}`.\n{}, {}, {:?} {{",
        it.name,
        type_name(&it.name),
        constant(&it.name),
        it.name
    );
    for word in &it.values {
        let _ = writeln!(out, "/// `{word}`.\n{} = {word:?},", variant(word));
    }
    out.push_str("}\n}\n\n");
}

fn record(out: &mut String, class: &Class, homes: &Homes) {
    let marker = type_name(&class.name);
    let _ = writeln!(out, "/// All fields of {} `{}` at one moment.", article(&class.name), class.name);
    let all: Vec<&Field> = class.fields.iter().collect();
    let debug = if all.iter().any(|field| field.secret) { "" } else { "Debug, " };
    let _ = writeln!(out, "#[derive(Clone, {debug}PartialEq)]\npub struct Record {{");
    for field in &class.fields {
        let _ = writeln!(
            out,
            "/// {}{}\npub {}: {},",
            sentence(&field.doc),
            field_facts(class, field),
            snake(&field.name),
            field_type(field, class, homes)
        );
    }
    out.push_str("/// What came beside these fields, and which of them did not come.\npub rest: Rest,\n}\n\n");
    out.push_str("impl Default for Record {\nfn default() -> Self {\nRecord {\n");
    for field in &class.fields {
        let _ = writeln!(out, "{}: {},", snake(&field.name), default(field, class, homes));
    }
    out.push_str("rest: Rest::default(),\n}\n}\n}\n\n");
    debug_without_secrets(out, "Record", &all);
    let _ = writeln!(out, "record! {{ {marker}, Record;");
    for (at, field) in class.fields.iter().enumerate() {
        let nullable = if matches!(field.ty, Type::NullRef(_)) { " nullable" } else { "" };
        let _ = writeln!(out, "{at} => {}{nullable},", snake(&field.name));
    }
    out.push_str("}\n\n");
}

fn debug_without_secrets(out: &mut String, name: &str, fields: &[&Field]) {
    let secrets: Vec<String> = fields.iter().filter(|field| field.secret).map(|field| format!("`{}`", field.name)).collect();
    if secrets.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "impl core::fmt::Debug for {name} {{\n/// Without {}, which must not reach a log.\n\
         fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {{\nf.debug_struct({name:?})",
        secrets.join(", ")
    );
    for field in fields.iter().filter(|field| !field.secret) {
        let _ = writeln!(out, ".field({:?}, &self.{})", field.name, snake(&field.name));
    }
    out.push_str(".finish_non_exhaustive()\n}\n}\n\n");
}

fn fields(out: &mut String, class: &Class, homes: &Homes) {
    let marker = type_name(&class.name);
    let _ = writeln!(
        out,
        "/// The fields of `{}`, for the messages that follow from them: `get_…`, `set_…`, `add_…`, `remove_…`.",
        class.name
    );
    out.push_str("pub mod fields {\nuse super::*;\n\n");
    for (at, field) in class.fields.iter().enumerate() {
        let kind = if field.qualifier == "rw" { "RwField" } else { "Field" };
        let ty = field_type(field, class, homes);
        let _ = writeln!(
            out,
            "/// {}\npub const {}: {kind}<{marker}, {ty}> = {kind}::new({at});",
            field_facts(class, field),
            constant(&field.name)
        );
    }
    out.push_str("}\n\n");
}

/// What `create` takes: the fields that clients write, those that have to be said first.
fn creation(out: &mut String, class: &Class, homes: &Homes) {
    let marker = type_name(&class.name);
    let taken: Vec<(usize, &Field)> =
        class.fields.iter().enumerate().filter(|(_, field)| field.qualifier != "dynamic").collect();
    let fields: Vec<&Field> = taken.iter().map(|(_, field)| *field).collect();
    let role = class.create.as_ref().map(|(create, _)| create.as_str()).unwrap_or_default();
    let _ = writeln!(out, "/// What `{}.create` takes: the fields that clients write. Least role: {role}.", class.name);
    let debug = if fields.iter().any(|field| field.secret) { "" } else { "Debug, " };
    let _ = writeln!(out, "#[derive(Clone, {debug}PartialEq)]\npub struct New {{");
    for field in &fields {
        let _ = writeln!(
            out,
            "/// {}{}\npub {}: {},",
            sentence(&field.doc),
            field_facts(class, field),
            snake(&field.name),
            field_type(field, class, homes)
        );
    }
    out.push_str("}\n\n");
    debug_without_secrets(out, "New", &fields);
    let needed: Vec<&&Field> = fields.iter().filter(|field| field.creation == Creation::Needed).collect();
    let arguments: Vec<String> = needed.iter().map(|field| new_argument(field, class, homes)).collect();
    let _ = writeln!(out, "impl New {{\n/// What has to be said; the other fields have their defaults.");
    let _ = writeln!(out, "pub fn new({}) -> Self {{\nNew {{", arguments.join(", "));
    for field in &fields {
        let (name, value) = (snake(&field.name), new_value(field, class, homes));
        let _ = if name == value { writeln!(out, "{name},") } else { writeln!(out, "{name}: {value},") };
    }
    let _ = writeln!(
        out,
        "}}\n}}\n\n/// `{}.create` with it.\npub fn into_call(self) -> Call<Ref<{marker}>> {{\ncreate_from([",
        class.name
    );
    for (at, field) in &taken {
        let _ = writeln!(out, "({at}, self.{}.argument()),", snake(&field.name));
    }
    out.push_str("])\n}\n}\n\n");
    if needed.is_empty() {
        out.push_str("impl Default for New {\nfn default() -> Self {\nNew::new()\n}\n}\n\n");
    }
}

fn new_argument(field: &Field, class: &Class, homes: &Homes) -> String {
    let ty = match &field.ty {
        Type::String => "impl Into<String>".into(),
        _ => rust_type(&field.ty, class, homes),
    };
    format!("{}: {ty}", snake(&field.name))
}

fn new_value(field: &Field, class: &Class, homes: &Homes) -> String {
    match &field.creation {
        Creation::Needed if field.ty == Type::String => format!("{}.into()", snake(&field.name)),
        Creation::Needed => snake(&field.name),
        Creation::With(value) => default(&Field { default: Some(value.clone()), ..field.clone() }, class, homes),
        Creation::Free => default(field, class, homes),
    }
}

fn call(out: &mut String, class: &Class, message: &Message, at: usize, homes: &Homes) {
    let result = rust_type(&message.result, class, homes);
    for line in call_lines(class, message) {
        let _ = writeln!(out, "/// {line}");
    }
    let argument = |param: &Param| {
        let ty = argument_type(&param.ty, class, homes);
        format!("{}: {}", snake(&param.name), if param.required { ty } else { format!("Option<{ty}>") })
    };
    let arguments: Vec<String> = message.params.iter().map(argument).collect();
    let _ = writeln!(out, "pub fn {}({}) -> Call<{result}> {{", snake(&message.name), arguments.join(", "));
    let given = |param: &Param| match param.ty {
        Type::NullRef(_) => format!("nullable({})", snake(&param.name)),
        _ => format!("{}.argument()", snake(&param.name)),
    };
    let required: Vec<String> = message.params.iter().filter(|param| param.required).map(given).collect();
    let optional = message.params.iter().filter(|param| !param.required);
    let optional: Vec<String> = optional.map(|param| format!("{}.map(|it| it.argument())", snake(&param.name))).collect();
    if optional.is_empty() {
        let _ = writeln!(out, "send(&CLASS, {at}, vec![{}])\n}}\n", required.join(", "));
    } else {
        let _ = writeln!(
            out,
            "send_with_options(&CLASS, {at}, vec![{}], &mut [{}])\n}}\n",
            required.join(", "),
            optional.join(", ")
        );
    }
}
