//! The plainest store: a map. What a store answers is held against it.

use butterfly_vectors::{Near, Row};
use std::collections::BTreeMap;

/// The length of every vector in these tests: a multiple of what vector units take at once.
pub const DIMENSIONS: usize = 8;

/// How far two ways of adding the same products may differ.
pub const NEARLY: f32 = 1e-4;

#[derive(Default)]
pub struct Model {
    rows: BTreeMap<i64, (i64, Vec<f32>)>,
}

impl Model {
    pub fn put(&mut self, row: &Row) {
        self.rows.insert(row.id, (row.conversation, row.vector.clone()));
    }

    pub fn delete(&mut self, id: i64) {
        self.rows.remove(&id);
    }

    pub fn ids(&self) -> Vec<i64> {
        self.rows.keys().copied().collect()
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    fn similarity(&self, id: i64, vector: &[f32]) -> Option<f32> {
        let (_, own) = self.rows.get(&id)?;
        let product: f64 = own.iter().zip(vector).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        let length = |v: &[f32]| v.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        Some((product / length(own) / length(vector)) as f32)
    }

    fn best(&self, vector: &[f32], conversation: Option<i64>) -> Vec<Near> {
        let of_it = self.rows.iter().filter(|(_, (of, _))| conversation.is_none_or(|wanted| wanted == *of));
        let mut all: Vec<Near> =
            of_it.map(|(id, _)| Near { id: *id, similarity: self.similarity(*id, vector).unwrap() }).collect();
        all.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
        all
    }

    /// Fails unless the answer is one that an exact search may give: each row once and of the conversation, with its own
    /// similarity, best first, and none left out that is clearly better than the last one.
    pub fn check(&self, found: &[Near], vector: &[f32], k: usize, conversation: Option<i64>) {
        self.check_sound(found, vector, k, conversation);
        let best = self.best(vector, conversation);
        assert_eq!(found.len(), best.len().min(k), "as many as there are");
        for (found, best) in found.iter().zip(&best) {
            assert!((found.similarity - best.similarity).abs() < NEARLY, "{found:?} where {best:?} was due");
        }
    }

    /// The same without the last claim: what a search with an index may give.
    pub fn check_sound(&self, found: &[Near], vector: &[f32], k: usize, conversation: Option<i64>) {
        assert!(found.len() <= k);
        let mut ids: Vec<i64> = found.iter().map(|near| near.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), found.len(), "a row twice in {found:?}");
        assert!(found.windows(2).all(|pair| pair[0].similarity >= pair[1].similarity), "not best first: {found:?}");
        for near in found {
            let own = self.similarity(near.id, vector).unwrap_or_else(|| panic!("{} is not there", near.id));
            assert!((own - near.similarity).abs() < NEARLY, "{} is {own}, not {}", near.id, near.similarity);
            assert!(conversation.is_none_or(|wanted| self.rows[&near.id].0 == wanted), "of another conversation");
        }
    }

    /// How many of the `k` best an answer has.
    pub fn recalled(&self, found: &[Near], vector: &[f32], k: usize) -> usize {
        let best: Vec<i64> = self.best(vector, None).into_iter().take(k).map(|near| near.id).collect();
        found.iter().filter(|near| best.contains(&near.id)).count()
    }
}
