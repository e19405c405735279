//! The memory view: what was noted, found again, held to be true and linked.

pub mod dates;
pub mod facts;
pub mod forget;
pub mod graph;
pub mod loaded;
pub mod search;
pub mod sheet;
pub mod timeline;

use super::{Effect as Outer, System, frame};
use butterfly_api::memory::{FactsRequest, GraphRequest, ListRequest, SearchRequest};
use forget::Forgettable;

/// A tab.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    #[default]
    Search,
    Timeline,
    Facts,
    Graph,
}

impl Tab {
    pub const ALL: [Self; 4] = [Self::Search, Self::Timeline, Self::Facts, Self::Graph];

    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Timeline => "timeline",
            Self::Facts => "facts",
            Self::Graph => "graph",
        }
    }

    /// The tab of that id; the first where there is none.
    #[must_use]
    pub fn of(id: &str) -> Self {
        Self::ALL.into_iter().find(|tab| tab.id() == id).unwrap_or_default()
    }
}

/// The memory view.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct State {
    pub tab: Tab,
    pub search: search::State,
    pub timeline: timeline::State,
    pub facts: facts::State,
    pub graph: graph::State,
    pub sheet: sheet::State,
    /// Whether somebody looks at it.
    open: bool,
    /// Whether the bus is there.
    online: bool,
    /// Whether something was said since it was read.
    pub newer: bool,
    /// Tabs that show what was read before something changed, by their places.
    stale: [bool; 4],
}

/// What happens to the memory view.
#[derive(Debug, Clone)]
pub enum Event {
    /// The bus is there (again): whatever is shown is to be read anew.
    Connected,
    /// The bus is gone; what is known stays shown.
    Lost,
    /// Somebody looks at it, or no longer.
    Opened,
    Closed,
    Show(Tab),
    /// Bring the focus to the element with this id.
    Focus(&'static str),
    /// Read what is shown anew.
    Refresh,
    /// Something was said in a conversation.
    Said,
    /// Something was written here.
    Wrote,
    /// These were forgotten.
    Gone {
        passages: Vec<u64>,
        facts: Vec<u64>,
    },
    Search(search::Event),
    Timeline(timeline::Event),
    Facts(facts::Event),
    Graph(graph::Event),
    Sheet(sheet::Event),
}

/// What the memory view needs from outside.
#[derive(Debug, Clone)]
pub enum Effect {
    /// After a moment, in which nothing more may be typed, tell this.
    Later(Box<Event>),
    Search {
        request: u64,
        query: SearchRequest,
    },
    List {
        request: u64,
        list: ListRequest,
    },
    Facts {
        request: u64,
        facts: FactsRequest,
    },
    Graph {
        request: u64,
        graph: GraphRequest,
    },
    Details {
        request: u64,
        id: u64,
    },
    Source {
        request: u64,
        id: u64,
    },
    Write {
        request: u64,
        write: sheet::Write,
    },
    /// What would go, if it were forgotten?
    Preview {
        request: u64,
        what: Forgettable,
    },
    Forget {
        what: Forgettable,
    },
}

macro_rules! belongs {
    ($($Part:ident: $module:ident),* $(,)?) => { $(
        impl From<$module::Event> for super::Event {
            fn from(event: $module::Event) -> Self {
                Self::Memory(Event::$Part(event))
            }
        }
    )* };
}

belongs!(Search: search, Timeline: timeline, Facts: facts, Graph: graph, Sheet: sheet);

impl State {
    /// Changes the state by what happened, and says what is to be done.
    pub fn reduce(&mut self, event: Event) -> Vec<Outer> {
        match event {
            Event::Connected => {
                self.online = true;
                self.stale = [true; 4];
                return self.read_if_stale();
            }
            Event::Lost => {
                self.online = false;
                // Nothing that is under way will be answered.
                self.search.answer.cancel();
                self.timeline.passages.cancel();
                self.facts.facts.cancel();
                self.graph.picture.cancel();
            }
            Event::Opened => {
                self.open = true;
                return self.read_if_stale();
            }
            Event::Closed => self.open = false,
            Event::Show(tab) => {
                self.tab = tab;
                return self.read_if_stale();
            }
            Event::Focus(id) => return vec![Outer::System(System::Focus(id.into()))],
            Event::Refresh => {
                self.stale = [true; 4];
                return self.read_if_stale();
            }
            Event::Said => {
                self.stale = [true; 4];
                self.newer = true;
            }
            Event::Wrote => {
                self.stale = [true; 4];
                return self.read_if_stale();
            }
            Event::Gone { passages, facts } => {
                self.search.without(&passages);
                self.timeline.without(&passages);
                self.facts.without(&facts);
                self.stale = [true; 4];
                // Passages are right already. The graph is linked anew, and what a fact had ended holds again.
                self.stale[self.tab as usize] = matches!(self.tab, Tab::Graph | Tab::Facts);
                return self.read_if_stale();
            }
            Event::Search(event) => return self.search.reduce(event),
            Event::Timeline(event) => return self.timeline.reduce(event),
            Event::Facts(event) => return self.facts.reduce(event),
            Event::Graph(event) => return self.graph.reduce(event),
            Event::Sheet(event) => return self.sheet.reduce(event),
        }
        Vec::new()
    }

    /// Reads what is looked at, if it was never read or has changed since.
    fn read_if_stale(&mut self) -> Vec<Outer> {
        if !self.open || !self.online || !std::mem::take(&mut self.stale[self.tab as usize]) {
            return Vec::new();
        }
        self.newer = false;
        match self.tab {
            Tab::Search => self.search.read(),
            Tab::Timeline => self.timeline.read(),
            Tab::Facts => self.facts.read(),
            Tab::Graph => vec![Outer::Memory(self.graph.read())],
        }
    }
}

/// Shows a tab of the memory view, with the focus where one begins.
#[must_use]
pub fn show(tab: Tab) -> Vec<super::Event> {
    let focus = match tab {
        Tab::Search => Some("memory-query"),
        Tab::Timeline => None,
        Tab::Facts => Some("facts-find"),
        Tab::Graph => None,
    };
    let mut events = vec![frame::Event::Show("memory").into(), Event::Show(tab).into()];
    events.extend(focus.map(|id| Event::Focus(id).into()));
    events
}

#[cfg(test)]
#[path = "memory/tests.rs"]
mod tests;
