//! The order of requests in a slot.

use std::sync::Weak;

use tokio::time::Instant;

use super::Router;
use crate::connection::{Address, Cluster};

/// What is under way in a slot.
#[derive(Default)]
pub(super) struct Slot {
    // In the lobby, or on the way from there to an outbox.
    pub(super) waiting: usize,
    // With this node, or on the way to the lobby.
    pub(super) under_way: usize,
    pub(super) node: Option<Address>,
    // Nothing leaves the lobby for it before this.
    pub(super) paused: Option<Instant>,
    // Whether there is to be a pause once nothing is under way.
    pub(super) has_moved: bool,
    // Whether its node has put the last one off: until it does one, nothing else is sent.
    pub(super) is_put_off: bool,
}

/// A request's place among those of its slot, until it is dropped.
pub struct Lane {
    pub(super) router: Weak<Router>,
    pub(super) slot: u16,
    // Its number among all requests.
    pub(super) number: u64,
    pub(super) stage: Stage,
    // Where it is sent this once.
    pub(super) asks: Option<Address>,
    // How often it was redirected.
    pub(super) redirected: u32,
    // Whether it left its node undone.
    pub(super) is_back: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Waiting,
    UnderWay,
    // At a node that is asked this once: what comes later is redirected there too, behind it.
    Asking,
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lane")
            .field("slot", &self.slot)
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

impl Lane {
    /// Its number, where it waits for a node.
    pub fn waiting_number(&self) -> Option<u64> {
        (self.stage == Stage::Waiting).then_some(self.number)
    }

    /// One that waits, of no router.
    #[cfg(test)]
    pub fn waiting(number: u64) -> Self {
        let (slot, stage, asks, redirected, is_back) = (0, Stage::Waiting, None, 0, false);
        Self { router: Weak::new(), slot, number, stage, asks, redirected, is_back }
    }

    /// Whether its command is to be preceded by `ASKING`.
    pub fn is_asking(&self) -> bool {
        self.stage == Stage::Asking
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        if let Some(router) = self.router.upgrade() {
            router.leave(self);
        }
    }
}

impl Slot {
    pub(super) fn is_paused(&self, now: Instant) -> bool {
        self.paused.is_some_and(|until| until > now)
    }

    /// How many of its requests may be sent to its owner now.
    pub(super) fn allowed(&self, owner: Option<&Address>, now: Instant) -> usize {
        let is_first = self.under_way == 0;
        // What goes before them is answered, or with the same node.
        if owner.is_none() || self.is_paused(now) || !is_first && self.node.as_ref() != owner {
            0
        } else if self.is_put_off {
            usize::from(is_first)
        } else {
            usize::MAX
        }
    }

    /// What its old owner has taken may still be on its way over the bus.
    pub(super) fn pause_if_idle(&mut self, now: Instant) {
        if self.has_moved && self.under_way == 0 {
            self.has_moved = false;
            self.paused = Some(now + Cluster::BUS);
        }
    }

    pub(super) fn enter(&mut self, stage: Stage, node: Option<&Address>) {
        match stage {
            Stage::Waiting => self.waiting += 1,
            Stage::UnderWay => {
                self.under_way += 1;
                self.node = node.cloned();
            }
            Stage::Asking => {}
        }
    }

    pub(super) const fn leave(&mut self, stage: Stage, is_back: bool) {
        match stage {
            Stage::Waiting => self.waiting = self.waiting.saturating_sub(1),
            Stage::UnderWay => self.under_way = self.under_way.saturating_sub(1),
            Stage::Asking => {}
        }
        self.is_put_off &= is_back || matches!(stage, Stage::Waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, Instant, Slot, Stage};

    #[test]
    fn one_goes_alone_until_its_node_does_it() {
        let (mut slot, now) = (Slot::default(), Instant::now());
        let node = Address { host: "h".into(), port: 1 };
        let owner = Some(&node);
        assert_eq!(slot.allowed(owner, now), usize::MAX);
        for _ in 0..2 {
            slot.enter(Stage::UnderWay, owner);
        }
        assert_eq!(slot.allowed(owner, now), usize::MAX, "behind what is with the same node");
        slot.is_put_off = true;
        assert_eq!(slot.allowed(owner, now), 0, "what is under way may be done or not");
        for _ in 0..2 {
            slot.leave(Stage::UnderWay, true);
        }
        assert_eq!(slot.allowed(owner, now), 1, "both are back");
        slot.leave(Stage::Waiting, false);
        slot.enter(Stage::UnderWay, owner);
        assert_eq!(slot.allowed(owner, now), 0, "the first one is on its way");
        slot.leave(Stage::UnderWay, false);
        assert_eq!(slot.allowed(owner, now), usize::MAX, "it is done");
    }
}
