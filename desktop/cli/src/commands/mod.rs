//! One file per family of commands. Each decides by pure functions and does its input and output here.

pub mod caps;
pub mod chat;
pub mod completions;
pub mod config;
pub mod conversations;
pub mod copies;
pub mod crashes;
pub mod doctor;
pub mod lifecycle;
pub mod logs;
pub mod memory;
pub mod model;
pub mod prove;
pub mod pull;
pub mod secret;
pub mod status;
pub mod top;
pub mod trace;
pub mod worker;

use crate::args::Command;
use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;

/// Runs one command.
///
/// # Errors
/// A fault with its exit code.
pub async fn run(context: &Context, command: Command) -> Result<Exit, Fault> {
    match command {
        Command::Up => lifecycle::up(context).await,
        Command::Down => lifecycle::down(context).await,
        Command::Status => status::run(context).await,
        Command::Chat(args) => chat::run(context, args).await,
        Command::Conversations(args) => conversations::run(context, args.command).await,
        Command::Memory(args) => memory::run(context, args.command).await,
        Command::Config(args) => config::run(context, args.command).await,
        Command::Backup(args) => copies::backup(context, &args).await,
        Command::Restore(args) => copies::restore(context, &args).await,
        Command::Top(args) => top::run(context, &args).await,
        Command::Trace(args) => trace::run(context, &args).await,
        Command::Logs(args) => logs::run(context, &args).await,
        Command::Restart(args) => worker::run(context, worker::Act::Restart, &args.worker).await,
        Command::Stop(args) => worker::run(context, worker::Act::Stop, &args.worker).await,
        Command::Start(args) => worker::run(context, worker::Act::Start, &args.worker).await,
        Command::Crashes(args) => crashes::run(context, &args).await,
        Command::Caps(args) => caps::run(context, &args).await,
        Command::Doctor(args) if args.prove => prove::run(context, args.worker.as_deref()).await,
        Command::Doctor(args) => doctor::run(context, args.worker.as_deref()).await,
        Command::Model(args) => model::run(context, args.command).await,
        Command::Secret(args) => secret::run(context, args.command).await,
        Command::Completions(args) => completions::run(context, &args),
    }
}
