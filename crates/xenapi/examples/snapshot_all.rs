//! Takes a snapshot of every running VM, a few at once, and says which failed and why.
//!
//! ```sh
//! cargo run -p xenapi --example snapshot_all -- https://xs1.lab root secret before-update
//! ```

pub mod common;

use common::{Fault, Task};
use xenapi::vm::VmPowerState;
use xenapi::{VM, VmKind, get_all_records, vm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fault> {
    let mut out = std::io::stdout();
    run(common::task(&mut out)?).await
}

/// The example itself.
pub async fn run(task: Task<'_>) -> Result<(), Fault> {
    let name = task.rest.first().map_or("snapshot", String::as_str);
    let client = task.connect().await?;
    let mut vms = client.call(get_all_records::<VM>()).await?.records;
    vms.retain(|(_, vm)| vm.kind() == VmKind::Vm && vm.power_state == VmPowerState::Running);
    let calls: Vec<_> = vms.iter().map(|(vm, _)| vm::snapshot(vm, name, None)).collect();
    // As tasks, so that no connection waits for a slow SR.
    let snapshots = client.run_each(calls, 4).await;
    for ((_, vm), snapshot) in vms.iter().zip(snapshots) {
        match snapshot {
            Ok(snapshot) => writeln!(task.out, "{}: {snapshot}", vm.name_label)?,
            Err(error) => writeln!(task.out, "{}: {error}", vm.name_label)?,
        }
    }
    client.logout().await?;
    Ok(())
}
