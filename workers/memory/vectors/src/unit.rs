//! Vectors of unit length.

use crate::error::VectorError;
use crate::store::Row;
use std::collections::HashMap;

/// Shorter than this a vector has no direction that single precision could hold.
const SHORTEST: f64 = 1e-12;

/// Makes a vector's length 1.
///
/// # Errors
/// [`VectorError::Refused`] where it has another number of dimensions, no direction, or something that is not a number.
pub(crate) fn unit(mut vector: Vec<f32>, dimensions: usize) -> Result<Vec<f32>, VectorError> {
    if vector.len() != dimensions {
        return Err(VectorError::Refused(format!(
            "the vector has {} dimensions, and this store holds those of {dimensions}",
            vector.len()
        )));
    }
    let length = vector.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>().sqrt();
    if !length.is_finite() {
        return Err(VectorError::Refused("the vector holds something that is not a number".to_owned()));
    }
    if length < SHORTEST {
        return Err(VectorError::Refused("the vector has no direction: all of it is 0".to_owned()));
    }
    for value in &mut vector {
        *value = (f64::from(*value) / length) as f32;
    }
    Ok(vector)
}

/// All rows with unit vectors, one for each id, in the order of their last mention.
///
/// # Errors
/// [`VectorError::Refused`] where one of them is not of this kind.
pub(crate) fn rows(rows: Vec<Row>, dimensions: usize) -> Result<Vec<Row>, VectorError> {
    let last: HashMap<i64, usize> = rows.iter().enumerate().map(|(place, row)| (row.id, place)).collect();
    rows.into_iter()
        .enumerate()
        .filter(|(place, row)| last.get(&row.id) == Some(place))
        .map(|(_, row)| {
            let vector = unit(row.vector, dimensions)
                .map_err(|fault| VectorError::Refused(format!("passage {}: {fault}", row.id)))?;
            Ok(Row { vector, ..row })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_direction_is_kept_and_nonsense_refused() {
        assert_eq!(unit(vec![3.0, 4.0], 2).unwrap(), [0.6, 0.8]);
        assert!(unit(vec![1.0], 2).is_err());
        assert!(unit(vec![0.0, 0.0], 2).is_err());
        assert!(unit(vec![f32::NAN, 1.0], 2).is_err());
        assert!(unit(vec![f32::INFINITY, 1.0], 2).is_err());
        assert_eq!(unit(vec![f32::MAX, f32::MAX], 2).unwrap()[0], std::f32::consts::FRAC_1_SQRT_2);
    }

    #[test]
    fn the_last_of_two_with_one_id_counts() {
        let row = |id, x| Row { id, conversation: 0, vector: vec![x, 1.0 - x] };
        let kept = rows(vec![row(1, 1.0), row(2, 1.0), row(1, 0.0)], 2).unwrap();
        assert_eq!(kept.iter().map(|row| row.id).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(kept[1].vector, [0.0, 1.0]);
    }
}
