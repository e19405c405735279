//! The numbers of many vectors in one piece of memory, in full or in bytes.

/// Sums that are kept side by side: four registers of the narrowest vector unit (SSE2, NEON), so that no addition waits
/// for the one before.
const LANES: usize = 16;

/// A number in a byte: -127 to 127 of the vector's largest one. -128 is left out, so that all are alike on both sides.
const BYTE: f32 = 127.0;

/// A number of what is asked for: 15 bits, whose error is a 256th of that of what it is compared with. Where vectors are
/// long it has fewer, so that no sum of products needs more than 32.
fn most_asked(dimensions: usize) -> i32 {
    let longest = i32::try_from(dimensions).unwrap_or(i32::MAX).max(1);
    (i32::MAX / 127 / longest).clamp(1, i32::from(i16::MAX))
}

/// How closely vectors are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// As they came: four bytes a number.
    Full,
    /// One byte a number, and four for the largest. A cosine differs by about 0.0004 from the true one.
    Bytes,
}

/// Vectors of one length, one after the other.
#[derive(Debug, Clone)]
pub struct Values {
    dimensions: usize,
    kept: Kept,
}

#[derive(Debug, Clone)]
enum Kept {
    Full(Vec<f32>),
    /// What one is worth, for each vector.
    Bytes {
        units: Vec<f32>,
        numbers: Vec<i8>,
    },
}

impl Values {
    #[must_use]
    pub fn new(dimensions: usize, precision: Precision) -> Self {
        let kept = match precision {
            Precision::Full => Kept::Full(Vec::new()),
            Precision::Bytes => Kept::Bytes { units: Vec::new(), numbers: Vec::new() },
        };
        Self { dimensions, kept }
    }

    /// Bytes that so many vectors take.
    #[must_use]
    pub fn size(vectors: usize, dimensions: usize, precision: Precision) -> usize {
        let each = match precision {
            Precision::Full => dimensions.saturating_mul(size_of::<f32>()),
            Precision::Bytes => dimensions.saturating_add(size_of::<f32>()),
        };
        vectors.saturating_mul(each)
    }

    #[must_use]
    pub fn precision(&self) -> Precision {
        match self.kept {
            Kept::Full(_) => Precision::Full,
            Kept::Bytes { .. } => Precision::Bytes,
        }
    }

    /// Makes room for so many vectors at once: growing in steps would leave twice the memory behind.
    pub fn reserve(&mut self, vectors: usize) {
        match &mut self.kept {
            Kept::Full(numbers) => numbers.reserve_exact(vectors * self.dimensions),
            Kept::Bytes { units, numbers } => {
                units.reserve_exact(vectors);
                numbers.reserve_exact(vectors * self.dimensions);
            }
        }
    }

    /// Adds a vector at the end.
    pub fn push(&mut self, vector: &[f32]) {
        match &mut self.kept {
            Kept::Full(numbers) => numbers.extend_from_slice(vector),
            Kept::Bytes { units, numbers } => {
                let unit = unit(vector);
                units.push(unit);
                numbers.extend(vector.iter().map(|number| byte(*number, unit)));
            }
        }
    }

    /// Puts a vector in the place of another.
    pub fn set(&mut self, place: usize, vector: &[f32]) {
        let range = place * self.dimensions..(place + 1) * self.dimensions;
        match &mut self.kept {
            Kept::Full(numbers) => numbers[range].copy_from_slice(vector),
            Kept::Bytes { units, numbers } => {
                let unit = unit(vector);
                units[place] = unit;
                numbers[range].iter_mut().zip(vector).for_each(|(kept, number)| *kept = byte(*number, unit));
            }
        }
    }

    /// Removes a vector; the last one takes its place. Its bytes are overwritten or cut off.
    pub fn swap_remove(&mut self, place: usize) {
        let width = self.dimensions;
        match &mut self.kept {
            Kept::Full(numbers) => take_last(numbers, width, place),
            Kept::Bytes { units, numbers } => {
                take_last(units, 1, place);
                take_last(numbers, width, place);
            }
        }
    }

    /// The same vectors in bytes.
    #[must_use]
    pub fn in_bytes(self) -> Self {
        match self.kept {
            Kept::Full(full) => {
                let mut bytes = Self::new(self.dimensions, Precision::Bytes);
                bytes.reserve(full.len().checked_div(self.dimensions).unwrap_or_default());
                full.chunks_exact(self.dimensions.max(1)).for_each(|vector| bytes.push(vector));
                bytes
            }
            Kept::Bytes { .. } => self,
        }
    }

    /// Gives the place and the cosine of every vector of which `wanted` says so. `asked` is of unit length.
    pub fn compare(&self, asked: &[f32], wanted: impl Fn(usize) -> bool, mut take: impl FnMut(usize, f32)) {
        let width = self.dimensions.max(1);
        match &self.kept {
            Kept::Full(numbers) => {
                for (place, vector) in numbers.chunks_exact(width).enumerate().filter(|(place, _)| wanted(*place)) {
                    take(place, dot(vector, asked));
                }
            }
            Kept::Bytes { units, numbers } => {
                let scale = largest(asked) / most_asked(width) as f32;
                let asked: Vec<i16> = asked.iter().map(|number| whole(*number, scale) as i16).collect();
                let vectors = numbers.chunks_exact(width).zip(units).enumerate();
                for (place, (vector, unit)) in vectors.filter(|(place, _)| wanted(*place)) {
                    take(place, dot_bytes(vector, &asked) as f32 * (unit * scale));
                }
            }
        }
    }
}

/// The last item takes the place of the one at `place`; each is `width` long.
fn take_last<T: Copy>(items: &mut Vec<T>, width: usize, place: usize) {
    let last = items.len() - width;
    items.copy_within(last.., place * width);
    items.truncate(last);
}

fn largest(vector: &[f32]) -> f32 {
    vector.iter().fold(0.0, |most, number| most.max(number.abs()))
}

/// What one is worth in a vector's bytes.
fn unit(vector: &[f32]) -> f32 {
    largest(vector) / BYTE
}

fn whole(number: f32, unit: f32) -> i32 {
    if unit > 0.0 { (number / unit).round() as i32 } else { 0 }
}

fn byte(number: f32, unit: f32) -> i8 {
    whole(number, unit) as i8
}

/// The sum of products, in [`LANES`] sums side by side.
pub(crate) fn dot(one: &[f32], other: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    let (ones, one_rest) = one.as_chunks::<LANES>();
    let (others, other_rest) = other.as_chunks::<LANES>();
    for (one, other) in ones.iter().zip(others) {
        for lane in 0..LANES {
            sums[lane] += one[lane] * other[lane];
        }
    }
    let rest: f32 = one_rest.iter().zip(other_rest).map(|(one, other)| one * other).sum();
    sums.iter().sum::<f32>() + rest
}

/// The same of bytes and numbers of 15 bits. Sixteen bits times sixteen, added in pairs, is one instruction of every
/// machine's vector unit.
fn dot_bytes(kept: &[i8], asked: &[i16]) -> i32 {
    kept.iter().zip(asked).map(|(kept, asked)| i32::from(i16::from(*kept)) * i32::from(*asked)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Directions that have nothing to do with each other.
    fn vector(seed: u32, dimensions: usize) -> Vec<f32> {
        let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        let vector: Vec<f32> = (0..dimensions).map(|_| next()).collect();
        let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
        vector.into_iter().map(|number| number / length).collect()
    }

    fn compared(values: &Values, asked: &[f32]) -> Vec<f32> {
        let mut found = Vec::new();
        values.compare(asked, |_| true, |_, similarity| found.push(similarity));
        found
    }

    #[test]
    fn dot_product_takes_every_element() {
        let one: Vec<f32> = (0..37).map(|n| n as f32).collect();
        assert_eq!(dot(&one, &one), (0..37).map(|n| (n * n) as f32).sum::<f32>());
    }

    #[test]
    fn bytes_differ_little_from_the_numbers_that_they_stand_for() {
        for dimensions in [3, 37, 384, 4096] {
            let mut full = Values::new(dimensions, Precision::Full);
            (0..50).for_each(|seed| full.push(&vector(seed, dimensions)));
            let bytes = full.clone().in_bytes();
            let asked = vector(7, dimensions);
            for (exact, near) in compared(&full, &asked).into_iter().zip(compared(&bytes, &asked)) {
                assert!((exact - near).abs() < 0.005, "{dimensions}: {exact} and {near}");
            }
        }
    }

    #[test]
    fn the_longest_and_most_lopsided_vectors_fit_their_sums() {
        let mut one = vec![0.0; 8192];
        one[5] = 1.0;
        let even = vec![1.0 / (8192.0f32).sqrt(); 8192];
        let mut values = Values::new(8192, Precision::Bytes);
        for vector in [&one, &even] {
            values.push(vector);
        }
        for (asked, at) in [(&one, 0), (&even, 1)] {
            assert!((compared(&values, asked)[at] - 1.0).abs() < 0.001);
        }
    }

    #[test]
    fn what_is_removed_leaves_no_byte() {
        for precision in [Precision::Full, Precision::Bytes] {
            let mut values = Values::new(2, precision);
            for vector in [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]] {
                values.push(&vector);
            }
            values.swap_remove(0);
            assert_eq!(compared(&values, &[1.0, 0.0]), [-1.0, 0.0]);
            values.set(1, &[1.0, 0.0]);
            values.swap_remove(0);
            assert_eq!(compared(&values, &[1.0, 0.0]), [1.0]);
            values.swap_remove(0);
            assert!(compared(&values, &[1.0, 0.0]).is_empty());
        }
    }
}
