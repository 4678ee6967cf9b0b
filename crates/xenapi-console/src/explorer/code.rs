//! The same call in other words: as Python and Rust programs, for `curl` and for `xe`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Struct, Value};

use super::catalogue::{Class, Message};
use super::ty::Ty;
use super::{wire, xe};

/// What a call is to be said in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Language {
    /// The document that is sent, in XML-RPC.
    #[default]
    Xml,
    /// The document in JSON-RPC.
    Json,
    /// A line for `curl`.
    Curl,
    /// `xe`, on a host.
    Xe,
    /// The official Python SDK.
    Python,
    /// This project's own crate.
    Rust,
}

impl Language {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Language; 6] =
        [Language::Xml, Language::Json, Language::Curl, Language::Xe, Language::Python, Language::Rust];

    /// Its name, which is the same in every tongue.
    pub const fn name(self) -> &'static str {
        match self {
            Language::Xml => "XML-RPC",
            Language::Json => "JSON-RPC",
            Language::Curl => "curl",
            Language::Xe => "xe",
            Language::Python => "Python",
            Language::Rust => "Rust",
        }
    }
}

/// A call with its arguments, to be said.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// The class.
    pub class: &'a Class,
    /// The message.
    pub message: &'a Message,
    /// Whether it runs as a task.
    pub is_async: bool,
    /// What it is given, without the session.
    pub arguments: &'a [Value],
    /// The uuid of an object by its reference, where it is known: people and programs keep uuids, not references.
    pub uuids: &'a dyn UuidOf,
}

/// Tells uuids of references.
pub trait UuidOf: core::fmt::Debug {
    /// The uuid of an object of a class.
    fn uuid_of(&self, class: &str, reference: &str) -> Option<String>;
}

impl Said<'_> {
    /// The call in a language; none where it has no words for it.
    pub fn text(&self, language: Language) -> Option<String> {
        const MOST: usize = 64 * 1024;
        let call = || wire::call(self.class, self.message, self.is_async, self.arguments);
        let utf8 = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        match language {
            Language::Xml => Some(wire::pretty_xml(&utf8(wire::xml(&call())), MOST)),
            Language::Json => Some(wire::pretty_json(&utf8(wire::json(&call())), MOST)),
            Language::Curl => Some(self.curl(&utf8(wire::json(&call())))),
            Language::Xe => self.xe(),
            Language::Python => Some(self.python()),
            Language::Rust => Some(self.rust()),
        }
    }

    fn curl(&self, body: &str) -> String {
        const CURL: &str = "curl -s --cacert pool.pem https://HOST/jsonrpc -H 'content-type: application/json' --data ";
        let call = [CURL, &shell(body)].concat();
        if !self.message.session {
            return call;
        }
        // The session of the page never leaves it, and nobody could use it elsewhere: a shell has its own.
        let session = format!("\"{}\"", wire::SESSION);
        let call = call.replacen(&session, "\"'\"$SESSION\"'\"", 1);
        let login = r#"{"jsonrpc":"2.0","method":"session.login_with_password","params":["root","PASSWORD","1.0","my-tool"],"id":1}"#;
        format!("SESSION=$({CURL}{} | jq -r .result)\n{call}", shell(login))
    }

    fn xe(&self) -> Option<String> {
        let words = self.params().map(|(ty, value)| xe::Word { text: self.word(ty, value), value }).collect::<Vec<_>>();
        xe::command(self.class, self.message, &words)
    }

    /// The parameters that are given: their types and values.
    fn params(&self) -> impl Iterator<Item = (&Ty, &Value)> {
        self.message.params.iter().map(|it| &it.ty).zip(self.arguments)
    }

    /// A value as one word; objects by their uuids.
    fn word(&self, ty: &Ty, value: &Value) -> String {
        match (ty, value) {
            (Ty::Ref(class), Value::Text(text)) => self.uuids.uuid_of(class, text).unwrap_or_else(|| text.clone()),
            (_, Value::Text(text)) => text.clone(),
            (_, Value::Int(it)) => it.to_string(),
            (_, Value::Bool(it)) => it.to_string(),
            (_, Value::Double(it)) => it.to_string(),
            (_, Value::DateTime(it)) => it.to_string(),
            (_, other) => String::from_utf8_lossy(&xenapi_codec::jsonrpc::write_value(other)).into_owned(),
        }
    }

    fn python(&self) -> String {
        let mut lines = alloc::vec![
            "import XenAPI".to_string(),
            String::new(),
            "session = XenAPI.Session(\"https://HOST\")".to_string(),
            "session.xenapi.login_with_password(USER, PASSWORD, \"1.0\", \"my-tool\")".to_string(),
            "try:".to_string(),
        ];
        if self.arguments.iter().any(|it| matches!(it, Value::DateTime(_))) {
            lines.insert(0, "import xmlrpc.client".into());
        }
        let mut given = Vec::new();
        for (at, (ty, value)) in self.params().enumerate() {
            let known = match (ty, value) {
                (Ty::Ref(class), Value::Text(text)) => self.uuids.uuid_of(class, text).map(|uuid| (class, uuid)),
                _ => None,
            };
            match known {
                Some((class, uuid)) => {
                    let name = variable(&self.message.params[at].name, class);
                    lines.push(format!("    {name} = session.xenapi.{class}.get_by_uuid({})", quoted(&uuid)));
                    given.push(name);
                }
                None => given.push(python(ty, value)),
            }
        }
        let given = given.join(", ");
        let (class, message) = (&self.class.name, &self.message.name);
        if self.is_async {
            lines.push(format!("    task = session.xenapi.Async.{class}.{message}({given})"));
            lines.push("    while session.xenapi.task.get_status(task) == \"pending\":".into());
            lines.push("        time.sleep(1)".into());
            lines.push("    print(session.xenapi.task.get_record(task))".into());
            lines.push("    session.xenapi.task.destroy(task)".into());
            lines.insert(0, "import time".into());
        } else {
            let call = format!("session.xenapi.{class}.{message}({given})");
            lines.push(if self.message.result == Ty::Void { format!("    {call}") } else { format!("    print({call})") });
        }
        lines.push("finally:".into());
        lines.push("    session.xenapi.session.logout()".into());
        lines.join("\n")
    }

    /// A value in Rust.
    fn rust_value(&self, ty: &Ty, value: &Value) -> String {
        match (ty, value) {
            (Ty::Option(inner), value) => self.rust_value(inner, value),
            (Ty::Ref(class), Value::Text(text)) => match self.uuids.uuid_of(class, text) {
                Some(uuid) => {
                    format!("client.call(get_by_uuid::<{}>(&Uuid::parse({})?)).await?", camel(class), quoted(&uuid))
                }
                None => format!("Ref::<{}>::new({})", camel(class), quoted(text)),
            },
            (Ty::Enum(_), Value::Text(text)) => format!("{}.into()", quoted(text)),
            (_, Value::Text(text)) => format!("String::from({})", quoted(text)),
            (_, Value::Int(it)) => it.to_string(),
            (_, Value::Bool(it)) => it.to_string(),
            (_, Value::Double(it)) => format!("{it:?}"),
            (_, Value::DateTime(it)) => format!("DateTime::parse(\"{it}\")?"),
            (Ty::Set(item), Value::Array(items)) => {
                let items: Vec<String> = items.iter().map(|it| self.rust_value(item, it)).collect();
                format!("vec![{}]", items.join(", "))
            }
            (Ty::Map(key, item), Value::Struct(members)) if !members.is_empty() => {
                let member = |(name, it): (&str, &Value)| {
                    let key = self.rust_value(key, &Value::from(name));
                    format!("({key}, {})", self.rust_value(item, it))
                };
                let members: Vec<String> = members.iter().map(member).collect();
                format!("[{}].into_iter().collect()", members.join(", "))
            }
            _ => "Default::default()".into(),
        }
    }

    /// The fields that a record needs, each as a variable; what else is in it is said beside them.
    fn fields(&self, members: &Struct, lines: &mut Vec<String>) {
        let names = names_in(&self.message.rust);
        let mut others = Vec::new();
        for (name, value) in members.iter() {
            let lower = name.to_ascii_lowercase();
            let variable = names.iter().find(|it| it.trim_start_matches("r#") == lower);
            match (variable, self.class.field(name)) {
                (Some(variable), Some(field)) => {
                    lines.push(format!("let {variable} = {};", self.rust_value(&field.ty, value)));
                }
                _ => others.push(name.to_string()),
            }
        }
        if !others.is_empty() {
            lines.push(format!("// The other fields are set on what `new` answers: {}.", others.join(", ")));
        }
    }

    fn rust(&self) -> String {
        let mut lines: Vec<String> = Vec::from([
            "let transport = Transport::new(\"https://HOST\".parse()?, &Trust::System, TransportConfig::default())?;".into(),
            "let client = Client::connect(transport, \"root\", \"PASSWORD\", \"my-tool\").await?;".into(),
        ]);
        let names = names_in(&self.message.rust);
        for (at, (ty, value)) in self.params().enumerate() {
            if let (Ty::Record(_), Value::Struct(members)) = (ty, value) {
                self.fields(members, &mut lines);
                continue;
            }
            let name =
                names.get(at).map_or_else(|| variable(&self.message.params[at].name, &self.class.name), ToString::to_string);
            let value = match (ty, value) {
                (_, Value::Text(text)) if self.message.name == "get_by_uuid" => format!("Uuid::parse({})?", quoted(text)),
                // A function takes `&str`, unless it says that it borrows the type itself.
                (Ty::Text, Value::Text(text)) if !self.message.rust.contains(&["&", &name].concat()) => quoted(text),
                (ty, value) => self.rust_value(ty, value),
            };
            lines.push(format!("let {name} = {value};"));
        }
        let call = without_rest(&self.message.rust, self.arguments.len());
        let answer = if self.message.result == Ty::Void { "" } else { "let answer = " };
        lines.push(if self.is_async {
            format!("{answer}client.run_task({call}, |progress| println!(\"{{progress:.2}}\")).await?;")
        } else {
            format!("{answer}client.call({call}).await?;")
        });
        if !answer.is_empty() {
            lines.push("println!(\"{answer:?}\");".into());
        }
        lines.push("client.logout().await?;".into());
        lines.push("Ok(())".into());
        let body: String = lines.iter().flat_map(|line| ["    ", line, "\n"]).collect();
        let head =
            "use xenapi::*;\n\n#[tokio::main]\nasync fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {\n";
        [head, &body, "}"].concat()
    }
}

/// The variables that a call in Rust takes: `vm`, `start_paused` and `force` of `vm::start(&vm, start_paused, force)`.
fn names_in(call: &str) -> Vec<&str> {
    let call = call.trim_end_matches(".into_call()");
    let inside = call.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')).map_or("", |(inside, _)| inside);
    let name = |word: &'_ str| {
        let start = word.rfind(['(', '&', ' ']).map_or(0, |at| at + 1);
        start..start + word[start..].trim_end_matches(')').len()
    };
    inside.split(',').filter(|word| !word.trim().is_empty()).map(|word| &word[name(word)]).collect()
}

/// A value in Python. XenAPI's integers travel as text, so they are given as text.
fn python(ty: &Ty, value: &Value) -> String {
    match (ty, value) {
        (_, Value::Text(text)) => quoted(text),
        (_, Value::Int(it)) => format!("\"{it}\""),
        (_, Value::Bool(it)) => if *it { "True" } else { "False" }.into(),
        (_, Value::Double(it)) => format!("{it:?}"),
        (_, Value::DateTime(it)) => format!("xmlrpc.client.DateTime(\"{it}\")"),
        (_, Value::Array(items)) => {
            let items: Vec<String> = items.iter().map(|it| python(ty, it)).collect();
            format!("[{}]", items.join(", "))
        }
        (_, Value::Struct(members)) => {
            let members: Vec<String> =
                members.iter().map(|(name, it)| format!("{}: {}", quoted(name), python(ty, it))).collect();
            format!("{{{}}}", members.join(", "))
        }
        _ => "None".into(),
    }
}

/// A call whose arguments after so many are left out: those that need not be given are options.
fn without_rest(call: &str, given: usize) -> String {
    let Some((before, inside, after)) = call
        .split_once('(')
        .and_then(|(before, rest)| rest.rsplit_once(')').map(|(inside, after)| (before, inside, after)))
        .filter(|(_, inside, _)| inside.contains("Some("))
    else {
        return call.into();
    };
    let arguments = inside.split(", ").enumerate();
    let arguments: Vec<&str> = arguments
        .map(|(at, argument)| if at >= given && argument.starts_with("Some(") { "None" } else { argument })
        .collect();
    format!("{before}({}){after}", arguments.join(", "))
}

/// The name of a variable for a parameter: `self` is named after its class.
fn variable(param: &str, class: &str) -> String {
    let name = if param == "self" { class } else { param }.to_ascii_lowercase();
    match name.as_str() {
        "type" | "ref" | "in" | "from" | "class" | "lambda" | "async" | "fn" | "move" | "match" | "enum" | "use"
        | "static" => {
            format!("{name}_")
        }
        _ => name,
    }
}

/// A class as a type of the crate.
fn camel(name: &str) -> String {
    let parts = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (first, rest) = part.split_at(1);
            first.to_ascii_uppercase() + rest
        })
        .collect()
}

/// A text between quotes, as Python and Rust both read it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A word as a shell reads it.
pub(super) fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}
