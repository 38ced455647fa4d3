//! Several connections that are one to the user: it is up when all of them are.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use super::link_events::{LinkEvents, LinkStatus};
use crate::event_loop::LinkState;

/// One connection of a fleet.
#[derive(Default)]
struct Part {
    // `None` while it is not up.
    status: Option<LinkStatus>,
    // Where it leads while it is open.
    endpoint: Option<String>,
}

type Parts = HashMap<u64, Part>;

/// The connections of a fleet, by their numbers.
#[derive(Default)]
pub(super) struct Fleet(Mutex<Parts>);

impl Fleet {
    /// A connection is there, and not up.
    pub(super) fn joins(&self, number: u64) {
        self.change(|all| {
            all.entry(number).or_default();
        });
    }

    /// A connection is open to `endpoint`; `link` leads there, too.
    pub(super) fn opened(&self, number: u64, endpoint: &str, link: &LinkState) {
        self.change(|all| {
            if let Some(part) = all.get_mut(&number) {
                part.endpoint = Some(endpoint.to_owned());
                link.set_server(endpoints(all));
            }
        });
    }

    /// A connection has another status. The status of all of them, if they are up.
    pub(super) fn status(&self, number: u64, status: LinkStatus) -> Option<LinkStatus> {
        self.change(|all| {
            all.get_mut(&number)?.status = Some(status);
            worst(all)
        })
    }

    /// A connection is lost. Where it led, if all were up until then.
    pub(super) fn lost(&self, number: u64) -> Option<String> {
        self.change(|all| {
            let were_up = all.values().all(|part| part.status.is_some());
            let lost = all.insert(number, Part::default());
            were_up.then(|| lost.and_then(|part| part.endpoint).unwrap_or_default())
        })
    }

    /// A connection is not wanted any more; the others may all be up.
    pub(super) fn left(&self, number: u64, link: &LinkEvents) {
        let status = self.change(|all| {
            let was_down = all.remove(&number).is_some_and(|part| part.status.is_none());
            link.state().set_server(endpoints(all));
            worst(all).filter(|_| was_down && !all.is_empty())
        });
        if let Some(status) = status {
            link.status(status);
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Parts) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Where the connections lead that are open, with `, ` between them.
fn endpoints(all: &Parts) -> String {
    let distinct: BTreeSet<_> = all.values().filter_map(|part| part.endpoint.as_deref()).collect();
    distinct.into_iter().collect::<Vec<_>>().join(", ")
}

fn worst(all: &Parts) -> Option<LinkStatus> {
    let rank = |status: &LinkStatus| match status {
        LinkStatus::Connected => 0,
        LinkStatus::Degraded => 1,
        LinkStatus::Stalled => 2,
    };
    let statuses: Option<Vec<LinkStatus>> = all.values().map(|part| part.status).collect();
    statuses?.into_iter().max_by_key(rank)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Fleet, LinkState, LinkStatus};
    use crate::event_loop::ConnectionState;

    #[test]
    fn is_up_when_all_are_and_as_well_as_the_worst_of_them() {
        let fleet = Fleet::default();
        fleet.joins(1);
        fleet.joins(2);
        assert_eq!(fleet.status(1, LinkStatus::Connected), None);
        assert_eq!(fleet.status(2, LinkStatus::Stalled), Some(LinkStatus::Stalled));
        assert_eq!(fleet.status(2, LinkStatus::Connected), Some(LinkStatus::Connected));
        assert!(fleet.lost(1).is_some());
        assert_eq!(fleet.lost(2), None, "the fleet was lost before");
        assert_eq!(fleet.status(1, LinkStatus::Connected), None);
    }

    #[test]
    fn leads_to_where_its_connections_lead_and_tells_which_one_is_lost() {
        let (fleet, link) = (Fleet::default(), LinkState::default());
        link.set_place("cluster".to_owned());
        for (number, endpoint) in [(1, "b:1"), (2, "a:1"), (3, "b:1")] {
            fleet.joins(number);
            fleet.opened(number, endpoint, &link);
            fleet.status(number, LinkStatus::Connected);
        }
        assert_eq!(link.endpoint(), "cluster");
        link.change(ConnectionState::Connected);
        assert_eq!(link.endpoint(), "a:1, b:1");
        // An attempt that comes to its end behind its connection's.
        fleet.opened(4, "c:1", &link);
        assert_eq!(fleet.status(4, LinkStatus::Stalled), None);
        assert_eq!(link.endpoint(), "a:1, b:1");
        assert_eq!(fleet.lost(1).as_deref(), Some("b:1"));
        link.change(ConnectionState::Reconnecting);
        assert_eq!(link.endpoint(), "cluster");
        fleet.opened(1, "c:1", &link);
        link.change(ConnectionState::Connected);
        assert_eq!(link.endpoint(), "a:1, b:1, c:1");
    }
}
