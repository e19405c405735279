//! Which turns are summed up, and when: a pure function of sizes.

use butterfly_store::summaries::Progress;

/// Tokens that a message takes beside its text: role, separators.
const MESSAGE_TOKENS: u64 = 8;
/// The least that is summed up in one go: a call for less is not worth it.
const LEAST_TOKENS: u64 = 256;

/// What is summed up next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Messages, oldest first: whole turns.
    pub(crate) messages: Vec<i64>,
    /// Bytes of text that the question may hold.
    pub(crate) room_bytes: usize,
    /// Tokens that the summary may have.
    pub(crate) summary_tokens: u32,
}

/// Tokens of so many bytes: 3.5 bytes each, as the prompt's own estimate has it for Latin text; more than it for others.
fn tokens(bytes: u64) -> u64 {
    (bytes * 2).div_ceil(7)
}

/// Sums up when what stands in the prompt takes more than `share` of the context. The newest turns that take half of that
/// stay as they are, so that it does not happen again with the next turn; never the last turn, nor what is being said.
pub(crate) fn plan(progress: &Progress, share: f64) -> Option<Plan> {
    let context = u64::from(progress.context_tokens);
    let budget = (context as f64 * share.clamp(0.0, 1.0)) as u64;
    if budget == 0 {
        return None;
    }
    // Turns, oldest first: their tokens, and their messages' places.
    let mut turns: Vec<(u64, std::ops::Range<usize>, bool)> = Vec::new();
    for (place, message) in progress.after.iter().enumerate() {
        let cost = tokens(message.bytes) + MESSAGE_TOKENS;
        let same = place > 0 && progress.after[place - 1].turn == message.turn;
        match turns.last_mut().filter(|_| same) {
            Some((sum, range, streaming)) => {
                *sum += cost;
                range.end = place + 1;
                *streaming |= message.streaming;
            }
            None => turns.push((cost, place..place + 1, message.streaming)),
        }
    }
    let before = progress.summary.as_ref().map_or(0, |summary| tokens(summary.text.len() as u64));
    let total: u64 = before + turns.iter().map(|(cost, ..)| cost).sum::<u64>();
    if total <= budget {
        return None;
    }
    let mut end = turns.len().checked_sub(1)?;
    let mut kept = turns.last()?.0;
    while end > 0 && kept + turns[end - 1].0 <= budget / 2 {
        end -= 1;
        kept += turns[end].0;
    }
    if let Some(streaming) = turns[..end].iter().position(|(_, _, streaming)| *streaming) {
        end = streaming;
    }
    // What one question can hold: half of the context, beside what was summed up before and the new summary.
    let room = (context / 2).max(LEAST_TOKENS);
    let mut taken = 0;
    let mut last = 0;
    while last < end && (last == 0 || taken + turns[last].0 <= room) {
        taken += turns[last].0;
        last += 1;
    }
    let end = turns[..last].last()?.1.end;
    let messages: Vec<i64> = progress.after[..end].iter().map(|message| message.id).collect();
    Some(Plan {
        messages,
        room_bytes: usize::try_from(room * 7 / 2).unwrap_or(usize::MAX),
        summary_tokens: u32::try_from((context / 8).clamp(128, 1024)).unwrap_or(1024),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_api::conversations::Summary;
    use butterfly_store::summaries::Unsummed;

    /// Turns of two messages of `bytes` each.
    fn progress(context: u32, turns: i64, bytes: u64) -> Progress {
        let message = |turn: i64, part: i64| Unsummed {
            id: turn * 10 + part,
            turn: turn * 10,
            bytes,
            at_ms: turn,
            streaming: false,
        };
        let after = (1..=turns).flat_map(|turn| [message(turn, 0), message(turn, 1)]).collect();
        Progress { context_tokens: context, profile: None, summary: None, after }
    }

    fn summary(text: &str) -> Summary {
        Summary {
            id: 1,
            text: text.to_owned(),
            tags: vec![],
            first_turn: 1,
            last_turn: 2,
            from_unix_ms: 0,
            to_unix_ms: 1,
            model: "m".to_owned(),
        }
    }

    #[test]
    fn what_fits_is_left_alone() {
        assert_eq!(plan(&progress(4096, 3, 700), 0.75), None);
        assert_eq!(plan(&progress(0, 300, 7000), 0.75), None, "a context that nobody knows is no budget");
        assert_eq!(plan(&progress(4096, 0, 0), 0.75), None);
    }

    #[test]
    fn oldest_turns_go_and_half_of_the_budget_stays() {
        // Each turn: 2 × (200 + 8) = 416 tokens; the budget is 3072, half of it holds 3 turns.
        let found = plan(&progress(4096, 8, 700), 0.75).unwrap();
        // Five turns would take 2080 tokens, and the room is 2048.
        assert_eq!(found.messages, [10, 11, 20, 21, 30, 31, 40, 41]);
        assert_eq!(found.summary_tokens, 512);
    }

    #[test]
    fn last_turn_and_what_is_being_said_are_never_summed_up() {
        assert_eq!(plan(&progress(1024, 1, 50_000), 0.75), None);
        let mut two = progress(1024, 3, 50_000);
        assert_eq!(plan(&two, 0.75).unwrap().messages, [10, 11], "one turn at a time where even one is too long");
        two.after[1].streaming = true;
        assert_eq!(plan(&two, 0.75), None);
    }

    #[test]
    fn summary_counts_too() {
        let mut long = progress(4096, 4, 700);
        assert_eq!(plan(&long, 0.75), None);
        long.summary = Some(summary(&"x".repeat(7000)));
        assert_eq!(plan(&long, 0.75).unwrap().messages, [10, 11]);
    }

    #[test]
    fn each_step_leaves_less_until_it_fits() {
        let mut long = progress(4096, 100, 700);
        let mut steps = 0;
        while let Some(found) = plan(&long, 0.75) {
            long.after.retain(|message| !found.messages.contains(&message.id));
            long.summary = Some(summary(&"x".repeat(1700)));
            steps += 1;
            assert!(steps < 100);
        }
        assert!(long.after.len() >= 2);
    }
}
