//! What a model is asked about a message, and what of its answer is believed.
//!
//! Small models return rubbish, and invent. So an answer is believed only as far as the message itself bears it out: every
//! name in it stands in the message, in a sentence that states something; its relation has words there, too. The rest is
//! dropped, and costs nothing but a logged miss.

use super::asking::Question;
use super::dates;
use super::rules;
use butterfly_recall::stem::stem;
use butterfly_store::facts::key::{self, USER};
use butterfly_store::facts::{Object, Statement, Thing, relation};
use serde::Deserialize;
use std::collections::HashSet;

/// Facts of one message. A message that states more is a document.
pub(crate) const FACTS: usize = 8;
/// Bytes of a message that a model is asked about. Longer ones are pasted, and speak of others.
pub(crate) const MESSAGE_BYTES: usize = 4 << 10;
/// Words of a subject or object, and of a relation.
const NAME_WORDS: usize = 6;
const RELATION_WORDS: usize = 4;
/// Bytes of a subject, relation or object.
const PART_BYTES: usize = 80;

/// How the question begins. A message that holds it is our own prompt that came back, and is never read.
pub(crate) const MARK: &str = "You take facts out of one message that a person wrote.";

/// Words that a relation may have beside those of the message.
const SMALL: &[&str] = &[
    "is", "has", "a", "an", "the", "in", "at", "of", "to", "for", "with", "on", "by", "from", "as", "was", "are", "had",
];

const SYSTEM: &str = "You take facts out of one message that a person wrote. A fact is a lasting statement about the \
    person, or about somebody or something that they know: a name, a home, a job, a family tie, a birthday, a liking. \
    Call the person who wrote it \"user\", and their relatives \"user's sister\" and so on. Use only words of the \
    message. Do not take questions, requests, wishes, guesses, jokes, or what somebody else claims. Most messages have \
    no facts: then the list is empty. Relations are such as \"lives in\", \"works at\", \"is named\", \"birthday\", \
    \"likes\", \"is allergic to\".";

/// Of the answer: JSON Schema.
const SCHEMA: &str = r#"{"type":"object","properties":{"facts":{"type":"array","maxItems":8,"items":{"type":"object","properties":{"subject":{"type":"string","maxLength":80},"relation":{"type":"string","maxLength":80},"object":{"type":"string","maxLength":80}},"required":["subject","relation","object"],"additionalProperties":false}}},"required":["facts"],"additionalProperties":false}"#;

/// An answer to the schema: a few facts and their braces.
const ANSWER_TOKENS: u32 = 512;

/// The question about a message.
pub(crate) fn question(text: &str) -> Question {
    Question {
        system: SYSTEM.to_owned(),
        user: format!("The message:\n{text}"),
        format: Some(SCHEMA.to_owned()),
        tokens: ANSWER_TOKENS,
    }
}

/// Whether a model is asked about this text at all.
pub(crate) fn is_worth_asking(text: &str) -> bool {
    text.len() <= MESSAGE_BYTES && !text.contains(MARK) && rules::states_something(text)
}

/// An answer's form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    facts: Vec<Stated>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stated {
    subject: String,
    relation: String,
    object: String,
}

/// What is believed of an answer, and what was dropped of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Believed {
    pub(crate) statements: Vec<Statement>,
    /// Why the rest was not believed.
    pub(crate) dropped: Vec<&'static str>,
}

/// Reads an answer about what `speaker` said at `at_ms`.
///
/// # Errors
/// Why none of it can be used.
pub(crate) fn read(answer: &str, speaker: &str, text: &str, at_ms: i64) -> Result<Believed, &'static str> {
    let document: Document =
        serde_json::from_str(answer.trim()).map_err(|_| "it is not of the form that was asked for")?;
    if document.facts.len() > FACTS {
        return Err("it has too many facts");
    }
    let ground = Ground::of(speaker, text);
    let mut believed = Believed::default();
    for stated in document.facts {
        match ground.believe(&stated, at_ms) {
            Ok(statement) if believed.statements.contains(&statement) => {}
            Ok(statement) => believed.statements.push(statement),
            Err(why) => believed.dropped.push(why),
        }
    }
    Ok(believed)
}

/// What the message bears out.
struct Ground<'a> {
    text: &'a str,
    me: String,
    words: HashSet<String>,
    stems: HashSet<String>,
    /// Of each sentence that states something.
    sentences: Vec<HashSet<String>>,
    first_person: bool,
}

impl<'a> Ground<'a> {
    fn of(speaker: &str, text: &'a str) -> Self {
        let sentences: Vec<HashSet<String>> = rules::plain_sentences(text)
            .into_iter()
            .map(|words| words.iter().flat_map(|word| parts(word)).collect())
            .collect();
        let words: HashSet<String> = sentences.iter().flatten().cloned().collect();
        let stems = words.iter().map(|word| stem(word)).collect();
        let first_person =
            ["i", "my", "me", "mine", "i'm", "i've", "our", "we"].iter().any(|word| words.contains(*word));
        let me = match speaker.trim().to_lowercase().as_str() {
            "" | "you" | "me" | USER => USER.to_owned(),
            _ => speaker.trim().to_owned(),
        };
        Self { text, me, words, stems, sentences, first_person }
    }

    fn believe(&self, stated: &Stated, at_ms: i64) -> Result<Statement, &'static str> {
        let parts = [stated.subject.trim(), stated.relation.trim(), stated.object.trim()];
        if parts.iter().any(|part| part.is_empty() || part.len() > PART_BYTES || part.chars().any(char::is_control)) {
            return Err("a part is empty, long or no text");
        }
        let [subject, relation, object] = parts;
        let subject = self.subject(subject)?;
        let relation = self.relation(relation)?;
        let object_words = key::words(object);
        if object_words.is_empty() || object_words.len() > NAME_WORDS {
            return Err("the object is a sentence, or none");
        }
        if relation::is_identity(&relation) && !self.stands_so(object) {
            return Err("a name is not written as in the message");
        }
        if key::key(object) == key::key(&subject) {
            return Err("it says of something that it is itself");
        }
        let stands = |sentence: &HashSet<String>| object_words.iter().all(|word| sentence.contains(word));
        if !self.sentences.iter().any(stands) {
            return Err("the object does not stand in a statement of the message");
        }
        if matches!(
            object_words[0].as_str(),
            "i" | "me" | "you" | "he" | "she" | "it" | "they" | "him" | "her" | "this" | "that"
        ) {
            return Err("the object is a pronoun");
        }
        let object = match relation.as_str() {
            "birthday" => {
                let words: Vec<&str> = object.split_whitespace().collect();
                Object::Value(dates::at(&words, 0, at_ms).ok_or("the date is none")?.label)
            }
            "phone number" | "email address" | "address" | "age" | "birth year" | "takes place on" => {
                Object::Value(object.to_owned())
            }
            _ => Object::Thing(Thing::entity(object)),
        };
        Ok(Statement { subject: Thing::entity(subject), relation, object, from_ms: at_ms })
    }

    fn subject(&self, subject: &str) -> Result<String, &'static str> {
        let key = key::key(subject);
        if key == USER {
            return if self.first_person {
                Ok(self.me.clone())
            } else {
                Err("the person does not speak of themselves")
            };
        }
        if let Some(of) = key.strip_prefix("user's ") {
            let words: Vec<&str> = of.split(' ').collect();
            if !self.first_person || words.len() > NAME_WORDS || !words.iter().all(|word| self.words.contains(*word)) {
                return Err("the subject does not stand in the message");
            }
            return Ok(format!("{}'s {of}", self.me));
        }
        let words: Vec<&str> = key.split(' ').collect();
        if words.len() > NAME_WORDS || !words.iter().all(|word| self.words.contains(*word)) || !self.stands_so(subject)
        {
            return Err("the subject does not stand in the message");
        }
        if super::lexicon::NOT_NAMES.contains(&words[0])
            || !subject.starts_with(|c: char| c.is_uppercase() || !c.is_ascii())
        {
            return Err("the subject is no name");
        }
        Ok(subject.to_owned())
    }

    fn relation(&self, relation: &str) -> Result<String, &'static str> {
        let canonical = relation::canonical(relation);
        let words: Vec<String> = key::words(&canonical);
        if words.is_empty() || words.len() > RELATION_WORDS {
            return Err("the relation is a sentence, or none");
        }
        let said: Vec<&str> = self.words.iter().map(String::as_str).collect();
        let cued = relation::asked_by(&said).contains(&canonical);
        let content = || words.iter().filter(|word| !SMALL.contains(&word.as_str()));
        let borne_out = content().count() > 0 && content().all(|word| self.stems.contains(&stem(word)));
        if cued || borne_out { Ok(canonical) } else { Err("the relation does not stand in the message") }
    }

    /// Whether the message writes it so, capitals and all.
    fn stands_so(&self, name: &str) -> bool {
        self.text.contains(name)
    }
}

/// A word as it stands, and without its possessive ending.
fn parts(word: &str) -> Vec<String> {
    let mut all = vec![word.to_owned()];
    all.extend(word.strip_suffix("'s").map(str::to_owned));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-04.
    const SAID: i64 = 1_772_618_400_000;

    fn facts(answer: &str, text: &str) -> Vec<String> {
        let sentence = |statement: Statement| {
            let object = match statement.object {
                Object::Thing(thing) => thing.name,
                Object::Value(value) => value,
            };
            format!("{} {} {object}", statement.subject.name, statement.relation)
        };
        read(answer, "user", text, SAID).map_or_else(
            |why| vec![format!("refused: {why}")],
            |believed| believed.statements.into_iter().map(sentence).collect(),
        )
    }

    fn one(subject: &str, relation: &str, object: &str) -> String {
        serde_json::json!({"facts": [{"subject": subject, "relation": relation, "object": object}]}).to_string()
    }

    #[test]
    fn what_the_message_says_is_believed() {
        for (fact, text, expected) in [
            (
                ("user's sister", "lives_in", "Porto"),
                "So my sister has been living in Porto for years.",
                "user's sister lives in Porto",
            ),
            (
                ("my sister", "resides in", "Porto"),
                "My sister is still living in Porto",
                "user's sister lives in Porto",
            ),
            (("user", "plays", "the violin"), "I played the violin as a child", "user plays the violin"),
            (("my friend", "is named", "Ana"), "My friend is called Ana", "user's friend is named Ana"),
            (("Bob", "birthday", "12 March"), "Bob's birthday is the 12 March, by the way", "Bob birthday 12 March"),
        ] {
            assert_eq!(facts(&one(fact.0, fact.1, fact.2), text), [expected], "{text}");
        }
    }

    #[test]
    fn what_the_message_does_not_say_is_dropped() {
        for (fact, text) in [
            // Invented names, objects, relations.
            (("user's brother", "lives in", "Porto"), "My sister lives in Porto"),
            (("user's sister", "lives in", "Lisbon"), "My sister lives in Porto"),
            (("user's sister", "is married to", "Porto"), "My sister lives in Porto"),
            (("Ana", "lives in", "Porto"), "My sister lives in Porto"),
            (("user", "lives in", "Porto"), "Ana lives in Porto"),
            // Not stated.
            (("user's sister", "lives in", "Porto"), "Does my sister live in Porto?"),
            (("user's sister", "lives in", "Porto"), "My sister does not live in Porto"),
            (("user's sister", "lives in", "Porto"), "I think my sister lives in Porto"),
            (("user's sister", "lives in", "Porto"), "> my sister lives in Porto\nI like that"),
            (("user's sister", "lives in", "Porto"), "My sister lives in Lisbon, not Porto"),
            // Nobody, itself, and no form.
            (("Ana", "is named", "Ana"), "My friend is called Ana"),
            (("she", "lives in", "Porto"), "She lives in Porto"),
            (("dogs", "like", "bones"), "dogs like bones"),
            (("user", "likes", "it"), "I like it"),
            (("user", "", "Porto"), "I live in Porto"),
            (("user", "lives in", ""), "I live in Porto"),
            (("user", "lives\nin", "Porto"), "I live in Porto"),
            (("user", "birthday", "soon"), "My birthday is soon"),
            (
                ("user", "lives in", "Porto and then some other places too far"),
                "I live in Porto and then some other places too far",
            ),
        ] {
            assert!(facts(&one(fact.0, fact.1, fact.2), text).is_empty(), "{fact:?} of {text}");
        }
    }

    #[test]
    fn rubbish_is_refused_as_a_whole() {
        let many = serde_json::json!({"facts": vec![serde_json::json!({"subject": "user", "relation": "likes", "object": "tea"}); 9]});
        for answer in [
            "",
            "Sure! Here are the facts:",
            "{}",
            "[]",
            "null",
            "{\"facts\": [{\"subject\": \"user\"}]}",
            "{\"facts\": [{\"subject\": 1, \"relation\": \"likes\", \"object\": \"tea\"}]}",
            "{\"facts\": [], \"more\": 1}",
            "{\"facts\": [",
            "```json\n{\"facts\": []}\n```",
            &many.to_string(),
            &"{\"facts\":[".repeat(10_000),
        ] {
            assert!(read(answer, "user", "I like tea", SAID).is_err(), "{answer:.80}");
        }
        assert_eq!(read("{\"facts\": []}", "user", "I like tea", SAID), Ok(Believed::default()));
    }

    #[test]
    fn own_prompt_is_never_read() {
        let prompt = question("I live in Porto");
        assert!(!is_worth_asking(&prompt.system));
        assert!(!is_worth_asking(&format!("{} {}", prompt.system, prompt.user)));
        assert!(rules::read("user", &prompt.system, SAID).statements.is_empty());
        assert!(is_worth_asking("We bought a house in Porto."));
        assert!(!is_worth_asking("Where is Porto?"));
        assert!(!is_worth_asking(&"I live in Porto. ".repeat(1000)));
    }

    #[test]
    fn schema_is_json_and_says_what_is_read() {
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
        assert_eq!(schema["properties"]["facts"]["maxItems"], FACTS);
        assert_eq!(schema["properties"]["facts"]["items"]["properties"]["subject"]["maxLength"], PART_BYTES);
    }
}
