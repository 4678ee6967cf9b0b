//! Names of members that are kept once, however often they come.

use alloc::borrow::Cow;
use alloc::sync::Arc;
use alloc::vec::Vec;

use xenapi_core::Name;

/// Longer names are those of objects, of which none comes again.
const LONGEST: usize = 40;

/// Names that have come, one in each place. There are two places for each name; one that finds both taken takes over the first, so
/// whoever sends names that fall on one place gets nothing shared, and nothing worse.
#[derive(Clone, Default)]
pub(super) struct Names {
    /// None before the first name, then a power of two.
    places: Vec<Entry>,
}

/// Where a name is kept, if it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place(u16);

/// How a name is come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// It is the first one in the value of that name.
    Into(Place),
    /// It is behind that one.
    Behind(Place),
}

/// A name, and what came with it the last time.
#[derive(Clone)]
struct Entry {
    name: Option<Arc<str>>,
    /// The name behind it.
    behind: Place,
    /// The first name in its value.
    into: Place,
    /// How many members or items its value had.
    size: u32,
}

impl Place {
    /// Of names that are not kept.
    pub(super) const UNKNOWN: Place = Place(u16::MAX);

    pub(super) fn is_known(self) -> bool {
        self != Place::UNKNOWN
    }
}

impl Names {
    /// The name to keep, and where it is kept. `length` is that of the document: a short one is not worth many places.
    #[inline]
    pub(super) fn keep(&mut self, name: Cow<'_, str>, length: usize) -> (Name, Place) {
        if name.len() > LONGEST || name.is_empty() {
            return (Name::Owned(name.into_owned()), Place::UNKNOWN);
        }
        if self.places.is_empty() {
            let none = Entry { name: None, behind: Place::UNKNOWN, into: Place::UNKNOWN, size: 0 };
            self.places.resize(if length < 16 * 1024 { 32 } else { 512 }, none);
        }
        let first = hash(name.as_bytes()) & (self.places.len() - 1);
        let is =
            |at: &usize, wanted: Option<&str>| self.places.get(*at).is_some_and(|entry| entry.name.as_deref() == wanted);
        let both = [first, first ^ 1];
        let at = match both.iter().find(|at| is(at, Some(&name))) {
            Some(at) => *at,
            None => *both.iter().find(|at| is(at, None)).unwrap_or(&first),
        };
        let Some(entry) = self.places.get_mut(at) else { return (Name::Owned(name.into_owned()), Place::UNKNOWN) };
        let place = u16::try_from(at).map_or(Place::UNKNOWN, Place);
        let kept = match &mut entry.name {
            Some(known) if **known == *name => Arc::clone(known),
            free => Arc::clone(free.insert(Arc::from(&*name))),
        };
        (Name::Shared(kept), place)
    }

    /// The name that came that way the last time.
    #[inline(always)]
    pub(super) fn expected(&self, way: Way) -> Option<(&Arc<str>, Place)> {
        let place = match way {
            Way::Into(place) => self.entry(place)?.into,
            Way::Behind(place) => self.entry(place)?.behind,
        };
        Some((self.entry(place)?.name.as_ref()?, place))
    }

    /// Remembers which name came that way.
    #[inline]
    pub(super) fn leads_to(&mut self, way: Way, place: Place) {
        let (Way::Into(from) | Way::Behind(from)) = way;
        if let Some(entry) = self.places.get_mut(usize::from(from.0)) {
            match way {
                Way::Into(_) => entry.into = place,
                Way::Behind(_) => entry.behind = place,
            }
        }
    }

    /// How many members or items the value of that name had the last time.
    pub(super) fn size(&self, of: Place) -> usize {
        self.entry(of).map_or(0, |entry| entry.size as usize)
    }

    /// Remembers how many members or items the value of that name has.
    pub(super) fn has_size(&mut self, of: Place, size: usize) {
        if let Some(entry) = self.places.get_mut(usize::from(of.0)) {
            entry.size = u32::try_from(size).unwrap_or(u32::MAX);
        }
    }

    #[inline(always)]
    fn entry(&self, place: Place) -> Option<&Entry> {
        self.places.get(usize::from(place.0))
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
                let ((one, place), (other, again)) =
                    (names.keep(name.as_str().into(), 0), names.keep(name.as_str().into(), 0));
                assert_eq!(place, again);
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
    fn the_name_that_came_the_last_time_is_expected() {
        let mut names = Names::default();
        let [one, two, three] = ["one", "two", "three"].map(|name| names.keep(name.into(), 0).1);
        let expected = |names: &Names, way| names.expected(way).map(|(name, _)| alloc::string::String::from(&**name));
        assert_eq!(expected(&names, Way::Behind(one)), None);
        names.leads_to(Way::Behind(one), two);
        names.leads_to(Way::Into(one), three);
        names.leads_to(Way::Behind(Place::UNKNOWN), one);
        names.has_size(one, 3);
        assert_eq!(expected(&names, Way::Behind(one)).as_deref(), Some("two"));
        assert_eq!(expected(&names, Way::Into(one)).as_deref(), Some("three"));
        assert_eq!(expected(&names, Way::Behind(Place::UNKNOWN)), None);
        assert_eq!((names.size(one), names.size(two), names.size(Place::UNKNOWN)), (3, 0, 0));
        names.leads_to(Way::Behind(one), Place::UNKNOWN);
        assert_eq!(expected(&names, Way::Behind(one)), None);
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
