//! The lobby, where requests wait that cannot be sent to an owner yet: how they come back to it from
//! nodes, and when they leave it.

use std::sync::Weak;

use tokio::time::{Duration, Instant, sleep};

use super::Router;
use super::lane::{Lane, Stage};
use crate::backplane::item::Item;
use crate::backplane::request::{Command, Request, Route};
use crate::connection::{Address, Redirection, SlotMap, redirection};

impl Router {
    /// Between two attempts to send what a cluster in change has sent back.
    const PAUSE: Duration = Duration::from_millis(100);
    /// A request that was sent on this often is sent with a pause.
    const MAX_HASTE: u32 = 5;

    /// Takes a request back that the node at `asked` has answered with the error `reply`, and gives it
    /// back where that is no redirection.
    pub(in crate::backplane) fn redirected(
        &self,
        item: Item,
        reply: &str,
        asked: &Address,
    ) -> Option<Item> {
        let (Some(lane), Some(redirection)) = (&item.lane, redirection(reply, &asked.host)) else {
            return Some(item);
        };
        if item.queued.elapsed() >= self.command_timeout {
            return Some(item);
        }
        let (mut slot, number, redirected) = (lane.slot, lane.number, lane.redirected + 1);
        let mut asks = None;
        let is_hasty = redirection != Redirection::Later && redirected < Self::MAX_HASTE;
        match redirection {
            Redirection::Moved(moved, address) => {
                slot = moved;
                if let Some(address) = self.cluster.led(address) {
                    self.cluster.learn(moved, address);
                }
                self.cluster.look_at(asked.clone());
            }
            Redirection::Ask(address) => asks = self.cluster.led(address),
            Redirection::Later => self.cluster.look_at(asked.clone()),
        }
        if !is_hasty {
            self.put_off(slot, asked);
        }
        let mut lane = self.lane(slot, number, Stage::Waiting, redirected);
        lane.asks = asks;
        self.send_to_lobby(item, lane);
        if is_hasty {
            self.wanted.notify_one();
        }
        None
    }

    /// A node does not serve a slot now and may at any moment: what it is sent next, after a pause, must be what
    /// goes before all else.
    fn put_off(&self, slot: u16, node: &Address) {
        let node = {
            let mut state = self.lock();
            if !state.slots.put_off(slot, Instant::now() + Self::PAUSE) {
                return;
            }
            state.nodes.get(node).cloned()
        };
        if let Some(node) = node {
            let is_of_slot = |lane: &Lane| lane.slot == slot;
            self.take_back_from(&node, |item| item.lane.as_ref().is_some_and(is_of_slot));
        }
    }

    /// Has a request wait in the lobby, in a place among those of its slot.
    pub(super) fn send_to_lobby(&self, mut item: Item, lane: Lane) {
        self.lock().slots.enter(lane.slot, Stage::Waiting, None);
        // It has a place all the time, so that nothing overtakes it.
        let mut before = item.lane.replace(lane);
        if let Some(before) = &mut before {
            before.is_back = true;
        }
        self.lobby.outbox.take_back(item);
        drop(before);
    }

    /// A request has left its place.
    pub(super) fn left(&self, lane: &Lane) {
        let mut state = self.lock();
        if !state.slots.leave(lane, Instant::now()) {
            return;
        }
        let is_idle = state.slots.is_empty();
        drop(state);
        if is_idle {
            self.idle.notify_one();
        }
        self.wanted.notify_one();
    }

    /// Sends what may leave the lobby, whenever that may have changed.
    pub(super) async fn run(router: Weak<Self>) {
        let Some(mut changes) = router.upgrade().map(|router| router.cluster.changes()) else {
            return;
        };
        loop {
            let Some(this) = router.upgrade() else { return };
            this.cluster.watch();
            this.retire_nodes();
            let has_waiting = this.flush();
            tokio::select! {
                () = changes.next() => {}
                () = this.wanted.notified() => {}
                () = sleep(Self::PAUSE), if has_waiting => {}
                () = this.lobby.expire() => {}
            }
        }
    }

    /// Sends what may leave the lobby. Whether something is left.
    fn flush(&self) -> bool {
        let map = self.cluster.map();
        let mut allowed = self.lock().slots.allowed(&map, Instant::now());
        let mut may_go = |lane: &Lane| match allowed.get_mut(&lane.slot) {
            Some(left) => {
                let may_go = *left > 0;
                *left -= usize::from(may_go);
                may_go
            }
            None => false,
        };
        let may_go = |item: &Item| item.lane.as_ref().is_none_or(&mut may_go);
        for item in self.lobby.outbox.take_if(may_go) {
            self.send_from_lobby(item, &map);
        }
        self.lobby.report_losses();
        self.lobby.outbox.depth().0 > 0
    }

    fn send_from_lobby(&self, mut item: Item, map: &SlotMap) {
        let Some(lane) = item.lane.take() else { return };
        let Some(owner) = map.owner(lane.slot) else { return };
        let asks = lane.asks.clone();
        let stage = if asks.is_some() { Stage::Asking } else { Stage::UnderWay };
        self.lock().slots.enter(lane.slot, stage, Some(owner));
        item.lane = Some(self.lane(lane.slot, lane.number, stage, lane.redirected));
        let node = self.node(asks.as_ref().unwrap_or(owner));
        match item.request {
            Request::Command(Command { route: Route::Publisher, .. }) => self.ask_all(item),
            _ => node.writer.outbox.take_back(item),
        }
        // Until now what comes later had to wait.
        drop(lane);
    }
}
