//! A random order that a seed repeats.

/// SplitMix64 (Steele, Lea, Flood 2014): three lines, and random enough for an order.
pub struct Shuffle {
    /// The seed of the order, printed with the results.
    pub seed: usize,
    state: u64,
}

impl Shuffle {
    /// The same seed gives the same orders.
    pub const fn new(seed: usize) -> Self {
        Self {
            seed,
            state: seed as u64,
        }
    }

    /// Puts the items into a new order (Fisher, Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            // The remainder prefers some orders by less than one in 2^60.
            let other = self.next() % (last as u64 + 1);
            items.swap(last, other as usize);
        }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
