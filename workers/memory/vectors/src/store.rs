//! What a store of vectors is.

use crate::error::VectorError;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// An answer to come. It may be dropped: what was begun is then finished all the same.
pub type Done<'a, T> = Pin<Box<dyn Future<Output = Result<T, VectorError>> + Send + 'a>>;

/// One passage's vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The passage.
    pub id: i64,
    /// The conversation that it belongs to; 0: to none.
    pub conversation: i64,
    /// Of any length but 0: only its direction is kept.
    pub vector: Vec<f32>,
}

/// A passage that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Near {
    pub id: i64,
    /// Cosine similarity, in -1..=1.
    pub similarity: f32,
}

/// What is known of a store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    pub rows: u64,
    /// On disk.
    pub bytes: u64,
    /// How it is searched, such as `flat`.
    pub index: String,
    /// Grows with every change. A store that shows a smaller one than it did before has lost something.
    pub version: u64,
}

/// A table of vectors that one model made.
pub trait VectorStore: Send + Sync {
    /// The length of every vector.
    fn dimensions(&self) -> usize;

    /// Adds rows; those with an id that is there replace it. Of two with the same id the later one counts. Tells the
    /// store's version afterwards: [`Summary::version`].
    ///
    /// # Errors
    /// [`VectorError::Refused`] for all of them where one is not of this store's kind.
    fn put(&self, rows: Vec<Row>) -> Done<'_, u64>;

    /// Deletes rows; ids that are not there are no error. Tells the store's version afterwards.
    fn delete(&self, ids: Vec<i64>) -> Done<'_, u64>;

    /// The `k` rows whose vectors are most like this one, best first, of that conversation alone if one is named. A
    /// large store may miss a few of them.
    ///
    /// # Errors
    /// [`VectorError::Refused`] for a vector that is not of this store's kind.
    fn nearest(&self, vector: Vec<f32>, k: usize, conversation: Option<i64>) -> Done<'_, Vec<Near>>;

    /// The same, from what is on disk and without any index: slow, and misses nothing.
    ///
    /// # Errors
    /// As [`VectorStore::nearest`].
    fn exact(&self, vector: Vec<f32>, k: usize, conversation: Option<i64>) -> Done<'_, Vec<Near>>;

    /// Every id, ascending.
    fn ids(&self) -> Done<'_, Vec<i64>>;

    fn summary(&self) -> Done<'_, Summary>;

    /// Merges what many small changes left, brings the index up to date and removes old versions. For idle times; the
    /// store does it by itself after many changes.
    fn optimize(&self) -> Done<'_, ()>;

    /// Removes every byte of what was deleted or replaced: rewrites what held it, index included. Tells the store's
    /// version afterwards.
    fn purge(&self) -> Done<'_, u64>;
}

/// Where such tables are kept, by name. Names are of letters, digits and `_`.
pub trait VectorStores: Send + Sync {
    /// Opens a table, and makes it if there is none. Dropping it lets go of its memory and threads.
    ///
    /// # Errors
    /// [`VectorError::Damaged`] where it cannot be read, or holds vectors of another length.
    fn open(&self, name: &str, dimensions: usize) -> Done<'_, Arc<dyn VectorStore>>;

    /// Deletes a table, whatever its state; nobody may have it open.
    fn remove(&self, name: &str) -> Done<'_, ()>;

    /// The tables there are.
    fn names(&self) -> Done<'_, Vec<String>>;

    /// What all of them take on disk, in bytes.
    fn bytes(&self) -> Done<'_, u64>;

    /// How a table of so many rows is searched, such as `flat`; for people.
    fn index(&self, rows: u64, dimensions: usize) -> &'static str;
}
