//! An answer as it streams: what is thought, said and noticed, kept apart on the screen, or one object a line.

use crate::fault::Fault;
use crate::paint::{Paint, Role};
use crate::text::{Stripper, escaped};
use butterfly_api::model::Usage;
use butterfly_api::session::{EndReason, TurnEnd, TurnItem};
use serde::Serialize;

/// What precedes a notice.
const NOTICE_MARK: &str = "·";

/// What was last written, so that what is of another kind begins on a line of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Last {
    Nothing,
    Thinking,
    Text,
}

/// What goes where: standard output, and the remarks beside it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Shown {
    pub out: String,
    pub remark: Option<String>,
}

impl Shown {
    fn out(out: String) -> Self {
        Self { out, remark: None }
    }
}

/// Shows one answer to a person. Where output is no terminal it carries the answer's words alone.
#[derive(Debug)]
pub struct Screen {
    paint: Paint,
    terminal: bool,
    thinking: bool,
    last: Last,
    at_line_start: bool,
    stripper: Stripper,
    usage: Option<Usage>,
}

impl Screen {
    #[must_use]
    pub fn new(paint: Paint, terminal: bool, thinking: bool) -> Self {
        Self {
            paint,
            terminal,
            thinking: thinking && terminal,
            last: Last::Nothing,
            at_line_start: true,
            stripper: Stripper::default(),
            usage: None,
        }
    }

    /// What to write for the next item.
    pub fn item(&mut self, item: &TurnItem) -> Shown {
        match item {
            TurnItem::Started { .. } => Shown::default(),
            TurnItem::Thinking { text } if self.thinking => Shown::out(self.piece(Last::Thinking, text)),
            TurnItem::Thinking { .. } => Shown::default(),
            TurnItem::Text { text } => Shown::out(self.piece(Last::Text, text)),
            TurnItem::Notice { text } => self.notice(text),
            // Whoever asks for it, or cannot, says why.
            TurnItem::NeedsSecret { .. } => Shown::out(self.new_line()),
            TurnItem::Usage(usage) => {
                self.usage = Some(*usage);
                Shown::default()
            }
        }
    }

    /// What to write when the answer is complete.
    pub fn end(&mut self, end: &TurnEnd) -> Shown {
        let mut out = self.new_line();
        let mut remark = None;
        let why = match end.reason {
            EndReason::Complete => None,
            EndReason::Length => Some("the model reached its length limit; say \"go on\" for more"),
            EndReason::Stopped => Some("stopped; what was said of it is kept"),
        };
        if let Some(why) = why {
            let line = format!("{NOTICE_MARK} {why}");
            if self.terminal {
                out.push_str(&self.paint.apply(Role::Muted, &line));
                out.push('\n');
            } else {
                remark = Some(line);
            }
        }
        if self.terminal {
            let footer = footer(self.usage.take(), &end.model);
            out.push_str(&self.paint.apply(Role::Muted, &footer));
            out.push('\n');
        }
        Shown { out, remark }
    }

    /// What to write before something else takes the screen.
    pub fn new_line(&mut self) -> String {
        let mut out = String::new();
        if self.last == Last::Thinking {
            out.push_str(self.paint.stop());
        }
        if !self.at_line_start {
            out.push('\n');
        }
        self.last = Last::Nothing;
        self.at_line_start = true;
        out
    }

    fn piece(&mut self, kind: Last, piece: &str) -> String {
        let mut out = String::new();
        let mut stripped = self.stripper.strip(piece);
        if self.last != kind {
            let follows_thinking = self.last == Last::Thinking;
            out.push_str(&self.new_line());
            if follows_thinking {
                out.push('\n');
            }
            // Models like to begin with blank lines.
            stripped = stripped.trim_start_matches('\n').to_owned();
            if stripped.is_empty() {
                return out;
            }
            if kind == Last::Thinking {
                out.push_str(&self.paint.start(Role::Muted));
            }
            self.last = kind;
        }
        if !stripped.is_empty() {
            self.at_line_start = stripped.ends_with('\n');
        }
        out.push_str(&stripped);
        out
    }

    fn notice(&mut self, notice: &str) -> Shown {
        let line = format!("{NOTICE_MARK} {}", escaped(notice));
        if !self.terminal {
            return Shown { out: String::new(), remark: Some(line) };
        }
        let mut out = self.new_line();
        out.push_str(&self.paint.apply(Role::Muted, &line));
        out.push('\n');
        Shown::out(out)
    }
}

/// One line: what the answer cost, and who gave it.
fn footer(usage: Option<Usage>, model: &str) -> String {
    let mut facts = vec![escaped(model)];
    if let Some(usage) = usage {
        let about = if usage.estimated { "about " } else { "" };
        facts.push(format!("{about}{} tokens in, {} out", usage.input_tokens, usage.output_tokens));
        if usage.generation_ms > 0 && usage.output_tokens > 1 {
            let rate = f64::from(usage.output_tokens) * 1000.0 / f64::from(usage.generation_ms);
            facts.push(format!("{rate:.1} tokens/s"));
        }
        if usage.first_token_ms > 0 {
            facts.push(format!("first after {}", super::units::milliseconds(u64::from(usage.first_token_ms))));
        }
    }
    facts.retain(|fact| !fact.is_empty());
    format!("[{}]", facts.join(" · "))
}

/// The last object of an answer.
#[derive(Serialize)]
struct EndLine<'a> {
    r#type: &'static str,
    reason: EndReason,
    model: &'a str,
}

/// One item as an object.
///
/// # Errors
/// Never in practice: the types have no keys that JSON lacks.
pub fn item_json(item: &TurnItem) -> Result<String, Fault> {
    serde_json::to_string(item).map_err(|fault| Fault::failed(format!("no JSON: {fault}")))
}

/// The end as an object.
///
/// # Errors
/// As [`item_json`].
pub fn end_json(end: &TurnEnd) -> Result<String, Fault> {
    let line = EndLine { r#type: "end", reason: end.reason, model: &end.model };
    serde_json::to_string(&line).map_err(|fault| Fault::failed(format!("no JSON: {fault}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items() -> Vec<TurnItem> {
        let usage = Usage {
            input_tokens: 12,
            output_tokens: 40,
            first_token_ms: 80,
            generation_ms: 2000,
            load_ms: 0,
            context_tokens: 8192,
            estimated: false,
        };
        vec![
            TurnItem::Started { conversation: 1, turn: 1, trace: 77, message: 5 },
            TurnItem::Notice { text: "loading the model".into() },
            TurnItem::Thinking { text: "Let me".into() },
            TurnItem::Thinking { text: " see.".into() },
            TurnItem::Text { text: "\n\nHel\x1b[3".into() },
            TurnItem::Text { text: "1mlo".into() },
            TurnItem::Notice { text: "a worker\x1b[2J came back".into() },
            TurnItem::Text { text: "world".into() },
            TurnItem::Usage(usage),
        ]
    }

    fn end(reason: EndReason) -> TurnEnd {
        TurnEnd { reason, model: "gpt-oss:20b".into() }
    }

    fn shown(mut screen: Screen, reason: EndReason) -> (String, Vec<String>) {
        let mut parts: Vec<_> = items().iter().map(|item| screen.item(item)).collect();
        parts.push(screen.end(&end(reason)));
        let remarks = parts.iter_mut().filter_map(|part| part.remark.take()).collect();
        (parts.into_iter().map(|part| part.out).collect(), remarks)
    }

    #[test]
    fn a_terminal_shows_each_kind_on_lines_of_its_own() {
        let (out, remarks) = shown(Screen::new(Paint::new(false), true, true), EndReason::Complete);
        assert!(remarks.is_empty());
        insta::assert_snapshot!(out, @r"
        · loading the model
        Let me see.

        Hello
        · a worker\x1b[2J came back
        world
        [gpt-oss:20b · 12 tokens in, 40 out · 20.0 tokens/s · first after 80 ms]
        ");
    }

    #[test]
    fn thinking_is_dimmed_and_the_dimming_ends_with_it() {
        let (out, _) = shown(Screen::new(Paint::new(true), true, true), EndReason::Stopped);
        assert!(out.contains("\x1b[2mLet me see.\x1b[0m\n\nHello\n"), "{out:?}");
        assert!(out.contains("stopped; what was said of it is kept"));
        let (out, _) = shown(Screen::new(Paint::new(true), true, false), EndReason::Complete);
        assert!(!out.contains("Let me"));
    }

    #[test]
    fn a_pipe_gets_the_words_of_the_answer_alone() {
        let (out, remarks) = shown(Screen::new(Paint::new(false), false, true), EndReason::Complete);
        assert_eq!(out, "Helloworld\n");
        assert_eq!(remarks, ["· loading the model", "· a worker\\x1b[2J came back"]);
    }

    #[test]
    fn programs_get_one_object_an_item() {
        let mut lines: Vec<_> = items().iter().map(|item| item_json(item).unwrap()).collect();
        lines.push(end_json(&end(EndReason::Complete)).unwrap());
        insta::assert_snapshot!(lines.join("\n"), @r#"
        {"type":"started","conversation":1,"turn":1,"trace":77,"message":5}
        {"type":"notice","text":"loading the model"}
        {"type":"thinking","text":"Let me"}
        {"type":"thinking","text":" see."}
        {"type":"text","text":"\n\nHel\u001b[3"}
        {"type":"text","text":"1mlo"}
        {"type":"notice","text":"a worker\u001b[2J came back"}
        {"type":"text","text":"world"}
        {"type":"usage","input_tokens":12,"output_tokens":40,"first_token_ms":80,"generation_ms":2000,"load_ms":0,"context_tokens":8192,"estimated":false}
        {"type":"end","reason":"complete","model":"gpt-oss:20b"}
        "#);
    }
}
