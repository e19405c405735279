//! The fixture: conversations and questions, written as text that people can read and extend.
//!
//! A conversation is a file. `## D1 2024-01-14T18:10:00Z` begins a session, `7 Maya: …` is the seventh turn of it, said
//! seven minutes later, with the id `D1:7`. A question is a line `conversation | ids of its evidence | question`.

use crate::exchange::qualified;
use anyhow::{Context, Result, bail};
use butterfly_recall::moment;
use butterfly_recall::stem::stem;
use butterfly_recall::stopwords::is_stopword;
use butterfly_recall::words::words;
use butterfly_store::passages::import::Line;
use std::collections::HashSet;

const CONVERSATIONS: [(&str, &str); 7] = [
    ("assistant", include_str!("../fixture/assistant.txt")),
    ("band", include_str!("../fixture/band.txt")),
    ("farah-oskar", include_str!("../fixture/farah-oskar.txt")),
    ("maya-tom", include_str!("../fixture/maya-tom.txt")),
    ("priya-jonas", include_str!("../fixture/priya-jonas.txt")),
    ("ruth-eli", include_str!("../fixture/ruth-eli.txt")),
    ("sofia-dan", include_str!("../fixture/sofia-dan.txt")),
];
const QUESTIONS: &str = include_str!("../fixture/questions.txt");

/// The long dialogue, and who speaks in it: the one who spoke first in each conversation, and the other.
const DIALOGUE: &str = "dialogue";
const THE_TWO: [&str; 2] = ["Maya", "Tom"];

const MINUTE_MS: i64 = 60_000;

/// A question with what answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub conversation: String,
    /// Ids of the turns that answer it.
    pub evidence: Vec<String>,
    pub text: String,
}

impl Question {
    /// Its evidence, each turn with its conversation.
    #[must_use]
    pub fn named_evidence(&self) -> Vec<String> {
        self.evidence.iter().map(|id| qualified(&self.conversation, id)).collect()
    }
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fixture {
    pub turns: Vec<Line>,
    pub questions: Vec<Question>,
}

impl Fixture {
    /// Reads the fixture.
    ///
    /// # Errors
    /// A line that is none, by its file and number; evidence that is no turn.
    pub fn read() -> Result<Self> {
        let mut fixture = Self::default();
        for (name, text) in CONVERSATIONS {
            conversation(name, text, &mut fixture.turns)?;
        }
        let known: HashSet<(&str, &str)> =
            fixture.turns.iter().map(|turn| (turn.conversation.as_str(), turn.id.as_str())).collect();
        let mut questions = Vec::new();
        for (number, line) in QUESTIONS.lines().enumerate() {
            let question = question(line).with_context(|| format!("questions.txt, line {}", number + 1))?;
            for id in &question.evidence {
                if !known.contains(&(question.conversation.as_str(), id.as_str())) {
                    bail!("questions.txt, line {}: {} has no turn {id}", number + 1, question.conversation);
                }
            }
            questions.push(question);
        }
        fixture.questions = questions;
        Ok(fixture)
    }

    /// All conversations between two friends as one long dialogue of the same two, as if one pair had told each other all
    /// of it: hundreds of turns in which a speaker's name distinguishes nothing.
    #[must_use]
    pub fn as_one_dialogue(&self) -> Self {
        let mut long = Self::default();
        for (name, _) in CONVERSATIONS {
            let turns: Vec<&Line> = self.turns.iter().filter(|turn| turn.conversation == name).collect();
            let mut speakers: Vec<&str> = Vec::new();
            turns.iter().for_each(|turn| {
                if !speakers.contains(&turn.speaker.as_str()) {
                    speakers.push(&turn.speaker);
                }
            });
            let [one, other] = speakers.as_slice() else { continue };
            if [*one, *other].contains(&"assistant") {
                continue;
            }
            let renamed = |text: &str| rename(text, &[(one, THE_TWO[0]), (other, THE_TWO[1])]);
            long.turns.extend(turns.iter().map(|turn| Line {
                id: qualified(name, &turn.id),
                conversation: DIALOGUE.to_owned(),
                speaker: renamed(&turn.speaker),
                text: renamed(&turn.text),
                at_ms: turn.at_ms,
            }));
            long.questions.extend(self.questions.iter().filter(|question| question.conversation == name).map(
                |question| Question {
                    conversation: DIALOGUE.to_owned(),
                    evidence: question.evidence.iter().map(|id| qualified(name, id)).collect(),
                    text: renamed(&question.text),
                },
            ));
        }
        // In the order in which it was said, as an import is.
        long.turns.sort_by_key(|turn| turn.at_ms);
        long
    }

    /// Whether a question and any of its evidence have a word in common, by its stem and beside stopwords.
    #[must_use]
    pub fn shares_words(&self, question: &Question) -> bool {
        let asked = content(&question.text);
        self.turns
            .iter()
            .filter(|turn| turn.conversation == question.conversation && question.evidence.contains(&turn.id))
            .any(|turn| !content(&turn.text).is_disjoint(&asked))
    }
}

fn content(text: &str) -> HashSet<String> {
    words(text).filter(|word| !is_stopword(&word.folded)).map(|word| stem(&word.folded)).collect()
}

/// Puts other names for whole words.
fn rename(text: &str, names: &[(&str, &str)]) -> String {
    let other =
        |word: &str| names.iter().find(|(from, _)| *from == word).map_or(word.to_owned(), |(_, to)| (*to).to_owned());
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        out.push_str(&other(&rest[..word]));
        let after = &rest[word..];
        let gap = after.find(char::is_alphanumeric).unwrap_or(after.len());
        out.push_str(&after[..gap]);
        rest = &after[gap..];
    }
    out
}

fn conversation(name: &str, text: &str, turns: &mut Vec<Line>) -> Result<()> {
    let mut session: Option<(&str, i64)> = None;
    for (number, line) in text.lines().enumerate() {
        let place = || format!("{name}.txt, line {}", number + 1);
        if let Some(head) = line.strip_prefix("## ") {
            let (id, at) = head.split_once(' ').with_context(place)?;
            session = Some((id, moment::parse(at).map_err(anyhow::Error::msg).with_context(place)?));
            continue;
        }
        let (session, began_ms) = session.with_context(place)?;
        let (turn, said) = line.split_once(' ').with_context(place)?;
        let (speaker, text) = said.split_once(": ").with_context(place)?;
        let minutes: i64 = turn.parse().with_context(place)?;
        turns.push(Line {
            id: format!("{session}:{turn}"),
            conversation: name.to_owned(),
            speaker: speaker.to_owned(),
            text: text.to_owned(),
            at_ms: began_ms + minutes * MINUTE_MS,
        });
    }
    Ok(())
}

fn question(line: &str) -> Result<Question> {
    let mut parts = line.splitn(3, " | ");
    let mut next = || parts.next().context("a question is `conversation | ids | question`");
    let (conversation, ids, text) = (next()?, next()?, next()?);
    Ok(Question {
        conversation: conversation.to_owned(),
        evidence: ids.split(',').map(|id| id.trim().to_owned()).collect(),
        text: text.to_owned(),
    })
}
