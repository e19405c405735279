//! What a model is asked for a summary, and what of its answer is kept.

use super::plan::Plan;
use crate::extraction::asking::Question;
use butterfly_recall::window::{head, tail};
use butterfly_store::summaries::Said;
use serde::Deserialize;

/// Bytes of a summary that is kept.
const SUMMARY_BYTES: usize = 16 << 10;
/// Tags of a summary, and bytes of one.
const TAGS: usize = 8;
const TAG_BYTES: usize = 40;
/// Bytes of a message that are never cut: a short one says little without its middle.
const WHOLE_BYTES: usize = 200;
/// Stands for what was cut out of a message that is too long to be read whole.
const CUT: &str = " […] ";

const SYSTEM: &str = "You sum up the older part of a conversation between a user and their assistant, so that the \
    assistant can go on without it. Write what was said, decided and asked, names, dates, numbers and open questions; \
    say who said what. Go on from the summary so far, if there is one: keep what still matters of it. Write in the \
    language of the conversation, without an introduction, at most 300 words. Invent nothing.";

/// Of the answer: JSON Schema.
const SCHEMA: &str = r#"{"type":"object","properties":{"summary":{"type":"string"},"tags":{"type":"array","maxItems":8,"items":{"type":"string","maxLength":40}}},"required":["summary","tags"],"additionalProperties":false}"#;

/// A summary, as a model gave it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Summed {
    pub(crate) summary: String,
    pub(crate) tags: Vec<String>,
}

/// The question. What is too long for the plan's room is cut in its middle, each message alike.
pub(crate) fn question(before: Option<&str>, said: &[Said], plan: &Plan, formal: bool) -> Question {
    let total: usize = said.iter().map(|said| said.text.len()).sum();
    let mut user = String::new();
    if let Some(before) = before {
        user.push_str("The summary so far:\n");
        user.push_str(before);
        user.push_str("\n\n");
    }
    user.push_str("What was said after it:\n");
    for said in said.iter().filter(|said| !said.text.trim().is_empty()) {
        user.push_str(&said.speaker);
        user.push_str(": ");
        // Each message gives way by its own share.
        let share = said.text.len() * plan.room_bytes / total.max(1);
        let room = if total <= plan.room_bytes { said.text.len() } else { share.max(WHOLE_BYTES) };
        if room >= said.text.len() {
            user.push_str(&said.text);
        } else {
            user.push_str(head(&said.text, room / 2));
            user.push_str(CUT);
            user.push_str(tail(&said.text, room / 2));
        }
        user.push('\n');
    }
    let system = if formal { format!("{SYSTEM} Add up to 8 tags, one word each.") } else { SYSTEM.to_owned() };
    Question { system, user, format: formal.then(|| SCHEMA.to_owned()), tokens: plan.summary_tokens }
}

/// Reads an answer; one that was asked for as plain text is the summary itself.
///
/// # Errors
/// Why it is none.
pub(crate) fn read(answer: &str, formal: bool) -> Result<Summed, &'static str> {
    let mut summed = if formal {
        serde_json::from_str(answer.trim()).map_err(|_| "it is not of the form that was asked for")?
    } else {
        Summed { summary: answer.to_owned(), tags: Vec::new() }
    };
    summed.summary = summed.summary.trim().to_owned();
    if summed.summary.is_empty() {
        return Err("it is empty");
    }
    if summed.summary.len() > SUMMARY_BYTES {
        return Err("it is too long");
    }
    summed.tags = tags(&summed.tags);
    Ok(summed)
}

/// Tags as they are kept: lower case, one word, each once.
fn tags(given: &[String]) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for tag in given {
        let plain = tag.trim().trim_start_matches('#').to_lowercase();
        let tag = plain.split_whitespace().collect::<Vec<_>>().join("-");
        let is_word = !tag.is_empty() && tag.len() <= TAG_BYTES && tag.chars().all(|c| c.is_alphanumeric() || c == '-');
        if is_word && tags.len() < TAGS && !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(room_bytes: usize) -> Plan {
        Plan { messages: vec![1], room_bytes, summary_tokens: 100 }
    }

    fn said(speaker: &str, text: &str) -> Said {
        Said { id: 1, speaker: speaker.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn question_holds_what_was_summed_up_and_what_was_said() {
        let asked = question(
            Some("Before."),
            &[said("user", "Hi"), said("assistant", "Hello"), said("x", " ")],
            &plan(99),
            true,
        );
        assert_eq!(asked.user, "The summary so far:\nBefore.\n\nWhat was said after it:\nuser: Hi\nassistant: Hello\n");
        assert!(asked.format.is_some());
        assert!(question(None, &[], &plan(9), false).format.is_none());
    }

    #[test]
    fn long_messages_are_cut_in_the_middle() {
        let asked = question(None, &[said("user", &"é".repeat(10_000)), said("assistant", "ok")], &plan(1000), true);
        assert!(asked.user.len() < 1200 && asked.user.contains(CUT));
    }

    #[test]
    fn answer_is_kept_as_far_as_it_is_one() {
        let good =
            read(r##"{"summary": " They met. ", "tags": ["#Rome", "road trip", "rome", "a;b", ""]}"##, true).unwrap();
        assert_eq!((good.summary.as_str(), good.tags), ("They met.", vec!["rome".to_owned(), "road-trip".to_owned()]));
        for bad in ["", "They met.", "{}", r#"{"summary": "", "tags": []}"#, r#"{"summary": "x", "tags": [], "y": 1}"#]
        {
            assert!(read(bad, true).is_err(), "{bad}");
        }
        assert!(read(&"x".repeat(SUMMARY_BYTES + 1), false).is_err());
        assert_eq!(read("They met.", false).map(|summed| summed.summary), Ok("They met.".to_owned()));
    }
}
