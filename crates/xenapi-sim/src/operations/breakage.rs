//! What breaks: cables, and the storage behind repositories.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Failure, RawRef};

use crate::Sim;
use crate::operations::{pbd, storage};

/// What a disk says whose storage is gone (`EIO`).
const IO_ERROR: i64 = 5;

impl Sim {
    /// Pulls the cable of a NIC, or puts it back; `pif` is its reference or uuid.
    ///
    /// `PIF_metrics.carrier` follows, of the NIC and of what stands on it. A bond goes on with the NICs that it has left:
    /// `Bond.links_up` counts them, and a message (`BOND_STATUS_CHANGED`) tells.
    ///
    /// # Errors
    /// `HANDLE_INVALID` if there is no such PIF, `PIF_IS_NOT_PHYSICAL` if it has no cable.
    pub fn carrier(&mut self, pif: &str, up: bool) -> Result<(), Failure> {
        let pif = self.find_object("PIF", pif)?;
        if !self.store.flag("PIF", pif.as_str(), "physical") {
            return Err(Failure::new("PIF_IS_NOT_PHYSICAL", [pif.as_str()]));
        }
        self.write_carrier(&pif, up);
        let bond = self.store.reference("PIF", pif.as_str(), "bond_slave_of");
        if self.store.contains("Bond", bond.as_str()) {
            if self.follow_carrier(&bond) {
                self.tell_of_bond(&bond);
            }
        } else {
            self.follow_overlays(&pif);
        }
        self.notice_changes();
        Ok(())
    }

    /// The storage behind a repository stops answering; `sr` is its reference or uuid.
    ///
    /// Its connections are down and cannot be plugged again before [`Sim::storage_recovers`]. Disks in use stay attached, as guests
    /// hold on to them, with an error in `VBD.status_code` and `VBD.status_detail`. A message for each host tells.
    ///
    /// # Errors
    /// `HANDLE_INVALID` if there is no such SR.
    pub fn storage_fails(&mut self, sr: &str) -> Result<(), Failure> {
        let sr = self.find_object("SR", sr)?;
        if self.around.dead.contains_key(&sr) {
            return Ok(());
        }
        let mut connections = self.store.refs("SR", sr.as_str(), "PBDs");
        connections.retain(|pbd| self.store.flag("PBD", pbd.as_str(), "currently_attached"));
        self.around.dead.insert(sr.clone(), connections.clone());
        let failure = storage::check_alive(self, &sr).err();
        let detail = failure.map(|failure| failure.param(1).to_string()).unwrap_or_default();
        self.write_status(&sr, IO_ERROR, &detail);
        let name = String::from(self.store.text("SR", sr.as_str(), "name_label"));
        for connection in connections {
            pbd::unplug(self, &connection);
            let host = self.store.reference("PBD", connection.as_str(), "host");
            let uuid = String::from(self.store.text("host", host.as_str(), "uuid"));
            let host = String::from(self.store.text("host", host.as_str(), "name_label"));
            let body = format!("The storage repository '{name}' is not connected to host '{host}': {detail}");
            self.new_message("PBD_PLUG_FAILED_ON_SERVER_START", 2, "Host", &uuid, &body);
        }
        self.refresh_repository(&sr);
        self.notice_changes();
        Ok(())
    }

    /// The storage behind a repository answers again: the connections that were lost are back.
    ///
    /// # Errors
    /// `HANDLE_INVALID` if there is no such SR.
    pub fn storage_recovers(&mut self, sr: &str) -> Result<(), Failure> {
        let sr = self.find_object("SR", sr)?;
        if let Some(connections) = self.around.dead.remove(&sr) {
            for connection in connections.iter().filter(|pbd| self.store.contains("PBD", pbd.as_str())).collect::<Vec<_>>() {
                pbd::plug(self, connection);
            }
            self.write_status(&sr, 0, "");
            self.notice_changes();
        }
        Ok(())
    }

    /// An object by its reference or uuid.
    fn find_object(&self, class: &str, name: &str) -> Result<RawRef, Failure> {
        self.need(class, name).or_else(|failure| self.by_uuid(self.store.table(class).class, name).map_err(|_| failure))
    }

    /// Writes on the disks in use of a repository how they are.
    fn write_status(&mut self, sr: &RawRef, code: i64, detail: &str) {
        for vdi in self.store.refs("SR", sr.as_str(), "VDIs") {
            for vbd in self.store.refs("VDI", vdi.as_str(), "VBDs") {
                if code == 0 || self.store.flag("VBD", vbd.as_str(), "currently_attached") {
                    self.store.put("VBD", vbd.as_str(), "status_code", code);
                    self.store.put("VBD", vbd.as_str(), "status_detail", detail);
                }
            }
        }
    }

    /// Whether a PIF has a link.
    pub(crate) fn carrier_of(&self, pif: &RawRef) -> bool {
        let metrics = self.store.reference("PIF", pif.as_str(), "metrics");
        self.store.flag("PIF_metrics", metrics.as_str(), "carrier")
    }

    pub(crate) fn write_carrier(&mut self, pif: &RawRef, up: bool) {
        let metrics = self.store.reference("PIF", pif.as_str(), "metrics");
        let date = self.date();
        if self.store.put("PIF_metrics", metrics.as_str(), "carrier", up) {
            self.store.put("PIF_metrics", metrics.as_str(), "speed", if up { 10_000 } else { 0 });
            self.store.put("PIF_metrics", metrics.as_str(), "duplex", up);
            self.store.put("PIF_metrics", metrics.as_str(), "last_updated", date);
        }
    }

    /// What stands on a PIF has a link if that has one.
    pub(crate) fn follow_overlays(&mut self, pif: &RawRef) {
        let up = self.carrier_of(pif);
        for vlan in self.store.refs("PIF", pif.as_str(), "VLAN_slave_of") {
            let untagged = self.store.reference("VLAN", vlan.as_str(), "untagged_PIF");
            self.write_carrier(&untagged, up);
        }
        for tunnel in self.store.refs("PIF", pif.as_str(), "tunnel_transport_PIF_of") {
            let access = self.store.reference("tunnel", tunnel.as_str(), "access_PIF");
            self.write_carrier(&access, up);
        }
    }

    /// A bond has a link while one of its NICs has. Answers whether the number of links changed.
    pub(crate) fn follow_carrier(&mut self, bond: &RawRef) -> bool {
        let slaves = self.store.refs("Bond", bond.as_str(), "slaves");
        let links = slaves.iter().filter(|slave| self.carrier_of(slave)).count();
        let master = self.store.reference("Bond", bond.as_str(), "master");
        self.write_carrier(&master, links > 0);
        self.follow_overlays(&master);
        self.store.put("Bond", bond.as_str(), "links_up", i64::try_from(links).unwrap_or(0))
    }

    fn tell_of_bond(&mut self, bond: &RawRef) {
        let master = self.store.reference("Bond", bond.as_str(), "master");
        let host = self.store.reference("PIF", master.as_str(), "host");
        let (up, total) =
            (self.store.int("Bond", bond.as_str(), "links_up"), self.store.refs("Bond", bond.as_str(), "slaves").len());
        let device = self.store.text("PIF", master.as_str(), "device");
        let (name, uuid) =
            (self.store.text("host", host.as_str(), "name_label"), self.store.text("host", host.as_str(), "uuid"));
        let (uuid, body) = (
            String::from(uuid),
            format!("<body><host>{name}</host><bond>{device}</bond><up>{up}</up><total>{total}</total></body>"),
        );
        self.new_message("BOND_STATUS_CHANGED", 3, "Host", &uuid, &body);
    }
}
