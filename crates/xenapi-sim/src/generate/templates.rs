//! The templates that a pool comes with.

use alloc::format;
use alloc::string::String;

/// A template and what it knows of its system.
pub(super) struct Template {
    pub(super) name: &'static str,
    /// The short name by which templates are known across releases.
    pub(super) label: &'static str,
    pub(super) is_windows: bool,
    /// The most that a VM may have: GiB of memory, and processors.
    memory: i64,
    vcpus: i64,
}

const fn linux(name: &'static str, label: &'static str, memory: i64, vcpus: i64) -> Template {
    Template { name, label, is_windows: false, memory, vcpus }
}

const fn windows(name: &'static str, label: &'static str, memory: i64, vcpus: i64) -> Template {
    Template { name, label, is_windows: true, memory, vcpus }
}

/// Where those for Windows begin.
pub(super) const WINDOWS: usize = 31;

pub(super) const TEMPLATES: &[Template] = &[
    linux("Debian Bookworm 12", "debian-12", 1536, 64),
    linux("Ubuntu Noble Numbat 24.04", "ubuntu-24.04", 1536, 64),
    linux("Rocky Linux 9", "rocky-9", 1536, 64),
    linux("AlmaLinux 9", "almalinux-9", 1536, 64),
    linux("Red Hat Enterprise Linux 9", "rhel-9", 1536, 64),
    linux("Oracle Linux 9", "oel-9", 1536, 64),
    linux("SUSE Linux Enterprise 15 (64-bit)", "sle-15-64bit", 1536, 64),
    linux("CentOS Stream 9", "centos-stream-9", 1536, 64),
    linux("Debian Bullseye 11", "debian-11", 1536, 64),
    linux("Debian Buster 10", "debian-10", 1536, 64),
    linux("Ubuntu Jammy Jellyfish 22.04", "ubuntu-22.04", 1536, 64),
    linux("Ubuntu Focal Fossa 20.04", "ubuntu-20.04", 1536, 64),
    linux("Ubuntu Bionic Beaver 18.04", "ubuntu-18.04", 1536, 32),
    linux("Rocky Linux 8", "rocky-8", 1536, 64),
    linux("AlmaLinux 8", "almalinux-8", 1536, 64),
    linux("Red Hat Enterprise Linux 8", "rhel-8", 1536, 64),
    linux("Red Hat Enterprise Linux 7", "rhel-7", 1536, 32),
    linux("Oracle Linux 8", "oel-8", 1536, 64),
    linux("Oracle Linux 7", "oel-7", 1536, 32),
    linux("CentOS Stream 8", "centos-stream-8", 1536, 64),
    linux("CentOS 8", "centos-8", 1536, 64),
    linux("CentOS 7", "centos-7", 1536, 32),
    linux("Scientific Linux 7", "sl-7", 1536, 32),
    linux("SUSE Linux Enterprise 15 SP4 (64-bit)", "sles-15-sp4-64bit", 1536, 64),
    linux("SUSE Linux Enterprise 12 SP5 (64-bit)", "sles-12-sp5-64bit", 1536, 32),
    linux("SUSE Linux Enterprise Desktop 15 SP4", "sled-15-sp4-64bit", 128, 32),
    linux("Gooroom Platform 2.0", "gooroom-2.0", 1536, 32),
    linux("NeoKylin Linux Server 7", "neokylin-7", 1536, 32),
    linux("Fedora 40", "fedora-40", 1536, 64),
    linux("Alpine Linux 3.20", "alpine-3.20", 512, 32),
    linux("FreeBSD 14", "freebsd-14", 512, 32),
    windows("Windows Server 2022 (64-bit)", "windows-server-2022-64bit", 1536, 64),
    windows("Windows Server 2025 (64-bit)", "windows-server-2025-64bit", 1536, 64),
    windows("Windows 11 (64-bit)", "windows-11-64bit", 1536, 64),
    windows("Windows 10 (64-bit)", "windows-10-64bit", 1536, 32),
    windows("Windows 10 (32-bit)", "windows-10-32bit", 4, 32),
    windows("Windows Server 2019 (64-bit)", "windows-server-2019-64bit", 1536, 64),
    windows("Windows Server 2016 (64-bit)", "windows-server-2016-64bit", 1536, 64),
    windows("Windows Server Core 2022 (64-bit)", "windows-server-core-2022-64bit", 1536, 64),
    Template { name: "Other install media", label: "other-install-media", is_windows: true, memory: 128, vcpus: 32 },
];

/// The limits of a template, as the XML that clients know.
pub(super) fn recommendations(template: &Template) -> String {
    let Template { memory, vcpus, is_windows, .. } = *template;
    let least = if is_windows { 2_i64 << 30 } else { 512 << 20 };
    let mut xml = format!(
        "<restrictions><restriction field=\"memory-static-min\" min=\"{least}\"/><restriction field=\"memory-static-max\" max=\"{}\"/>\
         <restriction field=\"vcpus-max\" max=\"{vcpus}\"/><restriction field=\"vcpus-min\" min=\"1\"/>\
         <restriction field=\"has-vendor-device\" value=\"{is_windows}\"/>\
         <restriction field=\"supports-bios\" value=\"yes\"/><restriction field=\"supports-uefi\" value=\"yes\"/>\
         <restriction field=\"supports-secure-boot\" value=\"{}\"/><restriction max=\"255\" property=\"number-of-vbds\"/>\
         <restriction max=\"7\" property=\"number-of-vifs\"/>",
        memory << 30,
        if is_windows { "yes" } else { "no" },
    );
    for field in ["allow-gpu-passthrough", "allow-vgpu", "allow-network-sriov"] {
        xml.push_str(&format!("<restriction field=\"{field}\" value=\"1\"/>"));
    }
    xml.push_str("</restrictions>");
    xml
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_for_windows_stand_together() {
        assert!(TEMPLATES[..WINDOWS].iter().all(|template| !template.is_windows));
        assert!(TEMPLATES[WINDOWS..].iter().all(|template| template.is_windows));
    }

    #[test]
    fn limits_are_xml() {
        for template in TEMPLATES {
            let xml = recommendations(template);
            let mut reader = quick_xml::Reader::from_str(&xml);
            while reader.read_event().expect(template.name) != quick_xml::events::Event::Eof {}
        }
    }
}
