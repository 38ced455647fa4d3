//! Several connections that are one to the user: it is up when all of them are.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::event_sink::{LinkEvents, LinkStatus};

/// How the connections of a fleet are, by their numbers; `None` while one is not up.
#[derive(Default)]
pub(super) struct Fleet(Mutex<HashMap<u64, Option<LinkStatus>>>);

impl Fleet {
    /// A connection is there, and not up.
    pub(super) fn joins(&self, number: u64) {
        self.change(|all| {
            all.entry(number).or_default();
        });
    }

    /// A connection has another status. The status of all of them, if they are up.
    pub(super) fn status(&self, number: u64, status: LinkStatus) -> Option<LinkStatus> {
        self.change(|all| {
            all.insert(number, Some(status));
            worst(all)
        })
    }

    /// A connection is lost. Whether all were up until then.
    pub(super) fn lost(&self, number: u64) -> bool {
        self.change(|all| {
            let were_up = all.values().all(Option::is_some);
            all.insert(number, None);
            were_up
        })
    }

    /// A connection is not wanted any more; the others may all be up.
    pub(super) fn left(&self, number: u64, link: &LinkEvents) {
        let status = self.change(|all| {
            let was_down = matches!(all.remove(&number), Some(None));
            worst(all).filter(|_| was_down && !all.is_empty())
        });
        if let Some(status) = status {
            link.status(status);
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut HashMap<u64, Option<LinkStatus>>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn worst(all: &HashMap<u64, Option<LinkStatus>>) -> Option<LinkStatus> {
    let rank = |status: &LinkStatus| match status {
        LinkStatus::Connected => 0,
        LinkStatus::Degraded => 1,
        LinkStatus::Stalled => 2,
    };
    let statuses: Option<Vec<LinkStatus>> = all.values().copied().collect();
    statuses?.into_iter().max_by_key(rank)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Fleet, LinkStatus};

    #[test]
    fn is_up_when_all_are_and_as_well_as_the_worst_of_them() {
        let fleet = Fleet::default();
        fleet.joins(1);
        fleet.joins(2);
        assert_eq!(fleet.status(1, LinkStatus::Connected), None);
        assert_eq!(fleet.status(2, LinkStatus::Stalled), Some(LinkStatus::Stalled));
        assert_eq!(fleet.status(2, LinkStatus::Connected), Some(LinkStatus::Connected));
        assert!(fleet.lost(1));
        assert!(!fleet.lost(2), "the fleet was lost before");
        assert_eq!(fleet.status(1, LinkStatus::Connected), None);
    }
}
