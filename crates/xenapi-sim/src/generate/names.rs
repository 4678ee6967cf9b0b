//! What things are called.

/// What VMs do, and how big those are: name, processors, GiB of memory, GiB of the first disk, whether it runs Windows.
pub(crate) const ROLES: &[(&str, i64, i64, i64, bool)] = &[
    ("web", 2, 4, 20, false),
    ("app", 4, 8, 40, false),
    ("db", 8, 16, 120, false),
    ("cache", 2, 8, 20, false),
    ("mail", 4, 8, 200, false),
    ("dns", 1, 1, 10, false),
    ("ldap", 1, 2, 16, false),
    ("git", 4, 8, 100, false),
    ("runner", 4, 8, 60, false),
    ("metrics", 4, 8, 160, false),
    ("logs", 4, 8, 250, false),
    ("proxy", 2, 2, 16, false),
    ("vpn", 1, 1, 10, false),
    ("files", 2, 4, 500, true),
    ("backup", 2, 4, 80, false),
    ("jump", 1, 2, 20, false),
    ("node", 8, 16, 80, false),
    ("desktop", 4, 8, 64, true),
    ("erp", 8, 16, 150, true),
    ("build", 8, 16, 120, false),
];

/// Who owns VMs; tags.
pub(crate) const TEAMS: &[&str] = &["production", "staging", "finance", "research", "platform"];

/// Names of VMs in other scripts.
pub(crate) const ABROAD: &[&str] = &[
    "数据库主节点",
    "büro-server-münchen",
    "сервер-приложений",
    "開発環境-01",
    "خادم-الويب",
    "Überwachung & Alarme",
    "ελληνικός-διακομιστής",
    "서비스-결제",
    "café <preprod>",
    "भंडार-01",
];

/// What VMs that start together are for.
pub(crate) const APPLIANCES: &[&str] = &["Shop", "Mail", "Payroll", "Intranet", "Build farm"];

/// Images in the ISO library, with their sizes in MiB.
pub(crate) const IMAGES: &[(&str, i64)] = &[
    ("debian-12.5.0-amd64-netinst.iso", 629),
    ("ubuntu-24.04-live-server-amd64.iso", 2642),
    ("Rocky-9.4-x86_64-minimal.iso", 1770),
    ("virtio-rescue-2.1.iso", 412),
    ("windows_server_2022_x64.iso", 4870),
];

/// Guest systems: name, distribution, major version, kernel.
pub(crate) const LINUX: &[(&str, &str, &str, &str)] = &[
    ("Debian GNU/Linux 12 (bookworm)", "debian", "12", "6.1.0-21-amd64"),
    ("Ubuntu 24.04 LTS", "ubuntu", "24", "6.8.0-35-generic"),
    ("Rocky Linux release 9.4 (Blue Onyx)", "rocky", "9", "5.14.0-427.el9.x86_64"),
];

/// Words for VLANs, with their tags.
pub(crate) const VLANS: &[(&str, i64)] = &[("Production", 110), ("Staging", 120), ("DMZ", 130), ("Backup", 140)];
