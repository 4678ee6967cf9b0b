//! Which part of a page a field belongs to, and what people call it.

use crate::text::Text;

/// A part of the list of fields.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Group {
    /// Who it is.
    General,
    /// Memory and processors.
    Compute,
    /// How it starts, and what hardware it sees.
    Boot,
    /// Disks and storage.
    Storage,
    /// Networks.
    Network,
    /// What the guest tells.
    Guest,
    /// High availability, and the order of starting.
    Availability,
    /// Snapshots.
    Snapshots,
    /// Versions and updates.
    Software,
    /// Who may do what, and how it is protected.
    Security,
    /// What is done with it now, and what may be.
    Operations,
    /// Keys and values that servers and clients keep with it.
    Configuration,
    /// Fields that this console does not know: the server is newer.
    Unknown,
}

impl Group {
    /// Its heading.
    pub const fn title(self) -> Text {
        match self {
            Group::General => Text::GroupGeneral,
            Group::Compute => Text::GroupCompute,
            Group::Boot => Text::GroupBoot,
            Group::Storage => Text::Srs,
            Group::Network => Text::ClassNetwork,
            Group::Guest => Text::GroupGuest,
            Group::Availability => Text::HighAvailability,
            Group::Snapshots => Text::Snapshots,
            Group::Software => Text::GroupSoftware,
            Group::Security => Text::GroupSecurity,
            Group::Operations => Text::GroupOperations,
            Group::Configuration => Text::GroupConfiguration,
            Group::Unknown => Text::GroupUnknown,
        }
    }
}

/// The group of a field, by its name: fields of the same name say the same in every class.
pub(super) fn group(class: &str, field: &str) -> Group {
    let starts = |words: &[&str]| words.iter().any(|word| field.starts_with(word));
    match field {
        "allowed_operations" | "current_operations" | "blocked_operations" => Group::Operations,
        "other_config"
        | "xenstore_data"
        | "blobs"
        | "gui_config"
        | "logging"
        | "restrictions"
        | "health_check_config"
        | "guest_agent_config"
        | "sm_config"
        | "properties"
        | "license_params"
        | "qos_algorithm_params"
        | "recommendations"
        | "last_booted_record"
        | "snapshot_metadata" => Group::Configuration,
        "parent" | "children" if class == "VM" => Group::Snapshots,
        "is_a_snapshot" | "transportable_snapshot_id" => Group::Snapshots,
        "order" | "appliance" | "start_delay" | "shutdown_delay" => Group::Availability,
        "domain_type"
        | "platform"
        | "NVRAM"
        | "bios_strings"
        | "chipset_info"
        | "PCI_bus"
        | "consoles"
        | "VUSBs"
        | "VGPUs"
        | "VTPMs"
        | "attached_PCIs"
        | "hardware_platform_version"
        | "has_vendor_device"
        | "generation_id"
        | "PCIs"
        | "PGPUs"
        | "PUSBs"
        | "display"
        | "power_on_mode"
        | "power_on_config"
        | "requires_reboot"
        | "capabilities"
            if class != "PIF" =>
        {
            Group::Boot
        }
        "numa_affinity_policy" | "sched_policy" | "host_CPUs" | "max_cstate" => Group::Compute,
        "guest_metrics" | "os_version" | "netbios_name" => Group::Guest,
        "edition" | "editions" | "patches" | "repositories" | "live_patching_disabled" | "is_psr_pending" => Group::Software,
        "multipathing" | "iscsi_iqn" | "device_config" | "redo_log_vdi" | "redo_log_enabled" | "crashdumps" => {
            Group::Storage
        }
        "hostname" | "address" => Group::Network,
        _ if starts(&["memory", "VCPUs", "cpu_", "HVM_shadow", "guest_VCPUs", "last_boot_CPU"]) => Group::Compute,
        _ if starts(&["HVM_", "PV_drivers"]) && class == "VM_guest_metrics" => Group::Guest,
        _ if starts(&["HVM_", "PV_", "actions_after", "virtual_hardware"]) => Group::Boot,
        _ if starts(&["ha_", "wlb_"]) => Group::Availability,
        _ if starts(&["snapshot", "is_snapshot_from", "is_vmss"]) => Group::Snapshots,
        _ if starts(&[
            "software_version",
            "API_version",
            "updates",
            "pending_guidances",
            "latest_synced",
            "last_software",
        ]) || starts(&["last_update", "update_sync", "repository", "license", "supported_bootloaders"]) =>
        {
            Group::Software
        }
        _ if starts(&[
            "tls_",
            "ssl_",
            "https_",
            "ssh_",
            "secure",
            "uefi",
            "custom_uefi",
            "certificates",
            "external_auth",
        ]) || starts(&[
            "client_certificate",
            "ext_auth",
            "local_auth",
            "protection_policy",
            "auto_update_vm_secureboot",
        ]) =>
        {
            Group::Security
        }
        _ if class != "VDI"
            && class != "SR"
            && starts(&["suspend_", "crash_dump", "VBDs", "PBDs", "local_cache", "default_SR"]) =>
        {
            Group::Storage
        }
        _ if starts(&["VIFs", "PIFs", "IP", "ip", "DNS", "gateway", "netmask", "primary_address", "igmp", "vswitch"]) => {
            Group::Network
        }
        _ => Group::General,
    }
}

/// What people call a field. None where the name in the API is what it is called.
pub(super) fn label(field: &str) -> Option<Text> {
    Some(match field {
        "uuid" => Text::Uuid,
        "name_label" => Text::Name,
        "name_description" => Text::Description,
        "tags" => Text::Tags,
        "power_state" => Text::State,
        "resident_on" | "host" => Text::Host,
        "affinity" => Text::FieldAffinity,
        "memory_static_max" => Text::FieldMemoryStaticMax,
        "memory_static_min" => Text::FieldMemoryStaticMin,
        "memory_dynamic_max" => Text::FieldMemoryDynamicMax,
        "memory_dynamic_min" => Text::FieldMemoryDynamicMin,
        "memory_target" => Text::FieldMemoryTarget,
        "memory_overhead" => Text::FieldMemoryOverhead,
        "VCPUs_max" => Text::FieldVcpusMax,
        "VCPUs_at_startup" => Text::FieldVcpusAtStartup,
        "VBDs" => Text::FieldVbds,
        "VIFs" => Text::FieldVifs,
        "VDIs" => Text::Disks,
        "PIFs" => Text::Nics,
        "PBDs" => Text::FieldPbds,
        "VM" => Text::ClassVm,
        "VDI" => Text::ClassVdi,
        "SR" => Text::ClassSr,
        "network" => Text::ClassNetwork,
        "resident_VMs" => Text::Vms,
        "snapshots" => Text::Snapshots,
        "snapshot_time" => Text::Taken,
        "snapshot_of" => Text::FieldSnapshotOf,
        "other_config" => Text::FieldOtherConfig,
        "allowed_operations" => Text::FieldAllowedOperations,
        "current_operations" => Text::FieldCurrentOperations,
        "blocked_operations" => Text::FieldBlockedOperations,
        "platform" => Text::FieldPlatform,
        "domid" => Text::FieldDomid,
        "ha_restart_priority" => Text::FieldHaRestartPriority,
        "ha_enabled" => Text::HighAvailability,
        "currently_attached" => Text::Attached,
        "bootable" => Text::Bootable,
        "mode" => Text::Mode,
        "type" => Text::Kind,
        "content_type" => Text::ContentType,
        "shared" => Text::Shared,
        "device" => Text::Device,
        "userdevice" => Text::Position,
        "device_config" => Text::DeviceConfig,
        "MAC" => Text::Mac,
        "MTU" => Text::Mtu,
        "IP" => Text::Address,
        "IPv6" => Text::FieldIpv6,
        "netmask" => Text::FieldNetmask,
        "gateway" => Text::FieldGateway,
        "DNS" => Text::FieldDns,
        "bridge" => Text::Bridge,
        "VLAN" | "tag" => Text::VlanTag,
        "management" => Text::Management,
        "carrier" => Text::Carrier,
        "speed" => Text::Speed,
        "links_up" => Text::LinksUp,
        "physical_size" => Text::Size,
        "virtual_size" => Text::Size,
        "physical_utilisation" => Text::PhysicalSize,
        "virtual_allocation" => Text::Allocated,
        "read_only" => Text::ReadOnly,
        "enabled" => Text::Enabled,
        "address" => Text::Address,
        "hostname" => Text::FieldHostname,
        "software_version" => Text::Version,
        "cpu_info" => Text::CpuModel,
        "master" => Text::Master,
        "default_SR" => Text::DefaultSr,
        "updates" => Text::FieldUpdates,
        "certificates" => Text::FieldCertificates,
        "last_updated" => Text::FieldLastUpdated,
        "created" => Text::Started,
        "finished" => Text::FieldFinished,
        "progress" => Text::FieldProgress,
        "status" => Text::State,
        "HVM_boot_params" => Text::FieldBoot,
        "domain_type" => Text::FieldDomainType,
        "appliance" => Text::FieldAppliance,
        "snapshot_schedule" => Text::FieldSnapshotSchedule,
        "VGPUs" => Text::FieldVgpus,
        "attached_PCIs" => Text::FieldAttachedPcis,
        "VTPMs" => Text::FieldVtpms,
        "VUSBs" => Text::FieldVusbs,
        "pending_guidances" => Text::FieldPendingGuidances,
        "edition" => Text::FieldEdition,
        "iscsi_iqn" => Text::FieldIscsiIqn,
        "multipathing" => Text::FieldMultipathing,
        "patches" => Text::FieldPatches,
        "tls_verification_enabled" => Text::FieldTlsVerification,
        "last_software_update" => Text::FieldLastSoftwareUpdate,
        "PGPUs" => Text::FieldPgpus,
        "control_domain" => Text::ClassControlDomain,
        "suspend_image_SR" => Text::FieldSuspendSr,
        "crash_dump_SR" => Text::FieldCrashDumpSr,
        "ha_host_failures_to_tolerate" => Text::FieldHaFailures,
        "ha_plan_exists_for" => Text::FieldHaPlan,
        "ha_overcommitted" => Text::FieldHaOvercommitted,
        "ha_statefiles" => Text::FieldHaStatefiles,
        "igmp_snooping_enabled" => Text::FieldIgmp,
        "migration_compression" => Text::FieldMigrationCompression,
        "last_update_sync" => Text::FieldLastUpdateSync,
        "sm_config" => Text::FieldSmConfig,
        "clustered" => Text::FieldClustered,
        "local_cache_enabled" => Text::FieldLocalCache,
        "is_tools_sr" => Text::FieldIsToolsSr,
        "location" => Text::FieldLocation,
        "on_boot" => Text::FieldOnBoot,
        "cbt_enabled" => Text::FieldCbt,
        "is_tools_iso" => Text::FieldIsToolsIso,
        "purpose" => Text::FieldPurpose,
        "managed" => Text::FieldManaged,
        "default_locking_mode" | "locking_mode" => Text::FieldLocking,
        "assigned_ips" => Text::FieldAssignedIps,
        "ip_configuration_mode" => Text::FieldIpMode,
        "primary_address_type" => Text::FieldPrimaryAddress,
        "disallow_unplug" => Text::FieldDisallowUnplug,
        "properties" => Text::FieldProperties,
        "primary_slave" => Text::FieldPrimarySlave,
        "auto_update_mac" => Text::FieldAutoMac,
        "ipv4_allowed" => Text::FieldIpv4Allowed,
        "ipv6_allowed" => Text::FieldIpv6Allowed,
        "unpluggable" => Text::FieldUnpluggable,
        _ => return None,
    })
}
