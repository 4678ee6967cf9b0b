//! Names of members that are kept once, however often they come.

use alloc::borrow::Cow;
use alloc::sync::Arc;
use alloc::vec::Vec;

use xenapi_core::Name;

/// Longer names are those of objects, of which none comes again.
const LONGEST: usize = 40;

/// Names that have come, one in each place. A name whose place is taken by another takes it over, so whoever sends names that
/// fall on one place gets nothing shared, and nothing worse.
#[derive(Clone, Default)]
pub(super) struct Names {
    /// None before the first name, then a power of two.
    places: Vec<Option<Arc<str>>>,
}

impl Names {
    /// The name to keep. `length` is that of the document: a short one is not worth many places.
    #[inline]
    pub(super) fn keep(&mut self, name: Cow<'_, str>, length: usize) -> Name {
        if name.len() > LONGEST || name.is_empty() {
            return Name::Owned(name.into_owned());
        }
        if self.places.is_empty() {
            self.places.resize(if length < 16 * 1024 { 32 } else { 512 }, None);
        }
        let last = self.places.len() - 1;
        let Some(place) = self.places.get_mut(hash(name.as_bytes()) & last) else {
            return Name::Owned(name.into_owned());
        };
        match place {
            Some(known) if **known == *name => Name::Shared(Arc::clone(known)),
            _ => Name::Shared(Arc::clone(place.insert(Arc::from(&*name)))),
        }
    }
}

/// Mixes the length, the first eight bytes and the last eight.
#[inline]
fn hash(name: &[u8]) -> usize {
    let (first, last) = match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => (name.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)), 0),
    };
    let mixed = (first ^ last.rotate_left(29)).wrapping_add(name.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    // The uppermost bits are mixed best: every byte has its part in them.
    usize::try_from(mixed >> 55).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn a_name_is_itself_and_shared_when_it_comes_again() {
        let mut names = Names::default();
        for length in [0, 1, 7, 8, 9, 40, 41, 100] {
            for last in ["", "a", "b", "ü"] {
                let name = format!("{}{last}", "x".repeat(length));
                let (one, other) = (names.keep(name.as_str().into(), 0), names.keep(name.as_str().into(), 0));
                assert_eq!((&*one, &*other), (name.as_str(), name.as_str()));
                match (one, other) {
                    (Name::Shared(one), Name::Shared(other)) => assert!(Arc::ptr_eq(&one, &other)),
                    (Name::Owned(_), Name::Owned(_)) => assert!(name.is_empty() || name.len() > LONGEST),
                    others => panic!("{others:?}"),
                }
            }
        }
    }

    #[test]
    fn names_of_the_api_seldom_share_a_place() {
        let names: Vec<alloc::string::String> = ["VCPUs_", "memory_", "is_a_", "HVM_", "actions_after_", "snapshot_"]
            .iter()
            .flat_map(|first| (0..20).map(move |number| format!("{first}{number}_max")))
            .collect();
        let mut places: Vec<usize> = names.iter().map(|name| hash(name.as_bytes()) & 511).collect();
        places.sort_unstable();
        places.dedup();
        assert!(places.len() > 95, "{} places for {} names", places.len(), names.len());
    }
}
