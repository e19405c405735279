//! Vectors that are kept in a file, so that no text is embedded twice: a model takes minutes for what ranking takes seconds
//! for.
//!
//! The file has a line `{"model","text","vector"}` for each; it grows as vectors are made, and may be deleted at any time.

use crate::embed::Embedder;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

/// Texts that are embedded before their vectors are written down.
const BATCH: usize = 32;

/// What makes vectors, with those it has made.
pub struct Vectors {
    embedder: Embedder,
    known: RefCell<HashMap<String, Vec<f32>>>,
    file: Option<File>,
}

impl Vectors {
    /// Vectors that are kept in memory alone.
    #[must_use]
    pub fn new(embedder: Embedder) -> Self {
        Self { embedder, known: RefCell::default(), file: None }
    }

    /// Vectors that are kept in a file, which is made if there is none. Those of other models stay in it and are not used.
    ///
    /// # Errors
    /// A file that cannot be read or written, or that holds something else.
    pub fn kept(embedder: Embedder, path: &Path) -> Result<Self> {
        let place = || path.display().to_string();
        let file = OpenOptions::new().read(true).append(true).create(true).open(path).with_context(place)?;
        let mut known = HashMap::new();
        for line in BufReader::new(&file).lines() {
            let value: Value = serde_json::from_str(&line?).with_context(place)?;
            let (Some(model), Some(text), Some(vector)) =
                (value["model"].as_str(), value["text"].as_str(), value["vector"].as_array())
            else {
                anyhow::bail!("{} holds a line that is no vector", place());
            };
            if model == embedder.model() {
                let vector = vector.iter().map(|value| value.as_f64().unwrap_or_default() as f32).collect();
                known.insert(text.to_owned(), vector);
            }
        }
        Ok(Self { embedder, known: RefCell::new(known), file: Some(file) })
    }

    /// One vector of length 1 for each text.
    ///
    /// # Errors
    /// The embedder's or the file's.
    pub fn of(&self, texts: &[String]) -> Result<Vec<Vec<f32>>> {
        let mut missing: Vec<String> = Vec::new();
        for text in texts {
            if !self.known.borrow().contains_key(text) && !missing.contains(text) {
                missing.push(text.clone());
            }
        }
        for batch in missing.chunks(BATCH) {
            let made = self.embedder.embed(batch)?;
            for (text, vector) in batch.iter().zip(made) {
                if let Some(mut file) = self.file.as_ref() {
                    let line = json!({ "model": self.embedder.model(), "text": text, "vector": vector });
                    writeln!(file, "{line}")?;
                }
                self.known.borrow_mut().insert(text.clone(), vector);
            }
        }
        let known = self.known.borrow();
        texts.iter().map(|text| known.get(text).cloned().context("a text without its vector")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_vectors_are_those_that_were_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vectors");
        let texts = ["one thing".to_owned(), "another".to_owned(), "one thing".to_owned()];
        let made = Vectors::kept(Embedder::StandIn, &path).unwrap().of(&texts).unwrap();
        assert_eq!(made[0], made[2]);
        let lines = || std::fs::read_to_string(&path).unwrap().lines().count();
        assert_eq!(lines(), 2);
        let again = Vectors::kept(Embedder::StandIn, &path).unwrap().of(&texts).unwrap();
        assert_eq!((again, lines()), (made, 2));
        // No server is there: what is known of another model is not this one's.
        let server = Embedder::server("http://127.0.0.1:1", "m").unwrap();
        assert!(Vectors::kept(server, &path).unwrap().of(&texts).is_err());
    }
}
