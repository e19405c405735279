//! What a window shows at a moment: a tree of objects with roles, names and states, as a screen reader is told it.

use crate::accessible::Object;
use std::collections::HashMap;
use std::fmt::{self, Write};

/// Stands in a text for an object inside of it (U+FFFC OBJECT REPLACEMENT CHARACTER).
const OBJECT: char = '\u{fffc}';

/// What an object is like, as AtspiStateType numbers it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct States(u64);

macro_rules! states {
    ($($method:ident $word:literal $bit:literal),* $(,)?) => {
        impl States {
            $(
                #[must_use]
                pub const fn $method(self) -> bool {
                    self.0 & (1 << $bit) != 0
                }
            )*

            fn words(self) -> impl Iterator<Item = &'static str> {
                [$(($word, $bit)),*].into_iter().filter(move |(_, bit)| self.0 & (1_u64 << bit) != 0).map(|(word, _)| word)
            }
        }
    };
}

states! {
    is_active "active" 1,
    is_busy "busy" 3,
    is_checked "checked" 4,
    is_enabled "enabled" 8,
    is_expanded "expanded" 10,
    is_focusable "focusable" 11,
    is_focused "focused" 12,
    is_pressed "pressed" 20,
    is_selected "selected" 23,
    is_showing "showing" 25,
    is_visible "visible" 30,
}

impl States {
    /// From the two halves in which they travel.
    #[must_use]
    pub fn of(halves: &[u32]) -> Self {
        let half = |at: usize| u64::from(halves.get(at).copied().unwrap_or_default());
        Self(half(0) | half(1) << 32)
    }
}

/// One object.
#[derive(Debug, Default, Clone)]
pub struct Node {
    /// Its ARIA role, such as `button`; outside of the page the toolkit's, such as `frame`.
    pub role: String,
    /// What it is called.
    pub name: String,
    /// What is written in it; objects inside are one replacement character each.
    pub text: Option<String>,
    /// The element's id in the page; empty where it has none.
    pub id: String,
    pub states: States,
    pub attributes: HashMap<String, String>,
    pub(crate) object: Option<Object>,
    pub(crate) parent: Option<usize>,
    pub(crate) children: Vec<usize>,
}

/// All of them.
#[derive(Debug, Clone)]
pub struct Tree {
    nodes: Vec<Node>,
    /// Whether nothing went away while it was read. Only of a whole tree one can say what it has not.
    pub is_whole: bool,
}

impl Default for Tree {
    fn default() -> Self {
        Self { nodes: Vec::new(), is_whole: true }
    }
}

/// A node at its place.
#[derive(Clone, Copy)]
pub struct Branch<'a> {
    tree: &'a Tree,
    at: usize,
}

impl std::ops::Deref for Branch<'_> {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.tree.nodes[self.at]
    }
}

impl Tree {
    /// Adds a node below another one, and returns its place.
    pub fn push(&mut self, parent: Option<usize>, node: Node) -> usize {
        let at = self.nodes.len();
        self.nodes.push(Node { parent, children: Vec::new(), ..node });
        if let Some(parent) = parent {
            self.nodes[parent].children.push(at);
        }
        at
    }

    /// The application itself.
    #[must_use]
    pub fn root(&self) -> Option<Branch<'_>> {
        (!self.nodes.is_empty()).then_some(Branch { tree: self, at: 0 })
    }

    /// Every node, an outer one before those in it.
    pub fn all(&self) -> impl Iterator<Item = Branch<'_>> {
        self.root().into_iter().flat_map(Branch::all)
    }

    /// The element with this id.
    #[must_use]
    pub fn id(&self, id: &str) -> Option<Branch<'_>> {
        self.all().find(|node| node.id == id)
    }

    /// The first one of this role and name.
    #[must_use]
    pub fn find(&self, role: &str, name: &str) -> Option<Branch<'_>> {
        self.all().find(|node| node.role == role && node.name == name)
    }

    /// The first button of this name that can be pressed.
    #[must_use]
    pub fn button(&self, name: &str) -> Option<Branch<'_>> {
        self.all().find(|node| node.role == "button" && node.name == name && node.states.is_enabled())
    }

    /// The page, without the window around it.
    #[must_use]
    pub fn page(&self) -> Option<Branch<'_>> {
        self.all().find(|node| node.role == "document web" || node.role == "document")
    }

    /// The element that gets the keys.
    #[must_use]
    pub fn focused(&self) -> Option<Branch<'_>> {
        self.page()?.all().filter(|node| node.states.is_focused()).last()
    }

    /// Whether these words stand anywhere in the page.
    #[must_use]
    pub fn shows(&self, words: &str) -> bool {
        self.page().is_some_and(|page| page.shows(words))
    }
}

impl<'a> Branch<'a> {
    /// It and every node in it, an outer one before those in it.
    pub fn all(self) -> impl Iterator<Item = Branch<'a>> {
        let mut waiting = vec![self];
        std::iter::from_fn(move || {
            let next = waiting.pop()?;
            waiting.extend(next.tree.nodes[next.at].children.iter().rev().map(|at| Branch { at: *at, ..next }));
            Some(next)
        })
    }

    /// The nodes right in it.
    pub fn children(self) -> impl Iterator<Item = Branch<'a>> {
        self.tree.nodes[self.at].children.iter().map(move |at| Branch { at: *at, ..self })
    }

    /// The node that it is in.
    #[must_use]
    pub fn parent(self) -> Option<Branch<'a>> {
        self.tree.nodes[self.at].parent.map(|at| Branch { at, ..self })
    }

    /// The first one in it of this role and name.
    #[must_use]
    pub fn find(self, role: &str, name: &str) -> Option<Branch<'a>> {
        self.all().find(|node| node.role == role && node.name == name)
    }

    /// All that is written in it, in reading order.
    #[must_use]
    pub fn words(self) -> String {
        self.read(true)
    }

    /// As [`Self::words`], without the names of the buttons in it.
    #[must_use]
    pub fn prose(self) -> String {
        self.read(false)
    }

    fn read(self, buttons: bool) -> String {
        let mut out = String::new();
        self.write_words(&mut out, buttons);
        out.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn write_words(self, out: &mut String, buttons: bool) {
        let node = &self.tree.nodes[self.at];
        if node.role == "button" && !buttons {
            return;
        }
        let mut inner = self.children();
        match node.text.as_deref() {
            Some(text) if !text.is_empty() => {
                let mut before = None;
                for letter in text.chars() {
                    match letter {
                        OBJECT => {
                            // What stands side by side are blocks; what stands in a sentence belongs to it.
                            if before == Some(OBJECT) {
                                out.push(' ');
                            }
                            if let Some(child) = inner.next() {
                                child.write_words(out, buttons);
                            }
                        }
                        letter => out.push(letter),
                    }
                    before = Some(letter);
                }
            }
            // A button and a picture have a name and no text.
            _ if node.children.is_empty() => out.push_str(&node.name),
            _ => {}
        }
        for child in inner {
            out.push(' ');
            child.write_words(out, buttons);
        }
    }

    /// Whether these words stand in it.
    #[must_use]
    pub fn shows(self, words: &str) -> bool {
        self.words().contains(words)
    }

    /// What it is on the bus, to point at it.
    #[must_use]
    pub fn object(self) -> Option<Object> {
        self.tree.nodes[self.at].object.clone()
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(root) = self.root() else { return out.write_str("(nothing is shown)") };
        let mut waiting = vec![(0, root)];
        while let Some((depth, node)) = waiting.pop() {
            let mut line = format!("{:width$}{}", "", node.role, width = depth * 2);
            if !node.id.is_empty() {
                write!(line, " #{}", node.id)?;
            }
            if !node.name.is_empty() {
                write!(line, " {:?}", node.name)?;
            }
            if let Some(text) =
                node.text.as_deref().filter(|text| !text.trim_matches(OBJECT).is_empty() && *text != node.name)
            {
                write!(line, " = {text:?}")?;
            }
            let states: Vec<_> = node
                .states
                .words()
                .filter(|word| !["enabled", "visible", "showing", "focusable"].contains(word))
                .collect();
            if !states.is_empty() {
                write!(line, " [{}]", states.join(", "))?;
            }
            writeln!(out, "{line}")?;
            let children: Vec<_> = node.children().collect();
            waiting.extend(children.into_iter().rev().map(|child| (depth + 1, child)));
        }
        if self.is_whole { Ok(()) } else { out.write_str("(something went away while this was read)\n") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(role: &str, name: &str, text: Option<&str>) -> Node {
        Node { role: role.into(), name: name.into(), text: text.map(str::to_owned), ..Node::default() }
    }

    fn sample() -> Tree {
        let mut tree = Tree::default();
        let application = tree.push(None, node("application", "app", None));
        let page = tree.push(Some(application), node("document web", "Page", None));
        let paragraph = tree.push(Some(page), node("paragraph", "", Some("see \u{fffc} and \u{fffc}!")));
        tree.push(Some(paragraph), node("link", "here", Some("here")));
        tree.push(Some(paragraph), node("button", "Go", None));
        tree.push(Some(page), Node { states: States::of(&[1 << 8 | 1 << 12, 0]), ..node("button", "Start it", None) });
        tree
    }

    #[test]
    fn words_stand_in_reading_order() {
        let tree = sample();
        assert_eq!(tree.page().unwrap().words(), "see here and Go! Start it");
        assert_eq!(tree.page().unwrap().prose(), "see here and !");
        assert!(tree.shows("here and") && !tree.shows("app"));
    }

    #[test]
    fn only_a_button_that_can_be_pressed_is_one() {
        let tree = sample();
        assert!(tree.button("Start it").is_some());
        assert!(tree.button("Go").is_none(), "it is not enabled");
        assert_eq!(tree.focused().unwrap().name, "Start it");
    }

    #[test]
    fn a_tree_is_written_so_that_one_can_see_what_was_missed() {
        let text = sample().to_string();
        assert!(text.contains("    paragraph = \"see \u{fffc} and \u{fffc}!\"\n      link \"here\"\n"), "{text}");
        assert!(text.contains("button \"Start it\" [focused]"), "{text}");
    }

    #[test]
    fn both_halves_of_the_states_are_read() {
        assert!(States::of(&[1 << 25, 0]).is_showing());
        assert_eq!(States::of(&[0, 1]).0, 1 << 32);
        assert_eq!(States::of(&[]), States::default());
    }
}
