//! The channels and patterns that are wanted, and what is under way to get or leave them.
//!
//! Pure state: the session writes what [`Subscriptions::take_unsent`] gives it and reports what
//! Redis answers. Tickets are the callers' numbers for "reply when it is confirmed".

use std::collections::{HashMap, VecDeque};
use std::ptr::addr_eq;
use std::sync::Arc;
use std::time::SystemTime;

/// Gets the messages of a channel or a pattern.
pub trait Consumer: Send + Sync + 'static {
    /// A message has arrived on `channel`.
    fn message(&self, channel: &[u8], payload: &[u8]);
    /// Redis has refused what is [`Need::Replaceable`], which is not wanted any more: something else is to be
    /// wanted now.
    fn refused(&self) {}
}

/// All consumers of one subscription; there is seldom more than one.
pub type Consumers = Arc<[Arc<dyn Consumer>]>;

/// What a subscription names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One channel: `SUBSCRIBE`.
    Channel,
    /// All channels that match: `PSUBSCRIBE`.
    Pattern,
    /// One channel of the shard that owns its slot: `SSUBSCRIBE`.
    Sharded,
}

/// Whether a subscription that Redis refuses is missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It is: the refusal is an error.
    Required,
    /// Everything works without it, if less well.
    Optional,
    /// Something else does in its place: see [`Consumer::refused`].
    Replaceable,
}

/// A command that Redis confirms with the channel's or pattern's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// `SUBSCRIBE`, `PSUBSCRIBE` or `SSUBSCRIBE`, and the number of the want that it answers: a name may be left
    /// and wanted again before Redis has confirmed the first time.
    Subscribe(Kind, Arc<str>, u64),
    /// `UNSUBSCRIBE`, `PUNSUBSCRIBE` or `SUNSUBSCRIBE`, with the caller's ticket.
    Unsubscribe(Kind, Arc<str>, Option<u32>),
}

impl Op {
    /// Its command.
    pub const fn command(&self) -> &'static str {
        match self {
            Self::Subscribe(Kind::Channel, ..) => "SUBSCRIBE",
            Self::Subscribe(Kind::Pattern, ..) => "PSUBSCRIBE",
            Self::Subscribe(Kind::Sharded, ..) => "SSUBSCRIBE",
            Self::Unsubscribe(Kind::Channel, ..) => "UNSUBSCRIBE",
            Self::Unsubscribe(Kind::Pattern, ..) => "PUNSUBSCRIBE",
            Self::Unsubscribe(Kind::Sharded, ..) => "SUNSUBSCRIBE",
        }
    }

    /// The channel or pattern that it names.
    pub const fn name(&self) -> &Arc<str> {
        let (Self::Subscribe(_, name, _) | Self::Unsubscribe(_, name, _)) = self;
        name
    }
}

struct Wanted {
    number: u64,
    consumers: Consumers,
    // To be answered at the next confirmation.
    tickets: Vec<u32>,
    need: Need,
    refusal: Refusal,
    // Whether Redis has confirmed it on this connection.
    confirmed: bool,
}

impl Wanted {
    /// Whether it is to be asked for again on this connection. What is optional is asked for anew on
    /// the next one: a server may log each refusal.
    fn is_to_retry(&self) -> bool {
        self.need == Need::Required && self.refusal == Refusal::Refused
    }

    /// Whether it is refused or ended although it is required.
    fn is_missed(&self) -> bool {
        self.need != Need::Optional && self.refusal != Refusal::None
    }
}

/// How Redis stands to a wanted subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// It has not refused it.
    None,
    /// It has ended it, and is being asked again.
    Ended,
    /// It has, and is to be asked again.
    Refused,
    /// It has, and is being asked again.
    Retrying,
}

/// A subscription on its way from one connection to another.
pub struct Handover {
    kind: Kind,
    name: Arc<str>,
    consumers: Consumers,
    /// What waits for a confirmation.
    pub tickets: Vec<u32>,
    need: Need,
    // Since when it is missed, if it is.
    since: Option<SystemTime>,
}

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
    channels: HashMap<Arc<str>, Wanted>,
    patterns: HashMap<Arc<str>, Wanted>,
    sharded: HashMap<Arc<str>, Wanted>,
    last: u64,
    // Only while online: what is not yet written, in order. Offline there is nothing to leave, and
    // all that is wanted is to be asked for; so it does not grow during an outage.
    online: bool,
    unsent: VecDeque<Op>,
    // Required subscriptions that are missed, and since when there are any.
    missed: usize,
    degraded_since: Option<SystemTime>,
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
        self.last += 1;
        let number = self.last;
        let wanted = self.wanted(kind);
        let name =
            wanted.get_key_value(name).map_or_else(|| Arc::from(name), |(known, _)| known.clone());
        let entry = wanted.entry(Arc::clone(&name)).or_insert_with(|| Wanted {
            number,
            consumers: Arc::from([]),
            tickets: Vec::new(),
            need,
            refusal: Refusal::None,
            confirmed: false,
        });
        entry.tickets.extend(ticket);
        if !entry.consumers.iter().any(|known| is_same(known, &consumer)) {
            entry.consumers = entry.consumers.iter().cloned().chain([consumer]).collect();
        }
        let number = entry.number;
        if self.online {
            self.unsent.push_back(Op::Subscribe(kind, name, number));
        }
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
        let wanted = self.wanted(kind);
        if let Some(entry) = wanted.get_mut(name) {
            let others = entry.consumers.iter().filter(|known| !is_same(known, consumer));
            entry.consumers = others.cloned().collect();
            if !entry.consumers.is_empty() {
                return ticket.into_iter().collect();
            }
        }
        let (name, mut settled) = match wanted.remove_entry(name) {
            Some((name, mut entry)) => {
                self.missed -= usize::from(entry.is_missed());
                (name, std::mem::take(&mut entry.tickets))
            }
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
        let (name, wanted) = self.wanted(kind).remove_entry(name)?;
        let since = wanted.is_missed().then(|| self.degraded_since.unwrap_or_else(SystemTime::now));
        self.missed -= usize::from(wanted.is_missed());
        if self.online {
            self.unsent.push_back(Op::Unsubscribe(kind, Arc::clone(&name), None));
        }
        if self.is_empty() {
            // It goes along with what is handed over.
            self.degraded_since = None;
        }
        let Wanted { consumers, tickets, need, .. } = wanted;
        Some(Handover { kind, name, consumers, tickets, need, since })
    }

    /// Wants what was withdrawn elsewhere. With `since`, it is missed since then until Redis has
    /// confirmed it. It is given back when nothing is wanted any more.
    pub fn adopt(&mut self, handover: Handover, since: Option<SystemTime>) -> Result<(), Handover> {
        if self.closed {
            return Err(handover);
        }
        let Handover { kind, name, consumers, tickets, need, since: before } = handover;
        self.last += 1;
        let number = self.last;
        let since = before.into_iter().chain(since).min();
        let refusal = if since.is_some() { Refusal::Ended } else { Refusal::None };
        let wanted = Wanted { number, consumers, tickets, need, refusal, confirmed: false };
        if let (true, Some(since)) = (wanted.is_missed(), since) {
            self.missed += 1;
            let known = self.degraded_since.get_or_insert(since);
            *known = since.min(*known);
        }
        self.wanted(kind).insert(Arc::clone(&name), wanted);
        if self.online {
            self.unsent.push_back(Op::Subscribe(kind, name, number));
        }
        Ok(())
    }

    /// The names of all that is wanted of a kind.
    pub fn names(&mut self, kind: Kind) -> Vec<Arc<str>> {
        self.wanted(kind).keys().cloned().collect()
    }

    /// Redis says that a channel has its place elsewhere: it is missed, and not asked for here again.
    pub fn misplaced(&mut self, op: &Op) {
        let Op::Subscribe(kind, name, number) = op else { return };
        let wanted = self.wanted(*kind).get_mut(name).filter(|wanted| wanted.number == *number);
        let Some(wanted) = wanted else { return };
        if std::mem::replace(&mut wanted.refusal, Refusal::Ended) == Refusal::None
            && wanted.is_missed()
        {
            self.note_missed();
        }
    }

    /// Whether something is wanted.
    pub fn wants(&self, kind: Kind, name: &str) -> bool {
        match kind {
            Kind::Channel => self.channels.contains_key(name),
            Kind::Pattern => self.patterns.contains_key(name),
            Kind::Sharded => self.sharded.contains_key(name),
        }
    }

    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.channels.is_empty() && self.patterns.is_empty() && self.sharded.is_empty()
    }

    /// The consumers of what arrives on the channel or through the pattern `name`; `None` when it
    /// is not wanted (any more).
    #[must_use]
    pub fn consumers(&self, kind: Kind, name: &[u8]) -> Option<Consumers> {
        let name = std::str::from_utf8(name).ok()?;
        let wanted = match kind {
            Kind::Channel => &self.channels,
            Kind::Pattern => &self.patterns,
            Kind::Sharded => &self.sharded,
        };
        // A sharded one that was handed over and back has messages of before on its way, which the other
        // node has brought.
        let counts = |wanted: &&Wanted| kind != Kind::Sharded || wanted.confirmed;
        wanted.get(name).filter(counts).map(|wanted| Arc::clone(&wanted.consumers))
    }

    fn wanted(&mut self, kind: Kind) -> &mut HashMap<Arc<str>, Wanted> {
        match kind {
            Kind::Channel => &mut self.channels,
            Kind::Pattern => &mut self.patterns,
            Kind::Sharded => &mut self.sharded,
        }
    }

    fn all(&mut self) -> impl Iterator<Item = (Kind, &Arc<str>, &mut Wanted)> {
        let of = |kind| move |(name, want)| (kind, name, want);
        let channels = self.channels.iter_mut().map(of(Kind::Channel));
        let patterns = self.patterns.iter_mut().map(of(Kind::Pattern));
        channels.chain(patterns).chain(self.sharded.iter_mut().map(of(Kind::Sharded)))
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
        self.unsent = self.all().map(subscribe).collect();
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
        tickets.extend(self.all().flat_map(|(_, _, wanted)| std::mem::take(&mut wanted.tickets)));
        self.channels.clear();
        self.patterns.clear();
        self.sharded.clear();
        self.missed = 0;
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

    /// Redis has confirmed a command. Returns the tickets that are settled by it.
    pub fn confirmed(&mut self, op: &Op) -> Vec<u32> {
        let (kind, name, number) = match op {
            Op::Subscribe(kind, name, number) => (*kind, name, *number),
            Op::Unsubscribe(.., ticket) => return ticket.iter().copied().collect(),
        };
        let wanted = self.wanted(kind).get_mut(name).filter(|wanted| wanted.number == number);
        let Some(wanted) = wanted else { return Vec::new() };
        let tickets = std::mem::take(&mut wanted.tickets);
        let was_missed = wanted.is_missed();
        wanted.refusal = Refusal::None;
        wanted.confirmed = true;
        self.missed -= usize::from(was_missed);
        tickets
    }

    /// Redis has refused a command.
    pub fn refused(&mut self, op: &Op) -> Refused {
        let (kind, name, number) = match op {
            Op::Subscribe(kind, name, number) => (*kind, name, *number),
            Op::Unsubscribe(.., ticket) => {
                return Refused::new(ticket.iter().copied().collect(), true);
            }
        };
        let wanted = self.wanted(kind).get_mut(name).filter(|wanted| wanted.number == number);
        let Some(wanted) = wanted else { return Refused::new(Vec::new(), false) };
        let tickets = std::mem::take(&mut wanted.tickets);
        if wanted.need == Need::Replaceable {
            let (was_missed, consumers) = (wanted.is_missed(), Arc::clone(&wanted.consumers));
            self.wanted(kind).remove(name);
            self.missed -= usize::from(was_missed);
            return Refused { tickets, is_news: false, replacing: Some(consumers) };
        }
        let before = std::mem::replace(&mut wanted.refusal, Refusal::Refused);
        let is_required = wanted.need == Need::Required;
        if is_required && before == Refusal::None {
            self.note_missed();
        }
        let is_news = is_required && matches!(before, Refusal::None | Refusal::Ended);
        Refused::new(tickets, is_news)
    }

    /// How many commands are to be written.
    pub fn unsent(&self) -> usize {
        self.unsent.len()
    }

    fn note_missed(&mut self) {
        self.missed += 1;
        self.degraded_since.get_or_insert_with(SystemTime::now);
    }

    /// Redis has ended a subscription of its own accord: it is asked for again, and missed until
    /// then.
    pub fn ended(&mut self, kind: Kind, name: &[u8]) {
        let Ok(name) = std::str::from_utf8(name) else { return };
        let Some(wanted) = self.wanted(kind).get_mut(name) else { return };
        let op = Op::Subscribe(kind, Arc::from(name), wanted.number);
        let was_whole = wanted.refusal == Refusal::None;
        if was_whole {
            wanted.refusal = Refusal::Ended;
        }
        if was_whole && wanted.is_missed() {
            self.note_missed();
        }
        self.unsent.push_back(op);
    }

    /// Asks again for all that Redis has refused; rights may have been granted.
    pub fn retry(&mut self) {
        let refused = self.all().filter(|(_, _, wanted)| wanted.is_to_retry());
        let again = |(kind, name, wanted): (Kind, &Arc<str>, &mut Wanted)| {
            wanted.refusal = Refusal::Retrying;
            Op::Subscribe(kind, Arc::clone(name), wanted.number)
        };
        let ops: Vec<Op> = refused.map(again).collect();
        self.unsent.extend(ops);
    }

    /// Whether Redis refuses what is wanted.
    pub fn refuses(&mut self, kind: Kind, name: &str) -> bool {
        self.wanted(kind).get(name).is_some_and(|wanted| wanted.refusal != Refusal::None)
    }

    /// Whether Redis refuses something that is to be asked for again.
    pub fn has_refused(&mut self) -> bool {
        self.all().any(|(_, _, wanted)| wanted.is_to_retry())
    }

    /// Whether Redis refuses a subscription that is required, or has ended one.
    pub const fn is_degraded(&self) -> bool {
        self.missed > 0
    }

    /// Since when a required subscription was missed, once none is any more. Asked once.
    pub const fn take_degraded_since(&mut self) -> Option<SystemTime> {
        if self.is_degraded() { None } else { self.degraded_since.take() }
    }

    /// Up to `most` channels and patterns that are required and refused.
    pub fn refused_names(&mut self, most: usize) -> Vec<String> {
        if !self.is_degraded() {
            return Vec::new();
        }
        let all = self.all().filter(|(_, _, wanted)| wanted.is_missed());
        all.take(most).map(|(_, name, _)| (**name).to_owned()).collect()
    }
}

fn is_same(one: &Arc<dyn Consumer>, other: &Arc<dyn Consumer>) -> bool {
    addr_eq(Arc::as_ptr(one), Arc::as_ptr(other))
}

#[cfg(test)]
#[path = "subscriptions_tests.rs"]
mod tests;
