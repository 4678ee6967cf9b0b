//! Networks, NICs of hosts, VLANs, bonds, tunnels.

use xenapi_core::{NULL, Struct};

use super::*;
use crate::tests::generated::{check_consistent, check_types};

impl Pool {
    /// The PIF of a device on the first host; untagged.
    fn nic(&self, device: &str) -> String {
        self.nic_of(self.sim.store.all("host")[0].as_str(), device)
    }

    fn nic_of(&self, host: &str, device: &str) -> String {
        let store = &self.sim.store;
        let is_it = |pif: &&xenapi_core::RawRef| {
            store.text("PIF", pif.as_str(), "device") == device && store.int("PIF", pif.as_str(), "VLAN") < 0
        };
        store.refs("host", host, "PIFs").iter().find(is_it).unwrap().as_str().into()
    }

    fn network(&mut self, bridge: &str) -> Result<String, Failure> {
        let members = [
            ("name_label", "net".into()),
            ("bridge", bridge.into()),
            ("MTU", Value::Int(0)),
            ("other_config", Value::empty_struct()),
        ];
        let record: Struct = members.into_iter().collect();
        self.call("network.create", &[Value::Struct(record)]).map(|network| network.as_text().unwrap().into())
    }

    fn vlan(&mut self, pif: &str, tag: i64, network: &str) -> Result<String, Failure> {
        let vlan = self.call("VLAN.create", &[pif.into(), Value::Int(tag), network.into()]);
        vlan.map(|vlan| vlan.as_text().unwrap().into())
    }

    fn bond(&mut self, network: &str, members: &[&str]) -> Result<String, Failure> {
        let members: Vec<Value> = members.iter().map(|pif| Value::from(*pif)).collect();
        let bond = self.call("Bond.create", &[network.into(), Value::Array(members), "".into()]);
        bond.map(|bond| bond.as_text().unwrap().into())
    }

    fn carries(&mut self, pif: &str) -> bool {
        let metrics = self.text("PIF.get_metrics", &[pif]);
        self.flag("PIF_metrics.get_carrier", &[&metrics])
    }

    /// What a bond of the first host says: links that are up, and whether its master has one.
    fn links(&mut self, bond: &str) -> (i64, bool) {
        let master = self.text("Bond.get_master", &[bond]);
        (self.ask("Bond.get_links_up", &[bond]).unwrap().as_int().unwrap(), self.carries(&master))
    }
}

#[test]
fn check_59_networks() {
    let mut pool = Pool::new();
    let network = pool.network("").unwrap();
    assert!(pool.text("network.get_bridge", &[&network]).starts_with("xapi"));
    assert_eq!(pool.ask("network.get_MTU", &[&network]), Ok(Value::Int(1500)));
    assert_eq!(pool.network("xenbr77").unwrap_err(), failure("INVALID_VALUE", &["bridge", "xenbr77"]));
    pool.network("mine").unwrap();
    assert_eq!(pool.network("mine").unwrap_err(), failure("BRIDGE_NAME_EXISTS", &["mine"]));
    let attached = pool.refs("VIF.get_all_where", &["field \"currently_attached\" = \"true\""])[0].clone();
    let used = pool.text("VIF.get_network", &[&attached]);
    let refused = pool.ask("network.destroy", &[&used]).unwrap_err();
    assert!(refused.code == "NETWORK_CONTAINS_VIF" && refused.params.contains(&attached));
    let management = pool.nic("eth0");
    let with_nics = pool.text("PIF.get_network", &[&management]);
    assert_eq!(pool.ask("network.destroy", &[&with_nics]).unwrap_err().code, "NETWORK_CONTAINS_PIF");
    let internal = pool.refs("network.get_by_name_label", &["Host internal management network"])[0].clone();
    assert_eq!(
        pool.ask("network.destroy", &[&internal]).unwrap_err(),
        failure("CANNOT_DESTROY_SYSTEM_NETWORK", &[&internal])
    );
    // A NIC that nobody uses goes with its network.
    let vm = pool.vm("Halted");
    let vif = pool.refs("VM.get_VIFs", &[&vm])[0].clone();
    pool.ask("VIF.move", &[&vif, &network]).unwrap();
    pool.ask("network.destroy", &[&network]).unwrap();
    assert!(pool.ask("VIF.get_uuid", &[&vif]).is_err());
    check_consistent(&pool.sim);
}

#[test]
fn purposes_of_networks_exclude_each_other() {
    let mut pool = Pool::new();
    let (one, two) = (pool.network("one").unwrap(), pool.network("two").unwrap());
    pool.ask("network.add_purpose", &[&one, "nbd"]).unwrap();
    pool.ask("network.add_purpose", &[&one, "nbd"]).unwrap();
    assert_eq!(pool.ask("network.get_purpose", &[&one]), Ok(Value::Array(vec!["nbd".into()])));
    let refused = pool.ask("network.add_purpose", &[&two, "insecure_nbd"]).unwrap_err();
    assert_eq!(refused, failure("NETWORK_INCOMPATIBLE_PURPOSES", &["insecure_nbd", "nbd"]));
    pool.ask("network.remove_purpose", &[&one, "nbd"]).unwrap();
    pool.ask("network.add_purpose", &[&two, "insecure_nbd"]).unwrap();
}

#[test]
fn check_60_vlans() {
    let mut pool = Pool::new();
    let (pif, network, other) = (pool.nic("eth3"), pool.network("one").unwrap(), pool.network("two").unwrap());
    assert_eq!(pool.vlan(&pif, 4095, &network).unwrap_err(), failure("VLAN_TAG_INVALID", &["4095"]));
    let vlan = pool.vlan(&pif, 77, &network).unwrap();
    let untagged = pool.text("VLAN.get_untagged_PIF", &[&vlan]);
    assert_eq!(pool.text("PIF.get_MAC", &[&untagged]), "fe:ff:ff:ff:ff:ff");
    assert_eq!(pool.ask("PIF.get_VLAN", &[&untagged]), Ok(Value::Int(77)));
    assert_eq!(pool.text("PIF.get_VLAN_master_of", &[&untagged]), vlan);
    assert_eq!(pool.refs("PIF.get_VLAN_slave_of", &[&pif]), [vlan.as_str()]);
    assert!(pool.flag("PIF.get_currently_attached", &[&untagged]));
    let host = pool.text("PIF.get_host", &[&pif]);
    assert_eq!(pool.vlan(&pif, 77, &other).unwrap_err(), failure("PIF_VLAN_EXISTS", &["eth3"]));
    let connected = failure("NETWORK_ALREADY_CONNECTED", &[&host, &untagged]);
    assert_eq!(pool.vlan(&pif, 77, &network).unwrap_err(), connected);
    assert_eq!(pool.vlan(&untagged, 78, &other).unwrap_err(), failure("PIF_IS_VLAN", &[&untagged]));
    let slave = pool.nic("eth1");
    assert_eq!(pool.vlan(&slave, 78, &other).unwrap_err(), failure("CANNOT_ADD_VLAN_TO_BOND_SLAVE", &[&slave]));
    assert_eq!(pool.ask("PIF.forget", &[&pif]).unwrap_err(), failure("PIF_VLAN_STILL_EXISTS", &[&pif]));
    pool.ask("VLAN.destroy", &[&vlan]).unwrap();
    assert!(pool.ask("PIF.get_uuid", &[&untagged]).is_err());
    assert!(pool.refs("PIF.get_VLAN_slave_of", &[&pif]).is_empty());
    check_consistent(&pool.sim);
}

#[test]
fn a_bond_takes_over_the_address_the_vlans_and_the_guests_and_gives_them_back() {
    let mut pool = Pool::with(&Config { hosts: 1, vms: 4, ..Config::default() });
    // Take the bond apart that the pool has.
    let bond = pool.refs("Bond.get_all", &[])[0].clone();
    let (master, old_primary) = (pool.text("Bond.get_master", &[&bond]), pool.text("Bond.get_primary_slave", &[&bond]));
    let vlans = pool.refs("PIF.get_VLAN_slave_of", &[&master]);
    let network = pool.text("PIF.get_network", &[&master]);
    pool.ask("Bond.destroy", &[&bond]).unwrap();
    assert!(pool.ask("PIF.get_uuid", &[&master]).is_err());
    let mut moved = pool.refs("PIF.get_VLAN_slave_of", &[&old_primary]);
    moved.sort();
    let mut expected = vlans.clone();
    expected.sort();
    assert_eq!(moved, expected);
    assert!(pool.flag("PIF.get_currently_attached", &[&old_primary]));
    assert_eq!(pool.text("PIF.get_bond_slave_of", &[&old_primary]), NULL);
    check_consistent(&pool.sim);

    // The management interface lends its address and its MAC.
    let (management, other) = (pool.nic("eth0"), pool.nic("eth2"));
    let (ip, mac) = (pool.text("PIF.get_IP", &[&management]), pool.text("PIF.get_MAC", &[&management]));
    let bond = pool.bond(&network, &[&other, &management]).unwrap();
    let master = pool.text("Bond.get_master", &[&bond]);
    assert_eq!(pool.text("PIF.get_device", &[&master]), "bond0");
    assert_eq!((pool.text("PIF.get_IP", &[&master]), pool.text("PIF.get_MAC", &[&master])), (ip.clone(), mac));
    assert!(pool.flag("PIF.get_management", &[&master]) && !pool.flag("PIF.get_management", &[&management]));
    assert_eq!(pool.text("PIF.get_ip_configuration_mode", &[&management]), "None");
    assert_eq!(pool.text("Bond.get_primary_slave", &[&bond]), management);
    assert_eq!(pool.ask("PIF.plug", &[&management]).unwrap_err(), failure("CANNOT_PLUG_BOND_SLAVE", &[&management]));
    assert_eq!(pool.ask("PIF.unplug", &[&master]).unwrap_err(), failure("PIF_IS_MANAGEMENT_INTERFACE", &[&master]));
    pool.ask("Bond.destroy", &[&bond]).unwrap();
    assert_eq!(pool.text("PIF.get_IP", &[&management]), ip);
    assert!(pool.flag("PIF.get_management", &[&management]));
    check_consistent(&pool.sim);
    check_types(&pool.sim);
}

#[test]
fn vlans_of_members_move_to_the_bond_once() {
    let mut pool = Pool::with(&Config { hosts: 1, vms: 2, ..Config::default() });
    let bond = pool.refs("Bond.get_all", &[])[0].clone();
    pool.ask("Bond.destroy", &[&bond]).unwrap();
    let (one, two) = (pool.nic("eth2"), pool.nic("eth3"));
    let (first, second, own) = (pool.network("one").unwrap(), pool.network("two").unwrap(), pool.network("own").unwrap());
    let kept = pool.vlan(&one, 99, &first).unwrap();
    let gone = pool.vlan(&two, 99, &second).unwrap();
    let bond = pool.bond(&own, &[&one, &two]).unwrap();
    let master = pool.text("Bond.get_master", &[&bond]);
    assert_eq!(pool.refs("PIF.get_VLAN_slave_of", &[&master]), [kept.as_str()]);
    assert!(pool.ask("VLAN.get_uuid", &[&gone]).is_err());
    let untagged = pool.text("VLAN.get_untagged_PIF", &[&kept]);
    assert_eq!(pool.text("PIF.get_device", &[&untagged]), "bond0");
    assert_eq!(pool.vlan(&master, 99, &second).unwrap_err(), failure("PIF_VLAN_EXISTS", &["bond0"]));
    check_consistent(&pool.sim);
}

#[test]
fn bonds_refuse_what_cannot_be_bonded() {
    let mut pool = Pool::new();
    let network = pool.network("one").unwrap();
    assert_eq!(pool.bond(&network, &[]).unwrap_err(), failure("PIF_BOND_NEEDS_MORE_MEMBERS", &[]));
    let (slave, free) = (pool.nic("eth1"), pool.nic("eth3"));
    assert_eq!(pool.bond(&network, &[&free, &slave]).unwrap_err(), failure("PIF_ALREADY_BONDED", &[&slave]));
    let second = pool.sim.store.all("host")[1].clone();
    let elsewhere = pool.nic_of(second.as_str(), "eth3");
    let across = pool.bond(&network, &[&free, &elsewhere]).unwrap_err();
    assert_eq!(across, failure("PIF_CANNOT_BOND_CROSS_HOST", &[]));
    let management = pool.nic("eth0");
    let two = pool.bond(&network, &[&free, &management]).unwrap_err();
    assert_eq!(two, failure("PIF_BOND_MORE_THAN_ONE_IP", &[]));
    let bond = pool.refs("Bond.get_all", &[])[0].clone();
    let property = |pool: &mut Pool, name: &str, value: &str| pool.ask("Bond.set_property", &[&bond, name, value]);
    let wrong = failure("INVALID_VALUE", &["properties", "lacp-time = slow"]);
    assert_eq!(property(&mut pool, "lacp-time", "slow").unwrap_err(), wrong);
    pool.ask("Bond.set_mode", &[&bond, "lacp"]).unwrap();
    property(&mut pool, "lacp-time", "fast").unwrap();
    let properties = pool.ask("Bond.get_properties", &[&bond]).unwrap();
    let properties = properties.as_struct().unwrap();
    assert_eq!(properties.get("lacp-time"), Some(&"fast".into()));
    assert_eq!(properties.get("hashing_algorithm"), Some(&"tcpudp_ports".into()));
    pool.ask("Bond.set_mode", &[&bond, "active-backup"]).unwrap();
    assert_eq!(pool.ask("Bond.get_properties", &[&bond]), Ok(Value::empty_struct()));
}

#[test]
fn a_bond_survives_one_nic_and_not_both() {
    let mut pool = Pool::new();
    let (one, two) = (pool.nic("eth1"), pool.nic("eth2"));
    let bond = pool.text("PIF.get_bond_slave_of", &[&one]);
    let master = pool.text("Bond.get_master", &[&bond]);
    let vlan = pool.refs("PIF.get_VLAN_slave_of", &[&master])[0].clone();
    let untagged = pool.text("VLAN.get_untagged_PIF", &[&vlan]);
    let messages = pool.refs("message.get_all", &[]).len();
    assert_eq!(pool.links(&bond), (2, true));
    pool.sim.carrier(&one, false).unwrap();
    assert!(!pool.carries(&one) && pool.carries(&untagged));
    assert_eq!(pool.links(&bond), (1, true));
    let uuid = pool.text("PIF.get_uuid", &[&two]);
    pool.sim.carrier(&uuid, false).unwrap();
    assert_eq!(pool.links(&bond), (0, false));
    assert!(!pool.carries(&untagged));
    pool.sim.carrier(&two, true).unwrap();
    assert_eq!(pool.links(&bond), (1, true));
    assert!(pool.carries(&untagged));
    let all = pool.refs("message.get_all", &[]);
    assert_eq!(all.len(), messages + 3);
    assert_eq!(pool.sim.store.text("message", all.last().unwrap(), "name"), "BOND_STATUS_CHANGED");
    assert!(pool.sim.store.text("message", all.last().unwrap(), "body").contains("<up>1</up><total>2</total>"));
    assert_eq!(pool.sim.carrier(&master, false).unwrap_err(), failure("PIF_IS_NOT_PHYSICAL", &[&master]));
    assert_eq!(pool.sim.carrier("nowhere", false).unwrap_err(), failure("HANDLE_INVALID", &["PIF", "nowhere"]));
}

#[test]
fn addresses_of_nics() {
    let mut pool = Pool::new();
    let (pif, slave, management) = (pool.nic("eth3"), pool.nic("eth1"), pool.nic("eth0"));
    let set = |pool: &mut Pool, pif: &str, mode: &str, ip: &str, netmask: &str| {
        pool.ask("PIF.reconfigure_ip", &[pif, mode, ip, netmask, "", ""])
    };
    let invalid = |what: &str| failure("INVALID_IP_ADDRESS_SPECIFIED", &[what]);
    assert_eq!(set(&mut pool, &pif, "Static", "x", "255.255.255.0").unwrap_err(), invalid("IP"));
    assert_eq!(set(&mut pool, &pif, "Static", "192.0.2.9", "").unwrap_err(), invalid("netmask"));
    let bonded = set(&mut pool, &slave, "DHCP", "", "").unwrap_err();
    assert_eq!(bonded, failure("PIF_ALREADY_BONDED", &[&slave]));
    let none = set(&mut pool, &management, "None", "", "").unwrap_err();
    assert_eq!(none, failure("PIF_IS_MANAGEMENT_INTERFACE", &[&management]));
    set(&mut pool, &pif, "Static", "192.0.2.99", "255.255.255.0").unwrap();
    assert_eq!(pool.text("PIF.get_IP", &[&pif]), "192.0.2.99");
    set(&mut pool, &pif, "DHCP", "", "").unwrap();
    assert!(pool.text("PIF.get_IP", &[&pif]).starts_with("10."));
    set(&mut pool, &pif, "None", "", "").unwrap();
    assert_eq!((pool.text("PIF.get_IP", &[&pif]), pool.text("PIF.get_netmask", &[&pif])), (String::new(), String::new()));
    let six = |pool: &mut Pool, ip: &str| pool.ask("PIF.reconfigure_ipv6", &[&pif, "Static", ip, "", ""]);
    let refused = six(&mut pool, "2001:db8::1").unwrap_err();
    assert_eq!(refused, failure("INVALID_CIDR_ADDRESS_SPECIFIED", &["IPv6"]));
    six(&mut pool, "2001:db8::1/64").unwrap();
    assert_eq!(pool.refs("PIF.get_IPv6", &[&pif]), ["2001:db8::1/64"]);
    pool.ask("PIF.set_primary_address_type", &[&pif, "IPv6"]).unwrap();
    let back = pool.ask("PIF.set_primary_address_type", &[&pif, "IPv4"]).unwrap_err();
    assert_eq!(back, failure("PIF_INCOMPATIBLE_PRIMARY_ADDRESS_TYPE", &[&pif]));
    // Who moves the management interface moves the host.
    set(&mut pool, &management, "Static", "192.0.2.250", "255.255.255.0").unwrap();
    let host = pool.text("PIF.get_host", &[&management]);
    assert_eq!(pool.text("host.get_address", &[&host]), "192.0.2.250");
}

#[test]
fn nics_that_were_forgotten_are_found_again() {
    let mut pool = Pool::new();
    let (pif, management) = (pool.nic("eth3"), pool.nic("eth0"));
    let refused = pool.ask("PIF.forget", &[&management]).unwrap_err();
    assert_eq!(refused, failure("PIF_IS_MANAGEMENT_INTERFACE", &[&management]));
    let (host, mac) = (pool.text("PIF.get_host", &[&pif]), pool.text("PIF.get_MAC", &[&pif]));
    pool.ask("PIF.forget", &[&pif]).unwrap();
    let unknown = pool.ask("PIF.introduce", &[&host, "00:11:22:33:44:55", "eth9"]).unwrap_err();
    assert_eq!(unknown, failure("MAC_DOES_NOT_EXIST", &["00:11:22:33:44:55"]));
    assert_eq!(pool.ask("PIF.introduce", &[&host, "zz", "eth3"]).unwrap_err(), failure("MAC_INVALID", &["zz"]));
    let back = pool.text("PIF.introduce", &[&host, &mac.to_uppercase(), "eth3"]);
    assert_eq!((pool.text("PIF.get_MAC", &[&back]), pool.text("PIF.get_device", &[&back])), (mac, "eth3".into()));
    let twice = pool.ask("PIF.introduce", &[&host, "", "eth3"]).unwrap_err();
    assert_eq!(twice, failure("DUPLICATE_PIF_DEVICE_NAME", &["eth3"]));
    pool.ask("PIF.forget", &[&back]).unwrap();
    pool.ask("PIF.scan", &[&host]).unwrap();
    let found = pool.nic("eth3");
    assert!(pool.flag("PIF.get_physical", &[&found]));
    check_consistent(&pool.sim);
    check_types(&pool.sim);
}

#[test]
fn nics_in_use_stay_up() {
    let mut pool = Pool::new();
    let vif = pool.refs("VIF.get_all_where", &["field \"currently_attached\" = \"true\""])[0].clone();
    let (vm, network) = (pool.text("VIF.get_VM", &[&vif]), pool.text("VIF.get_network", &[&vif]));
    let host = pool.text("VM.get_resident_on", &[&vm]);
    let pifs = pool.refs("network.get_PIFs", &[&network]);
    let pif = pifs.into_iter().find(|pif| pool.text("PIF.get_host", &[pif]) == host).unwrap();
    let busy = pool.ask("PIF.unplug", &[&pif]).unwrap_err();
    assert!(busy.code == "VIF_IN_USE" && busy.param(0) == network);
    let free = pool.nic("eth3");
    pool.call("PIF.set_disallow_unplug", &[free.as_str().into(), true.into()]).unwrap();
    assert_eq!(pool.ask("PIF.unplug", &[&free]).unwrap_err(), failure("PIF_DOES_NOT_ALLOW_UNPLUG", &[&free]));
    pool.call("PIF.set_disallow_unplug", &[free.as_str().into(), false.into()]).unwrap();
    pool.ask("PIF.unplug", &[&free]).unwrap();
    assert!(!pool.flag("PIF.get_currently_attached", &[&free]));
    pool.ask("PIF.plug", &[&free]).unwrap();
    assert!(pool.flag("PIF.get_currently_attached", &[&free]));
}

#[test]
fn tunnels_need_an_address_below() {
    let mut pool = Pool::new();
    let (transport, network, slave) = (pool.nic("eth3"), pool.network("one").unwrap(), pool.nic("eth1"));
    let bonded = pool.ask("tunnel.create", &[&slave, &network]).unwrap_err();
    assert_eq!(bonded, failure("CANNOT_ADD_TUNNEL_TO_BOND_SLAVE", &[&slave]));
    let tunnel = pool.text("tunnel.create", &[&transport, &network, "vxlan"]);
    let access = pool.text("tunnel.get_access_PIF", &[&tunnel]);
    assert_eq!(pool.text("PIF.get_device", &[&access]), "tunnel0");
    assert_eq!(pool.text("tunnel.get_protocol", &[&tunnel]), "vxlan");
    assert_eq!(pool.ask("PIF.forget", &[&transport]).unwrap_err(), failure("PIF_TUNNEL_STILL_EXISTS", &[&transport]));
    let other = pool.network("two").unwrap();
    let nested = pool.ask("tunnel.create", &[&access, &other]).unwrap_err();
    assert_eq!(nested, failure("IS_TUNNEL_ACCESS_PIF", &[&access]));
    pool.ask("PIF.reconfigure_ip", &[&transport, "None", "", "", "", ""]).unwrap();
    let down = failure("TRANSPORT_PIF_NOT_CONFIGURED", &[&transport]);
    assert_eq!(pool.ask("PIF.plug", &[&access]).unwrap_err(), down);
    assert_eq!(pool.ask("tunnel.create", &[&transport, &other]).unwrap_err(), down);
    pool.ask("tunnel.destroy", &[&tunnel]).unwrap();
    assert!(pool.ask("PIF.get_uuid", &[&access]).is_err());
    check_consistent(&pool.sim);
}

#[test]
fn a_nic_split_by_sriov() {
    let mut pool = Pool::new();
    let (pif, network) = (pool.nic("eth3"), pool.network("one").unwrap());
    let sriov = pool.text("network_sriov.create", &[&pif, &network]);
    let logical = pool.text("network_sriov.get_logical_PIF", &[&sriov]);
    assert_eq!(pool.text("PIF.get_network", &[&logical]), network);
    assert_eq!(pool.ask("network_sriov.get_remaining_capacity", &[&sriov]), Ok(Value::Int(63)));
    let other = pool.network("two").unwrap();
    let twice = pool.ask("network_sriov.create", &[&pif, &other]).unwrap_err();
    assert_eq!(twice, failure("NETWORK_SRIOV_ALREADY_ENABLED", &[&pif]));
    let virtual_nic = pool.ask("network_sriov.create", &[&logical, &other]).unwrap_err();
    assert_eq!(virtual_nic, failure("PIF_IS_NOT_PHYSICAL", &[&logical]));
    assert_eq!(pool.ask("PIF.forget", &[&pif]).unwrap_err(), failure("PIF_SRIOV_STILL_EXISTS", &[&pif]));
    pool.ask("network_sriov.destroy", &[&sriov]).unwrap();
    assert!(pool.ask("PIF.get_uuid", &[&logical]).is_err());
    check_consistent(&pool.sim);
}

#[test]
fn clusters_rely_on_nics_that_stay() {
    let mut pool = Pool::new();
    let (pif, hosts) = (pool.nic("eth3"), pool.refs("host.get_all", &[]).len());
    let create = |pool: &mut Pool, stack: &str, timeout: f64| {
        pool.call("Cluster.create", &[pif.as_str().into(), stack.into(), true.into(), timeout.into()])
    };
    assert_eq!(create(&mut pool, "other", 20.0).unwrap_err(), failure("INVALID_CLUSTER_STACK", &["other"]));
    assert_eq!(create(&mut pool, "corosync", 0.5).unwrap_err(), failure("INVALID_VALUE", &["token_timeout", "0.5"]));
    assert_eq!(create(&mut pool, "corosync", 20.0).unwrap_err(), failure("PIF_ALLOWS_UNPLUG", &[&pif]));
    let network = pool.text("PIF.get_network", &[&pif]);
    let cluster = pool.text("Cluster.pool_create", &[&network, "corosync"]);
    assert_eq!(pool.text("Cluster.get_network", &[&cluster]), network);
    let members = pool.refs("Cluster.get_cluster_hosts", &[&cluster]);
    assert_eq!(members.len(), hosts);
    assert!(pool.flag("PIF.get_disallow_unplug", &[&pif]) && pool.flag("Cluster.get_is_quorate", &[&cluster]));
    assert_eq!(create(&mut pool, "corosync", 20.0).unwrap_err(), failure("CLUSTER_ALREADY_EXISTS", &[]));
    pool.ask("Cluster_host.disable", &[&members[0]]).unwrap();
    pool.ask("Cluster_host.disable", &[&members[1]]).unwrap();
    assert!(!pool.flag("Cluster.get_is_quorate", &[&cluster]));
    pool.ask("Cluster.pool_resync", &[&cluster]).unwrap();
    assert!(pool.flag("Cluster.get_is_quorate", &[&cluster]));
    let many = failure("CLUSTER_DOES_NOT_HAVE_ONE_NODE", &[&hosts.to_string()]);
    assert_eq!(pool.ask("Cluster.destroy", &[&cluster]).unwrap_err(), many);
    for member in &members[1..] {
        pool.ask("Cluster_host.destroy", &[member]).unwrap();
    }
    let last = pool.ask("Cluster_host.destroy", &[&members[0]]).unwrap_err();
    assert_eq!(last, failure("CLUSTER_HOST_IS_LAST", &[&members[0]]));
    pool.ask("Cluster.destroy", &[&cluster]).unwrap();
    assert!(pool.refs("Cluster_host.get_all", &[]).is_empty());
    check_consistent(&pool.sim);
}

#[test]
fn services_around_the_pool() {
    let mut pool = Pool::new();
    let site = pool.text("PVS_site.introduce", &["site", "", "u"]);
    let server = |pool: &mut Pool, address: &str, first: i64| {
        let addresses = Value::Array(vec![address.into()]);
        pool.call("PVS_server.introduce", &[addresses, Value::Int(first), Value::Int(6930), site.as_str().into()])
    };
    assert_eq!(server(&mut pool, "x", 6910).unwrap_err(), failure("INVALID_IP_ADDRESS_SPECIFIED", &["addresses"]));
    assert_eq!(server(&mut pool, "192.0.2.8", 0).unwrap_err().code, "VALUE_NOT_SUPPORTED");
    let known: String = server(&mut pool, "192.0.2.8", 6910).unwrap().as_text().unwrap().into();
    let used = failure("PVS_SERVER_ADDRESS_IN_USE", &["192.0.2.8"]);
    assert_eq!(server(&mut pool, "192.0.2.8", 6910).unwrap_err(), used);
    let servers = failure("PVS_SITE_CONTAINS_SERVERS", &[&known]);
    assert_eq!(pool.ask("PVS_site.forget", &[&site]).unwrap_err(), servers);
    let vif = pool.refs("VIF.get_all_where", &["field \"device\" = \"0\""])[0].clone();
    let proxy = pool.text("PVS_proxy.create", &[&site, &vif]);
    let twice = pool.ask("PVS_proxy.create", &[&site, &vif]).unwrap_err();
    assert_eq!(twice, failure("PVS_PROXY_ALREADY_PRESENT", &[&proxy]));
    pool.ask("PVS_server.forget", &[&known]).unwrap();
    pool.ask("PVS_site.forget", &[&site]).unwrap();
    assert!(pool.ask("PVS_proxy.get_uuid", &[&proxy]).is_err());
    let repository = |pool: &mut Pool, name: &str, url: &str| {
        let texts = [name, "", url, ""].map(Value::from);
        let params: Vec<Value> = texts.into_iter().chain([true.into()]).collect();
        pool.call("Repository.introduce", &params)
    };
    assert_eq!(repository(&mut pool, "base", "ftp://x").unwrap_err(), failure("INVALID_BASE_URL", &["ftp://x"]));
    let base: String = repository(&mut pool, "base", "https://example.org/r").unwrap().as_text().unwrap().into();
    let again = repository(&mut pool, "other", "https://example.org/r").unwrap_err();
    assert_eq!(again, failure("REPOSITORY_ALREADY_EXISTS", &[&base]));
    pool.ask("Repository.forget", &[&base]).unwrap();
    check_consistent(&pool.sim);
}

#[test]
fn vlans_by_the_name_of_the_nic() {
    let mut pool = Pool::new();
    let (pif, network) = (pool.nic("eth3"), pool.network("one").unwrap());
    let host = pool.text("PIF.get_host", &[&pif]);
    let create = |pool: &mut Pool, device: &str| {
        pool.call("PIF.create_VLAN", &[device.into(), network.as_str().into(), host.as_str().into(), Value::Int(7)])
    };
    assert_eq!(create(&mut pool, "eth77").unwrap_err(), failure("PIF_DEVICE_NOT_FOUND", &[]));
    let untagged: String = create(&mut pool, "eth3").unwrap().as_text().unwrap().into();
    assert_eq!(pool.ask("PIF.destroy", &[&pif]).unwrap_err(), failure("PIF_IS_PHYSICAL", &[&pif]));
    pool.ask("PIF.destroy", &[&untagged]).unwrap();
    assert!(pool.refs("PIF.get_VLAN_slave_of", &[&pif]).is_empty());
    check_consistent(&pool.sim);
}

#[test]
fn properties_of_a_bond_are_those_of_its_members() {
    let mut pool = Pool::new();
    let slave = pool.nic("eth1");
    let bond = pool.text("PIF.get_bond_slave_of", &[&slave]);
    let master = pool.text("Bond.get_master", &[&bond]);
    let refused = pool.ask("PIF.set_property", &[&slave, "gro", "off"]).unwrap_err();
    assert_eq!(refused, failure("CANNOT_CHANGE_PIF_PROPERTIES", &[&slave]));
    let wrong = pool.ask("PIF.set_property", &[&master, "gro", "maybe"]).unwrap_err();
    assert_eq!(wrong, failure("INVALID_VALUE", &["properties", "gro = maybe"]));
    pool.ask("PIF.set_property", &[&master, "gro", "off"]).unwrap();
    for pif in [&master, &slave] {
        assert_eq!(pool.sim.store.key("PIF", pif, "properties", "gro"), Some("off"));
    }
}

#[test]
fn a_network_that_guests_follow_keeps_its_mode() {
    let mut pool = Pool::new();
    let vif = pool.refs("VIF.get_all_where", &["field \"currently_attached\" = \"true\""])[0].clone();
    let (used, free) = (pool.text("VIF.get_network", &[&vif]), pool.network("one").unwrap());
    let busy = pool.ask("network.set_default_locking_mode", &[&used, "disabled"]).unwrap_err();
    assert_eq!((busy.code.as_str(), busy.param(0)), ("VIF_IN_USE", used.as_str()));
    pool.ask("network.set_default_locking_mode", &[&free, "disabled"]).unwrap();
    assert_eq!(pool.text("network.get_default_locking_mode", &[&free]), "disabled");
}

#[test]
fn trunks_carry_tags() {
    let mut pool = Pool::new();
    let vif = pool.refs("VIF.get_all", &[])[0].clone();
    let tags = |tags: &[i64]| Value::Array(tags.iter().map(|tag| Value::Int(*tag)).collect());
    let wrong = pool.call("VIF.set_trunks", &[vif.as_str().into(), tags(&[1, 4095])]).unwrap_err();
    assert_eq!(wrong, failure("VLAN_TAG_INVALID", &["4095"]));
    pool.call("VIF.set_trunks", &[vif.as_str().into(), tags(&[1, 2])]).unwrap();
    pool.call("VIF.add_trunks", &[vif.as_str().into(), Value::Int(3)]).unwrap();
    pool.call("VIF.remove_trunks", &[vif.as_str().into(), Value::Int(1)]).unwrap();
    assert_eq!(pool.ask("VIF.get_trunks", &[&vif]), Ok(tags(&[2, 3])));
}
