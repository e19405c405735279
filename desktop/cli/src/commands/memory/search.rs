//! `memory search`: one question, or a file of them over one connection.

use super::degraded;
use crate::args::memory::Search;
use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::files;
use crate::render::memory::{ResultsView, results};
use butterfly_api::memory::{self, Results, SearchRequest};
use butterfly_client::Bus;
use butterfly_wire::ErrorCode;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Instant;

/// Results shown where nobody says how many.
const USUAL: u32 = 10;

/// The same for a batch: enough for recall@20.
const USUAL_BATCH: u32 = 20;

/// One line of a batch.
#[derive(Debug, Deserialize)]
struct Question {
    /// Given back as it came, text or number.
    qid: serde_json::Value,
    query: String,
    #[serde(default)]
    conversation: Option<String>,
}

/// One line of its answer.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    qid: &'a serde_json::Value,
    /// Names that an import gave, best first; a passage without one has its number.
    ranking: Vec<String>,
    /// From the question to its answer, over the bus.
    ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

pub(super) async fn run(context: &Context, bus: &Bus, args: Search) -> Result<Exit, Fault> {
    let as_of_unix_ms = args.as_of.map(|when| when.0);
    if let Some(file) = &args.batch {
        return batch(context, bus, file, args.limit.unwrap_or(USUAL_BATCH), as_of_unix_ms).await;
    }
    let request = SearchRequest {
        query: args.query.unwrap_or_default(),
        limit: args.limit.unwrap_or(USUAL),
        conversation: args.conversation,
        as_of_unix_ms,
    };
    let found = bus.call::<memory::Search>(&request).await?;
    let out = &context.out;
    if out.json {
        out.object(&ResultsView::from(&found))?;
    } else if found.results.is_empty() {
        out.line("nothing was found")?;
    } else {
        out.line(&results(&found.results, out.paint, out.columns()))?;
    }
    degraded(context, found.degraded.as_deref());
    Ok(Exit::Done)
}

/// A question that is refused has an empty ranking and its error; the others are still answered.
async fn batch(
    context: &Context,
    bus: &Bus,
    path: &Path,
    limit: u32,
    as_of_unix_ms: Option<u64>,
) -> Result<Exit, Fault> {
    let (file, _) = files::open(path)?;
    let mut refused = 0;
    let mut without = None;
    for (index, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(|fault| files::unreadable(path, &fault))?;
        if line.trim().is_empty() {
            continue;
        }
        let question = question(&line, index + 1)?;
        let Question { qid, query, conversation } = question;
        let request = SearchRequest { query, limit, conversation, as_of_unix_ms };
        let begun = Instant::now();
        let answer = bus.call::<memory::Search>(&request).await;
        let ms = begun.elapsed().as_micros() as f64 / 1000.0;
        match answer {
            Ok(found) => {
                context.out.object(&Answer { qid: &qid, ranking: ranking(&found), ms, error: None })?;
                without = found.degraded.or(without);
            }
            Err(failure) if failure.code == ErrorCode::BadPayload => {
                refused += 1;
                context.out.object(&Answer { qid: &qid, ranking: vec![], ms, error: Some(&failure.message) })?;
            }
            Err(failure) => return Err(failure.into()),
        }
    }
    degraded(context, without.as_deref());
    if refused > 0 {
        context.out.warning(&format!("{refused} of the questions were refused; their lines say why"));
        return Ok(Exit::Failed);
    }
    Ok(Exit::Done)
}

fn question(line: &str, number: usize) -> Result<Question, Fault> {
    serde_json::from_str(line).map_err(|fault| {
        let form = r#"{"qid":…,"query":…,"conversation":…}"#;
        Fault::failed(format!("line {number} is no question of the form {form}: {fault}"))
    })
}

fn ranking(found: &Results) -> Vec<String> {
    let name = |passage: &memory::Passage| passage.external_id.clone().unwrap_or_else(|| passage.id.to_string());
    found.results.iter().map(|found| name(&found.passage)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_have_ids_of_any_kind_and_perhaps_a_conversation() {
        let read = question(r#"{"qid":"q1","query":"-","conversation":"c1"}"#, 1).unwrap();
        assert_eq!((read.query.as_str(), read.conversation.as_deref()), ("-", Some("c1")));
        let read = question(r#"{"qid":7,"query":"x","conversation":null,"answer":"ignored"}"#, 1).unwrap();
        assert_eq!((read.qid, read.conversation), (serde_json::json!(7), None));
        let fault = question(r#"{"qid":7}"#, 12).unwrap_err();
        assert!(fault.message.starts_with("line 12 is no question"), "{}", fault.message);
    }

    #[test]
    fn answers_have_the_documented_shape() {
        let qid = serde_json::json!("q1");
        let answer = Answer { qid: &qid, ranking: vec!["m1".into()], ms: 1.25, error: None };
        assert_eq!(serde_json::to_string(&answer).unwrap(), r#"{"qid":"q1","ranking":["m1"],"ms":1.25}"#);
    }
}
