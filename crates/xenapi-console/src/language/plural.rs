//! Which form of a word goes with a number, by rules that a language's file states, in the notation of the Unicode CLDR for whole numbers:
//! `n % 10 = 2..4 and n % 100 != 12..14`.

use alloc::vec::Vec;

/// A form of a word. Which numbers take it is the language's affair.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Category {
    /// Such as nothing, in Arabic and Latvian.
    Zero,
    /// Such as 1, in English.
    One,
    /// Such as 2, in Arabic and Slovenian.
    Two,
    /// Such as 2 to 4, in Slavic languages.
    Few,
    /// Such as 5 and more, in Polish.
    Many,
    /// Every other number; every number, in Chinese.
    Other,
}

impl Category {
    /// All, with `other` last.
    pub const ALL: [Category; 6] =
        [Category::Zero, Category::One, Category::Two, Category::Few, Category::Many, Category::Other];

    /// Its word in files.
    pub const fn word(self) -> &'static str {
        match self {
            Category::Zero => "zero",
            Category::One => "one",
            Category::Two => "two",
            Category::Few => "few",
            Category::Many => "many",
            Category::Other => "other",
        }
    }

    /// Reads its word.
    pub fn from_word(word: &str) -> Option<Category> {
        Category::ALL.into_iter().find(|category| category.word() == word)
    }
}

/// The rules of a language, tried in turn; without any, every number is `other`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rules(Vec<(Category, Vec<Vec<Relation>>)>);

/// `n % modulus` is within one of the ranges, or is not.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Relation {
    modulus: Option<u64>,
    negated: bool,
    ranges: Vec<(u64, u64)>,
}

impl Rules {
    pub(super) fn english() -> Rules {
        let one = Relation { modulus: None, negated: false, ranges: [(1, 1)].into() };
        Rules([(Category::One, [[one].into()].into())].into())
    }

    /// Adds the rule of a category.
    pub(super) fn add(&mut self, category: Category, rule: &str) -> Result<(), &'static str> {
        if category == Category::Other {
            return Err("“other” is what no rule matches: it has none");
        }
        let alternatives = rule.split(" or ").map(|all| all.split(" and ").map(relation).collect());
        let alternatives = alternatives.collect::<Option<Vec<_>>>();
        self.0.push((category, alternatives.ok_or("its rule is not like “n % 10 = 2..4 and n % 100 != 12..14”")?));
        Ok(())
    }

    pub(super) fn category(&self, number: u64) -> Category {
        let holds = |all: &Vec<Relation>| all.iter().all(|relation| relation.holds(number));
        let found = self.0.iter().find(|(_, alternatives)| alternatives.iter().any(holds));
        found.map_or(Category::Other, |(category, _)| *category)
    }

    pub(super) fn categories(&self) -> Vec<Category> {
        self.0.iter().map(|(category, _)| *category).chain([Category::Other]).collect()
    }
}

impl Relation {
    fn holds(&self, number: u64) -> bool {
        let number = self.modulus.map_or(number, |modulus| number % modulus);
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&number)) != self.negated
    }
}

fn relation(text: &str) -> Option<Relation> {
    let (left, right) = text.split_once('=')?;
    let (left, negated) = left.trim().strip_suffix('!').map_or((left.trim(), false), |left| (left.trim(), true));
    let left = left.strip_prefix('n')?.trim();
    let modulus = match left.strip_prefix('%') {
        Some(modulus) => Some(modulus.trim().parse().ok().filter(|it| *it > 0)?),
        None if left.is_empty() => None,
        None => return None,
    };
    let range = |range: &str| {
        let (first, last) = range.split_once("..").unwrap_or((range, range));
        Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
    };
    let ranges = right.split(',').map(range).collect::<Option<Vec<_>>>()?;
    Some(Relation { modulus, negated, ranges })
}
