//! Vectors in one piece of memory, all of which are looked at: the quickest way to search few of them, and nothing is
//! missed but by how closely they are held.

use crate::store::{Near, Row};
use crate::values::{Precision, Values};
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

/// Rows in memory, in no order.
#[derive(Debug, Clone)]
pub struct Flat {
    ids: Vec<i64>,
    conversations: Vec<i64>,
    values: Values,
    places: HashMap<i64, usize>,
}

impl Flat {
    #[must_use]
    pub fn new(dimensions: usize, precision: Precision) -> Self {
        let values = Values::new(dimensions, precision);
        Self { ids: Vec::new(), conversations: Vec::new(), values, places: HashMap::new() }
    }

    /// How closely the vectors are held.
    #[must_use]
    pub fn precision(&self) -> Precision {
        self.values.precision()
    }

    /// The same rows, their vectors in bytes.
    #[must_use]
    pub fn in_bytes(self) -> Self {
        Self { values: self.values.in_bytes(), ..self }
    }

    /// Makes room for so many rows at once: growing in steps would leave twice the memory behind.
    pub fn reserve(&mut self, rows: usize) {
        self.ids.reserve_exact(rows);
        self.conversations.reserve_exact(rows);
        self.values.reserve(rows);
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
        if let Some(place) = self.places.get(&id).copied() {
            self.conversations[place] = conversation;
            self.values.set(place, vector);
            return;
        }
        self.places.insert(id, self.ids.len());
        self.ids.push(id);
        self.conversations.push(conversation);
        self.values.push(vector);
    }

    /// Removes a row; its bytes are overwritten or cut off.
    pub fn remove(&mut self, id: i64) {
        let Some(place) = self.places.remove(&id) else { return };
        self.ids.swap_remove(place);
        self.conversations.swap_remove(place);
        self.values.swap_remove(place);
        if let Some(moved) = self.ids.get(place) {
            self.places.insert(*moved, place);
        }
    }

    /// The `k` rows most like a unit vector, best first; of equals, the smaller id first.
    #[must_use]
    pub fn nearest(&self, vector: &[f32], k: usize, conversation: Option<i64>) -> Vec<Near> {
        let mut best = Best::new(k);
        let is_wanted = |place: usize| conversation.is_none_or(|wanted| self.conversations[place] == wanted);
        self.values
            .compare(vector, is_wanted, |place, similarity| best.offer(Near { id: self.ids[place], similarity }));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: i64, conversation: i64, vector: [f32; 2]) -> Row {
        Row { id, conversation, vector: vector.to_vec() }
    }

    #[test]
    fn nearest_is_best_first_and_equals_go_by_id() {
        let mut flat = Flat::new(2, Precision::Full);
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
        let mut flat = Flat::new(2, Precision::Full);
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
    }
}
