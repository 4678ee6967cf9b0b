//! Counts the VMs of a pool that was recorded: a folder of `CLASS.get_all_records.xml`, as `xenoxide record` writes it, or an `xapi-db.xml` out of
//! a support bundle. No server is asked.
//!
//! ```sh
//! cargo run -p xenapi --features server --example offline -- recordings/
//! ```

use std::io::Write;
use std::path::Path;

use xenapi::client::Cache;
use xenapi::codec::{Limits, xmlrpc};
use xenapi::hyper::server::{ServerConfig, serve};
use xenapi::sim::{PASSWORD, Sim};
use xenapi::vm::VmPowerState;
use xenapi::{Client, TransportConfig, VM, VmKind, get_all_records};

/// An error for people.
type Fault = Box<dyn core::error::Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fault> {
    let path = std::env::args().nth(1).ok_or("which folder or file?")?;
    run(Path::new(&path), &mut std::io::stdout()).await
}

/// The example itself.
pub async fn run(path: &Path, out: &mut (dyn Write + Send)) -> Result<(), Fault> {
    let vms = if path.is_dir() { of_records(path)? } else { of_database(&std::fs::read(path)?).await? };
    for state in [VmPowerState::Running, VmPowerState::Halted, VmPowerState::Suspended, VmPowerState::Paused] {
        writeln!(out, "{state}: {}", vms.iter().filter(|it| **it == state).count())?;
    }
    Ok(())
}

/// Records are replies: the codec reads them, and the cache keeps them as if they had come from a server.
fn of_records(folder: &Path) -> Result<Vec<VmPowerState>, Fault> {
    let mut cache = Cache::new();
    cache.track::<VM>();
    let document = std::fs::read(folder.join("VM.get_all_records.xml"))?;
    let xmlrpc::Outcome::Success(mut reader) = xmlrpc::read_reply(&document, &Limits::reply())? else {
        return Err("the recording is a refusal".into());
    };
    cache.load_records("VM", &mut reader)?;
    let real = cache.iter::<VM>().filter(|(_, vm)| vm.kind() == VmKind::Vm);
    Ok(real.map(|(_, vm)| vm.power_state.clone()).collect())
}

/// A database becomes a simulated pool in memory, which answers every call.
async fn of_database(file: &[u8]) -> Result<Vec<VmPowerState>, Fault> {
    let (sim, _notes) = Sim::from_database(file, 0)?;
    let server = serve(sim, &ServerConfig::default()).await?;
    let client = Client::connect(server.transport(TransportConfig::default()), "root", PASSWORD, "offline").await?;
    let vms = client.call(get_all_records::<VM>()).await?.records;
    Ok(vms.into_iter().filter(|(_, vm)| vm.kind() == VmKind::Vm).map(|(_, vm)| vm.power_state).collect())
}
