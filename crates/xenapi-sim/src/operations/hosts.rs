//! What a host can be told and asked, and what it allows.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{DateTime, Failure, Millis, NULL, RawRef, Struct, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::dispatch::{Caller, method_names};
use crate::operations::{Handler, boot, ha, rules, vm_settings};

pub(crate) fn find(message: &str) -> Option<Handler> {
    questions(message).or_else(|| settings(message)).or_else(|| emergency(message))
}

fn questions(message: &str) -> Option<Handler> {
    Some(match message {
        "get_servertime" => Handler::Now(|sim, _, args| sim.need("host", args.text(0)).map(|_| sim.date().into())),
        "get_server_localtime" => Handler::Now(|sim, _, args| {
            sim.need("host", args.text(0))?;
            // The simulated host's clock is on UTC; the text says no zone.
            let text = format!("{}", sim.date());
            let time = DateTime::parse(text.trim_end_matches('Z')).unwrap_or(sim.date());
            Ok(time.into())
        }),
        "list_methods" => Handler::Now(|_, _, _| Ok(method_names())),
        "compute_free_memory" => {
            Handler::Now(|sim, _, args| sim.need("host", args.text(0)).map(|host| boot::free_memory(sim, &host).into()))
        }
        "compute_memory_overhead" => Handler::Now(|sim, _, args| {
            let host = sim.need("host", args.text(0))?;
            Ok(Value::Int(sim.store.int("host", host.as_str(), "memory_overhead")))
        }),
        "get_management_interface" => {
            Handler::Now(|sim, _, args| sim.need("host", args.text(0)).map(|host| management(sim, &host).into()))
        }
        "get_uncooperative_resident_VMs" => {
            // Every simulated guest gives its memory back when asked.
            Handler::Now(|sim, _, args| sim.need("host", args.text(0)).map(|_| Value::Array(Vec::new())))
        }
        "dmesg" | "get_log" => Handler::Now(|sim, _, args| kernel_log(sim, args.text(0))),
        "has_extension" => {
            // The simulated hosts have no extensions.
            Handler::Now(|sim, _, args| sim.need("host", args.text(0)).map(|_| Value::Bool(false)))
        }
        // What these write goes to the host's own disk; clients see nothing of it.
        "backup_rrds" | "sync_data" | "refresh_pack_info" | "syslog_reconfigure" => {
            Handler::Now(|sim, _, args| sim.need("host", args.text(0)).map(|_| Value::VOID))
        }
        "list_timezones" => Handler::Now(|sim, _, args| {
            sim.need("host", args.text(0))?;
            Ok(Value::Array(TIME_ZONES.iter().map(|zone| Value::from(*zone)).collect()))
        }),
        "get_ntp_synchronized" => Handler::Now(|sim, _, args| {
            let host = sim.need("host", args.text(0))?;
            Ok(Value::Bool(sim.store.text("host", host.as_str(), "ntp_mode") != "Disabled"))
        }),
        "get_ntp_servers_status" => Handler::Now(|sim, _, args| {
            let host = sim.need("host", args.text(0))?;
            let is_custom = sim.store.text("host", host.as_str(), "ntp_mode") == "Custom";
            let servers = sim.store.refs("host", host.as_str(), "ntp_custom_servers").into_iter().filter(|_| is_custom);
            let status = servers.map(|server| (String::from(server.as_str()), Value::from("synchronized")));
            Ok(Value::Struct(status.collect::<Struct>()))
        }),
        _ => return None,
    })
}

const TIME_ZONES: &[&str] = &[
    "Africa/Cairo",
    "America/Chicago",
    "America/Los_Angeles",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Shanghai",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Paris",
    "UTC",
];

fn settings(message: &str) -> Option<Handler> {
    Some(match message {
        "disable" => Handler::Now(disable),
        "enable" => Handler::Now(|sim, _, args| {
            let host = sim.need("host", args.text(0))?;
            check_reachable(sim, &host)?;
            if sim.host_states.leaving.contains(&host) {
                return Err(Failure::new("HOST_DISABLED_UNTIL_REBOOT", [host.as_str()]));
            }
            sim.host_states.rests.remove(&host);
            sim.store.drop_key("host", host.as_str(), "other_config", "MAINTENANCE_MODE");
            set_enabled(sim, &host, true);
            Ok(Value::VOID)
        }),
        "create_new_blob" => Handler::Now(|sim, _, args| vm_settings::create_blob(sim, "host", args)),
        "set_hostname_live" => Handler::Now(set_hostname),
        "local_management_reconfigure" => Handler::Now(|sim, caller, args| {
            let host = sim.host_of(caller.origin);
            let pifs = sim.store.refs("host", host.as_str(), "PIFs").into_iter();
            let mut plain = pifs.filter(|pif| sim.store.int("PIF", pif.as_str(), "VLAN") < 0);
            let pif = plain.find(|pif| sim.store.text("PIF", pif.as_str(), "device") == args.text(0));
            let pif = pif.ok_or_else(|| Failure::new("PIF_DEVICE_NOT_FOUND", [""; 0]))?;
            set_management(sim, &pif)
        }),
        "management_reconfigure" => Handler::Now(|sim, _, args| {
            let pif = sim.need("PIF", args.text(0))?;
            ha::check_off(sim)?;
            set_management(sim, &pif)
        }),
        "management_disable" => Handler::Now(|sim, caller, _| {
            ha::check_off(sim)?;
            let pif = management(sim, &sim.host_of(caller.origin));
            sim.store.put("PIF", pif.as_str(), "management", false);
            Ok(Value::VOID)
        }),
        "set_power_on_mode" => Handler::Now(|sim, _, args| {
            let host = sim.need("host", args.text(0))?;
            let (mode, config) = (args.take(1), args.take(2));
            sim.store.put("host", host.as_str(), "power_on_mode", mode);
            sim.store.put("host", host.as_str(), "power_on_config", config);
            refresh_host(sim, &host);
            Ok(Value::VOID)
        }),
        "set_iscsi_iqn" => Handler::Now(|sim, _, args| {
            let host = sim.need("host", args.text(0))?;
            if args.text(1).is_empty() {
                return Err(Failure::new("INVALID_VALUE", ["value", ""]));
            }
            sim.store.put("host", host.as_str(), "iscsi_iqn", args.text(1));
            sim.store.put_key("host", host.as_str(), "other_config", "iscsi_iqn", args.text(1));
            Ok(Value::VOID)
        }),
        "set_multipathing" => Handler::Now(|sim, _, args| {
            let host = sim.need("host", args.text(0))?;
            sim.store.put("host", host.as_str(), "multipathing", args.flag(1));
            let text = if args.flag(1) { "true" } else { "false" };
            sim.store.put_key("host", host.as_str(), "other_config", "multipathing", text);
            Ok(Value::VOID)
        }),
        "set_ssl_legacy" => Handler::Now(|sim, _, args| {
            let host = sim.need("host", args.text(0))?;
            if args.flag(1) {
                let reason = "Legacy SSL is no longer supported";
                return Err(Failure::new("VALUE_NOT_SUPPORTED", ["value", "true", reason]));
            }
            sim.store.put("host", host.as_str(), "ssl_legacy", false);
            Ok(Value::VOID)
        }),
        "set_https_only" => Handler::Now(|sim, _, args| set(sim, args, "https_only")),
        "set_uefi_certificates" => Handler::Now(|sim, _, args| set(sim, args, "uefi_certificates")),
        "enable_display" => Handler::Now(|sim, _, args| set_display(sim, args, true)),
        "disable_display" => Handler::Now(|sim, _, args| set_display(sim, args, false)),
        "enable_local_storage_caching" => Handler::Now(|sim, _, args| {
            let (host, sr) = (sim.need("host", args.text(0))?, sim.need("SR", args.text(1))?);
            enable_caching(sim, &host, &sr).map(|()| Value::VOID)
        }),
        "disable_local_storage_caching" => Handler::Now(|sim, _, args| {
            let host = sim.need("host", args.text(0))?;
            disable_caching(sim, &host)?;
            Ok(Value::VOID)
        }),
        "apply_edition" => Handler::Now(|sim, _, args| {
            let host = sim.need("host", args.text(0))?;
            apply_edition(sim, &host, args.text(1)).map(|()| Value::VOID)
        }),
        "set_timezone" => Handler::Now(|sim, _, args| {
            if !TIME_ZONES.contains(&args.text(1)) {
                return Err(Failure::new("INVALID_VALUE", ["timezone", args.text(1)]));
            }
            set(sim, args, "timezone")
        }),
        "set_ntp_mode" => Handler::Now(|sim, _, args| {
            let host = sim.need("host", args.text(0))?;
            let servers = sim.store.refs("host", host.as_str(), "ntp_custom_servers");
            if args.text(1) == "Custom" && servers.is_empty() {
                return Err(Failure::new("INVALID_NTP_CONFIG", ["Can't set ntp_mode to Custom without custom servers"]));
            }
            set(sim, args, "ntp_mode")
        }),
        "set_ntp_custom_servers" => Handler::Now(|sim, _, args| {
            let host = sim.need("host", args.text(0))?;
            let is_empty = args.value(1).and_then(Value::as_array).is_none_or(<[Value]>::is_empty);
            if is_empty && sim.store.text("host", host.as_str(), "ntp_mode") == "Custom" {
                return Err(Failure::new("INVALID_NTP_CONFIG", ["Can't set empty servers when ntp_mode is Custom"]));
            }
            set(sim, args, "ntp_custom_servers")
        }),
        "enable_ssh" => Handler::Now(|sim, _, args| on_host(sim, args, |sim, host| set_ssh(sim, host, true))),
        "disable_ssh" => Handler::Now(|sim, _, args| on_host(sim, args, |sim, host| set_ssh(sim, host, false))),
        "set_ssh_enabled_timeout" => Handler::Now(|sim, _, args| {
            let host = sim.need("host", args.text(0))?;
            set_ssh_timeout(sim, &host, args.int(1)).map(|()| Value::VOID)
        }),
        "set_console_idle_timeout" => Handler::Now(|sim, _, args| {
            check_idle_timeout(args.int(1))?;
            set(sim, args, "console_idle_timeout")
        }),
        "set_ssh_auto_mode" => Handler::Now(|sim, _, args| set(sim, args, "ssh_auto_mode")),
        "dmesg_clear" => Handler::Now(|sim, _, args| {
            let text = kernel_log(sim, args.text(0))?;
            sim.host_states.cleared.insert(RawRef::from(args.text(0)));
            Ok(text)
        }),
        _ => return None,
    })
}

/// What only root on a host calls, about the host that he asks.
fn emergency(message: &str) -> Option<Handler> {
    Some(match message {
        "emergency_disable_tls_verification" => Handler::Now(|sim, caller, _| {
            let host = sim.host_of(caller.origin);
            sim.store.put("host", host.as_str(), "tls_verification_enabled", false);
            Ok(Value::VOID)
        }),
        "emergency_reenable_tls_verification" => Handler::Now(|sim, caller, _| {
            let (host, pool) = (sim.host_of(caller.origin), sim.store.first("pool").unwrap_or_default());
            if !sim.store.flag("pool", pool.as_str(), "tls_verification_enabled") {
                return Err(Failure::new("TLS_VERIFICATION_NOT_ENABLED_IN_POOL", [""; 0]));
            }
            sim.store.put("host", host.as_str(), "tls_verification_enabled", true);
            Ok(Value::VOID)
        }),
        "emergency_clear_mandatory_guidance" => Handler::Now(|sim, caller, _| {
            let host = sim.host_of(caller.origin);
            sim.store.put("host", host.as_str(), "pending_guidances", Vec::new());
            Ok(Value::VOID)
        }),
        "emergency_ha_disable" => Handler::Now(|sim, _, _| ha::emergency_disable(sim).map(|()| Value::VOID)),
        _ => return None,
    })
}

fn set(sim: &mut Sim, args: &mut Args, field: &str) -> Result<Value, Failure> {
    let host = sim.need("host", args.text(0))?;
    let value = args.take(1);
    sim.store.put("host", host.as_str(), field, value);
    Ok(Value::VOID)
}

fn on_host(sim: &mut Sim, args: &Args, act: fn(&mut Sim, &RawRef)) -> Result<Value, Failure> {
    let host = sim.need("host", args.text(0))?;
    act(sim, &host);
    Ok(Value::VOID)
}

/// Whether a host does not answer, whether that is known already or not.
pub(crate) fn is_down(sim: &Sim, host: &RawRef) -> bool {
    sim.host_states.down.contains_key(host)
}

/// Fails if a host does not answer; null and unknown hosts do no harm.
pub(crate) fn check_reachable(sim: &Sim, host: &RawRef) -> Result<(), Failure> {
    if sim.store.contains("host", host.as_str()) && !sim.is_live(host) {
        return Err(Failure::new("HOST_OFFLINE", [host.as_str()]));
    }
    if is_down(sim, host) {
        return Err(Failure::new("CANNOT_CONTACT_HOST", [host.as_str()]));
    }
    Ok(())
}

/// Whether something of that name is going on with a host.
pub(crate) fn has_operation(sim: &Sim, host: &RawRef, operation: &str) -> bool {
    let current = sim.store.value("host", host.as_str(), "current_operations").and_then(Value::as_struct);
    current.is_some_and(|current| current.iter().any(|(_, other)| other.as_text() == Some(operation)))
}

/// `OTHER_OPERATION_IN_PROGRESS` where an operation has to wait for others: those that empty or stop a host exclude each other and
/// those that bring VMs to it.
pub(crate) fn check_operation(sim: &Sim, host: &RawRef, operation: &str) -> Result<(), Failure> {
    const STOPS: [&str; 3] = ["evacuate", "reboot", "shutdown"];
    const BRINGS: [&str; 3] = ["provision", "vm_resume", "vm_migrate"];
    let current = sim.store.value("host", host.as_str(), "current_operations").and_then(Value::as_struct);
    let stops = STOPS.contains(&operation);
    let in_the_way =
        |other: &str| STOPS.contains(&other) && (stops || BRINGS.contains(&operation)) || stops && BRINGS.contains(&other);
    if current.is_some_and(|current| current.iter().any(|(_, other)| in_the_way(other.as_text().unwrap_or("")))) {
        return Err(rules::busy("host", host.as_str(), current));
    }
    Ok(())
}

/// Lets a host start VMs, or not.
pub(crate) fn set_enabled(sim: &mut Sim, host: &RawRef, enabled: bool) {
    sim.store.put("host", host.as_str(), "enabled", enabled);
    refresh_host(sim, host);
}

/// Computes `allowed_operations` of a host anew.
pub(crate) fn refresh_host(sim: &mut Sim, host: &RawRef) {
    let of = host.as_str();
    if !sim.store.contains("host", of) {
        return;
    }
    let mut operations: Vec<&str> = Vec::new();
    if sim.is_live(host) {
        operations.extend(["provision", "evacuate", "vm_start", "vm_resume", "vm_migrate"]);
        if !sim.store.flag("host", of, "enabled") {
            operations = Vec::from(["evacuate", "reboot", "shutdown", "enable"]);
        }
        operations.retain(|operation| check_operation(sim, host, operation).is_ok());
    } else if !sim.store.text("host", of, "power_on_mode").is_empty() {
        operations.push("power_on");
    }
    let operations: Vec<Value> = operations.into_iter().map(Value::from).collect();
    sim.store.put("host", of, "allowed_operations", operations);
}

/// The interface over which a host is managed; null if there is none.
pub(crate) fn management(sim: &Sim, host: &RawRef) -> RawRef {
    let pifs = sim.store.refs("host", host.as_str(), "PIFs");
    pifs.into_iter().find(|pif| sim.store.flag("PIF", pif.as_str(), "management")).unwrap_or_default()
}

/// Fails unless a host can be managed over an interface.
pub(crate) fn check_manageable(sim: &Sim, pif: &RawRef) -> Result<(), Failure> {
    let of = pif.as_str();
    if sim.store.text("PIF", of, "ip_configuration_mode") == "None" {
        return Err(Failure::new("PIF_HAS_NO_NETWORK_CONFIGURATION", [of]));
    }
    if sim.store.text("PIF", of, "IP").is_empty() {
        return Err(Failure::new("INTERFACE_HAS_NO_IP", [sim.store.text("PIF", of, "device")]));
    }
    Ok(())
}

/// Manages a host over another of its interfaces from now on.
pub(crate) fn set_management(sim: &mut Sim, pif: &RawRef) -> Result<Value, Failure> {
    check_manageable(sim, pif)?;
    let of = pif.as_str();
    let address = sim.store.text("PIF", of, "IP").to_string();
    let host = sim.store.reference("PIF", of, "host");
    let old = management(sim, &host);
    sim.store.put("PIF", old.as_str(), "management", false);
    sim.store.put("PIF", of, "management", true);
    sim.store.put("host", host.as_str(), "address", address);
    Ok(Value::VOID)
}

fn disable(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let host = sim.need("host", args.text(0))?;
    check_reachable(sim, &host)?;
    ha::check_loss(sim, &host)?;
    // Without the parameter it is enabled again when it has booted.
    if args.value(1).and_then(Value::as_bool) == Some(false) {
        sim.host_states.rests.insert(host.clone());
    }
    set_enabled(sim, &host, false);
    Ok(Value::VOID)
}

fn set_hostname(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let host = sim.need("host", args.text(0))?;
    let name = args.text(1);
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    let wrong = match name.len() {
        0 => Some("hostname empty"),
        _ if name.len() > 63 => Some("hostname is too long"),
        _ if !is_plain => Some("hostname contains invalid characters"),
        _ => None,
    };
    if let Some(reason) = wrong {
        return Err(Failure::new("HOST_NAME_INVALID", [reason]));
    }
    sim.store.put("host", host.as_str(), "hostname", name);
    sim.store.put_key("host", host.as_str(), "software_version", "hostname", name);
    Ok(Value::VOID)
}

/// What the hypervisor says of itself.
fn kernel_log(sim: &Sim, host: &str) -> Result<Value, Failure> {
    let host = sim.need("host", host)?;
    let of = host.as_str();
    if sim.host_states.cleared.contains(&host) {
        return Ok(Value::from(""));
    }
    let about = |field, key| sim.store.key("host", of, field, key).unwrap_or("unknown");
    let total = sim.store.int("host_metrics", sim.store.text("host", of, "metrics"), "memory_total") >> 20;
    let (xen, cpus) = (about("software_version", "xen"), about("cpu_info", "cpu_count"));
    let model = about("cpu_info", "modelname");
    Ok(Value::from(format!(
        "(XEN) Xen version {xen} (simulated)\n(XEN) System RAM: {total}MB\n(XEN) CPU0: {model}\n(XEN) Brought up {cpus} CPUs\n"
    )))
}

fn set_display(sim: &mut Sim, args: &Args, wanted: bool) -> Result<Value, Failure> {
    let host = sim.need("host", args.text(0))?;
    let old = sim.store.text("host", host.as_str(), "display");
    let new = match (old, wanted) {
        ("disabled" | "enable_on_reboot", true) => "enable_on_reboot",
        (_, true) => "enabled",
        ("enabled" | "disable_on_reboot", false) => "disable_on_reboot",
        (_, false) => "disabled",
    };
    sim.store.put("host", host.as_str(), "display", new);
    Ok(Value::from(new))
}

/// Lets a host keep copies of shared disks in a repository of its own.
pub(crate) fn enable_caching(sim: &mut Sim, host: &RawRef, sr: &RawRef) -> Result<(), Failure> {
    if sim.store.flag("host", host.as_str(), "enabled") {
        return Err(Failure::new("HOST_NOT_DISABLED", [""; 0]));
    }
    let fits = matches!(sim.store.text("SR", sr.as_str(), "type"), "ext" | "xfs")
        && !sim.store.flag("SR", sr.as_str(), "shared")
        && boot::is_attached(sim, sr, host);
    if !fits {
        return Err(Failure::new("SR_OPERATION_NOT_SUPPORTED", [sr.as_str()]));
    }
    sim.store.put("host", host.as_str(), "local_cache_sr", sr);
    sim.store.put("SR", sr.as_str(), "local_cache_enabled", true);
    Ok(())
}

pub(crate) fn disable_caching(sim: &mut Sim, host: &RawRef) -> Result<(), Failure> {
    if sim.store.flag("host", host.as_str(), "enabled") {
        return Err(Failure::new("HOST_NOT_DISABLED", [""; 0]));
    }
    let sr = sim.store.reference("host", host.as_str(), "local_cache_sr");
    sim.store.put("SR", sr.as_str(), "local_cache_enabled", false);
    sim.store.put("host", host.as_str(), "local_cache_sr", NULL);
    Ok(())
}

/// The editions that a host can have, unless it says so itself.
const EDITIONS: &[&str] = &["free", "trial", "standard", "standard-per-socket", "premium", "premium-per-socket"];

/// Licenses a host.
pub(crate) fn apply_edition(sim: &mut Sim, host: &RawRef, edition: &str) -> Result<(), Failure> {
    let of = host.as_str();
    let own: Vec<RawRef> = sim.store.refs("host", of, "editions");
    let is_known = if own.is_empty() { EDITIONS.contains(&edition) } else { own.iter().any(|own| own.as_str() == edition) };
    if !is_known {
        return Err(Failure::new("INVALID_EDITION", [edition]));
    }
    sim.store.put("host", of, "edition", edition);
    sim.store.put_key("host", of, "license_params", "sku_type", edition);
    Ok(())
}

/// Lets people log in on a host over SSH, or not.
pub(crate) fn set_ssh(sim: &mut Sim, host: &RawRef, enabled: bool) {
    let timeout = sim.store.int("host", host.as_str(), "ssh_enabled_timeout");
    sim.store.put("host", host.as_str(), "ssh_enabled", enabled);
    let expiry = if enabled && timeout > 0 { DateTime::from_unix(sim.date().unix() + timeout) } else { DateTime::NEVER };
    sim.store.put("host", host.as_str(), "ssh_expiry", expiry);
    if enabled && timeout > 0 {
        let state = (host.clone(), expiry);
        sim.defer(Millis::from_secs(timeout.unsigned_abs()), state, |sim, (host, expiry)| {
            // Unless it was set anew meanwhile.
            if sim.store.time("host", host.as_str(), "ssh_expiry") == *expiry {
                set_ssh(sim, host, false);
            }
        });
    }
}

/// Two days at most, in seconds; 0: until somebody says otherwise.
pub(crate) fn set_ssh_timeout(sim: &mut Sim, host: &RawRef, seconds: i64) -> Result<(), Failure> {
    if !(0..=172_800).contains(&seconds) {
        let reason = "The timeout must be between 0 and 172800 seconds";
        return Err(Failure::new("VALUE_NOT_SUPPORTED", ["ssh_enabled_timeout", &seconds.to_string(), reason]));
    }
    sim.store.put("host", host.as_str(), "ssh_enabled_timeout", seconds);
    if sim.store.flag("host", host.as_str(), "ssh_enabled") {
        set_ssh(sim, host, true);
    }
    Ok(())
}

pub(crate) fn check_idle_timeout(seconds: i64) -> Result<(), Failure> {
    if seconds < 0 {
        let reason = "The timeout must not be negative";
        return Err(Failure::new("VALUE_NOT_SUPPORTED", ["console_idle_timeout", &seconds.to_string(), reason]));
    }
    Ok(())
}
