//! The turn that is looked at: read once out of the kernel's ring, and then grown by what is routed.

use super::names::Names;
use super::turn::{self, Turn};
use butterfly_wire::Header;
use butterfly_wire::control::{TraceRecords, Traced};

/// Records of one turn that are kept: a long answer has more, and its tree does not need them.
const KEPT: usize = 20_000;

/// A turn that is looked at.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct OpenTurn {
    /// `None`: the newest conversation turn, once it is known which that is.
    pub trace: Option<u64>,
    pub is_loading: bool,
    pub failed: Option<String>,
    pub tree: Option<Turn>,
    records: Vec<Traced>,
}

impl OpenTurn {
    /// One that is being read; offline there is nobody to read it from.
    #[must_use]
    pub fn of(trace: Option<u64>, is_online: bool) -> Self {
        let failed =
            (!is_online).then(|| "There is no connection to the kernel, which remembers the turns.".to_owned());
        Self { trace, is_loading: is_online, failed, ..Self::default() }
    }

    /// The kernel's records came, or could not be read. An answer to an earlier question is dropped.
    pub fn read(&mut self, asked: Option<u64>, records: Result<TraceRecords, String>, names: &mut Names) {
        if !self.is_loading || self.trace != asked {
            return;
        }
        self.is_loading = false;
        let records = match records {
            Ok(records) => records,
            Err(why) => return self.failed = Some(why),
        };
        names.learn(&records.names);
        let Some(trace) = asked.or_else(|| turn::last(&records.records)) else {
            self.failed = Some("No conversation turn is remembered; say something in the chat first.".to_owned());
            return;
        };
        self.trace = Some(trace);
        self.tree = turn::build(&records.records, trace, names);
        self.records = records.records.into_iter().filter(|record| is_of(record, trace)).collect();
        if self.tree.is_none() {
            self.failed =
                Some(format!("Nothing is remembered of trace {trace}; the kernel keeps only the newest messages."));
        }
    }

    /// Messages as they are routed: those of this turn are added.
    pub fn grow(&mut self, records: &[Traced], names: &Names) {
        let Some(trace) = self.trace.filter(|_| !self.is_loading) else { return };
        let newest = self.records.iter().map(|record| record.at_us).max().unwrap_or(0);
        let is_new = |record: &Traced| record.at_us > newest || !self.records.contains(record);
        let room = KEPT.saturating_sub(self.records.len());
        let fresh: Vec<_> =
            records.iter().filter(|record| is_of(record, trace) && is_new(record)).take(room).copied().collect();
        if !fresh.is_empty() {
            self.records.extend(fresh);
            self.tree = turn::build(&self.records, trace, names);
            self.failed = None;
        }
    }
}

fn is_of(record: &Traced, trace: u64) -> bool {
    Header::from_bytes(&record.header).is_ok_and(|header| header.trace == trace)
}
