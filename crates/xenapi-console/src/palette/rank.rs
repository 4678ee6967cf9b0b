//! How well something fits what was typed.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::query::distance;
use crate::text::Text;

/// The whole of it, from its beginning, from the beginning of a word, somewhere, nearly: the less, the better.
pub(super) const EXACT: u32 = 0;
pub(super) const PREFIX: u32 = 1;
const WORD: u32 = 2;
const WITHIN: u32 = 3;
/// Added where it is something else than the name.
const ELSEWHERE: u32 = 2;
const NEARLY: u32 = 8;

/// Which part of an object was found.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Why {
    /// What it is; none for the name.
    pub(super) field: Option<Text>,
    /// What stands there.
    pub(super) text: String,
}

/// The words that were typed, in lower case.
#[derive(Debug)]
pub(super) struct Words {
    whole: String,
    words: Vec<String>,
}

impl Words {
    pub(super) fn new(typed: &str) -> Words {
        let whole = typed.trim().to_lowercase();
        let words = whole.split_whitespace().take(8).map(ToString::to_string).collect();
        Words { whole, words }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether they are a letter or two, which are in every number.
    pub(super) fn are_short(&self) -> bool {
        self.whole.len() < 3
    }

    /// Whether every word is somewhere in it: the quick look before the exact one.
    pub(super) fn are_in(&self, haystack: &str) -> bool {
        self.words.iter().all(|word| haystack.contains(word.as_str()))
    }

    /// How well they fit the lines of an object, of which the first is its name; the line that fits best.
    pub(super) fn rank<'a>(&self, lines: impl Iterator<Item = &'a str> + Clone) -> (u32, usize) {
        let best_of = |word: &str| {
            let ranks = lines.clone().enumerate().filter_map(|(at, line)| {
                let rank = rank_in(word, line)?;
                // An address or a number that is the same all the way is as good as a name that begins so.
                Some((
                    if at == 0 {
                        rank
                    } else if rank == EXACT {
                        PREFIX
                    } else {
                        rank + ELSEWHERE
                    },
                    at,
                ))
            });
            ranks.min()
        };
        if let Some(whole) = best_of(&self.whole) {
            return whole;
        }
        // Several words in several places: as good as the worst of them.
        let worst = self.words.iter().filter_map(|word| best_of(word)).max();
        worst.map_or((NEARLY, 0), |(rank, at)| (rank + 1, at))
    }

    /// How well they fit the title of something to do.
    pub(super) fn rank_of_title(&self, title: &str) -> Option<u32> {
        let title = title.to_lowercase();
        if let Some(rank) = rank_in(&self.whole, &title) {
            return Some(rank);
        }
        let all = self.words.iter().map(|word| rank_in(word, &title));
        all.collect::<Option<Vec<u32>>>().and_then(|ranks| ranks.into_iter().max()).map(|rank| rank + 1)
    }

    /// Whether a name is nearly what was typed: its letters in this order, or a word of it with a letter or two wrong.
    pub(super) fn are_nearly(&self, name: &str) -> Option<u32> {
        let letters = self.whole.chars().filter(|letter| !letter.is_whitespace()).count();
        if letters < 3 {
            return None;
        }
        let mut rest = name.chars();
        if self.whole.chars().filter(|letter| !letter.is_whitespace()).all(|letter| rest.any(|other| other == letter)) {
            return Some(NEARLY);
        }
        let slack = if letters < 6 { 1 } else { 2 };
        let near = |word: &str| {
            // What was typed may be the beginning of a word.
            let end = word.char_indices().nth(letters + 1).map_or(word.len(), |(at, _)| at);
            let exact = word.char_indices().nth(letters).map_or(word.len(), |(at, _)| at);
            distance(&self.whole, &word[..exact]).min(distance(&self.whole, &word[..end]))
        };
        let words = name.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
        let nearest = words.chain(core::iter::once(name)).map(near).min()?;
        (nearest <= slack).then(|| NEARLY + u32::try_from(nearest).unwrap_or(9))
    }
}

fn rank_in(word: &str, line: &str) -> Option<u32> {
    let at = line.find(word)?;
    if at == 0 {
        return Some(if line.len() == word.len() { EXACT } else { PREFIX });
    }
    let starts_word = |at: usize| line[..at].chars().next_back().is_some_and(|before| !before.is_alphanumeric());
    let is_word = starts_word(at) || line.match_indices(word).any(|(at, _)| starts_word(at));
    Some(if is_word { WORD } else { WITHIN })
}
