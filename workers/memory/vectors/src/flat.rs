//! Vectors in one piece of memory, all of which are looked at: the quickest way to search few of them, and exact.

use crate::store::{Near, Row};
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

/// Sums that are kept side by side: four registers of the narrowest vector unit (SSE2, NEON), so that no addition waits
/// for the one before.
const LANES: usize = 16;

/// Rows in memory, in no order.
#[derive(Debug, Clone)]
pub struct Flat {
    dimensions: usize,
    ids: Vec<i64>,
    conversations: Vec<i64>,
    values: Vec<f32>,
    places: HashMap<i64, usize>,
}

impl Flat {
    #[must_use]
    pub fn new(dimensions: usize) -> Self {
        Self { dimensions, ids: Vec::new(), conversations: Vec::new(), values: Vec::new(), places: HashMap::new() }
    }

    /// Makes room for so many rows at once: growing in steps would leave twice the memory behind.
    pub fn reserve(&mut self, rows: usize) {
        self.ids.reserve_exact(rows);
        self.conversations.reserve_exact(rows);
        self.values.reserve_exact(rows * self.dimensions);
        self.places.reserve(rows);
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    #[must_use]
    pub fn ids(&self) -> &[i64] {
        &self.ids
    }

    #[must_use]
    pub fn contains(&self, id: i64) -> bool {
        self.places.contains_key(&id)
    }

    /// Adds a row, or replaces the one of that id. The vector is of unit length and of this store's dimensions.
    pub fn put(&mut self, row: &Row) {
        self.set(row.id, row.conversation, &row.vector);
    }

    /// [`Flat::put`] from parts.
    pub fn set(&mut self, id: i64, conversation: i64, vector: &[f32]) {
        debug_assert_eq!(vector.len(), self.dimensions);
        if let Some(place) = self.places.get(&id).copied() {
            self.conversations[place] = conversation;
            self.values[place * self.dimensions..(place + 1) * self.dimensions].copy_from_slice(vector);
            return;
        }
        self.places.insert(id, self.ids.len());
        self.ids.push(id);
        self.conversations.push(conversation);
        self.values.extend_from_slice(vector);
    }

    /// Removes a row; its bytes are overwritten or cut off.
    pub fn remove(&mut self, id: i64) {
        let Some(place) = self.places.remove(&id) else { return };
        let last = self.ids.len() - 1;
        self.ids.swap_remove(place);
        self.conversations.swap_remove(place);
        self.values.copy_within(last * self.dimensions.., place * self.dimensions);
        self.values.truncate(last * self.dimensions);
        if let Some(moved) = self.ids.get(place) {
            self.places.insert(*moved, place);
        }
    }

    /// The `k` rows most like a unit vector, best first; of equals, the smaller id first.
    #[must_use]
    pub fn nearest(&self, vector: &[f32], k: usize, conversation: Option<i64>) -> Vec<Near> {
        let mut best = Best::new(k);
        for (place, values) in self.values.chunks_exact(self.dimensions.max(1)).enumerate() {
            if conversation.is_none_or(|wanted| self.conversations[place] == wanted) {
                best.offer(Near { id: self.ids[place], similarity: dot(values, vector) });
            }
        }
        best.done()
    }
}

/// The best so far, the worst of them on top.
struct Best {
    room: usize,
    heap: BinaryHeap<Worst>,
}

struct Worst(Near);

impl Ord for Worst {
    fn cmp(&self, other: &Self) -> Ordering {
        best_first(&self.0, &other.0)
    }
}
impl PartialOrd for Worst {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Worst {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Worst {}

/// The order of every answer.
pub(crate) fn best_first(one: &Near, other: &Near) -> Ordering {
    other.similarity.total_cmp(&one.similarity).then(one.id.cmp(&other.id))
}

impl Best {
    fn new(room: usize) -> Self {
        Self { room, heap: BinaryHeap::new() }
    }

    fn offer(&mut self, near: Near) {
        if self.heap.len() < self.room {
            self.heap.push(Worst(near));
        } else if let Some(mut worst) = self.heap.peek_mut()
            && best_first(&near, &worst.0).is_lt()
        {
            *worst = Worst(near);
        }
    }

    fn done(self) -> Vec<Near> {
        self.heap.into_sorted_vec().into_iter().map(|worst| worst.0).collect()
    }
}

/// The sum of products, in `LANES` sums side by side.
fn dot(one: &[f32], other: &[f32]) -> f32 {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: i64, conversation: i64, vector: [f32; 2]) -> Row {
        Row { id, conversation, vector: vector.to_vec() }
    }

    #[test]
    fn nearest_is_best_first_and_equals_go_by_id() {
        let mut flat = Flat::new(2);
        for row in [row(9, 0, [0.0, 1.0]), row(3, 0, [1.0, 0.0]), row(7, 0, [1.0, 0.0]), row(5, 0, [0.6, 0.8])] {
            flat.put(&row);
        }
        let ids = |k| flat.nearest(&[1.0, 0.0], k, None).iter().map(|near| near.id).collect::<Vec<_>>();
        assert_eq!(ids(10), [3, 7, 5, 9]);
        assert_eq!(ids(2), [3, 7]);
        assert_eq!(ids(0), [0i64; 0]);
    }

    #[test]
    fn removing_keeps_the_others_in_place() {
        let mut flat = Flat::new(2);
        for id in 0..5 {
            flat.put(&row(id, id % 2, [id as f32, 1.0]));
        }
        flat.remove(1);
        flat.remove(4);
        flat.remove(4);
        flat.put(&row(3, 7, [9.0, 0.0]));
        assert_eq!(flat.len(), 3);
        assert_eq!(flat.nearest(&[1.0, 0.0], 9, Some(7)), [Near { id: 3, similarity: 9.0 }]);
        assert_eq!(flat.nearest(&[0.0, 1.0], 9, Some(0)).len(), 2);
        assert_eq!(flat.values.len(), 6);
    }

    #[test]
    fn dot_product_takes_every_element() {
        let one: Vec<f32> = (0..37).map(|n| n as f32).collect();
        assert_eq!(dot(&one, &one), (0..37).map(|n| (n * n) as f32).sum::<f32>());
    }
}
