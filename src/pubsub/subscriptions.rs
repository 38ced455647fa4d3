//! The channels that are wanted, and what is under way to get or leave them.
//!
//! Pure state: the session writes what [`Subscriptions::take_unsent`] gives it and reports what
//! Redis confirms. Tickets are the callers' numbers for "tell me when it is confirmed".

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::wire::store09::Shape;

/// Where a channel's messages go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The number of the subscription; never used again after an unsubscribe.
    pub channel: u32,
    /// What the channel promises to carry.
    pub shape: Shape,
}

/// A command that Redis confirms with the channel's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// `SUBSCRIBE`
    Subscribe(Arc<str>),
    /// `UNSUBSCRIBE`, with the ticket of who waits for it.
    Unsubscribe(Arc<str>, Option<u32>),
}

struct Wanted {
    route: Route,
    // Who waits for the next confirmation.
    tickets: Vec<u32>,
}

/// Wanted subscriptions against confirmed ones.
#[derive(Default)]
pub struct Subscriptions {
    wanted: HashMap<Arc<str>, Wanted>,
    last_channel: u32,
    // Only while online: not yet written, and written but not confirmed, both in order. Offline
    // there is nothing to leave, and what to get is `wanted`; so neither grows during an outage.
    online: bool,
    unsent: VecDeque<Op>,
    unconfirmed: VecDeque<Op>,
}

impl Subscriptions {
    /// Wants `name`. `ticket` is given back by [`Self::confirm`] once Redis has confirmed it.
    pub fn subscribe(&mut self, name: &str, shape: Shape, ticket: Option<u32>) -> Route {
        let name = self
            .wanted
            .get_key_value(name)
            .map_or_else(|| Arc::from(name), |(known, _)| Arc::clone(known));
        if self.online {
            self.unsent.push_back(Op::Subscribe(Arc::clone(&name)));
        }
        let wanted = self.wanted.entry(name).or_insert_with(|| {
            self.last_channel = self.last_channel.wrapping_add(1);
            Wanted { route: Route { channel: self.last_channel, shape }, tickets: Vec::new() }
        });
        wanted.tickets.extend(ticket);
        wanted.route
    }

    /// Wants `name` no longer. Returns the tickets that are settled by that at once: those that
    /// waited for the subscription, and, while offline, `ticket` itself.
    pub fn unsubscribe(&mut self, name: &str, ticket: Option<u32>) -> Vec<u32> {
        let (name, mut settled) = match self.wanted.remove_entry(name) {
            Some((name, wanted)) => (name, wanted.tickets),
            None => (Arc::from(name), Vec::new()),
        };
        if self.online {
            self.unsent.push_back(Op::Unsubscribe(name, ticket));
        } else {
            settled.extend(ticket);
        }
        settled
    }

    /// Where messages on `channel` go; `None` when nobody wants them (any more).
    #[must_use]
    pub fn route(&self, channel: &[u8]) -> Option<Route> {
        let name = std::str::from_utf8(channel).ok()?;
        self.wanted.get(name).map(|wanted| wanted.route)
    }

    /// A connection is up and has no subscriptions: all that is wanted is to be sent.
    pub fn online(&mut self) {
        self.online = true;
        self.unsent = self.wanted.keys().cloned().map(Op::Subscribe).collect();
    }

    /// The connection is gone, and with it all subscriptions. Returns the tickets of those who
    /// waited to leave a channel: they have left it.
    pub fn offline(&mut self) -> Vec<u32> {
        self.online = false;
        let gone = self.unconfirmed.drain(..).chain(self.unsent.drain(..));
        gone.filter_map(|op| if let Op::Unsubscribe(_, ticket) = op { ticket } else { None })
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
            Op::Subscribe(name) => self
                .wanted
                .get_mut(name)
                .map(|wanted| std::mem::take(&mut wanted.tickets))
                .unwrap_or_default(),
            Op::Unsubscribe(_, ticket) => ticket.iter().copied().collect(),
        };
        Some((op, tickets))
    }

    /// Whether Redis has confirmed all that was asked of it.
    #[must_use]
    pub fn settled(&self) -> bool {
        self.unsent.is_empty() && self.unconfirmed.is_empty()
    }
}
