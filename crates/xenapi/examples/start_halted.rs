//! Starts every halted VM whose name begins with a text.
//!
//! ```sh
//! cargo run -p xenapi --example start_halted -- http://127.0.0.1:8081 root xenoxide web
//! ```

use xenapi::{Client, Target, Transport, TransportConfig, Trust, VM, VmKind, get_all_records, vm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn core::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [target, user, password, start] = arguments.as_slice() else {
        return Err("usage: start_halted TARGET USER PASSWORD START_OF_NAME".into());
    };
    let target: Target = target.parse()?;
    let client = Client::new(Transport::new(target, &Trust::System, TransportConfig::default())?);
    client.login(user, password, "start_halted").await?;
    for (vm, record) in client.call(get_all_records::<VM>()).await?.records {
        let halted = record.kind() == VmKind::Vm && record.power_state == vm::VmPowerState::Halted;
        if halted && record.name_label.starts_with(start.as_str()) {
            client.run_task(vm::start(&vm, false, false), |_| ()).await?;
            println!("{} runs", record.name_label);
        }
    }
    client.logout().await?;
    Ok(())
}
