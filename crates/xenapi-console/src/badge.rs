//! The badge that says how old the data is.

use alloc::string::String;

use xenapi_client::Freshness;

use crate::format;
use crate::text::Text;

/// The badge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Badge {
    /// `live`, `stale` or `never`, for styles and tests.
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

#[cfg(test)]
mod tests {
    use super::*;
    use xenapi_core::Millis;

    #[test]
    fn the_badge_says_how_old_the_data_is() {
        let live = badge(&Freshness::Live { age: Millis(2_300) }, None);
        assert_eq!((live.state, live.text.as_str(), live.is_stale), ("live", "live · 2 s", false));
        let stale = badge(&Freshness::Stale { age: Millis(61_000) }, Some("It does not answer."));
        assert_eq!((stale.state, stale.text.as_str(), stale.is_stale), ("stale", "stale · 1 min", true));
        assert!(stale.title.ends_with("1 min ago: It does not answer."), "{}", stale.title);
        assert_eq!(badge(&Freshness::Never, None).state, "never");
    }
}
