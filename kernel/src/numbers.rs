//! A map whose keys are numbers: one multiplication for a hash, because every message passes several such maps.
//!
//! It does *not* resist a peer that chooses its numbers to collide. It need not: such a map holds at most
//! [`CALLS_PER_CALLER`](butterfly_wire::limits::CALLS_PER_CALLER) entries of one peer's choosing, and is searched for that
//! peer's own frames alone.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map from numbers.
pub type NumberMap<V> = HashMap<u64, V, BuildHasherDefault<NumberHasher>>;

/// 2⁶⁴ divided by the golden ratio (Knuth, The Art of Computer Programming 3, 6.4): consecutive numbers end up far apart.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// The hash of one number.
#[derive(Debug, Default, Clone, Copy)]
pub struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        // Both halves of the product: a table takes its bucket from the low bits, which a multiple of 2ⁿ leaves empty.
        let product = u128::from(self.0 ^ number) * u128::from(SPREAD);
        self.0 = product as u64 ^ (product >> 64) as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn low_bits(number: u64) -> u64 {
        let mut hasher = NumberHasher::default();
        hasher.write_u64(number);
        hasher.finish() % 1024
    }

    #[test]
    fn numbers_in_any_regular_order_spread_over_the_buckets() {
        for step in [1, 2, 64, 1 << 16, 1 << 32, 1 << 40] {
            let buckets: HashSet<u64> = (0..512).map(|at| low_bits(at * step)).collect();
            assert!(buckets.len() > 256, "{} buckets for steps of {step}", buckets.len());
        }
    }
}
