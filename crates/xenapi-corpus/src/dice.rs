//! Numbers that look random and are the same at every run.

/// A generator of numbers (xorshift64*): fast, seeded, and nobody's secret.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that fall the same way for the same seed.
    pub fn new(seed: u64) -> Self {
        // Zero would stay zero for ever; neighbouring seeds would start alike.
        let mut dice = Dice((seed ^ 0x9e37_79b9_7f4a_7c15).max(1));
        for _ in 0..4 {
            dice.roll();
        }
        dice
    }

    /// Any number.
    pub fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below the bound; 0 for the bound 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from((self.roll() >> 11) % bound).unwrap_or(0)
    }

    /// A number below the bound, as the API counts.
    pub fn number(&mut self, bound: u32) -> i64 {
        i64::try_from((self.roll() >> 11) % u64::from(bound.max(1))).unwrap_or(0)
    }

    /// True once in that many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of several.
    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    /// A uuid of version 4.
    pub fn uuid(&mut self) -> String {
        let (high, low) = (self.roll(), self.roll());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xfff,
            0x8000 | low >> 48 & 0x3fff,
            low & 0xffff_ffff_ffff
        )
    }

    /// A reference.
    pub fn reference(&mut self) -> String {
        format!("OpaqueRef:{}", self.uuid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_another_others() {
        let rolls = |seed| {
            let mut dice = Dice::new(seed);
            [dice.roll(), dice.roll(), dice.roll()]
        };
        assert_eq!(rolls(1), rolls(1));
        assert_ne!(rolls(1), rolls(2));
        assert_ne!(rolls(0x9e37_79b9_7f4a_7c15), [0; 3]);
    }

    #[test]
    fn numbers_stay_below_their_bound() {
        let mut dice = Dice::new(7);
        assert!((0..1000).all(|_| dice.below(3) < 3));
        assert_eq!(dice.below(0), 0);
        assert_eq!(dice.uuid().len(), 36);
    }
}
