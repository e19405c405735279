//! The name that was probably meant. Pure.

/// The nearest of the names, if one is near enough to be what was meant: by its last part (`provider` means
/// `model.provider`), else by the fewest characters to change, of which a third may be wrong.
#[must_use]
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_ascii_lowercase();
    let scored = names.into_iter().map(|name| {
        let last = name.rsplit('.').next().unwrap_or(name);
        // A last part that is right, or nearly, weighs a little less than the whole name being so.
        (distance(&wanted, name).min(distance(&wanted, last) + 1), name)
    });
    let (best, name) = scored.min_by_key(|(distance, _)| *distance)?;
    (best <= (wanted.chars().count() / 3).max(2)).then_some(name)
}

/// Characters to insert, delete, replace or swap with their neighbour to make one of the other (optimal string
/// alignment: Damerau 1964, each place edited once).
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, a) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, b) in right.iter().enumerate() {
            let replaced = last[column] + usize::from(a != b);
            let mut best = replaced.min(last[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && *a == right[column - 1] && left[row - 1] == *b {
                best = best.min(before[column - 1] + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut last, current);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_definition() {
        for (left, right, edits) in
            [("", "", 0), ("", "ab", 2), ("ab", "ab", 0), ("ab", "ba", 1), ("kitten", "sitting", 3), ("ab", "cd", 2)]
        {
            assert_eq!(distance(left, right), edits, "{left} {right}");
            assert_eq!(distance(right, left), edits, "{right} {left}");
        }
    }

    #[test]
    fn the_nearest_name_is_the_one_that_was_meant() {
        let names = ["model.provider", "model.url", "memory.enabled", "memory.retention_days", "log.level"];
        let meant = |wanted| nearest(wanted, names);
        assert_eq!(meant("model.providr"), Some("model.provider"));
        assert_eq!(meant("Model.Provider"), Some("model.provider"));
        assert_eq!(meant("provider"), Some("model.provider"));
        assert_eq!(meant("mdoel.url"), Some("model.url"));
        assert_eq!(meant("memory.retention"), Some("memory.retention_days"));
        assert_eq!(meant("retention_day"), Some("memory.retention_days"));
        assert_eq!(meant("weather.forecast"), None);
        assert_eq!(meant(""), None);
        assert_eq!(nearest("x", []), None);
    }
}
