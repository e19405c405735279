//! The command line of `memory`, and of the copies of the store.

use crate::when::When;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Memory {
    #[command(subcommand)]
    pub command: MemoryCommand,
}

#[derive(Debug, Subcommand)]
pub enum MemoryCommand {
    /// Note something
    Add(Add),
    /// Find what was said or noted, by words, meaning, links and time
    Search(Search),
    /// List what was noted, newest first
    List {
        /// What to list
        #[arg(long, value_enum, default_value = "memory")]
        kind: Kind,
        /// Only what carries this tag
        #[arg(long, value_name = "TAG")]
        tag: Option<String>,
        /// Only what is older than this one
        #[arg(long, value_name = "ID")]
        before: Option<u64>,
        /// Show at most this many
        #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
        limit: u32,
    },
    /// Show all about one message, memory or summary
    Show {
        /// Its number, as `butterfly memory search` shows it
        id: u64,
    },
    /// Delete messages, memories or facts, and what was made from them alone
    Forget(Forget),
    /// List what is held to be true
    Facts {
        /// Only about this person or thing
        #[arg(long, value_name = "NAME")]
        about: Option<String>,
        /// What held then
        #[arg(long, value_name = "TIME")]
        as_of: Option<When>,
        /// Also what no longer holds
        #[arg(long)]
        all: bool,
        /// Show at most this many
        #[arg(short = 'n', long, value_name = "N", default_value_t = 100)]
        limit: u32,
    },
    /// Correct a fact; what held before stays for questions about the past
    Correct {
        /// Its number, as `butterfly memory facts` shows it
        fact: u64,
        /// What holds instead
        #[arg(required_unless_present = "ended", conflicts_with = "ended", allow_hyphen_values = true)]
        object: Option<String>,
        /// Nothing holds instead
        #[arg(long)]
        ended: bool,
        /// From then on; without it, from now on
        #[arg(long, value_name = "TIME")]
        from: Option<When>,
    },
    /// Show people, things, events and facts, and how they are linked
    Graph {
        /// Around this person or thing; without one, what is linked most
        around: Option<String>,
        /// Steps from it
        #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=4))]
        depth: u32,
        /// Show at most this many
        #[arg(short = 'n', long, value_name = "N", default_value_t = 200)]
        limit: u32,
        /// As it was known then
        #[arg(long, value_name = "TIME")]
        as_of: Option<When>,
    },
    /// Show what the model was given for a turn, and why
    Explain {
        /// A message of the turn; without one, the last turn
        message: Option<u64>,
    },
    /// Show how much is kept, and how
    Stats,
    /// Rewrite the store, so that nothing deleted is left in its files
    Vacuum,
    /// Delete what is older than the settings allow, now
    Retain,
    /// Take in lines `{"id","conversation","speaker","text","at"}`; what is known already stays as it is
    Import {
        /// The file; `-` for standard input
        file: PathBuf,
        /// Do not wait until it can be found by meaning
        #[arg(long)]
        no_wait: bool,
    },
    /// Wait until everything can be found by meaning
    Index,
}

#[derive(Debug, Args)]
pub struct Add {
    /// What to note; without it, standard input
    #[arg(allow_hyphen_values = true)]
    pub text: Option<String>,
    /// A tag; may be given more than once
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,
    /// Who said it, if not you
    #[arg(long, value_name = "NAME")]
    pub speaker: Option<String>,
    /// When it was said: RFC 3339, or a date
    #[arg(long, value_name = "TIME")]
    pub at: Option<When>,
}

#[derive(Debug, Args)]
pub struct Search {
    /// What to look for
    #[arg(required_unless_present = "batch", conflicts_with = "batch", allow_hyphen_values = true)]
    pub query: Option<String>,
    /// Show at most this many; 10, with `--batch` 20
    #[arg(short = 'k', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=200))]
    pub limit: Option<u32>,
    /// Only in this conversation: its number, or the name that an import gave it
    #[arg(short, long, value_name = "ID", conflicts_with = "batch")]
    pub conversation: Option<String>,
    /// As it was known then: RFC 3339, or a date
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<When>,
    /// Answer lines `{"qid","query","conversation"}` with lines `{"qid","ranking","ms"}`; `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub batch: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Forget {
    /// Messages, memories or summaries, by their numbers
    #[arg(required_unless_present = "facts", value_name = "ID")]
    pub ids: Vec<u64>,
    /// A fact, without what it was taken from; may be given more than once
    #[arg(long = "fact", value_name = "ID")]
    pub facts: Vec<u64>,
    /// Only show what would go
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

/// What is listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Kind {
    Memory,
    Message,
    Summary,
    All,
}

#[derive(Debug, Args)]
pub struct Backup {
    /// The file to write; an existing one is replaced once the copy is whole
    pub file: PathBuf,
}

#[derive(Debug, Args)]
pub struct Restore {
    /// The file that `butterfly backup` wrote
    pub file: PathBuf,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}
