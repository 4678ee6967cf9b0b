//! The hosts of the pool as addresses: what a caller gets who asks another host than the master.

use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{Failure, RawRef};

use crate::{Origin, Sim};

/// Names a host for [`Origin::Host`]; it keeps its number as long as it is in the pool.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HostId(u64);

impl HostId {
    /// By the number of its row.
    pub(crate) fn of(serial: u64) -> Self {
        HostId(serial)
    }
}

/// A host, for drivers that listen for each of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostInfo {
    /// For [`Origin::Host`].
    pub id: HostId,
    /// The object.
    pub reference: RawRef,
    /// Its uuid.
    pub uuid: String,
    /// Its name.
    pub name: String,
    /// The address in its record, which `HOST_IS_SLAVE` and the locations of consoles carry.
    pub address: String,
    /// Whether it is the pool's master.
    pub is_master: bool,
    /// Whether it is up, as its metrics say. A driver refuses connections to a host that is not.
    pub is_live: bool,
}

/// The calls that a host answers on its own, without its master and while it starts.
const EMERGENCY_SAFE: &[&str] = &[
    "session.slave_local_login_with_password",
    "session.local_logout",
    "host.is_in_emergency_mode",
    "host.local_management_reconfigure",
    "host.management_disable",
    "host.emergency_ha_disable",
    "host.emergency_reset_server_certificate",
    "host.emergency_disable_tls_verification",
    "host.emergency_reenable_tls_verification",
    "host.emergency_clear_mandatory_guidance",
    "host.get_system_status_capabilities",
    "host.restart_agent",
    "host.shutdown_agent",
    "host.reset_cpu_features",
    "pool.emergency_transition_to_master",
    "pool.emergency_reset_master",
    "pool.is_slave",
];

/// Whether a call is answered in an emergency, and with a local session.
pub(crate) fn is_emergency_safe(method: &str) -> bool {
    EMERGENCY_SAFE.contains(&method)
}

impl Sim {
    /// The hosts in the order in which they came into the pool.
    pub fn hosts(&self) -> Vec<HostInfo> {
        let (store, master) = (&self.store, self.master());
        let rows = store.table("host").rows.iter();
        let info = rows.map(|(serial, row)| {
            let of = row.reference.as_str();
            let text = |field| String::from(store.text("host", of, field));
            HostInfo {
                id: HostId(*serial),
                reference: row.reference.clone(),
                uuid: text("uuid"),
                name: text("name_label"),
                address: text("address"),
                is_master: row.reference == master,
                is_live: self.is_live(&row.reference),
            }
        });
        info.collect()
    }

    /// The origin of calls that come over the network to a host's address.
    pub fn origin_at(&self, host: &RawRef) -> Origin {
        self.store.table("host").serial(host.as_str()).map_or(Origin::Tcp, |serial| Origin::Host(HostId(serial)))
    }

    /// The host that a call came to: the master, if the driver does not tell hosts apart.
    pub(crate) fn host_of(&self, origin: Origin) -> RawRef {
        let Origin::Host(HostId(serial)) = origin else { return self.master() };
        self.store.table("host").nth(serial).map_or_else(RawRef::null, |row| row.reference.clone())
    }

    /// Whether a call came to another host than the master.
    pub(crate) fn is_member(&self, origin: Origin) -> bool {
        matches!(origin, Origin::Host(_)) && self.host_of(origin) != self.master()
    }

    /// What a member answers to callers that want its master.
    pub(crate) fn is_slave(&self) -> Failure {
        Failure::new("HOST_IS_SLAVE", [self.store.text("host", self.master().as_str(), "address")])
    }

    /// Whether a host is up. One without metrics, as in partial recordings, counts as up.
    pub(crate) fn is_live(&self, host: &RawRef) -> bool {
        let metrics = self.store.reference("host", host.as_str(), "metrics");
        !self.store.contains("host_metrics", metrics.as_str()) || self.store.flag("host_metrics", metrics.as_str(), "live")
    }

    /// Why a host answers emergency calls only.
    pub(crate) fn emergency(&self, origin: Origin) -> Option<Failure> {
        let still_booting = || Failure::new("HOST_STILL_BOOTING", [""; 0]);
        if self.now < self.booting_until {
            return Some(still_booting());
        }
        let is_lost = self.is_member(origin) && !self.is_live(&self.master());
        self.emergency.clone().or_else(|| is_lost.then(still_booting))
    }
}
