//! Tables that last as long as the process: for tests, and the plainest statement of what a store does.

use crate::error::VectorError;
use crate::flat::Flat;
use crate::store::{Done, Near, Row, Summary, VectorStore, VectorStores};
use crate::unit;
use crate::values::Precision;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Tables in memory.
#[derive(Default)]
pub struct InMemory {
    tables: Mutex<HashMap<String, Arc<Table>>>,
}

struct Table {
    dimensions: usize,
    state: Mutex<(Flat, u64)>,
}

impl InMemory {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> MutexGuard<'_, HashMap<String, Arc<Table>>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl VectorStores for InMemory {
    fn open(&self, name: &str, dimensions: usize) -> Done<'_, Arc<dyn VectorStore>> {
        let table = Arc::clone(self.tables().entry(name.to_owned()).or_insert_with(|| {
            Arc::new(Table { dimensions, state: Mutex::new((Flat::new(dimensions, Precision::Full), 0)) })
        }));
        Box::pin(async move {
            if table.dimensions != dimensions {
                return Err(VectorError::Damaged(format!("it holds vectors of {} dimensions", table.dimensions)));
            }
            Ok(table as Arc<dyn VectorStore>)
        })
    }

    fn remove(&self, name: &str) -> Done<'_, ()> {
        self.tables().remove(name);
        Box::pin(async { Ok(()) })
    }

    fn names(&self) -> Done<'_, Vec<String>> {
        let names = self.tables().keys().cloned().collect();
        Box::pin(async { Ok(names) })
    }

    fn bytes(&self) -> Done<'_, u64> {
        Box::pin(async { Ok(0) })
    }

    fn index(&self, _: u64, _: usize) -> &'static str {
        "flat"
    }
}

impl Table {
    fn state(&self) -> MutexGuard<'_, (Flat, u64)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl VectorStore for Table {
    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn put(&self, rows: Vec<Row>) -> Done<'_, u64> {
        Box::pin(async move {
            let rows = unit::rows(rows, self.dimensions)?;
            let mut state = self.state();
            rows.iter().for_each(|row| state.0.put(row));
            state.1 += 1;
            Ok(state.1)
        })
    }

    fn delete(&self, ids: Vec<i64>) -> Done<'_, u64> {
        Box::pin(async move {
            let mut state = self.state();
            ids.into_iter().for_each(|id| state.0.remove(id));
            state.1 += 1;
            Ok(state.1)
        })
    }

    fn nearest(&self, vector: Vec<f32>, k: usize, conversation: Option<i64>) -> Done<'_, Vec<Near>> {
        self.exact(vector, k, conversation)
    }

    fn exact(&self, vector: Vec<f32>, k: usize, conversation: Option<i64>) -> Done<'_, Vec<Near>> {
        Box::pin(async move {
            let vector = unit::unit(vector, self.dimensions)?;
            Ok(self.state().0.nearest(&vector, k, conversation))
        })
    }

    fn ids(&self) -> Done<'_, Vec<i64>> {
        let mut ids = self.state().0.ids().to_vec();
        ids.sort_unstable();
        Box::pin(async { Ok(ids) })
    }

    fn summary(&self) -> Done<'_, Summary> {
        let (rows, version) = {
            let state = self.state();
            (state.0.len() as u64, state.1)
        };
        Box::pin(async move { Ok(Summary { rows, bytes: 0, index: "flat".to_owned(), version }) })
    }

    fn optimize(&self) -> Done<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn purge(&self) -> Done<'_, u64> {
        Box::pin(async { Ok(self.state().1) })
    }
}
