//! Settings of the pool that are more than a written field, and questions about the pool.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{DateTime, Failure, NULL, RawRef, Struct, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::operations::timed::timed;
use crate::operations::{Handler, boot, devices, ha, hosts, overlays, refresh, vm_settings};

/// Fields that explicit messages write, and no more.
pub(crate) const PLAIN: &[&str] =
    &["guest_agent_config", "ext_auth_cache_enabled", "uefi_certificates", "custom_uefi_certificates"];

pub(crate) fn find(message: &str) -> Option<Handler> {
    settings(message).or_else(|| of_hosts(message)).or_else(|| certificates(message)).or_else(|| updates(message))
}

fn settings(message: &str) -> Option<Handler> {
    Some(match message {
        // Every change is on every host's disk at once.
        "sync_database" | "certificate_sync" => Handler::Now(|_, _, _| Ok(Value::VOID)),
        "rotate_secret" => Handler::Job(|_, _, _| {
            timed(
                (),
                1000,
                |sim, ()| {
                    ha::check_off(sim)?;
                    sim.store.all("host").iter().try_for_each(|host| hosts::check_reachable(sim, host))?;
                    Ok(Vec::new())
                },
                |_, ()| Ok(Value::VOID),
            )
        }),
        "create_new_blob" => Handler::Now(|sim, _, args| vm_settings::create_blob(sim, "pool", args)),
        "has_extension" => Handler::Now(|sim, _, args| sim.need("pool", args.text(0)).map(|_| Value::Bool(false))),
        "set_ext_auth_cache_size" => Handler::Now(|sim, _, args| set_positive(sim, args, "ext_auth_cache_size")),
        "set_ext_auth_cache_expiry" => Handler::Now(|sim, _, args| set_positive(sim, args, "ext_auth_cache_expiry")),
        "set_ext_auth_max_threads" => Handler::Now(|sim, _, args| set_positive(sim, args, "ext_auth_max_threads")),
        "set_local_auth_max_threads" => Handler::Now(|sim, _, args| set_positive(sim, args, "local_auth_max_threads")),
        "set_telemetry_next_collection" => Handler::Now(set_telemetry),
        "reset_telemetry_uuid" => Handler::Now(|sim, _, args| {
            let pool = sim.need("pool", args.text(0))?;
            let secret = new_secret(sim, None);
            let old = sim.store.reference("pool", pool.as_str(), "telemetry_uuid");
            sim.store.remove("secret", old.as_str());
            sim.store.put("pool", pool.as_str(), "telemetry_uuid", &secret);
            Ok(Value::VOID)
        }),
        "set_igmp_snooping_enabled" => Handler::Now(|sim, _, args| {
            let pool = sim.need("pool", args.text(0))?;
            let master = sim.master();
            let backend = sim.store.key("host", master.as_str(), "software_version", "network_backend");
            if backend != Some("openvswitch") {
                return Err(Failure::new("OPENVSWITCH_NOT_ACTIVE", [""; 0]));
            }
            sim.store.put("pool", pool.as_str(), "igmp_snooping_enabled", args.flag(1));
            Ok(Value::VOID)
        }),
        "set_vswitch_controller" => Handler::Now(|sim, _, args| {
            let address = String::from(args.text(0));
            if !address.is_empty() && address.parse::<core::net::IpAddr>().is_err() {
                return Err(Failure::new("INVALID_IP_ADDRESS_SPECIFIED", ["address"]));
            }
            write(sim, "vswitch_controller", address)
        }),
        "enable_redo_log" => Handler::Now(enable_redo_log),
        "disable_redo_log" => Handler::Now(|sim, _, _| {
            ha::check_off(sim)?;
            let pool = sim.store.first("pool").unwrap_or_default();
            let vdi = sim.store.reference("pool", pool.as_str(), "redo_log_vdi");
            if sim.store.contains("VDI", vdi.as_str()) {
                devices::remove_vdi(sim, &vdi);
            }
            sim.store.put("pool", pool.as_str(), "redo_log_vdi", NULL);
            write(sim, "redo_log_enabled", false)
        }),
        "get_license_state" => Handler::Now(|sim, _, args| {
            sim.need("pool", args.text(0))?;
            Ok(license(sim))
        }),
        "get_guest_secureboot_readiness" => Handler::Now(|sim, _, args| {
            let pool = sim.need("pool", args.text(0))?;
            let has = |field| !sim.store.text("pool", pool.as_str(), field).is_empty();
            let is_ready = has("custom_uefi_certificates") || has("uefi_certificates");
            Ok(Value::from(if is_ready { "ready" } else { "not_ready" }))
        }),
        "enable_client_certificate_auth" => Handler::Now(|sim, _, args| {
            sim.need("pool", args.text(0))?;
            write(sim, "client_certificate_auth_name", args.text(1))?;
            write(sim, "client_certificate_auth_enabled", true)
        }),
        "disable_client_certificate_auth" => Handler::Now(|sim, _, args| {
            sim.need("pool", args.text(0))?;
            write(sim, "client_certificate_auth_name", "")?;
            write(sim, "client_certificate_auth_enabled", false)
        }),
        "detect_nonhomogeneous_external_auth" => Handler::Now(|sim, _, args| {
            sim.need("pool", args.text(0))?;
            let kinds = sim.store.all("host").into_iter().map(|host| {
                let text = |field| sim.store.text("host", host.as_str(), field).to_string();
                (text("external_auth_type"), text("external_auth_service_name"))
            });
            let kinds: Vec<(String, String)> = kinds.collect();
            if kinds.windows(2).any(|pair| pair[0] != pair[1]) {
                return Err(Failure::new("POOL_JOINING_EXTERNAL_AUTH_MISMATCH", [""; 0]));
            }
            Ok(Value::VOID)
        }),
        _ => return None,
    })
}

/// What a pool tells each of its hosts.
fn of_hosts(message: &str) -> Option<Handler> {
    Some(match message {
        "set_https_only" => Handler::Now(|sim, _, args| {
            let wanted = args.flag(1);
            for host in hosts_of(sim, args)? {
                sim.store.put("host", host.as_str(), "https_only", wanted);
            }
            Ok(Value::VOID)
        }),
        "enable_ssh" => Handler::Now(|sim, _, args| {
            hosts_of(sim, args)?.iter().for_each(|host| hosts::set_ssh(sim, host, true));
            Ok(Value::VOID)
        }),
        "disable_ssh" => Handler::Now(|sim, _, args| {
            hosts_of(sim, args)?.iter().for_each(|host| hosts::set_ssh(sim, host, false));
            Ok(Value::VOID)
        }),
        "set_ssh_enabled_timeout" => Handler::Now(|sim, _, args| {
            let seconds = args.int(1);
            hosts_of(sim, args)?.iter().try_for_each(|host| hosts::set_ssh_timeout(sim, host, seconds))?;
            Ok(Value::VOID)
        }),
        "set_console_idle_timeout" => Handler::Now(|sim, _, args| {
            let seconds = args.int(1);
            hosts::check_idle_timeout(seconds)?;
            for host in hosts_of(sim, args)? {
                sim.store.put("host", host.as_str(), "console_idle_timeout", seconds);
            }
            Ok(Value::VOID)
        }),
        "set_ssh_auto_mode" => Handler::Now(|sim, _, args| {
            let wanted = args.flag(1);
            for host in hosts_of(sim, args)? {
                sim.store.put("host", host.as_str(), "ssh_auto_mode", wanted);
            }
            Ok(Value::VOID)
        }),
        "disable_ssl_legacy" => Handler::Now(|sim, _, args| {
            for host in hosts_of(sim, args)? {
                sim.store.put("host", host.as_str(), "ssl_legacy", false);
            }
            Ok(Value::VOID)
        }),
        "apply_edition" => Handler::Now(|sim, _, args| {
            let edition = String::from(args.text(1));
            hosts_of(sim, args)?.iter().try_for_each(|host| hosts::apply_edition(sim, host, &edition))?;
            Ok(Value::VOID)
        }),
        "enable_tls_verification" => Handler::Now(|sim, _, _| {
            for host in sim.store.all("host") {
                sim.store.put("host", host.as_str(), "tls_verification_enabled", true);
            }
            write(sim, "tls_verification_enabled", true)
        }),
        "create_VLAN" => Handler::Now(|sim, _, args| {
            let (device, network) = (String::from(args.text(0)), sim.need("network", args.text(1))?);
            create_vlans(sim, &network, args.int(2), |sim, pif| sim.store.text("PIF", pif.as_str(), "device") == device)
        }),
        "create_VLAN_from_PIF" => Handler::Now(|sim, _, args| {
            let (pif, network) = (sim.need("PIF", args.text(0))?, sim.need("network", args.text(1))?);
            let below = sim.store.reference("PIF", pif.as_str(), "network");
            create_vlans(sim, &network, args.int(2), |sim, pif| sim.store.reference("PIF", pif.as_str(), "network") == below)
        }),
        "management_reconfigure" => Handler::Now(|sim, _, args| {
            let network = sim.need("network", args.text(0))?;
            ha::check_off(sim)?;
            let mut wanted = Vec::new();
            for host in sim.store.all("host") {
                hosts::check_reachable(sim, &host)?;
                let pifs = sim.store.refs("host", host.as_str(), "PIFs").into_iter();
                let mut fitting = pifs.filter(|pif| sim.store.reference("PIF", pif.as_str(), "network") == network);
                let missing = || Failure::new("PIF_NOT_PRESENT", [host.as_str(), network.as_str()]);
                let pif = fitting.next().ok_or_else(missing)?;
                hosts::check_manageable(sim, &pif)?;
                wanted.push(pif);
            }
            for pif in wanted {
                hosts::set_management(sim, &pif)?;
            }
            Ok(Value::VOID)
        }),
        _ => return None,
    })
}

/// A VLAN on every host, on the NIC that fits; answers the new PIFs.
fn create_vlans(sim: &mut Sim, network: &RawRef, tag: i64, fits: impl Fn(&Sim, &RawRef) -> bool) -> Result<Value, Failure> {
    let mut below = Vec::new();
    for host in sim.store.all("host") {
        let pifs = sim.store.refs("host", host.as_str(), "PIFs").into_iter();
        let mut pifs = pifs.filter(|pif| sim.store.int("PIF", pif.as_str(), "VLAN") < 0 && fits(sim, pif));
        below.push(pifs.next().ok_or_else(|| Failure::new("PIF_DEVICE_NOT_FOUND", [""; 0]))?);
    }
    below.iter().try_for_each(|pif| overlays::check_vlan(sim, pif, tag, network))?;
    let made = below.iter().map(|pif| overlays::make_vlan(sim, pif, tag, network).map(|(_, pif)| Value::from(pif)));
    made.collect::<Result<Vec<_>, _>>().map(Value::Array)
}

fn certificates(message: &str) -> Option<Handler> {
    Some(match message {
        "certificate_list" => Handler::Now(|sim, _, _| {
            let all = sim.store.all("Certificate").into_iter();
            let all = all.filter(|it| sim.store.text("Certificate", it.as_str(), "type") == "ca");
            let names = all.map(|it| Value::from(sim.store.text("Certificate", it.as_str(), "name")));
            Ok(Value::Array(names.collect()))
        }),
        "certificate_uninstall" | "uninstall_ca_certificate" => Handler::Now(|sim, _, args| {
            let (name, force) = (args.text(0), args.flag(1));
            let found = sim.store.all("Certificate").into_iter().find(|it| {
                let text = |field| sim.store.text("Certificate", it.as_str(), field);
                text("type") == "ca" && text("name") == name
            });
            match found {
                Some(certificate) => drop(sim.store.remove("Certificate", certificate.as_str())),
                None if force => {}
                None => return Err(Failure::new("CERTIFICATE_DOES_NOT_EXIST", [name])),
            }
            Ok(Value::VOID)
        }),
        "uninstall_trusted_certificate" => Handler::Now(|sim, _, args| {
            sim.need("pool", args.text(0))?;
            let certificate = sim.need("Certificate", args.text(1))?;
            sim.store.remove("Certificate", certificate.as_str());
            Ok(Value::VOID)
        }),
        "crl_list" => Handler::Now(|sim, _, _| {
            Ok(Value::Array(sim.host_states.revocations.iter().map(|name| Value::from(name.as_str())).collect()))
        }),
        "crl_install" => Handler::Now(|sim, _, args| {
            let (name, text) = (args.text(0), args.text(1));
            if name.is_empty() || name.starts_with('.') || name.contains('/') {
                return Err(Failure::new("CRL_NAME_INVALID", [name]));
            }
            if !text.contains("-----BEGIN X509 CRL-----") {
                return Err(Failure::new("CRL_CORRUPT", [name]));
            }
            if !sim.host_states.revocations.insert(name.into()) {
                return Err(Failure::new("CRL_ALREADY_EXISTS", [name]));
            }
            Ok(Value::VOID)
        }),
        "crl_uninstall" => Handler::Now(|sim, _, args| {
            if !sim.host_states.revocations.remove(args.text(0)) {
                return Err(Failure::new("CRL_DOES_NOT_EXIST", [args.text(0)]));
            }
            Ok(Value::VOID)
        }),
        _ => return None,
    })
}

/// Where updates come from, and when.
fn updates(message: &str) -> Option<Handler> {
    Some(match message {
        "configure_update_sync" => Handler::Now(|sim, _, args| {
            sim.need("pool", args.text(0))?;
            let (frequency, day) = (String::from(args.text(1)), args.int(2));
            let fits = if frequency == "daily" { day == 0 } else { (0..=6).contains(&day) };
            if !fits {
                return Err(Failure::new("INVALID_UPDATE_SYNC_DAY", [day.to_string()]));
            }
            write(sim, "update_sync_frequency", frequency)?;
            write(sim, "update_sync_day", day)
        }),
        "set_update_sync_enabled" => Handler::Now(|sim, _, args| {
            let pool = sim.need("pool", args.text(0))?;
            if args.flag(1) && sim.store.refs("pool", pool.as_str(), "repositories").is_empty() {
                return Err(Failure::new("NO_REPOSITORIES_CONFIGURED", [""; 0]));
            }
            write(sim, "update_sync_enabled", args.flag(1))
        }),
        "set_repositories" => Handler::Now(|sim, _, args| {
            sim.need("pool", args.text(0))?;
            let wanted: Vec<Value> = args.value(1).and_then(Value::as_array).unwrap_or_default().to_vec();
            for repository in &wanted {
                sim.need("Repository", repository.as_text().unwrap_or(""))?;
            }
            write(sim, "repositories", wanted)
        }),
        "add_repository" | "remove_repository" => Handler::Now(if message == "add_repository" {
            |sim, _, args| change_repositories(sim, args, true)
        } else {
            |sim, _, args| change_repositories(sim, args, false)
        }),
        "configure_repository_proxy" => Handler::Now(configure_proxy),
        "disable_repository_proxy" => Handler::Now(|sim, _, args| {
            sim.need("pool", args.text(0))?;
            set_proxy(sim, "", "", None)
        }),
        _ => return None,
    })
}

/// The hosts, if the first parameter is the pool.
fn hosts_of(sim: &Sim, args: &Args) -> Result<Vec<RawRef>, Failure> {
    sim.need("pool", args.text(0))?;
    Ok(sim.store.all("host"))
}

fn write(sim: &mut Sim, field: &str, value: impl Into<Value>) -> Result<Value, Failure> {
    let pool = sim.store.first("pool").unwrap_or_default();
    sim.store.put("pool", pool.as_str(), field, value);
    Ok(Value::VOID)
}

fn set_positive(sim: &mut Sim, args: &Args, field: &str) -> Result<Value, Failure> {
    sim.need("pool", args.text(0))?;
    let number = args.int(1);
    if number < 1 {
        return Err(Failure::new("INVALID_VALUE", [field, &number.to_string()]));
    }
    write(sim, field, number)
}

/// Whether VMs start by themselves with their hosts.
pub(crate) fn powers_vms_on(sim: &Sim) -> bool {
    let pool = sim.store.first("pool").unwrap_or_default();
    sim.store.key("pool", pool.as_str(), "other_config", "auto_poweron") == Some("true")
}

/// Computes `allowed_operations` of the pool anew.
pub(crate) fn refresh_pool(sim: &mut Sim, pool: &RawRef) {
    let current = sim.store.value("pool", pool.as_str(), "current_operations").and_then(Value::as_struct);
    let is_busy = current.is_some_and(|current| !current.is_empty());
    let toggle = if sim.store.flag("pool", pool.as_str(), "ha_enabled") { "ha_disable" } else { "ha_enable" };
    let allowed: &[&str] = if is_busy { &[] } else { &[toggle, "designate_new_master", "tls_verification_enable"] };
    let allowed: Vec<Value> = allowed.iter().map(|operation| Value::from(*operation)).collect();
    sim.store.put("pool", pool.as_str(), "allowed_operations", allowed);
}

fn set_telemetry(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    sim.need("pool", args.text(0))?;
    let wanted = if let Some(Value::DateTime(time)) = args.value(1) { *time } else { DateTime::NEVER };
    // Three weeks ahead at most.
    if wanted.unix() > sim.date().unix() + 21 * 86_400 {
        return Err(Failure::new("TELEMETRY_NEXT_COLLECTION_TOO_LATE", [alloc::format!("{wanted}")]));
    }
    write(sim, "telemetry_next_collection", wanted)
}

/// A secret with that value, or with a random one.
fn new_secret(sim: &mut Sim, value: Option<&str>) -> RawRef {
    let (reference, uuid, random) = (sim.random.reference(), sim.random.uuid(), sim.random.uuid());
    let draft = sim.store.draft("secret").with("uuid", uuid);
    let draft = if let Some(value) = value { draft.with("value", value) } else { draft.with("value", random) };
    sim.store.insert(&reference, draft);
    reference
}

fn enable_redo_log(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let sr = sim.need("SR", args.text(0))?;
    ha::check_off(sim)?;
    let pool = sim.store.first("pool").unwrap_or_default();
    if sim.store.flag("pool", pool.as_str(), "redo_log_enabled") {
        return Err(Failure::new("REDO_LOG_IS_ENABLED", [""; 0]));
    }
    let is_everywhere = sim.store.all("host").iter().all(|host| boot::is_attached(sim, &sr, host));
    if !is_everywhere {
        return Err(Failure::new("CANNOT_ENABLE_REDO_LOG", ["The SR is not attached to every host"]));
    }
    let vdi = devices::new_vdi(sim, &sr, "Metadata redo-log", 256 << 20, "redo_log");
    write(sim, "redo_log_vdi", &vdi)?;
    write(sim, "redo_log_enabled", true)
}

/// The least of the hosts' editions, and when the first licence ends.
fn license(sim: &Sim) -> Value {
    let hosts = sim.store.all("host").into_iter();
    let about = |host: &RawRef| {
        let of = host.as_str();
        let expiry = sim.store.key("host", of, "license_params", "expiry").unwrap_or("never").to_string();
        (sim.store.text("host", of, "edition").to_string(), expiry)
    };
    let all: Vec<(String, String)> = hosts.map(|host| about(&host)).collect();
    let free = all.iter().find(|(edition, _)| edition == "free" || edition.is_empty()).or_else(|| all.first());
    let mut state = Struct::new();
    state.push("edition", free.map_or("free", |(edition, _)| edition.as_str()));
    state.push("expiry", all.iter().map(|(_, expiry)| expiry.as_str()).min().unwrap_or("never"));
    state.into()
}

fn change_repositories(sim: &mut Sim, args: &Args, adds: bool) -> Result<Value, Failure> {
    let pool = sim.need("pool", args.text(0))?;
    let repository = sim.need("Repository", args.text(1))?;
    let mut all = sim.store.refs("pool", pool.as_str(), "repositories");
    all.retain(|other| *other != repository);
    if adds {
        all.push(repository);
    }
    write(sim, "repositories", all.iter().map(Value::from).collect::<Vec<_>>())
}

fn configure_proxy(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    sim.need("pool", args.text(0))?;
    let (url, user, password) = (args.text(1), args.text(2), args.text(3));
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err(Failure::new("INVALID_REPOSITORY_PROXY_URL", [url]));
    }
    if user.is_empty() != password.is_empty() || password.contains('\n') || user.contains('\n') {
        return Err(Failure::new("INVALID_REPOSITORY_PROXY_CREDENTIAL", [""; 0]));
    }
    set_proxy(sim, url, user, (!password.is_empty()).then_some(password))
}

fn set_proxy(sim: &mut Sim, url: &str, user: &str, password: Option<&str>) -> Result<Value, Failure> {
    let pool = sim.store.first("pool").unwrap_or_default();
    let old = sim.store.reference("pool", pool.as_str(), "repository_proxy_password");
    sim.store.remove("secret", old.as_str());
    let secret = password.map(|password| new_secret(sim, Some(password)));
    write(sim, "repository_proxy_password", secret.as_ref().map_or(NULL, RawRef::as_str))?;
    write(sim, "repository_proxy_url", url)?;
    write(sim, "repository_proxy_username", user)?;
    refresh(sim, "pool", &pool);
    Ok(Value::VOID)
}
