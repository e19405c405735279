//! Icons: 24 × 24, drawn by strokes in the colour of the text around them.

use dioxus::prelude::*;

/// An icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    Chat,
    Memory,
    Diagnostics,
    Settings,
    Shortcuts,
    Gallery,
    Sidebar,
    Plus,
    Search,
    Close,
    Check,
    ChevronDown,
    ChevronLeft,
    ChevronRight,
    ChevronUp,
    More,
    Pin,
    Trash,
    Edit,
    Copy,
    Send,
    Stop,
    Play,
    Pause,
    Refresh,
    Undo,
    Branch,
    Download,
    Upload,
    Link,
    External,
    Info,
    Warning,
    Danger,
    Key,
    Lock,
    Shield,
    Clock,
    Graph,
    List,
    Person,
    Spark,
    Question,
    Eye,
    Filter,
    ZoomIn,
    ZoomOut,
    Fit,
    Server,
    Sun,
    Moon,
    File,
    Logo,
}

impl Icon {
    /// Every icon, in the gallery's order.
    pub const ALL: &[Self] = &[
        Self::Chat,
        Self::Memory,
        Self::Diagnostics,
        Self::Settings,
        Self::Shortcuts,
        Self::Gallery,
        Self::Sidebar,
        Self::Plus,
        Self::Search,
        Self::Close,
        Self::Check,
        Self::ChevronDown,
        Self::ChevronLeft,
        Self::ChevronRight,
        Self::ChevronUp,
        Self::More,
        Self::Pin,
        Self::Trash,
        Self::Edit,
        Self::Copy,
        Self::Send,
        Self::Stop,
        Self::Play,
        Self::Pause,
        Self::Refresh,
        Self::Undo,
        Self::Branch,
        Self::Download,
        Self::Upload,
        Self::Link,
        Self::External,
        Self::Info,
        Self::Warning,
        Self::Danger,
        Self::Key,
        Self::Lock,
        Self::Shield,
        Self::Clock,
        Self::Graph,
        Self::List,
        Self::Person,
        Self::Spark,
        Self::Question,
        Self::Eye,
        Self::Filter,
        Self::ZoomIn,
        Self::ZoomOut,
        Self::Fit,
        Self::Server,
        Self::Sun,
        Self::Moon,
        Self::File,
        Self::Logo,
    ];

    /// The strokes, as an SVG path (SVG 2, section 9.3).
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Chat => "M21 12a8 8 0 0 1-8 8H4l2-3.2A8 8 0 1 1 21 12Z",
            Self::Memory => {
                "M12 3c4.4 0 8 1.3 8 3s-3.6 3-8 3-8-1.3-8-3 3.6-3 8-3ZM4 6v6c0 1.7 3.6 3 8 3s8-1.3 8-3V6M4 12v6c0 1.7 3.6 3 8 3s8-1.3 8-3v-6"
            }
            Self::Diagnostics => "M3 12h4l3-8 4 16 3-8h4",
            Self::Settings => {
                "M4 7h9M17 7h3M4 17h3M11 17h9M15 5a2 2 0 1 0 0 4 2 2 0 0 0 0-4ZM9 15a2 2 0 1 0 0 4 2 2 0 0 0 0-4Z"
            }
            Self::Shortcuts => "M3 6h18v12H3ZM7 10h.01M11 10h.01M15 10h.01M17.5 10h.01M8 14h8",
            Self::Gallery => "M4 4h7v7H4ZM13 4h7v7h-7ZM4 13h7v7H4ZM13 13h7v7h-7Z",
            Self::Sidebar => "M4 5h16v14H4ZM10 5v14",
            Self::Plus => "M12 5v14M5 12h14",
            Self::Search => "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM20 20l-4-4",
            Self::Close => "M6 6l12 12M18 6L6 18",
            Self::Check => "M5 13l4.5 4.5L19 7",
            Self::ChevronDown => "M6 9l6 6 6-6",
            Self::ChevronLeft => "M15 6l-6 6 6 6",
            Self::ChevronRight => "M9 6l6 6-6 6",
            Self::ChevronUp => "M6 15l6-6 6 6",
            Self::More => {
                "M5.500 11.500a.5.5 0 1 0 0 1 .5.5 0 0 0 0-1ZM12 11.500a.5.5 0 1 0 0 1 .5.5 0 0 0 0-1ZM18.500 11.500a.5.5 0 1 0 0 1 .5.5 0 0 0 0-1Z"
            }
            Self::Pin => "M9 4h6l-1 7 3 3H7l3-3ZM12 14v6",
            Self::Trash => "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5",
            Self::Edit => "M4 20h4L19 9l-4-4L4 16ZM13 7l4 4",
            Self::Copy => "M9 9h11v11H9ZM15 9V4H4v11h5",
            Self::Send => "M12 19V5M6 11l6-6 6 6",
            Self::Stop => "M6 6h12v12H6Z",
            Self::Play => "M8 5l11 7-11 7Z",
            Self::Pause => "M8 5v14M16 5v14",
            Self::Refresh => "M20 12a8 8 0 1 1-2.6-5.9M20 4v4h-4",
            Self::Undo => "M9 7L4 12l5 5M4 12h10a6 6 0 0 1 6 6",
            Self::Branch => "M7 4v16M7 16c0-5 10-3 10-9M17 7a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z",
            Self::Download => "M12 4v11M7 11l5 5 5-5M5 20h14",
            Self::Upload => "M12 16V5M7 9l5-5 5 5M5 20h14",
            Self::Link => "M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 6 6l1-1",
            Self::External => "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
            Self::Info => "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM12 11v5M12 8h.01",
            Self::Warning => "M12 4l9 16H3ZM12 10v4M12 17h.01",
            Self::Danger => "M8 3h8l5 5v8l-5 5H8l-5-5V8ZM12 8v5M12 16h.01",
            Self::Key => "M8 11a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM11 12l9-9M17 6l3 3M14 9l2 2",
            Self::Lock => "M6 11h12v9H6ZM8 11V8a4 4 0 0 1 8 0v3",
            Self::Shield => "M12 3l8 3v6c0 5-3.5 8-8 9-4.5-1-8-4-8-9V6ZM9 12l2 2 4-4",
            Self::Clock => "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM12 7v5l3 2",
            Self::Graph => {
                "M6 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM18 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM11 20a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM8 6.5l8 1M7 8l3.2 8M16.8 9.8L12.2 16.2"
            }
            Self::List => "M9 6h11M9 12h11M9 18h11M5 6h.01M5 12h.01M5 18h.01",
            Self::Person => "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM5 20c0-4 3-6 7-6s7 2 7 6",
            Self::Spark => "M12 4l1.8 6.2L20 12l-6.2 1.8L12 20l-1.8-6.2L4 12l6.2-1.8Z",
            Self::Question => {
                "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.6.3-1 .8-1 1.7M12 17h.01"
            }
            Self::Eye => "M3 12c3-5 6-7 9-7s6 2 9 7c-3 5-6 7-9 7s-6-2-9-7ZM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6Z",
            Self::Filter => "M4 6h16M7 12h10M10 18h4",
            Self::ZoomIn => "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM20 20l-4-4M11 8v6M8 11h6",
            Self::ZoomOut => "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM20 20l-4-4M8 11h6",
            Self::Fit => "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
            Self::Server => "M4 5h16v6H4ZM4 13h16v6H4ZM8 8h.01M8 16h.01",
            Self::Sun => {
                "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6L7 7M17 17l1.4 1.4M18.4 5.6L17 7M7 17l-1.4 1.4"
            }
            Self::Moon => "M20 14A8 8 0 1 1 10 4a6.5 6.5 0 0 0 10 10Z",
            Self::File => "M6 3h8l4 4v14H6ZM14 3v4h4",
            Self::Logo => {
                "M12 7v12M12 9C10 4 4 3 3 6c-1 4 3 7 9 7M12 9c2-5 8-6 9-3 1 4-3 7-9 7M12 13c-4 0-6 2-6 4.500 0 2.500 4 3.500 6-.500M12 13c4 0 6 2 6 4.500 0 2.500-4 3.500-6-.500M12 7l-2-3M12 7l2-3"
            }
        }
    }
}

/// Draws an icon. It is decoration: what it stands for is said by the text or the label beside it.
#[component]
pub fn Glyph(icon: Icon, #[props(default = 16)] size: u16) -> Element {
    rsx! {
        svg {
            class: "glyph",
            width: "{size}",
            height: "{size}",
            view_box: "0 0 24 24",
            fill: "none",
            stroke: "currentColor",
            stroke_width: "1.75",
            stroke_linecap: "round",
            stroke_linejoin: "round",
            "aria-hidden": "true",
            path { d: icon.path() }
        }
    }
}
