//! Endpoint to name.

use butterfly_wire::EndpointId;
use butterfly_wire::control::Status;
use std::collections::HashMap;
use std::sync::Arc;

/// The names that were heard of. Bounded by the kernel's slots: one name for each.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Names {
    slots: HashMap<u32, (u32, Arc<str>)>,
}

impl Names {
    /// Learns the names of a batch of records.
    pub fn learn(&mut self, names: &[(EndpointId, String)]) {
        for (endpoint, name) in names {
            self.put(*endpoint, name);
        }
    }

    /// Learns the names of the table.
    pub fn learn_status(&mut self, status: &Status) {
        for worker in &status.workers {
            self.put(worker.endpoint, &worker.name);
        }
    }

    fn put(&mut self, endpoint: EndpointId, name: &str) {
        let known = self.slots.get(&endpoint.slot);
        if known.is_none_or(|(generation, known)| *generation != endpoint.generation || **known != *name) {
            self.slots.insert(endpoint.slot, (endpoint.generation, Arc::from(name)));
        }
    }

    /// The name; of one that is gone, its number after the name of who has its slot.
    #[must_use]
    pub fn of(&self, endpoint: EndpointId) -> Arc<str> {
        match self.slots.get(&endpoint.slot) {
            Some((generation, name)) if *generation == endpoint.generation => Arc::clone(name),
            _ if endpoint == EndpointId::KERNEL => Arc::from("kernel"),
            _ if endpoint.is_any() => Arc::from("any"),
            Some((_, name)) => {
                // A client's name ends with its number, a worker's is that of all who have its slot.
                let role = name.split_once('#').map_or(&**name, |(role, _)| role);
                Arc::from(format!("{role}#{endpoint}"))
            }
            None => Arc::from(format!("#{endpoint}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_gone_is_named_after_its_slot() {
        let mut names = Names::default();
        names.learn(&[(EndpointId::new(2, 1), "model".into()), (EndpointId::new(4, 9), "client#4.9".into())]);
        let of = |slot, generation| names.of(EndpointId::new(slot, generation)).to_string();
        assert_eq!([of(2, 1), of(2, 7), of(4, 8), of(5, 1)], ["model", "model#2.7", "client#4.8", "#5.1"]);
        assert_eq!(&*names.of(EndpointId::KERNEL), "kernel");
        assert_eq!(&*names.of(EndpointId::ANY), "any");
    }
}
