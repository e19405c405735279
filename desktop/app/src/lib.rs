//! The desktop app of ButterFly Bot: a thin client of the bus with a window.
//!
//! [`state`] is plain data with its reducers, [`bridge`] the only part that talks to the bus, [`views`] and
//! [`components`] small functions of the state. Everything that can be done is an action of [`actions`].

pub mod actions;
pub mod app;
pub mod bridge;
pub mod components;
pub mod keys;
pub mod markdown;
pub mod single;
pub mod state;
pub mod system;
pub mod ui;
pub mod views;
pub mod window;
