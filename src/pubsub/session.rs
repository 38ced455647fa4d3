//! The task that keeps one subscriber connection alive.
//!
//! ```text
//!   open ─▶ subscribe to all that is wanted ─▶ answered ─▶ read, ping every second
//!    ▲                                                        │ broken or dead
//!    └──────────── pause (0 to 800 ms) ◀── report ◀───────────┘
//! ```

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::active::{ActiveSession, End};
use super::consumer::Consumer;
use super::moment::Moment;
use super::op::Kind;
use super::subscriptions::Subscriptions;
use super::wanted::{Handover, Need};
use crate::connection::{Backoff, Connector, Opened, Patience, Purpose, Warning};
use crate::error::Error;

/// How the connection is, once its subscriptions have been answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkStatus {
    /// All that is wanted is confirmed.
    Connected,
    /// Redis refuses a subscription that is required.
    Degraded,
    /// Redis has not answered for a while. The connection is kept: nothing is lost as long as it is
    /// whole.
    Stalled,
}

/// What a session reports.
#[derive(Debug)]
pub enum SessionEvent {
    /// The connection has another status.
    Status(LinkStatus),
    /// Messages from between these times may be missing.
    Gap(SystemTime, SystemTime),
    /// A stream has dropped entries before they were read.
    Trimmed {
        /// Of which time these are.
        times: (SystemTime, SystemTime),
        /// The stream's name.
        stream: String,
        /// The ids of the last entry that was read before, and of the first one after.
        between: (String, String),
    },
    /// Something went wrong and the session goes on.
    Error(Error),
    /// The connection was up and is lost.
    Disconnected(Error),
    /// The next attempt to connect follows after `delay`.
    Retrying {
        /// Why the last attempt failed.
        error: Option<Error>,
        /// How many have failed.
        attempt: u32,
        /// The pause before the next one.
        delay: Duration,
    },
}

/// What a session serves.
pub trait Subscriber: Send + Sync + 'static {
    /// Whether another message may be brought.
    fn has_capacity(&self) -> bool;
    /// Waits until another message may be brought. The session reads nothing meanwhile.
    fn capacity(&self) -> impl Future<Output = ()> + Send;
    /// Why the connection is to be given up although it is whole, if it is. [`Self::capacity`] is
    /// awaited before the next one is opened.
    fn gives_up(&self) -> Option<Error>;
    /// For now, all that has arrived is with its consumers. Returns when to call this again, at the
    /// latest.
    fn caught_up(&self) -> Option<Instant>;
    /// The subscription changes with these tickets are done.
    fn settled(&self, tickets: &[u32]);
    /// The subscription changes with these tickets are not done.
    fn failed(&self, tickets: &[u32], error: &Error);
    /// Whether a refusal is no refusal: the channel is to be wanted on another session.
    fn redirects(&self, _channel: &str, _reply: &str) -> bool {
        false
    }
    /// A stream is held behind the entry with this id.
    fn held(&self, _ticket: u32, _id: &str) {}
    /// All that was published before `_sent` has arrived.
    fn proven(&self, _sent: SystemTime) {}
    /// Redis has ended a subscription of its own accord: it is asked for again.
    fn ended(&self) {}
    /// A connection to `_endpoint`, as [`crate::connection::Connection::endpoint`] names it, is open and not
    /// up yet; with what the endpoint has wrong.
    fn opened(&self, _endpoint: &str, _warning: Option<Warning>) {}
    /// A consumer has panicked with a message.
    fn panicked(&self, reason: String);
    /// Something is to be reported.
    fn event(&self, event: SessionEvent);
}

/// A session and the handle to change its subscriptions.
pub struct Session<S> {
    // A plain mutex: held for one look-up or change, never across an await.
    subscriptions: Mutex<Subscriptions>,
    pub(super) changed: Notify,
    pub(super) subscriber: S,
    // The time before which no message is missing, of a connection that was lost. A plain mutex:
    // the session's task alone takes it.
    pub(super) gap_since: Mutex<Option<Moment>>,
    // When the last answered ping was sent, while there is a connection. Likewise.
    proven: Mutex<Option<SystemTime>>,
}

impl<S: Subscriber> Session<S> {
    /// A session that serves `subscriber`; it connects when [`Self::run`] is polled.
    pub fn new(subscriber: S) -> Arc<Self> {
        let (subscriptions, changed, gap_since, proven) = Default::default();
        Arc::new(Self { subscriptions, changed, subscriber, gap_since, proven })
    }

    /// Wants `name` for `consumer`. With a `ticket`, [`Subscriber::settled`] or
    /// [`Subscriber::failed`] follows.
    pub fn subscribe(
        &self,
        kind: Kind,
        name: &str,
        consumer: Arc<dyn Consumer>,
        need: Need,
        ticket: Option<u32>,
    ) {
        let accepted = self.lock().subscribe(kind, name, consumer, need, ticket);
        if accepted {
            self.changed.notify_one();
        } else {
            self.subscriber.failed(ticket.as_slice(), &Error::Closed);
        }
    }

    /// Takes that back.
    pub fn unsubscribe(
        &self,
        kind: Kind,
        name: &str,
        consumer: &Arc<dyn Consumer>,
        ticket: Option<u32>,
    ) {
        let mut subscriptions = self.lock();
        if subscriptions.is_closed() {
            drop(subscriptions);
            return self.subscriber.failed(ticket.as_slice(), &Error::Closed);
        }
        let settled = subscriptions.unsubscribe(kind, name, consumer, ticket);
        drop(subscriptions);
        self.changed.notify_one();
        self.subscriber.settled(&settled);
    }

    /// Wants `name` no longer, and hands over what it takes to want it on another session; with the time
    /// before which no message is missing, if there was a connection.
    pub fn withdraw(&self, kind: Kind, name: &str) -> Option<(Handover, Option<SystemTime>)> {
        let handover = self.lock().withdraw(kind, name)?;
        self.changed.notify_one();
        let known = [self.gap_since().map(|since| since.time), *self.proven()];
        Some((handover, known.into_iter().flatten().min()))
    }

    /// Wants what another session has handed over; messages since `since` may be missing.
    pub fn adopt(&self, handover: Handover, since: Option<SystemTime>) {
        let adopted = self.lock().adopt(handover, since);
        match adopted {
            Ok(()) => self.changed.notify_one(),
            Err(handover) => self.subscriber.failed(&handover.tickets, &Error::Closed),
        }
    }

    /// The names of all that is wanted of a kind.
    pub fn names(&self, kind: Kind) -> Vec<Arc<str>> {
        self.lock().names(kind)
    }

    /// Whether Redis refuses what is wanted.
    pub fn refuses(&self, kind: Kind, name: &str) -> bool {
        self.lock().refuses(kind, name)
    }

    /// When the last ping was sent that was answered on the connection, if there is one.
    pub fn proven_at(&self) -> Option<SystemTime> {
        *self.proven()
    }

    pub(super) fn proven(&self) -> MutexGuard<'_, Option<SystemTime>> {
        self.proven.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether something is wanted.
    pub fn wants(&self, kind: Kind, name: &str) -> bool {
        self.lock().wants(kind, name)
    }

    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Wants nothing any more: what waits for an answer fails, and so does all that comes later.
    pub fn close(&self) {
        let tickets = self.lock().close();
        self.subscriber.failed(&tickets, &Error::Closed);
    }

    /// Up to `most` channels and patterns that are required and that Redis refuses.
    pub fn refused_names(&self, most: usize) -> Vec<String> {
        self.lock().refused_names(most)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Subscriptions> {
        self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn gap_since(&self) -> MutexGuard<'_, Option<Moment>> {
        self.gap_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connects, serves and reconnects, until it is dropped.
    pub async fn run<C: Connector>(self: Arc<Self>, connector: Arc<C>) {
        let mut backoff = Backoff::new();
        let mut second: Option<Box<Opened<C::Stream>>> = None;
        loop {
            self.subscriber.capacity().await;
            let opened = match second.take() {
                Some(opened) => Ok(*opened),
                None => connector.connect(Purpose::Subscribe, Patience::Limited).await,
            };
            let since = Instant::now();
            let error = match opened {
                Ok(opened) => {
                    let End { ended, was_up } = self.serve(&connector, opened).await;
                    second = ended.second;
                    if was_up {
                        backoff = Backoff::after(since.into_std());
                        self.subscriber.event(SessionEvent::Disconnected(ended.error));
                        None
                    } else {
                        Some(ended.error)
                    }
                }
                Err(error) => Some(error),
            };
            if second.is_some() {
                continue;
            }
            let (attempt, delay) = backoff.next_pause();
            self.subscriber.event(SessionEvent::Retrying { error, attempt, delay });
            tokio::select! {
                () = sleep(delay) => {}
                () = connector.elsewhere() => {}
            }
        }
    }

    async fn serve<C: Connector>(
        &self,
        connector: &Arc<C>,
        opened: Opened<C::Stream>,
    ) -> End<C::Stream> {
        self.subscriber.opened(opened.connection.endpoint(), opened.warning);
        ActiveSession::new(self, connector, opened.connection).serve().await
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "reconnect_tests.rs"]
mod reconnect_tests;

#[cfg(test)]
#[path = "watchdog_tests.rs"]
mod watchdog_tests;
