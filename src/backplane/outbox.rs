//! What lies between the event loop and a writer: what waits, what is under way, and what was lost of it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::{Duration, Instant};

use super::item::Item;
use super::link_events::LinkEvents;
use super::queue::{Queue, QueueLimits};
use super::request::Request;
use super::tickets::Tickets;
use crate::error::Error;
use crate::event_loop::{Counters, ms};

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
    queue: Queue,
    tickets: Tickets,
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
                state.tickets.add(ticket, item.queued + self.command_timeout);
            }
            state.queue.put(item);
            state.queue.trim(self.limits)
        };
        self.queued.notify_one();
        if ticket.is_some() {
            self.deadlines.notify_one();
        }
        self.report_dropped(&dropped);
    }

    /// Waits for an answer under `ticket` that comes another way.
    pub(super) fn expect(&self, ticket: u32, queued: Instant) {
        self.lock().tickets.add(ticket, queued + self.command_timeout);
        self.deadlines.notify_one();
    }

    /// Takes the tickets whose answers come another way.
    pub(super) fn take_expected(&self) -> Vec<u32> {
        self.lock().tickets.claim_all()
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
        let batch = state.queue.take(most_items, most_bytes);
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
            if state.tickets.is_awaited(&item) {
                state.queue.put_first(item);
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
        self.lock().tickets.claim(ticket)
    }

    /// Takes the tickets whose time is up, and what was queued under them.
    pub(super) fn expired(&self, now: Instant) -> Vec<u32> {
        let mut guard = self.lock();
        let State { queue, tickets, .. } = &mut *guard;
        let expired = tickets.claim_expired(now);
        // What an item stands for may be told of its end, and look at the outbox.
        let forgotten = if expired.is_empty() {
            VecDeque::new()
        } else {
            queue.take_if(|item| !tickets.is_awaited(item))
        };
        drop(guard);
        drop(forgotten);
        self.idle.notify_one();
        expired
    }

    /// When the next ticket's time is up.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.lock().tickets.next_deadline()
    }

    /// Sets which limits hold, and drops what does not fit any more.
    pub(super) fn set_online(&self, online: bool) {
        let dropped = {
            let mut state = self.lock();
            state.queue.is_online = online;
            state.queue.trim(self.limits)
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
                if state.closing && state.queue.is_empty() && self.in_flight() == 0 {
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
    pub(super) fn take_if(&self, wanted: impl FnMut(&Item) -> bool) -> Vec<Item> {
        let mut guard = self.lock();
        let State { queue, tickets, .. } = &mut *guard;
        let taken = queue.take_if(wanted);
        for ticket in taken.iter().filter_map(|item| item.ticket) {
            tickets.claim(ticket);
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
        self.lock().queue.iter().any(|item| item.request.is_publish())
    }

    /// How many requests wait or are under way, and the bytes of those that wait.
    pub(super) fn depth(&self) -> (usize, usize) {
        let state = self.lock();
        let (items, bytes) = state.queue.depth();
        (items + self.in_flight(), bytes)
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
