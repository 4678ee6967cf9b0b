//! Follows a pool and tells what changes, until a number of changes was seen.
//!
//! ```sh
//! cargo run -p xenapi --example watch -- https://xs1.lab root secret 100
//! ```

pub mod common;

use common::{Fault, Task};
use xenapi::client::{Client as Machine, Config, Operation};
use xenapi::{Class as _, Delta, Live, VM};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fault> {
    let mut out = std::io::stdout();
    run(common::task(&mut out)?).await
}

/// The example itself.
pub async fn run(task: Task<'_>) -> Result<(), Fault> {
    let most: usize = task.rest.first().map_or(Ok(usize::MAX), |number| number.parse())?;
    let mut machine = Machine::new(Config::new(task.user, task.password));
    // The classes to keep; `track_console` has those of a whole pool.
    machine.track::<VM>();
    let live = Live::start(task.transport, machine);
    let mut changes = live.changes();
    live.loaded().await?;
    writeln!(task.out, "{} VMs are known", live.with(|machine| machine.cache().count::<VM>()))?;
    let mut seen = 0;
    while seen < most {
        let Some(delta) = changes.next().await else { break };
        let Delta::Changed(batch) = delta else {
            writeln!(task.out, "too many changes at once: look at everything again")?;
            continue;
        };
        for change in batch.iter().filter(|change| change.operation == Operation::Modified) {
            let name = live.with(|machine| {
                let vm = change.reference.clone().typed::<VM>();
                machine.cache().get(&vm).map(|vm| vm.name_label.clone())
            });
            let fields: Vec<&str> = change.fields.of(VM::DESC).map(|field| field.name).collect();
            writeln!(task.out, "{}: {}", name.unwrap_or_default(), fields.join(", "))?;
            seen += 1;
        }
    }
    live.logout().await;
    Ok(())
}
