//! The biggest pool.

use super::*;

#[test]
fn the_biggest_pool_has_what_was_asked_for() {
    let mut pool = Pool::with(&Config { hosts: 64, vms: 5000, ..Config::default() });
    let vms = "field \"is_a_template\" = \"false\" and field \"is_control_domain\" = \"false\"";
    assert_eq!(pool.refs("VM.get_all_where", &[vms]).len(), 5000);
    assert_eq!(pool.refs("host.get_all", &[]).len(), 64);
    let disks = pool.refs("VBD.get_all", &[]).len();
    assert!((14_000..18_000).contains(&disks), "{disks}");
}
