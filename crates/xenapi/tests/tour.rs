//! The tour of the crate's documentation, on a simulated pool.
#![allow(clippy::unwrap_used, reason = "a test")]

use xenapi::hyper::server::{ServerConfig, serve};
use xenapi::sim::{Config, PASSWORD, Sim};
use xenapi::vm::VmPowerState;
use xenapi::{Client, Target, Transport, TransportConfig, Trust, VM, VmKind, get_all_records, get_by_uuid, vm};

#[tokio::test]
async fn halted_vms_are_found_started_and_renamed() {
    let config = ServerConfig { http: Some(([127, 0, 0, 1], 0).into()), ..ServerConfig::default() };
    let server = serve(Sim::new(&Config::default()), &config).await.unwrap();
    let target: Target = format!("http://{}", server.http().unwrap()).parse().unwrap();
    let client = Client::new(Transport::new(target, &Trust::System, TransportConfig::default()).unwrap());
    client.login("root", PASSWORD, "the tour").await.unwrap();

    let all = client.call(get_all_records::<VM>()).await.unwrap();
    assert!(all.wrong.is_empty());
    let halted = |vm: &vm::Record| vm.kind() == VmKind::Vm && vm.power_state == VmPowerState::Halted;
    let (this, record) = all.records.into_iter().find(|(_, vm)| halted(vm)).unwrap();
    client.run_task(vm::start(&this, false, false), |_| ()).await.unwrap();
    assert_eq!(client.call(vm::fields::POWER_STATE.get(&this)).await.unwrap(), VmPowerState::Running);

    client.call(vm::fields::NAME_LABEL.set(&this, &"renamed".to_string())).await.unwrap();
    assert_eq!(client.call(get_by_uuid::<VM>(&record.uuid)).await.unwrap(), this);
    assert_eq!(client.call(vm::fields::NAME_LABEL.get(&this)).await.unwrap(), "renamed");

    let refused = client.call(vm::start(&this, false, false)).await.unwrap_err();
    assert_eq!(refused.failure().unwrap().code, "VM_BAD_POWER_STATE");
    client.logout().await.unwrap();
    server.shutdown().await;
}
