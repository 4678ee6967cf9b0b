//! The codec and Python's own `xmlrpc.client` exchange random values, both ways.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use xenapi_codec::Limits;
use xenapi_codec::xmlrpc::{read_result, read_value_text, write_success, write_value_text};
use xenapi_core::{DateTime, Struct, Value, Wire};
use xenapi_corpus::{Content, Dice, Order};

use crate::harness::{tool, top};

/// Values in each direction.
const COUNT: u64 = 400;

/// `tests/python/exchange.py`: a line in, a line out.
struct Python {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Python {
    fn start() -> Python {
        let mut command = Command::new(tool("XENOXIDE_PYTHON"));
        command.arg(top().join("tests/python/exchange.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("python runs");
        let (to, from) = (child.stdin.take().expect("it is piped"), child.stdout.take().expect("it is piped"));
        Python { child, to, from: BufReader::new(from) }
    }

    fn ask(&mut self, question: &str) -> String {
        writeln!(self.to, "{question}").expect("python listens");
        let mut line = String::new();
        self.from.read_line(&mut line).expect("python answers");
        assert!(line.ends_with('\n'), "python ended at: {question}");
        line.trim_end().to_owned()
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Base64 by the codec itself: a value of bytes, without its tags.
fn base64(bytes: &[u8]) -> String {
    let text = write_value_text(&Value::Bytes(bytes.to_vec()));
    text.replace("<value><base64>", "").replace("</base64></value>", "").split_whitespace().collect()
}

fn unbase64(text: &str) -> Vec<u8> {
    match read_value_text(&format!("<value><base64>{text}</base64></value>"), &Limits::default()) {
        Ok(Value::Bytes(bytes)) => bytes,
        other => panic!("no base64: {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As `describe` of `exchange.py`: exact, and the same whatever the order of members. Integers are alike, whatever their tag.
fn describe(value: &Value) -> String {
    match value {
        Value::Nil => "n".into(),
        Value::Bool(truth) => format!("b{}", u8::from(*truth)),
        Value::Int(number) => format!("i{number}"),
        Value::Int32(number) => format!("i{number}"),
        Value::Double(number) => format!("d{:016x}", number.to_bits()),
        Value::Text(text) => format!("s{}", hex(text.as_bytes())),
        Value::DateTime(time) => format!("t{time}"),
        Value::Bytes(bytes) => format!("x{}", hex(bytes)),
        Value::Array(items) => format!("[{}]", items.iter().map(describe).collect::<Vec<_>>().join(",")),
        Value::Struct(members) => {
            let mut members: Vec<String> =
                members.iter().map(|(name, value)| format!("{}={}", hex(name.as_bytes()), describe(value))).collect();
            members.sort();
            format!("{{{}}}", members.join(","))
        }
    }
}

fn text(dice: &mut Dice) -> String {
    const PIECES: [&str; 18] = [
        "a",
        " ",
        "<",
        ">",
        "&",
        "\"",
        "'",
        "]]>",
        "\t",
        "\n",
        "é",
        "数据",
        "\u{1f600}",
        "&lt;",
        "\u{2028}",
        "\u{7f}",
        "0",
        "-7",
    ];
    (0..dice.below(9)).map(|_| dice.pick(&PIECES)).collect()
}

/// A random value. Integers carry a tag, since Python takes untyped ones for text, as it must.
fn value(dice: &mut Dice, depth: usize) -> Value {
    match dice.below(if depth == 0 { 7 } else { 9 }) {
        0 => text(dice).into(),
        1 => Value::Int32(i32::try_from(dice.number(u32::MAX) - (1 << 31)).unwrap()),
        2 => dice.once_in(2).into(),
        3 => Value::Double([0.0, -0.0, 0.1, 1e300, f64::INFINITY, f64::NEG_INFINITY, 12345.678][dice.below(7)]),
        4 => DateTime::from_unix(dice.number(u32::MAX)).into(),
        5 => Value::Bytes((0..dice.below(9)).map(|_| dice.roll().to_le_bytes()[0]).collect()),
        6 => Value::Nil,
        7 => Value::Array((0..dice.below(5)).map(|_| value(dice, depth - 1)).collect()),
        _ => {
            let mut members = Struct::new();
            for _ in 0..dice.below(5) {
                members.set(text(dice), value(dice, depth - 1));
            }
            Value::Struct(members)
        }
    }
}

fn read(base64: &str) -> Value {
    let document = unbase64(base64);
    match read_result(&document, &Limits::default(), Value::read) {
        Ok(Ok(value)) => value,
        other => panic!("{other:?}\n{}", String::from_utf8_lossy(&document)),
    }
}

#[test]
fn python_reads_and_writes_back_what_we_write() {
    let mut python = Python::start();
    let mut dice = Dice::new(4);
    for _ in 0..COUNT {
        let value = value(&mut dice, 4);
        let reply = base64(&write_success(&value));
        assert_eq!(python.ask(&format!("describe {reply}")), describe(&value), "{value:?}");
        assert_eq!(describe(&read(&python.ask(&format!("echo {reply}")))), describe(&value), "{value:?}");
    }
}

#[test]
fn we_read_and_write_back_what_python_writes() {
    let mut python = Python::start();
    for seed in 0..COUNT {
        let made = python.ask(&format!("make {seed}"));
        let (description, document) = made.split_once(' ').expect("a description and a document");
        let value = read(document);
        assert_eq!(describe(&value), description, "seed {seed}");
        // What Python tagged as an integer must be tagged when it goes back.
        let again = base64(&write_success(&tagged(value)));
        assert_eq!(python.ask(&format!("same {seed} {again}")), "ok", "seed {seed}");
    }
}

/// With tags on the integers, which xapi's own form of them has not.
fn tagged(value: Value) -> Value {
    match value {
        Value::Int(number) => Value::Int32(number.try_into().expect("Python writes 32 bits")),
        Value::Array(items) => Value::Array(items.into_iter().map(tagged).collect()),
        Value::Struct(members) => Value::Struct(members.into_iter().map(|(name, value)| (name, tagged(value))).collect()),
        other => other,
    }
}

#[test]
fn python_reads_whole_inventories() {
    let mut python = Python::start();
    for content in Content::ALL {
        let value = content.value(5, Order::Datamodel);
        let reply = base64(&xenapi_corpus::xml_reply(&value));
        assert_eq!(python.ask(&format!("describe {reply}")), describe(&untagged(value)), "{}", content.name());
    }
}

/// As whoever reads without a schema sees it: integers are text, except for those of 32 bits.
fn untagged(value: Value) -> Value {
    match value {
        Value::Int(number) => number.to_string().into(),
        Value::Array(items) => Value::Array(items.into_iter().map(untagged).collect()),
        Value::Struct(members) => Value::Struct(members.into_iter().map(|(name, value)| (name, untagged(value))).collect()),
        other => other,
    }
}
