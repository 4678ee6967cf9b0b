//! Requests and replies as they go over the wire, made readable.

use alloc::string::String;
use alloc::vec::Vec;

use xenapi_codec::{jsonrpc, xmlrpc};
use xenapi_core::{RawCall, RawRef, Value};

use super::catalogue::{Class, Message};

/// What stands for the session wherever a call is shown: the console does not know the real one.
pub const SESSION: &str = "OpaqueRef:session";

/// The call as it is sent.
pub fn call(class: &Class, message: &Message, is_async: bool, arguments: &[Value]) -> RawCall {
    let session = message.session.then(|| Value::from(RawRef::new(SESSION)));
    let start = if is_async { "Async." } else { "" };
    RawCall {
        method: alloc::format!("{start}{}.{}", class.name, message.name),
        params: session.into_iter().chain(arguments.iter().cloned()).collect(),
    }
}

/// The bytes of the call in XML-RPC.
pub fn xml(call: &RawCall) -> Vec<u8> {
    xmlrpc::write_call(call)
}

/// The bytes of the call in JSON-RPC 2.0.
pub fn json(call: &RawCall) -> Vec<u8> {
    jsonrpc::write_call(call, jsonrpc::Version::V2, &jsonrpc::Id::Int(1))
}

/// XML with a line for each element. Only white space between tags is added, never within a text.
pub fn pretty_xml(text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    let mut rest = text;
    // Whether the text since the last opening tag belongs on its line.
    let mut open_line = false;
    while let Some(at) = rest.find('<') {
        if out.len() > most {
            out.push_str("\n…");
            return out;
        }
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        let end = tag.find('>').map_or(tag.len(), |end| end + 1);
        let (tag, after) = tag.split_at(end);
        let (closes, alone) = (tag.starts_with("</"), tag.ends_with("/>") || tag.starts_with("<?") || tag.starts_with("<!"));
        if closes {
            depth = depth.saturating_sub(1);
        }
        if !(closes && open_line) {
            line(&mut out, depth);
        }
        out.push_str(tag);
        if !closes && !alone {
            depth += 1;
        }
        open_line = !closes && !alone;
        rest = after;
    }
    out.push_str(rest);
    out
}

/// JSON with a line for each item.
pub fn pretty_json(text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    let mut quoted = false;
    let mut escaped = false;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        if out.len() > most {
            out.push_str("\n…");
            break;
        }
        if quoted {
            out.push(c);
            quoted = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            '"' => {
                quoted = true;
                out.push(c);
            }
            '{' | '[' => {
                out.push(c);
                if characters.peek().is_none_or(|next| !matches!(next, '}' | ']')) {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                if !out.ends_with(['{', '[']) {
                    depth = depth.saturating_sub(1);
                    line(&mut out, depth);
                }
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

fn line(out: &mut String, depth: usize) {
    if !out.is_empty() {
        out.push('\n');
    }
    for _ in 0..depth {
        out.push_str("  ");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_gets_a_line_for_each_element_and_keeps_its_texts() {
        let text = "<?xml version='1.0'?><a><b>x &lt; y\n z</b><c/><d></d></a>";
        let pretty = pretty_xml(text, 1000);
        assert_eq!(pretty, "<?xml version='1.0'?>\n<a>\n  <b>x &lt; y\n z</b>\n  <c/>\n  <d></d>\n</a>");
        assert!(pretty_xml(&"<a>".repeat(1000), 100).len() < 400);
        assert_eq!(pretty_xml("no tags", 10), "no tags");
        assert_eq!(pretty_xml("<a", 10), "<a");
    }

    #[test]
    fn json_gets_a_line_for_each_item_and_keeps_its_texts() {
        let text = r#"{"a":[1,{},"x, \"y\": {"],"b":[]}"#;
        assert_eq!(pretty_json(text, 1000), "{\n  \"a\": [\n    1,\n    {},\n    \"x, \\\"y\\\": {\"\n  ],\n  \"b\": []\n}");
    }
}
