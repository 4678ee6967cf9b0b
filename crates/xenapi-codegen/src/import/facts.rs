//! What the description does not say, or says wrongly: the named fixups.
//!
//! A pattern is `Class.member`; a star stands for any class or any ending. One that matches nothing is an error, see [`super::import`].

/// Messages that have no `Async.` form.
pub(super) const SYNC_ONLY: &[&str] = &[
    "session.login_with_password",
    "session.logout",
    "session.slave_local_login*",
    "session.local_logout",
    "session.create_from_db_file",
    "session.change_password",
    "task.create",
    "task.destroy",
    "task.set_*",
    "event.*",
    "message.*",
    "blob.create",
    "blob.destroy",
    "*.record_data_source",
    "*.forget_data_source_archives",
    "*.query_data_source",
    "*.get_data_sources",
    "SR.get_supported_types",
    "VM.set_memory_static_max",
    "VM.set_memory_static_min",
    "VM.set_memory_dynamic_max",
    "VM.set_memory_dynamic_min",
    "VM.set_VCPUs_max",
    "VM.set_VCPUs_at_startup",
    "VM.set_HVM_shadow_multiplier",
    "VM.set_domain_type",
    "VM.set_HVM_boot_policy",
    "VM.set_ha_restart_priority",
    "VM.set_NVRAM",
    "VM.add_to_NVRAM",
    "VM.remove_from_NVRAM",
    "VM.set_platform",
    "VM.add_to_platform",
    "VM.remove_from_platform",
    "VM.set_other_config",
    "VM.add_to_other_config",
    "VM.remove_from_other_config",
    "VM.get_boot_record",
    "VM.get_allowed_VBD_devices",
    "VM.get_allowed_VIF_devices",
    "host.get_servertime",
    "host.call_extension",
    "host.list_methods",
    "auth.*",
    "subject.add_to_roles",
    "subject.remove_from_roles",
    "subject.get_permissions_name_label",
    "role.*",
];

/// Classes whose changes are no events.
pub(super) const EVENTLESS: &[&str] =
    &["session", "user", "secret", "auth", "event", "data_source", "sr_stat", "probe_result", "vdi_nbd_server_info"];

/// The place of each class in the model.
pub(super) const PLACES: &[(&str, &str)] = &[
    ("core", "pool host VM SR VDI network"),
    ("connector", "VBD VIF PBD VLAN Bond tunnel network_sriov VUSB VGPU VTPM Cluster_host PVS_proxy"),
    (
        "hardware",
        "PIF PCI PGPU GPU_group VGPU_type PUSB USB_group Host_driver Driver_variant console SM Feature PVS_server PVS_site PVS_cache_storage \
         SDN_controller Cluster LVHD",
    ),
    ("metrics", "VM_metrics VM_guest_metrics host_metrics PIF_metrics data_source"),
    ("policy", "VM_appliance VMSS VM_group DR_task Caller Rate_limit"),
    ("access", "session auth subject role secret Certificate"),
    ("service", "task event message blob pool_update Repository Observer"),
    ("value", "sr_stat probe_result vdi_nbd_server_info"),
    ("legacy", "user VMPP pool_patch host_patch host_crashdump crashdump host_cpu VBD_metrics VIF_metrics"),
];

/// Classes whose references are as good as a password.
pub(super) const SECRET_CLASSES: &[&str] = &["session", "secret"];

/// Fields and parameters that hold secrets, beside parameters with `password` in their names.
pub(super) const SECRETS: &[&str] = &[
    "secret.value",
    "Cluster.cluster_token",
    "pool.sync_updates.token",
    "host.install_server_certificate.private_key",
    "session.*.pwd",
    "session.*.old_pwd",
    "session.*.new_pwd",
];

/// References that may name nothing, beside those whose default is null.
pub(super) const NULLABLE: &[&str] = &[
    // Nobody since roles took the place of users.
    "session.this_user",
    // Administrators may take them away.
    "pool.default_SR",
    "pool.suspend_image_SR",
    "pool.crash_dump_SR",
    "host.suspend_image_sr",
    "host.crash_dump_sr",
    // The image of an update goes when it is cleaned away.
    "pool_update.vdi",
    // Nowhere while halted or suspended; nothing preferred.
    "VM.resident_on",
    "VM.affinity",
    // Templates have none; the tools have not reported yet.
    "VM.metrics",
    "VM.guest_metrics",
    "PIF.metrics",
    // An empty drive.
    "VBD.VDI",
    "VDI.parent",
    // Whatever was found and chosen, if anything was.
    "Host_driver.active_variant",
    "Host_driver.selected_variant",
    // Parameters. Each disk stays on its own SR.
    "VM.copy.sr",
    "PIF.db_introduce.bond_slave_of",
    "PIF.db_introduce.VLAN_master_of",
];

/// References whose declared default is null, and which nevertheless always name something.
pub(super) const NEVER_NULL: &[&str] = &[
    "host_patch.pool_patch",
    "Bond.master",
    "VLAN.tagged_PIF",
    "VLAN.untagged_PIF",
    "tunnel.access_PIF",
    "tunnel.transport_PIF",
    "network_sriov.physical_PIF",
    "network_sriov.logical_PIF",
    "PCI.host",
    "PGPU.host",
    "PGPU.GPU_group",
    "VGPU.type",
    "PVS_server.site",
    "PVS_proxy.site",
    "PVS_proxy.VIF",
    "PVS_cache_storage.host",
    "PVS_cache_storage.SR",
    "PVS_cache_storage.site",
    "PUSB.host",
    "PUSB.USB_group",
    "Cluster_host.cluster",
    "Cluster_host.host",
    "Host_driver.host",
];

/// What numbers count, in fields, parameters (`Class.message.param`) and results (`Class.message.result`).
pub(super) const UNITS: &[(&str, &[&str])] = &[
    (
        "bytes",
        &[
            "pool_patch.size",
            "pool_update.installation_size",
            "host_patch.size",
            "host_crashdump.size",
            "blob.size",
            "VM.memory_overhead",
            "VM.memory_target",
            "VM.memory_static_max",
            "VM.memory_static_min",
            "VM.memory_dynamic_max",
            "VM.memory_dynamic_min",
            "VM.set_memory.value",
            "VM.set_memory_limits.*",
            "VM.set_memory_static_range.m*",
            "VM.set_memory_dynamic_range.m*",
            "VM.set_memory_static_min.value",
            "VM.set_memory_static_max.value",
            "VM.set_memory_dynamic_min.value",
            "VM.set_memory_dynamic_max.value",
            "VM.set_memory_target_live.target",
            "VM.maximise_memory.total",
            "VM.maximise_memory.result",
            "VM.compute_memory_overhead.result",
            "VM_metrics.memory_actual",
            "VM_metrics.numa_node_memory",
            "host.memory_overhead",
            "host.compute_memory_overhead.result",
            "host.compute_free_memory.result",
            "host_metrics.memory_total",
            "host_metrics.memory_free",
            "network.MTU",
            "VIF.MTU",
            "PIF.MTU",
            "PIF.db_introduce.MTU",
            "SR.virtual_allocation",
            "SR.physical_utilisation",
            "SR.physical_size",
            "SR.create.physical_size",
            "SR.make.physical_size",
            "SR.set_physical_size.value",
            "sr_stat.free_space",
            "sr_stat.total_space",
            "LVHD.enable_thin_provisioning.*allocation*",
            "VDI.virtual_size",
            "VDI.physical_utilisation",
            "VDI.introduce.virtual_size",
            "VDI.introduce.physical_utilisation",
            "VDI.resize.size",
            "VDI.resize_online.size",
            "VGPU_type.framebuffer_size",
            "PVS_cache_storage.size",
        ],
    ),
    ("KiB/s", &["*.io_read_kbs", "*.io_write_kbs"]),
    ("Mb/s", &["PIF_metrics.speed", "PUSB.speed"]),
    ("MHz", &["host_cpu.speed"]),
    ("pixels", &["VGPU_type.max_resolution_*"]),
    ("fraction", &["task.progress", "task.set_progress.value", "VM_metrics.VCPUs_utilisation", "host_cpu.utilisation"]),
    ("hours", &["VMPP.get_alerts.hours_from_now"]),
    (
        "seconds",
        &[
            "event.from.timeout",
            "pool.ext_auth_cache_expiry",
            "pool.set_ext_auth_cache_expiry.value",
            "pool.vm_console_idle_timeout",
            "pool.ha_prevent_restarts_for.seconds",
            "*.set_console_idle_timeout.value",
            "*.set_ssh_enabled_timeout.value",
            "host.console_idle_timeout",
            "host.ssh_enabled_timeout",
            "host.backup_rrds.delay",
            "VM.start_delay",
            "VM.shutdown_delay",
            "VM.set_start_delay.value",
            "VM.set_shutdown_delay.value",
            "VM.sysprep.timeout",
            "Cluster.token_timeout",
            "Cluster.token_timeout_coefficient",
            "Cluster.*create.token_timeout",
            "Cluster.*create.token_timeout_coefficient",
        ],
    ),
];

/// What the server takes for a parameter that is not given, where it is not the type's empty value.
pub(super) const PARAM_DEFAULTS: &[(&str, &str)] = &[
    ("host.disable.auto_enable", "true"),
    ("PIF.db_introduce.ipv6_configuration_mode", "None"),
    ("PIF.db_introduce.primary_address_type", "IPv4"),
    ("PIF.db_introduce.managed", "true"),
    ("PIF.introduce.managed", "true"),
    ("Bond.create.mode", "balance-slb"),
    ("VDI.introduce.managed", "true"),
    ("tunnel.create.protocol", "gre"),
    ("VGPU.create.device", "\"0\""),
    ("SDN_controller.introduce.protocol", "ssl"),
    ("Cluster.pool_create.token_timeout", "20."),
    ("Cluster.pool_create.token_timeout_coefficient", "1."),
    ("Cluster.create.token_timeout", "20."),
    ("Cluster.create.token_timeout_coefficient", "1."),
];

/// Messages that only look, beside those whose names begin with one of [`LOOKS`].
pub(super) const ALSO_LOOKS: &[&str] = &[
    "event.from",
    "message.get",
    "host.dmesg",
    "VM.maximise_memory",
    "pool.ha_failover_plan_exists",
    "pool.certificate_list",
    "pool.crl_list",
    "pool.check_update_readiness",
    "pool.detect_nonhomogeneous_external_auth",
];

/// How the names of messages that only look begin.
pub(super) const LOOKS: &[&str] =
    &["get_", "assert_", "list_", "query_", "compute_", "has_", "retrieve_wlb_", "ha_compute_"];

/// Messages whose names look harmless: this one registers what it finds.
pub(super) const NOT_LOOKS: &[&str] = &["VM.query_services"];

/// Messages that answer an object of their class without having made it: the one that moved.
pub(super) const NOT_CREATES: &[&str] = &["VM.migrate_send", "VDI.pool_migrate"];

/// Messages that take objects of their class away, beside those called `destroy` or `forget`.
pub(super) const ALSO_DESTROYS: &[&str] = &[
    "session.logout",
    "session.local_logout",
    "session.logout_subject_identifier",
    "message.destroy_*",
    "PIF.db_forget",
    "Cluster.pool_*destroy",
    "Cluster_host.force_destroy",
];

/// Fields without a default that whoever creates an object from a record need not say: with the value that they then have, or
/// the empty one of their type.
pub(super) const NOT_NEEDED: &[(&str, &str)] = &[
    ("VM.user_version", "1"),
    ("VM.is_a_template", ""),
    ("VM.PV_*", ""),
    ("VM.HVM_boot_policy", ""),
    ("VM.PCI_bus", ""),
    ("VM.recommendations", ""),
    ("VM.actions_after_shutdown", "destroy"),
    ("VM.actions_after_reboot", "restart"),
    ("VM.actions_after_crash", "restart"),
    ("VIF.MAC", ""),
    ("VIF.MTU", "1500"),
    ("VIF.qos_algorithm_type", ""),
    ("VDI.type", "user"),
    ("VDI.sharable", ""),
    ("VDI.read_only", ""),
    ("VBD.userdevice", "\"autodetect\""),
    ("VBD.bootable", ""),
    ("VBD.empty", ""),
    ("VBD.qos_algorithm_type", ""),
    ("user.fullname", ""),
];

/// Fields with a default that makes no sense in a new object.
pub(super) const ALSO_NEEDED: &[&str] =
    &["PVS_cache_storage.host", "PVS_cache_storage.SR", "PVS_cache_storage.site", "subject.subject_identifier"];

/// Errors that are raised with other parameters than declared.
pub(super) const RAISED: &[(&str, &str)] = &[
    ("SESSION_AUTHENTICATION_FAILED", "username, message"),
    ("MAP_DUPLICATE_KEY", "class, field, ref, key"),
    ("UUID_INVALID", "class, uuid"),
    ("VM_IS_TEMPLATE", "vm, operation"),
    ("VM_CANNOT_DELETE_DEFAULT_TEMPLATE", ""),
    ("VM_HAS_NO_SUSPEND_VDI", "class, vm"),
    ("VM_REVERT_FAILED", "snapshot, vm"),
    ("NETWORK_ALREADY_CONNECTED", "host, PIF"),
    ("PIF_VLAN_EXISTS", "device"),
    ("DEVICE_ALREADY_ATTACHED", "ref"),
    ("DEVICE_ALREADY_DETACHED", "ref"),
];

/// What parameters of errors stand for, by their names. Everything else is text.
pub(super) const ERROR_REFERENCES: &[(&str, &str)] = &[
    ("vm VM", "VM"),
    ("snapshot", "VM"),
    ("host", "host"),
    ("vdi VDI", "VDI"),
    ("sr SR", "SR"),
    ("network", "network"),
    ("PIF pif", "PIF"),
    ("vbd VBD", "VBD"),
    ("vif VIF", "VIF"),
    ("pbd", "PBD"),
    ("pgpu", "PGPU"),
    ("vgpu", "VGPU"),
    ("GPU_group gpu_group", "GPU_group"),
    ("USB_group usb_group", "USB_group"),
    ("PUSB", "PUSB"),
    ("vmpp", "VMPP"),
    ("vmss", "VMSS"),
    ("appliance", "VM_appliance"),
    ("task", "task"),
    ("cluster_host", "Cluster_host"),
];

/// Parameters of errors that are integers: `CODE.param`, where a star stands for any code.
pub(super) const ERROR_INTEGERS: &[&str] = &[
    "*.domid",
    "MESSAGE_PARAMETER_COUNT_MISMATCH.expected",
    "MESSAGE_PARAMETER_COUNT_MISMATCH.received",
    "HOST_NOT_ENOUGH_FREE_MEMORY.needed",
    "HOST_NOT_ENOUGH_FREE_MEMORY.available",
    "HOST_NOT_ENOUGH_PCPUS.vcpus",
    "HOST_NOT_ENOUGH_PCPUS.pcpus",
    "SR_FULL.requested",
    "SR_FULL.maximum",
    "*.minimum size",
    "*.maximum size",
    "*.vcpu_max",
    "*.cores_per_socket",
    "VM_OLD_PV_DRIVERS.major",
    "VM_OLD_PV_DRIVERS.minor",
];
