//! The pools that the generator makes.

use xenapi_core::{NULL, Type};

use super::*;
use crate::store::Store;

/// Every reference of every object, with where it stands.
fn references(store: &Store) -> Vec<(String, &'static str, String)> {
    let mut all = Vec::new();
    for table in &store.tables {
        for row in table.rows.values() {
            for (field, value) in table.class.fields.iter().zip(row.fields.iter()) {
                let Some(class) = field.ty.ref_class() else { continue };
                let place = alloc::format!("{}.{}", table.class.name, field.name);
                match (&field.ty, value) {
                    (Type::Ref(_), Value::Text(text)) => all.push((place, class, text.clone())),
                    (Type::Set(_), Value::Array(items)) => {
                        let texts = items.iter().filter_map(Value::as_text);
                        all.extend(texts.map(|text| (place.clone(), class, String::from(text))));
                    }
                    _ => {}
                }
            }
        }
    }
    all
}

pub(super) fn check_consistent(sim: &Sim) {
    for (place, class, reference) in references(&sim.store) {
        let is_fine = reference == NULL || reference.is_empty() || sim.store.contains(class, &reference);
        assert!(is_fine, "{place} refers to a {class} that does not exist: {reference}");
    }
    check_relations(sim);
}

/// Whether a value is of a type, its words included.
fn conforms(value: &Value, ty: &Type) -> bool {
    match (ty, value) {
        (Type::String | Type::Ref(_), Value::Text(_))
        | (Type::Int, Value::Int(_))
        | (Type::Float, Value::Double(_))
        | (Type::Bool, Value::Bool(_))
        | (Type::DateTime, Value::DateTime(_))
        | (Type::Option(_), Value::Nil) => true,
        // A field that has no default holds empty text until somebody sets it.
        (Type::Enum(desc), Value::Text(word)) => word.is_empty() || desc.values.contains(&word.as_str()),
        (Type::Set(item), Value::Array(items)) => items.iter().all(|value| conforms(value, item)),
        (Type::Map(_, of), Value::Struct(members)) => members.iter().all(|(_, value)| conforms(value, of)),
        (Type::Option(inner), value) => conforms(value, inner),
        _ => false,
    }
}

/// Every value is of the type that the schema says.
pub(super) fn check_types(sim: &Sim) {
    for table in &sim.store.tables {
        for row in table.rows.values() {
            assert_eq!(row.fields.len(), table.class.fields.len());
            for (field, value) in table.class.fields.iter().zip(row.fields.iter()) {
                let place = alloc::format!("{}.{}", table.class.name, field.name);
                assert!(conforms(value, &field.ty), "{place} is {value:?}, not {}", field.ty);
            }
        }
    }
}

/// Both sides of every relation tell the same, where both ends exist.
pub(super) fn check_relations(sim: &Sim) {
    for table in &sim.store.tables {
        for (field, link) in table.links.iter().enumerate() {
            let Some(link) = link else { continue };
            for row in table.rows.values() {
                let targets = match &row.fields[field] {
                    Value::Text(text) => vec![text.clone()],
                    Value::Array(items) => items.iter().filter_map(Value::as_text).map(String::from).collect(),
                    _ => vec![],
                };
                for target in targets.iter().filter(|target| *target != NULL) {
                    let Some(other) = sim.store.tables[link.table].get(target) else { continue };
                    let mirrored = other.fields[link.field].as_array().unwrap();
                    let count = mirrored.iter().filter(|item| item.as_text() == Some(row.reference.as_str())).count();
                    assert_eq!(count, 1, "{}.{}", table.class.name, table.class.fields[field].name);
                }
            }
        }
    }
}

#[test]
fn pools_of_all_sizes_are_consistent() {
    for (hosts, vms, seed) in [(0, 0, 0), (1, 1, 1), (3, 24, 1), (4, 100, 9), (8, 60, u64::MAX)] {
        let sim = Sim::new(&Config { hosts, vms, seed, ..Config::default() });
        check_consistent(&sim);
        check_types(&sim);
        assert_eq!(sim.store.count("host"), hosts.max(1));
        assert_eq!(sim.store.count("pool"), 1);
    }
}

#[test]
fn a_pool_stays_consistent_through_its_life() {
    let mut pool = Pool::new();
    let (halted, running, template) = (pool.vm("Halted"), pool.vm("Running"), pool.template());
    pool.start(&halted).unwrap();
    pool.ask("VM.suspend", &[&running]).unwrap();
    let new = pool.text("VM.clone", &[&template, "new"]);
    pool.ask("VM.snapshot", &[&halted, "snap"]).unwrap();
    pool.ask("VM.hard_shutdown", &[&halted]).unwrap();
    pool.ask("VM.destroy", &[&new]).unwrap();
    // What refers to a destroyed object may dangle; nothing here does.
    check_consistent(&pool.sim);
}

#[test]
fn the_same_seed_makes_the_same_pool() {
    let config = Config { hosts: 2, vms: 10, seed: 7, ..Config::default() };
    let (mut one, mut two) = (Pool::with(&config), Pool::with(&config));
    for class in ["VM", "host", "VDI", "PIF", "session"] {
        let method = alloc::format!("{class}.get_all_records");
        assert_eq!(one.ask(&method, &[]), two.ask(&method, &[]), "{class}");
    }
    let mut other = Pool::with(&Config { seed: 8, ..config });
    assert_ne!(one.ask("VM.get_all", &[]), other.ask("VM.get_all", &[]));
}

#[test]
fn the_default_pool_has_one_of_everything_and_troubles() {
    let mut pool = Pool::new();
    for power in ["Running", "Halted", "Suspended", "Paused"] {
        pool.vm(power);
    }
    let all = |pool: &mut Pool, method: &str, expr: &str| pool.refs(method, &[expr]).len();
    assert_eq!(all(&mut pool, "PBD.get_all_where", "field \"currently_attached\" = \"false\""), 1);
    let down = "field \"carrier\" = \"false\"";
    assert_eq!(all(&mut pool, "PIF_metrics.get_all_where", down), 1);
    assert_eq!(all(&mut pool, "VM.get_all_where", "field \"is_a_snapshot\" = \"true\""), 2);
    assert_eq!(all(&mut pool, "VM.get_all_where", "field \"is_control_domain\" = \"true\""), 3);
    assert_eq!(pool.refs("message.get_all", &[]).len(), 2);
    let mut big = Pool::with(&Config { hosts: 4, ..Config::default() });
    assert_eq!(all(&mut big, "host.get_all_where", "field \"enabled\" = \"false\""), 1);
}

#[test]
fn running_vms_can_reach_what_they_use() {
    let sim = Sim::new(&Config { hosts: 6, vms: 200, ..Config::default() });
    for vm in sim.store.all("VM") {
        let host = sim.store.reference("VM", vm.as_str(), "resident_on");
        for vbd in sim.store.refs("VM", vm.as_str(), "VBDs") {
            let vdi = sim.store.reference("VBD", vbd.as_str(), "VDI");
            let sr = sim.store.reference("VDI", vdi.as_str(), "SR");
            let reachable = sim.store.refs("SR", sr.as_str(), "PBDs").iter().any(|pbd| {
                sim.store.reference("PBD", pbd.as_str(), "host") == host
                    && sim.store.flag("PBD", pbd.as_str(), "currently_attached")
            });
            assert!(host.is_null() || vdi.is_null() || reachable, "{vm} on {host}");
        }
    }
    for metrics in sim.store.all("host_metrics") {
        assert!(sim.store.int("host_metrics", metrics.as_str(), "memory_free") >= 0);
    }
}

#[test]
fn the_model_reads_what_the_pool_sends() {
    use xenapi_model::{EventBatch, vm};
    let mut pool = Pool::new();
    let records = pool.ask("VM.get_all_records", &[]).unwrap();
    for (reference, record) in records.as_struct().unwrap().iter() {
        let read: vm::Record = xenapi_core::from_value(record).unwrap();
        assert!(!read.name_label.is_empty() && xenapi_core::Record::missing(&read).next().is_none(), "{reference}");
    }
    let params = [Value::Array(vec!["*".into()]), "".into(), 0.0.into()];
    let batch = pool.call("event.from", &params).unwrap();
    let read: EventBatch = xenapi_core::from_value(&batch).unwrap();
    assert!(read.events.len() > 300 && read.valid_ref_counts.get("host") == Some(&3));
}
