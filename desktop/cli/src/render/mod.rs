//! What is printed: tables for people, objects for programs. Pure: values in, text out.

pub mod caps;
pub mod chat;
pub mod config;
pub mod conversations;
pub mod crashes;
pub mod doctor;
pub mod log;
pub mod memory;
pub mod status;
pub mod table;
pub mod top;
pub mod trace;
pub mod tree;
pub mod units;
