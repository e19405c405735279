//! The vectors that the fake server makes: of a text's letters, or, where a model is named after its dimensions
//! (`kit-embed:384`), of its words. Neither is a model of language: texts with the same words are near each other, no more.

use serde_json::Value;

/// Dimensions of a model that is not named after them.
const FEW: usize = 4;

/// A vector of length 1 for each text, in the dimensions of the model that the request names.
pub(super) fn of(request: &Value, texts: &[String]) -> Vec<Vec<f32>> {
    let model = request["model"].as_str().unwrap_or_default();
    let dimensions = model.rsplit_once(':').and_then(|(_, number)| number.parse().ok()).unwrap_or(FEW);
    let vector = |text: &String| if dimensions == FEW { of_letters(text) } else { of_words(text, dimensions) };
    texts.iter().map(|text| unit(vector(text))).collect()
}

fn of_letters(text: &str) -> Vec<f32> {
    let mut sums = vec![1.0; FEW];
    for (at, byte) in text.bytes().enumerate() {
        sums[at % FEW] += f32::from(byte);
    }
    sums
}

/// The sum of a fixed direction for each word.
fn of_words(text: &str, dimensions: usize) -> Vec<f32> {
    let mut sums = vec![0.0; dimensions];
    // A text without a word has a direction as well.
    let words = text.split(|c: char| !c.is_alphanumeric()).chain(std::iter::once("")).filter(|word| word.len() != 1);
    for word in words {
        // FNV-1a, then Marsaglia's xorshift64.
        let mut state = word
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        for sum in &mut sums {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *sum += (state >> 40) as f32 / f32::from(1_u16 << 15) / 512.0 - 0.5;
        }
    }
    sums
}

fn unit(vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    vector.into_iter().map(|number| number / length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn cosine(one: &[f32], other: &[f32]) -> f32 {
        one.iter().zip(other).map(|(one, other)| one * other).sum()
    }

    #[test]
    fn texts_with_the_same_words_are_near_and_others_are_not() {
        let texts = ["the red boat", "a red boat", "quantum chess"].map(str::to_owned);
        let vectors = of(&json!({ "model": "kit-embed:384" }), &texts);
        assert!(vectors.iter().all(|vector| vector.len() == 384 && (cosine(vector, vector) - 1.0).abs() < 1e-3));
        assert!(cosine(&vectors[0], &vectors[1]) > 0.5 && cosine(&vectors[0], &vectors[2]) < 0.5);
        assert_eq!(of(&json!({ "model": "kit-embed" }), &texts)[0].len(), FEW);
    }
}
