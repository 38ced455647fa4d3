//! The channels and patterns that are wanted, and what is under way to get or leave them.
//!
//! Pure state: the session writes what [`Subscriptions::take_unsent`] gives it and reports what
//! Redis confirms. Tickets are the callers' numbers for "tell me when it is confirmed".

use std::collections::{HashMap, VecDeque};
use std::ptr::addr_eq;
use std::sync::Arc;

/// Who gets the messages of a channel or a pattern.
pub trait Consumer: Send + Sync + 'static {
    /// A message has arrived on `channel`.
    fn message(&self, channel: &[u8], payload: &[u8]);
}

/// All who get the messages of one subscription; there is seldom more than one.
pub type Consumers = Arc<[Arc<dyn Consumer>]>;

/// What a subscription names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One channel: `SUBSCRIBE`.
    Channel,
    /// All channels that match: `PSUBSCRIBE`.
    Pattern,
}

/// A command that Redis confirms with the channel's or pattern's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// `SUBSCRIBE` or `PSUBSCRIBE`, and the number of the want that it answers: a name may be left
    /// and wanted again before Redis has confirmed the first time.
    Subscribe(Kind, Arc<str>, u64),
    /// `UNSUBSCRIBE` or `PUNSUBSCRIBE`, with the ticket of who waits for it.
    Unsubscribe(Kind, Arc<str>, Option<u32>),
}

struct Wanted {
    number: u64,
    consumers: Consumers,
    // Who waits for the next confirmation.
    tickets: Vec<u32>,
}

/// Wanted subscriptions against confirmed ones.
#[derive(Default)]
pub struct Subscriptions {
    channels: HashMap<Arc<str>, Wanted>,
    patterns: HashMap<Arc<str>, Wanted>,
    last: u64,
    // Only while online: not yet written, and written but not confirmed, both in order. Offline
    // there is nothing to leave, and what to get is wanted; so neither grows during an outage.
    online: bool,
    unsent: VecDeque<Op>,
    unconfirmed: VecDeque<Op>,
}

impl Subscriptions {
    /// Wants `name` for `consumer`; one that is there already is not added again. `ticket` is given
    /// back by [`Self::confirm`] once Redis has confirmed it.
    pub fn subscribe(
        &mut self,
        kind: Kind,
        name: &str,
        consumer: Arc<dyn Consumer>,
        ticket: Option<u32>,
    ) {
        self.last += 1;
        let number = self.last;
        let wanted = self.wanted(kind);
        let name =
            wanted.get_key_value(name).map_or_else(|| Arc::from(name), |(known, _)| known.clone());
        let entry = wanted.entry(Arc::clone(&name)).or_insert_with(|| Wanted {
            number,
            consumers: Arc::from([]),
            tickets: Vec::new(),
        });
        entry.tickets.extend(ticket);
        if !entry.consumers.iter().any(|known| is_same(known, &consumer)) {
            entry.consumers = entry.consumers.iter().cloned().chain([consumer]).collect();
        }
        let number = entry.number;
        if self.online {
            self.unsent.push_back(Op::Subscribe(kind, name, number));
        }
    }

    /// Wants `name` no longer for `consumer`. Returns the tickets that are settled by that at once:
    /// those that waited for the subscription, and, when there is nothing to leave, `ticket` itself.
    pub fn unsubscribe(
        &mut self,
        kind: Kind,
        name: &str,
        consumer: &Arc<dyn Consumer>,
        ticket: Option<u32>,
    ) -> Vec<u32> {
        let wanted = self.wanted(kind);
        if let Some(entry) = wanted.get_mut(name) {
            let others = entry.consumers.iter().filter(|known| !is_same(known, consumer));
            entry.consumers = others.cloned().collect();
            if !entry.consumers.is_empty() {
                return ticket.into_iter().collect();
            }
        }
        let (name, mut settled) = match wanted.remove_entry(name) {
            Some((name, entry)) => (name, entry.tickets),
            None => (Arc::from(name), Vec::new()),
        };
        if self.online {
            self.unsent.push_back(Op::Unsubscribe(kind, name, ticket));
        } else {
            settled.extend(ticket);
        }
        settled
    }

    /// Who gets what arrives on the channel or through the pattern `name`; `None` when nobody
    /// wants it (any more).
    #[must_use]
    pub fn consumers(&self, kind: Kind, name: &[u8]) -> Option<Consumers> {
        let name = std::str::from_utf8(name).ok()?;
        let wanted = match kind {
            Kind::Channel => &self.channels,
            Kind::Pattern => &self.patterns,
        };
        wanted.get(name).map(|wanted| Arc::clone(&wanted.consumers))
    }

    fn wanted(&mut self, kind: Kind) -> &mut HashMap<Arc<str>, Wanted> {
        match kind {
            Kind::Channel => &mut self.channels,
            Kind::Pattern => &mut self.patterns,
        }
    }

    /// A connection is up and has no subscriptions: all that is wanted is to be sent.
    pub fn online(&mut self) {
        self.online = true;
        let all = |wanted: &HashMap<Arc<str>, Wanted>, kind| {
            let subscribe = |(name, wanted): (&Arc<str>, &Wanted)| {
                Op::Subscribe(kind, Arc::clone(name), wanted.number)
            };
            wanted.iter().map(subscribe).collect::<Vec<Op>>()
        };
        self.unsent = all(&self.channels, Kind::Channel).into();
        self.unsent.extend(all(&self.patterns, Kind::Pattern));
    }

    /// The connection is gone, and with it all subscriptions. Returns the tickets of those who
    /// waited to leave a channel: they have left it.
    pub fn offline(&mut self) -> Vec<u32> {
        self.online = false;
        let gone = self.unconfirmed.drain(..).chain(self.unsent.drain(..));
        gone.filter_map(|op| if let Op::Unsubscribe(.., ticket) = op { ticket } else { None })
            .collect()
    }

    /// Up to `most` commands to write now, in order.
    pub fn take_unsent(&mut self, most: usize) -> Vec<Op> {
        let count = self.unsent.len().min(most);
        let ops: Vec<Op> = self.unsent.drain(..count).collect();
        self.unconfirmed.extend(ops.iter().cloned());
        ops
    }

    /// Redis has answered the oldest unanswered command. Returns that command and the tickets that
    /// are settled by it, or `None` when none was under way.
    pub fn confirm(&mut self) -> Option<(Op, Vec<u32>)> {
        let op = self.unconfirmed.pop_front()?;
        let tickets = match &op {
            Op::Subscribe(kind, name, number) => self
                .wanted(*kind)
                .get_mut(name)
                .filter(|wanted| wanted.number == *number)
                .map(|wanted| std::mem::take(&mut wanted.tickets))
                .unwrap_or_default(),
            Op::Unsubscribe(.., ticket) => ticket.iter().copied().collect(),
        };
        Some((op, tickets))
    }

    /// Whether Redis has confirmed all that was asked of it.
    #[must_use]
    pub fn settled(&self) -> bool {
        self.unsent.is_empty() && self.unconfirmed.is_empty()
    }
}

fn is_same(one: &Arc<dyn Consumer>, other: &Arc<dyn Consumer>) -> bool {
    addr_eq(Arc::as_ptr(one), Arc::as_ptr(other))
}
