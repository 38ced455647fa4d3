//! What is wanted, how Redis stands to it, and how much of it is missed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use super::consumer::{Consumer, Consumers, is_same};
use super::op::{Kind, Op};

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

/// How Redis stands to a wanted subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It has not refused it.
    None,
    /// It has ended it, and is being asked again.
    Ended,
    /// It has, and is to be asked again.
    Refused,
    /// It has, and is being asked again.
    Retrying,
}

/// One subscription that is wanted.
pub(super) struct Wanted {
    /// Its number among all that was ever wanted.
    pub(super) number: u64,
    pub(super) consumers: Consumers,
    /// To be answered at the next confirmation.
    pub(super) tickets: Vec<u32>,
    pub(super) need: Need,
    pub(super) refusal: Refusal,
    /// Whether Redis has confirmed it on this connection.
    pub(super) confirmed: bool,
}

impl Wanted {
    const fn new(number: u64, consumers: Consumers, tickets: Vec<u32>, need: Need) -> Self {
        Self { number, consumers, tickets, need, refusal: Refusal::None, confirmed: false }
    }

    /// Adds a consumer, unless it is there.
    pub(super) fn add(&mut self, consumer: Arc<dyn Consumer>) {
        if !self.consumers.iter().any(|known| is_same(known, &consumer)) {
            self.consumers = self.consumers.iter().cloned().chain([consumer]).collect();
        }
    }

    /// Removes a consumer. Whether others are left.
    pub(super) fn remove(&mut self, consumer: &Arc<dyn Consumer>) -> bool {
        let others = self.consumers.iter().filter(|known| !is_same(known, consumer));
        self.consumers = others.cloned().collect();
        !self.consumers.is_empty()
    }

    /// Whether it is to be asked for again on this connection. What is optional is asked for anew on
    /// the next one: a server may log each refusal.
    pub(super) fn is_to_retry(&self) -> bool {
        self.need == Need::Required && self.refusal == Refusal::Refused
    }

    /// Whether it is refused or ended although it is required.
    pub(super) fn is_missed(&self) -> bool {
        self.need != Need::Optional && self.refusal != Refusal::None
    }
}

/// A subscription on its way from one connection to another.
pub struct Handover {
    kind: Kind,
    pub(super) name: Arc<str>,
    consumers: Consumers,
    /// What waits for a confirmation.
    pub tickets: Vec<u32>,
    need: Need,
    // Since when it is missed, if it is.
    since: Option<SystemTime>,
}

/// All that is wanted.
#[derive(Default)]
pub(super) struct Wants {
    channels: HashMap<Arc<str>, Wanted>,
    patterns: HashMap<Arc<str>, Wanted>,
    sharded: HashMap<Arc<str>, Wanted>,
    last: u64,
    // How many are missed, and since when there are any.
    missed: usize,
    missed_since: Option<SystemTime>,
}

impl Wants {
    const fn of(&self, kind: Kind) -> &HashMap<Arc<str>, Wanted> {
        match kind {
            Kind::Channel => &self.channels,
            Kind::Pattern => &self.patterns,
            Kind::Sharded => &self.sharded,
        }
    }

    const fn of_mut(&mut self, kind: Kind) -> &mut HashMap<Arc<str>, Wanted> {
        match kind {
            Kind::Channel => &mut self.channels,
            Kind::Pattern => &mut self.patterns,
            Kind::Sharded => &mut self.sharded,
        }
    }

    pub(super) fn get(&self, kind: Kind, name: &str) -> Option<&Wanted> {
        self.of(kind).get(name)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.channels.is_empty() && self.patterns.is_empty() && self.sharded.is_empty()
    }

    /// The names of all of a kind.
    pub(super) fn names(&self, kind: Kind) -> impl Iterator<Item = &Arc<str>> {
        self.of(kind).keys()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Wanted)> {
        [&self.channels, &self.patterns, &self.sharded].into_iter().flatten()
    }

    /// All; whether one is missed must not be changed.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (Kind, &Arc<str>, &mut Wanted)> {
        let of = |kind| move |(name, wanted)| (kind, name, wanted);
        let channels = self.channels.iter_mut().map(of(Kind::Channel));
        let patterns = self.patterns.iter_mut().map(of(Kind::Pattern));
        channels.chain(patterns).chain(self.sharded.iter_mut().map(of(Kind::Sharded)))
    }

    /// The want of this name, which is a new one unless there is one; with its name.
    pub(super) fn want(&mut self, kind: Kind, name: &str, need: Need) -> (Arc<str>, &mut Wanted) {
        self.last += 1;
        let number = self.last;
        let all = self.of_mut(kind);
        let name =
            all.get_key_value(name).map_or_else(|| Arc::from(name), |(known, _)| known.clone());
        let new = || Wanted::new(number, Arc::from([]), Vec::new(), need);
        let wanted = all.entry(Arc::clone(&name)).or_insert_with(new);
        (name, wanted)
    }

    pub(super) fn remove(&mut self, kind: Kind, name: &str) -> Option<(Arc<str>, Wanted)> {
        let removed = self.of_mut(kind).remove_entry(name)?;
        self.missed -= usize::from(removed.1.is_missed());
        Some(removed)
    }

    /// Removes what is to be wanted elsewhere.
    pub(super) fn withdraw(&mut self, kind: Kind, name: &str) -> Option<Handover> {
        let (name, wanted) = self.remove(kind, name)?;
        let since = wanted.is_missed().then(|| self.missed_since.unwrap_or_else(SystemTime::now));
        if self.is_empty() {
            // It goes along with what is handed over.
            self.missed_since = None;
        }
        let Wanted { consumers, tickets, need, .. } = wanted;
        Some(Handover { kind, name, consumers, tickets, need, since })
    }

    /// Wants what was withdrawn elsewhere; with `since`, it is missed since then. Returns the command that asks for
    /// it.
    pub(super) fn adopt(&mut self, handover: Handover, since: Option<SystemTime>) -> Op {
        let Handover { kind, name, consumers, tickets, need, since: before } = handover;
        self.last += 1;
        let mut wanted = Wanted::new(self.last, consumers, tickets, need);
        if let Some(since) = before.into_iter().chain(since).min() {
            wanted.refusal = Refusal::Ended;
            if wanted.is_missed() {
                self.missed += 1;
                let known = self.missed_since.get_or_insert(since);
                *known = since.min(*known);
            }
        }
        let op = Op::Subscribe(kind, Arc::clone(&name), wanted.number);
        self.of_mut(kind).insert(name, wanted);
        op
    }

    /// Changes a want, if there is one of this name, and counts whether it is missed then.
    pub(super) fn change<T>(
        &mut self,
        kind: Kind,
        name: &str,
        change: impl FnOnce(&mut Wanted) -> T,
    ) -> Option<T> {
        let wanted = self.of_mut(kind).get_mut(name)?;
        let was_missed = wanted.is_missed();
        let changed = change(wanted);
        let is_missed = wanted.is_missed();
        self.missed = self.missed - usize::from(was_missed) + usize::from(is_missed);
        if is_missed && !was_missed {
            self.missed_since.get_or_insert_with(SystemTime::now);
        }
        Some(changed)
    }

    /// The want that a command asks for, as long as that is the same one.
    pub(super) fn asked_for(&self, op: &Op) -> Option<&Wanted> {
        let Op::Subscribe(kind, name, number) = op else { return None };
        self.get(*kind, name).filter(|wanted| wanted.number == *number)
    }

    /// Changes it: see [`Self::change`].
    pub(super) fn change_asked<T>(
        &mut self,
        op: &Op,
        change: impl FnOnce(&mut Wanted) -> T,
    ) -> Option<T> {
        let Op::Subscribe(kind, name, _) = op else { return None };
        self.asked_for(op)?;
        self.change(*kind, name, change)
    }

    /// Whether something is missed.
    pub(super) const fn is_any_missed(&self) -> bool {
        self.missed > 0
    }

    /// Since when something was missed, once nothing is any more. Asked once.
    pub(super) const fn take_missed_since(&mut self) -> Option<SystemTime> {
        if self.is_any_missed() { None } else { self.missed_since.take() }
    }

    /// Removes all. Returns the tickets that waited for a confirmation.
    pub(super) fn clear(&mut self) -> Vec<u32> {
        let tickets = self.iter_mut().flat_map(|(.., wanted)| std::mem::take(&mut wanted.tickets));
        let tickets = tickets.collect();
        self.channels.clear();
        self.patterns.clear();
        self.sharded.clear();
        self.missed = 0;
        tickets
    }
}
