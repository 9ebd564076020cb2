//! Numbers that look random and are the same in every run, so that every allocator gets the same requests.

/// `SplitMix64`; source: <https://prng.di.unimi.it/splitmix64.c>.
pub struct Random(u64);

impl Random {
    pub fn new(seed: usize) -> Self {
        Self(seed as u64)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, which is small beside 2^32.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(((self.next() >> 32) * limit as u64) >> 32).unwrap_or(0)
    }

    /// A size in bytes from 2^low to 2^high, every power of two as often as the next.
    pub fn size(&mut self, low: u32, high: u32) -> usize {
        let steps = usize::try_from(high - low).unwrap_or(1);
        let floor = 1_usize << (low as usize + self.below(steps));
        floor + self.below(floor)
    }
}
