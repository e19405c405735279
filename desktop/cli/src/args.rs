//! The command line as types. `docs/cli.md` describes it; a test sees that it leaves nothing out.

pub mod config;
pub mod conversations;
pub mod memory;

use crate::exit;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::path::PathBuf;

/// ButterFly Bot: a personal assistant that runs on this computer.
#[derive(Debug, Parser)]
#[command(name = "butterfly", version, after_help = exit::help(), max_term_width = 100)]
#[command(disable_help_subcommand = true, subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    /// Print JSON: one object, or one object a line where output goes on
    #[arg(long, global = true, display_order = 900)]
    pub json: bool,

    /// Print without colours (as does the variable NO_COLOR)
    #[arg(long, global = true, display_order = 901)]
    pub no_color: bool,

    /// Use the instance under this folder (as does the variable BUTTERFLY_HOME)
    #[arg(long, global = true, value_name = "DIR", display_order = 902)]
    pub home: Option<PathBuf>,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the assistant's kernel and workers
    Up,
    /// Stop them
    Down,
    /// Show the kernel and every worker
    Status,
    /// Talk with the assistant
    Chat(Chat),
    /// Show what was said, and keep it in order
    Conversations(conversations::Conversations),
    /// Note, find, explain and forget what is remembered
    Memory(memory::Memory),
    /// Show and change settings
    Config(config::Config),
    /// Write a copy of all that is remembered
    Backup(memory::Backup),
    /// Replace all that is remembered by such a copy
    Restore(memory::Restore),
    /// Watch the workers live
    Top(Top),
    /// Watch messages as they are routed, or see one conversation turn as a tree
    Trace(Trace),
    /// Show what the workers logged
    Logs(Logs),
    /// Restart a worker; also clears one that is held
    Restart(Worker),
    /// Stop a worker and leave it stopped
    Stop(Worker),
    /// Start a worker that is stopped or held
    Start(Worker),
    /// Show why workers failed
    Crashes(Crashes),
    /// Show who may do what: the capability table
    Caps(Caps),
    /// Look for what is wrong, or prove what is denied
    Doctor(Doctor),
    /// Show and manage language models
    Model(Model),
    /// Keep keys in the OS keyring
    Secret(Secret),
    /// Print the completion script of a shell
    Completions(Completions),
}

#[derive(Debug, Args)]
pub struct Chat {
    /// Say this, print the answer and end; what comes through a pipe is quoted below it
    #[arg(short, long, value_name = "TEXT")]
    pub message: Option<String>,

    /// Answer with this model
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,

    /// Go on with this conversation
    #[arg(short, long, value_name = "ID")]
    pub conversation: Option<u64>,

    /// Go on with the last conversation (at a terminal it is the default)
    #[arg(long = "continue", conflicts_with = "conversation")]
    pub resume: bool,

    /// Begin a new conversation (it is the default everywhere else)
    #[arg(long, conflicts_with_all = ["conversation", "resume"])]
    pub new: bool,

    /// Save nothing of it: what is said is gone when the assistant ends
    #[arg(long, conflicts_with = "resume")]
    pub unsaved: bool,

    /// Do not show what the model thinks before it answers
    #[arg(long)]
    pub no_thinking: bool,
}

#[derive(Debug, Args)]
pub struct Top {
    /// End after this many updates
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub updates: Option<u64>,

    /// Show one update and end
    #[arg(long, conflicts_with = "updates")]
    pub once: bool,
}

#[derive(Debug, Args)]
pub struct Trace {
    /// Show one conversation turn as a tree: the last one, or the one of this trace
    #[arg(long, value_name = "TRACE", num_args = 0..=1, default_missing_value = "last")]
    pub turn: Option<String>,

    /// Show the newest messages that the kernel remembers, and end
    #[arg(long, value_name = "N", conflicts_with = "turn")]
    pub recent: Option<u32>,

    /// End after this many messages
    #[arg(short = 'n', long, value_name = "N", conflicts_with_all = ["turn", "recent"])]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub messages: Option<u64>,
}

#[derive(Debug, Args)]
pub struct Logs {
    /// Show this worker's lines only; `kernel` is the kernel's own
    pub worker: Option<String>,

    /// Go on showing lines as they come
    #[arg(short, long)]
    pub follow: bool,

    /// Show this many of the newest lines
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100)]
    pub lines: u32,

    /// Leave out lines that matter less than this
    #[arg(short, long, value_enum)]
    pub level: Option<LogLevel>,
}

/// From what matters most to what matters least.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, ValueEnum)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(Debug, Args)]
pub struct Worker {
    /// Its name, as `butterfly status` shows it
    pub worker: String,
}

#[derive(Debug, Args)]
pub struct Crashes {
    /// Show each report's last output, open calls and messages too
    #[arg(short, long)]
    pub verbose: bool,

    /// Show this many of the newest reports
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    pub reports: usize,
}

#[derive(Debug, Args)]
pub struct Caps {
    /// Print the page `docs/capabilities.md`
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
}

#[derive(Debug, Args)]
pub struct Doctor {
    /// Have a twin of each worker attempt what is forbidden, and show what denied it
    #[arg(long)]
    pub prove: bool,

    /// Look at this worker only
    pub worker: Option<String>,
}

#[derive(Debug, Args)]
pub struct Model {
    #[command(subcommand)]
    pub command: Option<ModelCommand>,
}

#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// List the installed models
    List,
    /// Show all about one model
    Show {
        /// Its name, as `butterfly model list` shows it
        model: String,
    },
    /// Fetch a model; goes on where an earlier fetch ended
    Pull {
        /// Its name; without one, the preset for this machine's memory
        model: Option<String>,
    },
    /// Use this model for conversations from now on
    Use {
        /// Its name; without one, the model worker chooses
        model: Option<String>,
    },
    /// List the models that are loaded now
    Ps,
}

#[derive(Debug, Args)]
pub struct Secret {
    #[command(subcommand)]
    pub command: SecretCommand,
}

#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// Set one: typed without echo at a terminal, else read from standard input
    Set {
        /// Its name, as `butterfly secret list` shows it; the value is never an argument
        name: String,
    },
    /// List the names, where each is kept, and who reads it; never a value
    List,
    /// Delete one
    Delete {
        /// Its name, as `butterfly secret list` shows it
        name: String,
    },
    /// Show whether the OS keyring can be used
    Check,
}

#[derive(Debug, Args)]
pub struct Completions {
    #[arg(value_enum)]
    pub shell: Shell,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    /// Every command and long option as the page must name it.
    fn names(command: &clap::Command, path: &str, into: &mut Vec<String>) {
        let options = command.get_arguments().filter_map(|option| option.get_long());
        into.extend(options.filter(|name| !matches!(*name, "help" | "version")).map(|name| format!("--{name}")));
        for inner in command.get_subcommands() {
            let path = format!("{path} {}", inner.get_name());
            into.push(format!("`{path}"));
            names(inner, &path, into);
        }
    }

    #[test]
    fn the_page_names_every_command_and_option() {
        let page = include_str!("../../../docs/cli.md");
        let mut wanted = Vec::new();
        names(&Cli::command(), "butterfly", &mut wanted);
        let missing: Vec<_> = wanted.iter().filter(|name| !page.contains(name.as_str())).collect();
        assert!(missing.is_empty(), "docs/cli.md does not name {missing:?}");
    }

    #[test]
    fn options_may_stand_before_and_after_the_command() {
        for line in [["butterfly", "--json", "status"], ["butterfly", "status", "--json"]] {
            assert!(Cli::try_parse_from(line).unwrap().json);
        }
    }

    fn parsed(line: &[&str]) -> Command {
        Cli::try_parse_from([&["butterfly"], line].concat()).unwrap().command
    }

    #[test]
    fn whatever_is_looked_for_or_noted_is_a_value() {
        for query in ["-", "--", "-x", "--json-ish", "-k3x", "' OR 1=1 --", "-5"] {
            // Options stand before or after it; what is an option itself comes after `--`.
            let before: &[&str] = &["memory", "search", "-k", "3", "--conversation", "c", "--", query];
            let after: &[&str] = &["memory", "search", query, "-k", "3", "--conversation", "c"];
            for line in [before, if query == "--" { before } else { after }] {
                let Command::Memory(memory::Memory { command: memory::MemoryCommand::Search(search) }) = parsed(line)
                else {
                    panic!("not a search: {line:?}");
                };
                assert_eq!(search.query.as_deref(), Some(query), "{line:?}");
                assert_eq!((search.limit, search.conversation.as_deref()), (Some(3), Some("c")), "{line:?}");
            }
        }
        let Command::Memory(memory::Memory { command: memory::MemoryCommand::Add(add) }) =
            parsed(&["memory", "add", "--tag", "a", "- milk", "--tag", "b", "--at", "2026-03-01"])
        else {
            panic!("not an addition");
        };
        assert_eq!((add.text.as_deref(), add.tags), (Some("- milk"), vec!["a".to_owned(), "b".to_owned()]));
        let Command::Config(config::Config { command: config::ConfigCommand::Set { value, within, .. } }) =
            parsed(&["config", "set", "--profile", "p", "model.keep_alive", "-1"])
        else {
            panic!("not a setting");
        };
        assert_eq!((value.as_str(), within.profile.as_deref()), ("-1", Some("p")));
    }

    #[test]
    fn a_search_needs_a_query_or_a_batch_and_not_both() {
        let refused = |line: &[&str]| Cli::try_parse_from([&["butterfly", "memory"], line].concat()).is_err();
        assert!(refused(&["search"]));
        assert!(refused(&["search", "x", "--batch", "f"]));
        assert!(refused(&["search", "x", "-k", "0"]));
        assert!(refused(&["search", "x", "--as-of", "yesterday"]));
        assert!(refused(&["correct", "1"]) && refused(&["correct", "1", "x", "--ended"]));
        assert!(refused(&["forget"]));
        assert!(!refused(&["search", "--batch", "f"]));
        assert!(!refused(&["forget", "--fact", "3"]));
    }

    #[test]
    fn a_turn_without_a_trace_is_the_last_one() {
        let Command::Trace(trace) = Cli::try_parse_from(["butterfly", "trace", "--turn"]).unwrap().command else {
            panic!("not parsed as trace");
        };
        assert_eq!(trace.turn.as_deref(), Some("last"));
    }
}
