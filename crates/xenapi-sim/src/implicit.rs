//! The messages that follow from the schema: getters, setters, records, create and destroy. The same code for every class.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use xenapi_core::{ClassDesc, Failure, FieldDesc, Member, Method, RawRef, Struct, Value};

use crate::Sim;
use crate::arguments::{Args, check_clean, clean, constructor, internal, stored_name};
use crate::filter::Filter;
use crate::operations;
use crate::reply::{Name, Node, Shared, Snapshot};
use crate::store::{Row, Table};

pub(crate) fn handle_invalid(class: &str, reference: &str) -> Failure {
    Failure::new("HANDLE_INVALID", [class, reference])
}

impl Sim {
    /// Fails with `HANDLE_INVALID` unless the object exists.
    pub(crate) fn need(&self, class: &str, reference: &str) -> Result<RawRef, Failure> {
        let row = self.store.row(class, reference);
        row.map(|row| row.reference.clone()).ok_or_else(|| handle_invalid(class, reference))
    }

    /// The messages that answer records.
    pub(crate) fn look(&self, method: &Method, args: &Args) -> Result<Shared, Failure> {
        let class = method.class;
        let table = self.store.table(class.name);
        match method.member {
            Member::GetRecord => {
                let row = table.get(args.text(0)).ok_or_else(|| handle_invalid(class.name, args.text(0)))?;
                Ok(Shared::new(Node::Record(self.whole(table, row))))
            }
            Member::GetAllRecordsWhere => {
                let filter = Filter::parse(class, args.text(0))?;
                Ok(shared_records(table, table.rows.values().filter(|row| filter.holds(row))))
            }
            _ => Ok(shared_records(table, table.rows.values())),
        }
    }

    /// The record of an object, with what is only worked out when somebody asks.
    fn whole(&self, table: &Table, row: &Row) -> Snapshot {
        let mut snapshot = table.snapshot(row);
        if table.class.name == "session"
            && let Some(at) = table.class.field_index("rbac_permissions")
            && let Some(slot) = Arc::make_mut(&mut snapshot.fields).get_mut(at)
        {
            *slot = self.permissions_of(&row.reference);
        }
        snapshot
    }

    /// Runs a message that follows from the schema.
    pub(crate) fn implicit(&mut self, method: &Method, args: &mut Args) -> Result<Value, Failure> {
        let class = method.class;
        match method.member {
            Member::GetAll => Ok(references(self.store.table(class.name).rows.values())),
            Member::GetAllRecords | Member::GetAllRecordsWhere | Member::GetRecord => {
                self.look(method, args).map(|records| records.to_value())
            }
            Member::GetAllWhere => {
                let filter = Filter::parse(class, args.text(0))?;
                let table = self.store.table(class.name);
                Ok(references(table.rows.values().filter(|row| filter.holds(row))))
            }
            Member::GetByUuid => self.by_uuid(class, args.text(0)).map(Value::from),
            Member::GetByNameLabel => {
                let at = class.field_index("name_label");
                let named = |row: &&Row| at.and_then(|at| row.fields[at].as_text()) == Some(args.text(0));
                Ok(references(self.store.table(class.name).rows.values().filter(named)))
            }
            Member::Get(field) if class.name == "session" && field.name == "rbac_permissions" => {
                self.need("session", args.text(0)).map(|session| self.permissions_of(&session))
            }
            Member::Get(field) => {
                let value = self.store.value(class.name, args.text(0), field.name);
                value.cloned().ok_or_else(|| handle_invalid(class.name, args.text(0)))
            }
            Member::Create => self.create(class, args).map(Value::from),
            Member::Destroy => self.destroy(class, args.text(0)),
            Member::Set(field) => {
                let value = args.take(1);
                check_clean(&value)?;
                self.change(class, field, args.text(0), |_| Ok(Some(value)))
            }
            Member::Add(field) => {
                let item = clean(args.take(1));
                self.change(class, field, args.text(0), |old| {
                    let items = old.as_array().unwrap_or_default();
                    let is_new = !items.contains(&item);
                    Ok(is_new.then(|| core::iter::once(item).chain(items.iter().cloned()).collect::<Vec<_>>().into()))
                })
            }
            Member::Remove(field) => {
                let item = args.take(1);
                self.change(class, field, args.text(0), |old| {
                    let items = old.as_array().unwrap_or_default();
                    Ok(Some(items.iter().filter(|it| **it != item).cloned().collect::<Vec<_>>().into()))
                })
            }
            Member::AddTo(field) => self.add_to(class, field, args),
            Member::RemoveFrom(field) => {
                let key = String::from(args.text(1));
                self.change(class, field, args.text(0), |old| {
                    let mut map = old.as_struct().cloned().unwrap_or_default();
                    map.remove(&key);
                    Ok(Some(map.into()))
                })
            }
            Member::Explicit(_) => Err(Failure::new("NOT_IMPLEMENTED", [method.name()])),
        }
    }

    pub(crate) fn by_uuid(&self, class: &ClassDesc, uuid: &str) -> Result<RawRef, Failure> {
        let found = self.store.table(class.name).by_uuid(uuid).map(|row| row.reference.clone());
        found.ok_or_else(|| Failure::new("UUID_INVALID", [class.name, uuid]))
    }

    /// Changes a field of an object that must exist; the closure answers nothing when there is nothing to change.
    fn change(
        &mut self,
        class: &'static ClassDesc,
        field: &FieldDesc,
        reference: &str,
        new: impl FnOnce(&Value) -> Result<Option<Value>, Failure>,
    ) -> Result<Value, Failure> {
        let old = self.store.value(class.name, reference, field.name);
        let old = old.ok_or_else(|| handle_invalid(class.name, reference))?;
        if let Some(value) = new(old)? {
            operations::check_write(self, class, field, reference, &value)?;
            self.store.put(class.name, reference, field.name, value);
            operations::after_write(self, class, field, reference);
        }
        Ok(Value::VOID)
    }

    fn add_to(&mut self, class: &'static ClassDesc, field: &FieldDesc, args: &mut Args) -> Result<Value, Failure> {
        let key = match args.take(1) {
            Value::Text(text) => text,
            Value::Int(number) => format!("{number}"),
            _ => String::new(),
        };
        let Value::Text(key) = clean(Value::Text(key)) else { return Err(internal("Failure(\"map key\")")) };
        let value = clean(args.take(2));
        let reference = String::from(args.text(0));
        self.change(class, field, &reference, |old| {
            if key.is_empty() {
                return Err(internal("Db_exn.Empty_key_in_map"));
            }
            let mut map = old.as_struct().cloned().unwrap_or_default();
            if map.get(&key).is_some() {
                let field = stored_name(field.name);
                return Err(Failure::new("MAP_DUPLICATE_KEY", [class.name, &field, &reference, &key]));
            }
            map.push_front(Cow::Owned(key), value);
            Ok(Some(map.into()))
        })
    }

    fn create(&mut self, class: &'static ClassDesc, args: &mut Args) -> Result<RawRef, Failure> {
        let Value::Struct(sent) = args.take(0) else { return Err(internal("Failure(\"Expected dict\")")) };
        let mut draft = self.store.draft(class.name);
        constructor(class, &mut draft.fields, sent)?;
        operations::before_create(self, class, &mut draft)?;
        let reference = self.random.reference();
        if class.field_index("uuid").is_some() {
            draft.set("uuid", self.random.uuid());
        }
        self.store.insert(&reference, draft);
        operations::after_create(self, class, &reference);
        Ok(reference)
    }

    fn destroy(&mut self, class: &'static ClassDesc, reference: &str) -> Result<Value, Failure> {
        let this = self.need(class.name, reference)?;
        operations::before_destroy(self, class, &this)?;
        self.store.remove(class.name, reference);
        Ok(Value::VOID)
    }
}

pub(crate) fn references<'a>(rows: impl Iterator<Item = &'a Row>) -> Value {
    Value::Array(rows.map(|row| (&row.reference).into()).collect())
}

/// Records by reference, shared with the store.
fn shared_records<'a>(table: &Table, rows: impl Iterator<Item = &'a Row>) -> Shared {
    let records = rows.map(|row| (Name::Reference(row.reference.clone()), Node::Record(table.snapshot(row))));
    Shared::new(Node::Struct(records.collect()))
}

pub(crate) fn records<'a>(table: &Table, rows: impl Iterator<Item = &'a Row>) -> Value {
    let mut all = Struct::new();
    for row in rows {
        all.push(Cow::Owned(String::from(row.reference.as_str())), table.record(row));
    }
    all.into()
}
