//! Vectors of many texts, from the model worker.
//!
//! A request may fail for one of its texts, which nothing says which; then it is halved until that one stands alone. What
//! no model can embed is given up, so that it never holds up the others.

use butterfly_api::model::{Cause, Embed, EmbedAs, EmbedRequest, Embeddings, ModelError};
use butterfly_client::Bus;
use butterfly_recall::window::{self, Turn};
use butterfly_store::outbox::{Due, Said};
use butterfly_wire::{ErrorCode, Failure};

/// Texts of one request: what the model worker takes.
pub(super) const TEXTS: usize = 64;

/// A text that fails is tried again with half of it, down to this: more than a hundred words are read by every model.
const SHORTEST_BYTES: usize = 512;

/// What every embedding model can embed: shows whether a failure is the text's or the model's.
const PLAIN: &str = "butterfly";

/// What came of a batch.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Made {
    pub model: String,
    /// Their length.
    pub dimensions: usize,
    /// As many as there were texts; `None`: this text cannot be embedded.
    pub vectors: Vec<Option<Vec<f32>>>,
}

/// What is embedded for a passage.
pub(super) fn text(due: &Due) -> String {
    fn turn(said: &Said) -> Turn<'_> {
        Turn { speaker: &said.speaker, text: &said.text }
    }
    window::embedded(due.before.as_ref().map(turn), turn(&due.own), due.after.as_ref().map(turn))
}

/// Vectors of at most [`TEXTS`] texts.
///
/// # Errors
/// Why there are none now, for people.
pub(super) async fn embed(bus: &Bus, texts: &[String]) -> Result<Made, String> {
    let mut made = Made { model: String::new(), dimensions: 0, vectors: vec![None; texts.len()] };
    let mut due = vec![(0..texts.len(), usize::MAX)];
    let mut is_well = false;
    while let Some((range, limit)) = due.pop() {
        let cut: Vec<String> = texts[range.clone()].iter().map(|text| window::head(text, limit).to_owned()).collect();
        let longest = cut.iter().map(String::len).max().unwrap_or_default();
        match ask(bus, cut).await {
            Ok(answer) => made.take(range.start, answer)?,
            Err(failure) if !may_be_the_text(&failure) => return Err(failure.message),
            Err(_) if range.len() > 1 => {
                let middle = range.start + range.len() / 2;
                due.push((middle..range.end, limit));
                due.push((range.start..middle, limit));
            }
            Err(_) if longest > SHORTEST_BYTES => due.push((range, (longest / 2).max(SHORTEST_BYTES))),
            Err(failure) => {
                if !is_well {
                    ask(bus, vec![PLAIN.to_owned()]).await.map_err(|failure| failure.message)?;
                    is_well = true;
                }
                tracing::warn!(why = %failure.message, "a passage cannot be embedded, so that it is not found by meaning");
            }
        }
    }
    Ok(made)
}

/// Which model makes vectors now, and of which length.
///
/// # Errors
/// Why there are none now, for people.
pub(super) async fn probe(bus: &Bus) -> Result<(String, usize), String> {
    let made = embed(bus, &[PLAIN.to_owned()]).await?;
    if made.dimensions == 0 {
        Err(format!("{} makes no vectors", made.model))
    } else {
        Ok((made.model, made.dimensions))
    }
}

impl Made {
    /// Takes an answer in, at its place.
    fn take(&mut self, start: usize, answer: Embeddings) -> Result<(), String> {
        let length = answer.vectors.first().map_or(0, Vec::len);
        if self.model.is_empty() {
            (self.model, self.dimensions) = (answer.model, length);
        } else if self.model != answer.model || self.dimensions != length {
            return Err(format!("the embedding model changed to {} in the middle of the work", answer.model));
        }
        if length == 0 || answer.vectors.iter().any(|vector| vector.len() != length) {
            return Err(format!("{} gave vectors of different lengths; choose another embedding model", self.model));
        }
        for (place, vector) in answer.vectors.into_iter().enumerate() {
            let usable = vector.iter().all(|value| value.is_finite()) && vector.iter().any(|value| *value != 0.0);
            if !usable {
                tracing::warn!(model = %self.model, "the model gave a vector without a direction; its passage is not found by meaning");
            }
            self.vectors[start + place] = usable.then_some(vector);
        }
        Ok(())
    }
}

async fn ask(bus: &Bus, texts: Vec<String>) -> Result<Embeddings, Failure> {
    let count = texts.len();
    let answer = bus.call::<Embed>(&EmbedRequest { model: None, embed_as: EmbedAs::Passage, texts }).await?;
    if answer.vectors.len() != count {
        let message = format!("{} gave {} vectors for {count} texts", answer.model, answer.vectors.len());
        return Err(Failure::new(ErrorCode::BadPayload, message));
    }
    Ok(answer)
}

/// Whether another text might have fared better.
fn may_be_the_text(failure: &Failure) -> bool {
    match ModelError::from_failure(failure).map(|error| error.cause) {
        Some(
            Cause::ContextExceeded { .. } | Cause::Rejected { .. } | Cause::ServerFault { .. } | Cause::NotTheProtocol,
        ) => true,
        Some(
            Cause::ServerNotRunning
            | Cause::ModelMissing { .. }
            | Cause::OutOfMemory
            | Cause::MidStream
            | Cause::Truncated
            | Cause::Unauthorized
            | Cause::RateLimited { .. }
            | Cause::TimedOut
            | Cause::Unsupported
            | Cause::Displaced
            | Cause::Misconfigured
            | Cause::NeedsSecret { .. },
        ) => false,
        None => matches!(failure.code, ErrorCode::BadPayload | ErrorCode::TooLarge),
    }
}
