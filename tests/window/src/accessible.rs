//! The accessibility bus: reading all that a process shows, and where on the screen it is (AT-SPI 2).

use crate::tree::{Node, States, Tree};
use anyhow::Context;
use futures::StreamExt;
use futures::future::{join, join5};
use futures::stream;
use std::collections::HashMap;
use zbus::Connection;
use zbus::zvariant::{DynamicType, OwnedObjectPath, OwnedValue};

const ACCESSIBLE: &str = "org.a11y.atspi.Accessible";
const COMPONENT: &str = "org.a11y.atspi.Component";
const TEXT: &str = "org.a11y.atspi.Text";

/// Coordinates of the whole screen (ATSPI_COORD_TYPE_SCREEN).
const SCREEN: u32 = 0;

/// Anywhere in sight (ATSPI_SCROLL_ANYWHERE).
const ANYWHERE: u32 = 6;

/// Names of the roles, by their numbers (AtspiRole). They are known here, as to every screen reader: WebKitGTK 2.50 ends the
/// page's process when it is asked for the name of a table head's role.
#[rustfmt::skip]
const ROLES: [&str; 129] = [
    "invalid", "accelerator label", "alert", "animation", "arrow", "calendar", "canvas", "check box",
    "check menu item", "color chooser", "column header", "combo box", "date editor", "desktop icon", "desktop frame",
    "dial", "dialog", "directory pane", "drawing area", "file chooser", "filler", "focus traversable",
    "font chooser", "frame", "glass pane", "html container", "icon", "image", "internal frame", "label",
    "layered pane", "list", "list item", "menu", "menu bar", "menu item", "option pane", "page tab", "page tab list",
    "panel", "password text", "popup menu", "progress bar", "push button", "radio button", "radio menu item",
    "root pane", "row header", "scroll bar", "scroll pane", "separator", "slider", "spin button", "split pane",
    "status bar", "table", "table cell", "table column header", "table row header", "tear off menu item", "terminal",
    "text", "toggle button", "tool bar", "tool tip", "tree", "tree table", "unknown", "viewport", "window",
    "extended", "header", "footer", "paragraph", "ruler", "application", "autocomplete", "editbar", "embedded",
    "entry", "chart", "caption", "document frame", "heading", "page", "section", "redundant object", "form", "link",
    "input method window", "table row", "tree item", "document spreadsheet", "document presentation",
    "document text", "document web", "document email", "comment", "list box", "grouping", "image map",
    "notification", "info bar", "level bar", "title bar", "block quote", "audio", "video", "definition", "article",
    "landmark", "log", "marquee", "math", "rating", "timer", "static", "math fraction", "math root", "subscript",
    "superscript", "description list", "description term", "description value", "footnote", "content deletion",
    "content insertion", "mark", "suggestion",
];

/// A tree that is deeper has a loop in it.
const DEPTH: usize = 200;

/// Objects of a level that are asked for at once, so that the page comes to draw in between.
const AT_ONCE: usize = 24;

/// One object of a process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Object {
    /// The process, by its name on the bus.
    owner: String,
    path: OwnedObjectPath,
}

impl Object {
    fn is_there(&self) -> bool {
        self.path.as_str() != "/org/a11y/atspi/null"
    }
}

/// A rectangle on the screen in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub x: i32,
    pub y: i32,
    pub width: i32,
    pub height: i32,
}

impl Place {
    #[must_use]
    pub const fn centre(self) -> (i32, i32) {
        (self.x + self.width / 2, self.y + self.height / 2)
    }

    /// Whether one of them covers a part of the other.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }

    /// Whether its centre is on the screen.
    #[must_use]
    pub fn is_seen(self) -> bool {
        let (x, y) = self.centre();
        let (width, height) = crate::stage::SIZE;
        self.width > 0 && self.height > 0 && (0..width as i32).contains(&x) && (0..height as i32).contains(&y)
    }
}

async fn call<A, R>(bus: &Connection, object: &Object, interface: &str, method: &str, arguments: &A) -> zbus::Result<R>
where
    A: serde::Serialize + DynamicType,
    R: for<'d> zbus::zvariant::DynamicDeserialize<'d>,
{
    let reply = bus.call_method(Some(object.owner.as_str()), &object.path, Some(interface), method, arguments).await?;
    reply.body().deserialize()
}

/// What the process of this id shows; `None` as long as it shows nothing.
///
/// # Errors
/// Where the bus is gone.
pub async fn read(bus: &Connection, pid: u32) -> anyhow::Result<Option<Tree>> {
    let root = Object {
        owner: "org.a11y.atspi.Registry".to_owned(),
        path: OwnedObjectPath::try_from("/org/a11y/atspi/accessible/root")?,
    };
    let daemon = zbus::fdo::DBusProxy::new(bus).await?;
    for application in children(bus, &root).await.context("the registry of at-spi2-core does not answer")? {
        let name = zbus::names::BusName::try_from(application.owner.as_str())?.into_owned();
        if daemon.get_connection_unix_process_id(name).await.ok() == Some(pid) {
            return Ok(Some(whole(bus, application).await));
        }
    }
    Ok(None)
}

/// Reads a whole tree, one level after the other. What goes away meanwhile is left out, and the tree says so.
async fn whole(bus: &Connection, root: Object) -> Tree {
    let mut tree = Tree::default();
    let mut level = vec![(None, root)];
    for _ in 0..DEPTH {
        let asked = level.iter().map(|(_, object)| node(bus, object));
        let read: Vec<_> = stream::iter(asked).buffered(AT_ONCE).collect().await;
        let mut next = Vec::new();
        for ((parent, object), read) in level.into_iter().zip(read) {
            match read {
                Ok((node, children)) => {
                    let at = tree.push(parent, Node { object: Some(object), ..node });
                    next.extend(children.into_iter().map(|child| (Some(at), child)));
                }
                Err(_) => tree.is_whole = false,
            }
        }
        if next.is_empty() {
            break;
        }
        level = next;
    }
    tree
}

async fn children(bus: &Connection, object: &Object) -> zbus::Result<Vec<Object>> {
    let children: Vec<(String, OwnedObjectPath)> = call(bus, object, ACCESSIBLE, "GetChildren", &()).await?;
    Ok(children.into_iter().map(|(owner, path)| Object { owner, path }).filter(Object::is_there).collect())
}

/// The page inside of the webview, which another process shows: the toolkit names it only to who asks for the first child.
async fn embedded(bus: &Connection, object: &Object) -> zbus::Result<Option<Object>> {
    let ((owner, path),): ((String, OwnedObjectPath),) =
        call(bus, object, ACCESSIBLE, "GetChildAtIndex", &0_i32).await?;
    Ok(Some(Object { owner, path }).filter(Object::is_there))
}

/// The role's name, for what has no role of ARIA.
async fn role(bus: &Connection, object: &Object) -> zbus::Result<String> {
    let number: u32 = call(bus, object, ACCESSIBLE, "GetRole", &()).await?;
    let name = usize::try_from(number).ok().and_then(|at| ROLES.get(at));
    Ok(name.map_or_else(|| format!("role {number}"), |name| (*name).to_owned()))
}

async fn name(bus: &Connection, object: &Object) -> zbus::Result<String> {
    let arguments = (ACCESSIBLE, "Name");
    let value: OwnedValue = call(bus, object, "org.freedesktop.DBus.Properties", "Get", &arguments).await?;
    Ok(String::try_from(value)?)
}

/// What is written in it; not everything has text.
async fn text(bus: &Connection, object: &Object) -> zbus::Result<Option<String>> {
    let interfaces: Vec<String> = call(bus, object, ACCESSIBLE, "GetInterfaces", &()).await?;
    if !interfaces.iter().any(|interface| interface == TEXT) {
        return Ok(None);
    }
    call(bus, object, TEXT, "GetText", &(0_i32, -1_i32)).await.map(Some)
}

async fn node(bus: &Connection, object: &Object) -> zbus::Result<(Node, Vec<Object>)> {
    let (told, text) = join(
        join5(
            children(bus, object),
            name(bus, object),
            role(bus, object),
            call::<_, Vec<u32>>(bus, object, ACCESSIBLE, "GetState", &()),
            call::<_, HashMap<String, String>>(bus, object, ACCESSIBLE, "GetAttributes", &()),
        ),
        text(bus, object),
    )
    .await;
    let (children, name, role, states, attributes) = told;
    let mut attributes = attributes.unwrap_or_default();
    // What the page says goes before what the toolkit makes of it.
    let role = match attributes.remove("computed-role") {
        Some(role) if !role.is_empty() => role,
        _ => role?,
    };
    let mut children = children?;
    if children.is_empty() && role == "filler" {
        children.extend(embedded(bus, object).await?);
    }
    let node = Node {
        role,
        name: name?,
        text: text?,
        id: attributes.remove("id").unwrap_or_default(),
        states: States::of(&states?),
        attributes,
        ..Node::default()
    };
    Ok((node, children))
}

/// Where an object is on the screen.
///
/// # Errors
/// Where it is gone, or nowhere.
pub async fn place(bus: &Connection, object: &Object) -> anyhow::Result<Place> {
    let ((x, y, width, height),) = call(bus, object, COMPONENT, "GetExtents", &SCREEN).await?;
    Ok(Place { x, y, width, height })
}

/// Scrolls until an object can be seen, as one does before one points at it.
///
/// # Errors
/// Where it is gone.
pub async fn scroll_to(bus: &Connection, object: &Object) -> anyhow::Result<()> {
    let _: bool = call(bus, object, COMPONENT, "ScrollTo", &ANYWHERE).await?;
    Ok(())
}
