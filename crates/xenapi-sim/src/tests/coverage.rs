//! Every explicit message, called: what is simulated never says that it is not, and what is not never succeeds.

use alloc::collections::BTreeMap;

use xenapi_core::{RawRef, Struct, Type};

use super::*;
use crate::{Coverage, coverage};

/// More moments than this no call is waited for: some wait for what never comes.
const PATIENCE: usize = 200;

/// A small pool with at least one object of every class.
pub(super) fn small() -> Pool {
    let mut pool = Pool::with(&Config { hosts: 2, vms: 4, ..Config::default() });
    for class in xenapi_model::CLASSES {
        let has_uuid = class.field_index("uuid").is_some();
        if has_uuid && class.implicit.get_record && pool.sim.store.count(class.name) == 0 {
            let (reference, uuid) = (pool.sim.random.reference(), pool.sim.random.uuid());
            let draft = pool.sim.store.draft(class.name).with("uuid", uuid);
            pool.sim.store.insert(&reference, draft);
        }
    }
    pool
}

/// An object of a class that allows much.
fn object(sim: &Sim, class: &str) -> RawRef {
    let suits = |of: &RawRef| {
        let (text, flag) =
            (|field| sim.store.text(class, of.as_str(), field), |field| sim.store.flag(class, of.as_str(), field));
        match class {
            "VM" => text("power_state") == "Halted" && !flag("is_a_template") && !flag("is_control_domain"),
            "VDI" => {
                let sr = sim.store.reference(class, of.as_str(), "SR");
                sim.store.text("SR", sr.as_str(), "type") == "nfs"
                    && !sim.store.refs(class, of.as_str(), "VBDs").is_empty()
                    && crate::operations::is_allowed(sim, class, of, "clone")
                    && crate::operations::is_allowed(sim, class, of, "resize")
            }
            "VBD" => text("type") == "CD" && flag("empty"),
            "PIF" => flag("physical") && !flag("management") && flag("currently_attached"),
            _ => true,
        }
    };
    let all = sim.store.all(class);
    all.iter().find(|of| suits(of)).or(all.first()).cloned().unwrap_or_default()
}

/// A value of a type: an object that is there, a word that is known.
pub(super) fn plausible(sim: &Sim, name: &str, ty: &Type) -> Value {
    match ty {
        Type::String => text_for(sim, name).into(),
        Type::Ref(class) => object(sim, class).into(),
        Type::Enum(desc) => desc.values.first().map_or(Value::VOID, |word| Value::from(*word)),
        Type::Set(item) => match plausible(sim, name, item) {
            Value::Text(text) if text.is_empty() => Value::Array(vec![]),
            value => Value::Array(vec![value]),
        },
        Type::Int if matches!(name, "tag" | "VLAN" | "port" | "first_port" | "last_port" | "nvcpu" | "priority") => {
            Value::Int(7)
        }
        Type::Int if name == "size" => Value::Int(1 << 40),
        Type::Int => Value::Int(1 << 30),
        Type::Map(..) if name == "device_config" => {
            let keys = [("server", "192.0.2.9"), ("serverpath", "/export")];
            Value::Struct(keys.into_iter().map(|(key, value)| (key, Value::from(value))).collect())
        }
        Type::Map(..) | Type::Record(_) => Value::Struct(Struct::new()),
        Type::Option(inner) => plausible(sim, name, inner),
        other => other.empty_value(),
    }
}

fn text_for(sim: &Sim, name: &str) -> String {
    match name {
        "uuid" => sim.random.clone().uuid().as_str().into(),
        "obj_uuid" => String::from(sim.store.text("VM", sim.store.first("VM").unwrap().as_str(), "uuid")),
        "type" => "nfs".into(),
        "IP" | "address" | "addresses" | "gateway" | "DNS" => "192.0.2.77".into(),
        "netmask" => "255.255.255.0".into(),
        "binary_url" | "source_url" | "url" => "https://example.org/repository".into(),
        "expr" => "true".into(),
        "device" => "eth3".into(),
        "data_source" => "size".into(),
        "token" | "MAC" => String::new(),
        _ => "x".into(),
    }
}

/// What a call answers, if it does.
fn answer(pool: &mut Pool, method: &str, params: &[Value]) -> Option<Result<Value, Failure>> {
    let pending = match pool.handle(method, params) {
        Handled::Done(outcome) => return Some(unwrap(outcome)),
        Handled::Pending(pending) => pending,
    };
    for _ in 0..PATIENCE {
        pool.now = pool.now.max(pool.sim.next_deadline()?);
        let ready = pool.sim.poll(pool.now);
        if let Some((_, outcome)) = ready.into_iter().find(|(id, _)| *id == pending) {
            return Some(unwrap(outcome));
        }
    }
    pool.sim.abandon(pending);
    None
}

#[test]
fn every_message_answers_as_its_coverage_says() {
    let (mut succeeded, mut simulated) = (0, 0);
    let mut pool = small();
    let mut class = "";
    for entry in coverage() {
        // What other calls did must not decide how this one goes.
        if entry.class != class || pool.ask("session.get_all", &[]).is_err() {
            (pool, class) = (small(), entry.class);
        }
        let name = alloc::format!("{}.{}", entry.class, entry.message);
        let method = xenapi_model::method(&name).unwrap();
        let mut params = Vec::new();
        if method.takes_session() {
            params.push(Value::from(pool.session.as_str()));
        }
        params.extend(method.params().iter().map(|param| plausible(&pool.sim, param.name, &param.ty)));
        let answer = answer(&mut pool, &name, &params);
        let code = answer.as_ref().map_or("", |answer| answer.as_ref().err().map_or("", |failure| failure.code.as_str()));
        match entry.coverage {
            Coverage::Simulated => {
                simulated += 1;
                succeeded += usize::from(matches!(answer, Some(Ok(_))));
                let wrong = ["NOT_IMPLEMENTED", "MESSAGE_REMOVED", "MESSAGE_DEPRECATED"];
                assert!(!wrong.contains(&code), "{name}: {answer:?}");
                assert_ne!(answer, Some(Err(failure("MESSAGE_METHOD_UNKNOWN", &[&name]))));
                assert_ne!(code, "MESSAGE_PARAMETER_COUNT_MISMATCH", "{name}: {answer:?}");
            }
            Coverage::NotImplemented => assert_eq!(answer, Some(Err(failure("NOT_IMPLEMENTED", &[&name]))), "{name}"),
            Coverage::Removed => assert!(matches!(code, "MESSAGE_REMOVED" | "MESSAGE_DEPRECATED"), "{name}: {answer:?}"),
        }
    }
    assert!(simulated >= 250, "{simulated} messages are simulated");
    assert!(succeeded * 2 >= simulated, "the parameters suit only {succeeded} of {simulated} messages");
}

#[test]
fn coverage_lists_every_explicit_message_once() {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for entry in coverage() {
        *counts.entry((entry.class, entry.message)).or_default() += 1;
    }
    assert!(counts.values().all(|count| *count == 1));
    let explicit: usize = xenapi_model::CLASSES.iter().map(|class| class.messages.len()).sum();
    assert_eq!(counts.len(), explicit);
    let of = |class, message| {
        coverage().into_iter().find(|entry| entry.class == class && entry.message == message).unwrap().coverage
    };
    assert_eq!(of("VM", "start"), Coverage::Simulated);
    assert_eq!(of("VM", "set_protection_policy"), Coverage::NotImplemented);
    assert_eq!(of("SR", "make"), Coverage::Removed);
}

#[test]
fn what_is_not_simulated_is_never_allowed() {
    let pool = Pool::new();
    // Words for what the server does by itself, beside the names of messages.
    let others = ["attach", "pause", "unpause", "changing_dynamic_range", "changing_static_range", "changing_shadow_memory"];
    for (class, of_operation) in [("VBD", ""), ("VIF", ""), ("VDI", ""), ("SR", "vdi_")] {
        for object in pool.sim.store.all(class) {
            for operation in pool.sim.store.value(class, object.as_str(), "allowed_operations").unwrap().as_array().unwrap()
            {
                let operation = operation.as_text().unwrap();
                let of_disk = operation.strip_prefix(of_operation).filter(|_| class == "SR");
                let of_connection =
                    matches!(operation, "plug" | "unplug" | "pbd_create" | "pbd_destroy" | "mirror" | "vdi_mirror");
                let known = |class: &str, message: &str| {
                    let is_it = |entry: &crate::CoveredMessage| entry.class == class && entry.message == message;
                    let implicit = matches!(message, "create" | "destroy" | "forget" | "copy");
                    implicit || coverage().iter().any(|entry| is_it(entry) && entry.coverage == Coverage::Simulated)
                };
                let is_fine = others.contains(&operation)
                    || of_connection
                    || known(class, operation)
                    || of_disk.is_some_and(|message| known("VDI", message));
                assert!(is_fine, "{class} allows {operation}, which nothing simulates");
            }
        }
    }
}

#[test]
fn vms_hosts_and_pools_allow_only_what_is_simulated() {
    let pool = Pool::new();
    let simulated = |class: &str, operation: &str| {
        let message = match operation {
            "changing_dynamic_range" => "set_memory_dynamic_range",
            "changing_static_range" => "set_memory_static_range",
            "changing_shadow_memory" => "set_HVM_shadow_multiplier",
            "changing_VCPUs_live" => "set_VCPUs_number_live",
            "changing_NVRAM" => "set_NVRAM",
            "make_into_template" | "destroy" => return true,
            // By HTTP.
            "export" | "metadata_export" => return true,
            "create_vtpm" => return coverage_of("VTPM", "create"),
            // Of hosts: what happens to VMs there.
            "provision" if class == "host" => return coverage_of("VM", "provision"),
            "vm_start" => return coverage_of("VM", "start"),
            "vm_resume" => return coverage_of("VM", "resume"),
            "vm_migrate" => return coverage_of("VM", "pool_migrate"),
            "ha_enable" => "enable_ha",
            "ha_disable" => "disable_ha",
            "tls_verification_enable" => "enable_tls_verification",
            other => other,
        };
        coverage_of(class, message)
    };
    for class in ["VM", "host", "pool", "VM_appliance"] {
        for object in pool.sim.store.all(class) {
            for operation in pool.sim.store.refs(class, object.as_str(), "allowed_operations") {
                assert!(simulated(class, operation.as_str()), "{class} {object} allows {operation}");
            }
        }
    }
}

fn coverage_of(class: &str, message: &str) -> bool {
    let found = coverage().into_iter().find(|entry| entry.class == class && entry.message == message);
    found.is_some_and(|entry| entry.coverage == Coverage::Simulated)
}
