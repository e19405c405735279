//! The models that made vectors: which serves, which is being filled, and the change from one to the other.

use crate::error::StoreError;
use crate::schema::{embedded, embedding_models};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

/// `embedding_models.state`.
const FILLING: i32 = 0;
const SERVING: i32 = 1;

/// A model that made vectors.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Model {
    pub id: i64,
    pub name: String,
    pub dimensions: i32,
    state: i32,
    /// The vector table's version when it was last known to be whole.
    pub version: i64,
    /// Its table's files may hold what was deleted or replaced.
    pub stale: bool,
}

impl Model {
    /// It answers searches; else it is being filled.
    #[must_use]
    pub fn serves(&self) -> bool {
        self.state == SERVING
    }

    /// What its table is called.
    #[must_use]
    pub fn table(&self) -> String {
        format!("model_{}", self.id)
    }

    /// The length of its vectors.
    #[must_use]
    pub fn length(&self) -> usize {
        usize::try_from(self.dimensions).unwrap_or(0)
    }
}

/// All of them, the serving one first.
///
/// # Errors
/// The database's.
pub fn all(db: &mut SqliteConnection) -> Result<Vec<Model>, StoreError> {
    Ok(embedding_models::table
        .order(embedding_models::state.desc())
        .then_order_by(embedding_models::id.desc())
        .load(db)?)
}

/// Those that have vectors of any of these passages.
///
/// # Errors
/// The database's.
pub fn holding(db: &mut SqliteConnection, passages: &[i64]) -> Result<Vec<Model>, StoreError> {
    let mut models = all(db)?;
    let mut held = std::collections::BTreeSet::new();
    for passage in passages {
        held.extend(
            embedded::table.filter(embedded::passage_id.eq(passage)).select(embedded::model_id).load::<i64>(db)?,
        );
        if held.len() == models.len() {
            break;
        }
    }
    models.retain(|model| held.contains(&model.id));
    Ok(models)
}

/// Its table's files may hold what was deleted.
///
/// # Errors
/// The database's.
pub fn soiled(db: &mut SqliteConnection, model: i64) -> Result<(), StoreError> {
    let this = embedding_models::table.filter(embedding_models::id.eq(model));
    diesel::update(this).set(embedding_models::stale.eq(true)).execute(db)?;
    Ok(())
}

/// Passages that have a vector of this model.
///
/// # Errors
/// The database's.
pub fn vectors(db: &mut SqliteConnection, model: i64) -> Result<u64, StoreError> {
    let count: i64 = embedded::table.filter(embedded::model_id.eq(model)).count().get_result(db)?;
    Ok(count.unsigned_abs())
}

/// The model of that name and length, taken up if it is new: to serve at once where none does, else to be filled. All
/// passages without a vector of it are then queued, and another one that was being filled is given up.
///
/// # Errors
/// The database's.
pub fn take_up(db: &mut SqliteConnection, name: &str, dimensions: usize) -> Result<Model, StoreError> {
    let length = i32::try_from(dimensions).map_err(|_| {
        StoreError::Refused(format!("{name} makes vectors of {dimensions} dimensions, which nothing could search"))
    })?;
    let models = all(db)?;
    let found = models.iter().find(|model| model.name == name && model.dimensions == length);
    if let Some(model) = found {
        if model.serves() && models.len() > 1 {
            // The change was taken back. Meanwhile some passages were given to the other one alone.
            give_up_filling(db)?;
            queue_missing(db, model.id)?;
        }
        return Ok(model.clone());
    }
    give_up_filling(db)?;
    let state = if models.iter().any(Model::serves) { FILLING } else { SERVING };
    let columns =
        (embedding_models::name.eq(name), embedding_models::dimensions.eq(length), embedding_models::state.eq(state));
    let made: Model = diesel::insert_into(embedding_models::table).values(columns).get_result(db)?;
    queue_missing(db, made.id)?;
    Ok(made)
}

fn give_up_filling(db: &mut SqliteConnection) -> Result<(), StoreError> {
    diesel::delete(embedding_models::table.filter(embedding_models::state.eq(FILLING))).execute(db)?;
    Ok(())
}

/// The model that was being filled serves from now on, and the other one is gone.
///
/// # Errors
/// The database's.
pub fn serve(db: &mut SqliteConnection, model: i64) -> Result<(), StoreError> {
    diesel::delete(embedding_models::table.filter(embedding_models::id.ne(model))).execute(db)?;
    let this = embedding_models::table.filter(embedding_models::id.eq(model));
    diesel::update(this).set(embedding_models::state.eq(SERVING)).execute(db)?;
    Ok(())
}

/// Its table is lost: every passage is queued again.
///
/// # Errors
/// The database's.
pub fn start_over(db: &mut SqliteConnection, model: i64) -> Result<(), StoreError> {
    diesel::delete(embedded::table.filter(embedded::model_id.eq(model))).execute(db)?;
    let this = embedding_models::table.filter(embedding_models::id.eq(model));
    diesel::update(this).set((embedding_models::version.eq(0), embedding_models::stale.eq(false))).execute(db)?;
    queue_missing(db, model)
}

/// Its table's files hold nothing any more that was deleted.
///
/// # Errors
/// The database's.
pub fn purged(db: &mut SqliteConnection, model: i64, version: i64) -> Result<(), StoreError> {
    let this = embedding_models::table.filter(embedding_models::id.eq(model));
    diesel::update(this).set((embedding_models::version.eq(version), embedding_models::stale.eq(false))).execute(db)?;
    Ok(())
}

/// Queues every passage that has neither a vector of this model nor a place in the outbox.
pub(crate) fn queue_missing(db: &mut SqliteConnection, model: i64) -> Result<(), StoreError> {
    let queue = "INSERT INTO vector_outbox (passage_id, action)
        SELECT p.id, 0 FROM passages p WHERE p.ready
            AND NOT EXISTS (SELECT 1 FROM embedded e WHERE e.passage_id = p.id AND e.model_id = ?)
            AND NOT EXISTS (SELECT 1 FROM vector_outbox o WHERE o.passage_id = p.id AND o.action = 0)
        ORDER BY p.id DESC";
    // Newest first: what was said lately is asked for most.
    diesel::sql_query(queue).bind::<BigInt, _>(model).execute(db)?;
    Ok(())
}
