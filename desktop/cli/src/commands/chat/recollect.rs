//! What the chat's commands ask of memory: note, find, forget, show.

use super::editor::{Prompt, Typed};
use super::talk::Talk;
use crate::fault::Fault;
use crate::render::{conversations, memory};
use crate::text;
use butterfly_api::conversations::{Show, ShowRequest};
use butterfly_api::memory::{
    Add, AddRequest, Forget, ForgetRequest, Found, List, ListRequest, Passage, PassageKind, ReasonKind, Search,
    SearchRequest,
};

/// What a search in the chat shows at most: a screen.
const FOUND: u32 = 8;

/// Messages among which the person's own are looked for when lines typed earlier are brought back: what one request gives.
const EARLIER: u32 = 200;

/// Messages that `/history` shows: what anybody scrolls back.
const HISTORY: u32 = 100;

/// Notes something.
///
/// # Errors
/// What the memory worker answers.
pub async fn remember(talk: &Talk<'_>, words: String) -> Result<(), Fault> {
    let out = &talk.context.out;
    let conversation = talk.conversation.filter(|_| !talk.unsaved);
    let added = talk.bus.call::<Add>(&AddRequest { text: words, conversation, ..AddRequest::default() }).await?;
    let known = if added.known { "known already, as" } else { "noted, as" };
    out.line(&format!("{known} #{}", added.id))?;
    for fact in &added.facts {
        out.line(&format!("  {}", memory::sentence(fact)))?;
    }
    Ok(())
}

/// What the person said lately in any conversation, oldest first, for the editor to bring back. Empty where nothing is
/// saved or memory cannot be asked: the conversation does not need it.
pub async fn said_earlier(talk: &Talk<'_>) -> Vec<String> {
    if talk.unsaved {
        return Vec::new();
    }
    let request = ListRequest { kind: Some(PassageKind::Message), limit: EARLIER, ..ListRequest::default() };
    let Ok(listed) = talk.bus.call::<List>(&request).await else { return Vec::new() };
    let own = listed.passages.into_iter().rev().filter(|passage| passage.speaker == "user");
    own.map(|passage| text::Stripper::default().strip(&passage.text)).collect()
}

/// Finds what was said or noted.
///
/// # Errors
/// What the memory worker answers.
pub async fn search(talk: &Talk<'_>, query: String) -> Result<(), Fault> {
    let out = &talk.context.out;
    let found = find(talk, query).await?;
    if !found.is_empty() {
        out.line(&memory::results(&found, out.paint, out.columns()))?;
    }
    Ok(())
}

async fn find(talk: &Talk<'_>, query: String) -> Result<Vec<Found>, Fault> {
    let out = &talk.context.out;
    let request = SearchRequest { query, limit: FOUND, ..SearchRequest::default() };
    let results = talk.bus.call::<Search>(&request).await?;
    if let Some(degraded) = &results.degraded {
        out.remark(&text::escaped(degraded));
    }
    if results.results.is_empty() {
        out.line("nothing was found")?;
    }
    Ok(results.results)
}

/// Deletes what was said or noted: shows what would go, and asks.
///
/// # Errors
/// What the memory worker answers.
pub async fn forget(talk: &Talk<'_>, prompt: &Prompt, what: String) -> Result<(), Fault> {
    let out = &talk.context.out;
    let ids = match number(&what) {
        Some(id) => vec![id],
        None => {
            let found = find(talk, what).await?;
            if found.is_empty() {
                return Ok(());
            }
            let passages = named(found);
            if passages.is_empty() {
                return out
                    .line("nothing was found by these words; /search also finds by meaning and shows the numbers");
            }
            out.line(&memory::passages(&passages, out.paint, out.columns()))?;
            let ids: Vec<_> = passages.iter().map(|passage| passage.id).collect();
            let asked = format!("Which of them? {} [none] ", example(&ids));
            match prompt.ask(&asked).await {
                Typed::Line(answer) => chosen(&answer, &ids)?,
                Typed::Interrupt { .. } | Typed::End => Vec::new(),
                Typed::Fault(fault) => return Err(fault),
            }
        }
    };
    if ids.is_empty() {
        return out.line("nothing was forgotten");
    }
    let mut request = ForgetRequest { ids, facts: Vec::new(), dry_run: true };
    let would_go = talk.bus.call::<Forget>(&request).await?;
    if would_go.passages.is_empty() {
        return out.line("nothing has that number; /search shows the numbers");
    }
    out.line(&memory::forgotten(&would_go, out.paint, out.columns()))?;
    let asked =
        format!("Forget {} for good, and what was made from that alone? [y/N] ", entries(would_go.passages.len()));
    let Typed::Line(answer) = prompt.ask(&asked).await else { return out.line("nothing was forgotten") };
    if !matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        return out.line("nothing was forgotten");
    }
    request.dry_run = false;
    let gone = talk.bus.call::<Forget>(&request).await?;
    out.line(&format!(
        "forgotten: {}; the bytes are overwritten when the assistant is idle, or at once by `butterfly memory vacuum`",
        entries(gone.passages.len())
    ))
}

/// What the words themselves name: what a search finds beside it, by meaning or because it is recent, nobody asked to lose.
fn named(found: Vec<Found>) -> Vec<Passage> {
    let by_words = |it: &Found| it.reasons.iter().any(|reason| reason.kind == ReasonKind::Word);
    found.into_iter().filter(by_words).map(|it| it.passage).collect()
}

/// Shows what was said in this conversation.
///
/// # Errors
/// What the memory worker answers.
pub async fn history(talk: &Talk<'_>) -> Result<(), Fault> {
    let out = &talk.context.out;
    let Some(conversation) = talk.conversation else { return out.line("nothing was said in this conversation yet") };
    if talk.unsaved {
        return out.line("this conversation is not saved, so there is nothing to show but what stands above");
    }
    let request = ShowRequest { conversation, before: None, limit: HISTORY };
    let transcript = talk.bus.call::<Show>(&request).await?;
    out.line(&conversations::transcript(&transcript, out.paint))
}

fn entries(count: usize) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}

/// A number, as results show it.
fn number(what: &str) -> Option<u64> {
    what.strip_prefix('#').unwrap_or(what).parse().ok()
}

fn example(ids: &[u64]) -> String {
    match ids {
        [only] => format!("#{only}, or all"),
        [first, second, ..] => format!("such as #{first} #{second}, or all"),
        [] => String::new(),
    }
}

/// The numbers that were chosen among those shown.
fn chosen(answer: &str, shown: &[u64]) -> Result<Vec<u64>, Fault> {
    if answer.trim() == "all" {
        return Ok(shown.to_vec());
    }
    let words = answer.split([' ', ',']).filter(|word| !word.is_empty());
    let choice = |word: &str| {
        let known = number(word).filter(|id| shown.contains(id));
        known.ok_or_else(|| {
            let numbers: Vec<_> = shown.iter().map(|id| format!("#{id}")).collect();
            Fault::usage(format!("{} is none of {}; nothing was forgotten", text::escaped(word), numbers.join(", ")))
        })
    };
    words.map(choice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_numbers_that_were_shown_or_all_or_nothing() {
        let shown = [7, 12, 13];
        assert_eq!(chosen("#7, 13", &shown).unwrap(), [7, 13]);
        assert_eq!(chosen(" all ", &shown).unwrap(), shown);
        assert_eq!(chosen("", &shown).unwrap(), [0; 0]);
        assert!(chosen("#8", &shown).unwrap_err().message.contains("none of #7, #12, #13"));
        assert!(chosen("yes", &shown).is_err());
    }

    #[test]
    fn numbers_are_told_from_words() {
        assert_eq!(
            (number("#12"), number("12"), number("12 monkeys"), number("tea")),
            (Some(12), Some(12), None, None)
        );
    }
}
