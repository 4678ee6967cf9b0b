//! Short runs of a target, the same at every run: seeds, and seeds with seeded changes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use xenapi_corpus::Dice;

use crate::{Target, generated};

/// What is put into documents, in libFuzzer's notation.
const DICTIONARY: &str = include_str!("../dictionary.txt");

/// The longest input that mutation makes.
const LONGEST: usize = 32 * 1024;

/// The generated seeds of a target, and those in `seeds/TARGET`, in the order of their names.
///
/// # Panics
/// When a seed cannot be read.
pub fn seeds(target: &Target) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target.name);
    let mut files: Vec<_> = std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    let read = files.iter().map(|file| std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display())));
    generated(target.input).into_iter().chain(read).collect()
}

/// Runs a target on its seeds and then on `count` mutations of them.
///
/// # Panics
/// When the target finds a fault; before that, prints the input as a Rust byte string.
pub fn run(target: &Target, count: usize, seed: u64) {
    let seeds = seeds(target);
    for seed in &seeds {
        attempt(target, seed);
    }
    let words = dictionary();
    let mut dice = Dice::new(seed);
    for _ in 0..count {
        let mut input = seeds[dice.below(seeds.len())].clone();
        // Large seeds are cut mostly: what is wrong with a record shows in the first hundred bytes of it as well.
        if input.len() > 2048 && !dice.once_in(8) {
            let (from, length) = (dice.below(input.len()), 200 + dice.below(1500));
            input = if dice.once_in(2) {
                input.into_iter().take(length).collect()
            } else {
                input.into_iter().skip(from).take(length).collect()
            };
        }
        for _ in 0..=dice.below(4) {
            mutate(&mut input, &seeds, &words, &mut dice);
        }
        input.truncate(LONGEST);
        attempt(target, &input);
    }
}

fn attempt(target: &Target, input: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (target.run)(input))) {
        eprintln!("target `{}` failed on b\"{}\"", target.name, input.escape_ascii());
        std::panic::resume_unwind(panic);
    }
}

/// The words of the dictionary.
fn dictionary() -> Vec<Vec<u8>> {
    let lines = DICTIONARY.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.strip_prefix('"')?.strip_suffix('"')).map(unescape).collect()
}

/// libFuzzer's notation: `\\`, `\"` and `\xAB`.
fn unescape(word: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = word.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'x') => {
                let digit = |byte: Option<u8>| byte.and_then(|it| char::from(it).to_digit(16)).unwrap_or(0);
                let (high, low) = (digit(bytes.next()), digit(bytes.next()));
                out.push(u8::try_from(high * 16 + low).unwrap_or(0));
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

fn mutate(input: &mut Vec<u8>, seeds: &[Vec<u8>], words: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.below(input.len() + 1);
    let length = 1 + if dice.once_in(4) { dice.below(200) } else { dice.below(8) };
    let end = (at + length).min(input.len());
    match dice.below(8) {
        0 if at < input.len() => input[at] ^= 1 << dice.below(8),
        1 if at < input.len() => input[at] = dice.pick(&[b"<", b">", b"&", b"/", b"\r", b"]", b"\xff"])[0],
        2 => drop(input.drain(at..end)),
        3 => {
            let part = input[at..end].to_vec();
            input.splice(at..at, part);
        }
        4 => {
            let other = &seeds[dice.below(seeds.len())];
            let from = dice.below(other.len());
            let part = other[from..(from + length * 8).min(other.len())].to_vec();
            input.splice(at..end, part);
        }
        5 => input.truncate(at),
        // Mostly words: random bytes are not well-formed at the first place that a reader looks at.
        _ => {
            let word = &words[dice.below(words.len())];
            let to = if dice.once_in(2) { at } else { end };
            input.splice(at..to, word.iter().copied());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dictionary_is_read() {
        let words = dictionary();
        assert!(words.len() > 80);
        assert!(words.contains(&b"<?xml version=\"1.0\"?>".to_vec()));
        assert!(words.contains(&b"\r\n".to_vec()));
        assert!(words.contains(&br"\u0041".to_vec()));
    }
}
