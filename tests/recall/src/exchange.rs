//! The fixture as files for the program itself: what `butterfly memory import` and `butterfly memory search --batch` read,
//! and the judging of what the latter writes. So the whole is measured, extraction and all, and not only the ranking.

use crate::fixture::{Fixture, Question};
use anyhow::{Context, Result};
use butterfly_recall::moment;
use serde_json::{Value, json};
use std::path::Path;

/// A fixture with a name, as three files: its turns, its questions about their conversations, and about everything.
///
/// # Errors
/// Files that cannot be written.
pub fn export(fixture: &Fixture, name: &str, folder: &Path) -> Result<()> {
    let write = |what: &str, lines: Vec<Value>| {
        let path = folder.join(format!("{name}-{what}.jsonl"));
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(&path, text).with_context(|| path.display().to_string())
    };
    let turn = |turn: &butterfly_store::passages::import::Line| {
        json!({
            "id": qualified(&turn.conversation, &turn.id), "conversation": turn.conversation,
            "speaker": turn.speaker, "text": turn.text, "at": moment::rfc3339(turn.at_ms),
        })
    };
    write("turns", fixture.turns.iter().map(turn).collect())?;
    let questions = || fixture.questions.iter().enumerate();
    let inside = |(place, question): (usize, &Question)| json!({ "qid": place, "query": question.text, "conversation": question.conversation });
    write("conversation", questions().map(inside).collect())?;
    write("everything", questions().map(|(place, question)| json!({ "qid": place, "query": question.text })).collect())
}

/// Reads the rankings that answer a fixture's questions, in the questions' order.
///
/// # Errors
/// A line that is no answer; a question without one.
pub fn rankings(fixture: &Fixture, text: &str) -> Result<Vec<Vec<String>>> {
    let mut rankings: Vec<Option<Vec<String>>> = vec![None; fixture.questions.len()];
    for (number, line) in text.lines().enumerate() {
        let value: Value = serde_json::from_str(line).with_context(|| format!("line {}", number + 1))?;
        let place = value["qid"].as_u64().and_then(|place| usize::try_from(place).ok());
        let place =
            place.filter(|place| *place < rankings.len()).with_context(|| format!("line {}: qid", number + 1))?;
        let ids = value["ranking"].as_array().with_context(|| format!("line {}: ranking", number + 1))?;
        rankings[place] = Some(ids.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    }
    let missing = |place: usize| format!("question {place} has no answer");
    rankings.into_iter().enumerate().map(|(place, ranking)| ranking.with_context(|| missing(place))).collect()
}

/// A turn's name among all conversations: ids repeat between them.
#[must_use]
pub fn qualified(conversation: &str, id: &str) -> String {
    format!("{conversation}/{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_exported_is_judged_by_its_ids() {
        let fixture = Fixture::read().unwrap();
        let folder = tempfile::tempdir().unwrap();
        export(&fixture, "all", folder.path()).unwrap();
        let read = |what: &str| std::fs::read_to_string(folder.path().join(format!("all-{what}.jsonl"))).unwrap();
        let turns: Vec<Value> = read("turns").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(turns.len(), fixture.turns.len());
        assert!(turns.iter().all(|turn| moment::parse(turn["at"].as_str().unwrap()).is_ok()));
        let first: Value = serde_json::from_str(read("conversation").lines().next().unwrap()).unwrap();
        assert_eq!(first["conversation"], fixture.questions[0].conversation);
        // The evidence itself as the answer finds everything.
        let answers: String = fixture
            .questions
            .iter()
            .enumerate()
            .map(|(place, question)| format!("{}\n", json!({ "qid": place, "ranking": question.named_evidence() })))
            .collect();
        let rankings = rankings(&fixture, &answers).unwrap();
        assert!(rankings.iter().zip(&fixture.questions).all(|(ranking, asked)| *ranking == asked.named_evidence()));
        assert!(super::rankings(&fixture, "{\"qid\":0,\"ranking\":[]}").is_err());
    }
}
