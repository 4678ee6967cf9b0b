//! Where a field is, by its name: a table that the compiler fills.

use crate::descriptor::FieldDesc;

/// No field.
const NONE: u8 = u8::MAX;

/// How large the table for so many fields is: twice as large as it has to be, so that most names are where they are looked for.
pub const fn table_size(fields: usize) -> usize {
    assert!(fields < NONE as usize, "a class has fewer fields");
    (fields * 2 + 1).next_power_of_two()
}

/// The table for those fields, of [`table_size`].
pub const fn table<const SIZE: usize>(fields: &[FieldDesc]) -> [u8; SIZE] {
    let mut table = [NONE; SIZE];
    let mut at = 0;
    while at < fields.len() {
        let mut place = hash(fields[at].name.as_bytes()) & (SIZE - 1);
        while table[place] != NONE {
            place = (place + 1) & (SIZE - 1);
        }
        #[allow(clippy::cast_possible_truncation, reason = "its size was asked for")]
        {
            table[place] = at as u8;
        }
        at += 1;
    }
    table
}

/// The place of the field with that name. There is an end to it, because half of a table is free.
#[inline]
pub(crate) fn find(table: &[u8], fields: &[FieldDesc], name: &str) -> Option<usize> {
    let last = table.len().wrapping_sub(1);
    let mut place = hash(name.as_bytes());
    loop {
        place &= last;
        let at = usize::from(*table.get(place)?);
        if fields.get(at)?.name == name {
            return Some(at);
        }
        place += 1;
    }
}

/// Mixes the length, the first bytes and the last ones.
#[inline]
const fn hash(name: &[u8]) -> usize {
    let (first, last) = match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => match (name.first_chunk::<4>(), name.last_chunk::<4>()) {
            (Some(first), Some(last)) => (u32::from_le_bytes(*first) as u64, u32::from_le_bytes(*last) as u64),
            _ => match name {
                [] => (0, 0),
                [first, ..] => (*first as u64, name[name.len() - 1] as u64),
            },
        },
    };
    let mixed = (first ^ last.rotate_left(29)).wrapping_add(name.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    // The uppermost bits are mixed best: every byte has its part in them.
    (mixed >> 48) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [FieldDesc; 7] = {
        const fn named(name: &'static str) -> FieldDesc {
            FieldDesc { name, ..FieldDesc::PLAIN }
        }
        [named("uuid"), named("SR"), named("x"), named(""), named("other_config"), named("VIFs"), named("VCPUs_at_startup")]
    };
    static TABLE: [u8; table_size(FIELDS.len())] = table(&FIELDS);

    #[test]
    fn fields_are_found_and_nothing_else() {
        for (at, field) in FIELDS.iter().enumerate() {
            assert_eq!(find(&TABLE, &FIELDS, field.name), Some(at), "{}", field.name);
        }
        for name in ["uuie", "s", "y", "xx", "other_confif", "VIF", "VCPUs_at_startupp", "OpaqueRef:1"] {
            assert_eq!(find(&TABLE, &FIELDS, name), None, "{name}");
        }
        static EMPTY: [u8; table_size(0)] = table(&[]);
        assert_eq!(find(&EMPTY, &[], "uuid"), None);
        assert_eq!(find(&[], &[], "uuid"), None);
    }
}
