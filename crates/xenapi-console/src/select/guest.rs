//! What VMs and their guests say about themselves, where it takes more than reading a field.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_model::{vm, vm_guest_metrics};

use crate::format;

/// The virtual CPUs that it has or will start with.
pub(crate) fn vcpus(vm: &vm::Record) -> i64 {
    if vm.vcpus_at_startup > 0 { vm.vcpus_at_startup } else { vm.vcpus_max }
}

/// The memory that it has or will get, in bytes.
pub(crate) fn memory(vm: &vm::Record) -> i64 {
    if vm.memory_dynamic_max > 0 { vm.memory_dynamic_max } else { vm.memory_static_max }
}

/// The addresses that a guest agent tells, IPv4 first, each once. Link-local ones tell nobody anything.
pub(crate) fn addresses(guest: &vm_guest_metrics::Record) -> Vec<String> {
    let mut found: Vec<&str> = Vec::new();
    for (key, address) in guest.networks.iter() {
        let is_address = key.ends_with("/ip") || key.contains("/ipv4") || key.contains("/ipv6");
        let is_link_local = address.to_ascii_lowercase().starts_with("fe80");
        if is_address && !is_link_local && !address.is_empty() && !found.contains(&address) {
            found.push(address);
        }
    }
    found.sort_by(|a, b| a.contains(':').cmp(&b.contains(':')).then_with(|| format::natural_cmp(a, b)));
    found.into_iter().map(ToString::to_string).collect()
}
