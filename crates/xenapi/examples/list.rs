//! Lists the VMs of a pool with their hosts and networks.
//!
//! ```sh
//! cargo run -p xenapi --example list -- https://xs1.lab root secret
//! ```

#![allow(clippy::std_instead_of_alloc, reason = "a program, which always has std")]

pub mod common;

use std::collections::BTreeMap;

use common::{Fault, Task};
use xenapi::{Host, VM, VMGuestMetrics, VmKind, get_all_records};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fault> {
    let mut out = std::io::stdout();
    run(common::task(&mut out)?).await
}

/// The example itself.
pub async fn run(task: Task<'_>) -> Result<(), Fault> {
    let client = task.connect().await?;
    let hosts: BTreeMap<_, _> = client.call(get_all_records::<Host>()).await?.records.into_iter().collect();
    let guests: BTreeMap<_, _> = client.call(get_all_records::<VMGuestMetrics>()).await?.records.into_iter().collect();
    let vms = client.call(get_all_records::<VM>()).await?;
    for (_, vm) in vms.records.iter().filter(|(_, vm)| vm.kind() == VmKind::Vm) {
        let host = vm.resident_on.as_ref().and_then(|host| hosts.get(host)).map_or("–", |host| &host.name_label);
        let guest = vm.guest_metrics.as_ref().and_then(|guest| guests.get(guest));
        let address = guest.and_then(|guest| guest.networks.get("0/ip")).unwrap_or("–");
        writeln!(task.out, "{:<24} {:<10} {host:<16} {address}", vm.name_label, vm.power_state)?;
    }
    // A record that cannot be read does not lose the others.
    for error in &vms.wrong {
        writeln!(task.out, "left out: {error}")?;
    }
    client.logout().await?;
    Ok(())
}
