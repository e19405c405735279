//! Stories of people at the window: the real app with a real kernel, real workers and a scripted model server.

mod chat;
mod connection;
mod diagnostics;
mod first_run;
mod frame;
mod hostile;
mod keyboard;
mod memory;
mod settings;
mod support;
mod versions;
