//! The bounded queue between the event loop and the writer.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::{Duration, Instant};

use super::gather::Part;
use super::link_events::LinkEvents;
use super::request::Request;
use super::router::Lane;
use crate::error::Error;
use crate::event_loop::{Counters, ms};

/// How much may wait while Redis is away (the option `offlineQueue`).
#[derive(Debug, Clone, Copy)]
pub struct QueueLimits {
    /// Publishes and commands.
    pub messages: usize,
    /// Bytes of memory that they hold.
    pub bytes: usize,
}

/// What may wait while the connection is up: a burst within one tick, or a Redis that stalls.
const ONLINE_BYTES: usize = 128 * 1024 * 1024;

/// A request and its caller.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) request: Request,
    /// The caller's number, when it waits for the reply.
    pub(super) ticket: Option<u32>,
    pub(super) queued: Instant,
    /// Its place among those of its slot, in a cluster.
    pub(super) lane: Option<Lane>,
    /// What it is a part of, where all masters of a cluster are asked.
    pub(super) part: Option<Part>,
}

impl Item {
    pub(super) const fn new(request: Request, ticket: Option<u32>, queued: Instant) -> Self {
        Self { request, ticket, queued, lane: None, part: None }
    }

    /// Its number among all requests to a cluster, where it waits for a node.
    fn waiting_number(&self) -> Option<u64> {
        self.lane.as_ref().and_then(Lane::waiting_number)
    }

    /// The bytes of memory that it holds while it waits.
    fn size(&self) -> usize {
        size_of::<Self>() + self.request.size()
    }
}

/// What was lost since it was last reported.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Losses {
    pub(super) dropped: u64,
    pub(super) unconfirmed: u64,
    /// When the oldest of it had been queued.
    pub(super) since: Option<Instant>,
}

/// Requests in the order in which they were made, and the tickets that wait for a reply.
pub(super) struct Outbox {
    // A plain mutex: the event loop and the writer both hold it for a push or a take only.
    state: Mutex<State>,
    limits: QueueLimits,
    command_timeout: Duration,
    pub(super) link: LinkEvents,
    // What was taken and is not answered. Changed by the writer's task alone.
    in_flight: AtomicUsize,
    /// Something was queued.
    pub(super) queued: Notify,
    /// Something that waits for a reply was queued.
    pub(super) deadlines: Notify,
    /// The last batch was done, or no more will be queued.
    idle: Notify,
}

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    bytes: usize,
    // What takes a ticket out of here answers it: the writer or the clock.
    waiting: HashSet<u32>,
    deadlines: VecDeque<(Instant, u32)>,
    online: bool,
    closing: bool,
    losses: Losses,
}

impl Outbox {
    pub(super) fn new(limits: QueueLimits, command_timeout: Duration, link: LinkEvents) -> Self {
        Self {
            state: Mutex::default(),
            limits,
            command_timeout,
            link,
            in_flight: AtomicUsize::new(0),
            queued: Notify::new(),
            deadlines: Notify::new(),
            idle: Notify::new(),
        }
    }

    /// Queues `request`. What no longer fits is dropped, the oldest first.
    pub(super) fn push(&self, request: Request, ticket: Option<u32>) {
        self.adopt(Item::new(request, ticket, Instant::now()));
    }

    /// Queues an item that has waited elsewhere.
    pub(super) fn adopt(&self, item: Item) {
        if self.is_closing() {
            return self.refuse_closed(&item);
        }
        self.take_back(item);
    }

    /// Queues an item that was accepted before, in whatever outbox.
    pub(super) fn take_back(&self, item: Item) {
        let ticket = item.ticket;
        let dropped = {
            let mut state = self.lock();
            if let Some(ticket) = ticket {
                state.waiting.insert(ticket);
                state.deadlines.push_back((item.queued + self.command_timeout, ticket));
            }
            state.put(item);
            state.trim(self.limits)
        };
        self.queued.notify_one();
        if ticket.is_some() {
            self.deadlines.notify_one();
        }
        self.report_dropped(&dropped);
    }

    /// Waits for an answer under `ticket` that comes another way.
    pub(super) fn expect(&self, ticket: u32, queued: Instant) {
        let mut state = self.lock();
        state.waiting.insert(ticket);
        state.deadlines.push_back((queued + self.command_timeout, ticket));
        drop(state);
        self.deadlines.notify_one();
    }

    /// Takes the tickets whose answers come another way.
    pub(super) fn take_expected(&self) -> Vec<u32> {
        self.lock().waiting.drain().collect()
    }

    /// Whether it accepts no more.
    pub(super) fn is_closing(&self) -> bool {
        self.lock().closing
    }

    /// Counts and reports what the full queue has pushed out.
    fn report_dropped(&self, dropped: &[Item]) {
        let LinkEvents { events, link, .. } = &self.link;
        for item in dropped {
            // A part that is dropped is an answer too.
            if item.request.is_beat() || item.part.is_some() {
                continue;
            }
            Counters::count(&events.counters.dropped);
            if self.lose(item.queued, true) {
                events.error(*link, Error::QueueFull);
            }
            if let Some(ticket) = item.ticket.filter(|&ticket| self.claim(ticket)) {
                events.fail(ticket, &Error::QueueFull);
            }
        }
    }

    /// Refuses what comes after the end.
    fn refuse_closed(&self, item: &Item) {
        if item.request.is_beat() {
            return;
        }
        let events = &self.link.events;
        Counters::count(&events.counters.dropped);
        if let Some(ticket) = item.ticket {
            events.fail(ticket, &Error::Closed);
        }
    }

    /// Takes what is to be written next.
    pub(super) fn take(&self, most_items: usize, most_bytes: usize) -> VecDeque<Item> {
        let mut state = self.lock();
        let batch = state.take(most_items, most_bytes);
        self.in_flight.fetch_add(batch.len(), Ordering::Relaxed);
        drop(state);
        batch
    }

    /// `count` of the requests that were taken are done with.
    pub(super) fn answered(&self, count: usize) {
        self.in_flight.fetch_sub(count, Ordering::Relaxed);
        if self.in_flight() == 0 {
            self.idle.notify_one();
        }
    }

    /// All requests that were taken are done with, but for `again`, which are to be sent once more,
    /// unless their time was up meanwhile.
    pub(super) fn give_back(&self, again: Vec<Item>) {
        let mut state = self.lock();
        let mut unawaited = Vec::new();
        for item in again.into_iter().rev() {
            if state.is_awaited(&item) {
                state.bytes += item.size();
                state.items.push_front(item);
            } else {
                unawaited.push(item);
            }
        }
        self.in_flight.store(0, Ordering::Relaxed);
        drop(state);
        self.idle.notify_one();
    }

    /// Takes `ticket`: `true` for the first caller, which must then answer it.
    pub(super) fn claim(&self, ticket: u32) -> bool {
        let mut guard = self.lock();
        let state = &mut *guard;
        let first = state.waiting.remove(&ticket);
        // Answers come about in order, so what they leave of the deadlines is at the front.
        while state.deadlines.front().is_some_and(|(_, ticket)| !state.waiting.contains(ticket)) {
            state.deadlines.pop_front();
        }
        first
    }

    /// Takes the tickets whose time is up, and what was queued under them.
    pub(super) fn expired(&self, now: Instant) -> Vec<u32> {
        let mut state = self.lock();
        let mut expired = Vec::new();
        while let Some(&(deadline, ticket)) = state.deadlines.front() {
            if deadline > now && state.waiting.contains(&ticket) {
                break;
            }
            state.deadlines.pop_front();
            if state.waiting.remove(&ticket) {
                expired.push(ticket);
            }
        }
        // What an item stands for may be told of its end, and look at the outbox.
        let forgotten = if expired.is_empty() { VecDeque::new() } else { state.forget_unawaited() };
        drop(state);
        drop(forgotten);
        self.idle.notify_one();
        expired
    }

    /// When the next ticket's time is up.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.lock().deadlines.front().map(|&(deadline, _)| deadline)
    }

    /// Sets which limits hold, and drops what does not fit any more.
    pub(super) fn set_online(&self, online: bool) {
        let dropped = {
            let mut state = self.lock();
            state.online = online;
            state.trim(self.limits)
        };
        self.report_dropped(&dropped);
    }

    /// Accepts no more.
    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.idle.notify_one();
    }

    /// Resolves once closed and empty.
    pub(super) async fn finished(&self) {
        loop {
            {
                let state = self.lock();
                if state.closing && state.items.is_empty() && self.in_flight() == 0 {
                    return;
                }
            }
            self.idle.notified().await;
        }
    }

    /// Takes everything, as at the end of a store that could not flush.
    pub(super) fn take_all(&self) -> Vec<Item> {
        self.take_if(|_| true)
    }

    /// Takes those that are to go elsewhere.
    pub(super) fn take_if(&self, mut wanted: impl FnMut(&Item) -> bool) -> Vec<Item> {
        let mut guard = self.lock();
        let state = &mut *guard;
        let (taken, left): (VecDeque<Item>, _) =
            std::mem::take(&mut state.items).into_iter().partition(|item| wanted(item));
        state.items = left;
        state.bytes = state.items.iter().map(Item::size).sum();
        for item in &taken {
            item.ticket.map(|ticket| state.waiting.remove(&ticket));
        }
        Vec::from(taken)
    }

    /// Notes a loss, to be reported when the connection is up. `true` for the first drop of them.
    pub(super) fn lose(&self, queued: Instant, certain: bool) -> bool {
        let losses = &mut self.lock().losses;
        losses.note(queued, certain);
        certain && losses.dropped == 1
    }

    /// Notes that `many` may be lost that had been confirmed, since this time.
    pub(super) fn doubt(&self, since: Instant, many: u64) {
        let losses = &mut self.lock().losses;
        losses.unconfirmed += many;
        losses.since = Some(losses.since.map_or(since, |other| other.min(since)));
    }

    /// Takes what was lost.
    pub(super) fn take_losses(&self) -> Losses {
        std::mem::take(&mut self.lock().losses)
    }

    /// Whether a publish waits.
    pub(super) fn holds_publishes(&self) -> bool {
        self.lock().items.iter().any(|item| item.request.is_publish())
    }

    /// How many requests wait or are under way, and the bytes of those that wait.
    pub(super) fn depth(&self) -> (usize, usize) {
        let state = self.lock();
        (state.items.len() + self.in_flight(), state.bytes)
    }

    fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// How long a command waits for its reply, in ms.
    pub(super) fn command_timeout_ms(&self) -> u64 {
        ms(self.command_timeout)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether there is any sense in sending it.
    fn is_awaited(&self, item: &Item) -> bool {
        is_awaited(item, &self.waiting)
    }

    fn forget_unawaited(&mut self) -> VecDeque<Item> {
        let waiting = &self.waiting;
        let is_awaited = |item: &Item| is_awaited(item, waiting);
        let (kept, forgotten) = std::mem::take(&mut self.items).into_iter().partition(is_awaited);
        self.items = kept;
        self.bytes = self.items.iter().map(Item::size).sum();
        forgotten
    }

    /// Adds an item. One that comes back from a node may be older than what has come since, and is dropped
    /// before that.
    fn put(&mut self, item: Item) {
        self.bytes += item.size();
        let number = item.waiting_number();
        if number.is_some() && self.items.back().is_some_and(|last| last.waiting_number() > number)
        {
            let at = self.items.partition_point(|other| other.waiting_number() < number);
            self.items.insert(at, item);
        } else {
            self.items.push_back(item);
        }
    }

    fn take(&mut self, most_items: usize, most_bytes: usize) -> VecDeque<Item> {
        // At once where that is all, since the event loop waits for the lock meanwhile.
        if self.items.len() <= most_items && self.bytes <= most_bytes {
            self.bytes = 0;
            return std::mem::take(&mut self.items);
        }
        let (mut batch, mut bytes) = (VecDeque::new(), 0);
        while batch.len() < most_items && bytes < most_bytes {
            let Some(item) = self.pop() else { break };
            bytes += item.size();
            batch.push_back(item);
        }
        batch
    }

    fn pop(&mut self) -> Option<Item> {
        let item = self.items.pop_front()?;
        self.bytes -= item.size();
        Some(item)
    }

    /// Drops the oldest until the rest fits. One item always may wait, however large.
    fn trim(&mut self, limits: QueueLimits) -> Vec<Item> {
        let (messages, bytes) = if self.online {
            (usize::MAX, limits.bytes.max(ONLINE_BYTES))
        } else {
            (limits.messages, limits.bytes)
        };
        let mut dropped = Vec::new();
        while self.items.len() > 1 && (self.items.len() > messages || self.bytes > bytes) {
            dropped.extend(self.pop());
        }
        dropped
    }
}

/// A message is for others, whether its sender waits or not.
fn is_awaited(item: &Item, waiting: &HashSet<u32>) -> bool {
    item.request.is_publish() || item.ticket.is_none_or(|ticket| waiting.contains(&ticket))
}

impl Losses {
    /// Counts one more item that will not arrive, or may not have.
    fn note(&mut self, queued: Instant, certain: bool) {
        if certain {
            self.dropped += 1;
        } else {
            self.unconfirmed += 1;
        }
        self.since = Some(self.since.map_or(queued, |since| since.min(queued)));
    }
}

#[cfg(test)]
mod tests {
    use super::{Instant, Item, Lane, QueueLimits, Request, State};
    use crate::backplane::request::Packed;

    fn item(number: u64) -> Item {
        let request = Request::publish(Packed { channel: number.to_string(), payload: Vec::new() });
        Item { lane: Some(Lane::waiting(number)), ..Item::new(request, None, Instant::now()) }
    }

    fn numbers<'a>(items: impl IntoIterator<Item = &'a Item>) -> Vec<u64> {
        items.into_iter().filter_map(Item::waiting_number).collect()
    }

    #[test]
    fn what_comes_back_late_is_dropped_before_what_is_newer() {
        let mut state = State::default();
        for number in [7, 8, 1, 2, 3, 9] {
            state.put(item(number));
        }
        let dropped = state.trim(QueueLimits { messages: 4, bytes: usize::MAX });
        assert_eq!(numbers(&dropped), [1, 2]);
        assert_eq!(numbers(&state.items), [3, 7, 8, 9]);
    }
}
