//! The command line of `config`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Config {
    #[command(subcommand)]
    pub command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// List settings with their values and where each comes from
    List {
        /// Only those that begin so, such as `memory.`
        #[arg(default_value = "")]
        prefix: String,
        #[command(flatten)]
        within: Within,
        /// Show what each one does and takes
        #[arg(short, long)]
        verbose: bool,
    },
    /// Print the value of one setting
    Get {
        /// Its name, as `butterfly config list` shows it
        key: String,
        #[command(flatten)]
        within: Within,
        /// Show what it does and takes, and where its value comes from
        #[arg(short, long)]
        verbose: bool,
    },
    /// Set one; takes effect at once
    Set {
        /// Its name, as `butterfly config list` shows it
        key: String,
        /// Its value; "" where nothing is a value
        #[arg(allow_hyphen_values = true)]
        value: String,
        #[command(flatten)]
        within: Within,
    },
    /// Go back to a setting's default, or take it out of a profile
    Unset {
        /// Its name, as `butterfly config list` shows it
        key: String,
        #[command(flatten)]
        within: Within,
    },
    /// Write all that is set as JSON, with secrets by name only
    Export {
        /// Write it there instead of to standard output
        file: Option<PathBuf>,
    },
    /// Take in what was exported: all of it, or nothing
    Import {
        /// The file; `-` for standard input
        #[arg(default_value = "-")]
        file: PathBuf,
        /// Only show what would change
        #[arg(long)]
        dry_run: bool,
    },
    /// List the profiles: named sets of settings that a conversation can use
    Profiles,
    /// Delete a profile; conversations that used it use none
    RemoveProfile {
        /// Its name, as `butterfly config profiles` shows it
        name: String,
    },
}

#[derive(Debug, Args)]
pub struct Within {
    /// In this profile
    #[arg(short, long, value_name = "NAME")]
    pub profile: Option<String>,
}
