//! Every text that the console shows, a file for each part of it, so that a language is one table ([`crate::language`]).
//!
//! A text is a key with a template; `{0}`, `{1}` stand for its arguments. A [`Plural`] is a text whose words depend on a number, which is
//! `{0}`.

use alloc::string::String;

use crate::language::{self, Category};

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

/// A text whose words depend on a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plural {
    key: &'static str,
    one: &'static str,
    other: &'static str,
}

/// Makes plurals as constants of [`Plural`], and the list of them: `VmCount = "{0} VM", "{0} VMs";`.
macro_rules! plurals {
    ($($key:ident = $one:literal, $other:literal;)*) => {
        #[allow(non_upper_case_globals, reason = "a text reads like the variant of an enumeration, but its parts are in many files")]
        impl $crate::text::Plural {
            $(
                #[doc = concat!("“", $one, "”, “", $other, "”")]
                pub const $key: $crate::text::Plural = $crate::text::Plural {
                    key: stringify!($key),
                    one: $one,
                    other: $other,
                };
            )*
        }

        /// The plurals of this file.
        pub(super) const PLURALS: &[$crate::text::Plural] = &[$($crate::text::Plural::$key,)*];
    };
}
use plurals;

mod classes;
mod explorer;
mod facts;
mod failures;
mod frame;
mod impact;
mod messages;
mod object;
mod overview;
mod palette;
mod states;
mod tables;
mod topology;
mod units;

/// The texts of every file.
#[rustfmt::skip]
const AREAS: &[&[Text]] = &[
    classes::ALL,
    explorer::ALL,
    facts::ALL,
    failures::ALL,
    frame::ALL,
    impact::ALL,
    messages::ALL,
    object::ALL,
    overview::ALL,
    palette::ALL,
    states::ALL,
    tables::ALL,
    topology::ALL,
    units::ALL,
];

/// The plurals of every file that has any.
const PLURALS: &[&[Plural]] =
    &[frame::PLURALS, impact::PLURALS, overview::PLURALS, palette::PLURALS, tables::PLURALS, topology::PLURALS];

impl Text {
    /// All texts.
    pub fn all() -> impl Iterator<Item = Text> {
        AREAS.iter().copied().flatten().copied()
    }

    /// The name under which a catalogue has it.
    pub const fn key(self) -> &'static str {
        self.key
    }

    /// The template in English.
    pub const fn english(self) -> &'static str {
        self.english
    }

    /// The template in the current language.
    pub fn template(self) -> &'static str {
        language::translated(self.key).unwrap_or(self.english)
    }

    /// The text, for one without arguments.
    pub fn get(self) -> &'static str {
        self.template()
    }

    /// The text with its arguments. One that is missing stays as its placeholder, which tests find.
    pub fn with(self, arguments: &[&str]) -> String {
        fill(self.template(), arguments)
    }
}

impl Plural {
    /// All plurals.
    pub fn all() -> impl Iterator<Item = Plural> {
        PLURALS.iter().copied().flatten().copied()
    }

    /// The name under which a catalogue has its forms, each followed by a point and the word of its category.
    pub const fn key(self) -> &'static str {
        self.key
    }

    /// A form in English.
    pub const fn english(self, category: Category) -> &'static str {
        match category {
            Category::One => self.one,
            _ => self.other,
        }
    }

    /// The text for a number, which is `{0}`.
    pub fn of(self, number: usize) -> String {
        self.with(number, &[])
    }

    /// The text for a number, which is `{0}`, and further arguments from `{1}` on.
    pub fn with(self, number: usize, arguments: &[&str]) -> String {
        let template = language::with(|language| {
            let form = |category| language.form(self.key, category);
            form(language.category(number as u64)).or_else(|| form(Category::Other))
        });
        let template = template.unwrap_or(if number == 1 { self.one } else { self.other });
        let number = crate::format::count(number);
        let all: alloc::vec::Vec<&str> = core::iter::once(number.as_str()).chain(arguments.iter().copied()).collect();
        fill(template, &all)
    }
}

/// Puts arguments into the places of a template.
pub(crate) fn fill(template: &str, arguments: &[&str]) -> String {
    let mut text = String::new();
    let mut rest = template;
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

/// How many there are, in words: `1 VM`, `24 VMs`.
pub fn vms(count: usize) -> String {
    Plural::VmCount.of(count)
}

/// The word for a state.
pub fn state(state: xenapi_topology::State) -> Text {
    states::of(state)
}

/// The name of a message of the server, `VM_STARTED`, in words, where it has any.
pub fn message(name: &str) -> Option<Text> {
    messages::of(name)
}

/// The word that a class has for a state: an SR does not run, it is attached.
pub fn state_of(class: &str, state: xenapi_topology::State) -> Text {
    states::of_class(class, state)
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
            let template = text.english();
            let used = (0..9).filter(|at| template.contains(&format!("{{{at}}}"))).count();
            let braces = template.matches('{').count();
            assert!((0..used).all(|at| template.contains(&format!("{{{at}}}"))), "{}", text.key());
            assert!(braces >= used && template.matches('}').count() == braces, "{}", text.key());
        }
    }

    #[test]
    fn no_text_is_empty_and_no_key_comes_twice() {
        let mut keys = BTreeSet::new();
        for key in Text::all().map(Text::key).chain(Plural::all().map(Plural::key)) {
            assert!(keys.insert(key), "{key}");
        }
        assert!(Text::all().all(|text| !text.english().trim().is_empty()));
    }
}
