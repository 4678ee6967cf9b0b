//! What the console needs of a pool, as data: the classes that it watches in the order in which the eye wants them, and of their
//! records what no list, tree, graph or impact looks at.
//!
//! The proxy's shared stream leaves the latter out, and whatever is at the schema's default, which a missing member means anyhow. An
//! object's own page asks for the whole record. Nothing here is a secret kept: any role may read every record. But what holds
//! sessions, passwords or keys is not watched at all.

/// A class of the shared stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lean {
    /// Its name in the schema.
    pub class: &'static str,
    /// Whether the first picture needs it. The others follow.
    pub first: bool,
    /// The fields that are left out, beside [`EVERYWHERE`].
    pub left_out: &'static [&'static str],
}

/// Fields that are left out of every class: long, and of interest for one object at a time.
pub const EVERYWHERE: &[&str] = &["allowed_operations", "blobs"];

/// Of the maps in these fields only [`KEYS`] and keys that begin with one of [`KEY_STARTS`] are kept.
pub const FREE_MAPS: &[&str] = &["other_config", "license_params"];

/// Keys of [`FREE_MAPS`] that mean something to consoles.
pub const KEYS: &[&str] = &[
    "folder",
    "base_template_name",
    "import_task",
    "is_guest_installer_network",
    "is_host_internal_management_network",
    "automatic",
    "auto_poweron",
    "maintenance_mode",
    "multipathing",
    "boot_time",
    "agent_start_time",
    "iscsi_iqn",
    "i18n-key",
    // When a licence ends.
    "expiry",
    "i18n-original-value-name_label",
    "install-methods",
];

/// See [`FREE_MAPS`].
pub const KEY_STARTS: &[&str] = &["XenCenter.", "xenoxide:", "xo:", "HideFromXenCenter"];

const fn now(class: &'static str, left_out: &'static [&'static str]) -> Lean {
    Lean { class, first: true, left_out }
}

const fn later(class: &'static str, left_out: &'static [&'static str]) -> Lean {
    Lean { class, first: false, left_out }
}

/// The classes, those first that the eye wants first.
pub const CLASSES: &[Lean] = &[
    now(
        "pool",
        &[
            "restrictions",
            "cpu_info",
            "guest_agent_config",
            "health_check_config",
            "uefi_certificates",
            "custom_uefi_certificates",
            "repository_proxy_username",
            "repository_proxy_password",
            "wlb_username",
            "recommendations",
            "metadata_VDIs",
        ],
    ),
    now(
        "host",
        &[
            "API_version_vendor_implementation",
            "capabilities",
            "cpu_configuration",
            "sched_policy",
            "supported_bootloaders",
            // Where a VM runs says the VM.
            "resident_VMs",
            "logging",
            "crashdumps",
            "patches",
            "updates",
            "host_CPUs",
            "ha_statefiles",
            "ha_network_peers",
            "external_auth_configuration",
            "license_server",
            "bios_strings",
            "power_on_config",
            "chipset_info",
            "PCIs",
            "PGPUs",
            "PUSBs",
            "guest_VCPUs_params",
            "virtual_hardware_platform_versions",
            "features",
            "uefi_certificates",
            "certificates",
            "editions",
            "last_update_hash",
        ],
    ),
    now("host_metrics", &["last_updated"]),
    now("SR", &["VDIs", "sm_config", "introduced_by"]),
    now("PBD", &[]),
    now("network", &["VIFs", "assigned_ips", "default_locking_mode"]),
    now("PIF", &["properties", "capabilities", "PCI", "primary_address_type", "igmp_snooping_status"]),
    now("PIF_metrics", &["io_read_kbs", "io_write_kbs", "vendor_id", "device_id", "pci_bus_path", "last_updated"]),
    now("Bond", &["auto_update_mac"]),
    now("VLAN", &[]),
    now("tunnel", &[]),
    now("network_sriov", &[]),
    now("task", &["backtrace", "type"]),
    now(
        "VM",
        &[
            "user_version",
            "VCPUs_params",
            "actions_after_softreboot",
            "actions_after_shutdown",
            "actions_after_reboot",
            "actions_after_crash",
            "consoles",
            "VUSBs",
            "crash_dumps",
            "VTPMs",
            "PV_bootloader",
            "PV_kernel",
            "PV_ramdisk",
            "PV_args",
            "PV_bootloader_args",
            "PV_legacy_args",
            "HVM_boot_params",
            "HVM_shadow_multiplier",
            "platform",
            "PCI_bus",
            "last_boot_CPU_flags",
            "last_booted_record",
            "recommendations",
            "xenstore_data",
            "transportable_snapshot_id",
            "snapshot_info",
            "snapshot_metadata",
            "bios_strings",
            "suspend_SR",
            "version",
            "generation_id",
            "hardware_platform_version",
            "reference_label",
            "domain_type",
            "NVRAM",
            "secureboot_certificates_state",
        ],
    ),
    later("VM_guest_metrics", &["memory", "disks", "other", "last_updated", "services"]),
    later(
        "VIF",
        &[
            "status_code",
            "status_detail",
            "runtime_properties",
            "qos_algorithm_type",
            "qos_algorithm_params",
            "qos_supported_algorithms",
            "metrics",
            "MAC_autogenerated",
        ],
    ),
    later(
        "VBD",
        &[
            "unpluggable",
            "storage_lock",
            "status_code",
            "status_detail",
            "runtime_properties",
            "qos_algorithm_type",
            "qos_algorithm_params",
            "qos_supported_algorithms",
            "metrics",
        ],
    ),
    later(
        "VDI",
        &[
            "crash_dumps",
            "storage_lock",
            "location",
            "xenstore_data",
            "sm_config",
            "allow_caching",
            "metadata_of_pool",
            "metadata_latest",
        ],
    ),
    later(
        "VM_metrics",
        &[
            "VCPUs_utilisation",
            "VCPUs_CPU",
            "VCPUs_params",
            "VCPUs_flags",
            "state",
            "install_time",
            "last_updated",
            "numa_optimised",
            "numa_nodes",
            "numa_node_memory",
        ],
    ),
    later("message", &[]),
    later("console", &["location"]),
    later("VM_appliance", &[]),
    later("VM_group", &[]),
    later("VMSS", &[]),
    later("GPU_group", &[]),
    later("PGPU", &["supported_VGPU_max_capacities", "compatibility_metadata"]),
    later("VGPU", &["compatibility_metadata"]),
    later("VGPU_type", &[]),
    later("PCI", &[]),
    later("PUSB", &[]),
    later("USB_group", &[]),
    later("VUSB", &[]),
    later("VTPM", &[]),
    later("Certificate", &[]),
    later("pool_update", &[]),
    later("Cluster", &["cluster_token"]),
    later("Cluster_host", &[]),
];

/// Whether a token of the shared stream says that the first inventory is still to come: in pages, each of which names the place of its
/// class in [`CLASSES`].
pub fn is_within(token: &str) -> bool {
    place_within(token).is_some()
}

/// Whether a token says that not even what the first picture needs is there.
pub fn is_before_first_picture(token: &str) -> bool {
    let last = CLASSES.iter().rposition(|lean| lean.first).unwrap_or(0);
    place_within(token).is_some_and(|place| place <= last)
}

fn place_within(token: &str) -> Option<usize> {
    let mut parts = token.splitn(4, ',');
    let place = parts.nth(2)?.parse().ok()?;
    parts.next().map(|_| place)
}

/// What is known of a class, by its name in any case. `None` for a class that is not in the shared stream.
pub fn class(name: &str) -> Option<&'static Lean> {
    CLASSES.iter().find(|lean| lean.class.eq_ignore_ascii_case(name))
}

impl Lean {
    /// Whether a field is kept.
    pub fn keeps(&self, field: &str) -> bool {
        !EVERYWHERE.contains(&field) && !self.left_out.contains(&field)
    }
}

/// Whether a key of one of the [`FREE_MAPS`] is kept.
pub fn keeps_key(key: &str) -> bool {
    KEYS.contains(&key) || KEY_STARTS.iter().any(|start| key.starts_with(start))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use alloc::format;

    use super::*;

    #[test]
    fn tokens_tell_how_much_is_still_to_come() {
        let last = CLASSES.iter().rposition(|lean| lean.first).unwrap();
        assert!(is_before_first_picture(&format!("00ff,01,{last},OpaqueRef:1")));
        let later = format!("00ff,01,{},", last + 1);
        assert!(is_within(&later) && !is_before_first_picture(&later));
        for token in ["", "00ff,01", "00000000000000000123,00000000000000000004", "a,b,c,d"] {
            assert!(!is_within(token) && !is_before_first_picture(token), "{token}");
        }
    }

    #[test]
    fn what_is_named_is_in_the_schema() {
        for lean in CLASSES {
            let class = xenapi_model::class(lean.class).unwrap_or_else(|| panic!("{} is no class", lean.class));
            for field in lean.left_out {
                assert!(class.field(field).is_some(), "{}.{field} is no field", lean.class);
                assert!(!EVERYWHERE.contains(field), "{}.{field} is left out everywhere", lean.class);
            }
            assert!(lean.keeps("uuid"), "{} must keep its uuid", lean.class);
        }
    }

    #[test]
    fn what_the_console_watches_is_shared() {
        let mut cache = xenapi_client::Cache::new();
        cache.track_console();
        for watched in cache.classes() {
            assert!(class(watched.name).is_some(), "{} is watched and not in the shared stream", watched.name);
        }
    }

    #[test]
    fn what_holds_secrets_is_not_shared() {
        for name in ["session", "secret", "user", "subject", "auth", "blob"] {
            assert!(class(name).is_none(), "{name}");
        }
        for lean in CLASSES {
            for field in xenapi_model::class(lean.class).unwrap().fields {
                let name = format!("{}.{}", lean.class, field.name);
                assert!(!lean.keeps(field.name) || !xenapi_core::is_secret_key(field.name), "{name} looks like a secret");
            }
        }
    }
}
