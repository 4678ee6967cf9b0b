//! Documents to start from.

use xenapi_codec::xmlrpc::{write_bare, write_call, write_failure, write_value_text};
use xenapi_core::{Failure, RawCall, Struct, Value};
use xenapi_corpus::{Content, Dice, Order, json_reply, xml_reply};

use crate::Input;

/// The generated seeds for inputs of that kind.
pub fn generated(input: Input) -> Vec<Vec<u8>> {
    match input {
        Input::Xml => xml(),
        Input::Json => json(),
        Input::Choices => (0..8).map(choices).collect(),
        Input::ChoicesThenXml => {
            xml().into_iter().map(|document| [b"0123456789abcdef".to_vec(), document].concat()).collect()
        }
    }
}

/// Bytes that decide: any will do.
fn choices(seed: u64) -> Vec<u8> {
    let mut dice = Dice::new(seed);
    (0..400).flat_map(|_| dice.roll().to_le_bytes().into_iter().take(1)).collect()
}

fn call() -> RawCall {
    let record: Struct =
        [("name_label", Value::from("a <b> & \"c\"")), ("memory", Value::Int(1 << 40))].into_iter().collect();
    RawCall { method: "VM.create".into(), params: vec!["OpaqueRef:session".into(), Value::Struct(record), true.into()] }
}

/// The handful of kinds that records do not hold.
fn odd() -> Value {
    Value::Array(vec![
        Value::Nil,
        Value::Int32(-7),
        Value::Double(0.1),
        Value::Double(f64::NEG_INFINITY),
        Value::Bytes(b"\0\xff base64".to_vec()),
        Value::empty_struct(),
        Value::Array(Vec::new()),
        "\u{1f600} \u{fffe} \t\n' ]]> &amp;".into(),
    ])
}

const BY_HAND: [&str; 8] = [
    "<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?>\n<!DOCTYPE methodCall>\n<methodCall>\n  <methodName> </methodName>\r\n \
     <params/>\n</methodCall>\n",
    "<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>4</int></value></member><member>\
     <name>faultString</name><value><string>Too many</string></value></member></struct></value></fault></methodResponse>",
    "<value>\n <struct>\n  <member>\n   <name>a<!-- c --></name>\n   <value><![CDATA[<x>&]]></value>\n  </member>\n </struct>\n</value>",
    "<value><array><data><value><i8>0x_1f</i8></value><value><int>-0b101</int></value><value/><value><string/></value></data></array>\
     </value>",
    "<value><string>a&#x41;&#66;&apos;&#x1F600;\r\n\r</string></value>",
    "<?xml version='1.0' encoding='ISO-8859-1'?><value>x</value>",
    "<!DOCTYPE v [<!ENTITY a \"aaaa\">]><value>&a;</value>",
    "<x:value xmlns:x=\"urn:x\"><x:double>1e-7</x:double></x:value>",
];

fn xml() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for content in Content::ALL {
        for order in [Order::Datamodel, Order::Shuffled] {
            seeds.push(xml_reply(&content.value(1, order)));
        }
    }
    let failure = Failure::new("VM_BAD_POWER_STATE", ["OpaqueRef:1", "halted", "running"]);
    seeds.extend([write_call(&call()), write_failure(&failure), write_bare(&odd()), write_value_text(&odd()).into_bytes()]);
    seeds.push(xml_reply(&Value::VOID));
    seeds.extend(BY_HAND.iter().map(|text| text.as_bytes().to_vec()));
    seeds
}

fn json() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> =
        Content::ALL.iter().map(|content| json_reply(&content.value(1, Order::Datamodel))).collect();
    let by_hand = [
        r#"{"method":"VM.get_all","params":["OpaqueRef:1"],"id":1}"#,
        r#"{"jsonrpc":"2.0","method":"VM.start","params":["OpaqueRef:1",false,12345678901234567890,1e400],"id":"a"}"#,
        r#"{"result":null,"error":["CODE","p1"],"id":1}"#,
        r#"{"jsonrpc":"2.0","error":{"code":1,"message":"CODE","data":["p1"]},"id":1}"#,
        r#"{"jsonrpc":"2.0","result":{"a":[1,-0.0,true,null,"A\ud83d\ude00\/\b"]},"id":1}"#,
    ];
    seeds.extend(by_hand.iter().map(|text| text.as_bytes().to_vec()));
    seeds
}
