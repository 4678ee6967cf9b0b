//! `VM.record` as somebody would write it who reads XenAPI with serde: what the typed readers of other crates read into.
//!
//! Maps are lists of pairs and enumerations are enums, as in our own records, so that no reader has to build more than ours. The
//! type of integers is open: JSON has numbers, while XML-RPC as xapi writes it has text.
#![allow(missing_docs, reason = "the names are those of the datamodel")]

use serde::{Deserialize, Serialize};

use super::serde_types::{Pairs, words};

/// The record.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct Vm<I> {
    pub(crate) uuid: String,
    pub(crate) allowed_operations: Vec<VmOperations>,
    pub(crate) current_operations: Pairs<String, VmOperations>,
    pub(crate) name_label: String,
    pub(crate) name_description: String,
    pub(crate) power_state: VmPowerState,
    pub(crate) user_version: I,
    pub(crate) is_a_template: bool,
    pub(crate) is_default_template: bool,
    #[serde(rename = "suspend_VDI")]
    pub(crate) suspend_vdi: String,
    pub(crate) resident_on: String,
    pub(crate) scheduled_to_be_resident_on: String,
    pub(crate) affinity: String,
    pub(crate) memory_overhead: I,
    pub(crate) memory_target: I,
    pub(crate) memory_static_max: I,
    pub(crate) memory_dynamic_max: I,
    pub(crate) memory_dynamic_min: I,
    pub(crate) memory_static_min: I,
    #[serde(rename = "VCPUs_params")]
    pub(crate) vcpus_params: Pairs<String, String>,
    #[serde(rename = "VCPUs_max")]
    pub(crate) vcpus_max: I,
    #[serde(rename = "VCPUs_at_startup")]
    pub(crate) vcpus_at_startup: I,
    pub(crate) actions_after_softreboot: OnSoftrebootBehavior,
    pub(crate) actions_after_shutdown: OnNormalExit,
    pub(crate) actions_after_reboot: OnNormalExit,
    pub(crate) actions_after_crash: OnCrashBehaviour,
    pub(crate) consoles: Vec<String>,
    #[serde(rename = "VIFs")]
    pub(crate) vifs: Vec<String>,
    #[serde(rename = "VBDs")]
    pub(crate) vbds: Vec<String>,
    #[serde(rename = "VUSBs")]
    pub(crate) vusbs: Vec<String>,
    pub(crate) crash_dumps: Vec<String>,
    #[serde(rename = "VTPMs")]
    pub(crate) vtpms: Vec<String>,
    #[serde(rename = "PV_bootloader")]
    pub(crate) pv_bootloader: String,
    #[serde(rename = "PV_kernel")]
    pub(crate) pv_kernel: String,
    #[serde(rename = "PV_ramdisk")]
    pub(crate) pv_ramdisk: String,
    #[serde(rename = "PV_args")]
    pub(crate) pv_args: String,
    #[serde(rename = "PV_bootloader_args")]
    pub(crate) pv_bootloader_args: String,
    #[serde(rename = "PV_legacy_args")]
    pub(crate) pv_legacy_args: String,
    #[serde(rename = "HVM_boot_policy")]
    pub(crate) hvm_boot_policy: String,
    #[serde(rename = "HVM_boot_params")]
    pub(crate) hvm_boot_params: Pairs<String, String>,
    #[serde(rename = "HVM_shadow_multiplier")]
    pub(crate) hvm_shadow_multiplier: f64,
    pub(crate) platform: Pairs<String, String>,
    #[serde(rename = "PCI_bus")]
    pub(crate) pci_bus: String,
    pub(crate) other_config: Pairs<String, String>,
    pub(crate) domid: I,
    pub(crate) domarch: String,
    #[serde(rename = "last_boot_CPU_flags")]
    pub(crate) last_boot_cpu_flags: Pairs<String, String>,
    pub(crate) is_control_domain: bool,
    pub(crate) metrics: String,
    pub(crate) guest_metrics: String,
    pub(crate) last_booted_record: String,
    pub(crate) recommendations: String,
    pub(crate) xenstore_data: Pairs<String, String>,
    pub(crate) ha_always_run: bool,
    pub(crate) ha_restart_priority: String,
    pub(crate) is_a_snapshot: bool,
    pub(crate) snapshot_of: String,
    pub(crate) snapshots: Vec<String>,
    pub(crate) snapshot_time: String,
    pub(crate) transportable_snapshot_id: String,
    pub(crate) blobs: Pairs<String, String>,
    pub(crate) tags: Vec<String>,
    pub(crate) blocked_operations: Pairs<VmOperations, String>,
    pub(crate) snapshot_info: Pairs<String, String>,
    pub(crate) snapshot_metadata: String,
    pub(crate) parent: String,
    pub(crate) children: Vec<String>,
    pub(crate) bios_strings: Pairs<String, String>,
    pub(crate) protection_policy: String,
    pub(crate) is_snapshot_from_vmpp: bool,
    pub(crate) snapshot_schedule: String,
    pub(crate) is_vmss_snapshot: bool,
    pub(crate) appliance: String,
    pub(crate) start_delay: I,
    pub(crate) shutdown_delay: I,
    pub(crate) order: I,
    #[serde(rename = "VGPUs")]
    pub(crate) vgpus: Vec<String>,
    #[serde(rename = "attached_PCIs")]
    pub(crate) attached_pcis: Vec<String>,
    #[serde(rename = "suspend_SR")]
    pub(crate) suspend_sr: String,
    pub(crate) version: I,
    pub(crate) generation_id: String,
    pub(crate) hardware_platform_version: I,
    pub(crate) has_vendor_device: bool,
    pub(crate) requires_reboot: bool,
    pub(crate) reference_label: String,
    pub(crate) domain_type: DomainType,
    #[serde(rename = "NVRAM")]
    pub(crate) nvram: Pairs<String, String>,
    pub(crate) pending_guidances: Vec<UpdateGuidances>,
    pub(crate) pending_guidances_recommended: Vec<UpdateGuidances>,
    pub(crate) pending_guidances_full: Vec<UpdateGuidances>,
    pub(crate) groups: Vec<String>,
    pub(crate) secureboot_certificates_state: VmSecurebootCertificatesState,
}

words! {
    VmOperations {
        Snapshot = "snapshot",
        Clone = "clone",
        Copy = "copy",
        CreateTemplate = "create_template",
        Revert = "revert",
        Checkpoint = "checkpoint",
        SnapshotWithQuiesce = "snapshot_with_quiesce",
        Provision = "provision",
        Start = "start",
        StartOn = "start_on",
        Pause = "pause",
        Unpause = "unpause",
        CleanShutdown = "clean_shutdown",
        CleanReboot = "clean_reboot",
        HardShutdown = "hard_shutdown",
        PowerStateReset = "power_state_reset",
        HardReboot = "hard_reboot",
        Suspend = "suspend",
        Csvm = "csvm",
        Resume = "resume",
        ResumeOn = "resume_on",
        PoolMigrate = "pool_migrate",
        MigrateSend = "migrate_send",
        GetBootRecord = "get_boot_record",
        SendSysrq = "send_sysrq",
        SendTrigger = "send_trigger",
        QueryServices = "query_services",
        Shutdown = "shutdown",
        CallPlugin = "call_plugin",
        ChangingMemoryLive = "changing_memory_live",
        AwaitingMemoryLive = "awaiting_memory_live",
        ChangingDynamicRange = "changing_dynamic_range",
        ChangingStaticRange = "changing_static_range",
        ChangingMemoryLimits = "changing_memory_limits",
        ChangingShadowMemory = "changing_shadow_memory",
        ChangingShadowMemoryLive = "changing_shadow_memory_live",
        ChangingVCPUs = "changing_VCPUs",
        ChangingVCPUsLive = "changing_VCPUs_live",
        ChangingNVRAM = "changing_NVRAM",
        AssertOperationValid = "assert_operation_valid",
        DataSourceOp = "data_source_op",
        UpdateAllowedOperations = "update_allowed_operations",
        MakeIntoTemplate = "make_into_template",
        Import = "import",
        Export = "export",
        MetadataExport = "metadata_export",
        Reverting = "reverting",
        Destroy = "destroy",
        CreateVtpm = "create_vtpm",
        Sysprep = "sysprep",
    }
}

words! {
    VmPowerState {
        Halted = "Halted",
        Paused = "Paused",
        Running = "Running",
        Suspended = "Suspended",
    }
}

words! {
    OnSoftrebootBehavior {
        SoftReboot = "soft_reboot",
        Destroy = "destroy",
        Restart = "restart",
        Preserve = "preserve",
    }
}

words! {
    OnNormalExit {
        Destroy = "destroy",
        Restart = "restart",
    }
}

words! {
    OnCrashBehaviour {
        Destroy = "destroy",
        CoredumpAndDestroy = "coredump_and_destroy",
        Restart = "restart",
        CoredumpAndRestart = "coredump_and_restart",
        Preserve = "preserve",
        RenameRestart = "rename_restart",
    }
}

words! {
    DomainType {
        Hvm = "hvm",
        Pv = "pv",
        PvInPvh = "pv_in_pvh",
        Pvh = "pvh",
        Unspecified = "unspecified",
    }
}

words! {
    UpdateGuidances {
        RebootHost = "reboot_host",
        RebootHostOnLivepatchFailure = "reboot_host_on_livepatch_failure",
        RebootHostOnKernelLivepatchFailure = "reboot_host_on_kernel_livepatch_failure",
        RebootHostOnXenLivepatchFailure = "reboot_host_on_xen_livepatch_failure",
        RestartToolstack = "restart_toolstack",
        RestartDeviceModel = "restart_device_model",
        RestartVm = "restart_vm",
    }
}

words! {
    VmSecurebootCertificatesState {
        Ok = "ok",
        UpdateAvailable = "update_available",
        UpdateOnBoot = "update_on_boot",
    }
}
