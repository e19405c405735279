//! The kit that the views are made of: small functions of their properties, with their roles and names for who does
//! not see them. `views/gallery.rs` shows each of them in each state.

mod button;
mod dialog;
mod field;
mod icon;
mod menu;
mod notice;
mod progress;
mod sparkline;
mod table;
mod tabs;
mod typed;

pub use button::{Button, ButtonKind, IconButton};
pub use dialog::Dialog;
pub use field::{Field, Select, Switch, TextArea, TextField};
pub use icon::{Glyph, Icon};
pub use menu::{Menu, MenuItem};
pub use notice::{Badge, Banner, EmptyState, Skeleton};
pub use progress::{Progress, Spinner};
pub use sparkline::Sparkline;
pub use table::{Column, Table};
pub use tabs::{Tab, Tabs};
pub use typed::{Typed, use_typed};
