//! The explorer on the catalogue of all that the model knows.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "tests have std")]

use std::sync::OnceLock;

use xenapi_core::{RawRef, Value};

use xenapi_console::explorer::catalogue::{Catalogue, Kind, Message};
use xenapi_console::explorer::code::{Language, Said, UuidOf};
use xenapi_console::explorer::find::{Sort, find};
use xenapi_console::explorer::form::{Editor, Problem, arguments, editor, initial};
use xenapi_console::explorer::ty::Ty;
use xenapi_console::explorer::{flow, relations, wire};

/// The program that writes the catalogue, as a module.
#[path = "../../xenapi-model/examples/catalogue.rs"]
#[allow(dead_code, clippy::std_instead_of_core, reason = "a program of its own")]
mod written;

fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| Catalogue::read(&written::catalogue().to_string()).unwrap())
}

const VM: &str = "OpaqueRef:11111111-2222-4333-8444-555555555555";
const UUID: &str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";

#[derive(Debug)]
struct Uuids;

impl UuidOf for Uuids {
    fn uuid_of(&self, class: &str, reference: &str) -> Option<String> {
        (class == "VM" && reference == VM).then(|| UUID.into())
    }
}

fn finding(class: &str, word: &str) -> Vec<RawRef> {
    match (class, word) {
        ("VM", "web" | UUID) => vec![RawRef::new(VM)],
        ("VM", "twice") => vec![RawRef::new(VM), RawRef::new("OpaqueRef:other")],
        _ => Vec::new(),
    }
}

fn read(message: &str, entries: &[&str]) -> Result<Vec<Value>, Vec<(usize, Problem)>> {
    let catalogue = catalogue();
    let (class, name) = message.split_once('.').unwrap();
    let (_, message) = catalogue.message(class, name).unwrap();
    let entries: Vec<String> = entries.iter().map(ToString::to_string).collect();
    arguments(message, &entries, catalogue, &finding)
}

fn say(message: &str, entries: &[&str], is_async: bool, language: Language) -> Option<String> {
    let catalogue = catalogue();
    let (class, name) = message.split_once('.').unwrap();
    let (class, message) = catalogue.message(class, name).unwrap();
    let entries: Vec<String> = entries.iter().map(ToString::to_string).collect();
    let arguments = arguments(message, &entries, catalogue, &finding).unwrap();
    Said { class, message, is_async, arguments: &arguments, uuids: &Uuids }.text(language)
}

#[test]
fn the_catalogue_holds_everything() {
    let catalogue = catalogue();
    assert_eq!(catalogue.classes.len(), 72);
    assert_eq!(catalogue.classes.iter().map(|it| it.fields.len()).sum::<usize>(), 922);
    let own = |it: &&Message| it.kind == Kind::Own;
    assert_eq!(catalogue.classes.iter().map(|it| it.messages.iter().filter(own).count()).sum::<usize>(), 551);
    assert_eq!(catalogue.errors.len(), 603);
    let field = catalogue.class("VM").unwrap().field("memory_static_max").unwrap();
    assert_eq!((field.unit.as_str(), field.doc.is_empty()), ("bytes", false));
    assert_eq!(catalogue.class("VIF").unwrap().field("VM").unwrap().other, "VM.VIFs");
    assert!(catalogue.words("vm_power_state").contains(&"Halted".to_string()));
    assert!(catalogue.class("VM").unwrap().has_names() && !catalogue.class("VBD").unwrap().has_names());
}

#[test]
fn what_is_no_catalogue_is_an_error() {
    assert!(Catalogue::read("").is_err());
    assert!(Catalogue::read("[1]").is_err());
    assert_eq!(Catalogue::read("{}").unwrap(), Catalogue::default());
    assert_eq!(Catalogue::read("{\"classes\": [{\"name\": 1}, 2]}").unwrap().classes.len(), 1);
}

#[test]
fn every_parameter_of_every_message_has_an_editor_that_takes_what_it_starts_with_or_says_what_is_missing() {
    let catalogue = catalogue();
    let mut messages = 0;
    for class in &catalogue.classes {
        for message in &class.messages {
            let entries: Vec<String> = message.params.iter().map(initial).collect();
            let told = match arguments(message, &entries, catalogue, &finding) {
                Ok(values) => {
                    let call = wire::call(class, message, false, &values);
                    assert!(wire::xml(&call).len() > 40 && wire::json(&call).len() > 20);
                    Vec::new()
                }
                Err(problems) => problems,
            };
            for (at, problem) in told {
                let editor = editor(&message.params[at].ty, catalogue);
                let due = match problem {
                    Problem::Missing => matches!(editor, Editor::Object(_)),
                    Problem::NotInt | Problem::NotFloat => editor == Editor::Number,
                    Problem::NotOneOf(_) => matches!(editor, Editor::Choice(_)),
                    Problem::NotTime => editor == Editor::Line,
                    Problem::NotJson(_) => editor == Editor::Json,
                    _ => false,
                };
                assert!(due, "{}.{} {at}: {problem:?} {editor:?}", class.name, message.name);
                assert!(!problem.sentence().is_empty());
            }
            messages += 1;
        }
    }
    assert!(messages > 1900, "{messages}");
}

#[test]
fn entries_become_values_by_their_types() {
    let vm = || Value::from(VM);
    assert_eq!(read("VM.start", &["web", "false", "true"]).unwrap(), [vm(), Value::Bool(false), Value::Bool(true)]);
    assert_eq!(read("VM.start", &[VM, "no", ""]).unwrap_err(), [(1, Problem::NotBool), (2, Problem::NotBool)]);
    assert_eq!(read("VM.start", &["nobody", "false", "false"]).unwrap_err(), [(0, Problem::NoSuchObject("VM".into()))]);
    assert_eq!(read("VM.start", &["twice", "false", "false"]).unwrap_err(), [(0, Problem::Ambiguous("VM".into()))]);
    assert_eq!(read("VM.start", &["", "false", "false"]).unwrap_err(), [(0, Problem::Missing)]);
    assert_eq!(read("VM.set_memory_static_max", &["web", "4294967296"]).unwrap(), [vm(), Value::Int(4_294_967_296)]);
    assert_eq!(read("VM.set_tags", &["web", "a\n\n b "]).unwrap()[1], Value::Array(vec!["a".into(), "b".into()]));
    let map = read("VM.set_other_config", &["web", "a=1=2\nb ="]).unwrap();
    let members = map[1].as_struct().unwrap();
    assert_eq!((members.get("a").unwrap().as_text(), members.get("b").unwrap().as_text()), (Some("1=2"), Some("")));
    assert_eq!(read("VM.set_other_config", &["web", "a"]).unwrap_err(), [(1, Problem::NotPair("a".into()))]);
    assert_eq!(read("VM.set_actions_after_crash", &["web", "RESTART"]).unwrap()[1], Value::from("restart"));
    assert_eq!(read("VM.set_actions_after_crash", &["web", "x"]).unwrap_err(), [(1, Problem::NotOneOf("x".into()))]);
}

#[test]
fn records_are_json_whose_members_have_the_types_of_their_fields() {
    let record = r#"{"VM": "web", "VDI": null, "userdevice": "0", "bootable": true, "other_config": {"a": "b"}}"#;
    let values = read("VBD.create", &[record]).unwrap();
    let members = values[0].as_struct().unwrap();
    assert_eq!(members.get("VM").unwrap().as_text(), Some(VM));
    assert_eq!(members.get("VDI").unwrap().as_text(), Some("OpaqueRef:NULL"));
    assert!(matches!(read("VBD.create", &["{"]).unwrap_err()[..], [(0, Problem::NotJson(_))]));
    assert!(matches!(read("VBD.create", &[r#"{"bootable": 1}"#]).unwrap_err()[..], [(0, Problem::NotOfType(_))]));
    assert!(matches!(read("VBD.create", &["[]"]).unwrap_err()[..], [(0, Problem::NotOfType(_))]));
}

#[test]
fn parameters_at_the_end_that_are_not_given_are_left_out() {
    let catalogue = catalogue();
    let all = catalogue.classes.iter().flat_map(|class| class.messages.iter().map(move |it| (class, it)));
    let mut tried = 0;
    for (class, message) in all.filter(|(_, it)| it.params.last().is_some_and(|last| last.optional)) {
        let required = message.params.iter().filter(|it| !it.optional).count();
        let entries: Vec<String> =
            message.params.iter().map(|it| if it.optional { String::new() } else { sample(&it.ty) }).collect();
        if let Ok(values) = arguments(message, &entries, catalogue, &finding) {
            assert_eq!(values.len(), required, "{}.{}", class.name, message.name);
            tried += 1;
        }
    }
    assert!(tried > 10, "{tried}");
}

fn sample(ty: &xenapi_console::explorer::ty::Ty) -> String {
    match ty {
        xenapi_console::explorer::ty::Ty::Ref(_) => VM.into(),
        xenapi_console::explorer::ty::Ty::Int | xenapi_console::explorer::ty::Ty::Float => "1".into(),
        xenapi_console::explorer::ty::Ty::Bool => "true".into(),
        xenapi_console::explorer::ty::Ty::Time => "20260131T10:20:30Z".into(),
        _ => String::new(),
    }
}

#[test]
fn a_call_is_said_in_every_language() {
    let start = |language| say("VM.start", &["web", "false", "true"], false, language).unwrap();
    assert!(start(Language::Xml).contains("<methodName>VM.start</methodName>"), "{}", start(Language::Xml));
    assert!(start(Language::Json).contains("\"method\": \"VM.start\""), "{}", start(Language::Json));
    assert!(
        start(Language::Curl).starts_with("SESSION=$(curl ")
            && start(Language::Curl).contains(r#"\ncurl "#.replace("\\n", "\n").as_str())
            && start(Language::Curl).contains(r#""params":["'"$SESSION"'",""#),
        "{}",
        start(Language::Curl)
    );
    assert_eq!(start(Language::Xe), format!("xe vm-start uuid={UUID} paused=false --force"));
    let python = start(Language::Python);
    assert!(python.contains(&format!("vm = session.xenapi.VM.get_by_uuid(\"{UUID}\")")), "{python}");
    assert!(python.contains("    session.xenapi.VM.start(vm, False, True)") && python.contains("logout()"), "{python}");
    let rust = start(Language::Rust);
    assert!(rust.contains("client.call(vm::start(&vm, start_paused, force)).await?;"), "{rust}");
    let task = say("VM.start", &["web", "false", "true"], true, Language::Python).unwrap();
    assert!(task.starts_with("import time") && task.contains("Async.VM.start(vm, False, True)"), "{task}");
}

#[test]
fn a_rust_program_defines_what_it_uses() {
    let catalogue = catalogue();
    let mut tried = 0;
    for class in &catalogue.classes {
        for message in &class.messages {
            let entries: Vec<String> = message.params.iter().map(|it| sample(&it.ty)).collect();
            let Ok(values) = arguments(message, &entries, catalogue, &finding) else { continue };
            if message.params.iter().any(|it| matches!(it.ty, Ty::Record(_))) {
                continue;
            }
            let said = Said { class, message, is_async: false, arguments: &values, uuids: &Uuids };
            let program = said.text(Language::Rust).unwrap();
            let call =
                program.lines().find(|line| line.contains("client.call(") && !line.contains("get_by_uuid::<")).unwrap_or("");
            let Some((_, inside)) = call.split_once("client.call(").and_then(|(_, call)| call.split_once('(')) else {
                continue;
            };
            for word in inside
                .trim_end_matches(").await?;")
                .split(',')
                .map(|word| word.trim().trim_start_matches("Some(").trim_start_matches('&').trim_end_matches(')'))
            {
                let is_name = !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
                let made = program.contains(&format!("let {word} = "));
                assert!(!is_name || made, "{}.{} uses {word}:\n{program}", class.name, message.name);
                tried += usize::from(is_name);
            }
        }
    }
    assert!(tried > 1000, "{tried}");
}

#[test]
fn values_in_rust_have_the_types_that_calls_take() {
    let rust = |message: &str, entries: &[&str]| say(message, entries, false, Language::Rust).unwrap();
    let set = rust("VM.set_other_config", &["web", "a=b"]);
    assert!(set.contains(r#"let value = [(String::from("a"), String::from("b"))].into_iter().collect();"#), "{set}");
    assert!(rust("VM.set_other_config", &["web", ""]).contains("let value = Default::default();"));
    let name = rust("VM.set_name_label", &["web", "x"]);
    assert!(name.contains(r#"let value = String::from("x");"#), "{name}");
    assert!(rust("VM.clone", &["web", "x"]).contains(r#"let new_name = "x";"#));
    let crash = rust("VM.set_actions_after_crash", &["web", "restart"]);
    assert!(crash.contains(r#"= "restart".into();"#), "{crash}");
    let record = r#"{"VM": "web", "mode": "RO", "type": "CD", "empty": true}"#;
    let create = rust("VBD.create", &[record]);
    assert!(create.contains("let vm = client.call(get_by_uuid::<VM>(") && create.contains("let r#type = "), "{create}");
    assert!(create.contains("new` answers: empty."), "{create}");
    let snapshot = rust("VM.snapshot", &["web", "x"]);
    assert!(snapshot.contains("vm::snapshot(&vm, new_name, None)"), "{snapshot}");
}

#[test]
fn a_record_starts_with_what_has_to_be_said() {
    let (_, message) = catalogue().message("VBD", "create").unwrap();
    let template = xenapi_console::explorer::form::template(&message.params[0], catalogue());
    assert!(template.contains("\"VM\": ") && template.contains("\"mode\": \"\""), "{template}");
    assert!(!template.contains("currently_attached"), "{template}");
}

#[test]
fn releases_are_told_by_their_products() {
    let told = catalogue().history("published rio, changed 1.257.0, removed nowhere");
    assert_eq!(told, "since XenServer 4.0 (rio), changed in 1.257.0, removed in nowhere");
    assert_eq!(catalogue().history("odd"), "");
}

#[test]
fn integers_go_to_python_as_text_because_they_travel_so() {
    let python = say("VM.set_memory_static_max", &["web", "4294967296"], false, Language::Python).unwrap();
    assert!(python.contains("set_memory_static_max(vm, \"4294967296\")"), "{python}");
}

#[test]
fn quotes_cannot_end_a_word() {
    let xe = say("VM.set_name_label", &["web", "it's; rm -rf / \"x\""], false, Language::Xe).unwrap();
    assert_eq!(xe, format!(r#"xe vm-param-set uuid={UUID} name-label='it'\''s; rm -rf / "x"'"#));
    let python = say("VM.set_name_label", &["web", "a\"\\b"], false, Language::Python).unwrap();
    assert!(python.contains(r#"set_name_label(vm, "a\"\\b")"#), "{python}");
}

#[test]
fn what_xe_has_no_words_for_is_not_invented() {
    assert_eq!(say("VM.assert_can_boot_here", &["web", VM], false, Language::Xe), None);
    let list = say("VM.get_all_records", &[], false, Language::Xe).unwrap();
    assert_eq!(list, "xe vm-list params=all");
    let add = say("VM.add_to_other_config", &["web", "folder", "/a b"], false, Language::Xe).unwrap();
    assert_eq!(add, format!("xe vm-param-add uuid={UUID} param-name=other-config folder='/a b'"));
    let set = say("VM.set_other_config", &["web", "a=b c\n$k'=1"], false, Language::Xe).unwrap();
    let clear = format!("xe vm-param-clear uuid={UUID} param-name=other-config\n");
    assert_eq!(set, format!(r#"{clear}xe vm-param-set uuid={UUID} other-config:a='b c' 'other-config:$k'\''=1'"#));
    let tags = say("VM.set_tags", &["web", "a b\nc"], false, Language::Xe).unwrap();
    let add = |tag: &str| format!("\nxe vm-param-add uuid={UUID} param-name=tags param-key={tag}");
    assert_eq!(tags, [format!("xe vm-param-clear uuid={UUID} param-name=tags"), add("'a b'"), add("c")].concat());
}

#[test]
fn the_way_of_a_call_logs_in_finds_calls_and_logs_out() {
    let catalogue = catalogue();
    let (class, message) = catalogue.message("VM", "start").unwrap();
    let values = [Value::from(VM), Value::Bool(false), Value::Bool(false)];
    let said = |is_async| Said { class, message, is_async, arguments: &values, uuids: &Uuids };
    let titles = |is_async| flow::steps(&said(is_async), false).iter().map(|it| it.title.key()).collect::<Vec<_>>();
    assert_eq!(titles(false), ["StepTransport", "StepLogin", "StepFind", "StepCall", "StepLogout"]);
    assert_eq!(
        titles(true),
        ["StepTransport", "StepLogin", "StepFind", "StepCallTask", "StepFollow", "StepTaskEnd", "StepLogout"]
    );
    let steps = flow::steps(&said(true), false);
    assert!(steps[3].sent.as_deref().unwrap().contains("Async.VM.start"));
    assert!(flow::steps(&said(true), true)[4].sent.as_deref().unwrap().contains("\"event.from\""));
    // No password and no session of the user is ever shown.
    assert!(steps.iter().flat_map(|it| &it.sent).all(|it| !it.contains("OpaqueRef:") || it.contains(wire::SESSION)));
}

#[test]
fn relations_stand_on_the_side_that_refers_to_one_object() {
    let catalogue = catalogue();
    let vbd = relations::relations(catalogue, catalogue.class("VBD").unwrap());
    let to: Vec<&str> = vbd.to.iter().map(|it| it.class.as_str()).collect();
    assert!(to.contains(&"VM") && to.contains(&"VDI"), "{to:?}");
    let vm = relations::relations(catalogue, catalogue.class("VM").unwrap());
    assert!(vm.from.iter().any(|it| it.class == "VBD" && it.fields == ["VM"]), "{:?}", vm.from);
    assert!(vm.to.iter().all(|it| it.class != "VBD") && vm.to.iter().any(|it| it.class == "host"), "{:?}", vm.to);
}

#[test]
fn every_relation_is_drawn_from_both_of_its_classes() {
    let catalogue = catalogue();
    for class in &catalogue.classes {
        for neighbour in relations::relations(catalogue, class).to {
            let Some(other) = catalogue.class(&neighbour.class) else { continue };
            if other.name != class.name {
                let back = relations::relations(catalogue, other);
                assert!(back.from.iter().any(|it| it.class == class.name), "{} -> {}", class.name, other.name);
            }
        }
    }
}

#[test]
fn the_best_comes_first() {
    let catalogue = catalogue();
    let first = |words: &str| {
        let hit = find(catalogue, words, 20).into_iter().next().unwrap();
        (hit.sort, format!("{}.{}", hit.class, hit.name))
    };
    assert_eq!(first("vm"), (Sort::Class, "VM.".into()));
    assert_eq!(first("VM.start"), (Sort::Message, "VM.start".into()));
    assert_eq!(first("vm start"), (Sort::Message, "VM.start".into()));
    assert_eq!(first("vm_bad_power_state"), (Sort::Error, ".VM_BAD_POWER_STATE".into()));
    assert_eq!(first("memory_static_max").0, Sort::Field);
    assert!(find(catalogue, "xyzzy", 20).is_empty() && find(catalogue, "  ", 20).is_empty());
}
