//! Starts every halted VM whose name begins with a text, one after the other, and shows how far each is.
//!
//! ```sh
//! cargo run -p xenapi --example start -- https://xs1.lab root secret web
//! ```

pub mod common;

use core::time::Duration;

use common::{Fault, Task};
use xenapi::{VM, VmKind, get_all_records, vm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fault> {
    let mut out = std::io::stdout();
    run(common::task(&mut out)?).await
}

/// The example itself.
pub async fn run(task: Task<'_>) -> Result<(), Fault> {
    let begin = task.rest.first().cloned().unwrap_or_default();
    let client = task.connect().await?;
    for (vm, record) in client.call(get_all_records::<VM>()).await?.records {
        let halted = record.kind() == VmKind::Vm && record.power_state == vm::VmPowerState::Halted;
        if !halted || !record.name_label.starts_with(&begin) {
            continue;
        }
        let mut starting = client.start_task(vm::start(&vm, false, false)).await?;
        while let Some(progress) = starting.progress().await? {
            writeln!(task.out, "{}: {:.0} %", record.name_label, progress * 100.0)?;
        }
        // The refusal of a task is that of a call: NO_HOSTS_AVAILABLE, HOST_NOT_ENOUGH_FREE_MEMORY, …
        match starting.finish_within(Duration::from_secs(600)).await {
            Ok(()) => writeln!(task.out, "{} runs", record.name_label)?,
            Err(error) => writeln!(task.out, "{} does not: {error}", record.name_label)?,
        }
    }
    client.logout().await?;
    Ok(())
}
