//! Two small classes for this crate's own tests and examples; the real ones are in `xenapi-model`.

use alloc::string::String;
use alloc::vec::Vec;

use crate::descriptor::{ClassDesc, FieldDesc, Implicit, OwnTypes, Place, Qualifier, RecordDesc, Role, Stage, Type};
use crate::places::{table, table_size};
use crate::{Class, ReadError, Reader, Record, Rest, TextMap, Wire, Writer, read_members, write_members};

const fn field(name: &'static str, ty: Type, qualifier: Qualifier) -> FieldDesc {
    FieldDesc { name, ty, qualifier, write_role: Role::VmAdmin, lifecycle: &[(Stage::Published, "rio")], ..FieldDesc::PLAIN }
}

macro_rules! class {
    ($marker:ident, $record:ident, $name:literal) => {
        #[doc = concat!("The class `", $name, "`.")]
        #[derive(Clone, Copy, Debug)]
        pub struct $marker;

        #[doc = concat!("A record of `", $name, "`.")]
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $record {
            /// The uuid.
            pub uuid: String,
            /// A number.
            pub size: i64,
            /// A set.
            pub tags: Vec<String>,
            /// A map.
            pub other_config: TextMap,
            /// What else came.
            pub rest: Rest,
        }

        impl Class for $marker {
            type Record = $record;
            const DESC: &'static ClassDesc = {
                static DESC: ClassDesc = ClassDesc {
                    record: <$marker as Class>::RECORD,
                    place: Place::Core,
                    enums: &[],
                    messages: &[],
                    implicit: Implicit {
                        get_all: true,
                        get_record: true,
                        get_by_name_label: false,
                        create: Some((Role::VmAdmin, Role::VmAdmin)),
                        read_role: Role::ReadOnly,
                    },
                    has_events: true,
                    own: OwnTypes {
                        reference: Type::Ref($name),
                        references: Type::Set(&Type::Ref($name)),
                        record: Type::Record($name),
                        records: Type::Map(&Type::Ref($name), &Type::Record($name)),
                    },
                    lifecycle: &[(Stage::Published, "rio")],
                    doc: "",
                };
                &DESC
            };
            const RECORD: &'static RecordDesc = {
                static FIELDS: &[FieldDesc] = &[
                    field("uuid", Type::String, Qualifier::Dynamic),
                    field("size", Type::Int, Qualifier::Static),
                    field("tags", Type::Set(&Type::String), Qualifier::ReadWrite),
                    field("other_config", Type::Map(&Type::String, &Type::String), Qualifier::ReadWrite),
                ];
                static RECORD: RecordDesc = RecordDesc {
                    name: $name,
                    secret: false,
                    fields: FIELDS,
                    by_name: &table::<{ table_size(4) }>(FIELDS),
                    listed: true,
                };
                &RECORD
            };
        }

        impl Record for $record {
            type Class = $marker;

            fn read_field(&mut self, at: usize, reader: &mut dyn Reader) -> Result<(), ReadError> {
                match at {
                    0 => self.uuid = Wire::read(reader)?,
                    1 => self.size = Wire::read(reader)?,
                    2 => self.tags = Wire::read(reader)?,
                    _ => self.other_config = Wire::read(reader)?,
                }
                Ok(())
            }

            fn write_field(&self, at: usize, writer: &mut dyn Writer) {
                match at {
                    0 => self.uuid.write(writer),
                    1 => self.size.write(writer),
                    2 => self.tags.write(writer),
                    _ => self.other_config.write(writer),
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
                let (mut record, mut rest) = ($record::default(), Rest::default());
                read_members($marker::RECORD, &mut rest, reader, &mut |at, reader| record.read_field(at, reader))?;
                record.rest = rest;
                Ok(record)
            }

            fn write(&self, writer: &mut dyn Writer) {
                write_members(self, writer);
            }
        }
    };
}

class!(Apple, AppleRecord, "Apple");
class!(Pear, PearRecord, "Pear");
