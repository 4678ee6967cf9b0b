//! Exports a halted VM, or a snapshot, into a file: `NAME FILE`.
//!
//! ```sh
//! cargo run -p xenapi --example backup -- https://xs1.lab root secret web-01 web-01.xva
//! ```

pub mod common;

use common::{Fault, Task};
use xenapi::{Compression, Export, VM, get_by_name_label};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fault> {
    let mut out = std::io::stdout();
    run(common::task(&mut out)?).await
}

/// The example itself.
pub async fn run(task: Task<'_>) -> Result<(), Fault> {
    let [name, file] = task.rest.as_slice() else { return Err("which VM, and into which FILE?".into()) };
    let client = task.connect().await?;
    let vms = client.call(get_by_name_label::<VM>(name)).await?;
    let [vm] = vms.as_slice() else { return Err(format!("{} VMs have the name {name:?}", vms.len()).into()) };
    let mut to = tokio::fs::File::create(file).await?;
    // Whatever host has the disks is found; and the end of the stream is not believed before the task says that all was sent.
    let export = Export::vm(vm).compressed(Compression::Gzip);
    let bytes = client.export_to(&export, &mut to, |_| ()).await?;
    writeln!(task.out, "{bytes} bytes in {file}")?;
    client.logout().await?;
    Ok(())
}
