//! A table.

use dioxus::prelude::*;

/// A column's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    title: String,
    end: bool,
}

impl Column {
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), end: false }
    }

    /// For numbers: aligned at their ends.
    #[must_use]
    pub fn end(mut self) -> Self {
        self.end = true;
        self
    }
}

/// A table; its rows are the children.
#[component]
pub fn Table(caption: String, columns: Vec<Column>, children: Element) -> Element {
    rsx! {
        div { class: "table-frame",
            table { class: "table",
                caption { class: "visually-hidden", "{caption}" }
                thead {
                    tr {
                        for (at, column) in columns.into_iter().enumerate() {
                            th { key: "{at}", scope: "col", class: if column.end { "end" }, "{column.title}" }
                        }
                    }
                }
                tbody { {children} }
            }
        }
    }
}
