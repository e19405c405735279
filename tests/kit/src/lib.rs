//! The test kit: a kernel with a table of its own, workers that misbehave on request, and a harness that starts a real
//! instance in a folder that is thrown away. Nothing of it is part of the product, and production grants it nothing.

pub mod harness;
pub mod model_server;
pub mod service;
pub mod table;
