//! Rows as LanceDB's columns, and back.

use crate::error::VectorError;
use crate::store::{Near, Row};
use lancedb::arrow::arrow_array::cast::AsArray;
use lancedb::arrow::arrow_array::types::{Float32Type, Int64Type};
use lancedb::arrow::arrow_array::{Array, ArrayRef, FixedSizeListArray, Float32Array, Int64Array, RecordBatch};
use lancedb::arrow::arrow_schema::{DataType, Field, Schema, SchemaRef};
use std::sync::Arc;

pub const ID: &str = "id";
pub const CONVERSATION: &str = "conversation";
pub const VECTOR: &str = "vector";
/// LanceDB's own name for what a search computed.
pub const DISTANCE: &str = "_distance";

/// The table's columns.
pub fn schema(dimensions: usize) -> SchemaRef {
    let number = Arc::new(Field::new("item", DataType::Float32, true));
    Arc::new(Schema::new(vec![
        Field::new(ID, DataType::Int64, false),
        Field::new(CONVERSATION, DataType::Int64, false),
        Field::new(VECTOR, DataType::FixedSizeList(number, dimensions as i32), false),
    ]))
}

/// The length of the vectors that such columns hold; `None`: they are not ours.
pub fn dimensions(schema: &Schema) -> Option<usize> {
    let is = |name: &str, kind: &DataType| schema.field_with_name(name).is_ok_and(|field| field.data_type() == kind);
    if !is(ID, &DataType::Int64) || !is(CONVERSATION, &DataType::Int64) {
        return None;
    }
    match schema.field_with_name(VECTOR).ok()?.data_type() {
        DataType::FixedSizeList(item, length) if item.data_type() == &DataType::Float32 => {
            usize::try_from(*length).ok()
        }
        _ => None,
    }
}

/// Rows in columns.
pub fn batch(rows: &[Row], dimensions: usize) -> Result<RecordBatch, VectorError> {
    let schema = schema(dimensions);
    let number = Arc::new(Field::new("item", DataType::Float32, true));
    let values = Float32Array::from_iter_values(rows.iter().flat_map(|row| row.vector.iter().copied()));
    let vectors = FixedSizeListArray::try_new(number, dimensions as i32, Arc::new(values), None)
        .map_err(|fault| VectorError::Refused(fault.to_string()))?;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.id))),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.conversation))),
        Arc::new(vectors),
    ];
    RecordBatch::try_new(schema, columns).map_err(|fault| VectorError::Refused(fault.to_string()))
}

/// Whole numbers of a column that has no gaps.
pub fn integers<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a [i64], VectorError> {
    let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>());
    match column {
        Some(column) if column.nulls().is_none_or(|gaps| gaps.null_count() == 0) => Ok(column.values()),
        Some(_) | None => Err(VectorError::Damaged(format!("its column {name} is not what it was made as"))),
    }
}

/// All vectors of a batch, one after the other.
pub fn vectors(batch: &RecordBatch, dimensions: usize) -> Result<&[f32], VectorError> {
    let lists = batch.column_by_name(VECTOR).and_then(|column| column.as_fixed_size_list_opt());
    lists
        .filter(|lists| lists.value_length() as usize == dimensions)
        .and_then(|lists| lists.values().as_primitive_opt::<Float32Type>())
        .map(|values| &values.values()[..])
        .filter(|values| values.len() == batch.num_rows() * dimensions)
        .ok_or_else(|| VectorError::Damaged("its vectors are not what they were made as".to_owned()))
}

/// What a search answered.
pub fn found(batch: &RecordBatch) -> Result<Vec<Near>, VectorError> {
    let distances = batch.column_by_name(DISTANCE).and_then(|column| column.as_primitive_opt::<Float32Type>());
    let distances = distances.ok_or_else(|| VectorError::Damaged("a search gave no distances".to_owned()))?;
    let pairs = integers(batch, ID)?.iter().zip(distances.values());
    // LanceDB's cosine distance is one less the similarity.
    Ok(pairs.map(|(id, distance)| Near { id: *id, similarity: 1.0 - distance }).collect())
}
