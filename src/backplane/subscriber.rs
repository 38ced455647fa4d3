//! What the subscriber's session reports to.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError, Weak};
use std::time::SystemTime;

use tokio::time::{Duration, Instant};

use super::event_sink::EventSink;
use super::link_events::{LinkEvents, LinkStatus};
use super::shards::Shards;
use crate::connection::{Address, Warning};
use crate::error::Error;
use crate::event_loop::{Counters, Dropped, Event, Link, Outcome, Trimmed};
use crate::pubsub::{SessionEvent, Subscriber};

/// The backplane's side of a [`crate::pubsub::Session`].
pub struct MailboxSubscriber {
    link: LinkEvents,
    // A plain mutex: the session's task alone takes it, and only when messages were dropped.
    overflow: Mutex<Overflow>,
    // When the event loop was woken for deferred messages alone. A plain mutex, likewise.
    woken: Mutex<Instant>,
    // How many refused subscriptions were reported since all were confirmed.
    refusals: AtomicU32,
    // Whether a server was reported to have no sharded channels, likewise.
    unsupported: AtomicBool,
    // When pings were sent and answered, the newest last. A plain mutex, likewise.
    proven: Mutex<VecDeque<(SystemTime, SystemTime)>>,
    // What moves subscriptions to other nodes, and the node that this one is of.
    shards: Option<(Weak<Shards>, Address)>,
}

/// Messages that the full mailbox has dropped, and that are not reported yet.
#[derive(Default)]
struct Overflow {
    dropped: Option<Dropped>,
    reported: Option<Instant>,
}

impl MailboxSubscriber {
    /// How many answered pings are remembered: those of ten minutes.
    const PROOFS: usize = 600;
    /// Dropped messages are reported at most this often.
    const QUIET: Duration = Duration::from_secs(1);
    /// For deferred messages alone the event loop is woken at most this often: a wake costs as much
    /// as a hundred of them.
    const PAUSE: Duration = Duration::from_millis(2);
    /// At most this many refused subscriptions are reported until all are confirmed; `stats()` lists more.
    const MAX_REFUSALS: u32 = 100;

    /// Of one node of a cluster.
    pub(super) fn of_shard(link: LinkEvents, shards: Weak<Shards>, address: Address) -> Self {
        Self { shards: Some((shards, address)), ..Self::new(link) }
    }

    pub(super) fn new(link: LinkEvents) -> Self {
        Self {
            link,
            overflow: Mutex::default(),
            woken: Mutex::new(Instant::now()),
            refusals: AtomicU32::new(0),
            unsupported: AtomicBool::new(false),
            proven: Mutex::default(),
            shards: None,
        }
    }

    fn events(&self) -> &EventSink {
        &self.link.events
    }

    /// When the first message may have been published of those that have arrived since `arrived`: after
    /// the last ping that was answered by then.
    fn published_since(&self, arrived: SystemTime) -> SystemTime {
        let proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        let before = proven.iter().rev().find(|(_, answered)| *answered <= arrived);
        let oldest = before.or_else(|| proven.front());
        oldest.map_or(arrived, |(sent, _)| arrived.min(*sent))
    }

    /// Counts what the mailbox has dropped, and reports it when it is time to.
    fn note_overflow(&self) {
        let dropped = self.events().mailbox.take_dropped();
        let mut overflow = self.overflow.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(dropped) = dropped {
            Counters::add(&self.events().counters.overflowed, dropped.count);
            overflow.dropped = Some(overflow.dropped.map_or(dropped, |all| all.and(dropped)));
        }
        if overflow.reported.is_some_and(|reported| reported.elapsed() < Self::QUIET) {
            return;
        }
        if let Some(Dropped { count, since, until }) = overflow.dropped.take() {
            overflow.reported = Some(Instant::now());
            let since = self.published_since(since);
            self.events().emit(&Event::gap(Link::Sub, (since, until), count, 0));
        }
    }
}

impl Subscriber for MailboxSubscriber {
    fn has_capacity(&self) -> bool {
        self.events().has_capacity()
    }

    async fn capacity(&self) {
        self.events().capacity().await;
    }

    fn gives_up(&self) -> Option<Error> {
        self.events().mailbox.is_overrun().then_some(Error::MailboxFull)
    }

    fn caught_up(&self) -> Option<Instant> {
        self.note_overflow();
        let mailbox = &self.events().mailbox;
        if mailbox.is_only_deferred() {
            let mut woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
            let next = *woken + Self::PAUSE;
            if Instant::now() < next {
                return Some(next);
            }
            *woken = Instant::now();
        }
        mailbox.wake();
        None
    }

    fn settled(&self, tickets: &[u32]) {
        self.events().settle(tickets);
    }

    fn failed(&self, tickets: &[u32], error: &Error) {
        for &ticket in tickets {
            self.events().fail(ticket, error);
        }
    }

    fn held(&self, ticket: u32, id: &str) {
        self.events().reply(ticket, Outcome::Bytes(id.as_bytes()));
    }

    fn proven(&self, sent: SystemTime) {
        let mut proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        if proven.len() >= Self::PROOFS {
            proven.pop_front();
        }
        proven.push_back((sent, SystemTime::now()));
    }

    fn redirects(&self, channel: &str, reply: &str) -> bool {
        let Some((shards, address)) = &self.shards else { return false };
        let shards = shards.upgrade();
        shards.is_some_and(|shards| shards.redirects(channel, reply, address))
    }

    fn ended(&self) {
        if let Some((shards, address)) = &self.shards {
            shards.upgrade().iter().for_each(|shards| shards.ended(address));
        }
    }

    fn opened(&self, endpoint: &str, warning: Option<Warning>) {
        self.link.opened(endpoint, warning);
    }

    fn panicked(&self, reason: String) {
        self.link.panicked("consumer of messages", reason);
    }

    fn event(&self, event: SessionEvent) {
        match event {
            SessionEvent::Status(status) => {
                if status == LinkStatus::Connected {
                    self.refusals.store(0, Ordering::Relaxed);
                    self.unsupported.store(false, Ordering::Relaxed);
                }
                self.link.status(status);
            }
            // A client that joins rooms must not make an event for each.
            SessionEvent::Error(Error::SubscriptionRefused { .. })
                if self.refusals.fetch_add(1, Ordering::Relaxed) >= Self::MAX_REFUSALS => {}
            // All channels are refused for the same reason.
            SessionEvent::Error(Error::ShardedUnsupported { .. })
                if self.unsupported.swap(true, Ordering::Relaxed) => {}
            SessionEvent::Gap(since, until) => {
                let since = self.events().told(since, until);
                self.events().emit(&Event::gap(Link::Sub, (since, until), 0, 0));
            }
            SessionEvent::Trimmed { times, stream, between: (from, to) } => {
                self.events().emit(&Event::trimmed(times, Trimmed { stream, from, to }));
            }
            SessionEvent::Error(error) => self.events().error(Link::Sub, error),
            SessionEvent::Disconnected(error) => self.link.disconnected(error),
            SessionEvent::Retrying { error, attempt, delay } => {
                self.link.retrying(error, attempt, delay);
            }
        }
    }
}
