//! Calls as values.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use crate::class::{Class, Record, Records};

use crate::descriptor::{Changes, FieldDesc, Qualifier, Role};
use crate::error::ReadError;
use crate::map::{Key, Map};
use crate::method::{Member, Method};
use crate::reference::{RawRef, Ref};
use crate::texts::TextMap;
use crate::uuid::Uuid;
use crate::value::Value;
use crate::wire::{Reader, Wire, to_value};

/// A call as it goes over the wire: a method's whole name, and all parameters, the session included.
#[derive(Clone, PartialEq)]
pub struct RawCall {
    /// For example `VM.start` or `Async.VM.start`.
    pub method: String,
    /// In order; the session first, where the method takes one.
    pub params: Vec<Value>,
}

impl fmt::Debug for RawCall {
    /// Without the parameters: the first one is a session, or the second one a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({} parameters)", self.method, self.params.len())
    }
}

/// How the result of a call is read.
pub type ReadResult<R> = fn(&mut dyn Reader) -> Result<R, ReadError>;

/// A call with the type of its result. Nothing is sent: a client sends it, a simulator answers it, a policy judges it.
///
/// The session is not a parameter; the client puts it in.
pub struct Call<R> {
    method: Method,
    params: Vec<Value>,
    read: ReadResult<R>,
    is_async: bool,
}

impl<R: Wire> Call<R> {
    /// A call of `method` with its parameters in order.
    pub fn new(method: Method, params: Vec<Value>) -> Self {
        Call { method, params, read: R::read, is_async: false }
    }
}

impl<R> Call<R> {
    /// The message.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The name on the wire: `VM.start`, `Async.VM.start`.
    pub fn name(&self) -> String {
        let name = self.method.name();
        if self.is_async { alloc::format!("Async.{name}") } else { name }
    }

    /// The parameters, without the session.
    pub fn params(&self) -> &[Value] {
        &self.params
    }

    /// The least role that may make the call.
    pub fn least_role(&self) -> Role {
        self.method.least_role()
    }

    /// Whether the call changes nothing, so that it may be sent again when the answer is lost.
    pub fn is_read_only(&self) -> bool {
        self.method.is_read_only()
    }

    /// Whether sending the call twice ends as sending it once. See [`Method::is_retryable`].
    pub fn is_retryable(&self) -> bool {
        self.method.is_retryable()
    }

    /// What the call changes, as far as the schema can tell.
    pub fn changes(&self) -> Changes {
        self.method.changes()
    }

    /// The call as it goes over the wire, with the session where the method takes one.
    pub fn to_raw(&self, session: &RawRef) -> RawCall {
        let session = self.method.takes_session().then(|| Value::from(session));
        RawCall { method: self.name(), params: session.into_iter().chain(self.params.iter().cloned()).collect() }
    }

    /// How to read the result.
    pub fn reader(&self) -> ReadResult<R> {
        self.read
    }

    /// The same call as a task that goes on in the background: its `Async.` form, if the message has one.
    pub fn into_task<T>(self) -> Option<Call<Ref<T>>>
    where
        T: Class,
    {
        self.method.has_async().then_some(Call {
            method: self.method,
            params: self.params,
            read: Ref::<T>::read,
            is_async: true,
        })
    }
}

impl<R> Clone for Call<R> {
    fn clone(&self) -> Self {
        Call { method: self.method, params: self.params.clone(), read: self.read, is_async: self.is_async }
    }
}

impl<R> fmt::Debug for Call<R> {
    /// Without the parameters, which may hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({}, {} parameters)", self.name(), self.params.len())
    }
}

fn class_call<C: Class, R: Wire>(member: Member, params: Vec<Value>) -> Call<R> {
    Call::new(Method { class: C::DESC, member }, params)
}

/// `get_all`: references to all objects of a class.
pub fn get_all<C: Class>() -> Call<Vec<Ref<C>>> {
    class_call::<C, _>(Member::GetAll, Vec::new())
}

/// `get_all_records`: all objects of a class. One that cannot be read does not lose the others.
pub fn get_all_records<C: Class>() -> Call<Records<C::Record>> {
    class_call::<C, _>(Member::GetAllRecords, Vec::new())
}

/// `get_all_records_where`: the objects for which an expression holds, for example `field "power_state" = "Running"`.
pub fn get_all_records_where<C: Class>(expr: &str) -> Call<Records<C::Record>> {
    class_call::<C, _>(Member::GetAllRecordsWhere, Vec::from([expr.into()]))
}

/// `get_all_where`: references to the objects for which an expression holds. Old servers lack it.
pub fn get_all_where<C: Class>(expr: &str) -> Call<Vec<Ref<C>>> {
    class_call::<C, _>(Member::GetAllWhere, Vec::from([expr.into()]))
}

/// `get_record`: one object.
pub fn get_record<C: Class>(this: &Ref<C>) -> Call<C::Record> {
    class_call::<C, _>(Member::GetRecord, Vec::from([this.into()]))
}

/// `get_by_uuid`: the object with that uuid. Fails with `UUID_INVALID` when there is none.
pub fn get_by_uuid<C: Class>(uuid: &Uuid) -> Call<Ref<C>> {
    class_call::<C, _>(Member::GetByUuid, Vec::from([uuid.into()]))
}

/// `get_by_name_label`: the objects with that name, none or many. Names are not unique.
pub fn get_by_name_label<C: Class>(label: &str) -> Call<Vec<Ref<C>>> {
    class_call::<C, _>(Member::GetByNameLabel, Vec::from([label.into()]))
}

/// `create` from a record. Fields that only the server writes are left out.
pub fn create<C: Class>(record: &C::Record) -> Call<Ref<C>> {
    let members = C::RECORD.fields.iter().enumerate().filter(|(_, field)| field.qualifier != Qualifier::Dynamic);
    let members = members.map(|(at, field)| {
        let mut writer = crate::tree::ValueWriter::new();
        record.write_field(at, &mut writer);
        (field.name, writer.finish())
    });
    class_call::<C, _>(Member::Create, Vec::from([Value::Struct(members.collect())]))
}

/// `create` from some of the fields, by their places. Only the generated model calls this.
#[doc(hidden)]
pub fn create_from<C: Class>(fields: impl IntoIterator<Item = (usize, Value)>) -> Call<Ref<C>> {
    let members = fields.into_iter().filter_map(|(at, value)| C::RECORD.fields.get(at).map(|field| (field.name, value)));
    class_call::<C, _>(Member::Create, Vec::from([Value::Struct(members.collect())]))
}

/// `destroy` of a class that is created from a record.
pub fn destroy<C: Class>(this: &Ref<C>) -> Call<()> {
    class_call::<C, _>(Member::Destroy, Vec::from([this.into()]))
}

/// A field of class `C` that holds a `T`. Stands for the implicit messages of the field.
pub struct Field<C, T>(usize, PhantomData<fn() -> (C, T)>);

impl<C, T> Clone for Field<C, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C, T> Copy for Field<C, T> {}

impl<C: Class, T: Wire> Field<C, T> {
    /// The field at that place in the class's descriptor. Only the generated model calls this.
    pub const fn new(at: usize) -> Self {
        Field(at, PhantomData)
    }

    /// What is known about the field.
    pub fn desc(&self) -> &'static FieldDesc {
        &C::RECORD.fields[self.0]
    }

    /// The place in the class's descriptor.
    pub fn index(&self) -> usize {
        self.0
    }

    /// `get_…`.
    pub fn get(&self, this: &Ref<C>) -> Call<T> {
        class_call::<C, _>(Member::Get(self.desc()), Vec::from([this.into()]))
    }
}

/// A field that clients may write.
pub struct RwField<C, T>(Field<C, T>);

impl<C, T> Clone for RwField<C, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C, T> Copy for RwField<C, T> {}

impl<C, T> From<RwField<C, T>> for Field<C, T> {
    fn from(field: RwField<C, T>) -> Self {
        field.0
    }
}

impl<C: Class, T: Wire> RwField<C, T> {
    /// The field at that place in the class's descriptor. Only the generated model calls this.
    pub const fn new(at: usize) -> Self {
        RwField(Field::new(at))
    }

    /// What is known about the field.
    pub fn desc(&self) -> &'static FieldDesc {
        self.0.desc()
    }

    /// `get_…`.
    pub fn get(&self, this: &Ref<C>) -> Call<T> {
        self.0.get(this)
    }

    /// `set_…`.
    pub fn set(&self, this: &Ref<C>, value: &T) -> Call<()> {
        class_call::<C, _>(Member::Set(self.desc()), Vec::from([this.into(), to_value(value)]))
    }
}

impl<C: Class, T: Wire> RwField<C, Vec<T>> {
    /// `add_…`: puts a value into the set, unless it is there.
    pub fn add(&self, this: &Ref<C>, value: &T) -> Call<()> {
        class_call::<C, _>(Member::Add(self.desc()), Vec::from([this.into(), to_value(value)]))
    }

    /// `remove_…`: takes a value out of the set, if it is there.
    pub fn remove(&self, this: &Ref<C>, value: &T) -> Call<()> {
        class_call::<C, _>(Member::Remove(self.desc()), Vec::from([this.into(), to_value(value)]))
    }
}

impl<C: Class, K: Key, V: Wire> RwField<C, Map<K, V>> {
    /// `add_to_…`: adds a key. Fails with `MAP_DUPLICATE_KEY` when it is there.
    pub fn add_to(&self, this: &Ref<C>, key: &K, value: &V) -> Call<()> {
        let params = Vec::from([this.into(), key.to_key().into(), to_value(value)]);
        class_call::<C, _>(Member::AddTo(self.desc()), params)
    }

    /// `remove_from_…`: takes a key out, if it is there.
    pub fn remove_from(&self, this: &Ref<C>, key: &K) -> Call<()> {
        class_call::<C, _>(Member::RemoveFrom(self.desc()), Vec::from([this.into(), key.to_key().into()]))
    }
}

impl<C: Class> RwField<C, TextMap> {
    /// `add_to_…`: adds a key. Fails with `MAP_DUPLICATE_KEY` when it is there.
    pub fn add_to(&self, this: &Ref<C>, key: &str, value: &str) -> Call<()> {
        class_call::<C, _>(Member::AddTo(self.desc()), Vec::from([this.into(), key.into(), value.into()]))
    }

    /// `remove_from_…`: takes a key out, if it is there.
    pub fn remove_from(&self, this: &Ref<C>, key: &str) -> Call<()> {
        class_call::<C, _>(Member::RemoveFrom(self.desc()), Vec::from([this.into(), key.into()]))
    }
}

/// A value of a message's parameter. Lets generated calls take `&str`, slices and references alike.
pub trait Argument {
    /// The value as it goes over the wire.
    fn argument(&self) -> Value;
}

impl<T: Wire> Argument for T {
    fn argument(&self) -> Value {
        to_value(self)
    }
}

impl Argument for str {
    fn argument(&self) -> Value {
        self.into()
    }
}

impl<T: Wire> Argument for [T] {
    fn argument(&self) -> Value {
        Value::Array(self.iter().map(to_value).collect())
    }
}
