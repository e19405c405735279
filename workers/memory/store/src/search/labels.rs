//! What a passage is labelled with and a query names: who said it, its tags, when it was said.

use crate::passages::Stored;
use butterfly_recall::Query;
use butterfly_recall::moment::Span;
use butterfly_recall::stopwords::is_stopword;
use butterfly_recall::words::words;
use std::collections::{HashMap, HashSet};

/// The labels that one query names.
pub struct Labels {
    /// Words of speakers' names that the query has, and by speaker.
    speakers: Vec<String>,
    named: HashMap<String, bool>,
    tags: HashSet<String>,
    span: Option<Span>,
}

impl Labels {
    pub fn new<'a>(query: &Query, candidates: impl Iterator<Item = &'a Stored>, span: Option<Span>) -> Self {
        let mut labels = Self { speakers: Vec::new(), named: HashMap::new(), tags: HashSet::new(), span };
        for stored in candidates {
            for tag in stored.tags.split_whitespace() {
                if !labels.tags.contains(tag) && words(tag).any(|word| query.names(&word.folded)) {
                    labels.tags.insert(tag.to_owned());
                }
            }
            if labels.named.contains_key(&stored.speaker) {
                continue;
            }
            let name: Vec<String> =
                words(&stored.speaker).map(|word| word.folded).filter(|word| !is_stopword(word)).collect();
            let hits: Vec<String> = name.into_iter().filter(|word| query.names(word)).collect();
            labels.named.insert(stored.speaker.clone(), !hits.is_empty());
            labels.speakers.extend(hits);
        }
        labels
    }

    /// Words of speakers' names that the query has.
    pub fn speakers(&self) -> &[String] {
        &self.speakers
    }

    /// How much of what the query names this passage has, in 0..=1, and what.
    pub fn fit(&self, stored: &Stored) -> Option<(f32, String)> {
        let mut fits = 0.0;
        let mut asked = 0.0;
        let mut what: Vec<String> = Vec::new();
        if !self.speakers.is_empty() {
            asked += 1.0;
            if self.named.get(&stored.speaker).copied().unwrap_or_default() {
                fits += 1.0;
                what.push(format!("said by {}", stored.speaker));
            }
        }
        if !self.tags.is_empty() {
            asked += 1.0;
            let tags: Vec<&str> = stored.tags.split_whitespace().filter(|tag| self.tags.contains(*tag)).collect();
            if !tags.is_empty() {
                fits += 1.0;
                what.push(format!("tagged {}", tags.join(", ")));
            }
        }
        if let Some(span) = &self.span {
            asked += 1.0;
            let fit = span.fit(stored.at_ms);
            if fit > 0.0 {
                fits += fit;
                what.push(if fit < 1.0 {
                    format!("said soon after {}", span.name)
                } else {
                    format!("said {}", span.name)
                });
            }
        }
        (fits > 0.0).then(|| (fits / asked, what.join(", ")))
    }
}
