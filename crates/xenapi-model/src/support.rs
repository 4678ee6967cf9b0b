//! What the generated modules are written with.

pub(crate) use alloc::string::String;
pub(crate) use alloc::vec;
pub(crate) use alloc::vec::Vec;

pub(crate) use xenapi_core::{
    Argument, Call, Class as ClassTrait, ClassDesc, DateTime, EnumDesc, Field, FieldDesc, Implicit, Key, Map, MessageDesc,
    OwnTypes, ParamDesc, Qualifier, ReadError, Reader, Record as RecordTrait, Ref, Relation, Rest, Role as LeastRole,
    RwField, Stage, Type, Uuid, Value, Wire, Writer,
};
use xenapi_core::{Member, Method};

/// A call of the message at that place.
pub(crate) fn send<R: Wire>(class: &'static ClassDesc, at: usize, params: Vec<Value>) -> Call<R> {
    Call::new(Method { class, member: Member::Explicit(&class.messages[at]) }, params)
}

/// A call with optional parameters, which are the last ones and go by position: one that is not given but stands before one
/// that is, is sent as the empty value of its type.
pub(crate) fn send_with_options<R: Wire>(
    class: &'static ClassDesc,
    at: usize,
    mut params: Vec<Value>,
    options: &mut [Option<Value>],
) -> Call<R> {
    let given = options.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    for option in &mut options[..given] {
        let ty = &class.messages[at].params[params.len()].ty;
        params.push(option.take().unwrap_or_else(|| ty.empty_value()));
    }
    send(class, at, params)
}

/// The default of a field, read from the descriptor.
pub(crate) fn default_of<T: Wire + Default>(class: &'static ClassDesc, field: &str) -> T {
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

/// Makes a struct the record of a class.
macro_rules! record {
    ($marker:ident, $record:ident; $($at:literal => $field:ident,)*) => {
        impl ClassTrait for $marker {
            type Record = $record;
            const DESC: &'static ClassDesc = &CLASS;
        }

        impl RecordTrait for $record {
            type Class = $marker;

            #[allow(unused_variables, reason = "some classes have no fields")]
            fn read_field(&mut self, at: usize, reader: &mut dyn Reader) -> Result<(), ReadError> {
                match at {
                    $($at => self.$field = Wire::read(reader)?,)*
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
                xenapi_core::read_members(&CLASS, &mut rest, reader, &mut |at, reader| record.read_field(at, reader))?;
                record.rest = rest;
                Ok(record)
            }

            fn write(&self, writer: &mut dyn Writer) {
                xenapi_core::write_members(self, writer);
            }
        }
    };
}
