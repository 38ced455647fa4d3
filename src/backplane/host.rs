//! What the subscriber's session reports to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tokio::time::{Duration, Instant, sleep};

use super::reporter::{Reporter, Voice};
use crate::delivery::{Counters, Event, Link};
use crate::error::Error;
use crate::pubsub::Subscriber;

/// The backplane's side of a [`crate::pubsub::Session`].
pub struct Host {
    voice: Voice,
    // A plain mutex: the session's task alone takes it, and only when messages were dropped.
    overflow: Mutex<Overflow>,
    // Whether the event loop is going to be asked to take a turn.
    nudging: Arc<AtomicBool>,
}

/// Messages that the full mailbox has dropped, and that are not told yet.
#[derive(Default)]
struct Overflow {
    dropped: u64,
    since: Option<SystemTime>,
    told: Option<Instant>,
}

impl Host {
    /// How long strays may wait before the event loop is asked to take a turn for them. They do not
    /// matter to it, so it is not asked more often.
    const NUDGE: Duration = Duration::from_millis(5);
    /// Dropped messages are told at most this often.
    const QUIET: Duration = Duration::from_secs(1);

    pub(super) fn new(reporter: Arc<Reporter>) -> Self {
        let voice = Voice { reporter, link: Link::Sub };
        Self { voice, overflow: Mutex::default(), nudging: Arc::default() }
    }

    fn reporter(&self) -> &Reporter {
        &self.voice.reporter
    }

    /// Has the event loop take a turn soon if broadcasts wait for one.
    fn nudge_for_strays(&self) {
        if !self.reporter().are_strays() || self.nudging.swap(true, Ordering::Relaxed) {
            return;
        }
        let (reporter, nudging) = (Arc::clone(&self.voice.reporter), Arc::clone(&self.nudging));
        tokio::spawn(async move {
            sleep(Self::NUDGE).await;
            nudging.store(false, Ordering::Relaxed);
            reporter.mailbox.nudge();
        });
    }

    /// Counts what the mailbox has dropped, and tells it when it is time to.
    fn note_overflow(&self) {
        let dropped = self.reporter().mailbox.take_dropped();
        let mut overflow = self.overflow.lock().unwrap_or_else(PoisonError::into_inner);
        if dropped > 0 {
            Counters::add(&self.reporter().counters.overflowed, dropped);
            overflow.dropped += dropped;
            overflow.since.get_or_insert_with(SystemTime::now);
        }
        if overflow.told.is_some_and(|told| told.elapsed() < Self::QUIET) {
            return;
        }
        if let Some(since) = overflow.since.take() {
            let dropped = std::mem::take(&mut overflow.dropped);
            overflow.told = Some(Instant::now());
            self.reporter().tell(&Event::gap(Link::Sub, since, dropped, 0));
        }
    }
}

impl Subscriber for Host {
    fn has_room(&self) -> bool {
        self.reporter().mailbox.has_room()
    }

    async fn room(&self) {
        self.reporter().mailbox.room().await;
    }

    fn gives_up(&self) -> Option<Error> {
        self.reporter().mailbox.is_overrun().then_some(Error::MailboxFull)
    }

    fn rest(&self) {
        self.note_overflow();
        self.nudge_for_strays();
        self.reporter().mailbox.ring();
    }

    fn settled(&self, tickets: &[u32]) {
        self.reporter().settle(tickets);
    }

    fn connected(&self, gap_since: Option<SystemTime>) {
        self.voice.connected(gap_since.is_some());
        if let Some(since) = gap_since {
            self.reporter().tell(&Event::gap(Link::Sub, since, 0, 0));
        }
    }

    fn disconnected(&self, error: Error) {
        self.voice.disconnected(error);
    }

    fn retrying(&self, error: Option<Error>, attempt: u32, delay: Duration) {
        self.voice.retrying(error, attempt, delay);
    }

    fn refused(&self, error: Error) {
        self.reporter().error(Link::Sub, error);
    }
}
