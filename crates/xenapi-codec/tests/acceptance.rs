//! What a server accepts, and what it refuses.
#![allow(clippy::unwrap_used, missing_docs)]

use xenapi_codec::Limits;
use xenapi_codec::xmlrpc::read_call;
use xenapi_core::{RawCall, ReadError, ReadErrorKind, Struct, Value, from_value};

fn call(text: &str) -> Result<RawCall, ReadError> {
    read_call(text.as_bytes(), &Limits::request())
}

/// Reads a call whose only parameter is that document text.
fn param(value: &str) -> Result<Value, ReadError> {
    let text = format!("<methodCall><methodName>m</methodName><params><param>{value}</param></params></methodCall>");
    call(&text).map(|mut call| call.params.remove(0))
}

fn inner(content: &str) -> Result<Value, ReadError> {
    param(&format!("<value>{content}</value>"))
}

#[track_caller]
fn same(content: &str, value: impl Into<Value>) {
    assert_eq!(inner(content), Ok(value.into()), "{content}");
}

#[track_caller]
fn refused(content: &str, part: &str) {
    let error = inner(content).unwrap_err();
    assert!(error.to_string().contains(part), "{content}: {error}");
    assert!(error.offset().is_some(), "{content}: {error}");
}

#[test]
fn the_envelope_of_a_call() {
    let expected = RawCall { method: "VM.start".into(), params: vec!["a".into(), "b".into()] };
    for text in [
        "<methodCall><methodName>VM.start</methodName><params><param><value>a</value></param><param><value>b</value></param></params></methodCall>",
        "<?xml version=\"1.0\"?><methodCall><methodName>VM.start</methodName><params><param><value>a</value></param><param><value>b</value></param></params></methodCall>",
        "<?xml version='1.1' encoding='utf-8'?>\n<!DOCTYPE methodCall>\r\n<!-- a --><methodCall>\n\t<methodName>VM.start</methodName> <?pi x?>\n <params>\n<param>\n <value><string>a</string></value>\n</param>\n\n<param><value><![CDATA[b]]></value></param></params>\n</methodCall>\n<!-- z -->\n",
        "\u{feff}<?xml version=\"1.0\" encoding=\"US-ASCII\"?><methodCall><methodName>VM.start</methodName><params><param><value>a</value></param><param><value>b</value></param></params></methodCall>",
    ] {
        assert_eq!(call(text), Ok(expected.clone()), "{text}");
    }
    for text in [
        "<methodCall><methodName>m</methodName><params/></methodCall>",
        "<methodCall><methodName>m</methodName><params> </params></methodCall>",
    ] {
        assert_eq!(call(text), Ok(RawCall { method: "m".into(), params: vec![] }));
    }
}

#[test]
fn what_is_no_call_is_refused() {
    for (text, part) in [
        ("", "expected <methodCall>, found the end of the document"),
        ("not xml", "found the text \"not xml\""),
        ("<methodResponse/>", "expected <methodCall>, found <methodResponse>"),
        ("<methodCall/>", "expected <methodName>"),
        ("<methodCall><params></params></methodCall>", "expected <methodName>, found <params>"),
        ("<methodCall><methodName/><params/></methodCall>", "empty <methodName>"),
        ("<methodCall><methodName></methodName><params/></methodCall>", "empty <methodName>"),
        ("<methodCall><methodName>m</methodName></methodCall>", "expected <params>"),
        ("<methodCall><methodName>m</methodName><params/>", "the end of the document"),
        ("<methodCall><methodName>m</methodName><params/></methodCall>x", "expected the end of the document, found text"),
        ("<methodCall><methodName>m</methodName><params/></methodCall><a/>", "found <a>"),
        ("<methodCall><methodName>m</methodName><params><param/></params></methodCall>", "expected <value>"),
        (
            "<methodCall><methodName>m</methodName><params><param>x</param></params></methodCall>",
            "expected <value>, found the text",
        ),
        (
            "<methodCall><methodName>m</methodName><params><value>x</value></params></methodCall>",
            "expected <param> or </params>, found <value>",
        ),
        (
            "<methodCall><methodName>m</methodName><params><param><value/><value/></param></params></methodCall>",
            "expected </param>, found <value>",
        ),
        ("<methodCall><methodName>m</methodNam><params/></methodCall>", "</methodNam>"),
        ("\n<?xml version=\"1.0\"?><methodCall><methodName>m</methodName><params/></methodCall>", "at the very start"),
        ("<?xml?><methodCall/>", "XML declaration"),
        ("<?xml version=\"2.0\"?><methodCall/>", "XML declaration"),
        ("<?xml encoding=\"UTF-8\"?><methodCall/>", "XML declaration"),
        ("<methodCall a=b><methodName>m</methodName><params/></methodCall>", "attributes"),
        ("<methodCall a='1' a='2'><methodName>m</methodName><params/></methodCall>", "attributes"),
    ] {
        let error = call(text).unwrap_err();
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
}

#[test]
fn text_is_kept_as_it_is() {
    same("", "");
    assert_eq!(param("<value/>"), Ok("".into()));
    same("x", "x");
    same(" x ", " x ");
    same(" \t\n", " \t\n");
    same("a\r\nb\rc", "a\nb\nc");
    same("a&#13;&#10;b", "a\r\nb");
    same("<string/>", "");
    same("<string> x </string>", " x ");
    same("\n <string>x</string> \t", "x");
    same("<!-- a --> <string>x</string><!-- b -->", "x");
    same("&lt;&#65;&#x4e2d;&amp;&apos;&quot;&gt;", "<A中&'\">");
    same("a<!-- c -->b<?pi?>c", "abc");
    same("<![CDATA[<x>&amp;]]>y", "<x>&amp;y");
    same("<![CDATA[ ]]><int>5</int>", 5_i64);
    same("\u{ffff}😀", "\u{ffff}😀");
}

#[test]
fn integers_by_any_tag() {
    same("<int>5</int>", 5_i64);
    same("<i8>-5</i8>", -5_i64);
    same("<i4>5</i4>", Value::Int32(5));
    same("<i4>99999999999</i4>", 99_999_999_999_i64);
    same("<int>0x1f</int>", 31_i64);
    same("<int>1_000</int>", 1000_i64);
    for text in ["<int> 5 </int>", "<int/>", "<i8>9223372036854775808</i8>", "<i4>five</i4>"] {
        refused(text, "expected an integer");
    }
}

#[test]
fn the_other_scalars() {
    same("<boolean>1</boolean>", true);
    for other in ["0", "true", "2", " 1", "yes"] {
        same(&format!("<boolean>{other}</boolean>"), false);
    }
    refused("<boolean/>", "expected a boolean");
    same("<double>1.5</double>", 1.5);
    same("<double>1</double>", 1.0);
    same("<double>-inf</double>", f64::NEG_INFINITY);
    refused("<double/>", "expected a number");
    refused("<double>1.5x</double>", "expected a number");
    let time = xenapi_core::DateTime::parse("20240131T10:20:30Z").unwrap();
    same("<dateTime.iso8601>20240131T10:20:30Z</dateTime.iso8601>", time);
    same("<dateTime.iso8601>2024-01-31T10:20:30.5Z</dateTime.iso8601>", time);
    same("<dateTime.iso8601>x</dateTime.iso8601>", "x");
    same("<base64>aGk=</base64>", Value::Bytes(b"hi".to_vec()));
    same("<base64>\naG\r\nk=\n</base64>", Value::Bytes(b"hi".to_vec()));
    refused("<base64>a Gk=</base64>", "expected base64");
    same("<nil/>", Value::Nil);
    same("<nil> </nil>", Value::Nil);
    same("<ex:nil xmlns:ex=\"http://ws.apache.org/xmlrpc/namespaces/extensions\"/>", Value::Nil);
    refused("<nil>x</nil>", "<nil>");
}

#[test]
fn arrays_and_structs() {
    let empty = Value::Array(vec![]);
    for text in
        ["<array/>", "<array></array>", "<array> </array>", "<array><data/></array>", " <array> <data> </data> </array> "]
    {
        same(text, empty.clone());
    }
    same("<array><data><value>a</value>\n<value><i4>1</i4></value></data></array>", vec!["a".into(), Value::Int32(1)]);
    same("<struct/>", Value::empty_struct());
    let twice: Struct = [("a", Value::from("1")), ("a", Value::from("2"))].into_iter().collect();
    let text = "<struct><member><name>a</name><value>1</value></member> <member> <name>a</name> <value>2</value> </member></struct>";
    assert_eq!(twice.get("a"), Some(&"2".into()));
    same(text, twice);
    same(
        "<struct><member><name>a&amp;b</name><value/></member></struct>",
        [("a&b", Value::VOID)].into_iter().collect::<Struct>(),
    );
    for (text, part) in [
        ("<array><value>a</value></array>", "expected <data>, found <value>"),
        ("<array><data>x</data></array>", "expected <value> or </data>, found the text \"x\""),
        ("<array><data/><data/></array>", "</array>"),
        ("<struct><value/></struct>", "expected <member> or </struct>"),
        ("<struct><member><value/><name>a</name></member></struct>", "expected <name>, found <value>"),
        ("<struct><member><name>a</name></member></struct>", "expected <value>"),
        ("<struct><member><name/><value/></member></struct>", "expected a name"),
        ("<struct><member><name></name><value/></member></struct>", "expected a name"),
        ("<struct><member><name>a</name><value/><value/></member></struct>", "expected </member>, found <value>"),
        ("a<b/>c", "both text and <b>"),
        ("<b/>", "expected a type of XML-RPC, found <b>"),
        ("<value/>", "expected a type of XML-RPC, found <value>"),
        ("<string><b/></string>", "nothing but text in <string>, found <b>"),
        ("<int>1</int><int>2</int>", "expected </value>, found <int>"),
        ("<int>1</int>x", "expected </value>, found the text \"x\""),
    ] {
        refused(text, part);
    }
}

#[test]
fn references_and_characters_that_xml_does_not_know() {
    for text in [
        "&unknown;",
        "&#0;",
        "&#x1;",
        "&#xd800;",
        "&#x110000;",
        "&#;",
        "&#x;",
        "&#+5;",
        "&#99999999999;",
        "&;",
        "&#X41;",
        "a & b",
        "&amp",
    ] {
        assert_eq!(inner(text).unwrap_err().kind(), ReadErrorKind::Syntax, "{text}");
    }
    for text in ["a\0b", "\u{1f}", "<![CDATA[\u{8}]]>"] {
        refused(text, "control character");
    }
}

#[test]
fn encodings_other_than_utf8_are_refused_by_name() {
    for (bytes, part, at) in [
        (
            &b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><methodCall/>"[..],
            "expected the encoding UTF-8, found the encoding \"ISO-8859-1\"",
            0,
        ),
        (b"<?xml version=\"1.0\" encoding=\"UTF-16\"?><methodCall/>", "\"UTF-16\"", 0),
        (b"\xff\xfe<\0?\0", "byte order mark of UTF-16", 0),
        (b"\xfe\xff\0<", "byte order mark of UTF-16", 0),
        (b"<methodCall><methodName>m\xe9</methodName>", "expected UTF-8", 25),
        (b"<methodCall><methodName>m</methodName><params><param><value><![CDATA[\xc3]]>", "expected UTF-8", 69),
    ] {
        let error = read_call(bytes, &Limits::request()).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        assert_eq!(error.offset(), Some(at), "{error}");
    }
}

#[test]
fn document_types_are_refused_unless_bare() {
    let with = |doctype: &str| {
        call(&format!("<?xml version=\"1.0\"?>{doctype}<methodCall><methodName>m</methodName><params/></methodCall>"))
    };
    assert!(with("<!DOCTYPE methodCall>").is_ok());
    for (doctype, part) in [
        ("<!DOCTYPE a [<!ENTITY b \"c\">]>", "entity definitions"),
        ("<!DOCTYPE a []>", "entity definitions"),
        ("<!DOCTYPE a SYSTEM \"file:///etc/passwd\">", "external"),
        ("<!DOCTYPE a PUBLIC \"x\" \"http://example.com/x.dtd\">", "external"),
        ("<!DOCTYPE>", "DOCTYPE"),
    ] {
        let error = with(doctype).unwrap_err();
        assert!(error.to_string().contains(part), "{doctype}: {error}");
    }
    let inside = call("<methodCall><!DOCTYPE a><methodName>m</methodName><params/></methodCall>").unwrap_err();
    assert_eq!(inside.kind(), ReadErrorKind::Syntax);
}

#[test]
fn unmarshalling_is_driven_by_the_type() {
    let five = ["5", "<int>5</int>", "<i4>5</i4>", "<i8>5</i8>", "<string>5</string>"];
    for text in five {
        assert_eq!(from_value::<i64>(&inner(text).unwrap()), Ok(5), "{text}");
        assert_eq!(from_value::<f64>(&inner(text).unwrap()), Ok(5.0), "{text}");
    }
    assert!(from_value::<String>(&inner("<i8>5</i8>").unwrap()).is_err());
    assert!(from_value::<bool>(&inner("1").unwrap()).is_err());
    assert!(from_value::<xenapi_core::DateTime>(&inner("20240131T10:20:30Z").unwrap()).is_ok());
}
