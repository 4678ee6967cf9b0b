//! Secrets that connections to storage keep.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{RawRef, Struct, Value};

use crate::Sim;

/// The keys of a connection's configuration that hold passwords.
const PASSWORDS: &[&str] = &["password", "chappassword", "incoming_chappassword", "cifspassword"];

/// Moves passwords into secrets: what stays is the secret's uuid.
pub(crate) fn hide(sim: &mut Sim, config: Struct) -> Struct {
    let mut hidden = Struct::new();
    for (key, value) in config.iter() {
        match value.as_text().filter(|_| PASSWORDS.contains(&key)) {
            Some(password) => {
                let (reference, uuid) = (sim.random.reference(), sim.random.uuid());
                let draft = sim.store.draft("secret").with("uuid", &uuid).with("value", password);
                sim.store.insert(&reference, draft);
                hidden.push(format!("{key}_secret"), uuid);
            }
            None => hidden.push(key.to_string(), value.clone()),
        }
    }
    hidden
}

/// Removes the secrets of a connection that goes.
pub(crate) fn forget(sim: &mut Sim, pbd: &RawRef) {
    let config = sim.store.value("PBD", pbd.as_str(), "device_config").and_then(Value::as_struct);
    let uuids = config.into_iter().flat_map(Struct::iter).filter(|(key, _)| key.ends_with("_secret"));
    let uuids: Vec<String> = uuids.filter_map(|(_, value)| value.as_text().map(String::from)).collect();
    for uuid in uuids {
        let class = sim.store.table("secret").class;
        if let Ok(secret) = sim.by_uuid(class, &uuid) {
            sim.store.remove("secret", secret.as_str());
        }
    }
}
