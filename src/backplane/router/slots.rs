//! The order of requests in each slot.

use std::collections::HashMap;

use tokio::time::Instant;

use super::lane::{Lane, Stage};
use crate::connection::{Address, Cluster, SlotMap};

/// The slots in which anything waits or is under way.
#[derive(Default)]
pub(super) struct Slots {
    slots: HashMap<u16, Slot>,
    // The owner of each slot when something was last sent to it.
    owners: HashMap<u16, Address>,
}

impl Slots {
    /// Whether nothing waits, and nothing is under way.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Gives a new request its place: it is under way to `owner` where nothing that goes before it hinders
    /// that, and `is_open`; else it waits in the lobby.
    pub(super) fn admit(
        &mut self,
        slot: u16,
        owner: Option<&Address>,
        is_open: bool,
        now: Instant,
    ) -> Stage {
        self.pause_if_moved(slot, owner, now);
        let slot = self.slots.entry(slot).or_default();
        let is_free = is_open && slot.waiting == 0 && slot.allowed(owner, now) > 0;
        let stage = if is_free { Stage::UnderWay } else { Stage::Waiting };
        slot.enter(stage, owner);
        stage
    }

    /// A request has a further place.
    pub(super) fn enter(&mut self, slot: u16, stage: Stage, node: Option<&Address>) {
        self.slots.entry(slot).or_default().enter(stage, node);
    }

    /// A request has left a place. Whether something may leave the lobby because of that.
    pub(super) fn leave(&mut self, lane: &Lane, now: Instant) -> bool {
        let Some(slot) = self.slots.get_mut(&lane.slot) else { return false };
        slot.leave(lane.stage, lane.is_back);
        slot.pause_if_idle(now);
        let is_idle = slot.under_way == 0;
        if is_idle && slot.waiting == 0 {
            self.slots.remove(&lane.slot);
        }
        is_idle
    }

    /// Nothing leaves the lobby for a slot before `until`, and then one request alone, until its node does one.
    /// Whether that was not so already.
    pub(super) fn put_off(&mut self, slot: u16, until: Instant) -> bool {
        let slot = self.slots.entry(slot).or_default();
        slot.paused = Some(until);
        !std::mem::replace(&mut slot.is_put_off, true)
    }

    /// How many requests of each slot may leave the lobby now.
    pub(super) fn allowed(&mut self, map: &SlotMap, now: Instant) -> HashMap<u16, usize> {
        let waiting = self.slots.iter().filter(|(_, slot)| slot.waiting > 0);
        for slot in waiting.map(|(slot, _)| *slot).collect::<Vec<_>>() {
            self.pause_if_moved(slot, map.owner(slot), now);
        }
        let allowed = |(number, slot): (&u16, &Slot)| {
            let owner = map.owner(*number);
            (*number, slot.allowed(owner, now))
        };
        self.slots.iter().map(allowed).collect()
    }

    /// What comes later waits for what these nodes have, also where one is a master again at once.
    pub(super) fn forget(&mut self, is_gone: impl Fn(&Address) -> bool) {
        for slot in self.slots.values_mut() {
            slot.node = slot.node.take().filter(|node| !is_gone(node));
        }
    }

    /// Pauses a slot that has another owner than when something was last sent to it.
    fn pause_if_moved(&mut self, slot: u16, owner: Option<&Address>, now: Instant) {
        let Some(owner) = owner else { return };
        match self.owners.get(&slot) {
            Some(before) if before == owner => return,
            Some(_) => {
                let slot = self.slots.entry(slot).or_default();
                slot.has_moved = true;
                slot.pause_if_idle(now);
            }
            None => {}
        }
        self.owners.insert(slot, owner.clone());
    }
}

/// What is under way in a slot.
#[derive(Default)]
struct Slot {
    // In the lobby, or on the way from there to an outbox.
    waiting: usize,
    // With this node, or on the way to the lobby.
    under_way: usize,
    node: Option<Address>,
    // Nothing leaves the lobby for it before this.
    paused: Option<Instant>,
    // Whether there is to be a pause once nothing is under way.
    has_moved: bool,
    // Whether its node has put the last one off: until it does one, nothing else is sent.
    is_put_off: bool,
}

impl Slot {
    fn is_paused(&self, now: Instant) -> bool {
        self.paused.is_some_and(|until| until > now)
    }

    /// How many of its requests may be sent to its owner now.
    fn allowed(&self, owner: Option<&Address>, now: Instant) -> usize {
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
    fn pause_if_idle(&mut self, now: Instant) {
        if self.has_moved && self.under_way == 0 {
            self.has_moved = false;
            self.paused = Some(now + Cluster::BUS);
        }
    }

    fn enter(&mut self, stage: Stage, node: Option<&Address>) {
        match stage {
            Stage::Waiting => self.waiting += 1,
            Stage::UnderWay => {
                self.under_way += 1;
                self.node = node.cloned();
            }
            Stage::Asking => {}
        }
    }

    const fn leave(&mut self, stage: Stage, is_back: bool) {
        match stage {
            Stage::Waiting => self.waiting = self.waiting.saturating_sub(1),
            Stage::UnderWay => self.under_way = self.under_way.saturating_sub(1),
            Stage::Asking => {}
        }
        self.is_put_off &= is_back || matches!(stage, Stage::Waiting);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Address, Cluster, Instant, Lane, Slot, Slots, Stage};

    fn address(port: u16) -> Address {
        Address { host: "h".into(), port }
    }

    #[test]
    fn what_comes_later_waits_behind_what_waits() {
        let (mut slots, now) = (Slots::default(), Instant::now());
        let node = address(1);
        assert_eq!(slots.admit(1, None, true, now), Stage::Waiting, "it has no owner");
        assert_eq!(slots.admit(1, Some(&node), true, now), Stage::Waiting, "one waits");
        assert_eq!(slots.admit(2, Some(&node), false, now), Stage::Waiting, "it is closing");
        assert_eq!(slots.admit(3, Some(&node), true, now), Stage::UnderWay);
    }

    #[test]
    fn a_slot_that_moves_waits_for_its_old_owner_and_the_bus() {
        let (mut slots, now) = (Slots::default(), Instant::now());
        let (old, new) = (address(1), address(2));
        for _ in 0..2 {
            assert_eq!(slots.admit(0, Some(&old), true, now), Stage::UnderWay);
        }
        assert_eq!(slots.admit(0, Some(&new), true, now), Stage::Waiting);
        let waiting = Lane::waiting(1);
        let mut under_way = Lane::waiting(2);
        under_way.stage = Stage::UnderWay;
        assert!(!slots.leave(&under_way, now), "the old owner has another one");
        assert!(slots.leave(&under_way, now));
        let allowed = |slots: &Slots, at| slots.slots.get(&0).unwrap().allowed(Some(&new), at);
        assert_eq!(allowed(&slots, now), 0, "it may still be on the bus");
        assert_eq!(allowed(&slots, now + Cluster::BUS), usize::MAX);
        assert!(slots.leave(&waiting, now) && slots.is_empty());
        assert!(!slots.leave(&waiting, now), "it has left");
    }

    #[test]
    fn one_goes_alone_until_its_node_does_it() {
        let (mut slot, now) = (Slot::default(), Instant::now());
        let node = address(1);
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
