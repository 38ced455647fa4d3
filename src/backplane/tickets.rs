//! The callers that wait for replies, by their tickets.

use std::collections::{HashSet, VecDeque};

use tokio::time::Instant;

use super::item::Item;

/// The tickets that wait for a reply, and until when.
#[derive(Default)]
pub(super) struct Tickets {
    // What takes a ticket out of here answers it: the writer or the clock.
    waiting: HashSet<u32>,
    // In the order in which they came. A ticket that was taken out may still be here.
    deadlines: VecDeque<(Instant, u32)>,
}

impl Tickets {
    /// A caller waits for its reply.
    pub(super) fn add(&mut self, ticket: u32, deadline: Instant) {
        self.waiting.insert(ticket);
        self.deadlines.push_back((deadline, ticket));
    }

    /// Takes a ticket: `true` for the first caller, which must then answer it.
    pub(super) fn claim(&mut self, ticket: u32) -> bool {
        let first = self.waiting.remove(&ticket);
        // Answers come about in order, so what they leave of the deadlines is at the front.
        while self.deadlines.front().is_some_and(|(_, ticket)| !self.waiting.contains(ticket)) {
            self.deadlines.pop_front();
        }
        first
    }

    /// Takes those whose time is up.
    pub(super) fn claim_expired(&mut self, now: Instant) -> Vec<u32> {
        let mut expired = Vec::new();
        while let Some(&(deadline, ticket)) = self.deadlines.front() {
            if deadline > now && self.waiting.contains(&ticket) {
                break;
            }
            self.deadlines.pop_front();
            if self.waiting.remove(&ticket) {
                expired.push(ticket);
            }
        }
        expired
    }

    /// Takes all.
    pub(super) fn claim_all(&mut self) -> Vec<u32> {
        self.waiting.drain().collect()
    }

    /// When the next one's time is up.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.front().map(|&(deadline, _)| deadline)
    }

    /// Whether there is any sense in sending an item. A message is for others, whether its sender waits or
    /// not.
    pub(super) fn is_awaited(&self, item: &Item) -> bool {
        item.request.is_publish() || item.ticket.is_none_or(|ticket| self.waiting.contains(&ticket))
    }
}
