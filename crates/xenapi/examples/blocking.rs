//! The same without async: lists VMs, and waits for the first change.
//!
//! ```sh
//! cargo run -p xenapi --features blocking --example blocking -- https://xs1.lab root secret
//! ```

pub mod common;

use core::time::Duration;

use common::{Fault, Task};
use xenapi::client::{Client as Machine, Config};
use xenapi::hyper::blocking::{Client, Live};
use xenapi::{VM, get_all_records};

fn main() -> Result<(), Fault> {
    let mut out = std::io::stdout();
    run(common::task(&mut out)?)
}

/// The example itself.
pub fn run(task: Task<'_>) -> Result<(), Fault> {
    let client = Client::connect(task.transport.clone(), &task.user, &task.password, "xenapi-example")?;
    let vms = client.call(get_all_records::<VM>())?.records;
    writeln!(task.out, "{} VMs, templates and snapshots", vms.len())?;
    client.logout()?;

    let mut machine = Machine::new(Config::new(task.user, task.password));
    machine.track::<VM>();
    let live = Live::start(task.transport, machine)?;
    let mut changes = live.changes();
    live.loaded()?;
    if changes.next_within(Duration::from_secs(10)).is_some() {
        writeln!(task.out, "something changed within ten seconds")?;
    }
    Ok(())
}
