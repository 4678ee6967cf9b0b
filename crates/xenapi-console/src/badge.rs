//! The badge that says how old the data is.

use alloc::string::String;

use xenapi_client::Freshness;
use xenapi_core::Millis;

use crate::format;
use crate::text::Text;

/// The badge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Badge {
    /// `live`, `retrying`, `stale` or `never`, for styles and tests.
    pub state: &'static str,
    /// What it says.
    pub text: String,
    /// What it says to those who ask.
    pub title: String,
    /// Whether the data cannot be relied on.
    pub is_stale: bool,
}

/// What the badge says; `why` is what keeps the pool from answering, as a sentence, if anything does.
pub fn badge(freshness: &Freshness, why: Option<&str>) -> Badge {
    let (state, text, title) = match freshness {
        Freshness::Never => ("never", Text::Never.get().into(), why.unwrap_or(Text::NeverTitle.get()).into()),
        // It has just failed: what is shown is still young, and will not be for long.
        Freshness::Live { age } if why.is_some() => {
            let age = format::age(*age);
            let title = Text::StaleBecause.with(&[&age, why.unwrap_or_default()]);
            ("retrying", Text::RetryingAge.with(&[&age]), title)
        }
        Freshness::Live { age } => {
            let age = format::age(*age);
            ("live", Text::LiveAge.with(&[&age]), Text::LiveTitle.with(&[&age]))
        }
        Freshness::Stale { age } => {
            let age = format::age(*age);
            let title = match why {
                Some(why) => Text::StaleBecause.with(&[&age, why]),
                None => Text::StaleTitle.with(&[&age]),
            };
            ("stale", Text::StaleAge.with(&[&age]), title)
        }
    };
    Badge { state, text, title, is_stale: matches!(freshness, Freshness::Stale { .. }) }
}

/// While everything is loaded once more, what is shown is from before.
pub fn reloading(badge: Badge, freshness: &Freshness) -> Badge {
    match freshness {
        // A large pool is loaded anew within the time in which it counts as current; then there is nothing to say.
        Freshness::Never | Freshness::Live { .. } => badge,
        Freshness::Stale { age } => {
            let age = format::age(*age);
            Badge { text: Text::Reloading.with(&[&age]), title: Text::ReloadingTitle.with(&[&age]), ..badge }
        }
    }
}

/// A pool that is in the page itself, so that it has no age.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A copy that was opened from files.
    File,
    /// A simulated pool.
    Simulated,
}

/// What the badge says of a pool in the page itself.
pub fn local(place: Place) -> Badge {
    let (state, text, title) = match place {
        Place::File => ("offline", Text::Offline, Text::OfflineTitle),
        Place::Simulated => ("demo", Text::Demonstration, Text::DemonstrationTitle),
    };
    Badge { state, text: text.get().into(), title: title.get().into(), is_stale: false }
}

/// When it is tried again, with so many milliseconds left.
pub fn next_attempt(left: u64) -> String {
    match left {
        0 => Text::Attempting.get().into(),
        // Rounded up: at nought it has begun.
        left => Text::NextAttempt.with(&[&format::age(Millis(left.saturating_add(999)))]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_badge_says_how_old_the_data_is() {
        let live = badge(&Freshness::Live { age: Millis(2_300) }, None);
        assert_eq!((live.state, live.text.as_str(), live.is_stale), ("live", "live · 2 s", false));
        let failing = badge(&Freshness::Live { age: Millis(2_300) }, Some("It does not answer."));
        assert_eq!((failing.state, failing.text.as_str(), failing.is_stale), ("retrying", "trying again · 2 s", false));
        assert!(failing.title.ends_with("2 s ago: It does not answer."), "{}", failing.title);
        let stale = badge(&Freshness::Stale { age: Millis(61_000) }, Some("It does not answer."));
        assert_eq!((stale.state, stale.text.as_str(), stale.is_stale), ("stale", "stale · 1 min", true));
        assert!(stale.title.ends_with("1 min ago: It does not answer."), "{}", stale.title);
        assert_eq!(badge(&Freshness::Never, None).state, "never");
        let again = reloading(stale, &Freshness::Stale { age: Millis(61_000) });
        assert_eq!((again.state, again.text.as_str()), ("stale", "loading again · 1 min"));
        assert_eq!(reloading(live.clone(), &Freshness::Live { age: Millis(9) }), live);
        assert_eq!(local(Place::File).state, "offline");
    }

    #[test]
    fn the_next_attempt_counts_down_to_one() {
        assert_eq!(next_attempt(1500), "Next attempt in 2 s.");
        assert_eq!(next_attempt(1), "Next attempt in 1 s.");
        assert_eq!(next_attempt(0), "Trying now…");
    }
}
