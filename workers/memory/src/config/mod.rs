//! Settings: the schema in one table, the values in force, and the service that changes them.
//!
//! A value comes from the environment, else from the profile in use, else from the database, else from the schema. There
//! is no configuration file, and no secret is a setting.
//!
//! Invariants:
//! - What is stored fits the schema; an import stores all of a document or nothing.
//! - A change is durable before anybody is told of it.
//! - The model worker's confinement follows `model.provider` and `model.url` before it can use the new ones.

pub mod check;
pub mod document;
pub mod nearest;
pub mod ports;
pub mod schema;
pub mod service;
pub mod values;

pub use service::Settings;
pub use values::Config;
