//! The line editor, on a thread of its own: it blocks, while the connection to the kernel must go on.
//!
//! It keeps no file: the lines that it brings back come from memory, so that what was forgotten there is nowhere else.

use super::slash::COMMANDS;
use crate::fault::Fault;
use rustyline::completion::{Completer, Pair};
use rustyline::config::Config;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{Context, Editor, Helper};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{mpsc, oneshot};

/// Lines that can be brought back: those of earlier conversations, and a long day's.
const HISTORY_LENGTH: usize = 1000;

/// What the person did at the prompt.
#[derive(Debug)]
pub enum Typed {
    Line(String),
    /// Ctrl-C, and whether there was nothing on the line.
    Interrupt {
        on_empty: bool,
    },
    /// Ctrl-D.
    End,
    Fault(Fault),
}

/// What is to be read.
struct Question {
    prompt: String,
    /// Stands on the line to begin with.
    initial: String,
    /// Messages go into the history, answers to questions do not.
    remember: bool,
    reply: oneshot::Sender<Typed>,
}

/// The editor's handle.
pub struct Prompt {
    questions: mpsc::Sender<Question>,
}

impl Prompt {
    /// Starts the editor's thread, which ends with the handle or with the program. The lines of `earlier` can be brought
    /// back, the last one first.
    pub fn start(earlier: Vec<String>) -> Self {
        let (questions, mut asked) = mpsc::channel::<Question>(1);
        std::thread::spawn(move || {
            let mut session = Session::new(&earlier);
            while let Some(question) = asked.blocking_recv() {
                let typed = match &mut session {
                    Ok(session) => session.read(&question),
                    Err(fault) => Typed::Fault(fault.clone()),
                };
                // Whoever asked may be gone: the program is ending.
                let _ = question.reply.send(typed);
            }
        });
        Self { questions }
    }

    /// Reads a message.
    pub async fn message(&self, prompt: &str) -> Typed {
        self.read(prompt, String::new(), true).await
    }

    /// Reads a message that begins as `initial`.
    pub async fn edit(&self, prompt: &str, initial: String) -> Typed {
        self.read(prompt, initial, true).await
    }

    /// Reads the answer to a question.
    pub async fn ask(&self, question: &str) -> Typed {
        self.read(question, String::new(), false).await
    }

    async fn read(&self, prompt: &str, initial: String, remember: bool) -> Typed {
        let (reply, typed) = oneshot::channel();
        let question = Question { prompt: prompt.to_owned(), initial, remember, reply };
        if self.questions.send(question).await.is_err() {
            return Typed::End;
        }
        typed.await.unwrap_or(Typed::End)
    }
}

struct Session {
    editor: Editor<Words, MemHistory>,
    empty: Arc<AtomicBool>,
}

impl Session {
    fn new(earlier: &[String]) -> Result<Self, Fault> {
        let fault = |fault: ReadlineError| Fault::failed(format!("the line editor cannot start: {fault}"));
        let config = Config::builder().max_history_size(HISTORY_LENGTH).map_err(fault)?.build();
        let history = MemHistory::with_config(&config);
        let mut editor = Editor::with_history(config, history).map_err(fault)?;
        let empty = Arc::new(AtomicBool::new(true));
        editor.set_helper(Some(Words { empty: Arc::clone(&empty) }));
        for line in earlier {
            editor.add_history_entry(line).map_err(fault)?;
        }
        Ok(Self { editor, empty })
    }

    fn read(&mut self, question: &Question) -> Typed {
        self.empty.store(question.initial.is_empty(), Ordering::Relaxed);
        match self.editor.readline_with_initial(&question.prompt, (&question.initial, "")) {
            Ok(line) => {
                if question.remember && !line.trim().is_empty() {
                    // A line that cannot be brought back was said all the same.
                    let _ = self.editor.add_history_entry(&line);
                }
                Typed::Line(line)
            }
            Err(ReadlineError::Interrupted) => Typed::Interrupt { on_empty: self.empty.load(Ordering::Relaxed) },
            Err(ReadlineError::Eof) => Typed::End,
            Err(other) => Typed::Fault(Fault::failed(format!("the terminal cannot be read: {other}"))),
        }
    }
}

/// Completes the commands, and notices whether the line is empty.
struct Words {
    empty: Arc<AtomicBool>,
}

impl Helper for Words {}
impl Highlighter for Words {}
impl Validator for Words {}

impl Hinter for Words {
    type Hint = String;

    /// Asked after each key; there is no hint to give, but the line is seen.
    fn hint(&self, line: &str, _: usize, _: &Context<'_>) -> Option<String> {
        self.empty.store(line.is_empty(), Ordering::Relaxed);
        None
    }
}

impl Completer for Words {
    type Candidate = Pair;

    fn complete(&self, line: &str, position: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        Ok((0, candidates(&line[..position])))
    }
}

fn candidates(typed: &str) -> Vec<Pair> {
    let names = COMMANDS.iter().map(|(usage, _)| usage.split(' ').next().unwrap_or(usage));
    names
        .filter(|name| typed.starts_with('/') && name.starts_with(typed))
        .map(|name| Pair { display: name.to_owned(), replacement: name.to_owned() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustyline::history::{History, SearchDirection};

    #[test]
    fn commands_are_completed_and_words_are_not() {
        let names = |typed: &str| candidates(typed).into_iter().map(|pair| pair.replacement).collect::<Vec<_>>();
        assert_eq!(names("/m"), ["/model"]);
        assert_eq!(names("/").len(), COMMANDS.len());
        assert!(names("").is_empty() && names("m").is_empty() && names("/model qwen").is_empty());
    }

    #[test]
    fn earlier_lines_are_brought_back_the_last_one_first() {
        let session = Session::new(&["first".to_owned(), "second\nline".to_owned()]).unwrap();
        let history = session.editor.history();
        let line = |at| history.get(at, SearchDirection::Forward).unwrap().unwrap().entry.into_owned();
        assert_eq!((history.len(), line(0), line(1)), (2, "first".to_owned(), "second\nline".to_owned()));
    }
}
