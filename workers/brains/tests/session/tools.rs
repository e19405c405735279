//! Tool calls, of which none can succeed.

use crate::model::{Scripted, Step, started, text, thinking, tool_call, usage};
use crate::{brains_asking, say, turn};
use butterfly_api::model::{ChatEnd, Finish, Role};
use butterfly_api::session::TurnItem;

fn asks_for_tools() -> Step {
    Step::End(ChatEnd { finish: Finish::ToolCalls, usage: usage(10, 2) })
}

#[tokio::test]
async fn model_that_asks_for_a_tool_is_told_that_there_is_none_and_goes_on() {
    let model = Scripted::new([
        vec![
            started(8192),
            thinking("I need the weather"),
            text("Let me look. "),
            tool_call("a"),
            tool_call("b"),
            asks_for_tools(),
        ],
        vec![started(8192), text("I cannot look.")],
    ]);
    let bus = brains_asking(&model);
    let seen = turn(&bus, say(None, "weather?")).await;
    assert_eq!(seen.text(), "Let me look. I cannot look.");
    let again = &model.asked()[1].messages;
    assert_eq!(again[2].role, Role::Assistant);
    assert_eq!(again[2].thinking, "I need the weather", "thinking goes back with the results");
    assert_eq!(again[2].tool_calls.len(), 2);
    let results: Vec<_> = again[3..].iter().map(|m| (m.role, m.tool_call_id.as_deref())).collect();
    assert_eq!(results, [(Role::Tool, Some("a")), (Role::Tool, Some("b"))]);
    assert!(again[3].content.contains("no such tool: weather"));
    let usages: Vec<_> = seen.items.iter().filter(|item| matches!(item, TurnItem::Usage(_))).collect();
    let sum = butterfly_api::model::Usage { generation_ms: 14, ..usage(20, 4) };
    assert_eq!(usages, [&TurnItem::Usage(sum)], "one usage, of all rounds");
}

#[tokio::test]
async fn model_that_never_stops_asking_is_ended_after_eight_rounds_with_a_notice() {
    let model = Scripted::new((0..9).map(|round| vec![started(8192), tool_call(&round.to_string()), asks_for_tools()]));
    let bus = brains_asking(&model);
    let seen = turn(&bus, say(None, "weather?")).await;
    assert_eq!(model.asked().len(), 8);
    assert_eq!(seen.notices().len(), 1);
    assert!(seen.notices()[0].contains("8 times"));
    assert!(seen.end.is_ok());
}
