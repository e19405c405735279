//! Stories of people at the window: the real app with a real kernel, real workers and a scripted model server.

mod chat;
mod connection;
mod support;
