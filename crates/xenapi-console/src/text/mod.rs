//! Every text that the console shows, a file for each part of it, so that a language is one table.
//!
//! A text is a key with a template; `{0}`, `{1}` stand for its arguments.

use alloc::string::String;

/// A text, by its key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Text {
    key: &'static str,
    english: &'static str,
}

/// Makes texts as constants of [`Text`], and the list of them.
macro_rules! texts {
    ($($key:ident = $english:literal,)*) => {
        #[allow(non_upper_case_globals, reason = "a text reads like the variant of an enumeration, but its parts are in many files")]
        impl $crate::text::Text {
            $(
                #[doc = concat!("“", $english, "”")]
                pub const $key: $crate::text::Text = $crate::text::Text { key: stringify!($key), english: $english };
            )*
        }

        /// The texts of this file.
        pub(super) const ALL: &[$crate::text::Text] = &[$($crate::text::Text::$key,)*];
    };
}
use texts;

mod classes;
mod facts;
mod failures;
mod frame;
mod object;
mod tables;
mod topology;

/// The texts of every file.
const AREAS: &[&[Text]] = &[classes::ALL, facts::ALL, failures::ALL, frame::ALL, object::ALL, tables::ALL, topology::ALL];

impl Text {
    /// All texts.
    pub fn all() -> impl Iterator<Item = Text> {
        AREAS.iter().copied().flatten().copied()
    }

    /// The name under which a catalogue has it.
    pub const fn key(self) -> &'static str {
        self.key
    }

    /// The template, in English.
    pub const fn template(self) -> &'static str {
        self.english
    }
}

impl Text {
    /// The text, for one without arguments.
    pub const fn get(self) -> &'static str {
        self.template()
    }

    /// The text with its arguments. One that is missing stays as its placeholder, which tests find.
    pub fn with(self, arguments: &[&str]) -> String {
        let mut text = String::new();
        let mut rest = self.template();
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let argument = after.split_once('}').and_then(|(at, behind)| {
                let argument = arguments.get(at.parse::<usize>().ok()?)?;
                Some((*argument, behind))
            });
            rest = match argument {
                Some((argument, behind)) => {
                    text.push_str(argument);
                    behind
                }
                None => {
                    text.push('{');
                    after
                }
            };
        }
        text.push_str(rest);
        text
    }
}

/// How many there are, in words: `1 VM`, `24 VMs`.
pub fn vms(count: usize) -> String {
    if count == 1 { Text::VmsOne.get().into() } else { Text::VmsAll.with(&[&crate::format::count(count)]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::format;

    #[test]
    fn arguments_take_their_places() {
        assert_eq!(Text::StaleBecause.with(&["9 s", "gone"]).as_str().split_once("9 s ago: gone").map(|it| it.1), Some(""));
        assert_eq!(Text::UsedOf.with(&["1", "{0}"]), "1 of {0}");
        assert_eq!(Text::UsedOf.with(&["1"]), "1 of {1}");
        assert_eq!(vms(1), "1 VM");
        assert_eq!(vms(5_000), "5,000 VMs");
    }

    #[test]
    fn placeholders_are_numbered_from_zero_without_gaps() {
        for text in Text::all() {
            let used = (0..9).filter(|at| text.template().contains(&format!("{{{at}}}"))).count();
            let braces = text.template().matches('{').count();
            assert!((0..used).all(|at| text.template().contains(&format!("{{{at}}}"))), "{}", text.key());
            assert!(braces >= used && text.template().matches('}').count() == braces, "{}", text.key());
        }
    }

    #[test]
    fn no_text_is_empty_and_no_key_comes_twice() {
        let keys: BTreeSet<_> = Text::all().map(Text::key).collect();
        assert_eq!(keys.len(), Text::all().count());
        assert!(Text::all().all(|text| !text.template().trim().is_empty()));
    }
}
