//! Who may do what.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{Failure, Member, Method, Role};

use crate::arguments::Args;

/// Keys of a map, or the beginnings of them, with their least roles.
type Keys = &'static [(&'static str, Role)];

/// Keys of maps that another role may write than the map as a whole: class, field, keys with their least roles. A star at the end
/// stands for anything.
const KEYS: &[(&str, &str, Keys)] = &[
    (
        "VM",
        "other_config",
        &[("pci", Role::PoolAdmin), ("folder", Role::VmOperator), ("XenCenter.CustomFields.*", Role::VmOperator)],
    ),
    ("VDI", "other_config", FOLDERS),
    ("SR", "other_config", FOLDERS),
    ("host", "other_config", FOLDERS),
    (
        "network",
        "other_config",
        &[
            ("folder", Role::VmOperator),
            ("XenCenter.CustomFields.*", Role::VmOperator),
            ("XenCenterCreateInProgress", Role::VmOperator),
        ],
    ),
    (
        "pool",
        "other_config",
        &[("folder", Role::VmOperator), ("XenCenter.CustomFields.*", Role::VmOperator), ("EMPTY_FOLDERS", Role::VmOperator)],
    ),
];

const FOLDERS: Keys = &[("folder", Role::VmOperator), ("XenCenter.CustomFields.*", Role::VmOperator)];

/// The keys with roles of their own that a message may touch.
fn guarded(method: &Method) -> Keys {
    let short;
    let field = match method.member {
        Member::AddTo(field) | Member::RemoveFrom(field) => field.name,
        Member::Explicit(message) => {
            short = message.name;
            let field = short.strip_prefix("add_to_").or_else(|| short.strip_prefix("remove_from_"));
            let Some(field) = field else { return &[] };
            field
        }
        _ => return &[],
    };
    let found = KEYS.iter().find(|(class, map, _)| *class == method.class.name && *map == field);
    found.map_or(&[], |(_, _, keys)| keys)
}

fn is_key(pattern: &str, key: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == key, |start| key.starts_with(start))
}

/// The refusal for who lacks a permission that takes at least `least`.
pub(crate) fn denied(permission: &str, least: Role) -> Failure {
    let with: Vec<&str> = Role::ASSIGNABLE.iter().filter(|role| **role >= least).map(|role| role.name()).collect();
    let text = format!("No permission in user session. (Roles with this permission: {})", with.join(", "));
    Failure::new("RBAC_PERMISSION_DENIED", [permission, &text])
}

/// Whether the role suffices.
pub(crate) fn check(method: &Method, role: Role, args: &Args) -> Result<(), Failure> {
    if !method.takes_session() || role == Role::LocalSuperuser || checks_for_itself(method) {
        return Ok(());
    }
    let key = guarded(method).iter().find(|(pattern, _)| is_key(pattern, args.text(1)));
    let least = key.map_or_else(|| method.least_role(), |(_, least)| *least);
    if role >= least {
        return Ok(());
    }
    let name = method.name().to_lowercase();
    let permission = key.map_or_else(|| name.clone(), |(pattern, _)| format!("{name}/key:{}", pattern.to_lowercase()));
    Err(denied(&permission, least))
}

/// Messages whose body refuses with an error of its own.
fn checks_for_itself(method: &Method) -> bool {
    method.class.name == "session" && matches!(method.member, Member::Explicit(message) if message.name == "change_password")
}

/// Every permission of a role, as sessions list them.
pub(crate) fn permissions(role: Role) -> Vec<String> {
    let mut all = Vec::new();
    for method in xenapi_model::CLASSES.iter().flat_map(|class| Method::all(class)) {
        if !method.takes_session() {
            continue;
        }
        let name = method.name().to_lowercase();
        for (pattern, least) in guarded(&method) {
            if role >= *least {
                all.push(format!("{name}/key:{}", pattern.to_lowercase()));
            }
        }
        if role >= method.least_role() {
            all.push(name);
        }
    }
    if role >= Role::PoolOperator {
        all.push("task.destroy/any".into());
    }
    all.sort();
    all
}
