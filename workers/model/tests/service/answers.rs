//! What an answer looks like when all goes well.

use crate::bench::{BOTH, Bench, Protocol, patient, request};
use butterfly_api::model::{ChatItem, ChatRequest, Finish, Think, ToolCall, ToolSpec};
use butterfly_kit::model_server::{Ending, Endpoint, Installed, Play, Scenario, Step};
use serde_json::json;

#[tokio::test]
async fn an_answer_streams_from_its_start_to_its_usage() {
    for protocol in BOTH {
        let bench = Bench::new(protocol).await;
        let answer = bench.say("the sky").await;
        let end = answer.end.as_ref().unwrap();
        assert_eq!(answer.text(), "You said: the sky", "{protocol:?}");
        assert_eq!((answer.started().0, end.finish), ("kit:latest", Finish::Stop));
        assert!(!end.usage.estimated && end.usage.output_tokens == 4 && end.usage.input_tokens > 0, "{end:?}");
        assert_eq!(end.usage.context_tokens, answer.started().2);
    }
}

#[tokio::test]
async fn text_arrives_while_the_model_is_still_talking() {
    for protocol in BOTH {
        let bench = Bench::new(protocol).await;
        let steps = [Step::Text("first ".into()), Step::Hold, Step::Text("second".into())];
        bench.server.next(Endpoint::Chat, Play::steps(steps).into());
        let mut stream = bench.bus.stream::<butterfly_api::model::Chat>(&request("hi")).await.unwrap();
        let mut items = Vec::new();
        while !matches!(items.last(), Some(ChatItem::Text { .. })) {
            let butterfly_client::Next::Item(item) = stream.next().await.unwrap() else { panic!("it ended") };
            items.push(item);
        }
        assert_eq!(items.last(), Some(&ChatItem::Text { text: "first ".into() }), "{protocol:?}");
        bench.server.release(1);
        assert_eq!(crate::bench::collect(stream).await.text(), "second");
    }
}

#[tokio::test]
async fn thinking_comes_apart_from_text() {
    for (protocol, reasoning_content) in
        [(Protocol::Ollama, false), (Protocol::OpenAi, false), (Protocol::OpenAi, true)]
    {
        let bench = Bench::new(protocol).await;
        let steps = [Step::Thinking("hm ".into()), Step::Thinking("so".into()), Step::Text("Blue.".into())];
        bench.server.next(Endpoint::Chat, Scenario::Play(Play { reasoning_content, ..Play::steps(steps) }));
        let answer = bench.say("why?").await;
        let thought: String = answer
            .items
            .iter()
            .filter_map(|item| if let ChatItem::Thinking { text } = item { Some(text.as_str()) } else { None })
            .collect();
        assert_eq!((thought.as_str(), answer.text().as_str()), ("hm so", "Blue."), "{protocol:?}");
    }
}

#[tokio::test]
async fn two_tool_calls_are_two_even_with_one_index() {
    for protocol in BOTH {
        let bench = Bench::new(protocol).await;
        bench.server.next(Endpoint::Chat, Scenario::two_tool_calls());
        let tool = ToolSpec {
            name: "weather".into(),
            description: "Tells the weather.".into(),
            parameters: r#"{"type":"object"}"#.into(),
        };
        let answer = bench.ask(&ChatRequest { tools: vec![tool], ..request("weather?") }).await;
        let call = |id: &str, city: &str| {
            let arguments = json!({ "city": city }).to_string();
            ChatItem::ToolCall(ToolCall { id: id.into(), name: "weather".into(), arguments })
        };
        assert_eq!(answer.items[1..], [call("call_a", "Graz"), call("call_b", "Linz")], "{protocol:?}");
        assert_eq!(answer.end.unwrap().finish, Finish::ToolCalls);
        let body = &bench.server.requests_of(Endpoint::Chat)[0].body;
        assert_eq!(body["tools"][0]["function"]["parameters"]["type"], "object");
    }
}

#[tokio::test]
async fn characters_that_are_split_between_chunks_stay_whole() {
    for protocol in BOTH {
        let bench = Bench::new(protocol).await;
        bench.server.next(Endpoint::Chat, Play::say("Grüße, 🦋 und 日本語!").in_chunks_of(1).into());
        let answer = bench.say("hi").await;
        assert_eq!(answer.text(), "Grüße, 🦋 und 日本語!", "{protocol:?}");
        assert!(answer.end.is_ok());
    }
}

#[tokio::test]
async fn a_long_text_travels_in_items_that_the_bus_allows() {
    for protocol in BOTH {
        let bench = Bench::new(protocol).await;
        let long = "ü🦋".repeat(40_000);
        bench.server.next(Endpoint::Chat, Play::steps([Step::Text(long.clone())]).into());
        let answer = bench.say("hi").await;
        assert_eq!(answer.text(), long, "{protocol:?}");
        assert!(answer.items.len() > 7, "{}", answer.items.len());
    }
}

#[tokio::test]
async fn the_length_limit_is_told() {
    for protocol in BOTH {
        let bench = Bench::new(protocol).await;
        bench.server.next(Endpoint::Chat, Play::tokens(3).ending(Ending::Length).into());
        assert_eq!(bench.say("hi").await.end.unwrap().finish, Finish::Length, "{protocol:?}");
    }
}

#[tokio::test]
async fn a_server_that_counts_nothing_gets_estimates() {
    let bench = Bench::new(Protocol::OpenAi).await;
    bench.server.next(Endpoint::Chat, Scenario::Play(Play { without_usage: true, ..Play::say("one two three") }));
    let usage = bench.say("hi").await.end.unwrap().usage;
    assert!(usage.estimated && usage.output_tokens > 0 && usage.input_tokens > 0, "{usage:?}");
}

#[tokio::test]
async fn ollama_is_given_a_context_that_fits_and_does_not_shrink() {
    let bench = Bench::new(Protocol::Ollama).await;
    let asked = |bench: &Bench| {
        let requests = bench.server.requests_of(Endpoint::Chat);
        requests.last().unwrap().body["options"]["num_ctx"].as_u64().unwrap()
    };
    assert_eq!(bench.say("short").await.started().2, 8192);
    assert_eq!(asked(&bench), 8192);
    bench.say(&"long ".repeat(7_000)).await;
    assert_eq!(asked(&bench), 16_384, "10,000 tokens and a reply");
    bench.say("short").await;
    assert_eq!(asked(&bench), 16_384, "a model is not loaded anew for less");
    bench.say(&"long ".repeat(16_000)).await;
    assert_eq!(asked(&bench), 32_768, "the model's own limit");
    let body = &bench.server.requests_of(Endpoint::Chat)[0].body;
    assert_eq!((&body["truncate"], &body["shift"]), (&json!(false), &json!(false)));

    let other = Bench::new(Protocol::Ollama).await;
    other.server.load("kit", 16_384);
    assert_eq!(other.say("short").await.started().2, 16_384, "somebody else loaded it larger");
    let asked = ChatRequest { context_tokens: Some(4096), ..request("short") };
    assert_eq!(other.ask(&asked).await.started().2, 4096, "who asks gets what they ask for");
}

#[tokio::test]
async fn what_was_learnt_of_a_model_is_not_asked_again() {
    let bench = Bench::new(Protocol::Ollama).await;
    bench.say("one").await;
    bench.say("two").await;
    let of = |endpoint| bench.server.requests_of(endpoint).len();
    assert_eq!((of(Endpoint::Chat), of(Endpoint::Show), of(Endpoint::Ps)), (2, 1, 1));
}

#[tokio::test]
async fn tools_and_thinking_go_only_to_models_that_know_them() {
    let bench = Bench::with(Protocol::Ollama, patient(), &[("MODEL_KEEP_ALIVE", "10m")]).await;
    bench.server.install(Installed::new("plain", &["completion"]));
    bench.server.install(Installed::new("gpt-oss:20b", &["completion", "tools", "thinking"]));
    let tool = ToolSpec { name: "t".into(), description: String::new(), parameters: "{}".into() };
    let ask = |model: &str| ChatRequest {
        model: Some(model.to_owned()),
        tools: vec![tool.clone()],
        think: Think::Medium,
        ..request("hi")
    };
    let answer = bench.ask(&ask("plain")).await;
    assert!(answer.notices()[0].contains("cannot use tools"), "{:?}", answer.notices());
    bench.ask(&ask("gpt-oss:20b")).await;
    let requests = bench.server.requests_of(Endpoint::Chat);
    assert!(requests[0].body.get("tools").is_none() && requests[0].body.get("think").is_none());
    assert_eq!((&requests[1].body["think"], &requests[1].body["keep_alive"]), (&json!("medium"), &json!("10m")));
    assert!(requests[1].body["tools"].is_array());
}

#[tokio::test]
async fn arguments_that_are_no_json_are_the_callers_fault() {
    for protocol in BOTH {
        let bench = Bench::new(protocol).await;
        let tool = ToolSpec { name: "t".into(), description: String::new(), parameters: "{".into() };
        let answer = bench.ask(&ChatRequest { tools: vec![tool], ..request("hi") }).await;
        assert_eq!(answer.end.unwrap_err().code, butterfly_wire::ErrorCode::BadPayload, "{protocol:?}");
    }
}
