//! What records say.

use alloc::vec::Vec;

use xenapi_core::{DateTime, Struct, Value};
use xenapi_model::{Host, VM};

use super::pool::{Pool, find_vm};
use crate::object_page::Look;
use crate::object_page::fields::{Field, Group, Section, Shown, sections};
use crate::object_page::raw::{Form, text};

fn field<'a>(sections: &'a [Section], name: &str) -> &'a Field {
    let all = sections.iter().flat_map(|section| &section.fields);
    all.into_iter().find(|field| field.name == name).unwrap_or_else(|| panic!("no {name}"))
}

fn said(field: &Field) -> &str {
    let Shown::One(part) = &field.shown else { panic!("{field:?}") };
    &part.text
}

#[test]
fn every_field_of_every_class_is_somewhere_once() {
    let mut pool = Pool::new(2, 8);
    let cache = pool.cache();
    for class in xenapi_model::CLASSES.iter().filter(|class| class.implicit.get_record && class.implicit.get_all) {
        let all = pool.call(&[class.name, ".get_all"].concat(), []);
        let Some(first) = all.as_array().and_then(<[Value]>::first) else { continue };
        let record = pool.call(&[class.name, ".get_record"].concat(), [first.clone()]);
        let sections = sections(&cache, class, &record, 1_800_000_000);
        let told: Vec<&str> = sections
            .iter()
            .flat_map(|it| it.fields.iter().map(|it| it.name.as_str()).chain(it.empty.iter().map(|it| it.as_str())))
            .collect();
        let sent = record.as_struct().unwrap();
        assert_eq!(told.len(), sent.len(), "{}", class.name);
        assert!(sent.iter().all(|(name, _)| told.contains(&name)), "{}", class.name);
        assert!(sections.windows(2).all(|pair| pair[0].group < pair[1].group), "{}", class.name);
        assert!(sections.iter().all(|section| section.group != Group::Unknown), "{}", class.name);
    }
}

#[test]
fn values_are_words_with_units_and_links() {
    let mut pool = Pool::new(2, 8);
    let cache = pool.cache();
    let vm = find_vm(&cache, |_, vm| vm.resident_on.is_some() && !vm.vbds.is_empty());
    let record = pool.record("VM", vm.raw());
    let typed = cache.get(&vm).unwrap();
    let class = xenapi_model::class("VM").unwrap();
    let all = sections(&cache, class, &record, 0);
    assert_eq!(said(field(&all, "name_label")), typed.name_label);
    assert_eq!(said(field(&all, "memory_static_max")), crate::format::bytes(typed.memory_static_max));
    let Shown::One(host) = &field(&all, "resident_on").shown else { panic!("a host") };
    let record_of_host = cache.get(typed.resident_on.as_ref().unwrap()).unwrap();
    assert_eq!(host.text, record_of_host.name_label);
    assert_eq!(host.link.as_ref().map(|it| it.uuid.as_str()), Some(record_of_host.uuid.as_str()));
    let Shown::Many(vbds) = &field(&all, "VBDs").shown else { panic!("devices") };
    assert!(vbds.len() == typed.vbds.len() && vbds.iter().all(|part| part.link.is_some()));
    let memory = all.iter().find(|section| section.group == Group::Compute).unwrap();
    assert!(memory.fields.iter().any(|field| field.name == "VCPUs_max"));

    // A search leaves what has every word in its name, label or value.
    let found: Vec<Section> = all.iter().map(|it| it.matching("static MAXimum")).filter(|it| !it.is_empty()).collect();
    assert_eq!(found.iter().flat_map(|it| &it.fields).map(|it| it.name.as_str()).collect::<Vec<_>>(), ["memory_static_max"]);
    assert!(all.iter().all(|it| it.matching("nothing is like this").is_empty()));
}

#[test]
fn times_have_ages_and_secrets_are_hidden() {
    let cache = Pool::new(1, 1).cache();
    let class = xenapi_model::class("PBD").unwrap();
    let config: Struct =
        [("server", Value::from("10.0.0.9")), ("chappassword", Value::from("hunter2"))].into_iter().collect();
    let mut record = Struct::new();
    record.push("uuid", "u");
    record.push("device_config", Value::Struct(config));
    record.push("brand_new", "value");
    let record = Value::Struct(record);
    let all = sections(&cache, class, &record, 0);
    let Shown::Map(config) = &field(&all, "device_config").shown else { panic!("a map") };
    assert_eq!(config[0].1.text, "10.0.0.9");
    assert_eq!((config[1].1.text.as_str(), config[1].1.look), ("hidden", Look::Quiet));
    assert_eq!(all.last().map(|it| it.group), Some(Group::Unknown), "a newer server's field is kept apart");
    for form in [Form::Json, Form::Xml] {
        let raw = text(class, &record, form);
        assert!(!raw.contains("hunter2") && raw.contains("10.0.0.9") && raw.contains("brand_new"), "{raw}");
    }

    let class = xenapi_model::class("VDI").unwrap();
    let time = |seconds| [("snapshot_time", Value::DateTime(DateTime::from_unix(seconds)))].into_iter().collect::<Struct>();
    let all = sections(&cache, class, &Value::Struct(time(1_700_000_000)), 1_700_007_200);
    assert!(said(field(&all, "snapshot_time")).ends_with("(2 h ago)"), "{all:?}");
    let never = sections(&cache, class, &Value::Struct(time(0)), 1_700_007_200);
    assert_eq!(never[0].empty, ["snapshot_time"]);
}

#[test]
fn the_record_as_it_is_reads_back() {
    let mut pool = Pool::new(1, 2);
    let cache = pool.cache();
    let (host, _) = cache.iter::<Host>().next().unwrap();
    let vm = cache.iter::<VM>().next().unwrap().0;
    for (class, record) in [("host", pool.record("host", host.raw())), ("VM", pool.record("VM", vm.raw()))] {
        let class = xenapi_model::class(class).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text(class, &record, Form::Json)).unwrap();
        let members = record.as_struct().unwrap();
        assert_eq!(json.as_object().unwrap().len(), members.len());
        assert_eq!(json["uuid"].as_str(), members.get("uuid").and_then(Value::as_text));
        assert!(json["memory_overhead"].is_i64() || json["memory_overhead"].is_u64(), "numbers are numbers");

        let xml = text(class, &record, Form::Xml);
        let limits = xenapi_codec::Limits::reply();
        let read = xenapi_codec::xmlrpc::read_value_text(&xml, &limits).unwrap();
        let plain = xenapi_codec::xmlrpc::write_value_text(&crate::object_page::fields::without_secrets(class, &record));
        assert_eq!(xenapi_codec::xmlrpc::write_value_text(&read), plain, "only the space between tags is another");
        assert!(xml.lines().count() > members.len());
    }
}
