//! Which path is whose.

use alloc::format;

use xenapi_core::Role;

use super::{Method, Reply, Request, Served, Visit, admin, console, dump, metrics, transfer};
use crate::Sim;

/// What a handler is.
pub(crate) type Serve = fn(&mut Sim, &Request, &mut Visit) -> Result<Served, Reply>;

/// One method at one path and below it.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    /// Its permission is `http/<action>`.
    pub(crate) action: &'static str,
    /// Who may, at least.
    pub(crate) role: Role,
    /// Needs no login; the handler looks for itself.
    pub(crate) open: bool,
    /// The name of the task that it makes, where none is given.
    pub(crate) task: Option<&'static str>,
    pub(crate) serve: Serve,
}

const fn route(method: Method, path: &'static str, action: &'static str, role: Role, serve: Serve) -> Route {
    Route { method, path, action, role, open: false, task: None, serve }
}

const fn transfer(
    method: Method,
    path: &'static str,
    action: &'static str,
    role: Role,
    task: &'static str,
    serve: Serve,
) -> Route {
    Route { method, path, action, role, open: false, task: Some(task), serve }
}

use Method::{Connect, Get, Post, Put};
use Role::{LocalSuperuser, PoolAdmin, PoolOperator, ReadOnly, VmAdmin, VmOperator, VmPowerAdmin};

/// All routes beside those of calls and files.
pub(crate) const ROUTES: &[Route] = &[
    // Metrics.
    route(Get, "/rrd_updates", "get_rrd_updates", ReadOnly, metrics::updates),
    route(Get, "/host_rrd", "get_host_rrd", ReadOnly, metrics::host),
    route(Get, "/vm_rrd", "get_vm_rrd", ReadOnly, metrics::vm),
    route(Get, "/sr_rrd", "get_sr_rrd", ReadOnly, metrics::sr),
    route(Put, "/rrd", "put_rrd", PoolAdmin, unsimulated),
    // Consoles.
    route(Connect, "/console", "connect_console", VmOperator, console::connect),
    route(Get, "/console", "get_console", VmOperator, console::connect),
    route(Get, "/vncsnapshot", "get_vncsnapshot", VmOperator, console::snapshot),
    // Moving VMs and disks.
    transfer(Get, "/export", "get_export", VmAdmin, "VM.export", transfer::export),
    transfer(Get, "/export_metadata", "get_export_metadata", VmAdmin, "VM.metadata_export", transfer::export_metadata),
    transfer(Put, "/import", "put_import", VmAdmin, "VM.import", transfer::import),
    transfer(Put, "/import_metadata", "put_import_metadata", VmAdmin, "VM.metadata_import", transfer::import_metadata),
    transfer(Get, "/export_raw_vdi", "get_export_raw_vdi", VmAdmin, "Exporting raw VDI", transfer::export_raw),
    transfer(Put, "/import_raw_vdi", "put_import_raw_vdi", VmAdmin, "Importing raw VDI", transfer::import_raw),
    // The pool's database, blobs, and what support asks for.
    route(Get, "/pool/xmldbdump", "pool_xml_db_sync", PoolAdmin, dump::dump),
    route(Put, "/pool/xmldbdump", "pool_xml_db_sync", PoolAdmin, unsimulated),
    Route { open: true, ..route(Get, "/blob", "get_blob", ReadOnly, unsimulated) },
    route(Put, "/blob", "put_blob", VmPowerAdmin, unsimulated),
    route(Get, "/host_backup", "get_host_backup", PoolAdmin, unsimulated),
    route(Put, "/host_restore", "put_host_restore", PoolAdmin, unsimulated),
    route(Get, "/host_logs_download", "get_host_logs_download", PoolOperator, unsimulated),
    route(Get, "/system-status", "get_system_status", PoolOperator, unsimulated),
    route(Get, "/audit_log", "get_audit_log", ReadOnly, unsimulated),
    route(Get, "/wlb_report", "get_wlb_report", ReadOnly, unsimulated),
    route(Get, "/wlb_diagnostics", "get_wlb_diagnostics", ReadOnly, unsimulated),
    route(Get, "/services", "get_services", ReadOnly, unsimulated),
    route(Get, "/updates", "get_updates", PoolOperator, unsimulated),
    route(Get, "/host_updates", "get_host_updates", PoolOperator, unsimulated),
    route(Put, "/pool_patch_upload", "put_pool_patch_upload", PoolOperator, unsimulated),
    route(Connect, "/remotecmd", "connect_remotecmd", LocalSuperuser, unsimulated),
    route(Post, "/cli", "post_cli", ReadOnly, unsimulated),
    // Not xapi's: how tests make trouble while the pool runs.
    route(Get, admin::FAULTS, "get_xenoxide_faults", LocalSuperuser, admin::list),
    route(Post, admin::FAULTS, "post_xenoxide_faults", LocalSuperuser, admin::add),
    route(Put, admin::FAULTS, "put_xenoxide_faults", LocalSuperuser, admin::replace),
];

/// The route with the longest path that the request's path begins with, as xapi looks for it.
pub(crate) fn find(method: Method, path: &str) -> Option<&'static Route> {
    let fitting = ROUTES.iter().filter(|route| route.method == method && path.starts_with(route.path));
    fitting.max_by_key(|route| route.path.len())
}

/// What xapi has at this path is not simulated, and saying so is better than an empty answer.
fn unsimulated(_: &mut Sim, request: &Request, _: &mut Visit) -> Result<Served, Reply> {
    Err(Reply::error(501, &format!("NOT_IMPLEMENTED: {} {} is not simulated.", request.method, request.path)))
}
