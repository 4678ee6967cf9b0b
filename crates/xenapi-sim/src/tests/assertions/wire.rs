//! Values on the wire.

use super::*;

#[test]
fn a03_a_wrong_password_is_refused_with_name_and_text() {
    let mut pool = Pool::new();
    let refused = pool.raw("session.login_with_password", &["root".into(), "wrong".into()]).unwrap_err();
    assert_eq!((refused.code.as_str(), refused.params.len()), ("SESSION_AUTHENTICATION_FAILED", 2));
    assert_eq!(refused.params[0], "root");
    assert!(!refused.params[1].is_empty());
}

#[test]
fn a04_login_takes_two_to_four_parameters_and_ignores_more() {
    let mut pool = Pool::new();
    let all: [Value; 5] = ["root".into(), PASSWORD.into(), "1.1".into(), "me".into(), "more".into()];
    for count in 2..=5 {
        assert!(pool.raw("session.login_with_password", &all[..count]).is_ok(), "{count}");
    }
    let refused = pool.raw("session.login_with_password", &all[..1]).unwrap_err();
    assert_eq!(refused, failure("MESSAGE_PARAMETER_COUNT_MISMATCH", &["session.login_with_password", "2", "1"]));
}

#[test]
fn a06_integers_are_untyped_text() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let number = pool.ask("VM.get_VCPUs_max", &[&vm]).unwrap().as_int().unwrap();
    let reply = pool.wire("VM.get_VCPUs_max", &[&format!("<value>{vm}</value>")]);
    assert_eq!(value_of(&reply), format!("<value>{number}</value>"));
    assert!(!reply.contains("<int>") && !reply.contains("<i4>"));
}

#[test]
fn a07_booleans_are_one_and_zero_and_only_one_is_true() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let this = format!("<value>{vm}</value>");
    assert_eq!(value_of(&pool.wire("VM.get_is_a_template", &[&this])), "<value><boolean>0</boolean></value>");
    let vbd = pool.refs("VBD.get_all", &[])[0].clone();
    let of_vbd = format!("<value>{vbd}</value>");
    for (sent, stored) in [("1", "1"), ("true", "0"), ("1", "1"), ("0", "0")] {
        let sent = format!("<value><boolean>{sent}</boolean></value>");
        assert_eq!(value_of(&pool.wire("VBD.set_bootable", &[&of_vbd, &sent])), "<value></value>", "{sent}");
        let expected = format!("<value><boolean>{stored}</boolean></value>");
        assert_eq!(value_of(&pool.wire("VBD.get_bootable", &[&of_vbd])), expected, "{sent}");
    }
    // A template is made of a VM only by a true one.
    let word = "<value><boolean>true</boolean></value>";
    assert_eq!(value_of(&pool.wire("VM.set_is_a_template", &[&this, word])), "<value></value>");
    assert!(!pool.flag("VM.get_is_a_template", &[&vm]));
}

#[test]
fn a08_progress_is_a_double() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let task = pool.call("Async.VM.start", &[vm.as_str().into(), false.into(), false.into()]).unwrap();
    let task = format!("<value>{}</value>", task.as_text().unwrap());
    assert_eq!(value_of(&pool.wire("task.get_progress", &[&task])), "<value><double>0</double></value>");
    pool.pass(60_000);
    assert_eq!(value_of(&pool.wire("task.get_progress", &[&task])), "<value><double>1</double></value>");
}

#[test]
fn a09_the_time_of_a_host_is_a_date_without_dashes() {
    let mut pool = Pool::new();
    let host = pool.refs("host.get_all", &[])[0].clone();
    let reply = pool.wire("host.get_servertime", &[&format!("<value>{host}</value>")]);
    let text = value_of(&reply).strip_prefix("<value><dateTime.iso8601>").unwrap();
    let text = text.strip_suffix("</dateTime.iso8601></value>").unwrap();
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    assert_eq!(shape, "99999999T99:99:99Z");
}

#[test]
fn a10_texts_are_escaped_as_xapi_does() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let this = format!("<value>{vm}</value>");
    let reply = pool.wire("VM.set_name_label", &[&this, "<value>a&lt;b&amp;\"c'</value>"]);
    assert_eq!(value_of(&reply), "<value></value>");
    assert_eq!(value_of(&pool.wire("VM.get_name_label", &[&this])), "<value>a&lt;b&amp;&quot;c'</value>");
}

#[test]
fn a11_empty_sets_and_maps() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    pool.call("VM.set_tags", &[vm.as_str().into(), Value::Array(vec![])]).unwrap();
    let this = format!("<value>{vm}</value>");
    assert_eq!(value_of(&pool.wire("VM.get_tags", &[&this])), "<value><array><data></data></array></value>");
    assert_eq!(value_of(&pool.wire("VM.get_current_operations", &[&this])), "<value><struct></struct></value>");
}

#[test]
fn a12_integers_come_in_any_dress_and_strings_in_one() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let this = format!("<value>{vm}</value>");
    let dresses = ["5", "<int>5</int>", "<string>5</string>", "<i8>5</i8>", "<i4>5</i4>"];
    for (number, dress) in dresses.iter().enumerate() {
        let other = format!("<value>{}</value>", number + 100);
        pool.wire("VM.set_user_version", &[&this, &other]);
        let dressed = format!("<value>{dress}</value>");
        assert_eq!(value_of(&pool.wire("VM.set_user_version", &[&this, &dressed])), "<value></value>", "{dress}");
        assert_eq!(value_of(&pool.wire("VM.get_user_version", &[&this])), "<value>5</value>", "{dress}");
    }
    let refused = pool.wire("VM.set_name_label", &[&this, "<value><i8>5</i8></value>"]);
    assert!(refused.contains("<value>Failure</value>") && refused.contains("<value>INTERNAL_ERROR</value>"), "{refused}");
}

#[test]
fn a13_spaces_around_a_text_are_kept() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let this = format!("<value>{vm}</value>");
    assert_eq!(value_of(&pool.wire("VM.set_name_label", &[&this, "<value> x </value>"])), "<value></value>");
    assert_eq!(value_of(&pool.wire("VM.get_name_label", &[&this])), "<value> x </value>");
}
