//! Services around a pool: streamed disks (PVS), SDN controllers, update repositories, snapshot schedules, crash dumps, limits.

use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{Failure, RawRef, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::operations::{Handler, devices};

pub(crate) fn find(class: &str, message: &str) -> Option<Handler> {
    Some(match (class, message) {
        ("PVS_site", "introduce") => {
            Handler::Now(|sim, _, args| insert(sim, "PVS_site", args, &["name_label", "name_description", "PVS_uuid"]))
        }
        ("PVS_site", "forget") => Handler::Now(|sim, _, args| {
            let site = sim.need("PVS_site", args.text(0))?;
            let proxies = sim.store.refs("PVS_site", site.as_str(), "proxies");
            let running =
                proxies.into_iter().filter(|proxy| sim.store.flag("PVS_proxy", proxy.as_str(), "currently_attached"));
            refuse_if_any("PVS_SITE_CONTAINS_RUNNING_PROXIES", &running.collect::<Vec<_>>())?;
            refuse_if_any("PVS_SITE_CONTAINS_SERVERS", &sim.store.refs("PVS_site", site.as_str(), "servers"))?;
            for (field, class) in [("proxies", "PVS_proxy"), ("cache_storage", "PVS_cache_storage")] {
                for part in sim.store.refs("PVS_site", site.as_str(), field) {
                    sim.store.remove(class, part.as_str());
                }
            }
            sim.store.remove("PVS_site", site.as_str());
            Ok(Value::VOID)
        }),
        ("PVS_server", "introduce") => Handler::Now(introduce_server),
        ("PVS_server", "forget") => Handler::Now(|sim, _, args| remove(sim, "PVS_server", args)),
        ("PVS_proxy", "create") => Handler::Now(create_proxy),
        ("PVS_proxy", "destroy") => Handler::Now(|sim, _, args| remove(sim, "PVS_proxy", args)),
        ("SDN_controller", "introduce") => Handler::Now(introduce_controller),
        ("SDN_controller", "forget") => Handler::Now(|sim, _, args| remove(sim, "SDN_controller", args)),
        ("Repository", "introduce") => Handler::Now(introduce_repository),
        ("Repository", "introduce_bundle") => Handler::Now(|sim, _, args| {
            let is_bundle = |known: &RawRef| sim.store.text("Repository", known.as_str(), "origin") == "bundle";
            if let Some(known) = sim.store.all("Repository").into_iter().find(is_bundle) {
                return Err(Failure::new("BUNDLE_REPOSITORY_ALREADY_EXISTS", [known.as_str()]));
            }
            let repository = insert(sim, "Repository", args, &["name_label", "name_description"])?;
            sim.store.put("Repository", repository.as_text().unwrap_or(""), "origin", "bundle");
            Ok(repository)
        }),
        ("Repository", "introduce_remote_pool") => Handler::Now(|sim, _, args| {
            check_url(sim, args.text(0), args.text(2))?;
            let fields = ["name_label", "name_description", "binary_url", "certificate"];
            let repository = insert(sim, "Repository", args, &fields)?;
            sim.store.put("Repository", repository.as_text().unwrap_or(""), "origin", "remote_pool");
            Ok(repository)
        }),
        ("Repository", "forget") => Handler::Now(|sim, _, args| {
            let repository = sim.need("Repository", args.text(0))?;
            let pool = sim.store.first("pool").unwrap_or_default();
            if sim.store.refs("pool", pool.as_str(), "repositories").contains(&repository) {
                return Err(Failure::new("REPOSITORY_IS_IN_USE", [""; 0]));
            }
            sim.store.remove("Repository", repository.as_str());
            Ok(Value::VOID)
        }),
        ("crashdump", "destroy") => Handler::Now(|sim, _, args| {
            let dump = sim.need("crashdump", args.text(0))?;
            let vdi = sim.store.reference("crashdump", dump.as_str(), "VDI");
            sim.store.remove("crashdump", dump.as_str());
            devices::remove_vdi(sim, &vdi);
            Ok(Value::VOID)
        }),
        ("host_crashdump", "destroy") => Handler::Now(|sim, _, args| remove(sim, "host_crashdump", args)),
        ("Rate_limit", "add_caller") => Handler::Now(|sim, _, args| limit(sim, args, true)),
        ("Rate_limit", "remove_caller") => Handler::Now(|sim, _, args| limit(sim, args, false)),
        ("Caller", "add_group") => Handler::Now(|sim, _, args| group(sim, args, true)),
        ("Caller", "remove_group") => Handler::Now(|sim, _, args| group(sim, args, false)),
        _ => return None,
    })
}

fn refuse_if_any(code: &str, objects: &[RawRef]) -> Result<(), Failure> {
    if objects.is_empty() {
        return Ok(());
    }
    Err(Failure::new(code, objects.iter().map(|object| String::from(object.as_str()))))
}

/// A new object whose fields are the parameters.
fn insert(sim: &mut Sim, class: &'static str, args: &mut Args, fields: &[&str]) -> Result<Value, Failure> {
    let (reference, uuid) = (sim.random.reference(), sim.random.uuid());
    let mut draft = sim.store.draft(class).with("uuid", uuid);
    for (at, field) in fields.iter().enumerate() {
        if args.value(at).is_some() {
            draft.set(field, args.take(at));
        }
    }
    sim.store.insert(&reference, draft);
    Ok(reference.into())
}

fn remove(sim: &mut Sim, class: &'static str, args: &Args) -> Result<Value, Failure> {
    let object = sim.need(class, args.text(0))?;
    sim.store.remove(class, object.as_str());
    Ok(Value::VOID)
}

fn is_address(text: &str) -> bool {
    text.parse::<core::net::IpAddr>().is_ok()
}

fn check_port(name: &str, port: i64) -> Result<(), Failure> {
    if (1..=65_535).contains(&port) {
        return Ok(());
    }
    Err(Failure::new("VALUE_NOT_SUPPORTED", [name.into(), alloc::format!("{port}"), String::from("Port out of range")]))
}

fn introduce_server(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let addresses: Vec<Value> = args.value(0).and_then(Value::as_array).unwrap_or_default().to_vec();
    for address in addresses.iter().filter_map(Value::as_text) {
        if !is_address(address) {
            return Err(Failure::new("INVALID_IP_ADDRESS_SPECIFIED", ["addresses"]));
        }
        let used = sim.store.table("PVS_server").rows.values().any(|row| {
            let own = sim.store.value("PVS_server", row.reference.as_str(), "addresses").and_then(Value::as_array);
            own.is_some_and(|own| own.iter().any(|other| other.as_text() == Some(address)))
        });
        if used {
            return Err(Failure::new("PVS_SERVER_ADDRESS_IN_USE", [address]));
        }
    }
    check_port("first_port", args.int(1))?;
    check_port("last_port", args.int(2))?;
    if args.int(1) > args.int(2) {
        let (first, reason) = (alloc::format!("{}", args.int(1)), "The first port comes after the last one");
        return Err(Failure::new("VALUE_NOT_SUPPORTED", ["first_port", &first, reason]));
    }
    sim.need("PVS_site", args.text(3))?;
    insert(sim, "PVS_server", args, &["addresses", "first_port", "last_port", "site"])
}

fn create_proxy(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    sim.need("PVS_site", args.text(0))?;
    let vif = sim.need("VIF", args.text(1))?;
    let same = |proxy: &RawRef| sim.store.reference("PVS_proxy", proxy.as_str(), "VIF") == vif;
    let present: Vec<RawRef> = sim.store.all("PVS_proxy").into_iter().filter(same).collect();
    refuse_if_any("PVS_PROXY_ALREADY_PRESENT", &present)?;
    if sim.store.text("VIF", vif.as_str(), "device") != "0" {
        return Err(Failure::new("PVS_VIF_MUST_BE_FIRST_DEVICE", [""; 0]));
    }
    insert(sim, "PVS_proxy", args, &["site", "VIF"])
}

fn introduce_controller(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let (is_passive, address, port) = (args.text(0) == "pssl", String::from(args.text(1)), args.int(2));
    if sim.store.count("SDN_controller") > 0 {
        return Err(Failure::new("OPERATION_NOT_ALLOWED", ["SDN controller has been configured. Please forget it first."]));
    }
    if is_passive && !address.is_empty() {
        return Err(Failure::new("OPERATION_NOT_ALLOWED", ["IP address should not be specified when using protocol pssl"]));
    }
    if !is_passive && !is_address(&address) {
        return Err(Failure::new("INVALID_IP_ADDRESS_SPECIFIED", ["address"]));
    }
    if port != 0 {
        check_port("port", port)?;
    }
    let controller = insert(sim, "SDN_controller", args, &["protocol", "address", "port"])?;
    if let (false, 0, Some(reference)) = (is_passive, port, controller.as_text()) {
        sim.store.put("SDN_controller", reference, "port", 6632);
    }
    Ok(controller)
}

fn introduce_repository(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    check_url(sim, args.text(0), args.text(2))?;
    let fields = ["name_label", "name_description", "binary_url", "source_url", "update", "gpgkey_path"];
    insert(sim, "Repository", args, &fields)
}

/// A repository is known by its name and by its address.
fn check_url(sim: &Sim, name: &str, url: &str) -> Result<(), Failure> {
    if !(url.starts_with("http://") || url.starts_with("https://")) {
        return Err(Failure::new("INVALID_BASE_URL", [url]));
    }
    let same = |known: &RawRef| {
        sim.store.text("Repository", known.as_str(), "name_label") == name
            || sim.store.text("Repository", known.as_str(), "binary_url") == url
    };
    let known = sim.store.all("Repository").into_iter().find(same);
    known.map_or(Ok(()), |known| Err(Failure::new("REPOSITORY_ALREADY_EXISTS", [known.as_str()])))
}

fn limit(sim: &mut Sim, args: &Args, wanted: bool) -> Result<Value, Failure> {
    let (limit, caller) = (sim.need("Rate_limit", args.text(0))?, sim.need("Caller", args.text(1))?);
    if wanted {
        sim.store.put("Caller", caller.as_str(), "rate_limit", &limit);
    } else if sim.store.reference("Caller", caller.as_str(), "rate_limit") == limit {
        sim.store.put("Caller", caller.as_str(), "rate_limit", RawRef::null());
    }
    Ok(Value::VOID)
}

fn group(sim: &mut Sim, args: &Args, wanted: bool) -> Result<Value, Failure> {
    let (caller, group) = (sim.need("Caller", args.text(0))?, Value::from(args.text(1)));
    let groups = sim.store.value("Caller", caller.as_str(), "groups").and_then(Value::as_array).unwrap_or_default();
    let mut groups: Vec<Value> = groups.iter().filter(|other| **other != group).cloned().collect();
    if wanted {
        groups.push(group);
    }
    sim.store.put("Caller", caller.as_str(), "groups", groups);
    Ok(Value::VOID)
}
