//! The kinds of tables, a constant and a function each: its columns, and what a record puts into them, in the same order.

mod compute;
mod happenings;
mod network;
mod storage;
mod told;

pub(crate) use happenings::{about, severity, words};
pub(crate) use told::short;

use super::rows::Pass;
use super::spec::Spec;
use crate::route::Kind;

pub(super) fn spec(kind: Kind) -> &'static Spec {
    match kind {
        Kind::Vms => &compute::VMS,
        Kind::Templates => &compute::TEMPLATES,
        Kind::Snapshots => &compute::SNAPSHOTS,
        Kind::Hosts => &compute::HOSTS,
        Kind::Srs => &storage::SRS,
        Kind::Vdis => &storage::VDIS,
        Kind::Vbds => &storage::VBDS,
        Kind::Pbds => &storage::PBDS,
        Kind::Networks => &network::NETWORKS,
        Kind::Pifs => &network::PIFS,
        Kind::Vifs => &network::VIFS,
        Kind::Tasks => &happenings::TASKS,
        Kind::Messages => &happenings::MESSAGES,
    }
}

pub(super) fn collect(kind: Kind, pass: &mut Pass<'_>) {
    match kind {
        Kind::Vms | Kind::Templates | Kind::Snapshots | Kind::Hosts => compute::collect(kind, pass),
        Kind::Srs | Kind::Vdis | Kind::Vbds | Kind::Pbds => storage::collect(kind, pass),
        Kind::Networks | Kind::Pifs | Kind::Vifs => network::collect(kind, pass),
        Kind::Tasks | Kind::Messages => happenings::collect(kind, pass),
    }
}
