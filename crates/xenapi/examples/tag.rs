//! Gives every VM on a host a tag, many at once: `HOST TAG`.
//!
//! ```sh
//! cargo run -p xenapi --example tag -- https://xs1.lab root secret xs-02 maintenance
//! ```

pub mod common;

use common::{Fault, Task};
use xenapi::{Host, VM, VmKind, get_all_records_where, get_by_name_label, vm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fault> {
    let mut out = std::io::stdout();
    run(common::task(&mut out)?).await
}

/// The example itself.
pub async fn run(task: Task<'_>) -> Result<(), Fault> {
    let [host, tag] = task.rest.as_slice() else { return Err("which HOST, and what TAG?".into()) };
    let client = task.connect().await?;
    let hosts = client.call(get_by_name_label::<Host>(host)).await?;
    let [host] = hosts.as_slice() else { return Err(format!("{} hosts have the name {host:?}", hosts.len()).into()) };
    let there = format!("field \"resident_on\" = \"{}\"", host.as_str());
    let vms = client.call(get_all_records_where::<VM>(&there)).await?.records;
    let vms: Vec<_> = vms.into_iter().filter(|(_, vm)| vm.kind() == VmKind::Vm).collect();
    // A server answers some calls side by side; more than about 16 at once only wait.
    let done = client.call_each(vms.iter().map(|(vm, _)| vm::fields::TAGS.add(vm, tag)), 16).await;
    for ((_, vm), done) in vms.iter().zip(done) {
        match done {
            Ok(()) => writeln!(task.out, "{} is tagged", vm.name_label)?,
            Err(error) => writeln!(task.out, "{} is not: {error}", vm.name_label)?,
        }
    }
    client.logout().await?;
    Ok(())
}
