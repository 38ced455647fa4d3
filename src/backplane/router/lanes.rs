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
    // Whether its owner took nothing when it was last asked. Until it does, one request is sent at a time: of
    // several it might refuse the first ones, and then take the others.
    pub(super) is_refused: bool,
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
    // Whether its request has another place now.
    pub(super) is_replaced: bool,
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
    /// A place in the slot, which the caller has entered.
    pub(super) const fn new(
        router: Weak<Router>,
        slot: u16,
        number: u64,
        stage: Stage,
        asks: Option<Address>,
        redirected: u32,
    ) -> Self {
        Self { router, slot, number, stage, asks, redirected, is_replaced: false }
    }

    /// Whether its command is to be preceded by `ASKING`.
    pub fn is_asking(&self) -> bool {
        self.stage == Stage::Asking
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        if let Some(router) = self.router.upgrade() {
            router.leave(self.slot, self.stage, self.is_replaced);
        }
    }
}

impl Slot {
    pub(super) fn is_paused(&self, now: Instant) -> bool {
        self.paused.is_some_and(|until| until > now)
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

    pub(super) const fn leave(&mut self, stage: Stage) {
        match stage {
            Stage::Waiting => self.waiting = self.waiting.saturating_sub(1),
            Stage::UnderWay => self.under_way = self.under_way.saturating_sub(1),
            Stage::Asking => {}
        }
    }
}
