//! A request's place among those of its slot.

use std::sync::Weak;

use super::Router;
use crate::connection::Address;

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
            router.left(self);
        }
    }
}
