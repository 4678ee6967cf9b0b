//! Which message a name means, implicit ones included.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::descriptor::{Changes, ClassDesc, FieldDesc, MessageDesc, ParamDesc, Role, Transition, Type, Unit};

/// A message of a class.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// The class.
    pub class: &'static ClassDesc,
    /// Which of its messages.
    pub member: Member,
}

/// A message within its class. Most follow from a field or from the class; the others are in its descriptor.
#[derive(Clone, Copy, Debug)]
pub enum Member {
    /// One of [`ClassDesc::messages`].
    Explicit(&'static MessageDesc),
    /// `get_all`.
    GetAll,
    /// `get_all_records`.
    GetAllRecords,
    /// `get_all_where`.
    GetAllWhere,
    /// `get_all_records_where`.
    GetAllRecordsWhere,
    /// `get_by_uuid`.
    GetByUuid,
    /// `get_by_name_label`.
    GetByNameLabel,
    /// `get_record`.
    GetRecord,
    /// `create` from a record.
    Create,
    /// `destroy` of a class that is created from a record.
    Destroy,
    /// `get_` and a field.
    Get(&'static FieldDesc),
    /// `set_` and a field.
    Set(&'static FieldDesc),
    /// `add_` and a set.
    Add(&'static FieldDesc),
    /// `remove_` and a set.
    Remove(&'static FieldDesc),
    /// `add_to_` and a map.
    AddTo(&'static FieldDesc),
    /// `remove_from_` and a map.
    RemoveFrom(&'static FieldDesc),
}

/// A parameter of any message: its name and type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Param {
    /// The name in the documentation.
    pub name: &'static str,
    /// What it is.
    pub ty: Type,
    /// Whether it must be given.
    pub required: bool,
    /// Whether it may name nothing.
    pub nullable: bool,
    /// What its number counts.
    pub unit: Option<Unit>,
    /// Whether its value must not reach a log.
    pub secret: bool,
}

impl Param {
    fn plain(name: &'static str, ty: Type) -> Self {
        Param { name, ty, required: true, nullable: false, unit: None, secret: false }
    }

    /// The parameter of a field's own messages that holds its value, or a part of it.
    fn of_field(name: &'static str, ty: Type, field: &FieldDesc) -> Self {
        Param { nullable: field.nullable, unit: field.unit, secret: field.secret, ..Param::plain(name, ty) }
    }
}

impl Method {
    /// Finds `name`, the part behind the class, in a class. Explicit messages come first: some classes have their own
    /// `get_record` or `create`.
    pub fn find(class: &'static ClassDesc, name: &str) -> Option<Method> {
        let explicit = class.message(name).map(Member::Explicit);
        let member = explicit.or_else(|| of_class(class, name)).or_else(|| of_field(class, name))?;
        Some(Method { class, member })
    }

    /// Every message of a class: the explicit ones, those of the class, those of its fields.
    pub fn all(class: &'static ClassDesc) -> Vec<Method> {
        let mut members: Vec<Member> = class.messages.iter().map(Member::Explicit).collect();
        let own = ["get_all", "get_all_records", "get_all_where", "get_all_records_where", "get_by_uuid", "get_record"];
        let more = ["get_by_name_label", "create", "destroy"];
        let own = own.iter().chain(&more).filter(|name| class.message(name).is_none());
        members.extend(own.filter_map(|name| of_class(class, name)));
        for field in class.fields {
            let of_field = [
                (class.has_getters(), Member::Get(field)),
                (field.is_writable(), Member::Set(field)),
                (field.is_set(), Member::Add(field)),
                (field.is_set(), Member::Remove(field)),
                (field.is_map(), Member::AddTo(field)),
                (field.is_map(), Member::RemoveFrom(field)),
            ];
            let of_field = of_field.into_iter().filter(|(has, _)| *has).map(|(_, member)| Method { class, member });
            members.extend(of_field.filter(|m| class.message(&m.short_name()).is_none()).map(|m| m.member));
        }
        members.into_iter().map(|member| Method { class, member }).collect()
    }

    /// The name behind the class, for example `get_name_label`.
    pub fn short_name(&self) -> String {
        let fixed = match self.member {
            Member::Explicit(message) => message.name,
            Member::GetAll => "get_all",
            Member::GetAllRecords => "get_all_records",
            Member::GetAllWhere => "get_all_where",
            Member::GetAllRecordsWhere => "get_all_records_where",
            Member::GetByUuid => "get_by_uuid",
            Member::GetByNameLabel => "get_by_name_label",
            Member::GetRecord => "get_record",
            Member::Create => "create",
            Member::Destroy => "destroy",
            Member::Get(field) => return format!("get_{}", field.name),
            Member::Set(field) => return format!("set_{}", field.name),
            Member::Add(field) => return format!("add_{}", field.name),
            Member::Remove(field) => return format!("remove_{}", field.name),
            Member::AddTo(field) => return format!("add_to_{}", field.name),
            Member::RemoveFrom(field) => return format!("remove_from_{}", field.name),
        };
        fixed.into()
    }

    /// The whole name, for example `VM.get_name_label`.
    pub fn name(&self) -> String {
        format!("{}.{}", self.class.name, self.short_name())
    }

    /// The parameters, without the session.
    pub fn params(&self) -> Vec<Param> {
        let this = Param::plain("self", self.class.own.reference);
        let with = Param::plain;
        match self.member {
            Member::Explicit(message) => {
                let params = message.params.iter();
                let param = |p: &ParamDesc| Param {
                    name: p.name,
                    ty: p.ty,
                    required: p.required,
                    nullable: p.nullable,
                    unit: p.unit,
                    secret: p.secret,
                };
                params.map(param).collect()
            }
            Member::GetAll | Member::GetAllRecords => Vec::new(),
            Member::GetAllWhere | Member::GetAllRecordsWhere => Vec::from([with("expr", Type::String)]),
            Member::GetByUuid => Vec::from([with("uuid", Type::String)]),
            Member::GetByNameLabel => Vec::from([with("label", Type::String)]),
            Member::Create => Vec::from([with("args", self.class.own.record)]),
            Member::GetRecord | Member::Destroy | Member::Get(_) => Vec::from([this]),
            Member::Set(field) => Vec::from([this, Param::of_field("value", field.ty, field)]),
            Member::Add(field) | Member::Remove(field) => {
                let item = if let Type::Set(item) = field.ty { *item } else { field.ty };
                Vec::from([this, Param::of_field("value", item, field)])
            }
            Member::AddTo(field) | Member::RemoveFrom(field) => {
                let Type::Map(key, value) = field.ty else { return Vec::from([this]) };
                let mut params = Vec::from([this, with("key", *key)]);
                if matches!(self.member, Member::AddTo(_)) {
                    params.push(Param::of_field("value", *value, field));
                }
                params
            }
        }
    }

    /// What it answers.
    pub fn result(&self) -> Type {
        let own = &self.class.own;
        match self.member {
            Member::Explicit(message) => message.result,
            Member::GetAll | Member::GetAllWhere | Member::GetByNameLabel => own.references,
            Member::GetAllRecords | Member::GetAllRecordsWhere => own.records,
            Member::GetByUuid | Member::Create => own.reference,
            Member::GetRecord => own.record,
            Member::Get(field) => field.ty,
            _ => Type::Void,
        }
    }

    /// The least role that may call it.
    pub fn least_role(&self) -> Role {
        match self.member {
            Member::Explicit(message) => message.least_role,
            Member::Create => self.class.implicit.create.map_or(Role::LocalSuperuser, |(create, _)| create),
            Member::Destroy => self.class.implicit.create.map_or(Role::LocalSuperuser, |(_, destroy)| destroy),
            Member::Get(field) => field.read_role,
            Member::Set(field)
            | Member::Add(field)
            | Member::Remove(field)
            | Member::AddTo(field)
            | Member::RemoveFrom(field) => field.write_role,
            _ => self.class.implicit.read_role,
        }
    }

    /// Whether the first parameter on the wire is the session.
    pub fn takes_session(&self) -> bool {
        if let Member::Explicit(message) = self.member { message.takes_session } else { true }
    }

    /// Whether it has an `Async.` form. Of the implicit messages only `create` and `destroy` do.
    pub fn has_async(&self) -> bool {
        match self.member {
            Member::Explicit(message) => message.has_async,
            Member::Create | Member::Destroy => true,
            _ => false,
        }
    }

    /// What it changes, as far as the schema can tell.
    pub fn changes(&self) -> Changes {
        match self.member {
            Member::Explicit(message) => message.changes,
            Member::Create => Changes::Creates,
            Member::Destroy => Changes::Destroys,
            Member::Set(field)
            | Member::Add(field)
            | Member::Remove(field)
            | Member::AddTo(field)
            | Member::RemoveFrom(field) => Changes::Field(field.name),
            _ => Changes::Nothing,
        }
    }

    /// Whether it changes nothing, so that it may be sent again when the answer is lost.
    ///
    /// Implicit getters are, and of the explicit messages those that only look.
    pub fn is_read_only(&self) -> bool {
        self.changes() == Changes::Nothing
    }

    /// Whether sending it twice ends as sending it once, so that it may be sent again when the answer is lost: what only looks;
    /// and of what follows from fields, setting them, adding to and removing from sets, and removing from maps.
    ///
    /// A second time may undo what somebody else did in between, so a client asks its user before it repeats a change.
    pub fn is_retryable(&self) -> bool {
        match self.member {
            Member::Set(_) | Member::Add(_) | Member::Remove(_) | Member::RemoveFrom(_) => true,
            _ => self.is_read_only(),
        }
    }

    /// Whether what it answers may name nothing.
    pub fn is_nullable(&self) -> bool {
        match self.member {
            Member::Explicit(message) => message.nullable,
            Member::Get(field) => field.nullable,
            _ => false,
        }
    }

    /// What the number that it answers counts.
    pub fn unit(&self) -> Option<Unit> {
        match self.member {
            Member::Explicit(message) => message.unit,
            Member::Get(field) => field.unit,
            _ => None,
        }
    }

    /// Whether clients that log in by certificate may call it: whatever the least role may, and a few others.
    pub fn for_client_cert(&self) -> bool {
        self.least_role() == Role::ReadOnly
            || match self.member {
                Member::Explicit(message) => message.client_cert,
                Member::Set(field)
                | Member::Add(field)
                | Member::Remove(field)
                | Member::AddTo(field)
                | Member::RemoveFrom(field) => field.client_cert,
                _ => false,
            }
    }

    /// Its releases: those of the field or class that it follows from, where it follows.
    pub fn lifecycle(&self) -> &'static [Transition] {
        match self.member {
            Member::Explicit(message) => message.lifecycle,
            Member::Get(field)
            | Member::Set(field)
            | Member::Add(field)
            | Member::Remove(field)
            | Member::AddTo(field)
            | Member::RemoveFrom(field) => field.lifecycle,
            _ => self.class.lifecycle,
        }
    }

    /// Whether its documentation does not list it, although servers answer it.
    pub fn is_hidden(&self) -> bool {
        matches!(self.member, Member::GetAllWhere | Member::GetAllRecordsWhere)
    }
}

impl ClassDesc {
    /// Whether objects of the class have `get_…` for their fields: those that the database keeps, and the session.
    pub fn has_getters(&self) -> bool {
        self.implicit.get_record || self.implicit.get_all
    }
}

fn of_class(class: &'static ClassDesc, name: &str) -> Option<Member> {
    let implicit = &class.implicit;
    let (has, member) = match name {
        "get_all" => (implicit.get_all, Member::GetAll),
        "get_all_records" => (implicit.get_all, Member::GetAllRecords),
        "get_all_where" => (implicit.get_all, Member::GetAllWhere),
        "get_all_records_where" => (implicit.get_all, Member::GetAllRecordsWhere),
        "get_by_uuid" => (implicit.get_record, Member::GetByUuid),
        "get_record" => (implicit.get_record, Member::GetRecord),
        "get_by_name_label" => (implicit.get_by_name_label, Member::GetByNameLabel),
        "create" => (implicit.create.is_some(), Member::Create),
        "destroy" => (implicit.create.is_some(), Member::Destroy),
        _ => return None,
    };
    has.then_some(member)
}

fn of_field(class: &'static ClassDesc, name: &str) -> Option<Member> {
    let field = |start: &str| name.strip_prefix(start).and_then(|rest| class.field(rest));
    if let Some(field) = field("get_") {
        return class.has_getters().then_some(Member::Get(field));
    }
    if let Some(field) = field("set_") {
        return field.is_writable().then_some(Member::Set(field));
    }
    if let Some(field) = field("add_to_").filter(|field| field.is_map()) {
        return Some(Member::AddTo(field));
    }
    if let Some(field) = field("remove_from_").filter(|field| field.is_map()) {
        return Some(Member::RemoveFrom(field));
    }
    if let Some(field) = field("add_").filter(|field| field.is_set()) {
        return Some(Member::Add(field));
    }
    field("remove_").filter(|field| field.is_set()).map(Member::Remove)
}
