//! The command line of `conversations`.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Conversations {
    #[command(subcommand)]
    pub command: ConversationsCommand,
}

#[derive(Debug, Subcommand)]
pub enum ConversationsCommand {
    /// List conversations, pinned ones first, then the one that was spoken in last
    List {
        /// Those in the trash instead
        #[arg(long)]
        trash: bool,
        /// Show at most this many
        #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
        limit: u32,
    },
    /// Show what was said in one
    Show {
        /// Its number, as `butterfly conversations list` shows it
        id: u64,
        /// Show this many of the newest messages
        #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
        limit: u32,
        /// Show all messages
        #[arg(long, conflicts_with = "limit")]
        all: bool,
    },
    /// Find words in titles and in what was said
    Search {
        /// What to look for
        #[arg(allow_hyphen_values = true)]
        query: String,
        /// Show at most this many
        #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
        limit: u32,
    },
    /// Give one another title
    Rename {
        id: u64,
        #[arg(allow_hyphen_values = true)]
        title: String,
    },
    /// Keep one at the top of the list
    Pin {
        id: u64,
        /// No longer
        #[arg(long)]
        off: bool,
    },
    /// Have one use a settings profile
    Profile {
        id: u64,
        /// Its name, as `butterfly config profiles` shows it; without one, none is used any more
        name: Option<String>,
    },
    /// Put some into the trash, where they stay for 30 days
    Delete {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<u64>,
    },
    /// Take some out of the trash
    Restore {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<u64>,
    },
    /// Switch to the branch of a message, such as an earlier answer
    Branch {
        /// Its number, as `butterfly conversations show` shows it
        message: u64,
    },
    /// Write one down, as JSON that can be imported or as Markdown to read
    Export {
        id: u64,
        /// Write it there instead of to standard output
        file: Option<PathBuf>,
        /// The format; without it, as the file's name says, else JSON
        #[arg(short, long, value_enum)]
        format: Option<ExportFormat>,
    },
    /// Read one that was exported as JSON; it gets a number of its own
    Import {
        /// The file; `-` for standard input
        #[arg(default_value = "-")]
        file: PathBuf,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ExportFormat {
    Json,
    Markdown,
}
