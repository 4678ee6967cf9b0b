//! The users beside root: one for each role, known to a simulated directory, and whoever is made a subject.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{Failure, RawRef, Role, Struct, Value};

use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::operations::Handler;
use crate::random::Random;
use crate::{Sim, rbac};

/// The key of a subject's `other_config` that holds the name with which its user logs in.
const NAME: &str = "subject-name";

/// The subject identifier of the user that is named after a role.
fn identifier(role: Role) -> String {
    let number = Role::ASSIGNABLE.iter().position(|it| *it == role).unwrap_or(0);
    format!("S-1-5-21-2026-7-1-{}", 1101 + number)
}

/// The explicit messages about users and roles.
pub(crate) fn find(class: &str, message: &str) -> Option<Handler> {
    Some(match (class, message) {
        ("auth", "get_subject_identifier") => Handler::Now(|sim, _, args| {
            let (_, sid) = sim.subject_of(args.text(0));
            if sid.is_empty() { Err(unresolved()) } else { Ok(sid.into()) }
        }),
        ("auth", "get_subject_information_from_identifier") => Handler::Now(information),
        ("auth", "get_group_membership") => {
            Handler::Now(|sim, _, args| sim.user_of(args.text(0)).map(|_| Value::Array(Vec::new())))
        }
        ("subject", "add_to_roles") => Handler::Now(add_role),
        ("subject", "remove_from_roles") => Handler::Now(remove_role),
        ("subject", "get_permissions_name_label") => Handler::Now(|sim, _, args| {
            let subject = sim.need("subject", args.text(0))?;
            let role = sim.role_of_subject(&subject);
            Ok(texts(role.map(rbac::permissions).unwrap_or_default()))
        }),
        ("role", "get_permissions_name_label") => Handler::Now(|sim, _, args| {
            sim.need("role", args.text(0))?;
            let role = sim.role(args.text(0));
            Ok(texts(role.map(rbac::permissions).unwrap_or_default()))
        }),
        // Permissions are not objects here, so none of them is a role.
        ("role", "get_permissions") => Handler::Now(|sim, _, args| {
            let role = sim.need("role", args.text(0))?;
            Ok(Value::Array(sim.store.refs("role", role.as_str(), "subroles").iter().map(Value::from).collect()))
        }),
        ("role", "get_by_permission_name_label") => Handler::Now(|sim, _, args| {
            let permission = String::from(args.text(0));
            let roles = sim.store.all("role").into_iter();
            let holds = |role: &RawRef| {
                sim.role(role.as_str()).is_some_and(|role| rbac::permissions(role).binary_search(&permission).is_ok())
            };
            Ok(Value::Array(roles.filter(holds).map(Value::from).collect()))
        }),
        _ => return None,
    })
}

fn texts(all: Vec<String>) -> Value {
    Value::Array(all.into_iter().map(Value::from).collect())
}

fn unresolved() -> Failure {
    Failure::new("SUBJECT_CANNOT_BE_RESOLVED", [""; 0])
}

fn information(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let name = sim.user_of(args.text(0))?;
    let mut all = Struct::new();
    all.push(NAME, name.as_str());
    all.push("subject-sid", args.text(0));
    all.push("subject-upn", format!("{name}@example.com"));
    all.push("subject-displayname", name);
    all.push("subject-is-group", "false");
    all.push("subject-account-disabled", "false");
    all.push("subject-account-expired", "false");
    all.push("subject-account-locked", "false");
    all.push("subject-password-expired", "false");
    Ok(all.into())
}

fn add_role(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let subject = sim.need("subject", args.text(0))?;
    let role = sim.need("role", args.text(1)).map_err(|_| Failure::new("ROLE_NOT_FOUND", [""; 0]))?;
    let mut roles = sim.store.refs("subject", subject.as_str(), "roles");
    if roles.contains(&role) {
        return Err(Failure::new("ROLE_ALREADY_EXISTS", [""; 0]));
    }
    roles.push(role);
    sim.store.put("subject", subject.as_str(), "roles", roles.iter().map(Value::from).collect::<Vec<_>>());
    Ok(Value::VOID)
}

fn remove_role(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let subject = sim.need("subject", args.text(0))?;
    let mut roles = sim.store.refs("subject", subject.as_str(), "roles");
    let before = roles.len();
    roles.retain(|role| role.as_str() != args.text(1));
    if roles.len() == before {
        return Err(Failure::new("ROLE_NOT_FOUND", [""; 0]));
    }
    sim.store.put("subject", subject.as_str(), "roles", roles.iter().map(Value::from).collect::<Vec<_>>());
    Ok(Value::VOID)
}

impl Sim {
    /// Makes the subjects of the users that are named after the roles. Their references come from a sequence of their own, so that
    /// those of the rest of the pool do not depend on them.
    pub(crate) fn make_subjects(&mut self, seed: u64) {
        let mut random = Random::new(seed ^ 0x7375_626a_6563_7473);
        for role in Role::ASSIGNABLE {
            let mut config = Struct::new();
            config.push(NAME, role.name());
            let roles: Vec<Value> = self.role_named(role).iter().map(Value::from).collect();
            let (reference, uuid) = (random.reference(), random.uuid());
            let draft = self.store.draft("subject").with("uuid", uuid).with("subject_identifier", identifier(role));
            self.store.insert(&reference, draft.with("other_config", config).with("roles", roles));
        }
    }

    fn role_named(&self, role: Role) -> Option<RawRef> {
        let all = self.store.all("role").into_iter();
        all.into_iter().find(|it| self.store.text("role", it.as_str(), "name_label") == role.name())
    }

    /// The role of that reference, if it is one of those that users have.
    fn role(&self, reference: &str) -> Option<Role> {
        let name = self.store.text("role", reference, "name_label");
        Role::ASSIGNABLE.into_iter().find(|role| role.name() == name)
    }

    /// The highest role of a subject.
    fn role_of_subject(&self, subject: &RawRef) -> Option<Role> {
        let roles = self.store.refs("subject", subject.as_str(), "roles");
        roles.iter().filter_map(|role| self.role(role.as_str())).max()
    }

    fn subject_named(&self, user: &str) -> Option<RawRef> {
        let all = self.store.all("subject").into_iter();
        let mut all = all.filter(|subject| self.store.key("subject", subject.as_str(), "other_config", NAME) == Some(user));
        all.next()
    }

    /// The role of a user: nothing for an unknown one, and nothing within for one that has none.
    pub(crate) fn role_of_user(&self, user: &str) -> Option<Option<Role>> {
        if let Some(subject) = self.subject_named(user) {
            return Some(self.role_of_subject(&subject));
        }
        // Recorded pools have the users of the roles, too, without subjects.
        let is_recorded = self.recorded.is_some();
        Role::ASSIGNABLE.into_iter().find(|role| is_recorded && role.name() == user).map(Some)
    }

    /// The users beside root that can log in, named after their roles, from the least.
    pub fn users(&self) -> Vec<String> {
        let names = Role::ASSIGNABLE.into_iter().map(Role::name);
        names.filter(|name| self.role_of_user(name).is_some_and(|role| role.is_some())).map(String::from).collect()
    }

    /// The subject and the subject identifier of a user; null and empty if there is none.
    pub(crate) fn subject_of(&self, user: &str) -> (RawRef, String) {
        if let Some(subject) = self.subject_named(user) {
            let sid = String::from(self.store.text("subject", subject.as_str(), "subject_identifier"));
            return (subject, sid);
        }
        let role = Role::ASSIGNABLE.into_iter().find(|role| role.name() == user);
        (RawRef::null(), role.map(identifier).unwrap_or_default())
    }

    /// The name of the user of a subject identifier.
    fn user_of(&self, sid: &str) -> Result<String, Failure> {
        let all = self.store.all("subject");
        let found = all.iter().find(|it| self.store.text("subject", it.as_str(), "subject_identifier") == sid);
        let name = found.and_then(|it| self.store.key("subject", it.as_str(), "other_config", NAME));
        let named = Role::ASSIGNABLE.into_iter().find(|role| identifier(*role) == sid).map(Role::name);
        name.or(named).map(String::from).ok_or_else(unresolved)
    }
}
