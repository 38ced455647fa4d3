//! The channels and patterns that are wanted, and what is under way to get or leave them.
//!
//! Pure state: the session writes what [`Subscriptions::take_unsent`] gives it and reports what
//! Redis answers. Tickets are the callers' numbers for "reply when it is confirmed".

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::SystemTime;

use super::consumer::{Consumer, Consumers};
use super::op::{Kind, Op};
use super::wanted::{Handover, Need, Refusal, Wanted, Wants};

/// What a refusal comes to.
pub struct Refused {
    /// The tickets that waited for it.
    pub tickets: Vec<u32>,
    /// Whether it is news: the subscription is required, and was not refused before.
    pub is_news: bool,
    /// Those that are to want something else now: they do not want this any more, and nothing is missed.
    pub replacing: Option<Consumers>,
}

impl Refused {
    const fn new(tickets: Vec<u32>, is_news: bool) -> Self {
        Self { tickets, is_news, replacing: None }
    }
}

/// Wanted subscriptions against confirmed ones.
#[derive(Default)]
pub struct Subscriptions {
    wants: Wants,
    // Only while online: what is not yet written, in order. Offline there is nothing to leave, and
    // all that is wanted is to be asked for; so it does not grow during an outage.
    online: bool,
    unsent: VecDeque<Op>,
    closed: bool,
}

impl Subscriptions {
    /// Wants `name` for `consumer`; one that is there already is not added again. `ticket` comes
    /// back when Redis has answered. `false` when nothing is wanted any more: see [`Self::close`].
    pub fn subscribe(
        &mut self,
        kind: Kind,
        name: &str,
        consumer: Arc<dyn Consumer>,
        need: Need,
        ticket: Option<u32>,
    ) -> bool {
        if self.closed {
            return false;
        }
        let (name, wanted) = self.wants.want(kind, name, need);
        wanted.tickets.extend(ticket);
        wanted.add(consumer);
        let number = wanted.number;
        self.send(Op::Subscribe(kind, name, number));
        true
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
        let has_others = self.wants.change(kind, name, |wanted| wanted.remove(consumer));
        if has_others == Some(true) {
            return ticket.into_iter().collect();
        }
        let (name, mut settled) = match self.wants.remove(kind, name) {
            Some((name, wanted)) => (name, wanted.tickets),
            None => (Arc::from(name), Vec::new()),
        };
        if self.online {
            self.unsent.push_back(Op::Unsubscribe(kind, name, ticket));
        } else {
            settled.extend(ticket);
        }
        settled
    }

    /// Wants `name` no longer, and hands over what it takes to want it elsewhere.
    pub fn withdraw(&mut self, kind: Kind, name: &str) -> Option<Handover> {
        let handover = self.wants.withdraw(kind, name)?;
        self.send(Op::Unsubscribe(kind, Arc::clone(&handover.name), None));
        Some(handover)
    }

    /// Wants what was withdrawn elsewhere. With `since`, it is missed since then until Redis has
    /// confirmed it. It is given back when nothing is wanted any more.
    pub fn adopt(&mut self, handover: Handover, since: Option<SystemTime>) -> Result<(), Handover> {
        if self.closed {
            return Err(handover);
        }
        let op = self.wants.adopt(handover, since);
        self.send(op);
        Ok(())
    }

    fn send(&mut self, op: Op) {
        if self.online {
            self.unsent.push_back(op);
        }
    }

    /// The names of all that is wanted of a kind.
    pub fn names(&self, kind: Kind) -> Vec<Arc<str>> {
        self.wants.names(kind).cloned().collect()
    }

    /// Whether something is wanted.
    pub fn wants(&self, kind: Kind, name: &str) -> bool {
        self.wants.get(kind, name).is_some()
    }

    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.wants.is_empty()
    }

    /// The consumers of what arrives on the channel or through the pattern `name`; `None` when it
    /// is not wanted (any more).
    #[must_use]
    pub fn consumers(&self, kind: Kind, name: &[u8]) -> Option<Consumers> {
        let wanted = self.wants.get(kind, std::str::from_utf8(name).ok()?)?;
        // A sharded one that was handed over and back has messages of before on its way, which the other
        // node has brought.
        let counts = kind != Kind::Sharded || wanted.confirmed;
        counts.then(|| Arc::clone(&wanted.consumers))
    }

    /// A connection is up and has no subscriptions: all that is wanted is to be sent. Returns how
    /// many commands that takes.
    pub fn online(&mut self) -> usize {
        self.online = true;
        let subscribe = |(kind, name, wanted): (Kind, &Arc<str>, &mut Wanted)| {
            wanted.confirmed = false;
            if wanted.refusal == Refusal::Refused {
                wanted.refusal = Refusal::Retrying;
            }
            Op::Subscribe(kind, Arc::clone(name), wanted.number)
        };
        self.unsent = self.wants.iter_mut().map(subscribe).collect();
        self.unsent.len()
    }

    /// The connection is gone, and with it all subscriptions and the answers to `unanswered`.
    /// Returns the tickets of the callers that left a channel: they have left it.
    pub fn offline(&mut self, unanswered: impl Iterator<Item = Op>) -> Vec<u32> {
        self.online = false;
        let gone = unanswered.chain(self.unsent.drain(..));
        gone.filter_map(|op| if let Op::Unsubscribe(.., ticket) = op { ticket } else { None })
            .collect()
    }

    /// Wants nothing any more, for ever. Returns the tickets that still wait for an answer of a
    /// confirmation.
    pub fn close(&mut self) -> Vec<u32> {
        self.closed = true;
        let mut tickets = self.offline(std::iter::empty());
        tickets.extend(self.wants.clear());
        tickets
    }

    /// Whether nothing is wanted any more: see [`Self::close`].
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Up to `most` commands to write now, in order.
    pub fn take_unsent(&mut self, most: usize) -> Vec<Op> {
        let count = self.unsent.len().min(most);
        self.unsent.drain(..count).collect()
    }

    /// How many commands are to be written.
    pub fn unsent_len(&self) -> usize {
        self.unsent.len()
    }

    /// Redis has confirmed a command. Returns the tickets that are settled by it.
    pub fn confirmed(&mut self, op: &Op) -> Vec<u32> {
        if let Op::Unsubscribe(.., ticket) = op {
            return ticket.iter().copied().collect();
        }
        let confirm = |wanted: &mut Wanted| {
            wanted.refusal = Refusal::None;
            wanted.confirmed = true;
            std::mem::take(&mut wanted.tickets)
        };
        self.wants.change_asked(op, confirm).unwrap_or_default()
    }

    /// Redis has refused a command.
    pub fn refused(&mut self, op: &Op) -> Refused {
        let (kind, name) = match op {
            Op::Subscribe(kind, name, _) => (*kind, name),
            Op::Unsubscribe(.., ticket) => {
                return Refused::new(ticket.iter().copied().collect(), true);
            }
        };
        let Some(wanted) = self.wants.asked_for(op) else { return Refused::new(Vec::new(), false) };
        if wanted.need == Need::Replaceable {
            let removed = self.wants.remove(kind, name);
            let (tickets, replacing) =
                removed.map(|(_, wanted)| (wanted.tickets, wanted.consumers)).unzip();
            return Refused { tickets: tickets.unwrap_or_default(), is_news: false, replacing };
        }
        let was_refused = matches!(wanted.refusal, Refusal::Refused | Refusal::Retrying);
        let is_news = wanted.need == Need::Required && !was_refused;
        let refuse = |wanted: &mut Wanted| {
            wanted.refusal = Refusal::Refused;
            std::mem::take(&mut wanted.tickets)
        };
        Refused::new(self.wants.change_asked(op, refuse).unwrap_or_default(), is_news)
    }

    /// Redis has ended a subscription of its own accord: it is asked for again, and missed until
    /// then.
    pub fn ended(&mut self, kind: Kind, name: &[u8]) {
        let Ok(name) = std::str::from_utf8(name) else { return };
        let number = self.wants.change(kind, name, |wanted| {
            if wanted.refusal == Refusal::None {
                wanted.refusal = Refusal::Ended;
            }
            wanted.number
        });
        if let Some(number) = number {
            self.unsent.push_back(Op::Subscribe(kind, Arc::from(name), number));
        }
    }

    /// Redis says that a channel has its place elsewhere: it is missed, and not asked for here again.
    pub fn misplaced(&mut self, op: &Op) {
        self.wants.change_asked(op, |wanted| wanted.refusal = Refusal::Ended);
    }

    /// Asks again for all that Redis has refused; rights may have been granted.
    pub fn retry(&mut self) {
        let refused = self.wants.iter_mut().filter(|(.., wanted)| wanted.is_to_retry());
        let again = |(kind, name, wanted): (Kind, &Arc<str>, &mut Wanted)| {
            wanted.refusal = Refusal::Retrying;
            Op::Subscribe(kind, Arc::clone(name), wanted.number)
        };
        self.unsent.extend(refused.map(again));
    }

    /// Whether Redis refuses what is wanted.
    pub fn refuses(&self, kind: Kind, name: &str) -> bool {
        self.wants.get(kind, name).is_some_and(|wanted| wanted.refusal != Refusal::None)
    }

    /// Whether Redis refuses something that is to be asked for again.
    pub fn has_refused(&self) -> bool {
        self.wants.iter().any(|(_, wanted)| wanted.is_to_retry())
    }

    /// Whether Redis refuses a subscription that is required, or has ended one.
    pub const fn is_degraded(&self) -> bool {
        self.wants.is_any_missed()
    }

    /// Since when a required subscription was missed, once none is any more. Asked once.
    pub const fn take_degraded_since(&mut self) -> Option<SystemTime> {
        self.wants.take_missed_since()
    }

    /// Up to `most` channels and patterns that are required and refused.
    pub fn refused_names(&self, most: usize) -> Vec<String> {
        if !self.is_degraded() {
            return Vec::new();
        }
        let missed = self.wants.iter().filter(|(_, wanted)| wanted.is_missed());
        missed.take(most).map(|(name, _)| (**name).to_owned()).collect()
    }
}

#[cfg(test)]
#[path = "subscriptions_tests.rs"]
mod tests;
