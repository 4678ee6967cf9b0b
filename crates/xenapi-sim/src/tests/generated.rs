//! The pools that the generator makes.

use xenapi_core::{NULL, Type};

use super::*;
use crate::Scenario;
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
    let messages = pool.ask("message.get_all_records", &[]).unwrap();
    let named = |name: &str| {
        let all = messages.as_struct().unwrap();
        all.iter().filter(|(_, it)| it.as_struct().unwrap().get("name") == Some(&name.into())).count()
    };
    for name in ["BOND_STATUS_CHANGED", "PBD_PLUG_FAILED_ON_SERVER_START", "ALARM", "VM_STARTED"] {
        assert!(named(name) > 0, "{name}");
    }
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

/// How many objects of a class an expression finds.
fn count(pool: &mut Pool, class: &str, expr: &str) -> usize {
    pool.refs(&alloc::format!("{class}.get_all_where"), &[expr]).len()
}

fn scenario(scenario: Scenario) -> Pool {
    let pool = Pool::with(&Config::of(scenario));
    check_consistent(&pool.sim);
    check_types(&pool.sim);
    pool
}

/// What is wrong with a pool: dead hosts, connections that are down, NICs without a link, disks that are gone.
fn troubles(pool: &mut Pool) -> [usize; 4] {
    [
        count(pool, "host_metrics", "field \"live\" = \"false\""),
        count(pool, "PBD", "field \"currently_attached\" = \"false\""),
        count(pool, "PIF_metrics", "field \"carrier\" = \"false\""),
        count(pool, "VDI", "field \"missing\" = \"true\""),
    ]
}

#[test]
fn scenarios_are_known_by_their_names() {
    for scenario in Scenario::ALL {
        assert_eq!(scenario.name().parse(), Ok(scenario));
        assert!(!scenario.about().is_empty());
    }
    let error = "island".parse::<Scenario>().unwrap_err();
    assert_eq!(error.to_string(), "there is no such scenario; there are standard, lab, branch-office, datacentre, degraded");
}

#[test]
fn a_lab_has_local_storage_only() {
    let mut pool = scenario(Scenario::Lab);
    assert_eq!(troubles(&mut pool), [0; 4]);
    assert_eq!((count(&mut pool, "host", "true"), count(&mut pool, "Bond", "true")), (2, 0));
    assert_eq!(count(&mut pool, "SR", "field \"shared\" = \"true\" and field \"content_type\" = \"user\""), 0);
    let vm = pool.vm("Halted");
    pool.start(&vm).unwrap();
}

#[test]
fn a_branch_office_has_one_server_and_nothing_wrong() {
    let mut pool = scenario(Scenario::BranchOffice);
    assert_eq!(troubles(&mut pool), [0; 4]);
    assert_eq!((count(&mut pool, "host", "true"), count(&mut pool, "Bond", "true")), (3, 3));
    let shared = "field \"shared\" = \"true\" and field \"content_type\" = \"user\"";
    assert_eq!(count(&mut pool, "SR", shared), count(&mut pool, "SR", "field \"type\" = \"nfs\""));
    assert_eq!(count(&mut pool, "Bond", "field \"mode\" = \"active-backup\""), 3);
    assert_eq!(count(&mut pool, "VLAN", "true"), 6);
}

#[test]
fn a_datacentre_is_highly_available() {
    let mut pool = scenario(Scenario::Datacentre);
    assert_eq!(troubles(&mut pool), [0; 4]);
    assert_eq!((count(&mut pool, "host", "true"), count(&mut pool, "VLAN", "true")), (16, 16 * 24));
    assert_eq!(count(&mut pool, "pool", "field \"ha_enabled\" = \"true\""), 1);
    let protected = "field \"ha_restart_priority\" = \"restart\" and field \"ha_always_run\" = \"true\"";
    assert!(count(&mut pool, "VM", protected) > 100);
    let found = pool.refs("PBD.get_all_where", &["field \"currently_attached\" = \"true\""]);
    let homes = |config: Value| config.as_struct().is_some_and(|config| config.get("multihomelist").is_some());
    assert!(found.iter().any(|pbd| homes(pool.ask("PBD.get_device_config", &[pbd]).unwrap())));
}

#[test]
fn a_degraded_pool_has_everything_wrong_with_it() {
    let mut pool = scenario(Scenario::Degraded);
    let [dead, unplugged, dark, missing] = troubles(&mut pool);
    assert_eq!((dead, missing), (1, 1));
    assert!(unplugged > 2 && dark > 1, "{unplugged} connections down, {dark} NICs without a link");
    assert_eq!(count(&mut pool, "task", "field \"status\" = \"failure\""), 3);
    let messages = pool.ask("message.get_all_records", &[]).unwrap();
    let is_alarm = |it: &Value| it.as_struct().unwrap().get("name") == Some(&"ALARM".into());
    let classes: alloc::collections::BTreeSet<String> = messages
        .as_struct()
        .unwrap()
        .iter()
        .filter(|(_, it)| is_alarm(it))
        .map(|(_, it)| it.as_struct().unwrap().get("cls").unwrap().as_text().unwrap().into())
        .collect();
    assert_eq!(classes.into_iter().collect::<Vec<_>>(), ["Host", "SR", "VM"]);
    let srs = pool.refs("SR.get_all_where", &["field \"content_type\" = \"user\""]);
    let number = |pool: &mut Pool, field: &str, sr: &str| {
        pool.ask(&alloc::format!("SR.get_{field}"), &[sr]).unwrap().as_int().unwrap()
    };
    let full = srs
        .iter()
        .filter(|sr| number(&mut pool, "physical_utilisation", sr) * 100 > number(&mut pool, "physical_size", sr) * 90);
    assert!(full.count() > 0);
}

#[test]
fn every_scenario_is_the_same_for_the_same_seed() {
    for scenario in Scenario::ALL {
        let config = Config { seed: 5, vms: 20, ..Config::of(scenario) };
        let (mut one, mut two) = (Pool::with(&config), Pool::with(&config));
        for class in ["VM", "PBD", "message", "task", "pool"] {
            let method = alloc::format!("{class}.get_all_records");
            assert_eq!(one.ask(&method, &[]), two.ask(&method, &[]), "{class} of {scenario}");
        }
    }
}
