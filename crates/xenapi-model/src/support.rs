//! What the generated modules are written with.

pub(crate) use alloc::string::String;
pub(crate) use alloc::vec;
pub(crate) use alloc::vec::Vec;

pub(crate) use xenapi_core::generated::create_from;
pub(crate) use xenapi_core::{
    Argument, Call, Class as ClassTrait, ClassDesc, DateTime, EnumDesc, Field, FieldDesc, Key, Map, ReadError, Reader,
    Record as RecordTrait, RecordDesc, Ref, Rest, RwField, TextMap, Uuid, Value, Wire, Writer,
};
use xenapi_core::{Member, Method};

pub(crate) mod desc {
    //! What descriptors are written with.
    pub(crate) use xenapi_core::generated::{table, table_size};
    pub(crate) use xenapi_core::{
        Changes, ClassDesc, ErrorDesc, ErrorParam, FieldDesc, Implicit, MessageDesc, OwnTypes, ParamDesc, Place, Qualifier,
        RecordDesc, Relation, Role as LeastRole, Stage, Type, Unit,
    };

    pub(crate) const fn text(name: &'static str) -> ErrorParam {
        ErrorParam { name, ty: Type::String }
    }

    pub(crate) const fn number(name: &'static str) -> ErrorParam {
        ErrorParam { name, ty: Type::Int }
    }

    pub(crate) const fn reference(name: &'static str, class: &'static str) -> ErrorParam {
        ErrorParam { name, ty: Type::Ref(class) }
    }
}

pub(crate) mod views {
    //! What the views of failures are written with.
    pub(crate) use alloc::string::String;

    pub(crate) use xenapi_core::{Class, Failure, OtherError, Ref};

    /// What a parameter's text is read as. A missing one is empty text.
    pub(crate) trait FromParam<'f> {
        fn from_param(text: &'f str) -> Self;
    }

    impl<'f> FromParam<'f> for &'f str {
        fn from_param(text: &'f str) -> Self {
            text
        }
    }

    impl FromParam<'_> for Option<i64> {
        fn from_param(text: &str) -> Self {
            xenapi_core::parse_int(text)
        }
    }

    impl<C: Class> FromParam<'_> for Ref<C> {
        fn from_param(text: &str) -> Self {
            Ref::new(text)
        }
    }
}

/// Typed views of failures, from lines `Name "CODE" count { 0 param: type, … }`.
macro_rules! error_views {
    ($($name:ident $code:literal $count:literal { $($at:literal $field:ident: $ty:ty),* })*) => {$(
        #[doc = concat!("What `", $code, "` says.")]
        #[derive(Clone, Debug)]
        pub struct $name<'f> {
            $(#[doc = concat!("Parameter ", $at, ".")] pub $field: $ty,)*
            /// Parameters beyond those.
            pub more: &'f [String],
        }

        impl<'f> TryFrom<&'f Failure> for $name<'f> {
            type Error = OtherError;

            fn try_from(failure: &'f Failure) -> Result<Self, OtherError> {
                if failure.code != $code {
                    return Err(OtherError);
                }
                Ok($name {
                    $($field: FromParam::from_param(failure.param($at)),)*
                    more: failure.params.get($count..).unwrap_or(&[]),
                })
            }
        }
    )*};
}

/// A sentence of documentation, which descriptors carry with the feature `docs` alone.
#[cfg(feature = "docs")]
macro_rules! doc {
    ($text:literal) => {
        $text
    };
}
#[cfg(not(feature = "docs"))]
macro_rules! doc {
    ($text:literal) => {
        ""
    };
}

/// The types in which implicit messages speak of their class.
macro_rules! own_types {
    ($name:literal) => {
        OwnTypes {
            reference: Type::Ref($name),
            references: Type::Set(&Type::Ref($name)),
            record: Type::Record($name),
            records: Type::Map(&Type::Ref($name), &Type::Record($name)),
        }
    };
}

/// A call of the message at that place.
pub(crate) fn send<R: Wire>(class: &'static ClassDesc, at: usize, params: Vec<Value>) -> Call<R> {
    Call::new(Method { class, member: Member::Explicit(&class.messages[at]) }, params)
}

/// A call with optional parameters, which are the last ones and go by position: one that is not given but stands before one
/// that is, is sent as what the server takes for it.
pub(crate) fn send_with_options<R: Wire>(
    class: &'static ClassDesc,
    at: usize,
    mut params: Vec<Value>,
    options: &mut [Option<Value>],
) -> Call<R> {
    let given = options.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    for option in &mut options[..given] {
        let param = &class.messages[at].params[params.len()];
        params.push(option.take().unwrap_or_else(|| param.default_value()));
    }
    send(class, at, params)
}

/// A reference that may name nothing, as a parameter.
pub(crate) fn nullable<C: ClassTrait>(reference: Option<&Ref<C>>) -> Value {
    reference.map_or_else(|| Value::from(xenapi_core::NULL), Value::from)
}

/// The default of a field, read from the descriptor.
pub(crate) fn default_of<T: Wire + Default>(class: &'static RecordDesc, field: &str) -> T {
    let value = class.field(field).map(FieldDesc::default_value).unwrap_or_default();
    xenapi_core::from_value(&value).unwrap_or_default()
}

/// An enumeration that keeps words it does not know.
macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident, $desc:ident, $text:literal { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        ///
        /// Servers may send words that are not listed here.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// A word that the schema does not know, or the empty text of a field that did not come.
            Unrecognised(String),
        }

        #[doc = concat!("What is known about `", $text, "`.")]
        pub static $desc: EnumDesc = EnumDesc { name: $text, values: &[$($word),*] };

        impl $name {
            /// The word on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $($name::$variant => $word,)*
                    $name::Unrecognised(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word => $name::$variant,)*
                    _ => $name::Unrecognised(word.into()),
                }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                $name::Unrecognised(String::new())
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Wire for $name {
            fn read(reader: &mut dyn Reader) -> Result<Self, ReadError> {
                xenapi_core::generated::text(reader, concat!("a word of ", $text), |word| word.into())
            }

            fn write(&self, writer: &mut dyn Writer) {
                writer.text(self.as_str());
            }
        }

        impl Key for $name {
            fn from_key(text: &str) -> Result<Self, &'static str> {
                Ok(text.into())
            }

            fn to_key(&self) -> alloc::borrow::Cow<'_, str> {
                self.as_str().into()
            }
        }
    };
}

/// Reads a field into its place. In programs that are downloaded it is one function for each type, not one for each field.
#[cfg_attr(target_family = "wasm", inline(never))]
#[cfg_attr(not(target_family = "wasm"), inline(always))]
pub(crate) fn take<T: Wire>(place: &mut T, reader: &mut dyn Reader) -> Result<(), ReadError> {
    *place = T::read(reader)?;
    Ok(())
}

/// Makes a struct the record of a class.
macro_rules! record {
    (@read $record:ident, $reader:ident, $at:literal, $field:ident) => {
        take(&mut $record.$field, $reader)?
    };
    (@read $record:ident, $reader:ident, $at:literal, $field:ident nullable) => {
        $record.$field = $record.rest.read_nullable($at, $reader)?
    };
    ($marker:ident, $record:ident; $($at:literal => $field:ident $($kind:ident)?,)*) => {
        impl ClassTrait for $marker {
            type Record = $record;
            const DESC: &'static ClassDesc = &CLASS;
            const RECORD: &'static RecordDesc = &RECORD;
        }

        impl RecordTrait for $record {
            type Class = $marker;

            #[allow(unused_variables, reason = "some classes have no fields")]
            fn read_field(&mut self, at: usize, reader: &mut dyn Reader) -> Result<(), ReadError> {
                let record = self;
                match at {
                    $($at => record!(@read record, reader, $at, $field $($kind)?),)*
                    _ => reader.skip()?,
                }
                Ok(())
            }

            fn write_field(&self, at: usize, writer: &mut dyn Writer) {
                match at {
                    $($at => self.$field.write(writer),)*
                    _ => writer.nil(),
                }
            }

            fn rest(&self) -> &Rest {
                &self.rest
            }

            fn rest_mut(&mut self) -> &mut Rest {
                &mut self.rest
            }
        }

        impl Wire for $record {
            fn read(reader: &mut dyn Reader) -> Result<Self, ReadError> {
                let (mut record, mut rest) = (Self::default(), Rest::default());
                xenapi_core::read_members(&RECORD, &mut rest, reader, &mut |at, reader| record.read_field(at, reader))?;
                rest.take_notes(&mut record.rest);
                record.rest = rest;
                Ok(record)
            }

            fn write(&self, writer: &mut dyn Writer) {
                xenapi_core::write_members(self, writer);
            }
        }
    };
}
